"""The first pictures tell what a stream does not: its first time and its reordering."""

from __future__ import annotations

import pytest

from lamppost.ingest.opening import MOST_HELD, OpeningWindow
from lamppost.ingest.units import AccessUnit

FRAME = 3600


def unit(pts: int | None, dts: int | None = None) -> AccessUnit:
    return AccessUnit(b"", pts, dts, 0, False, 0, 0.0)


@pytest.mark.parametrize(
    ("origin", "times", "expected"),
    [
        (0, [None, 7200, 14_400], [0, 7200, 14_400]),
        # The keyframe of a B-frame stream: what follows is shown three pictures later.
        (0, [None, 10_800, 3600], [0, 10_800, 3600]),
        # The camera plays from somewhere else: one interval before the next.
        (0, [None, 900_000, 903_600], [896_400, 900_000, 903_600]),
        (None, [None, 7200, 10_800], [3600, 7200, 10_800]),
        (0, [100, 3700], [100, 3700]),
    ],
)
def test_a_missing_first_time_is_found(origin: int | None, times: list[int | None], expected: list[int]) -> None:
    start = OpeningWindow(origin_90k=origin, nominal_interval_90k=FRAME)
    units = [one for time in times for one in start.push(unit(time))] + list(start.flush())
    assert [one.pts_90k for one in units] == expected


def test_what_is_held_back_comes_out_at_the_end() -> None:
    start = OpeningWindow(origin_90k=0, nominal_interval_90k=FRAME)
    assert list(start.push(unit(None))) == []
    assert [one.pts_90k for one in start.flush()] == [0]


@pytest.mark.parametrize(
    ("shown", "depth"),
    [([0, 1, 2, 3, 4, 5, 6, 7], 0), ([0, 3, 1, 2, 6, 4, 5, 9], 1), ([0, 4, 2, 1, 3, 8, 6, 5], 2), ([1, 2, 6, 4, 5, 9, 7, 8], 1)],
)
def test_reordering_is_seen(shown: list[int], depth: int) -> None:
    start = OpeningWindow(origin_90k=0, nominal_interval_90k=FRAME)
    units = [one for index in shown for one in start.push(unit(index * FRAME))]
    assert len(units) == MOST_HELD
    assert start.reorder_depth == depth


def test_a_stream_that_tells_its_decoding_order_is_not_held() -> None:
    start = OpeningWindow(origin_90k=None, nominal_interval_90k=FRAME)
    assert len(list(start.push(unit(0, 0)))) == 1


def test_a_raw_stream_without_times_passes_as_it_is() -> None:
    start = OpeningWindow(origin_90k=None, nominal_interval_90k=FRAME)
    units = [one for _ in range(10) for one in start.push(unit(None))]
    assert [one.pts_90k for one in units] == [None] * 10
