"""The filter knows seconds alone: how a time is cut into steps makes no difference."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from lamppost.track.motion_model import MotionModel

WALKER = np.array([[100.0, 200.0, 40.0, 100.0]])
FIRST = np.array([0])


def walked(step_s: float, steps: int, speed: float = 60.0) -> MotionModel:
    model = MotionModel()
    model.add(WALKER, np.ones(1))
    for step in range(1, steps + 1):
        model.predict(step_s)
        model.correct(FIRST, at(speed * step_s * step))
    return model


def at(x: float) -> NDArray[np.float64]:
    moved: NDArray[np.float64] = WALKER + np.array([x, 0, 0, 0])
    return moved


@given(st.lists(st.floats(0.001, 0.5), min_size=1, max_size=8))
def test_many_small_steps_are_one_large_one(steps: list[float]) -> None:
    many, once = walked(0.1, 10), walked(0.1, 10)
    for step in steps:
        many.predict(step)
    once.predict(sum(steps))
    assert many.place == pytest.approx(once.place)
    # What a measurement is worth then tells that the covariances are the same too.
    for model in (many, once):
        model.correct(FIRST, at(130.0))
        model.predict(0.5)
    assert many.place == pytest.approx(once.place, rel=1e-6)


@pytest.mark.parametrize("fps", [3, 10, 30])
def test_a_walker_is_expected_further_on(fps: int) -> None:
    model = walked(1 / fps, 2 * fps)
    model.predict(0.3)
    assert model.place[0, 0] == pytest.approx(100 + 60 * 2.3, abs=6)
    assert model.place[0, 2:] == pytest.approx([40, 100], abs=1)


def test_nothing_runs_on_for_ever_unseen() -> None:
    model = walked(0.1, 30)
    before = float(model.place[0, 0])
    for _ in range(1000):
        model.predict(1.0)
    assert model.place[0, 0] - before < 60 * 3.5


def test_what_fits_better_costs_less_and_waiting_makes_every_match_worth_less() -> None:
    model = walked(0.1, 20)
    model.predict(0.1)
    near, far = model.costs(np.concatenate([at(126.0), at(200.0)]))[0]
    assert near < 3 < 19 < far
    for _ in range(10):
        model.predict(0.1)
    later = model.costs(model.place)[0, 0]
    assert later > near + 3


def test_a_box_that_doubles_at_once_is_believed_less() -> None:
    model = walked(0.1, 20, speed=0.0)
    model.predict(0.1)
    model.correct(FIRST, WALKER * (1, 1, 2.5, 1))
    assert model.place[0, 2] < 40 * 1.5
    model.predict(0.1)
    model.correct(FIRST, WALKER)
    assert model.place[0, 2] == pytest.approx(40, rel=0.2)
