"""What is known against firmware, and which makers a buyer may not choose: a list that an operator can replace without a network.

It informs. Nothing refuses a camera because of it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Annotated, Any, Final, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from lamppost.base.errors import ConfigError
from lamppost.model.firmware_versions import compare, parse_version
from lamppost.model.mistakes import mistakes_of

LONGEST_PATTERN: Final = 100
_LONGEST_TEXT: Final = 300  # of what a pattern is compared with; longer is cut
SCHEMA_ID: Final = "https://json-schema.org/draft/2020-12/schema"


def _printable(text: str) -> str:
    if not text.isprintable():
        raise ValueError("it holds characters that cannot be printed")
    return text


def _a_version(text: str) -> str:
    if parse_version(text) is None:
        raise ValueError("this is no version that could be compared; write it as 9.80.2 or V5.4.0 build 160530")
    return text


def _web(url: str) -> str:
    if url and not url.startswith(("https://", "http://")):
        raise ValueError("an address begins with https:// or http://")
    return _printable(url)


Text = Annotated[str, AfterValidator(_printable)]
Pattern = Annotated[
    str,
    Field(min_length=1, max_length=LONGEST_PATTERN, description="`*` stands for anything, `?` for one character; case does not matter."),
    AfterValidator(_printable),
]
Version = Annotated[str, Field(max_length=100), AfterValidator(_a_version)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class FirmwareRange(_Part):
    """Versions of firmware, as the vendor writes them."""

    first: Version | None = Field(default=None, description="The first that is meant; all from the beginning where it is left out.")
    last: Version | None = Field(default=None, description="The last that is meant.")
    before: Version | None = Field(default=None, description="In place of `last`: the first that is not meant any more.")

    @model_validator(mode="after")
    def _has_an_end(self) -> Self:
        if (self.last is None) == (self.before is None):
            raise ValueError("give one of last and before")
        return self

    def holds(self, firmware: str) -> bool | None:
        """Whether `firmware` lies in it; None where that cannot be told."""
        above = 0 if self.first is None else compare(firmware, self.first)
        below = compare(firmware, self.last or self.before or "")
        if (above is not None and above < 0) or (below is not None and (below > 0 or (below == 0 and self.before is not None))):
            return False
        return None if above is None or below is None else True


class FirmwareAdvisory(_Part):
    """Something that is known against firmware of a vendor."""

    id: Text = Field(min_length=1, max_length=60, description="As it is known, such as `CVE-2021-36260`.")
    vendor: Pattern
    models: tuple[Pattern, ...] = Field(default=("*",), min_length=1, max_length=200, description="Models that are meant.")
    affected: tuple[FirmwareRange, ...] = Field(
        default=(), max_length=50, description="Firmware that is affected. Where it is empty, nobody can tell from here: see `url`."
    )
    fixed_in: Text = Field(default="", max_length=200, description="The firmware that is not affected any more, for people to read.")
    title: Text = Field(min_length=1, max_length=300)
    severity: Literal["low", "medium", "high", "critical", "unknown"] = "unknown"
    url: Annotated[str, AfterValidator(_web)] = Field(default="", max_length=500)


class ProcurementBan(_Part):
    """A maker that somebody's rules of buying name."""

    list: Text = Field(min_length=1, max_length=200, description="Whose rules, such as `NDAA section 889`.")
    entry: Text = Field(min_length=1, max_length=200, description="The maker, as the list calls it.")
    vendors: tuple[Pattern, ...] = Field(min_length=1, max_length=50, description="How devices and invoices call the maker.")
    note: Text = Field(default="", max_length=1000)


class FirmwareList(_Part):
    """The whole list; it is replaced as a whole."""

    name: Text = Field(min_length=1, max_length=200)
    published: date
    advisories: tuple[FirmwareAdvisory, ...] = Field(default=(), max_length=2000)
    bans: tuple[ProcurementBan, ...] = Field(default=(), max_length=500)


class AdvisoryState(StrEnum):
    """What an advisory means for a device. One that is not affected is not told of."""

    AFFECTED = "affected"
    UNKNOWN = "unknown"  # its firmware cannot be compared, or the list does not say which are affected


@dataclass(frozen=True, slots=True)
class KnownDevice:
    """What is known of a device: what it says, and what the record of its origin says. Any may be empty."""

    vendors: tuple[str, ...]  # who made it, by all accounts
    model: str
    firmware: str


@dataclass(frozen=True, slots=True)
class Applying:
    """An advisory that is about a device."""

    advisory: FirmwareAdvisory
    state: AdvisoryState


def read_list(content: bytes | str) -> FirmwareList:
    """The list in `content`, JSON; raises `ConfigError` with a line for each mistake."""
    try:
        document: Any = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise ConfigError("this is no JSON that can be read", remedy="see docs/guide/firmware.md for how a list is written") from error
    try:
        return FirmwareList.model_validate_json(json.dumps(document))
    except ValidationError as error:
        raise ConfigError("\n".join(mistake.text for mistake in mistakes_of(error, FirmwareList, noun="a part of the list"))) from error


def advisories_for(known: FirmwareList, device: KnownDevice) -> tuple[Applying, ...]:
    """What is known against the firmware of a device; of one id the gravest."""
    found: dict[str, Applying] = {}
    for advisory in known.advisories:
        state = _state(advisory, device)
        before = found.get(advisory.id)
        if state is not None and (before is None or (before.state, state) == (AdvisoryState.UNKNOWN, AdvisoryState.AFFECTED)):
            found[advisory.id] = Applying(advisory, state)
    return tuple(found.values())


def bans_for(known: FirmwareList, device: KnownDevice) -> tuple[ProcurementBan, ...]:
    """Lists that name the maker of a device."""
    return tuple(ban for ban in known.bans if _is_any(ban.vendors, device.vendors))


def list_schema() -> dict[str, Any]:
    """The JSON Schema of a list, for who writes one."""
    return {"$schema": SCHEMA_ID, "title": "A list of known firmware"} | FirmwareList.model_json_schema()


def matches(pattern: str, text: str) -> bool:
    """Whether `text` is as `pattern` says; in time that grows with their lengths alone, whatever they are."""
    pattern, text = pattern.casefold(), text.casefold()[:_LONGEST_TEXT]
    at = place = 0
    star = mark = -1
    while place < len(text):
        if at < len(pattern) and pattern[at] == "*":
            star, mark, at = at, place, at + 1
        elif at < len(pattern) and pattern[at] in ("?", text[place]):
            at, place = at + 1, place + 1
        elif star >= 0:
            mark += 1
            at, place = star + 1, mark
        else:
            return False
    return not pattern[at:].strip("*")


def _state(advisory: FirmwareAdvisory, device: KnownDevice) -> AdvisoryState | None:
    """None: the advisory is not about it."""
    if not _is_any((advisory.vendor,), device.vendors):
        return None
    is_every_model = any(not pattern.strip("*") for pattern in advisory.models)
    if device.model and not is_every_model and not _is_any(advisory.models, (device.model,)):
        return None
    if (not device.model and not is_every_model) or not device.firmware or not advisory.affected:
        return AdvisoryState.UNKNOWN
    held = {each.holds(device.firmware) for each in advisory.affected}
    if True in held:
        return AdvisoryState.AFFECTED
    return AdvisoryState.UNKNOWN if None in held else None


def _is_any(patterns: Sequence[str], texts: Iterable[str]) -> bool:
    return any(matches(pattern, text.strip()) for text in texts if text.strip() for pattern in patterns)
