"""The bookkeeper: reads every journal and alone writes the index.

Nobody waits for it. It may die at any moment: how far a journal was applied
moves in the transaction that applies it, so each record counts exactly once.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Final, Self

from sqlalchemy import ColumnElement, Connection, delete, exists, func, insert, or_, select, update

from lamppost.base.clock import Clock
from lamppost.base.durable import make_directory, remove_durable
from lamppost.base.errors import StoreError
from lamppost.base.logging import get_logger
from lamppost.model.books import Act, JournalRecord
from lamppost.model.layout import DataFolder
from lamppost.store.applying import Applying
from lamppost.store.index_file import index_errors, make_index, open_engine
from lamppost.store.journal import Damage, JournalScan, hold_lock, scan_journal
from lamppost.store.outbox import Router
from lamppost.store.schema import ACTS, COVERED, EVENTS, GAPS, HOLDS, JOURNAL_OFFSETS, REDUCTIONS, SEGMENTS, STORED
from lamppost.store.shelves import KnownHolds, hold_spans
from lamppost.store.transactions import Transactions

_KEPT_FILES: Final = 2  # recovery looks into the last journal of a dead writer, while its next one is new
HOLD_WRITER: Final = "hold"  # whose files are never removed: after the loss of the index they alone know what is held
_OPENED: Final = (
    (SEGMENTS, SEGMENTS.c.state == "open"),
    *((table, table.c.end_us.is_(None)) for table in (GAPS, COVERED, REDUCTIONS, EVENTS)),
)


class Bookkeeper:
    """Tails the journals of all writers into the index of `folder`.

    Raises `DataFolderBusy` when another bookkeeper has the folder. Trouble with
    one writer's journal is told in an act and in the log, and does not stop the
    others; a damaged line is passed over, a line of a newer version is waited at.

    Without a `router`, what is to be told of events waits in the index for a bookkeeper with one.
    """

    def __init__(self, folder: DataFolder, clock: Clock, *, router: Router | None = None) -> None:
        self.router = router
        self._folder = folder
        self._clock = clock
        self._log = get_logger("store")
        self._told: set[tuple[str, int]] = set()
        self._unread: set[str] = set()  # journals that were not applied whole when last looked at
        self._swept: set[str] = set()
        make_directory(folder.run)
        self._lock_file = hold_lock(folder.run / "bookkeeper.lock")
        try:
            self._engine = make_index(folder.index)
            self._reader = open_engine(folder.index, by_statement=True)
            self.transactions = Transactions(self._engine, self._reader)
            self._offsets = self._read_offsets()
        except BaseException:
            os.close(self._lock_file)
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the index and the lock; a second call does nothing."""
        if self._lock_file >= 0:
            self.transactions.close()
            self._reader.dispose()
            self._engine.dispose()
            os.close(self._lock_file)
            self._lock_file = -1

    def apply_new(self) -> int:
        """Apply what was journalled since the last call; returns how many records."""
        applied = 0
        self._unread.clear()
        for writer in self._writers():
            try:
                applied += self._apply_writer(writer)
            except StoreError as error:
                if isinstance(error.__cause__, OSError):
                    self._unread.add(writer)
                    self._log.error("a journal cannot be read", writer=writer, problem=str(error))
                    continue
                raise
        return applied

    def catch_up(self) -> KnownHolds:
        """Apply every journal, and return the holds in force: who forgets footage needs them, and gets them only here.

        Raises `StoreError` where a journal could not be applied whole, and where
        one of holds is damaged: a hold may be in it.
        """
        self.apply_new()
        if self._unread:
            raise StoreError(
                f"nothing is deleted: the journal of {', '.join(sorted(self._unread))} cannot be read to its end",
                remedy="a hold may stand in it; look at the disk, and at the log",
            )
        for subject in self._damaged():
            if subject.startswith(f"journal/{HOLD_WRITER}/") and (self._folder.root / subject).exists():
                raise StoreError(
                    f"nothing is deleted: {subject} is damaged, and a hold may have stood there",
                    remedy="compare `lamppost hold list` with what was ordered, place again what is missing, then move that file away",
                )
        active = select(HOLDS.c.camera, HOLDS.c.start_us, HOLDS.c.end_us).where(HOLDS.c.released_us.is_(None))
        return KnownHolds(hold_spans(self.transactions.read(active)))

    def add(self, records: list[JournalRecord], source: str) -> None:
        """Put records into the index that no journal has any more, for `lamppost check --repair`."""
        with index_errors("restore the index"), self._engine.begin() as connection:
            self._apply(connection, records, source)

    def recount(self) -> None:
        """Add up anew what each camera's segments take, for `lamppost check --repair`."""
        columns = (SEGMENTS.c.camera, SEGMENTS.c.rendition)
        counted = select(*columns, func.count(), func.sum(SEGMENTS.c.size_bytes)).where(SEGMENTS.c.state == "closed").group_by(*columns)
        with self.transactions.write() as connection:
            connection.execute(delete(STORED))
            connection.execute(insert(STORED).from_select(["camera", "rendition", "segments", "size_bytes"], counted))

    def forget_notices(self) -> None:
        """Drop from the outbox what was settled long ago."""
        if self.router is not None:
            with self.transactions.write() as connection:
                self.router.forget(connection, self._clock.wall_us())

    def _writers(self) -> list[str]:
        try:
            return sorted(path.name for path in self._folder.journal.iterdir() if path.is_dir())
        except FileNotFoundError:
            return []  # nobody has written anything yet
        except OSError as error:
            raise StoreError(f"cannot read the journals in {self._folder.journal}: {error.strerror}") from error

    def _apply_writer(self, writer: str) -> int:
        files = self._files(writer)
        applied = 0
        for path in files:
            known = self._offsets.get((writer, path.name), 0)
            if _size(path) <= known:
                continue
            scan = scan_journal(path, known, skip_damage=True)
            if scan.next_offset > known or scan.damages:
                self._apply_scan(writer, path, scan)
                applied += len(scan.records)
            if any(damage.is_newer for damage in scan.damages):
                self._unread.add(writer)
                return applied  # what follows builds on it
        if applied or writer not in self._swept:
            self._swept.add(writer)
            self._remove_applied(writer, files)
        return applied

    def _files(self, writer: str) -> list[Path]:
        folder = self._folder.journal / writer
        try:
            return sorted(path for path in folder.iterdir() if path.suffix == ".jsonl")
        except OSError as error:  # a glob would say that there is none
            raise StoreError(f"cannot read the journal {folder}: {error.strerror}") from error

    def _damaged(self) -> list[str]:
        damages = select(ACTS.c.subject).distinct().where(ACTS.c.kind.in_(("journal_damaged", "journal_newer")))
        return [row.subject for row in self.transactions.read(damages)]

    def _apply_scan(self, writer: str, path: Path, scan: JournalScan) -> None:
        key = (writer, path.name)
        is_known = key in self._offsets
        with index_errors("write the index"), self._engine.begin() as connection:
            self._apply(connection, [*scan.records, *self._alarms(scan.damages)], f"{writer}/{path.name}")
            if is_known:
                where = (JOURNAL_OFFSETS.c.writer == writer, JOURNAL_OFFSETS.c.file == path.name)
                connection.execute(update(JOURNAL_OFFSETS).where(*where).values(offset_bytes=scan.next_offset))
            else:
                connection.execute(insert(JOURNAL_OFFSETS).values(writer=writer, file=path.name, offset_bytes=scan.next_offset))
        self._offsets[key] = scan.next_offset

    def _apply(self, connection: Connection, records: list[JournalRecord], opened_in: str) -> None:
        applying = Applying(connection, opened_in, self._clock.wall_us())
        for record in records:
            applying.apply(record)
        applying.finish()
        if self.router is not None:
            self.router.route(connection, self._clock.wall_us())

    def _alarms(self, damages: tuple[Damage, ...]) -> list[JournalRecord]:
        """An act for each damage, named after it, so that it is one however often it is seen."""
        alarms: list[JournalRecord] = []
        for damage in damages:
            relative = self._folder.relative(damage.path)
            if (relative, damage.start) not in self._told:
                self._told.add((relative, damage.start))
                self._log.error("the journal is damaged", problem=str(damage.to_error()))
            kind = "journal_newer" if damage.is_newer else "journal_damaged"
            detail = json.dumps({"start": damage.start, "end": damage.end})
            alarms.append(Act(f"damage-{damage.path.stem}-{damage.start}", kind, self._clock.wall_us(), "bookkeeper", relative, detail))
        return alarms

    def _remove_applied(self, writer: str, files: list[Path]) -> None:
        """Remove the files that say nothing that the index does not."""
        with_records = [path for path in files if _size(path) > 0]
        for path in files[:-1]:
            if path not in with_records:
                remove_durable(path)
        if writer == HOLD_WRITER:
            return
        for path in with_records[:-_KEPT_FILES]:
            with index_errors("read the index"), self._engine.connect() as connection:
                is_needed = connection.execute(select(_needed(f"{writer}/{path.name}", self._folder.relative(path)))).scalar_one()
            if is_needed:
                continue
            remove_durable(path)
            with index_errors("write the index"), self._engine.begin() as connection:
                where = (JOURNAL_OFFSETS.c.writer == writer, JOURNAL_OFFSETS.c.file == path.name)
                connection.execute(delete(JOURNAL_OFFSETS).where(*where))
            self._offsets.pop((writer, path.name), None)

    def _read_offsets(self) -> dict[tuple[str, str], int]:
        with index_errors("read the index"), self._engine.connect() as connection:
            rows = connection.execute(select(JOURNAL_OFFSETS)).all()
        return {(row.writer, row.file): row.offset_bytes for row in rows}


def _needed(opened_in: str, relative: str) -> ColumnElement[bool]:
    """Whether something that the file opened is still open, or the file is evidence of damage."""
    still_open = [exists().where(table.c.opened_in == opened_in, is_open) for table, is_open in _OPENED]
    damaged = exists().where(ACTS.c.kind.in_(("journal_damaged", "journal_newer")), ACTS.c.subject == relative)
    return or_(*still_open, damaged)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError as error:
        raise StoreError(f"cannot read the journal {path}: {error.strerror}") from error
