"""UTC of pictures rises with their pts and follows the camera's clock over days."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from lamppost.ingest.walltime import MOST_SLEW, WallMap

START_US = 1_700_000_000_000_000


@given(st.lists(st.tuples(st.integers(1, 20_000), st.integers(0, 3_000_000)), min_size=2, max_size=200))
def test_utc_rises_with_pts_at_most_500_ppm_off_nominal(steps: list[tuple[int, int]]) -> None:
    wall = WallMap(0, START_US)
    pts, walls = 0, [(0, START_US)]
    for step, late_us in steps:
        pts += step
        walls.append((pts, wall.advance(pts, START_US + pts * 100 // 9 + late_us)))
    for (pts_a, wall_a), (pts_b, wall_b) in itertools.pairwise(walls):
        nominal_us = (pts_b - pts_a) * 100 / 9
        assert wall_b > wall_a
        assert abs(wall_b - wall_a - nominal_us) <= nominal_us * MOST_SLEW + 2


@given(st.permutations(list(range(12))), st.integers(-400, 400))
def test_b_frames_rise_too_and_what_was_said_stays(order: list[int], ppm: int) -> None:
    wall = WallMap(0, START_US, rate=ppm * 1e-6)
    said = {index: wall.advance(index * 3000, START_US + index * 33_333) for index in order}
    walls = [said[index] for index in sorted(said)]
    assert walls == sorted(set(walls))
    assert all(wall.at(index * 3000) == us for index, us in said.items())


@given(st.integers(-300, 300))
def test_drift_of_days_stays_bounded(ppm: int) -> None:
    wall = WallMap(0, START_US)
    worst_us = 0
    for second in range(1, 86_400, 5):
        true_us = round(second * 1_000_000 * (1 + ppm * 1e-6))
        late_us = (second * 7919) % 40_000
        said_us = wall.advance(second * 90_000, START_US + true_us + late_us) - START_US
        worst_us = max(worst_us, abs(said_us - true_us))
    assert worst_us < 60_000


def test_lateness_of_bursts_does_not_bend_time() -> None:
    wall = WallMap(0, START_US)
    for frame in range(1, 25 * 60):
        late_us = 900_000 if frame % 25 else 0
        wall.advance(frame * 3600, START_US + frame * 40_000 + late_us)
    assert abs(wall.rate) < 1e-6


def test_a_runaway_clock_is_reported() -> None:
    wall = WallMap(0, START_US)
    for second in range(1, 1200):
        wall.advance(second * 90_000, START_US + round(second * 1_000_000 * 1.01))
    assert wall.drift_us > 2_000_000
