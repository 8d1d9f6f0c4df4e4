"""Puts a backup's books back, after all of it was found to be what was written.

The journals of a backup never become journals again: footage has gone on since,
and recovery would cut it where an old journal ends. Their records go into the
index, and what was recorded since comes from the signed records beside it.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
from collections.abc import Collection, Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from lamppost.base.clock import Clock
from lamppost.base.durable import make_directory, sync_directory, write_durable
from lamppost.base.errors import StoreError
from lamppost.base.ids import compact_utc
from lamppost.model.books import Rendition
from lamppost.model.layout import DataFolder
from lamppost.store.backup_file import INDEX, KEYS, AboutBackup, BackupRead, is_camera_password
from lamppost.store.bookkeeping import Bookkeeper
from lamppost.store.check import is_written
from lamppost.store.database_copy import set_aside
from lamppost.store.devices_backup import DevicesRestored, prepare_devices, put_devices
from lamppost.store.index import Index
from lamppost.store.index_file import revision_of, upgrade_index
from lamppost.store.journal import hold_lock, scan_journal
from lamppost.store.orphans import segment_files
from lamppost.store.settling import SETTLED
from lamppost.store.users_backup import UsersRestored, prepare_users, put_users

_STAGING: Final = ".restoring-"


@dataclass(frozen=True, slots=True)
class Restored:
    """What was put back."""

    about: AboutBackup
    records: int  # of journals that the backup's index did not have yet
    set_aside: str  # suffix of the index that was there before, empty when there was none
    new_keys: bool
    users: UsersRestored
    users_set_aside: str  # suffix of the access database that was there before
    user_count: int  # in the backup
    passwords: int  # of cameras, that were missing
    devices: DevicesRestored
    devices_set_aside: str  # suffix of the device book that was there before


def restore_backup(folder: DataFolder, backup: Path, *, clock: Clock, force: bool, configuration: bytes | None = None) -> Restored:
    """Put index, keys, users and devices of `backup` into `folder`, which may hold footage, newer journals, or nothing.

    An index that holds anything and can be read is replaced only with `force`,
    and kept beside it; so are users and the device book, which stay without it. The passwords of cameras that `configuration` names, or the
    backup's own, come back. Nothing is touched before every hash of the backup was
    right. Raises `StoreError`, and `DataFolderBusy` while a node runs; one that
    was cut off is run again, with `force`.
    """
    for part in (folder.root, folder.index.parent, folder.journal, folder.vault, folder.keys, folder.run):
        make_directory(part)
    with _alone(folder), _staging(folder) as staging:
        read = BackupRead.open(backup, staging)
        missing = [name for name in (INDEX, *KEYS) if name not in read.names]
        if missing:
            raise StoreError(f"{backup} holds no {missing[0]}", remedy="take another one; nothing was changed")
        _refuse_unusable(backup, staging / INDEX)
        user_count = prepare_users(backup, staging, read.names)
        has_devices = prepare_devices(backup, staging, read.names)
        upgrade_index(staging / INDEX)
        is_filled = _refuse_filled(folder, force=force)
        new_keys = _put_keys(folder, staging, may_replace=not is_filled)
        passwords = _put_passwords(folder, staging, read.names, configuration or read.configuration or b"")
        suffix = f".replaced-{compact_utc(clock.wall_us())}"
        # Before the index: a restore that was cut off between the two is run again as it was.
        users, old_users = put_users(folder, staging, suffix, force=force) if user_count else (UsersRestored.ABSENT, "")
        devices, old_devices = DevicesRestored.ABSENT, ""
        if has_devices:
            devices, old_devices = put_devices(folder, staging, read.names, suffix, force=force)
        old_index = set_aside(folder.index, suffix)
        (staging / INDEX).rename(folder.index)
        sync_directory(folder.index.parent)
        records = _apply_journals(folder, staging, read.names, clock)
    return Restored(
        about=read.about,
        records=records,
        set_aside=old_index,
        new_keys=new_keys,
        users=users,
        users_set_aside=old_users,
        user_count=user_count,
        passwords=passwords,
        devices=devices,
        devices_set_aside=old_devices,
    )


@contextlib.contextmanager
def _alone(folder: DataFolder) -> Generator[None]:
    """Keep a node from starting meanwhile; raises `DataFolderBusy` when one runs."""
    lock = hold_lock(folder.run / "supervisor.lock")
    try:
        if is_written(folder):
            raise StoreError(f"{folder.root} is in use", remedy="stop `lamppost serve` first; nothing was changed")
        yield
    finally:
        os.close(lock)


@contextlib.contextmanager
def _staging(folder: DataFolder) -> Generator[Path]:
    """An empty folder on the same disk; what a killed restore left is removed."""
    for left in folder.root.glob(f"{_STAGING}*"):
        shutil.rmtree(left, ignore_errors=True)
    place = folder.root / f"{_STAGING}{secrets.token_hex(4)}"
    place.mkdir(mode=0o700)
    try:
        yield place
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _refuse_unusable(backup: Path, index: Path) -> None:
    revision_of(index)
    with Index(DataFolder(index.parent.parent)) as copy:
        broken = copy.integrity()
    if broken:
        raise StoreError(f"the index in {backup} is damaged: {broken[0]}", remedy="take another backup; nothing was changed")


def _refuse_filled(folder: DataFolder, *, force: bool) -> bool:
    """Whether `folder` holds anything of a node's life; raises `StoreError` when its index does, is sound, and `force` is not given."""
    if folder.index.is_file():
        try:
            with Index(folder) as index:
                is_sound = not index.integrity()
                is_used = bool(index.cameras() or index.acts(limit=1))
        except StoreError:
            is_sound, is_used = False, True
        if is_sound and is_used and not force:
            raise StoreError(
                f"{folder.index} can be read and is not empty",
                remedy="repeat it with --force to replace it; it is kept beside the new one. Nothing was changed",
            )
        if is_used:
            return True
    return any(segment_files(folder, rendition) for rendition in Rendition)


