"""Events for who looks at them: pages of many millions, the marks of a day, and what has changed just now.

A page begins where the one before ended, by time and id, so that a deep one
costs no more than the first; how it is found tells `event_search`. An event
reaches into a span of time when it began in it or shortly before, or is one of
the few that last long.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import BigInteger, Column, Select, case, func, literal, or_, select
from sqlalchemy.sql.elements import ColumnElement

from lamppost.model.books import NoteKind, Severity
from lamppost.store.event_search import After, EventFilter, search_for, unindexed
from lamppost.store.index import EventRow
from lamppost.store.index_reader import IndexReader
from lamppost.store.schema import EVENT_NOTES, EVENTS, LONG, LONG_US, NOTICES, SNAPSHOTS, URGENT

Change = tuple[int, str]
"""When the index has learnt something of an event, and of which."""
_Columns = tuple[Column[Any], ...]
_Conditions = tuple[ColumnElement[bool], ...]
_MARK: Final = (EVENTS.c.event_id, EVENTS.c.kind, EVENTS.c.severity, EVENTS.c.start_us, EVENTS.c.end_us)
_URGENT: Final = (Severity.ALARM, Severity.WARNING)  # the worst first


@dataclass(frozen=True, slots=True)
class ListedEvent:
    """An event, and what people did with it."""

    row: EventRow
    acknowledged_us: int | None
    acknowledged_by: str | None
    comments: int
    has_snapshot: bool


@dataclass(frozen=True, slots=True)
class EventPage:
    """Some events, and after what the next page begins: None behind the last.

    There may be a next page though this one is not full, or is empty: a page looks at so many events and at no more.
    """

    events: tuple[ListedEvent, ...]
    rest: After | None


@dataclass(frozen=True, slots=True)
class NoteRow:
    """What somebody did with an event."""

    note_id: str
    event_id: str
    kind: NoteKind
    wall_us: int
    actor: str
    text: str


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The masked picture of an event; `path` is relative to the data folder."""

    camera: str
    path: str
    wall_us: int
    sha256: str


@dataclass(frozen=True, slots=True)
class EventMark:
    """An event on a timeline."""

    event_id: str
    kind: str
    severity: Severity
    start_us: int
    end_us: int | None


@dataclass(frozen=True, slots=True)
class Density:
    """How many events began within a bucket, and the worst of them."""

    from_us: int
    count: int
    worst: Severity


