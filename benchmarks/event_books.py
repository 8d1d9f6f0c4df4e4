"""Makes the books of forty busy days: millions of events in the real schema, with notes, pictures, segments and gaps.

Rows come in the order of time and every index grows with them, as it does under the bookkeeper; but one transaction takes many,
and nothing is synced. Most are people who cross a line by day; few are urgent, fewer still last long, and almost none is rare.
"""

from __future__ import annotations

import contextlib
import json
import secrets
import sqlite3
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from types import MappingProxyType
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from lamppost.base.clock import US_PER_S
from lamppost.base.ids import compact_utc
from lamppost.model.layout import DataFolder
from lamppost.model.rules import CountedKind
from lamppost.store.index_file import make_index

DAYS: Final = 40
DAY_US: Final = 86_400 * US_PER_S
SEGMENT_US: Final = 600 * US_PER_S
CHUNK: Final = 100_000
BUSY: Final = "plaza"
NEW: Final = "new-gate"  # a camera of which there is next to nothing
CAMERAS: Final = MappingProxyType(
    {
        BUSY: ("Old Town", 0.30),
        "bridge": ("Harbour", 0.20),
        **{f"street-{number}": ("Old Town", 0.05) for number in range(1, 7)},
        **{f"quay-{number}": ("Harbour", 0.05) for number in range(1, 5)},
        NEW: ("Station", 0.0001),
    }
)
# Type, severity, share of all, longest duration in seconds.
KINDS: Final = (
    ("line_crossed", "info", 0.70, 20),
    ("zone_entered", "info", 0.20, 60),
    ("dwell", "info", 0.050, 1200),
    ("occupancy", "warning", 0.025, 3600),
    ("queue", "warning", 0.015, 3600),
    ("wrong_way", "alarm", 0.004, 10),
    ("object_left", "alarm", 0.001, 7200),
    ("camera_lost", "warning", 0.004, 600),
    ("picture_black", "warning", 0.001, 40_000),
)
RARE_RULE, RARE_KIND, RARE_CAMERA = "night-gate", "object_removed", "quay-1"
NOT_AT_BUSY: Final = "queue"  # a common type that the busy camera never tells of


@dataclass(frozen=True, slots=True)
class Books:
    """What was made, and how long it took."""

    rows: int
    begin_us: int
    end_us: int
    busiest_day_us: int
    took_s: float
    size_bytes: int


