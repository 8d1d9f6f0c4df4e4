"""Backing up and restoring, put together: the store copies, the check mends with what verifies signatures."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from lamppost import __version__
from lamppost.base.clock import Clock, SystemClock
from lamppost.base.errors import ConfigError
from lamppost.model.layout import DataFolder
from lamppost.pipeline.checking import check_folder
from lamppost.pipeline.configuration import read_configuration
from lamppost.store.acts import record_act
from lamppost.store.backup import BackupMade, create_backup, remove_old_backups
from lamppost.store.backup_file import BackupRead
from lamppost.store.check_report import CheckReport
from lamppost.store.restore import Restored, restore_backup


def back_up(folder: DataFolder, target: Path, *, config: Path | None, keep: int | None, clock: Clock | None = None) -> BackupMade:
    """Back up `folder` and book it; with `keep`, remove older ones in the folder `target`.

    Raises `ConfigError` and `StoreError`.
    """
    clock = clock or SystemClock()
    if not (folder.keys / "recorder.pub").is_file():
        raise ConfigError(f"{folder.root} is not a data folder", remedy="create one with `lamppost init`")
    if keep is not None and not target.is_dir():
        raise ConfigError("--keep needs a folder to keep backups in", remedy="name a folder that exists, or leave --keep away")
    made = create_backup(folder, target, clock=clock, version=__version__, config=config)
    detail = {"file": made.path.name, "files": made.files, "bytes": made.size_bytes, "users": made.users}
    record_act(folder, clock, kind="backup_created", actor="lamppost backup create", subject="node", detail=detail)
    return made if keep is None else dataclasses.replace(made, removed=remove_old_backups(target, keep))


def restore(
    folder: DataFolder, backup: Path, *, force: bool, config: Path | None = None, clock: Clock | None = None
) -> tuple[Restored, CheckReport]:
    """Restore `folder` from `backup`, take in what was recorded since, and check.

    Passwords of cameras come back as far as `config` names them, or the backup's own configuration where it is None.
    The report's `repaired` tells what was taken in. Raises `ConfigError` and `StoreError`.
    """
    clock = clock or SystemClock()
    configuration = read_configuration(config).encode() if config is not None else None
    restored = restore_backup(folder, backup, clock=clock, force=force, configuration=configuration)
    mended = check_folder(folder, repair=True, deep=False).repaired
    detail = {
        "file": backup.name,
        "made_us": restored.about.made_us,
        "replaced": restored.set_aside,
        "users": restored.users.value,
        "devices": restored.devices.value,
    }
    record_act(folder, clock, kind="backup_restored", actor="lamppost backup restore", subject="node", detail=detail)
    return restored, dataclasses.replace(check_folder(folder, repair=False, deep=True), repaired=mended)


def configuration_of(backup: Path) -> bytes | None:
    """The configuration in `backup`, after all of it was verified; None when it has none. Raises `StoreError`."""
    return BackupRead.open(backup).configuration
