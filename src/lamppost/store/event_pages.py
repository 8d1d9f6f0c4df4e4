"""Events for who looks at them: pages of many millions, the marks of a day, and what has changed just now.

A page begins where the one before ended, by time and id, so that a deep one
costs no more than the first. An event reaches into a span of time when it began
in it or shortly before, or is one of the few that last long.
"""

from __future__ import annotations

import heapq
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from sqlalchemy import Select, and_, case, exists, func, or_, select

from lamppost.model.books import NoteKind, Severity
from lamppost.store.index import FOREVER_US, EventRow
from lamppost.store.index_reader import IndexReader
from lamppost.store.schema import EVENT_NOTES, EVENTS, LONG, LONG_US, NOTICES, OPEN, SNAPSHOTS, URGENT

MERGED_CAMERAS: Final = 64  # so many are asked one by one, each by its index; more together, by time
_RANK: Final = {Severity.INFO.value: 0, Severity.WARNING.value: 1, Severity.ALARM.value: 2}
_BY_RANK: Final = {rank: Severity(name) for name, rank in _RANK.items()}

State = Literal["open", "acknowledged", "unacknowledged"]
After = tuple[int, str]
"""The last of the page before: when it began, and its id."""


@dataclass(frozen=True, slots=True)
class EventFilter:
    """Which events; what is empty stands for all. `cameras` None: of all cameras and of the node."""

    cameras: tuple[str, ...] | None = None
    has_node: bool = True  # with those that concern no camera
    types: tuple[str, ...] = ()
    severities: tuple[Severity, ...] = ()
    state: State | None = None
    rule: str = ""
    from_us: int = 0
    to_us: int = FOREVER_US


@dataclass(frozen=True, slots=True)
class ListedEvent:
    """An event, and what people did with it."""

    row: EventRow
    acknowledged_us: int | None
    acknowledged_by: str | None
    comments: int
    has_snapshot: bool


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

    def page(self, wanted: EventFilter, *, after: After | None = None, limit: int) -> tuple[ListedEvent, ...]:
        """Events that began in the span, the newest first; those of one moment by id."""
        if wanted.cameras is None or len(wanted.cameras) > MERGED_CAMERAS:
            rows = self._all(_page_of(_of_cameras(select(EVENTS), wanted), wanted, after, limit))
        else:
            queries = [select(EVENTS).where(EVENTS.c.camera == camera) for camera in wanted.cameras]
            if wanted.has_node:
                queries.append(select(EVENTS).where(EVENTS.c.camera.is_(None)))
            parts = [self._all(_page_of(query, wanted, after, limit)) for query in queries]
            newest = heapq.merge(*parts, key=lambda row: (row.start_us, row.event_id), reverse=True)
            rows = [row for row, _ in zip(newest, range(limit), strict=False)]
        return self._listed(rows)

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
        rows = [*self._long(camera, from_us, to_us, limit)]
        query = select(EVENTS).where(EVENTS.c.camera == camera, EVENTS.c.start_us >= from_us - LONG_US, EVENTS.c.start_us < to_us)
        query = query.where(or_(EVENTS.c.end_us >= from_us, EVENTS.c.end_us.is_(None))).order_by(EVENTS.c.start_us, EVENTS.c.event_id)
        rows += self._all(query.limit(limit))
        return tuple(EventMark(row.event_id, row.kind, Severity(row.severity), row.start_us, row.end_us) for row in rows[:limit])

    def count(self, camera: str, from_us: int, to_us: int) -> int:
        """How many began in [from_us, to_us)."""
        began = and_(EVENTS.c.camera == camera, EVENTS.c.start_us >= from_us, EVENTS.c.start_us < to_us)
        return int(self._all(select(func.count()).select_from(EVENTS).where(began))[0][0])

    def density(self, camera: str, from_us: int, to_us: int, bucket_us: int) -> tuple[Density, ...]:
        """How many began in each bucket of [from_us, to_us); those in which none began are left out."""
        number = (EVENTS.c.start_us - from_us) // bucket_us
        rank = case(_RANK, value=EVENTS.c.severity, else_=0)
        began = and_(EVENTS.c.camera == camera, EVENTS.c.start_us >= from_us, EVENTS.c.start_us < to_us)
        query = select(number.label("number"), func.count().label("found"), func.max(rank).label("worst")).where(began).group_by(number)
        return tuple(Density(from_us + row.number * bucket_us, row.found, _BY_RANK[row.worst]) for row in self._all(query.order_by(number)))

    def changed_since(self, learnt_us: int, limit: int) -> tuple[tuple[int, str], ...]:
        """Which events the index has learnt something of since, and when it did; in the order of that."""
        told = select(NOTICES.c.created_us.label("learnt_us"), NOTICES.c.event_id).where(NOTICES.c.created_us >= learnt_us)
        noted = select(EVENT_NOTES.c.learnt_us, EVENT_NOTES.c.event_id).where(EVENT_NOTES.c.learnt_us >= learnt_us)
        found = [
            (row.learnt_us, row.event_id)
            for query in (told, noted)
            for row in self._all(query.order_by(query.selected_columns[0]).limit(limit))
        ]
        return tuple(sorted(found)[:limit])

    def _long(self, camera: str, from_us: int, to_us: int, limit: int) -> Sequence[Any]:
        """Those that began long before, and reach into the span."""
        began = min(from_us - LONG_US, to_us)
        query = select(EVENTS).where(LONG, EVENTS.c.camera == camera, EVENTS.c.start_us < began)
        query = query.where(or_(EVENTS.c.end_us >= from_us, EVENTS.c.end_us.is_(None)))
        return self._all(query.order_by(EVENTS.c.start_us).limit(limit))

    def _listed(self, rows: Sequence[Any]) -> tuple[ListedEvent, ...]:
        ids = [row.event_id for row in rows]
        notes: dict[str, list[Any]] = {}
        for note in self._in(select(EVENT_NOTES), EVENT_NOTES.c.event_id, ids):
            notes.setdefault(note.event_id, []).append(note)
        pictured = {row.event_id for row in self._in(select(SNAPSHOTS.c.event_id), SNAPSHOTS.c.event_id, ids)}
        return tuple(_listed(row, notes.get(row.event_id, []), row.event_id in pictured) for row in rows)

    def _in(self, query: Select[*tuple[Any, ...]], column: Any, ids: Sequence[str]) -> Iterator[Any]:
        yield from self._all(query.where(column.in_(ids))) if ids else ()


