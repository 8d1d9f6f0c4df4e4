"""Takes values out of what zeep has read, none of which has to be there or to be what the description says."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast


def read(value: Any, *names: str) -> Any:
    """What stands at `names` within an answer of zeep, one below the other; None where there is nothing."""
    for name in names:
        value = getattr(value, name, None)
        if value is None:
            return None
    return value


def many(value: Any) -> list[Any]:
    """A list of an answer; empty where there is none, and of one where a device sent one without a list."""
    if value is None:
        return []
    return list(cast("Sequence[Any]", value)) if isinstance(value, list | tuple) else [value]


def line(value: Any, most: int = 128) -> str:
    """A text of an answer on one line, `most` characters long at most; empty for what is no text and no number."""
    if isinstance(value, int | float):
        value = f"{float(value):g}" if abs(value) < 1e15 else ""
    text = value[: 4 * most] if isinstance(value, str) else ""
    return "".join(letter if letter.isprintable() else " " for letter in text).strip()[:most].rstrip()


def address(value: Any) -> str:
    """An address that a device names, without white space; empty where it is none that anybody would ask for."""
    # Some escape an address that is escaped already.
    text = "".join(value[:4096].split()).replace("&amp;", "&") if isinstance(value, str) else ""
    return text if len(text) <= 2048 and text.isascii() and text.isprintable() else ""
