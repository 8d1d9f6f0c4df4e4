"""What a process did, on the disk before anyone else needs to know of it.

A journal is a folder of append-only files, one folder per writing process.
The bookkeeper reads them later; the writer never waits for it.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple, Self

from lamppost.base.clock import Clock
from lamppost.base.durable import make_directory, sync_directory, write_all
from lamppost.base.errors import DataFolderBusy, JournalDamaged, StoreError
from lamppost.base.ids import timed_id
from lamppost.model.books import Act, EpochSealed, GapOpened, HoldPlaced, HoldReleased, JournalRecord, SegmentClosed, SegmentOpened
from lamppost.store.journal_lines import LineDamaged, LineUnknown, decode_line, encode_line

DEFAULT_MAX_BYTES: Final = 8 * 1024 * 1024
DEFAULT_SYNC_INTERVAL_S: Final = 5.0
_AT_ONCE: Final = (SegmentOpened, SegmentClosed, EpochSealed, GapOpened, HoldPlaced, HoldReleased, Act)


def hold_lock(path: Path) -> int:
    """The descriptor of the file at `path`, locked for this process alone.

    The kernel lets go of it when the process dies. Raises `DataFolderBusy`.
    """
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
    except OSError as error:
        raise StoreError(f"cannot open the lock {path}: {error.strerror}") from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(descriptor)
        raise DataFolderBusy(f"another process holds {path}", remedy="stop it, or use another data folder") from error
    return descriptor


def is_locked(path: Path) -> bool:
    """Whether some process holds the lock at `path`; it is not disturbed."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    except OSError as error:
        raise StoreError(f"cannot open the lock {path}: {error.strerror}") from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(descriptor)
    return False


class JournalWriter:
    """Appends records to the journal in `folder`; many threads may share it.

    When `append` returns, a kill of the process loses nothing of the record;
    a power loss may lose what was appended since the last sync, at most
    `sync_interval_s`, and never a segment's opening or closing, an epoch, the
    begin of a gap, a hold, its release or an act. When `append` raises `StoreError`, the record may
    or may not be on the disk; to append it once more does no harm.
    """

    def __init__(
        self,
        folder: Path,
        *,
        clock: Clock,
        sync_interval_s: float = DEFAULT_SYNC_INTERVAL_S,
        max_bytes: int = DEFAULT_MAX_BYTES,
    ) -> None:
        """Take the lock `folder/lock` and start a new file; raises `DataFolderBusy`."""
        self._folder = folder
        self._clock = clock
        self._sync_interval_s = sync_interval_s
        self._max_bytes = max_bytes
        # Taken in this order: first to sync or to change files, then to write.
        self._sync_lock = threading.Lock()
        self._write_lock = threading.Lock()
        self._file = -1
        self._size_bytes = 0
        self._is_suspect = False
        # Counted over all files, so that one thread's sync serves the others.
        self._written_bytes = 0
        self._synced_bytes = 0
        self._synced_s = clock.monotonic_s()
        make_directory(folder)
        self._lock_file = hold_lock(folder / "lock")
        try:
            self._start_file()
        except BaseException:
            os.close(self._lock_file)
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def append(self, record: JournalRecord) -> None:
        """Write `record`; it survives a kill of this process from then on."""
        self.append_all((record,))

    def append_all(self, records: Iterable[JournalRecord]) -> None:
        """Write each of `records` as `append` does; one sync serves them all. Where it raises, some may be on the disk."""
        end, is_urgent = 0, False
        for record in records:
            line = encode_line(record)
            if self._size_bytes >= self._max_bytes or self._is_suspect:
                self._rotate()
            with self._write_lock:
                self._write(line)
                end = self._written_bytes
            is_urgent = is_urgent or isinstance(record, _AT_ONCE)
        if is_urgent:
            self._sync_until(end)
        else:
            self.sync_if_due()

    def sync(self) -> None:
        """Make everything appended so far survive a power loss."""
        self._sync_until(self._written_bytes)

    def sync_if_due(self) -> None:
        """`sync` when the last one is `sync_interval_s` old; for a loop of the owner."""
        if self._written_bytes > self._synced_bytes and self._clock.monotonic_s() - self._synced_s >= self._sync_interval_s:
            self._sync_until(self._written_bytes)

    def close(self) -> None:
        """Sync, and let go of the lock; a second call does nothing."""
        if self._lock_file < 0:
            return
        try:
            self.sync()
        finally:
            with self._sync_lock, self._write_lock:
                os.close(self._file)
                os.close(self._lock_file)
                self._file = self._lock_file = -1

    def _write(self, line: bytes) -> None:
        if self._file < 0:
            raise StoreError(f"the journal {self._folder} is closed")
        try:
            write_all(self._file, line)
        except OSError as error:
            # Half a line must not stand before the next one: the reader would call it damage.
            try:
                os.ftruncate(self._file, self._size_bytes)
            except OSError:
                self._is_suspect = True
            raise self._failed("write to", error) from error
        self._size_bytes += len(line)
        self._written_bytes += len(line)

    def _sync_until(self, end: int) -> None:
        with self._sync_lock:
            if self._synced_bytes >= end:
                return
            with self._write_lock:
                descriptor, written = self._file, self._written_bytes
            if descriptor < 0:
                raise StoreError(f"the journal {self._folder} is closed")
            try:
                os.fdatasync(descriptor)
            except OSError as error:
                # The kernel may have dropped the pages and call the next sync a success.
                self._is_suspect = True
                raise self._failed("sync", error) from error
            self._synced_bytes = written
            self._synced_s = self._clock.monotonic_s()

    def _rotate(self) -> None:
        with self._sync_lock, self._write_lock:
            if self._file < 0 or (self._size_bytes < self._max_bytes and not self._is_suspect):
                return  # closed, or another thread was faster
            try:
                if not self._is_suspect:
                    os.fdatasync(self._file)
            except OSError as error:
                self._is_suspect = True
                raise self._failed("sync", error) from error
            old = self._file
            self._start_file()
            os.close(old)

    def _start_file(self) -> None:
        # A counter leads the name: it must sort last even when the wall clock stepped back.
        last = max((_counter(path) for path in journal_files(self._folder)), default=0)
        path = self._folder / f"{last + 1:08d}-{timed_id(self._clock.wall_us())}.jsonl"
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC, 0o640)
        except OSError as error:
            raise self._failed("start a file of", error) from error
        try:
            sync_directory(self._folder)
        except OSError as error:
            os.close(descriptor)
            with contextlib.suppress(OSError):
                path.unlink()
            raise self._failed("start a file of", error) from error
        self._file = descriptor
        self._size_bytes = 0
        self._is_suspect = False
        self._synced_bytes = self._written_bytes
        self._synced_s = self._clock.monotonic_s()

    def _failed(self, verb: str, error: OSError) -> StoreError:
        return StoreError(f"cannot {verb} the journal {self._folder}: {error.strerror}", remedy="is the disk full, read-only or failing?")


