"""What moves everybody at once is the camera; what moves some is they."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from lamppost.track.sway import sway_of


def crowd(count: int, seed: int = 3) -> NDArray[np.float64]:
    rng = np.random.default_rng(seed)
    return np.column_stack(
        [rng.uniform(0, 1900, count), rng.uniform(0, 1000, count), rng.uniform(35, 45, count), rng.uniform(90, 110, count)]
    )


@given(st.integers(4, 30), st.integers(0, 1000), st.floats(-70, 70), st.floats(-70, 70))
def test_a_movement_of_all_is_found(count: int, seed: int, x: float, y: float) -> None:
    expected = crowd(count, seed)
    found = np.random.default_rng(seed).permutation(expected + np.array([x, y, 0, 0]))
    sway = sway_of(expected, found)
    if sway is None:
        # Too little to tell, and too little to matter.
        assert np.hypot(x, y) < 20
    else:
        assert sway == pytest.approx([x, y], abs=8)


def test_a_third_that_stay_unseen_and_some_who_are_new_do_not_hide_it() -> None:
    expected = crowd(12)
    found = np.concatenate([expected[:8] + np.array([50.0, -20, 0, 0]), crowd(4, seed=9)])
    sway = sway_of(expected, found)
    assert sway is not None
    assert sway == pytest.approx([50, -20], abs=3)


def test_those_who_run_off_do_not_take_the_others_with_them() -> None:
    expected = crowd(10)
    found = expected.copy()
    found[:4, 0] += 60
    assert sway_of(expected, found) is None


@pytest.mark.parametrize(("expected", "found"), [(0, 0), (2, 2), (0, 5), (5, 0)])
def test_too_few_tell_nothing(expected: int, found: int) -> None:
    assert sway_of(crowd(expected), crowd(found) + np.array([50.0, 0, 0, 0])) is None
