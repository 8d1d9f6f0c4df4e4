"""Brings the index of an older version up to this one, after a backup that is kept beside it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from lamppost import __version__
from lamppost.base.clock import Clock, SystemClock
from lamppost.base.durable import make_directory
from lamppost.base.errors import DataFolderBusy
from lamppost.base.ids import compact_utc
from lamppost.model.layout import DataFolder
from lamppost.store.acts import record_act
from lamppost.store.backup import SUFFIX, create_backup, remove_old_backups
from lamppost.store.check import is_written
from lamppost.store.index_file import newest_revision, revision_of, upgrade_index
from lamppost.store.journal import hold_lock

KEPT: Final = 3
PREFIX: Final = "backup-"


@dataclass(frozen=True, slots=True)
class Upgraded:
    """What was done; `backup` is None when the index was of this version already, or there is none yet."""

    from_revision: str
    to_revision: str
    backup: Path | None


def upgrade(folder: DataFolder, *, config: Path | None, actor: str = "lamppost upgrade", clock: Clock | None = None) -> Upgraded:
    """Upgrade the index of `folder` where an older version wrote it; a second call does nothing.

    The backup lies beside the index, and the last three are kept. Without a
    backup nothing is changed. Raises `StoreError`, also for the index of a newer
    version, and `DataFolderBusy` while a node runs.
    """
    clock = clock or SystemClock()
    before = revision_of(folder.index) if folder.index.is_file() else ""
    newest = newest_revision()
    if before in ("", newest):
        return Upgraded(before, newest, None)
    make_directory(folder.run)
    lock = hold_lock(folder.run / "supervisor.lock")
    try:
        if is_written(folder):
            raise DataFolderBusy(f"{folder.root} is in use", remedy="stop `lamppost serve` first; nothing was changed")
        path = folder.index.with_name(f"{PREFIX}{compact_utc(clock.wall_us())}{SUFFIX}")
        # It is for going back, on this disk: an older version must be able to read it, and users and passwords are not changed.
        made = create_backup(folder, path, clock=clock, version=__version__, config=config, with_access=False)
        upgrade_index(folder.index)
        remove_old_backups(folder.index.parent, KEPT, PREFIX)
    finally:
        os.close(lock)
    detail = {"from": before, "to": newest, "backup": made.path.name, "version": __version__}
    record_act(folder, clock, kind="index_upgraded", actor=actor, subject="node", detail=detail)
    return Upgraded(before, newest, made.path)
