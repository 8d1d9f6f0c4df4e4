"""What is known of devices, in a backup: copied while others write, with the key of the passwords, and put back with it."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

from lamppost.base.durable import make_directory, sync_directory, write_durable
from lamppost.base.errors import StoreError
from lamppost.model.layout import DataFolder
from lamppost.store.backup_file import CAMERA_KEY, DEVICES
from lamppost.store.book_file import give_to_owner_of
from lamppost.store.camera_key import CameraKeys
from lamppost.store.database_copy import copy_database, damage_of, open_read_only, set_aside
from lamppost.store.device_tables import METADATA, VERSION

_WHAT: Final = "the device book"
_ATTEMPTS: Final = 3


class DevicesRestored(StrEnum):
    """What a restore did about what is known of devices."""

    PUT_BACK = "put_back"
    LEFT = "left"  # that of today can be read, and nobody said that it should go
    ABSENT = "absent"  # the backup has none


@dataclass(frozen=True, slots=True)
class DevicesCopied:
    """A copy of the device book; `key` is what reads its passwords, as in `keys/cameras.key`, empty where it has none."""

    copy: Path
    key: bytes


def copy_devices(folder: DataFolder, copy: Path) -> DevicesCopied | None:
    """Copy the device book of `folder`; None where there is none.

    What was deleted from it is not in the copy. Raises `StoreError`, also where the key of its passwords is gone.
    """
    if not folder.devices.is_file():
        return None
    keys = CameraKeys(folder)
    # The key may be changed meanwhile, and the one before is gone then.
    for _ in range(_ATTEMPTS):
        copy.unlink(missing_ok=True)
        before = keys.all()
        copy_database(folder.devices, copy, _WHAT, remedy="keep the last backup, which has it whole")
        known = before | keys.all()
        try:
            key_id, passwords = _settle(copy)
        except sqlite3.Error as error:
            raise StoreError(f"cannot copy {_WHAT} {folder.devices}: {error}", remedy="is there space where the backup goes?") from error
        if not key_id or not passwords:
            return DevicesCopied(copy, b"")
        if key_id in known:
            return DevicesCopied(copy, known[key_id].hex().encode() + b"\n")
    raise keys.lost()


def prepare_devices(backup: Path, staging: Path, names: Collection[str]) -> bool:
    """Look whether the device book of a `backup`, unpacked into `staging`, is fit for use; False where it has none.

    Raises `StoreError` when it is damaged, of a newer version, or its passwords are there without their key.
    """
    if DEVICES not in names:
        if CAMERA_KEY in names:
            raise StoreError(f"{backup} holds no {DEVICES}", remedy="take another one; nothing was changed")
        return False
    try:
        with contextlib.closing(open_read_only(staging / DEVICES)) as connection:
            broken = damage_of(connection)
        key_id, passwords = ("", 0) if broken else _settle(staging / DEVICES)
    except sqlite3.Error as error:
        broken, key_id, passwords = str(error), "", 0
    if broken:
        raise StoreError(f"{_WHAT} in {backup} is damaged: {broken}", remedy="take another backup; nothing was changed")
    if passwords and (CAMERA_KEY not in names or CameraKeys(DataFolder(staging)).find(key_id) is None):
        raise StoreError(f"{backup} holds no {CAMERA_KEY} that reads its passwords", remedy="take another one; nothing was changed")
    return True


def put_devices(folder: DataFolder, staging: Path, names: Collection[str], suffix: str, *, force: bool) -> tuple[DevicesRestored, str]:
    """Put the prepared device book and its key into `folder`; what was there is kept beside it, and its suffix returned.

    Without `force`, one that can be read stays: passwords that were changed since would be those of then. Wherever this is
    cut off, a book that is there has its own key.
    """
    content = (staging / CAMERA_KEY).read_bytes() if CAMERA_KEY in names else b""
    if not force and is_readable(folder.devices):
        if content and not folder.camera_key.is_file():
            _put_key(folder, content)
        return DevicesRestored.LEFT, ""
    make_directory(folder.devices.parent, 0o700)
    os.chmod(folder.devices.parent, 0o700)
    kept = set_aside(folder.devices, suffix)
    CameraKeys(folder).settle(None)
    if content and not (folder.camera_key.is_file() and folder.camera_key.read_bytes() == content):
        if folder.camera_key.is_file():
            folder.camera_key.rename(folder.camera_key.with_name(folder.camera_key.name + suffix))
        _put_key(folder, content)
    (staging / DEVICES).rename(folder.devices)
    sync_directory(folder.devices.parent)
    give_to_owner_of(folder.root, folder.devices.parent, folder.devices)
    return DevicesRestored.PUT_BACK, kept


def is_readable(path: Path) -> bool:
    """Whether the device book at `path` is whole, and anything is in it."""
    if not path.is_file():
        return False
    try:
        with contextlib.closing(open_read_only(path)) as connection:
            # One of an older version has fewer.
            there = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
            tables = [name for name in METADATA.tables if name != "camera_key" and name in there]
            return not damage_of(connection) and any(connection.execute(f"SELECT 1 FROM {table}").fetchone() for table in tables)  # noqa: S608 - names of our own
    except sqlite3.Error:
        return False


def _put_key(folder: DataFolder, content: bytes) -> None:
    write_durable(folder.camera_key, content, 0o600)
    give_to_owner_of(folder.root, folder.camera_key)


def _settle(copy: Path) -> tuple[str, int]:
    """Leave no trace of what was deleted; which key it needs, and how many passwords it has. Raises `StoreError` and `sqlite3.Error`."""
    with contextlib.closing(sqlite3.connect(copy, isolation_level=None)) as connection:
        version = int(connection.execute("PRAGMA user_version").fetchone()[0])
        if version > VERSION:
            raise StoreError(f"{_WHAT} was written by a newer version of Lamppost", remedy="install that version; nothing was changed")
        if not version:
            return "", 0  # made, and cut off before its tables were
        connection.execute("PRAGMA temp_store = MEMORY").close()
        connection.execute("VACUUM").close()
        row = connection.execute("SELECT key_id FROM camera_key").fetchone()
        return row[0] if row is not None else "", int(connection.execute("SELECT count(*) FROM credentials").fetchone()[0])
