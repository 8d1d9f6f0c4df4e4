"""Copies of SQLite databases that somebody may be writing, and databases put aside whole, with what belongs to them."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from pathlib import Path
from typing import Final
from urllib.parse import quote

from lamppost.base.durable import sync_directory
from lamppost.base.errors import StoreError
from lamppost.store.index_file import BUSY_TIMEOUT_S

_LOGS: Final = ("", "-wal", "-shm")  # the log is nothing without its database, so that goes first


def copy_database(source: Path, copy: Path, what: str, *, remedy: str) -> None:
    """A consistent copy of the database at `source`, as one file; whoever writes it does not wait.

    Raises `StoreError`, with `remedy` where `what` is damaged: then `copy` is of no use.
    """
    try:
        os.close(os.open(copy, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
        with (
            contextlib.closing(open_read_only(source)) as original,
            contextlib.closing(sqlite3.connect(copy, isolation_level=None)) as target,
        ):
            original.backup(target)
            target.execute("PRAGMA journal_mode = DELETE").close()
            broken = damage_of(target)
    except (sqlite3.Error, OSError) as error:
        where = "is there space where the backup goes? otherwise "
        raise StoreError(f"cannot copy {what} {source}: {error}", remedy=where + remedy) from error
    if broken:
        raise StoreError(f"{what} {source} is damaged: {broken}", remedy=remedy)


def open_read_only(path: Path) -> sqlite3.Connection:
    """A connection that changes nothing; the caller closes it. Raises `sqlite3.Error`."""
    return sqlite3.connect(f"file:{quote(str(path.absolute()))}?mode=ro", uri=True, timeout=BUSY_TIMEOUT_S)


def damage_of(connection: sqlite3.Connection) -> str:
    """The first thing that is wrong with a database, empty where nothing is; raises `sqlite3.Error`."""
    return next((str(row[0]) for row in connection.execute("PRAGMA integrity_check(1)") if row[0] != "ok"), "")


def set_aside(path: Path, suffix: str) -> str:
    """Rename a database that nobody has open, and its logs so that they are found with it; `suffix` where there was one, else empty."""
    is_there = False
    for log in _LOGS:
        file = path.with_name(path.name + log)
        if file.exists():
            file.rename(path.with_name(path.name + suffix + log))
            is_there = True
    if is_there:
        sync_directory(path.parent)
    return suffix if is_there else ""
