"""Counts, events and their pictures go when their time is over, as footage does: a little at a time.

A picture's file goes first and its row after it: what a crash leaves is a row, which the next pass
looks at again. A picture is kept as long as masked video, and by the same holds.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, Table, delete, exists, select, update

from lamppost.base.clock import Clock
from lamppost.base.durable import remove_durable
from lamppost.model.books import Rendition
from lamppost.model.layout import DataFolder
from lamppost.store.retention import Footage, Situation
from lamppost.store.schema import CAMERAS, DELIVERIES, EVENT_NOTES, EVENTS, MINUTES, NOTICES, QUARTER_TALLIES, QUARTERS, SNAPSHOTS, TALLIES
from lamppost.store.transactions import Transactions

ROWS_LIMIT: Final = 500  # in one transaction: SQLite takes so many values in one statement everywhere
_INTERVAL_S: Final = 60.0  # days of counts and events need no closer look


@dataclass(frozen=True, slots=True)
class _Rows:
    """Rows that go together: those that name `ids` in each of the tables, in this order."""

    tables: tuple[tuple[Table, Any], ...]


_MINUTES: Final = _Rows(((TALLIES, TALLIES.c.minute_id), (MINUTES, MINUTES.c.minute_id)))
_EVENTS: Final = _Rows(tuple((table, table.c.event_id) for table in (DELIVERIES, NOTICES, EVENT_NOTES, EVENTS)))


class Ageing:
    """Forgets counts, events and pictures of events, with the one writer's `transactions`."""

    def __init__(self, folder: DataFolder, transactions: Transactions, clock: Clock) -> None:
        self._folder = folder
        self._books = transactions
        self._clock = clock
        self._rows_at_s = clock.monotonic_s()

    def run(self, situation: Situation, is_due: Callable[[], bool]) -> bool:
        """Forget some of what is due while `is_due`; false where more may be due at once. Raises `StoreError`."""
        return self._forget_pictures(situation, is_due) and self._forget_rows(situation, is_due)

    def _forget_pictures(self, situation: Situation, is_due: Callable[[], bool]) -> bool:
        for camera in [row.camera for row in self._books.read(select(CAMERAS))]:
            due_us = situation.due_before_us(camera, Rendition.MASKED)
            # Those that are held stay at the front: begin behind each one that was looked at.
            after_us = -1
            while is_due():
                query = select(SNAPSHOTS).where(SNAPSHOTS.c.camera == camera, SNAPSHOTS.c.wall_us < due_us, SNAPSHOTS.c.wall_us > after_us)
                rows = self._books.read(query.order_by(SNAPSHOTS.c.wall_us).limit(ROWS_LIMIT))
                self._drop_pictures(
                    [row for row in rows if situation.may_go(Footage("", camera, Rendition.MASKED, row.wall_us, row.wall_us, 0))]
                )
                if len(rows) < ROWS_LIMIT:
                    break
                after_us = rows[-1].wall_us
            else:
                return False
        return True

    def _drop_pictures(self, rows: list[Any]) -> None:
        if not rows:
            return
        for row in rows:
            path = self._folder.root / row.path
            if path.parent.is_dir():
                remove_durable(path)
        with self._books.write() as connection:
            for row in rows:
                # A notice that waits still tells of the event, and no more of a picture.
                gone = (NOTICES.c.event_id == row.event_id, NOTICES.c.snapshot == row.path)
                connection.execute(update(NOTICES).where(*gone).values(snapshot=None))
                connection.execute(delete(SNAPSHOTS).where(SNAPSHOTS.c.event_id == row.event_id))

    def _forget_rows(self, situation: Situation, is_due: Callable[[], bool]) -> bool:
        if self._clock.monotonic_s() < self._rows_at_s:
            return True
        limits = situation.limits.books
        minutes = select(MINUTES.c.minute_id.label("id")).where(MINUTES.c.minute_us < situation.now_us - limits.counts_us)
        # An event whose picture is kept, and held, is kept with it.
        has_picture = exists(select(1).select_from(SNAPSHOTS).where(SNAPSHOTS.c.event_id == EVENTS.c.event_id))
        events = select(EVENTS.c.event_id.label("id")).where(EVENTS.c.end_us < situation.now_us - limits.events_us, ~has_picture)
        is_done = self._drop(minutes, _MINUTES, is_due) and self._drop(events, _EVENTS, is_due)
        is_done = is_done and self._drop_quarters(situation.now_us - limits.rollups_us)
        if is_done:
            self._rows_at_s = self._clock.monotonic_s() + _INTERVAL_S
        return is_done

    def _drop(self, query: Any, rows: _Rows, is_due: Callable[[], bool]) -> bool:
        while is_due():
            ids = [row.id for row in self._books.read(query.limit(ROWS_LIMIT))]
            if ids:
                with self._books.write() as connection:
                    for table, column in rows.tables:
                        connection.execute(delete(table).where(column.in_(ids)))
            if len(ids) < ROWS_LIMIT:
                return True
        return False

    def _drop_quarters(self, due_us: int) -> bool:
        """One place after the other, so that the key is an index for each."""
        places = select(QUARTERS.c.camera, QUARTERS.c.place_kind, QUARTERS.c.place).distinct()
        for place in self._books.read(places):
            old: list[tuple[Table, ColumnElement[bool]]] = [(table, table.c.quarter_us < due_us) for table in (QUARTER_TALLIES, QUARTERS)]
            first = select(QUARTERS.c.quarter_us).where(*_of(QUARTERS, place), QUARTERS.c.quarter_us < due_us).limit(1)
            if self._books.read(first):
                with self._books.write() as connection:
                    for table, is_old in old:
                        connection.execute(delete(table).where(*_of(table, place), is_old))
        return True


def _of(table: Table, place: Any) -> tuple[ColumnElement[bool], ...]:
    return tuple(table.c[name] == getattr(place, name) for name in ("camera", "place_kind", "place"))
