"""Ends what the index calls open although the journal that opened it is gone.

A journal file stays while anything in it is open. So where a row is open and
its file is gone, the ending was in an index that was lost: after a restore from
a backup, or a repair. What is known from elsewhere ends it; nothing is invented.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Select, Table, func, select

from lamppost.base.clock import Clock
from lamppost.base.errors import SealError, StoreError
from lamppost.model.books import (
    Act,
    CoverClosed,
    EventClosed,
    GapClosed,
    GapOpened,
    JournalRecord,
    ReductionClosed,
    SegmentClosed,
    SegmentEnd,
)
from lamppost.model.layout import DataFolder
from lamppost.store.bookkeeping import Bookkeeper
from lamppost.store.check_report import CheckTools, RecordView
from lamppost.store.index_file import index_errors, open_engine
from lamppost.store.journal import JournalWriter, journal_files, writers
from lamppost.store.schema import COVERED, EVENTS, GAPS, REDUCTIONS, SEGMENTS

SETTLED: Final = "restored/settled"  # no journal has that name


def closed_of(record: RecordView, record_sha256: str) -> SegmentClosed:
    """What was journalled when the segment of `record` was closed."""
    return SegmentClosed(
        segment_id=record.segment_id,
        end_us=record.end_us,
        size_bytes=record.size_bytes,
        frames=record.frames,
        fragments=len(record.fragments),
        end=record.end,
        record_sha256=record_sha256,
    )


def settle(folder: DataFolder, bookkeeper: Bookkeeper, clock: Clock, tools: CheckTools) -> tuple[str, ...]:
    """End such rows in the index of `folder`, segments first; returns what was done.

    A gap that no recording ended is handed to the journal of the writer that
    declared it, whose next start goes on with it. Raises `StoreError`.
    """
    books = _Books(folder)
    done: list[str] = []
    for records, what in _segments(folder, books, clock, tools):
        bookkeeper.add(records, SETTLED)
        done.append(what)
    closings = [*_gaps(books), *_shown(books), *_events(books, clock)]
    lasting = [gap for gap in books.rows(GAPS) if books.recorded_from(gap.camera, gap.start_us) is None]
    if closings:
        bookkeeper.add(closings, SETTLED)
        done.append(f"ended {len(closings)} intervals whose end was lost with the index")
    for gap in lasting:
        with JournalWriter(folder.journal / gap.opened_in.split("/", 1)[0], clock=clock) as journal:
            journal.append(GapOpened(gap.gap_id, gap.camera, gap.cause, gap.start_us, gap.detail))
        done.append(f"the gap of camera {gap.camera} lasts")
    bookkeeper.apply_new()
    return tuple(done)


@dataclass(frozen=True, slots=True)
class _Books:
    """The rows that are open although nobody can end them any more."""

    folder: DataFolder

    def rows(self, table: Table) -> list[Any]:
        present = {
            f"{writer}/{path.name}" for writer in writers(self.folder.journal) for path in journal_files(self.folder.journal / writer)
        }
        is_open = table.c.state == "open" if table is SEGMENTS else table.c.end_us.is_(None)
        return [row for row in self._all(select(table).where(is_open)) if row.opened_in not in present]

    def recorded_from(self, camera: str, from_us: int) -> int | None:
        """The start of the first sealed segment of `camera` from `from_us` on."""
        starts = func.min(SEGMENTS.c.start_us)
        return self._segment_time(select(starts).where(SEGMENTS.c.start_us >= from_us), camera, "sealed")

    def shown_until(self, camera: str, start_us: int) -> int | None:
        """The end of the last masked segment of `camera` that began by `start_us`."""
        ends = select(SEGMENTS.c.end_us).where(SEGMENTS.c.start_us <= start_us).order_by(SEGMENTS.c.start_us.desc()).limit(1)
        return self._segment_time(ends, camera, "masked")

    def _segment_time(self, query: Select[Any], camera: str, rendition: str) -> int | None:
        footage = (SEGMENTS.c.camera == camera, SEGMENTS.c.rendition == rendition, SEGMENTS.c.state != "garbage")
        rows = self._all(query.where(*footage))
        return rows[0][0] if rows else None

    def _all(self, query: Select[Any]) -> list[Any]:
        engine = open_engine(self.folder.index)
        try:
            with index_errors("read the index"), engine.connect() as connection:
                return list(connection.execute(query).all())
        finally:
            engine.dispose()


def _segments(folder: DataFolder, books: _Books, clock: Clock, tools: CheckTools) -> Iterator[tuple[list[JournalRecord], str]]:
    for row in books.rows(SEGMENTS):
        path = folder.root / row.path
        try:
            note = path.with_suffix(".record").read_bytes()
            closed = closed_of(tools.read_record(note), hashlib.sha256(note).hexdigest())
            yield [closed], f"ended {row.path} as its record says"
        except FileNotFoundError:
            if not path.exists():
                lost = SegmentClosed(row.segment_id, row.start_us, 0, 0, 0, SegmentEnd.RECOVERED, "")
                detail = json.dumps({"path": row.path, "fragments": row.fragments})
                act = Act(f"lost-{row.segment_id}", "segment_lost", clock.wall_us(), "lamppost", row.segment_id, detail)
                yield [act, lost], f"{row.path} is lost"
        except SealError:
            continue  # `check` tells of it
        except OSError as error:
            raise StoreError(f"cannot read the record of {path}: {error.strerror}") from error


def _gaps(books: _Books) -> Iterator[JournalRecord]:
    for gap in books.rows(GAPS):
        end_us = books.recorded_from(gap.camera, gap.start_us)
        if end_us is not None:
            yield GapClosed(gap.gap_id, end_us)


def _shown(books: _Books) -> Iterator[JournalRecord]:
    """Covers and reductions end where the masked segment in which they began ended, as after a crash."""
    for table in (COVERED, REDUCTIONS):
        for row in books.rows(table):
            shown_us = books.shown_until(row.camera, row.start_us)
            end_us = row.start_us if shown_us is None else max(row.start_us, shown_us)
            yield CoverClosed(row.cover_id, end_us) if table is COVERED else ReductionClosed(row.reduction_id, end_us)


def _events(books: _Books, clock: Clock) -> Iterator[JournalRecord]:
    for event in books.rows(EVENTS):
        yield EventClosed(event.event_id, max(event.start_us, clock.wall_us()))
