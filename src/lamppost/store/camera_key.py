"""The key that reads passwords of cameras: outside the database that has them, and two only while one replaces the other."""

from __future__ import annotations

import hashlib
import re
import secrets
from pathlib import Path
from typing import Final

from lamppost.base.durable import make_directory, remove_durable, sync_directory, write_durable
from lamppost.base.errors import StoreError
from lamppost.model.layout import DataFolder
from lamppost.store.book_file import give_to_owner_of

KEY_BYTES: Final = 32
NEXT: Final = ".next"
LOST: Final = "put it back from a backup; or begin anew with `lamppost camera password --change-key --forget`, and give each password again"
_KEY: Final = re.compile(rb"[0-9a-f]{64}\n?")


def key_id_of(key: bytes) -> str:
    """What tells keys apart, and nothing of a key."""
    return hashlib.sha256(b"lamppost cameras.key\n" + key).hexdigest()[:16]


class CameraKeys:
    """The key files of `folder`. Which key is the one, the device book says: a change of key is done when that is.

    What makes, takes over and removes keys is called inside a transaction of the device book, so that one process does so at a time.
    Raises `StoreError`.
    """

    def __init__(self, folder: DataFolder) -> None:
        self._path = folder.camera_key
        self._next = self._path.with_name(self._path.name + NEXT)

    def find(self, key_id: str) -> bytes | None:
        """The key of that id; None where it is not there."""
        return self.all().get(key_id)

    def all(self) -> dict[str, bytes]:
        """Those that are there, by id: one, or two while one replaces the other."""
        return {key_id_of(key): key for path in (self._path, self._next) if (key := _read(path)) is not None}

    def lost(self) -> StoreError:
        """What to say where `find` has found none."""
        what = "is not the key that passwords of cameras were encrypted with" if self._path.is_file() else "is missing"
        return StoreError(f"{self._path} {what}: they cannot be read", remedy=LOST)

    def first(self) -> bytes:
        """The key to begin with, durable on return: the one that is there, otherwise a new one."""
        key = _read(self._path)
        if key is None:
            key = _write(self._path)
        return key

    def prepare(self) -> bytes:
        """A new key beside the one, durable on return; the one before holds until the device book says otherwise."""
        return _write(self._next)

    def settle(self, key_id: str | None) -> None:
        """End a change of key that was made, or undo one that was not: afterwards there is one key."""
        key = _read(self._next)
        if key is None:
            return
        if key_id_of(key) == key_id:
            try:
                self._next.rename(self._path)
                sync_directory(self._path.parent)
            except OSError as error:
                raise StoreError(f"cannot write {self._path}: {error.strerror}", remedy="is the disk full or read-only?") from error
        else:
            remove_durable(self._next)


def _write(path: Path) -> bytes:
    make_directory(path.parent)
    key = secrets.token_bytes(KEY_BYTES)
    write_durable(path, key.hex().encode() + b"\n", 0o600)
    try:
        give_to_owner_of(path.parent.parent, path)
    except OSError as error:
        raise StoreError(f"cannot give {path} to its owner: {error.strerror}") from error
    return key


def _read(path: Path) -> bytes | None:
    try:
        with path.open("rb") as file:
            content = file.read(2 * KEY_BYTES + 2)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StoreError(f"cannot read {path}: {error.strerror}", remedy="may Lamppost's user read it?") from error
    if not _KEY.fullmatch(content):
        raise StoreError(f"{path} holds no key: passwords of cameras cannot be read", remedy=LOST)
    return bytes.fromhex(content.decode().strip())
