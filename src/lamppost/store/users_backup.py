"""Who may sign in, in a backup: copied while they do, and put back with the key of their codes.

Whoever was signed in is so no more after a restore: a backup holds neither
sessions nor links, and those of one that does are removed before it is used.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Collection
from enum import StrEnum
from pathlib import Path
from typing import Final

from lamppost.base.durable import make_directory, sync_directory, write_durable
from lamppost.base.errors import StoreError
from lamppost.model.layout import DataFolder
from lamppost.store.access_tables import VERSION
from lamppost.store.backup_file import ACCESS, ACCESS_KEY
from lamppost.store.database_copy import copy_database, damage_of, open_read_only, set_aside

ENDED: Final = ("DELETE FROM sessions", "DELETE FROM links", "DELETE FROM answers")
_WHAT: Final = "the access database"


class UsersRestored(StrEnum):
    """What a restore did about those who may sign in."""

    PUT_BACK = "put_back"
    LEFT = "left"  # those of today can be read, and nobody said that they should go
    ABSENT = "absent"  # the backup has none


def copy_users(folder: DataFolder, copy: Path) -> int:
    """Copy the access database of `folder`, without sessions and links; returns how many users it has, 0 where there is nothing to copy.

    What was deleted from it is not in the copy either. Raises `StoreError`, also where the key of the codes is gone.
    """
    if not folder.access.is_file():
        return 0
    copy_database(folder.access, copy, _WHAT, remedy="keep the last backup, which has it whole")
    try:
        count = _settle(copy)
    except sqlite3.Error as error:
        raise StoreError(f"cannot copy {_WHAT} {folder.access}: {error}", remedy="is there space where the backup goes?") from error
    if count and not (folder.root / ACCESS_KEY).is_file():
        raise StoreError(
            f"{folder.root / ACCESS_KEY} is missing",
            remedy="put it back from the last backup; without it nobody with one-time codes gets in",
        )
    return count


def prepare_users(backup: Path, staging: Path, names: Collection[str]) -> int:
    """Make the access database of a `backup`, unpacked into `staging`, fit for use; returns how many users it has, 0 without one.

    Raises `StoreError` when it is damaged, of a newer version, or without its key.
    """
    found = [name for name in (ACCESS, ACCESS_KEY) if name in names]
    if len(found) == 1:
        missing = ACCESS_KEY if found[0] == ACCESS else ACCESS
        raise StoreError(f"{backup} holds no {missing}", remedy="take another one; nothing was changed")
    if not found:
        return 0
    try:
        with contextlib.closing(open_read_only(staging / ACCESS)) as connection:
            broken = damage_of(connection)
        count = 0 if broken else _settle(staging / ACCESS)
    except sqlite3.Error as error:
        broken, count = str(error), 0
    if broken:
        raise StoreError(f"{_WHAT} in {backup} is damaged: {broken}", remedy="take another backup; nothing was changed")
    return count


def put_users(folder: DataFolder, staging: Path, suffix: str, *, force: bool) -> tuple[UsersRestored, str]:
    """Put the prepared access database and its key into `folder`; what was there is kept beside it, and its suffix returned.

    Without `force`, users who can be read stay: an older backup would let in who was removed since. Wherever this is cut
    off, a database that is there has its own key.
    """
    key, content = folder.root / ACCESS_KEY, (staging / ACCESS_KEY).read_bytes()
    if not force and has_users(folder.access):
        if not key.is_file():
            write_durable(key, content, 0o600)
        return UsersRestored.LEFT, ""
    make_directory(folder.access.parent, 0o700)
    os.chmod(folder.access.parent, 0o700)
    kept = set_aside(folder.access, suffix)
    if not key.is_file() or key.read_bytes() != content:
        if key.is_file():
            key.rename(key.with_name(key.name + suffix))
        write_durable(key, content, 0o600)
    (staging / ACCESS).rename(folder.access)
    sync_directory(folder.access.parent)
    return UsersRestored.PUT_BACK, kept


def has_users(path: Path) -> bool:
    """Whether the access database at `path` is whole, and somebody may sign in by it."""
    if not path.is_file():
        return False
    try:
        with contextlib.closing(open_read_only(path)) as connection:
            return not damage_of(connection) and connection.execute("SELECT 1 FROM users").fetchone() is not None
    except sqlite3.Error:
        return False


def _settle(copy: Path) -> int:
    """End what must not outlive its moment, and leave no trace of it; how many users there are. Raises `StoreError` and `sqlite3.Error`."""
    with contextlib.closing(sqlite3.connect(copy, isolation_level=None)) as connection:
        version = int(connection.execute("PRAGMA user_version").fetchone()[0])
        if version > VERSION:
            raise StoreError(f"{_WHAT} was written by a newer version of Lamppost", remedy="install that version; nothing was changed")
        if not version:
            return 0  # made, and never set up
        connection.execute("PRAGMA temp_store = MEMORY").close()  # a temporary file would hold hashes
        for statement in ENDED:
            connection.execute(statement).close()
        connection.execute("VACUUM").close()
        return int(connection.execute("SELECT count(*) FROM users").fetchone()[0])