def fill(folder: DataFolder, rows: int, end_us: int) -> Books:
    """An index of `rows` events that end with `end_us`."""
    began_s = time.perf_counter()
    make_index(folder.index).dispose()
    begin_us = end_us - DAYS * DAY_US
    rng = np.random.default_rng(11)
    starts = _moments(rng, rows, begin_us)
    with contextlib.closing(sqlite3.connect(folder.index, isolation_level=None)) as connection:
        for pragma in ("synchronous = OFF", "cache_size = -2000000", "locking_mode = EXCLUSIVE", "foreign_keys = OFF"):
            connection.execute(f"PRAGMA {pragma}").close()
        connection.executemany("INSERT INTO cameras VALUES (?)", [(name,) for name in CAMERAS])
        for first in range(0, rows, CHUNK):
            connection.execute("BEGIN")
            _add(connection, rng, starts[first : first + CHUNK], first)
            connection.execute("COMMIT")
        connection.execute("BEGIN")
        _add_footage(connection, begin_us, end_us)
        _add_rare(connection, begin_us, end_us)
        connection.execute("COMMIT")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").close()
    days, found = np.unique((starts - begin_us) // DAY_US, return_counts=True)
    busiest_us = begin_us + int(days[np.argmax(found)]) * DAY_US
    return Books(rows, begin_us, end_us, busiest_us, time.perf_counter() - began_s, folder.index.stat().st_size)


def _moments(rng: np.random.Generator, rows: int, begin_us: int) -> NDArray[np.int64]:
    """When they begin, in order: five times as many at noon as at midnight, and on some days twice as many."""
    hours = np.arange(DAYS * 24)
    weight = (1 - np.cos(2 * np.pi * hours / 24)) * 2 + 1
    weight *= np.repeat(rng.uniform(0.7, 1.4, DAYS), 24)
    hour = rng.choice(len(hours), rows, p=weight / weight.sum())
    moments = begin_us + (hour * 3600 + rng.uniform(0, 3600, rows)) * US_PER_S
    return np.sort(moments.astype(np.int64))


def _add(connection: sqlite3.Connection, rng: np.random.Generator, starts: NDArray[np.int64], first: int) -> None:
    names, shares = list(CAMERAS), np.array([share for _, share in CAMERAS.values()])
    which_camera = rng.choice(len(names), len(starts), p=shares / shares.sum())
    kind_shares = np.array([share for *_, share, _ in KINDS])
    which_kind = rng.choice(len(KINDS), len(starts), p=kind_shares / kind_shares.sum())
    lasts = rng.uniform(0, 1, len(starts))
    counts = rng.integers(1, 9, len(starts))
    marks = secrets.token_hex(4 * len(starts))
    events: list[tuple[Any, ...]] = []
    notes: list[tuple[Any, ...]] = []
    pictures: list[tuple[Any, ...]] = []
    for number, start_us in enumerate(starts.tolist()):
        camera: str | None = names[which_camera[number]]
        kind, severity, _, longest_s = KINDS[which_kind[number]]
        if camera == BUSY and kind == NOT_AT_BUSY:
            kind = "occupancy"
        event_id = f"{compact_utc(start_us)}-{marks[8 * number : 8 * number + 8]}"
        if kind == "camera_lost" and number % 50 == 0:
            camera, kind = None, "clock_off"
        end_us = start_us + round(float(lasts[number]) * longest_s * US_PER_S)
        is_noted = (severity == "alarm" and number % 5 < 3) or (severity == "warning" and number % 10 == 0)
        is_open = severity != "info" and (first + number) % 40_000 == 7
        detail = _detail(kind, int(counts[number]))
        events.append(
            (event_id, kind, severity, camera, start_us, None if is_open else end_us, detail, "analyst-1/1", start_us if is_noted else None)
        )
        if severity == "alarm" and camera is not None:
            pictures.append((event_id, camera, f"snapshots/{camera}/{event_id}.jpg", start_us, 30_000, "0" * 64))
        if is_noted:
            notes.append((f"{event_id}-n", event_id, "acknowledged", start_us, "anna", "on my way", start_us))
            if number % 4 == 0:
                notes.append((f"{event_id}-m", event_id, "comment", start_us + 1, "ben", "thanks", start_us + 1))
    connection.executemany(_EVENT, events)
    connection.executemany("INSERT INTO event_notes VALUES (?,?,?,?,?,?,?)", notes)
    connection.executemany("INSERT INTO snapshots VALUES (?,?,?,?,?,?)", pictures)


_EVENT: Final = (
    "INSERT INTO events (event_id, kind, severity, camera, start_us, end_us, detail, opened_in, acknowledged_us) VALUES (?,?,?,?,?,?,?,?,?)"
)


def _detail(kind: str, count: int) -> str:
    if kind in ("camera_lost", "clock_off", "picture_black"):
        return json.dumps({"note": "no picture has come for a while"})
    if kind == "line_crossed":
        rule = {
            "rule": f"line-{count % 3}",
            "place": "north-crossing",
            "kind": CountedKind.PERSON.value,
            "count": count,
            "ways": ["forward"],
        }
        return json.dumps(rule)
    return json.dumps({"rule": f"{kind}-1", "place": "square", "kind": "person", "count": count, "value": 4.0, "unit": "s", "limit": 3.0})


_SEGMENT: Final = "INSERT INTO segments VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)"


def _add_footage(connection: sqlite3.Connection, begin_us: int, end_us: int) -> None:
    """Masked segments of ten minutes for every camera; a gap and a covered minute each day."""
    for camera in CAMERAS:
        connection.executemany(_SEGMENT, _segments(camera, begin_us, end_us))
        for day, at_us in enumerate(range(begin_us, end_us, DAY_US)):
            gap = (f"g-{camera}-{day}", camera, "camera lost", at_us + 1, at_us + 9 * US_PER_S, "", "recorder/1")
            connection.execute("INSERT INTO gaps VALUES (?,?,?,?,?,?,?)", gap)
            cover = (f"c-{camera}-{day}", camera, "detector stalled", at_us + 5, at_us + 60 * US_PER_S, "analyst-1/1")
            connection.execute("INSERT INTO covered VALUES (?,?,?,?,?,?)", cover)


def _segments(camera: str, begin_us: int, end_us: int) -> Iterator[tuple[Any, ...]]:
    for number, (start_us, until_us) in enumerate(pairwise(range(begin_us, end_us + 1, SEGMENT_US))):
        name = f"{camera}-{number}"
        yield (
            *(name, camera, "masked", "closed", f"masked/{name}.mp4", "run", None, number, start_us, until_us),
            *(700, 15_000_000, 6000, 600, "rotated", "0" * 64, "analyst-1/1"),
        )


def _add_rare(connection: sqlite3.Connection, begin_us: int, end_us: int) -> None:
    """Three events each of a rule and of a type that are found nowhere else: one old, one in the middle, one new."""
    for number, at_us in enumerate((begin_us + DAY_US, (begin_us + end_us) // 2, end_us - DAY_US)):
        for rule, kind in ((RARE_RULE, "line_crossed"), ("bags", RARE_KIND)):
            row = (
                f"rare-{rule}-{number}",
                kind,
                "info",
                RARE_CAMERA,
                at_us,
                at_us + 1,
                json.dumps({"rule": rule, "place": "gate"}),
                "-",
                None,
            )
            connection.execute(_EVENT, row)


def found(folder: DataFolder) -> Books:
    """The books that are there already."""
    with contextlib.closing(sqlite3.connect(f"file:{folder.index}?mode=ro", uri=True)) as connection:
        rows = int(connection.execute("SELECT count(*) FROM events").fetchone()[0])
        begin_us, end_us = connection.execute("SELECT min(start_us), max(end_us) FROM segments").fetchone()
        by_day = "SELECT (start_us - ?) / ? AS day FROM events WHERE camera = ? GROUP BY day ORDER BY count(*) DESC LIMIT 1"
        (day,) = connection.execute(by_day, (begin_us, DAY_US, BUSY)).fetchone()
    return Books(rows, begin_us, end_us, begin_us + day * DAY_US, 0.0, folder.index.stat().st_size)
