"""Records that the journal could not take, kept in their order until it can."""

from __future__ import annotations

from collections.abc import Callable

from lamppost.model.books import JournalRecord


class PendingRecords:
    """What is to be journalled, oldest first; who adds to it keeps it bounded.

    `write` raises the journal's `StoreError` and keeps what is left for the next call.
    """

    def __init__(self, journal: Callable[[JournalRecord], None]) -> None:
        self._journal = journal
        self._unwritten: list[JournalRecord] = []

    def add(self, *records: JournalRecord) -> None:
        """Have `records` written by the next `write`, after those before them."""
        self._unwritten += records

    def __len__(self) -> int:
        return len(self._unwritten)

    def write(self) -> None:
        """Journal everything, in order."""
        while self._unwritten:
            # A record that is on the disk in spite of an error may be appended once more.
            self._journal(self._unwritten[0])
            del self._unwritten[0]
