from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lamppost.model.vision import Frame
from lamppost.pipeline.held_start import HeldStart

FRAME_BYTES = 16 * 12


def frames(steps_90k: list[int], taken: list[int] | None = None) -> Iterator[Frame]:
    pts_90k = 0
    for step_90k in steps_90k:
        if taken is not None:
            taken.append(pts_90k)
        yield Frame(np.zeros((12, 16), np.uint8), pts_90k, 0)
        pts_90k += step_90k


@given(st.lists(st.integers(1, 200_000), max_size=80), st.floats(0, 8), st.integers(1, 100 * FRAME_BYTES), st.integers(1, 60))
def test_every_frame_comes_once_in_order_and_memory_is_bounded(steps: list[int], hold_s: float, most_bytes: int, most: int) -> None:
    taken: list[int] = []
    start = HeldStart(frames(steps, taken), hold_s=hold_s, interval_90k=90_000, most_bytes=most_bytes)
    assert len(taken) <= max(1, most_bytes // FRAME_BYTES)
    spread = [frame.pts_90k for frame in start.spread(most)]
    assert len(spread) <= most
    assert spread == sorted(set(spread))
    assert set(spread) <= set(taken)
    assert spread[:1] == taken[:1]
    assert [frame.pts_90k for frame in start] == [frame.pts_90k for frame in frames(steps)]


def test_what_is_spread_covers_the_start_evenly() -> None:
    start = HeldStart(frames([3600] * 200), hold_s=4.0, interval_90k=3600, most_bytes=1_000_000)
    spread = [frame.pts_90k / 90_000 for frame in start.spread(10)]
    assert spread == pytest.approx([0.4 * index for index in range(10)], abs=0.05)
    assert start.holds_all


@pytest.mark.parametrize(
    ("interval_90k", "most_frames", "holds_all", "held"),
    [(3600, 200, True, 60), (3600, 30, False, 1), (90_000, 30, False, 29)],  # the last one's nominal rate was wrong
)
def test_it_says_when_memory_was_short(interval_90k: int, most_frames: int, holds_all: bool, held: int) -> None:
    taken: list[int] = []
    source = frames([3600] * 60, taken)
    start = HeldStart(source, hold_s=5.0, interval_90k=interval_90k, most_bytes=most_frames * FRAME_BYTES)
    assert start.holds_all is holds_all
    assert len(taken) == pytest.approx(held, abs=1)


def test_held_frames_are_let_go_as_they_are_handed_on() -> None:
    handed = iter(HeldStart(frames([3600] * 10), hold_s=5.0, interval_90k=3600, most_bytes=1_000_000))
    pixels = weakref.ref(next(handed).i420)
    gc.collect()
    assert pixels() is None
    assert sum(1 for _ in handed) == 9


def test_an_error_at_the_start_is_raised_at_once() -> None:
    def broken() -> Iterator[Frame]:
        yield from frames([3600] * 3)
        raise ValueError("torn")

    with pytest.raises(ValueError, match="torn"):
        HeldStart(broken(), hold_s=5.0, interval_90k=3600, most_bytes=1_000_000)
