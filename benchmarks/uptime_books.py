"""How long the report of a month takes: 500 cameras, with the segments and gaps that such a node has.

`python -m benchmarks.uptime_books` makes an index of three days of segments and a month of gaps, and asks for the month.
"""

from __future__ import annotations

import random
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Table, insert

from lamppost.model.layout import DataFolder
from lamppost.store.index_file import make_index
from lamppost.store.schema import CAMERAS, FORGOTTEN, GAPS, SEGMENTS
from lamppost.store.uptime import UptimeReader

S: Final = 1_000_000
DAY_US: Final = 86_400 * S
CAMERAS_MANY: Final = 500
DAYS: Final = 30
KEPT_DAYS: Final = 3
AT_ONCE: Final = 20_000


def make_books(folder: DataFolder, gaps_a_day: int, *, cameras: int = CAMERAS_MANY, segment_s: int = 60) -> None:
    """An index of `DAYS` days from 0 on; the last `KEPT_DAYS` of them have their segments."""
    engine = make_index(folder.index)
    try:
        names = [f"camera-{number:03d}" for number in range(cameras)]
        with engine.begin() as connection:
            connection.execute(insert(CAMERAS), [{"camera": name} for name in names])
            forgotten = {"rendition": "sealed", "start_us": 0, "end_us": (DAYS - KEPT_DAYS) * DAY_US, "segments": 1, "size_bytes": 1}
            connection.execute(insert(FORGOTTEN), [{"camera": name, **forgotten} for name in names])
            _insert(connection, GAPS, _gaps(names, gaps_a_day))
            _insert(connection, SEGMENTS, _segments(names, segment_s * S))
    finally:
        engine.dispose()


def measure(gaps_a_day: int) -> list[float]:
    """Seconds of each of five readings."""
    with tempfile.TemporaryDirectory() as place:
        folder = DataFolder(Path(place))
        make_books(folder, gaps_a_day)
        names = [f"camera-{number:03d}" for number in range(CAMERAS_MANY)]
        took: list[float] = []
        with UptimeReader(folder) as reader:
            for _ in range(5):
                started_s = time.perf_counter()
                reader.read(names, 0, DAYS * DAY_US)
                took.append(time.perf_counter() - started_s)
    return took


def _insert(connection: Any, table: Table, rows: Iterator[dict[str, Any]]) -> None:
    block: list[dict[str, Any]] = []
    for row in rows:
        block.append(row)
        if len(block) == AT_ONCE:
            connection.execute(insert(table), block)
            block = []
    if block:
        connection.execute(insert(table), block)


def _gaps(names: list[str], a_day: int) -> Iterator[dict[str, Any]]:
    chance = random.Random(7)  # noqa: S311 - the same books each time
    for name in names:
        every_us = DAY_US // a_day
        for number in range(DAYS * a_day):
            start_us = number * every_us
            cause = chance.choice(("camera_unreachable", "damaged", "packets_lost", "not_scheduled"))
            row = {"gap_id": f"{name}-{number}", "camera": name, "cause": cause, "start_us": start_us, "detail": "", "opened_in": "-"}
            yield row | {"end_us": start_us + chance.randrange(every_us // 2)}


def _segments(names: list[str], length_us: int) -> Iterator[dict[str, Any]]:
    for name in names:
        for number, start_us in enumerate(range((DAYS - KEPT_DAYS) * DAY_US, DAYS * DAY_US, length_us)):
            key = f"{start_us}-{name}"
            yield {
                "segment_id": key, "camera": name, "rendition": "sealed", "state": "closed", "path": f"sealed/{name}/{key}.tar",
                "run_id": f"run-{name}", "epoch_id": "epoch", "sequence": number, "start_us": start_us, "end_us": start_us + length_us,
                "header_bytes": 1, "size_bytes": 1, "frames": 1, "fragments": 1, "end_reason": "rotated", "record_sha256": "0" * 64,
                "opened_in": "-",
            }  # fmt: skip


def main() -> None:
    """Print what was measured."""
    for gaps_a_day in (5, 100):
        took = measure(gaps_a_day)
        segments = CAMERAS_MANY * KEPT_DAYS * 1440
        told = f"{CAMERAS_MANY} cameras, {DAYS} days, {CAMERAS_MANY * DAYS * gaps_a_day:,} gaps, {segments:,} segments"
        sys.stdout.write(f"{told}: median {sorted(took)[2]:.3f} s, most {max(took):.3f} s\n")


if __name__ == "__main__":
    main()
