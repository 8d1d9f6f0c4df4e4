"""Pages of long lists: so many items, and an opaque cursor for those after them."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from http import HTTPStatus
from typing import Annotated, Any, Final, Generic, TypeVar, cast

from fastapi import Query
from pydantic import BaseModel, Field

from lamppost.api.problems import Problem

DEFAULT_LIMIT: Final = 50
MOST: Final = 200
_LONGEST: Final = 512
_BEYOND: Final = 1 << 63

Item = TypeVar("Item")
Limit = Annotated[int, Query(ge=1, le=MOST, description="So many items at most.")]
Cursor = Annotated[str, Query(max_length=_LONGEST, description="`next` of the page before; empty for the first.")]


class Page(BaseModel, Generic[Item]):
    """Some items of a list."""

    items: Sequence[Item]
    next: str | None = Field(default=None, description="The cursor of the next page; null after the last.")


def make_cursor(*parts: int | str) -> str:
    """An opaque word that `read_cursor` makes `parts` of."""
    return base64.urlsafe_b64encode(json.dumps(parts, separators=(",", ":")).encode()).decode().rstrip("=")


def read_cursor(cursor: str, *kinds: type) -> tuple[int | str, ...] | None:
    """The parts of a cursor, each of its kind; None for an empty one. Raises a problem for one that was not made here."""
    if not cursor:
        return None
    try:
        parts: Any = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except ValueError as error:
        raise _wrong() from error
    found = cast("list[int | str]", parts) if isinstance(parts, list) else []
    if [type(part) for part in found] != list(kinds) or not all(_is_kept(part) for part in found):
        raise _wrong()
    return tuple(found)


def _is_kept(part: int | str) -> bool:
    """Whether the index could hold it: JSON has numbers that are longer, and halves of characters."""
    if isinstance(part, int):
        return -_BEYOND <= part < _BEYOND
    return not any("\ud800" <= letter <= "\udfff" for letter in part)


def _wrong() -> Problem:
    return Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "the cursor is none of this list", kind="cursor", remedy="begin without one")
