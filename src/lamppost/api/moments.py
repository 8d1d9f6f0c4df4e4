"""Times in addresses and bodies: RFC 3339 in, UTC out."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Final

from pydantic import AfterValidator, PlainSerializer, WithJsonSchema

from lamppost.base.clock import format_utc

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LAST: Final = datetime(2200, 1, 1, tzinfo=UTC)
_SCHEMA: Final[dict[str, Any]] = {"type": "string", "format": "date-time", "examples": ["2026-11-28T05:42:50.123Z"]}


def _known(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise ValueError("say which offset it has, such as 2026-11-28T05:42:50Z")
    if not _EPOCH <= moment <= _LAST:
        raise ValueError("it must lie between 1970 and 2200")
    return moment


Moment = Annotated[datetime, AfterValidator(_known)]
"""A time that is given; `us_of` makes microseconds of it."""

Time = Annotated[int, PlainSerializer(format_utc, return_type=str), WithJsonSchema(_SCHEMA, mode="serialization")]
"""A time that is told: UTC in microseconds since 1970 here, RFC 3339 in JSON."""


def us_of(moment: datetime) -> int:
    """Microseconds since 1970."""
    return (moment - _EPOCH) // timedelta(microseconds=1)
