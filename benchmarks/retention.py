"""How long a pass of retention takes when the index holds a million segments.

`python -m benchmarks.retention` makes the index of 200 cameras, whose files do
not exist, and prints one line for each kind of pass. It has no peer: the floor
beside it is one read of a single row.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from sqlalchemy import insert, select

from lamppost.base.clock import US_PER_S, ManualClock
from lamppost.model.books import Rendition
from lamppost.model.layout import DataFolder
from lamppost.store.bookkeeping import Bookkeeper
from lamppost.store.retaining import Retention
from lamppost.store.retention import CameraLimits, RetentionLimits
from lamppost.store.schema import CAMERAS, EPOCHS, SEGMENTS

CAMERAS_COUNT = 200
EPOCH_SEGMENTS = 10
SEGMENT_US = 60 * US_PER_S
NEVER = CameraLimits(10**15, 10**15, 0)
PLENTY = 10**15


def main(rows: int = 1_000_000) -> None:
    """Make the index, and time passes on it."""
    with tempfile.TemporaryDirectory() as root:
        folder, clock = DataFolder(Path(root)), ManualClock()
        with Bookkeeper(folder, clock) as bookkeeper:
            each = rows // CAMERAS_COUNT // 2
            _fill(bookkeeper, clock.wall_us() - each * SEGMENT_US, each)
            print(f"{CAMERAS_COUNT} cameras, {2 * each * CAMERAS_COUNT} segments, index of {folder.index.stat().st_size / 1e6:.0f} MB")
            _time("one row read", lambda: bookkeeper.transactions.read(select(CAMERAS).limit(1)), 20)
            _passes(folder, bookkeeper, clock, each)


def _passes(folder: DataFolder, bookkeeper: Bookkeeper, clock: ManualClock, each: int) -> None:
    disk = {"free": PLENTY}
    retention = Retention(folder, bookkeeper, clock, RetentionLimits(NEVER, {}, 0), free_bytes=lambda _: disk["free"])
    _time("pass, nothing due", retention.run_pass, 20)
    full = each * 1_500_000 * 2
    retention.limits = RetentionLimits(replace(NEVER, max_bytes=full), {}, 0)
    _time("pass, bytes limited, nothing due", retention.run_pass, 20)
    age_us = (each - EPOCH_SEGMENTS) * SEGMENT_US
    retention.limits = RetentionLimits(CameraLimits(age_us, age_us, 0), {}, 0)
    _time("pass, up to 100 segments too old", retention.run_pass, 20, lambda: f"{retention.status.forgotten_segments} forgotten")
    retention.limits, disk["free"] = RetentionLimits(NEVER, {}, 300_000_000), 0
    _time("pass, 100 segments under pressure", retention.run_pass, 20, lambda: f"{retention.status.forgotten_segments} forgotten")
    if retention.status.problem:
        print(retention.status.problem)


def _time(what: str, act: Callable[[], object], times: int, note: Callable[[], str] = lambda: "") -> None:
    took: list[float] = []
    for _ in range(times):
        began = time.perf_counter()
        act()
        took.append(1000 * (time.perf_counter() - began))
    print(f"{what}: median {statistics.median(took):.1f} ms, worst {max(took):.1f} ms {note()}", flush=True)


def _fill(bookkeeper: Bookkeeper, start_us: int, each: int) -> None:
    for number in range(CAMERAS_COUNT):
        camera = f"camera-{number:03}"
        with bookkeeper.transactions.write() as connection:
            connection.execute(insert(CAMERAS).values(camera=camera))
            connection.execute(insert(EPOCHS), list(_epochs(camera, start_us, each)))
            connection.execute(insert(SEGMENTS), list(_segments(camera, start_us, each)))
    bookkeeper.recount()


def _epochs(camera: str, start_us: int, each: int) -> Iterator[dict[str, Any]]:
    length_us = EPOCH_SEGMENTS * SEGMENT_US
    for number in range(-(-each // EPOCH_SEGMENTS)):
        begin = start_us + number * length_us
        row: dict[str, Any] = {
            "epoch_id": f"{camera}-{number}",
            "camera": camera,
            "sequence": number,
            "start_us": begin,
            "end_us": begin + length_us,
        }
        yield row | {"recipient": "age1x", "threshold": 2, "shares": 3}


def _segments(camera: str, start_us: int, each: int) -> Iterator[dict[str, Any]]:
    for number in range(each):
        begin = start_us + number * SEGMENT_US
        for rendition in Rendition:
            name = f"{camera}-{rendition.value}-{number}"
            is_sealed = rendition is Rendition.SEALED
            row: dict[str, Any] = {
                "segment_id": name,
                "camera": camera,
                "rendition": rendition.value,
                "state": "closed",
                "run_id": f"{camera}-run",
            }
            row |= {"path": f"{rendition.value}/{camera}/2026-11-25/{name}.{'tar' if is_sealed else 'mp4'}", "sequence": number}
            row |= {"epoch_id": f"{camera}-{number // EPOCH_SEGMENTS}" if is_sealed else None}
            row |= {"start_us": begin, "end_us": begin + SEGMENT_US, "header_bytes": 1, "size_bytes": 1_500_000, "frames": 1500}
            yield row | {"fragments": 60, "end_reason": "rotated", "record_sha256": "0" * 64, "opened_in": "restored/record"}


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:2]))
