"""Acts of a person at the command line: journalled at once, and in the index as soon as somebody may write it."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from lamppost.base.clock import Clock
from lamppost.base.errors import DataFolderBusy
from lamppost.base.ids import timed_id
from lamppost.model.books import Act, JournalRecord
from lamppost.model.layout import DataFolder
from lamppost.store.bookkeeping import Bookkeeper
from lamppost.store.index_file import newest_revision, revision_of
from lamppost.store.journal import JournalWriter

WRITER: Final = "commands"


def record_act(folder: DataFolder, clock: Clock, *, kind: str, actor: str, subject: str, detail: Mapping[str, Any]) -> None:
    """Journal an act; durable on return. Raises `StoreError`, and `DataFolderBusy` when another command writes one now.

    Where a node runs, its bookkeeper takes it into the index; otherwise this
    does, unless the index waits for `lamppost upgrade`.
    """
    now_us = clock.wall_us()
    record_acts(folder, clock, (Act(timed_id(now_us), kind, now_us, actor, subject, json.dumps(dict(detail))),))


def record_acts(folder: DataFolder, clock: Clock, acts: Sequence[JournalRecord]) -> None:
    """Journal many acts, or what else a command has to tell, as `record_act` does one."""
    if not acts:
        return
    with JournalWriter(folder.journal / WRITER, clock=clock) as journal:
        journal.append_all(acts)
    if folder.index.is_file() and revision_of(folder.index) == newest_revision():
        with contextlib.suppress(DataFolderBusy), Bookkeeper(folder, clock) as bookkeeper:
            bookkeeper.apply_new()
