"""Runs trackers over sequences and puts their figures together; docs/reference/track.md defines them."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Final

from lamppost import __version__
from lamppost.base.clock import Clock, format_utc
from lamppost.bench.followers import Follower, follow
from lamppost.bench.mot_sequences import TrackSequence
from lamppost.bench.rates import percentile
from lamppost.bench.tracking import TrackScore, combined, score

FORMAT: Final = "lamppost-track-1"
_LIBRARIES: Final = ("trackeval", "trackers", "lapx", "numpy", "scipy")

Tell = Callable[[str, str], None]


@dataclass(frozen=True, slots=True)
class Row:
    """What one tracker did to one sequence, or to all where `sequence` is empty. `frame_ms` is empty for ready tracks."""

    sequence: str
    tracker: str
    score: TrackScore
    frame_ms: tuple[float, ...]

    @property
    def median_ms(self) -> float | None:
        return percentile(list(self.frame_ms), 0.5)

    @property
    def p95_ms(self) -> float | None:
        return percentile(list(self.frame_ms), 0.95)


def measure(sequences: Sequence[TrackSequence], followers: Sequence[Follower], tell: Tell) -> tuple[Row, ...]:
    """A row for each tracker and sequence, and one for all of them for each tracker that was measured on several, and on all."""
    rows = list[Row]()
    for sequence in sequences:
        if sequence.detections is not None:
            for follower in followers:
                tell(sequence.name, follower.name)
                tracks, frame_ms = follow(follower, sequence)
                rows.append(Row(sequence.name, follower.name, score(sequence.truth, tracks, sequence.frame_count), tuple(frame_ms)))
        for name, tracks in sequence.tracks.items():
            tell(sequence.name, name)
            rows.append(Row(sequence.name, name, score(sequence.truth, tracks, sequence.frame_count), ()))
    return (*rows, *_totals(rows, len(sequences)))


def _totals(rows: Sequence[Row], count: int) -> list[Row]:
    totals = list[Row]()
    for name in dict.fromkeys(row.tracker for row in rows):
        mine = [row for row in rows if row.tracker == name]
        if count > 1 and len(mine) == count:
            frame_ms = tuple(each for row in mine for each in row.frame_ms)
            totals.append(Row("", name, combined([row.score for row in mine]), frame_ms))
    return totals


def to_json(sequences: Sequence[TrackSequence], rows: Sequence[Row], notes: Sequence[str], clock: Clock) -> dict[str, Any]:
    """Everything that was measured, with whom and on what."""
    return {
        "format": FORMAT,
        "lamppost": __version__,
        "made": format_utc(clock.wall_us()),
        "machine": {"cores": os.cpu_count(), "architecture": platform.machine(), "python": platform.python_version()},
        "libraries": _versions(),
        "notes": list(notes),
        "sequences": [
            {
                "name": each.name,
                "fps": each.fps,
                "frames": each.frame_count,
                "truth_boxes": len(each.truth),
                "detections": None if each.detections is None else len(each.detections),
                "results": {row.tracker: _row_json(row) for row in rows if row.sequence == each.name},
            }
            for each in sequences
        ],
        "combined": {row.tracker: _row_json(row) for row in rows if not row.sequence},
    }


def _row_json(row: Row) -> dict[str, Any]:
    return {
        "hota": row.score.hota,
        "deta": row.score.det_a,
        "assa": row.score.ass_a,
        "idf1": row.score.idf1,
        "mota": row.score.mota,
        "id_switches": row.score.switches,
        "frame_ms": {"median": row.median_ms, "p95": row.p95_ms} if row.frame_ms else None,
    }


def _versions() -> dict[str, str]:
    found: dict[str, str] = {}
    for name in _LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