class EventPages(IndexReader):
    """Read-only view of the events in the index of a data folder; raises `StoreError`."""

    def page(self, wanted: EventFilter, *, after: After | None = None, limit: int) -> EventPage:
        """Events that began in the span, the newest first; those of one moment by id."""
        search = search_for(wanted, after)
        depth = search.depth
        far_us = [self._all(search.horizon(arm, depth)) for arm in search.arms] if depth is not None else []
        from_us = max((rows[0].start_us for rows in far_us if rows), default=None)
        parts = [self._all(search.newest(arm, from_us, limit + 1)) for arm in search.arms]
        newest = heapq.merge(*parts, key=lambda row: (row.start_us, row.event_id), reverse=True)
        rows = [row for row, _ in zip(newest, range(limit + 1), strict=False)]
        if len(rows) > limit:
            rest: After | None = (rows[limit - 1].start_us, rows[limit - 1].event_id)
        else:
            rest = None if from_us is None else (from_us, "")
        return EventPage(self._listed(rows[:limit]), rest)

    def one(self, event_id: str) -> ListedEvent | None:
        """The event with that id."""
        found = self._listed(self._all(select(EVENTS).where(EVENTS.c.event_id == event_id)))
        return found[0] if found else None

    def some(self, event_ids: Sequence[str]) -> tuple[ListedEvent, ...]:
        """Those of `event_ids` that there are, in no order."""
        return self._listed(self._all(select(EVENTS).where(EVENTS.c.event_id.in_(event_ids))))

    def notes(self, event_id: str) -> tuple[NoteRow, ...]:
        """What people did with it, in the order of time."""
        query = select(EVENT_NOTES).where(EVENT_NOTES.c.event_id == event_id).order_by(EVENT_NOTES.c.wall_us, EVENT_NOTES.c.note_id)
        return tuple(NoteRow(row.note_id, row.event_id, NoteKind(row.kind), row.wall_us, row.actor, row.text) for row in self._all(query))

    def snapshot(self, event_id: str) -> Snapshot | None:
        """Its picture, where there is one still."""
        rows = self._all(select(SNAPSHOTS).where(SNAPSHOTS.c.event_id == event_id))
        return Snapshot(rows[0].camera, rows[0].path, rows[0].wall_us, rows[0].sha256) if rows else None

    def marks(self, camera: str, from_us: int, to_us: int, limit: int) -> tuple[EventMark, ...]:
        """Events that share time with [from_us, to_us), in the order of time; at most so many."""
        of_camera = (EVENTS.c.camera == camera,)
        rows = [*self._long(_MARK, of_camera, from_us, to_us, limit), *self._recent(_MARK, of_camera, from_us, to_us, limit)]
        return tuple(EventMark(row.event_id, row.kind, Severity(row.severity), row.start_us, row.end_us) for row in rows[:limit])

    def has_more(self, camera: str, from_us: int, to_us: int, than: int) -> bool:
        """Whether more than so many began in [from_us, to_us)."""
        began = (EVENTS.c.camera == camera, EVENTS.c.start_us >= from_us, EVENTS.c.start_us < to_us)
        return bool(self._all(select(EVENTS.c.start_us).where(*began).order_by(EVENTS.c.start_us).offset(than).limit(1)))

    def reaching(self, camera: str, types: Sequence[str], from_us: int, to_us: int, limit: int) -> tuple[EventRow, ...]:
        """Events of these types that share time with [from_us, to_us), in the order of time; at most so many."""
        what = tuple(EVENTS.c)
        rows = [*self._long(what, (EVENTS.c.camera == camera, unindexed(EVENTS.c.kind).in_(types)), from_us, to_us, limit)]
        for kind in types:
            rows += self._recent(what, (EVENTS.c.camera == camera, EVENTS.c.kind == kind), from_us, to_us, limit)
        rows.sort(key=lambda row: (row.start_us, row.event_id))
        return tuple(event_row(row) for row in rows[:limit])

    def density(self, camera: str, from_us: int, to_us: int, bucket_us: int) -> tuple[Density, ...]:
        """How many began in each bucket of [from_us, to_us); those in which none began are left out."""
        worst: dict[int, Severity] = {}
        number = ((EVENTS.c.start_us - from_us) // bucket_us).label("number")
        for severity in reversed(_URGENT):
            began = (EVENTS.c.start_us >= from_us, EVENTS.c.start_us < to_us, unindexed(EVENTS.c.camera) == camera)
            of_it = select(number).where(URGENT, EVENTS.c.severity == severity.value, *began).distinct()
            worst |= dict.fromkeys((row.number for row in self._all(of_it)), severity)
        counted = sorted((row.from_us, row.found) for row in self._all(_counted(camera, from_us, to_us, bucket_us)) if row.found)
        return tuple(Density(at_us, found, worst.get((at_us - from_us) // bucket_us, Severity.INFO)) for at_us, found in counted)

    def changed_after(self, after: Change, limit: int) -> tuple[Change, ...]:
        """The first changes behind `after`, each once; fewer than `limit` are all that there are by now."""
        at_us, of = after
        found: set[Change] = set()
        for learnt_us, event_id in ((NOTICES.c.created_us, NOTICES.c.event_id), (EVENT_NOTES.c.learnt_us, EVENT_NOTES.c.event_id)):
            behind = (learnt_us >= at_us, or_(learnt_us > at_us, event_id > of))
            query = select(learnt_us.label("learnt_us"), event_id).where(*behind).distinct().order_by(learnt_us, event_id)
            found.update((row.learnt_us, row.event_id) for row in self._all(query.limit(limit)))
        return tuple(sorted(found)[:limit])

    def _long(self, what: _Columns, which: _Conditions, from_us: int, to_us: int, limit: int) -> Sequence[Any]:
        """Those that began long before, and reach into the span."""
        began = EVENTS.c.start_us < min(from_us - LONG_US, to_us)
        query = select(*what).where(LONG, *which, began, _reaches(from_us))
        return self._all(query.order_by(EVENTS.c.start_us, EVENTS.c.event_id).limit(limit))

    def _recent(self, what: _Columns, which: _Conditions, from_us: int, to_us: int, limit: int) -> Sequence[Any]:
        """Those that began in the span, or shortly before, and reach into it."""
        began = (EVENTS.c.start_us >= from_us - LONG_US, EVENTS.c.start_us < to_us)
        query = select(*what).where(*which, *began, _reaches(from_us))
        return self._all(query.order_by(EVENTS.c.start_us, EVENTS.c.event_id).limit(limit))

    def _listed(self, rows: Sequence[Any]) -> tuple[ListedEvent, ...]:
        ids = [row.event_id for row in rows]
        notes: dict[str, list[Any]] = {}
        for note in self._in(select(EVENT_NOTES), EVENT_NOTES.c.event_id, ids):
            notes.setdefault(note.event_id, []).append(note)
        pictured = {row.event_id for row in self._in(select(SNAPSHOTS.c.event_id), SNAPSHOTS.c.event_id, ids)}
        return tuple(_listed(row, notes.get(row.event_id, []), row.event_id in pictured) for row in rows)

    def _in(self, query: Select[*tuple[Any, ...]], column: Any, ids: Sequence[str]) -> Iterator[Any]:
        yield from self._all(query.where(column.in_(ids))) if ids else ()


def _reaches(from_us: int) -> ColumnElement[bool]:
    return or_(EVENTS.c.end_us >= from_us, EVENTS.c.end_us.is_(None))


def _counted(camera: str, from_us: int, to_us: int, bucket_us: int) -> Any:
    """A row for each bucket, in no order. Each is counted for itself: to group the whole would sort it first."""
    bucket = select(literal(from_us, BigInteger).label("from_us")).cte("bucket", recursive=True)
    bucket = bucket.union_all(select(bucket.c.from_us + bucket_us).where(bucket.c.from_us + bucket_us < to_us))
    until = case((bucket.c.from_us + bucket_us < to_us, bucket.c.from_us + bucket_us), else_=to_us)
    began = (EVENTS.c.camera == camera, EVENTS.c.start_us >= bucket.c.from_us, EVENTS.c.start_us < until)
    found = select(func.count()).select_from(EVENTS).where(*began).correlate(bucket).scalar_subquery()
    return select(bucket.c.from_us, found.label("found"))


def event_row(row: Any) -> EventRow:
    """An event as the index has it."""
    return EventRow(row.event_id, row.kind, Severity(row.severity), row.camera, row.start_us, row.end_us, row.detail)


def _listed(row: Any, notes: Sequence[Any], has_snapshot: bool) -> ListedEvent:
    taken = min((note for note in notes if note.kind == NoteKind.ACKNOWLEDGED.value), key=lambda note: note.wall_us, default=None)
    comments = sum(note.kind == NoteKind.COMMENT.value for note in notes)
    return ListedEvent(event_row(row), taken and taken.wall_us, taken and taken.actor, comments, has_snapshot)
