"""Finds the masked video of a camera at any time as fast in thirty days of it as in one.

A segment lasts an hour at most, so that what shares time with an interval began
no earlier than an hour and some minutes before it: every question here reads a
bounded piece of an index. Nothing here knows a sealed segment.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Table, and_, bindparam, func, or_, select
from sqlalchemy.sql.elements import ColumnElement

from lamppost.store.forgotten import JOIN_US
from lamppost.store.index import Interval
from lamppost.store.index_reader import IndexReader
from lamppost.store.intervals import Span
from lamppost.store.schema import COVERED, FORGOTTEN, GAPS, REDUCTIONS, SEGMENTS

LONGEST_SEGMENT_US: Final = 4_500_000_000
"""An hour is the most that the configuration allows; a segment is cut at the keyframe after it, and a camera may be slow to send one."""

MOST_SEGMENTS: Final = 50_000
MOST_INTERVALS: Final = 5_000
_OPEN_AT_ONCE: Final = 64  # intervals of one kind follow each other; a few may lie in one another


@dataclass(frozen=True, slots=True)
class MaskedSegment:
    """A file of masked video; while it is open, up to the end of the last fragment that the index knows."""

    segment_id: str
    camera: str
    is_open: bool
    path: str
    run_id: str
    start_us: int
    end_us: int
    header_bytes: int
    size_bytes: int
    record_sha256: str | None


_MASKED: Final = and_(SEGMENTS.c.rendition == "masked", SEGMENTS.c.state != "garbage")
_WHAT: Final = (
    SEGMENTS.c.segment_id,
    SEGMENTS.c.camera,
    SEGMENTS.c.state,
    SEGMENTS.c.path,
    SEGMENTS.c.run_id,
    SEGMENTS.c.start_us,
    SEGMENTS.c.end_us,
    SEGMENTS.c.header_bytes,
    SEGMENTS.c.size_bytes,
    SEGMENTS.c.record_sha256,
)
_OF_CAMERA: Final = and_(SEGMENTS.c.camera == bindparam("of_camera"), _MASKED)
_AROUND: Final = and_(
    _OF_CAMERA,
    SEGMENTS.c.start_us >= bindparam("early_us"),
    SEGMENTS.c.start_us < bindparam("to_us"),
    SEGMENTS.c.end_us > bindparam("from_us"),
)

# Made once: to put a statement together takes longer than to run it.
_ONE: Final = select(*_WHAT).where(_MASKED, SEGMENTS.c.segment_id == bindparam("segment_id"))
_IN_TIME: Final = select(*_WHAT).where(_AROUND).order_by(SEGMENTS.c.start_us).limit(bindparam("most"))
_BEFORE: Final = (
    select(*_WHAT)
    .where(_OF_CAMERA, SEGMENTS.c.start_us >= bindparam("early_us"), SEGMENTS.c.start_us <= bindparam("at_us"))
    .order_by(SEGMENTS.c.start_us.desc())
    .limit(1)
)


def _firsts() -> Any:
    """The first segment of each span, and where all before it have ended: one window over the rows, and few come out.

    To look at their runs as well takes three times as long. What lies between two runs for less is told as a gap.
    """
    before_us = func.max(SEGMENTS.c.end_us).over(order_by=SEGMENTS.c.start_us, rows=(None, -1)).label("before_us")
    rows = select(SEGMENTS.c.start_us, before_us).where(_AROUND).subquery()
    is_first = or_(rows.c.before_us.is_(None), rows.c.start_us > rows.c.before_us + JOIN_US)
    return select(rows.c.start_us, rows.c.before_us).where(is_first).order_by(rows.c.start_us).limit(MOST_INTERVALS)


_SPANS: Final = _firsts()
_LAST_END: Final = select(func.max(SEGMENTS.c.end_us).label("end_us")).where(_AROUND)


class Footage(IndexReader):
    """Read-only view of the masked footage in the index of a data folder; raises `StoreError`."""

    remedy = "was anything recorded?"

    def segment(self, segment_id: str) -> MaskedSegment | None:
        """The masked segment of that id; None for a sealed one, and for what is not there any more."""
        return next(map(_segment, self._all(_ONE, segment_id=segment_id)), None)

    def segments(self, camera: str, from_us: int, to_us: int, *, limit: int = MOST_SEGMENTS) -> tuple[MaskedSegment, ...]:
        """Those that share time with [from_us, to_us), in the order of time."""
        return tuple(map(_segment, self._all(_IN_TIME, **_window(camera, from_us, to_us), most=limit)))

    def last_before(self, camera: str, at_us: int) -> MaskedSegment | None:
        """The one that began last, at `at_us` or before; None where it cannot reach to there."""
        rows = self._all(_BEFORE, of_camera=camera, at_us=at_us, early_us=at_us - LONGEST_SEGMENT_US)
        return next(map(_segment, rows), None)

    def spans(self, camera: str, from_us: int, to_us: int) -> tuple[Span, ...]:
        """When there is masked video within [from_us, to_us), joined over half a second and less; `MOST_INTERVALS` at most."""
        window = _window(camera, from_us, to_us)
        firsts = self._all(_SPANS, **window)
        if not firsts:
            return ()
        last_us = self._all(_LAST_END, **window)[0].end_us
        # Where there are more, nobody knows when the last of them ends.
        ends_us = [row.before_us for row in firsts[1:]] + ([last_us] if len(firsts) < MOST_INTERVALS else [])
        return tuple((max(row.start_us, from_us), min(end_us, to_us)) for row, end_us in zip(firsts, ends_us, strict=False))

    def gaps(self, camera: str, from_us: int, to_us: int) -> tuple[Interval, ...]:
        """Declared gaps that share time with [from_us, to_us), in the order of time."""
        rows = self._intervals(GAPS, camera, from_us, to_us)
        return tuple(Interval(row.gap_id, row.camera, row.cause, row.start_us, row.end_us, row.detail) for row in rows)

    def covered(self, camera: str, from_us: int, to_us: int) -> tuple[Interval, ...]:
        """Covered intervals that share time with [from_us, to_us), in the order of time."""
        rows = self._intervals(COVERED, camera, from_us, to_us)
        return tuple(Interval(row.cover_id, row.camera, row.cause, row.start_us, row.end_us) for row in rows)

    def reductions(self, camera: str, from_us: int, to_us: int) -> tuple[Interval, ...]:
        """Steps of overload that share time with [from_us, to_us), in the order of time; `cause` is the step."""
        rows = self._intervals(REDUCTIONS, camera, from_us, to_us)
        return tuple(Interval(row.reduction_id, row.camera, row.step, row.start_us, row.end_us) for row in rows)

    def forgotten(self, camera: str, from_us: int, to_us: int) -> tuple[Span, ...]:
        """When masked video was recorded and has been deleted since, within [from_us, to_us)."""
        rows = self._intervals(FORGOTTEN, camera, from_us, to_us, FORGOTTEN.c.rendition == "masked")
        return tuple((max(row.start_us, from_us), min(row.end_us, to_us)) for row in rows)

    def _intervals(self, table: Table, camera: str, from_us: int, to_us: int, *more: ColumnElement[bool]) -> list[Any]:
        """Rows that share time with the window: those that begin in it, and those of the last before it that reach into it.

        They may be of any length, but follow each other, so that few can reach in.
        """
        of_camera = (table.c.camera == camera, *more)
        earlier = select(table).where(*of_camera, table.c.start_us < from_us).order_by(table.c.start_us.desc()).limit(_OPEN_AT_ONCE)
        within = select(table).where(*of_camera, table.c.start_us >= from_us, table.c.start_us < to_us)
        reach_in = [row for row in self._all(earlier) if row.end_us is None or row.end_us > from_us]
        return [*reversed(reach_in), *self._all(within.order_by(table.c.start_us).limit(MOST_INTERVALS))]


def _window(camera: str, from_us: int, to_us: int) -> dict[str, Any]:
    return {"of_camera": camera, "from_us": from_us, "to_us": to_us, "early_us": from_us - LONGEST_SEGMENT_US}


def _segment(row: Any) -> MaskedSegment:
    return MaskedSegment(
        segment_id=row.segment_id,
        camera=row.camera,
        is_open=row.state == "open",
        path=row.path,
        run_id=row.run_id,
        start_us=row.start_us,
        end_us=row.end_us,
        header_bytes=row.header_bytes,
        size_bytes=row.size_bytes,
        record_sha256=row.record_sha256,
    )
