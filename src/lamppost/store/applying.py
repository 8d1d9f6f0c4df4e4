"""Journal records become rows: the same record twice changes nothing.

Fragments are no rows: half a billion of them would be no index. They are folded
into their segment's totals; their hashes stand in the `.record` beside its file.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Column, Connection, Insert, Table, bindparam, case, exists, func, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from lamppost.base.logging import get_logger
from lamppost.model.books import (
    AccountMoved,
    Act,
    CoverClosed,
    CoverOpened,
    EpochSealed,
    EventClosed,
    EventEnded,
    EventNoted,
    EventOpened,
    EventUpdated,
    FragmentWritten,
    GapClosed,
    GapOpened,
    HoldPlaced,
    HoldReleased,
    JournalRecord,
    MinuteCounted,
    NoteKind,
    NoticeBuried,
    NoticeDelivered,
    NoticeFailed,
    NoticesRevived,
    ReductionClosed,
    ReductionOpened,
    SegmentClosed,
    SegmentOpened,
    SnapshotTaken,
)
from lamppost.model.happening import Phase
from lamppost.store.counts import add_minute
from lamppost.store.outbox import NoticeRecord, note_change, note_outcome, note_snapshot
from lamppost.store.schema import (
    ACTS,
    CAMERAS,
    COVERED,
    EPOCH_SHARES,
    EPOCHS,
    EVENT_NOTES,
    EVENTS,
    GAPS,
    HOLDS,
    REDUCTIONS,
    SEGMENTS,
    SNAPSHOTS,
    STORED,
)

_Opening = GapOpened | CoverOpened | ReductionOpened | EventOpened
_Interval = GapOpened | CoverOpened | ReductionOpened | GapClosed | CoverClosed | ReductionClosed
_EventRecord = EventOpened | EventUpdated | EventEnded | EventClosed


def insert_missing(table: Table) -> Insert:
    """An insert that does nothing when the key is there; one writer, so the look before it holds."""
    columns = list(table.columns)
    keys = list(table.primary_key.columns)
    absent = ~exists(select(1).select_from(table).where(*(key == _bound(key) for key in keys)))
    return insert(table).from_select([column.name for column in columns], select(*(_bound(column) for column in columns)).where(absent))


def _bound(column: Column[Any]) -> Any:
    return bindparam(column.name, type_=column.type)


_ADD: Final = {
    table: insert_missing(table)
    for table in (CAMERAS, EPOCHS, EPOCH_SHARES, SEGMENTS, GAPS, COVERED, REDUCTIONS, EVENTS, EVENT_NOTES, SNAPSHOTS, HOLDS, ACTS)
}
_TOTALS: Final = select(SEGMENTS.c.start_us, SEGMENTS.c.end_us, SEGMENTS.c.size_bytes, SEGMENTS.c.frames, SEGMENTS.c.fragments).where(
    SEGMENTS.c.segment_id == bindparam("wanted"), SEGMENTS.c.state == "open"
)
_SET_TOTALS: Final = (
    update(SEGMENTS)
    .where(SEGMENTS.c.segment_id == bindparam("wanted"), SEGMENTS.c.state == "open")
    .values({name: bindparam(f"new_{name}") for name in ("end_us", "size_bytes", "frames", "fragments")})
)


_FIRST_ACKNOWLEDGED: Final = select(func.min(EVENT_NOTES.c.wall_us)).where(
    EVENT_NOTES.c.event_id == bindparam("wanted"), EVENT_NOTES.c.kind == NoteKind.ACKNOWLEDGED.value
)
_KNOWN: Final = select(SEGMENTS.c.camera, SEGMENTS.c.rendition, SEGMENTS.c.state, SEGMENTS.c.size_bytes).where(
    SEGMENTS.c.segment_id == bindparam("wanted"), SEGMENTS.c.state != "garbage"
)


def count_stored(connection: Connection, camera: str, rendition: str, *, segments: int, size_bytes: int) -> None:
    """Add to what the closed segments of a camera take; less where it is negative."""
    if not segments and not size_bytes:
        return
    place = (STORED.c.camera == camera, STORED.c.rendition == rendition)
    change = update(STORED).where(*place)
    more = {"segments": STORED.c.segments + segments, "size_bytes": STORED.c.size_bytes + size_bytes}
    if not connection.execute(change.values(more)).rowcount:
        connection.execute(insert(STORED).values(camera=camera, rendition=rendition, segments=segments, size_bytes=size_bytes))


def _not_before_start(table: Table, end_us: int) -> Any:
    # A clock that stepped back may end a thing before it began; the row must still stand.
    return case((table.c.start_us > end_us, table.c.start_us), else_=end_us)


@dataclass(slots=True)
class _Totals:
    end_us: int
    size_bytes: int
    frames: int
    fragments: int


class Applying:
    """Applies the records of one journal file inside the transaction of `connection`.

    Call `finish` before the transaction ends. A record that the schema refuses
    is told in an act and passed over: one wrong row must not keep out the rest.
    """

    def __init__(self, connection: Connection, opened_in: str, wall_us: int) -> None:
        self._connection = connection
        self._opened_in = opened_in
        self._wall_us = wall_us
        self._totals: dict[str, _Totals | None] = {}

    def apply(self, record: JournalRecord) -> None:
        if isinstance(record, FragmentWritten):
            self._fold(record)
            return
        try:
            with self._connection.begin_nested():
                self._write(record)
        except (IntegrityError, ValueError) as error:
            name = next(iter(getattr(record, name) for name in record.__slots__))
            problem = f"{record.TYPE} {name}: {error.__cause__ or error}"
            get_logger("store").error("the index refuses a record", journal=self._opened_in, problem=problem)
            act = Act(f"refused-{record.TYPE}-{name}", "record_refused", self._wall_us, "bookkeeper", self._opened_in, "{}")
            self._connection.execute(_ADD[ACTS], _fields(act))

    def finish(self) -> None:
        """Write the totals that fragments were folded into."""
        rows = [_new_totals(segment_id, totals) for segment_id, totals in self._totals.items() if totals is not None]
        if rows:
            self._connection.execute(_SET_TOTALS, rows)
        self._totals.clear()

    def _fold(self, fragment: FragmentWritten) -> None:
        totals = self._totals.get(fragment.segment_id)
        if fragment.segment_id not in self._totals:
            row = self._connection.execute(_TOTALS, {"wanted": fragment.segment_id}).first()
            totals = None if row is None else _Totals(row.end_us, row.size_bytes, row.frames, row.fragments)
            self._totals[fragment.segment_id] = totals
        # Behind what is counted, or it was counted before.
        if totals is None or fragment.offset < totals.size_bytes:
            return
        totals.end_us = max(totals.end_us, fragment.end_us)
        totals.size_bytes = fragment.offset + fragment.length
        totals.frames += fragment.frames
        totals.fragments += 1

    def _write(self, record: JournalRecord) -> None:
        match record:
            case SegmentOpened():
                self._open_segment(record)
            case SegmentClosed():
                self._close_segment(record)
            case EpochSealed():
                self._add_epoch(record)
            case HoldPlaced():
                self._place_hold(record)
            case HoldReleased():
                self._release_hold(record)
            case Act():
                self._connection.execute(_ADD[ACTS], _fields(record))
            case FragmentWritten():
                self._fold(record)
            case AccountMoved():
                pass  # for recovery alone: the gap that moved tells the rest
            case GapOpened() | GapClosed() | CoverOpened() | CoverClosed() | ReductionOpened() | ReductionClosed():
                self._write_interval(record)
            case _:
                self._write_happening(record)

    def _write_interval(self, record: _Interval) -> None:
        match record:
            case GapOpened():
                self._open(GAPS, record)
            case GapClosed():
                self._close(GAPS, GAPS.c.gap_id == record.gap_id, record.end_us)
            case CoverOpened():
                self._open(COVERED, record)
            case CoverClosed():
                self._close(COVERED, COVERED.c.cover_id == record.cover_id, record.end_us)
            case ReductionOpened():
                self._open(REDUCTIONS, record)
            case ReductionClosed():
                self._close(REDUCTIONS, REDUCTIONS.c.reduction_id == record.reduction_id, record.end_us)

    def _write_happening(self, record: _EventRecord | EventNoted | SnapshotTaken | MinuteCounted | NoticeRecord) -> None:
        match record:
            case MinuteCounted():
                self._add_camera(record.camera)
                add_minute(self._connection, record)
            case EventNoted():
                self._connection.execute(_ADD[EVENT_NOTES], _fields(record) | {"learnt_us": self._wall_us})
                self._acknowledge(record.event_id)
            case SnapshotTaken():
                self._connection.execute(_ADD[SNAPSHOTS], _fields(record))
                note_snapshot(self._connection, record, self._wall_us)
            case NoticeDelivered() | NoticeFailed() | NoticeBuried() | NoticesRevived():
                note_outcome(self._connection, record)
            case _:
                self._write_event(record)

    def _write_event(self, record: _EventRecord) -> None:
        """Change the event, and tell the outbox where that was a change."""
        event_id = record.event_id
        match record:
            case EventOpened():
                if self._open(EVENTS, record):
                    self._acknowledge(event_id)
                    self._note(event_id, Phase.START, record.start_us)
            case EventUpdated():
                change = update(EVENTS).where(EVENTS.c.event_id == event_id, EVENTS.c.end_us.is_(None))
                if self._connection.execute(change.values(severity=record.severity.value, detail=record.detail)).rowcount:
                    self._note(event_id, Phase.UPDATE, record.wall_us)
            case EventEnded() | EventClosed():
                lasts = (EVENTS.c.event_id == event_id, EVENTS.c.end_us.is_(None))
                is_over_now = self._connection.execute(select(EVENTS.c.event_id).where(*lasts)).first() is not None
                if is_over_now and isinstance(record, EventEnded):
                    self._connection.execute(update(EVENTS).where(*lasts).values(detail=record.detail))
                self._close(EVENTS, EVENTS.c.event_id == event_id, record.end_us)
                if is_over_now:
                    self._note(event_id, Phase.END, record.end_us)

    def _acknowledge(self, event_id: str) -> None:
        """Copy into the event when it was acknowledged first; the note and the event may come in any order."""
        first_us = self._connection.execute(_FIRST_ACKNOWLEDGED, {"wanted": event_id}).scalar()
        if first_us is not None:
            self._connection.execute(update(EVENTS).where(EVENTS.c.event_id == event_id).values(acknowledged_us=first_us))

    def _note(self, event_id: str, phase: Phase, at_us: int) -> None:
        note_change(self._connection, event_id, phase, at_us, self._wall_us)

    def _open_segment(self, opened: SegmentOpened) -> None:
        self._add_camera(opened.camera)
        row = _fields(opened) | {"rendition": opened.rendition.value, "start_us": opened.wall_us, "end_us": opened.wall_us}
        row |= {"state": "open", "size_bytes": opened.header_bytes, "frames": 0, "fragments": 0}
        row |= {"end_reason": None, "record_sha256": None, "opened_in": self._opened_in}
        self._connection.execute(_ADD[SEGMENTS], row)
        self._totals.pop(opened.segment_id, None)

    def _close_segment(self, closed: SegmentClosed) -> None:
        self._totals.pop(closed.segment_id, None)
        row = self._connection.execute(_KNOWN, {"wanted": closed.segment_id}).first()
        if row is None:
            return
        count_stored(
            self._connection,
            row.camera,
            row.rendition,
            segments=bool(closed.record_sha256) - (row.state == "closed"),
            size_bytes=(closed.size_bytes if closed.record_sha256 else 0) - (row.size_bytes if row.state == "closed" else 0),
        )
        # A closed one too: after a power loss the journal may have lost its closing, and recovery closed it anew.
        change = update(SEGMENTS).where(SEGMENTS.c.segment_id == closed.segment_id)
        self._connection.execute(
            change.values(
                state="closed" if closed.record_sha256 else "garbage",
                end_us=_not_before_start(SEGMENTS, closed.end_us),
                size_bytes=closed.size_bytes,
                frames=closed.frames,
                fragments=closed.fragments,
                end_reason=closed.end.value,
                record_sha256=closed.record_sha256 or None,
            )
        )

    def _open(self, table: Table, record: _Opening) -> bool:
        """Add the row; false where there is one."""
        if record.camera is not None:
            self._add_camera(record.camera)
        row = _fields(record) | {"end_us": None, "opened_in": self._opened_in} | ({"acknowledged_us": None} if table is EVENTS else {})
        added = self._connection.execute(_ADD[table], row)
        return added.rowcount > 0

    def _close(self, table: Table, which: Any, end_us: int) -> None:
        # The later end wins: after a power loss the journal may have lost the earlier one, and a resumed gap went on.
        is_earlier = or_(table.c.end_us.is_(None), table.c.end_us < end_us)
        self._connection.execute(update(table).where(which, is_earlier).values(end_us=_not_before_start(table, end_us)))

    def _place_hold(self, hold: HoldPlaced) -> None:
        self._add_camera(hold.camera)
        row = {name: getattr(hold, name) for name in ("hold_id", "camera", "start_us", "end_us", "reason")}
        row |= {"placed_us": hold.wall_us, "placed_by": hold.actor, "released_us": None, "released_by": None}
        self._connection.execute(_ADD[HOLDS], row)

    def _release_hold(self, released: HoldReleased) -> None:
        still_holds = (HOLDS.c.hold_id == released.hold_id, HOLDS.c.released_us.is_(None))
        self._connection.execute(update(HOLDS).where(*still_holds).values(released_us=released.wall_us, released_by=released.actor))

    def _add_epoch(self, epoch: EpochSealed) -> None:
        self._add_camera(epoch.camera)
        self._connection.execute(_ADD[EPOCHS], _fields(epoch))
        rows = [{"epoch_id": epoch.epoch_id, "number": n, "sha256": sha256} for n, sha256 in enumerate(epoch.share_sha256s, 1)]
        if rows:
            self._connection.execute(_ADD[EPOCH_SHARES], rows)

    def _add_camera(self, camera: str) -> None:
        self._connection.execute(_ADD[CAMERAS], {"camera": camera})


def _fields(record: JournalRecord) -> dict[str, Any]:
    return {name: getattr(record, name) for name in record.__slots__}


def _new_totals(segment_id: str, totals: _Totals) -> dict[str, Any]:
    return {
        "wanted": segment_id,
        "new_end_us": totals.end_us,
        "new_size_bytes": totals.size_bytes,
        "new_frames": totals.frames,
        "new_fragments": totals.fragments,
    }
