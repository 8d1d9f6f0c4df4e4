"""Boxes go with what is in them, and it is said where nothing tells."""

from __future__ import annotations

import cv2
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from lamppost.model.vision import Box
from lamppost.track.flow import FlowCarrier

SCALE = 2.0
RANDOM = np.random.default_rng(5)
PLACE = cv2.GaussianBlur(RANDOM.integers(0, 255, (180, 320), np.uint8), (0, 0), 3)
THING = cv2.GaussianBlur(RANDOM.integers(0, 255, (40, 24), np.uint8), (0, 0), 2)


def scene(x: int, y: int) -> np.ndarray:
    picture = PLACE.copy()
    picture[y : y + 40, x : x + 24] = THING
    return picture


def box_at(x: int, y: int) -> Box:
    return Box(SCALE * x, SCALE * y, SCALE * (x + 24), SCALE * (y + 40))


@settings(deadline=None, max_examples=60)
@given(st.integers(20, 270), st.integers(10, 120), st.integers(-5, 5), st.integers(-5, 5))
def test_a_box_goes_with_its_thing(x: int, y: int, dx: int, dy: int) -> None:
    flow = FlowCarrier()
    flow.skip(scene(x, y))
    still, moved = flow.carry(scene(x + dx, y + dy), [box_at(x, y) if x < 150 else Box(0, 0, 20, 20), box_at(x, y)], SCALE)
    assert moved.is_sure
    assert abs(moved.dx - SCALE * dx) <= 1.5
    assert abs(moved.dy - SCALE * dy) <= 1.5
    if x >= 150:
        assert (still.dx, still.dy, still.is_sure) == (0, 0, True), "where nothing moves, nothing is moved"


def test_a_plain_or_changed_picture_tells_nothing() -> None:
    flow, box = FlowCarrier(), Box(100, 60, 160, 140)
    assert not flow.carry(scene(60, 40), [box], SCALE)[0].is_sure, "there was no picture before"
    noise = np.random.default_rng(8).integers(0, 255, (180, 320), np.uint8)
    assert not flow.carry(noise, [box], SCALE)[0].is_sure


def test_a_box_outside_of_the_picture_does_no_harm() -> None:
    flow = FlowCarrier()
    flow.skip(scene(60, 40))
    shifts = flow.carry(scene(62, 40), [Box(-300, -300, -200, -200), Box(600, 340, 900, 800)], SCALE)
    assert len(shifts) == 2
