"""Puts what a command orders into a journal that all commands of its kind share, a moment each."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Final

from lamppost.base.clock import Clock
from lamppost.base.errors import DataFolderBusy
from lamppost.model.books import JournalRecord
from lamppost.model.layout import DataFolder
from lamppost.store.journal import JournalWriter

BUSY_PATIENCE_S: Final = 10.0
POLL_S: Final = 0.1


def append_orders(folder: DataFolder, writer: str, records: Sequence[JournalRecord], clock: Clock) -> None:
    """Append `records` to the journal of `writer`, durable on return; raises `StoreError`."""
    deadline_s, never = clock.monotonic_s() + BUSY_PATIENCE_S, threading.Event()
    while True:
        try:
            with JournalWriter(folder.journal / writer, clock=clock) as journal:
                for record in records:
                    journal.append(record)
            return
        except DataFolderBusy:  # another command holds it, for a moment
            if clock.monotonic_s() > deadline_s:
                raise
            clock.wait(never, POLL_S)
