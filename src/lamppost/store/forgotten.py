"""Books what was deleted as spans of time, so that the account stays exact: no more, and not a moment less.

The few milliseconds between two files of one run are the last frame's unknown
duration. They count as forgotten with the one of the two that goes first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

from sqlalchemy import Connection, bindparam, delete, insert, select

from lamppost.store.schema import FORGOTTEN, SEGMENTS

JOIN_US: Final = 500_000
_APART_US: Final = 3600 * 1_000_000  # what lies between may be much, and held

# Made once: to put a statement together takes longer than to run it.
_HERE: Final = select(SEGMENTS.c.start_us, SEGMENTS.c.end_us, SEGMENTS.c.run_id, SEGMENTS.c.sequence).where(
    SEGMENTS.c.camera == bindparam("of_camera"), SEGMENTS.c.rendition == bindparam("of_rendition"), SEGMENTS.c.state != "garbage"
)
_AROUND: Final = (
    _HERE.where(SEGMENTS.c.start_us < bindparam("first_us")).order_by(SEGMENTS.c.start_us.desc()).limit(1),
    _HERE.where(SEGMENTS.c.start_us >= bindparam("first_us"), SEGMENTS.c.start_us <= bindparam("last_us")),
    _HERE.where(SEGMENTS.c.start_us > bindparam("last_us")).order_by(SEGMENTS.c.start_us).limit(1),
)
_PLACE: Final = (FORGOTTEN.c.camera == bindparam("of_camera"), FORGOTTEN.c.rendition == bindparam("of_rendition"))
_NEAREST: Final = (
    select(FORGOTTEN).where(*_PLACE, FORGOTTEN.c.start_us <= bindparam("last_us")).order_by(FORGOTTEN.c.start_us.desc()).limit(1)
)
_TAKE: Final = delete(FORGOTTEN).where(*_PLACE, FORGOTTEN.c.start_us == bindparam("first_us"))


@dataclass(frozen=True, slots=True)
class Past:
    """A segment that goes."""

    start_us: int
    end_us: int
    run_id: str
    sequence: int
    size_bytes: int


@dataclass(slots=True)
class _Span:
    start_us: int
    end_us: int
    segments: int
    size_bytes: int


def book_forgotten(connection: Connection, camera: str, rendition: str, pasts: Sequence[Past]) -> None:
    """Add segments of one camera and rendition to `forgotten`; call it while their rows still say `closed`."""
    for near in _near(sorted(pasts, key=lambda past: past.start_us)):
        around = _around(connection, camera, rendition, near[0].start_us, near[-1].start_us)
        for span in _spans(near, around):
            _add(connection, camera, rendition, span)


def joins(earlier_run: str, earlier_end_us: int, later_run: str, later_start_us: int) -> bool:
    """Whether the time between two files of a camera is the last frame's, and no gap."""
    return earlier_run == later_run and 0 < later_start_us - earlier_end_us <= JOIN_US


def _near(pasts: Sequence[Past]) -> list[list[Past]]:
    groups: list[list[Past]] = []
    for past in pasts:
        if groups and past.start_us - groups[-1][-1].start_us < _APART_US:
            groups[-1].append(past)
        else:
            groups.append([past])
    return groups


def _around(connection: Connection, camera: str, rendition: str, first_us: int, last_us: int) -> list[Any]:
    """The rows between the two, and one more on either side, in the order of recording."""
    values = {"of_camera": camera, "of_rendition": rendition, "first_us": first_us, "last_us": last_us}
    rows = [row for part in _AROUND for row in connection.execute(part, values)]
    return sorted(rows, key=lambda row: row.sequence)


def _spans(pasts: Sequence[Past], around: Sequence[Any]) -> list[_Span]:
    spans = {past.sequence: _Span(past.start_us, past.end_us, 1, past.size_bytes) for past in pasts}
    for earlier, later in pairwise(around):
        if joins(earlier.run_id, earlier.end_us, later.run_id, later.start_us):
            if earlier.sequence in spans:
                spans[earlier.sequence].end_us = later.start_us
            elif later.sequence in spans:
                spans[later.sequence].start_us = earlier.end_us
    return _merged(sorted(spans.values(), key=lambda span: span.start_us))


def _merged(spans: Sequence[_Span]) -> list[_Span]:
    merged: list[_Span] = []
    for span in spans:
        if merged and span.start_us <= merged[-1].end_us:
            merged[-1].end_us = max(merged[-1].end_us, span.end_us)
            merged[-1].segments += span.segments
            merged[-1].size_bytes += span.size_bytes
        else:
            merged.append(span)
    return merged


def _add(connection: Connection, camera: str, rendition: str, span: _Span) -> None:
    """Put `span` among the others of the camera, joined with those that it touches."""
    place = {"of_camera": camera, "of_rendition": rendition}
    while True:
        row = connection.execute(_NEAREST, place | {"last_us": span.end_us}).first()
        if row is None or row.end_us < span.start_us:
            break
        connection.execute(_TAKE, place | {"first_us": row.start_us})
        span.start_us, span.end_us = min(span.start_us, row.start_us), max(span.end_us, row.end_us)
        span.segments += row.segments
        span.size_bytes += row.size_bytes
    values = {"start_us": span.start_us, "end_us": span.end_us, "segments": span.segments, "size_bytes": span.size_bytes}
    connection.execute(insert(FORGOTTEN), {"camera": camera, "rendition": rendition} | values)
