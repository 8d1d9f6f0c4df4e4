"""How well and how fast things are followed: on public clips and on made-up streets, beside reference trackers on the same boxes.

The clips are TUD-Stadtmitte and TUD-Campus with their public detections, from `LAMPPOST_TEST_DATA`; `lamppost bench track` gives the
same figures for any clip. The streets of `track_scenes.py` need nothing, and show the frame rates that no clip has.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import numpy as np

from benchmarks.clips import shared_data
from benchmarks.figures import Figure, table
from benchmarks.track_scenes import Scene, as_motion, film, make_street
from lamppost.bench.followers import Follower, LamppostFollower, follow
from lamppost.bench.mot_sequences import TrackSequence, find_sequences
from lamppost.bench.mot_tracks import MotBoxes
from lamppost.bench.peers import peers
from lamppost.bench.rates import percentile
from lamppost.bench.track_figures import Row
from lamppost.bench.track_figures import measure as measure_rows
from lamppost.model.vision import Kind

SEEDS: Final = range(20, 24)  # 0 to 3 and 100 to 104 are those that constants were chosen by
RATES_FPS: Final = (1, 3, 6, 12, 25)
_OBJECTS: Final = 20
_FRAMES: Final = 2000


def measure() -> list[Figure]:
    """The clips, the streets by frame rate, and the time at 20 objects."""
    return [*_of_clips(), *_of_streets(), *_speed()]


def _of_clips() -> list[Figure]:
    data = shared_data()
    if data is None:
        return []
    sequences = find_sequences(data / "mot")
    rows = measure_rows(sequences, [LamppostFollower(), *peers()], lambda _sequence, _tracker: None)
    figures = list[Figure]()
    for name in [*(each.name for each in sequences), ""]:
        figures += _compared(name or "both", [row for row in rows if row.sequence == name], "goal ≥ 1")
    return figures


def _of_streets() -> list[Figure]:
    figures = list[Figure]()
    streets = [make_street(seed) for seed in SEEDS]
    for fps in RATES_FPS:
        scenes = [film(f"street {seed}", street, fps, seed) for seed, street in zip(SEEDS, streets, strict=True)]
        figures += _compared(f"made-up streets, {fps} a second", _combined(scenes), "")
    dropped = [film(f"street {seed}", street, 12, seed, dropped=0.2) for seed, street in zip(SEEDS, streets, strict=True)]
    figures += _compared("the same at 12, a fifth of the frames without detections", _combined(dropped), "")
    swaying = [film(f"street {seed}", street, 12, seed, sway_px=30.0) for seed, street in zip(SEEDS, streets, strict=True)]
    figures += _compared("the same at 12, on a pole that swings by 30 pixels", _combined(swaying), "")
    motion = [as_motion(film(f"quiet {seed}", make_street(200 + seed, people=7, bicycles=1, vehicles=2), 12, seed)) for seed in SEEDS]
    figures += _compared("moving spots that merge, 12 a second", _combined(motion, Kind.OBJECT), "")
    return figures


def _combined(scenes: list[Scene], kind: Kind = Kind.PERSON) -> list[Row]:
    none: Mapping[str, MotBoxes] = MappingProxyType({})
    sequences = [TrackSequence(each.name, each.fps, each.frame_count, each.truth, each.detections, none) for each in scenes]
    rows = measure_rows(sequences, [LamppostFollower(kind), *peers()], lambda _sequence, _tracker: None)
    return [row for row in rows if not row.sequence]


def _compared(what: str, rows: list[Row], note: str) -> list[Figure]:
    """HOTA and IDF1 beside the best of the others, each by its own best; switches of ids where the goal is told."""
    ours, *others = [row for row in rows if row.frame_ms]
    figures = list[Figure]()
    for title, share in (("HOTA", _hota), ("IDF1", _idf1)):
        best = max(others, key=share)
        ratio = f"{share(ours) / share(best):.2f}"
        figures.append(Figure(f"{what}: {title}", f"{share(ours):.1%}", f"{share(best):.1%} ({best.tracker})", ratio, note))
    if note:
        fewest = min(others, key=lambda row: row.score.switches)
        theirs = f"{fewest.score.switches} ({fewest.tracker})"
        figures.append(Figure(f"{what}: switches of ids", str(ours.score.switches), theirs, "–", "the fewest of the others"))
    return figures


def _hota(row: Row) -> float:
    return row.score.hota


def _idf1(row: Row) -> float:
    return row.score.idf1


def _speed() -> list[Figure]:
    """Milliseconds a frame with 20 things in it, all detected."""
    rng = np.random.default_rng(0)
    starts = rng.uniform((0, 0, 20, 50), (1900, 1000, 60, 150), (_OBJECTS, 4))
    speeds = rng.normal(0, 3, (_OBJECTS, 2))
    frames = np.repeat(np.arange(_FRAMES), _OBJECTS)
    boxes = np.tile(starts, (_FRAMES, 1)) + rng.normal(0, 1, (_FRAMES * _OBJECTS, 4))
    boxes[:, :2] += np.sin(frames / 200)[:, np.newaxis] * 60 * np.tile(speeds, (_FRAMES, 1))
    ids = np.tile(np.arange(_OBJECTS), _FRAMES)
    found = MotBoxes(frames, ids, boxes, np.full(len(ids), 0.9), np.zeros(len(ids), np.int64))
    sequence = TrackSequence("20 things", 25.0, _FRAMES, found, found, MappingProxyType({}))

    def timed(follower: Follower) -> list[float]:
        return follow(follower, sequence)[1]

    ours, theirs = timed(LamppostFollower()), {each.name: timed(each) for each in peers() if "timed" not in each.name}
    name = min(theirs, key=lambda each: percentile(theirs[each], 0.5) or 0.0)
    ratio = f"{(percentile(ours, 0.5) or 0) / (percentile(theirs[name], 0.5) or 1):.2f}×"
    return [Figure("time a frame at 20 things", _times(ours), f"{_times(theirs[name])} ({name})", ratio, "goal ≤ 1 ms; the fastest peer")]


def _times(frame_ms: list[float]) -> str:
    return f"{percentile(frame_ms, 0.5):.2f} ms (95th percentile {percentile(frame_ms, 0.95):.2f})"


if __name__ == "__main__":
    print(table("Tracking", measure()))
