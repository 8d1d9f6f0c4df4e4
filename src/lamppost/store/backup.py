"""Copies the books of a node into one file: index, journals, who may sign in, devices, keys, the configuration.

The vault is not in it, and must not be: a share that retention destroys would
live on in every backup. Footage is not in it because it is signed and sealed
where it lies, and its rows can be made again from its records.
"""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Generator, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

from lamppost.base.clock import Clock
from lamppost.base.durable import remove_durable, sync_directory
from lamppost.base.errors import ConfigError, StoreError
from lamppost.base.ids import compact_utc
from lamppost.model.layout import DataFolder
from lamppost.store.backup_file import (
    ACCESS,
    ACCESS_KEY,
    CAMERA_KEY,
    CONFIGURATION,
    DEVICES,
    INDEX,
    KEYS,
    AboutBackup,
    BackupWriter,
    is_camera_password,
)
from lamppost.store.database_copy import copy_database
from lamppost.store.devices_backup import DevicesCopied, copy_devices
from lamppost.store.index_file import revision_of
from lamppost.store.journal import journal_files, writers
from lamppost.store.users_backup import copy_users

PREFIX: Final = "lamppost-backup-"
SUFFIX: Final = ".tar"
_READINGS: Final = 3


@dataclass(frozen=True, slots=True)
class BackupMade:
    """A backup that is durable."""

    path: Path
    size_bytes: int
    files: int
    index_revision: str
    users: int  # who may sign in; 0 where they are not in it
    removed: tuple[Path, ...] = ()  # older ones in the same folder


class _Scratch(NamedTuple):
    """Names beside the backup for what does not outlive its making."""

    growing: Path
    index_copy: Path
    users_copy: Path
    devices_copy: Path


def create_backup(
    folder: DataFolder, target: Path, *, clock: Clock, version: str, config: Path | None, with_access: bool = True
) -> BackupMade:
    """Back up the books of `folder` to the file `target`, or into the folder `target`; a node may be running.

    What was journalled when it began is in it. The file is readable by its owner
    alone, and is there whole or not at all. Without `with_access` it holds nobody who
    may sign in, and nothing of devices and of passwords of cameras. Raises `StoreError`, also when the
    index is damaged: an older, sound backup is worth more than a copy of that.
    """
    path = target / f"{PREFIX}{compact_utc(clock.wall_us())}{SUFFIX}" if target.is_dir() else target
    if path.exists():
        raise ConfigError(f"{path} exists already", remedy="name another file; nothing was changed")
    if path.resolve().is_relative_to(folder.vault.resolve()):
        raise ConfigError(f"{path} lies in the vault", remedy="a backup holds no shares, and belongs elsewhere")
    # Journals first: one that the bookkeeper removes meanwhile is wholly in the index, which is copied after.
    small = list(_read_journals(folder))
    with _staged(path) as scratch:
        _copy_index(folder.index, scratch.index_copy)
        users = copy_users(folder, scratch.users_copy) if with_access else 0
        about = AboutBackup(clock.wall_us(), version, revision_of(scratch.index_copy))
        files = {INDEX: scratch.index_copy} | {name: folder.root / name for name in KEYS}
        if users:
            files |= {ACCESS: scratch.users_copy, ACCESS_KEY: folder.root / ACCESS_KEY}
        named, devices = _copy_named(folder, config, scratch.devices_copy, with_access=with_access)
        small += named
        if devices is not None:
            files[DEVICES] = devices.copy
            small += [(CAMERA_KEY, devices.key)] if devices.key else []
        try:
            count, size_bytes = _write(scratch.growing, about, files, small)
            scratch.growing.rename(path)
            sync_directory(path.parent)
        except OSError as error:
            raise StoreError(f"cannot write the backup {path}: {error.strerror}", remedy="is the disk full or read-only?") from error
    return BackupMade(path, size_bytes, count, about.index_revision, users)


def remove_old_backups(place: Path, keep: int, prefix: str = PREFIX) -> tuple[Path, ...]:
    """Remove all but the newest `keep` backups in the folder `place` whose names start so; other files stay."""
    old = sorted(place.glob(f"{prefix}*{SUFFIX}"))[:-keep]
    for path in old:
        remove_durable(path)
    return tuple(old)


@contextlib.contextmanager
def _staged(path: Path) -> Generator[_Scratch]:
    """Names beside `path` for the growing backup and the copies of databases; none outlives the block."""
    token = secrets.token_hex(4)
    scratch = _Scratch(*(path.with_name(f".{path.name}.{token}.{suffix}") for suffix in ("tmp", "index.tmp", "users.tmp", "devices.tmp")))
    try:
        yield scratch
    finally:
        for left in (*scratch, *(copy.with_name(f"{copy.name}-journal") for copy in scratch[1:])):
            with contextlib.suppress(OSError):
                left.unlink()


def _write(path: Path, about: AboutBackup, files: Mapping[str, Path], small: Iterable[tuple[str, bytes]]) -> tuple[int, int]:
    """Write a backup of `files` and `small`, durably; returns how many files it has, and how many bytes. Raises `OSError`."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), "wb") as file:
        writer = BackupWriter(file, about)
        for name, source in files.items():
            writer.add_file(name, source)
        for name, content in small:
            writer.add_bytes(name, content)
        count = writer.finish()
        file.flush()
        os.fsync(file.fileno())
        return count, file.tell()


def _copy_named(
    folder: DataFolder, config: Path | None, copy: Path, *, with_access: bool
) -> tuple[list[tuple[str, bytes]], DevicesCopied | None]:
    """The configuration, and a copy of the device book that has every password which it names. Raises `StoreError`.

    Who changes a password keeps the new one, names it, and forgets the old one: copied again where that was just so.
    """
    named, devices = _read_configuration(folder, config, with_passwords=with_access), None
    for _ in range(_READINGS if with_access else 0):
        devices = copy_devices(folder, copy)
        before, named = named, _read_configuration(folder, config, with_passwords=with_access)
        if before[:1] == named[:1]:
            break
    return named, devices


def _read_configuration(folder: DataFolder, config: Path | None, *, with_passwords: bool) -> list[tuple[str, bytes]]:
    """The configuration, and those passwords of ours that it names. Raises `StoreError`."""
    if config is None or not config.is_file():
        return []
    try:
        content = config.read_bytes()
        passwords: list[tuple[str, bytes]] = []
        # Who changes a password writes a new file, names it, and removes the old one: read again where that was just so.
        for _ in range(_READINGS):
            passwords = list(_read_passwords(folder, content)) if with_passwords else []
            before, content = content, config.read_bytes()
            if content == before:
                break
    except OSError as error:
        raise StoreError(f"cannot read {error.filename}: {error.strerror}", remedy="may this user read it?") from error
    return [(CONFIGURATION, content), *passwords]


def _read_passwords(folder: DataFolder, configuration: bytes) -> Generator[tuple[str, bytes]]:
    for path in sorted(folder.camera_passwords.glob("*.password")):
        name = folder.relative(path)
        if is_camera_password(name) and path.name.encode() in configuration:
            with contextlib.suppress(FileNotFoundError):
                yield name, path.read_bytes()


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
    copy_database(index, copy, "the index", remedy="keep the last backup, and run `lamppost check --repair`")
