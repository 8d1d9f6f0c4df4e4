"""Copies the books of a node into one file: index, journals, the recorder's keys, the configuration.

The vault is not in it, and must not be: a share that retention destroys would
live on in every backup. Footage is not in it because it is signed and sealed
where it lies, and its rows can be made again from its records.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import sqlite3
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import quote

from lamppost.base.clock import Clock
from lamppost.base.durable import remove_durable, sync_directory
from lamppost.base.errors import ConfigError, StoreError
from lamppost.base.ids import compact_utc
from lamppost.model.layout import DataFolder
from lamppost.store.backup_file import CONFIGURATION, INDEX, KEYS, AboutBackup, BackupWriter
from lamppost.store.index_file import BUSY_TIMEOUT_S, revision_of
from lamppost.store.journal import journal_files, writers

PREFIX: Final = "lamppost-backup-"
SUFFIX: Final = ".tar"


@dataclass(frozen=True, slots=True)
class BackupMade:
    """A backup that is durable."""

    path: Path
    size_bytes: int
    files: int
    index_revision: str
    removed: tuple[Path, ...] = ()  # older ones in the same folder


def create_backup(folder: DataFolder, target: Path, *, clock: Clock, version: str, configuration: bytes | None) -> BackupMade:
    """Back up the books of `folder` to the file `target`, or into the folder `target`; a node may be running.

    What was journalled when it began is in it. The file is readable by its owner
    alone, and is there whole or not at all. Raises `StoreError`, also when the
    index is damaged: an older, sound backup is worth more than a copy of that.
    """
    path = target / f"{PREFIX}{compact_utc(clock.wall_us())}{SUFFIX}" if target.is_dir() else target
    if path.exists():
        raise ConfigError(f"{path} exists already", remedy="name another file; nothing was changed")
    if path.resolve().is_relative_to(folder.vault.resolve()):
        raise ConfigError(f"{path} lies in the vault", remedy="a backup holds no shares, and belongs elsewhere")
    # Journals first: one that the bookkeeper removes meanwhile is wholly in the index, which is copied after.
    journals = list(_read_journals(folder))
    with _staged(path) as (staging, copy):
        _copy_index(folder.index, copy)
        about = AboutBackup(clock.wall_us(), version, revision_of(copy))
        try:
            with os.fdopen(os.open(staging, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), "wb") as file:
                writer = BackupWriter(file, about)
                writer.add_file(INDEX, copy)
                for name, content in journals:
                    writer.add_bytes(name, content)
                for name in KEYS:
                    writer.add_file(name, folder.root / name)
                if configuration is not None:
                    writer.add_bytes(CONFIGURATION, configuration)
                files = writer.finish()
                file.flush()
                os.fsync(file.fileno())
                size_bytes = file.tell()
            staging.rename(path)
            sync_directory(path.parent)
        except OSError as error:
            raise StoreError(f"cannot write the backup {path}: {error.strerror}", remedy="is the disk full or read-only?") from error
    return BackupMade(path, size_bytes, files, about.index_revision)


def remove_old_backups(place: Path, keep: int, prefix: str = PREFIX) -> tuple[Path, ...]:
    """Remove all but the newest `keep` backups in the folder `place` whose names start so; other files stay."""
    old = sorted(place.glob(f"{prefix}*{SUFFIX}"))[:-keep]
    for path in old:
        remove_durable(path)
    return tuple(old)


@contextlib.contextmanager
def _staged(path: Path) -> Generator[tuple[Path, Path]]:
    """Names beside `path` for the growing backup and the copy of the index; neither outlives the block."""
    token = secrets.token_hex(4)
    staging, copy = (path.with_name(f".{path.name}.{token}.{suffix}") for suffix in ("tmp", "index.tmp"))
    try:
        yield staging, copy
    finally:
        for left in (staging, copy, copy.with_name(f"{copy.name}-journal")):
            with contextlib.suppress(OSError):
                left.unlink()


def _read_journals(folder: DataFolder) -> Generator[tuple[str, bytes]]:
    for writer in writers(folder.journal):
        for path in journal_files(folder.journal / writer):
            try:
                content = path.read_bytes()  # bounded: a journal starts a new file at 8 MiB
            except FileNotFoundError:
                continue  # the bookkeeper has just removed it
            except OSError as error:
                raise StoreError(f"cannot read the journal {path}: {error.strerror}") from error
            yield folder.relative(path), content


def _copy_index(index: Path, copy: Path) -> None:
    """A consistent copy of the index, as one file; whoever writes the index does not wait for it."""
    if not index.is_file():
        raise StoreError(f"there is no index at {index}", remedy="was anything recorded? `lamppost check --repair` makes it anew")
    try:
        os.close(os.open(copy, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
        with (
            contextlib.closing(sqlite3.connect(f"file:{quote(str(index.absolute()))}?mode=ro", uri=True, timeout=BUSY_TIMEOUT_S)) as source,
            contextlib.closing(sqlite3.connect(copy, isolation_level=None)) as target,
        ):
            source.backup(target)
            target.execute("PRAGMA journal_mode = DELETE").close()
            broken = [row[0] for row in target.execute("PRAGMA integrity_check(1)") if row[0] != "ok"]
    except (sqlite3.Error, OSError) as error:
        raise StoreError(
            f"cannot copy the index {index}: {error}", remedy="is there space where the backup goes? run `lamppost check`"
        ) from error
    if broken:
        raise StoreError(f"the index {index} is damaged: {broken[0]}", remedy="keep the last backup, and run `lamppost check --repair`")