def _put_keys(folder: DataFolder, staging: Path, *, may_replace: bool) -> bool:
    """Put the recorder's keys back where they are missing, or where nothing was signed yet; raises for another recorder's."""
    private, public = (folder.root / name for name in KEYS)
    if public.is_file() and public.read_bytes().strip() != (staging / KEYS[1]).read_bytes().strip() and not may_replace:
        raise StoreError(
            f"the backup is of another recorder than {folder.root}",
            remedy="restore it into a folder of its own; what another key signed cannot be verified",
        )
    is_changed = False
    for path, name in ((private, KEYS[0]), (public, KEYS[1])):
        content = (staging / name).read_bytes()
        if not path.is_file() or path.read_bytes() != content:
            write_durable(path, content, 0o600 if path == private else 0o640)
            is_changed = True
    return is_changed


def _put_passwords(folder: DataFolder, staging: Path, names: Collection[str], configuration: bytes) -> int:
    """Put back the passwords of cameras that `configuration` names and that are not there; returns how many."""
    count = 0
    for name in filter(is_camera_password, names):
        path, content = folder.root / name, (staging / name).read_bytes()
        if path.name.encode() in configuration and not (path.is_file() and path.read_bytes() == content):
            make_directory(path.parent, 0o700)
            write_durable(path, content, 0o600)
            count += 1
    return count


def _apply_journals(folder: DataFolder, staging: Path, names: tuple[str, ...], clock: Clock) -> int:
    """Put into the index what it did not have of the backup's journals; returns how many records."""
    with Index(folder) as index:
        offsets = index.journal_offsets()
    records = 0
    with Bookkeeper(folder, clock) as bookkeeper:
        for name in sorted(name for name in names if name.startswith("journal/")):
            _, writer, file = name.split("/")
            scan = scan_journal(staging / name, offsets.get((writer, file), 0), skip_damage=True)
            if scan.records:
                bookkeeper.add(list(scan.records), f"{writer}/{file}" if (folder.root / name).exists() else SETTLED)
                records += len(scan.records)
    return records