@dataclass(frozen=True, slots=True)
class Damage:
    """Bytes `start` to `end` of a journal file are not what was written."""

    path: Path
    start: int
    end: int
    reason: str
    is_newer: bool = False  # whole, but of a newer version: never to be skipped

    def to_error(self) -> JournalDamaged:
        if self.is_newer:
            return JournalDamaged(
                f"journal {self.path}, byte {self.start}: {self.reason} is unknown",
                remedy="it was written by a newer version of Lamppost; install that version",
            )
        return JournalDamaged(
            f"journal {self.path}, byte {self.start}: {self.reason}",
            remedy="check the disk; `lamppost check --repair` goes on behind the damage",
        )


class JournalRead(NamedTuple):
    """Records of a journal file, where to go on, and whether a torn tail follows."""

    records: tuple[JournalRecord, ...]
    next_offset: int
    is_torn: bool


@dataclass(frozen=True, slots=True)
class JournalScan:
    """What could be read of a journal file, and what could not."""

    records: tuple[JournalRecord, ...]
    next_offset: int
    is_torn: bool
    damages: tuple[Damage, ...]


def journal_files(folder: Path) -> list[Path]:
    """The files of one writer's journal, oldest first."""
    return sorted(folder.glob("*.jsonl")) if folder.is_dir() else []


def writers(journal: Path) -> list[str]:
    """The names of those who have a journal in the folder `journal`."""
    return sorted(path.name for path in journal.iterdir() if path.is_dir()) if journal.is_dir() else []


def read_journal(path: Path, offset: int = 0) -> JournalRead:
    """The records of `path` from `offset`; raises `JournalDamaged` with file and byte.

    A torn tail, behind which no whole line stands, is what a kill or a power
    loss leaves; it is no error, and `next_offset` stays before it.
    """
    scan = scan_journal(path, offset)
    if scan.damages:
        raise scan.damages[0].to_error()
    return JournalRead(scan.records, scan.next_offset, scan.is_torn)


def scan_journal(path: Path, offset: int = 0, *, skip_damage: bool = False) -> JournalScan:
    """As `read_journal`, but damage is reported and not raised.

    Reading ends before the first damage; with `skip_damage` it goes on behind
    each, except before a record that a newer version wrote.
    """
    try:
        with path.open("rb") as file:
            file.seek(offset)
            content = file.read()
    except OSError as error:
        raise StoreError(f"cannot read the journal {path}: {error.strerror}") from error
    records: list[JournalRecord] = []
    damages: list[Damage] = []
    good_end = position = 0  # good_end: behind the last whole line that is taken
    bad: tuple[int, str] | None = None
    while (newline := content.find(b"\n", position)) >= 0:
        try:
            record = decode_line(content[position:newline])
        except LineDamaged as error:
            bad = bad or (position, str(error))
            position = newline + 1
            continue
        except LineUnknown as error:
            if bad is not None:
                damages.append(Damage(path, offset + bad[0], offset + position, bad[1]))
            damages.append(Damage(path, offset + position, offset + newline + 1, str(error), is_newer=True))
            return JournalScan(tuple(records), offset + good_end, False, tuple(damages))
        if bad is not None:
            damages.append(Damage(path, offset + bad[0], offset + position, bad[1]))
            bad = None
            if not skip_damage:
                return JournalScan(tuple(records), offset + good_end, False, tuple(damages))
        records.append(record)
        good_end = position = newline + 1
    return JournalScan(tuple(records), offset + good_end, good_end < len(content), tuple(damages))


def _counter(path: Path) -> int:
    head = path.name.split("-", 1)[0]
    return int(head) if head.isascii() and head.isdigit() else 0