def _of_cameras(query: Any, wanted: EventFilter) -> Any:
    if wanted.cameras is None:
        return query if wanted.has_node else query.where(EVENTS.c.camera.is_not(None))
    of_them = EVENTS.c.camera.in_(wanted.cameras)
    return query.where(or_(of_them, EVENTS.c.camera.is_(None)) if wanted.has_node else of_them)


def _page_of(query: Any, wanted: EventFilter, after: After | None, limit: int) -> Any:
    query = query.where(EVENTS.c.start_us >= wanted.from_us, EVENTS.c.start_us < wanted.to_us)
    if after is not None:
        at_us, event_id = after
        query = query.where(EVENTS.c.start_us <= at_us, or_(EVENTS.c.start_us < at_us, EVENTS.c.event_id < event_id))
    if wanted.types:
        query = query.where(EVENTS.c.kind.in_(wanted.types))
    if wanted.severities:
        query = query.where(EVENTS.c.severity.in_([severity.value for severity in wanted.severities]))
        if Severity.INFO not in wanted.severities:
            query = query.where(URGENT)
    if wanted.rule:
        # The words in which `detail_of` writes it; both databases know LIKE.
        query = query.where(EVENTS.c.detail.contains(json.dumps({"rule": wanted.rule})[1:-1], autoescape=True))
    if wanted.state == "open":
        query = query.where(OPEN)
    elif wanted.state is not None:
        is_acknowledged = exists().where(EVENT_NOTES.c.event_id == EVENTS.c.event_id, EVENT_NOTES.c.kind == NoteKind.ACKNOWLEDGED.value)
        query = query.where(is_acknowledged if wanted.state == "acknowledged" else ~is_acknowledged)
    return query.order_by(EVENTS.c.start_us.desc(), EVENTS.c.event_id.desc()).limit(limit)


def _listed(row: Any, notes: Sequence[Any], has_snapshot: bool) -> ListedEvent:
    event = EventRow(row.event_id, row.kind, Severity(row.severity), row.camera, row.start_us, row.end_us, row.detail)
    taken = min((note for note in notes if note.kind == NoteKind.ACKNOWLEDGED.value), key=lambda note: note.wall_us, default=None)
    comments = sum(note.kind == NoteKind.COMMENT.value for note in notes)
    return ListedEvent(event, taken and taken.wall_us, taken and taken.actor, comments, has_snapshot)
