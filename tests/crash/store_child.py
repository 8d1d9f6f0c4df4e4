"""The processes that `test_store_kill.py` kills: `store_child.py recorder|bookkeeper FOLDER ACKNOWLEDGED`."""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path

from lamppost.base.clock import SystemClock
from lamppost.model.books import GapClosed, SegmentEnd
from lamppost.model.layout import DataFolder
from lamppost.store.bookkeeping import Bookkeeper
from lamppost.store.journal import JournalWriter
from lamppost.store.recovery import recover_writer
from street_books import Street, finisher


def say_ready() -> None:
    os.write(1, b"ready\n")


def record(folder: DataFolder, acknowledged: Path) -> None:
    """Recover, then record without end, and tell of each fragment once it is safe."""
    clock = SystemClock()
    descriptor = os.open(acknowledged, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    with JournalWriter(folder.journal / "recorder", clock=clock, max_bytes=8_000) as journal:
        say_ready()
        recovered = recover_writer(folder, "recorder", finish=finisher(folder), journal=journal, clock=clock)
        street = Street(folder, journal, clock, is_real_time=True)
        for gap in recovered.gaps:
            street.open_gap = gap
        while True:
            street.open()
            for _ in range(7):
                fragment = street.write()
                if street.open_gap is not None:
                    journal.append(GapClosed(street.open_gap.gap_id, fragment.start_us))
                    street.open_gap = None
                os.write(descriptor, f"{fragment.segment_id} {fragment.offset} {fragment.sha256}\n".encode())
            street.close(SegmentEnd.ROTATED)
            # The chain is found again among the last 64 names, which tell the second alone: no camera changes files so often.
            clock.wait(threading.Event(), 0.025)


def keep_books(folder: DataFolder) -> None:
    clock, never = SystemClock(), threading.Event()
    with Bookkeeper(folder, clock) as bookkeeper:
        say_ready()
        while True:
            bookkeeper.apply_new()
            clock.wait(never, 0.005)


if __name__ == "__main__":
    kind, root, file = sys.argv[1:]
    if kind == "recorder":
        record(DataFolder(Path(root)), Path(file))
    else:
        keep_books(DataFolder(Path(root)))
