"""How rows of the device book hold lists, and words that came from devices."""

from __future__ import annotations

import json
from typing import Any, Final

from lamppost.base.errors import StoreError

_MOST_NUMBER: Final = (1 << 63) - 1


def to_json(value: Any) -> str:
    """One line; whoever reads it asks `from_json`."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=True, allow_nan=False)


def from_json(text: str, what: str) -> Any:
    """What `to_json` made a text of; raises `StoreError` where it is none."""
    try:
        return json.loads(text)
    except ValueError as error:
        raise StoreError(f"{what} in the device book cannot be read", remedy="put the device book back from a backup") from error


def word(text: str) -> str:
    """Text that a database takes: a device may send halves of characters."""
    return text.encode("utf-8", "replace").decode()


def number(value: int | None) -> int | None:
    """A count that a database takes: a device may send any."""
    return None if value is None else max(-_MOST_NUMBER, min(value, _MOST_NUMBER))
