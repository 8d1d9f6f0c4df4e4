"""Where a camera came from and why it is there: what a city can be asked of each one it owns."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from datetime import date
from types import MappingProxyType
from typing import Any, Final

from lamppost.base.errors import ConfigError

LONGEST: Final = MappingProxyType({"note": 2000, "purpose": 1000, "legal_basis": 1000})
LONGEST_WORD: Final = 200
MOST_COST: Final = 1e12
_CURRENCY: Final = re.compile(r"[A-Z]{3}")
_DATE: Final = re.compile(r"\d{4}-\d\d-\d\d")
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Origin:
    """Empty where it is not known. `vendor`, `model` and `firmware` are what was bought; a device says its own."""

    vendor: str = ""
    oem: str = ""  # who made what `vendor` sold, where that is known
    model: str = ""
    firmware: str = ""
    integrator: str = ""
    contract: str = ""  # or a tender
    cost: float | None = None
    currency: str = ""  # ISO 4217
    installed: date | None = None
    legal_basis: str = ""
    purpose: str = ""
    note: str = ""

    def check(self) -> None:
        """Raises `ConfigError` with a line for each mistake."""
        wrong = [problem for name in NAMES if (problem := _wrong(name, getattr(self, name)))]
        if not wrong and self.cost is not None and not self.currency:
            wrong.append("currency is missing: a cost is given; write its three letters, such as EUR")
        if wrong:
            raise ConfigError("\n".join(wrong))

    def to_json(self) -> dict[str, Any]:
        return asdict(self) | {"installed": self.installed.isoformat() if self.installed is not None else None}


NAMES: Final = tuple(field.name for field in fields(Origin))


def origin_from(said: Mapping[str, Any], before: Origin | None = None) -> Origin:
    """`before` with what was said, words and numbers alike; an empty word takes one out.

    Raises `ConfigError` with a line for each mistake.
    """
    unknown = [name for name in said if name not in NAMES]
    if unknown:
        raise ConfigError(f"{unknown[0][:40]!r} is no part of an origin", remedy=f"known: {', '.join(NAMES)}")
    values = {name: getattr(before or Origin(), name) for name in NAMES}
    wrong: list[str] = []
    for name, value in said.items():
        try:
            values[name] = _read(name, value)
        except ConfigError as error:
            wrong.append(str(error))
    origin = Origin(**values)
    try:
        origin.check()
    except ConfigError as error:
        wrong += error.problem.splitlines()
    if wrong:
        raise ConfigError("\n".join(wrong))
    return origin


def _read(name: str, value: Any) -> Any:
    if name == "cost":
        return _number(value)
    if name == "installed":
        return _day(value)
    if value is not None and not isinstance(value, str):
        raise ConfigError(f"{name} is no word", remedy="write it as text")
    text = (value or "").strip()
    return text.upper() if name == "currency" else text


def _number(value: Any) -> float | None:
    if value is None or value == "":
        return None
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError) as error:
        raise ConfigError("cost is no number", remedy="write it as 1250 or 1250.50, without a currency") from error


def _day(value: Any) -> date | None:
    if value is None or value == "" or type(value) is date:
        return value or None
    try:
        if not _DATE.fullmatch(value):
            raise ValueError
        return date.fromisoformat(value)
    except (TypeError, ValueError) as error:
        raise ConfigError("installed is no date", remedy="write it as 2024-05-31") from error


def _wrong(name: str, value: Any) -> str:
    if name == "cost":
        return "" if value is None or (math.isfinite(value) and 0 <= value <= MOST_COST) else "cost is less than nothing, or too much"
    if name == "installed":
        return ""
    longest = LONGEST.get(name, LONGEST_WORD)
    if len(value) > longest:
        return f"{name} has more than {longest} characters"
    if _CONTROL.search(value):
        return f"{name} holds characters that cannot be printed"
    if name == "currency" and value and not _CURRENCY.fullmatch(value):
        return "currency is none: write its three letters, such as EUR"
    return ""
