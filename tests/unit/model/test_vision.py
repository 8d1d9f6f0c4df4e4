"""Boxes add up, and a frame says its size."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lamppost.model.vision import Box, CoverCause, Detection, Frame, Kind, MaskedFrame

coordinates = st.floats(-5000, 5000, allow_nan=False)


@st.composite
def boxes(draw: st.DrawFn, least: float = 0.0) -> Box:
    x0, y0 = draw(coordinates), draw(coordinates)
    extents = st.floats(least, 3000, allow_nan=False)
    return Box(x0, y0, x0 + draw(extents), y0 + draw(extents))


def holds(outer: Box, inner: Box) -> bool:
    return outer.x0 <= inner.x0 and outer.y0 <= inner.y0 and outer.x1 >= inner.x1 and outer.y1 >= inner.y1


def test_a_box_is_left_top_inside_and_right_bottom_outside() -> None:
    box = Box(10, 20, 30, 60)
    assert (box.width, box.height, box.area) == (20, 40, 800)


def test_half_of_two_boxes_is_shared() -> None:
    left, right = Box(0, 0, 20, 10), Box(10, 0, 30, 10)
    assert left.intersection(right) == 100
    assert left.iou(right) == pytest.approx(1 / 3)
    assert left.union(right) == Box(0, 0, 30, 10)


def test_boxes_that_touch_share_nothing() -> None:
    assert Box(0, 0, 10, 10).intersection(Box(10, 0, 20, 10)) == 0
    assert Box(0, 0, 10, 10).iou(Box(10, 10, 20, 20)) == 0


def test_an_inverted_box_has_no_area() -> None:
    assert Box(10, 10, 0, 0).area == 0
    assert Box(10, 0, 0, 10).area == 0


@given(boxes(), boxes())
def test_a_union_holds_both_and_no_more(a: Box, b: Box) -> None:
    union = a.union(b)
    assert holds(union, a)
    assert holds(union, b)
    assert union == b.union(a)
    assert {union.x0, union.y0, union.x1, union.y1} <= {a.x0, a.y0, a.x1, a.y1, b.x0, b.y0, b.x1, b.y1}


@given(boxes(), boxes())
def test_what_is_shared_is_in_both(a: Box, b: Box) -> None:
    shared = a.intersection(b)
    assert 0 <= shared <= min(a.area, b.area)
    assert shared == b.intersection(a)


@given(boxes(least=0.5), boxes(least=0.5))
def test_overlap_is_a_share_from_0_to_1(a: Box, b: Box) -> None:
    assert 0 <= a.iou(b) <= 1 + 1e-9
    assert math.isclose(a.iou(b), b.iou(a), abs_tol=1e-9)
    assert math.isclose(a.iou(a), 1, rel_tol=1e-9)


def test_boxes_without_extent_do_not_divide_by_nothing() -> None:
    point = Box(5, 5, 5, 5)
    assert point.iou(point) == 0
    assert point.iou(Box(0, 0, 10, 10)) == 0


@given(boxes(), st.floats(0, 2), st.floats(0, 100))
def test_padding_only_grows_and_at_least_as_asked(box: Box, ratio: float, least_px: float) -> None:
    padded = box.padded(ratio, least_px)
    assert holds(padded, box)
    for grown in (box.x0 - padded.x0, padded.x1 - box.x1, box.y0 - padded.y0, padded.y1 - box.y1):
        assert grown >= least_px - 1e-6
    assert padded.width == pytest.approx(box.width + 2 * max(box.width * ratio, least_px), abs=1e-6)


@given(boxes(), st.integers(2, 4096), st.integers(2, 4096))
def test_clipping_stays_inside_the_picture_and_the_box(box: Box, width_px: int, height_px: int) -> None:
    clipped = box.clipped(width_px, height_px)
    picture = Box(0, 0, width_px, height_px)
    assert clipped.area == pytest.approx(box.intersection(picture), abs=1e-6)
    if clipped.width > 0 and clipped.height > 0:
        assert holds(picture, clipped)
        assert holds(box, clipped)
    assert clipped.clipped(width_px, height_px) == clipped


@given(st.integers(1, 64), st.integers(1, 64))
def test_a_frame_knows_its_size_by_its_planes(half_width: int, half_height: int) -> None:
    i420 = np.zeros((half_height * 3, half_width * 2), np.uint8)
    frames = (Frame(i420, 0, 0), MaskedFrame(i420, 0, 0, (), CoverCause.STARTING))
    for frame in frames:
        assert (frame.width_px, frame.height_px) == (half_width * 2, half_height * 2)
    assert frames[0].luma.shape == (half_height * 2, half_width * 2)
    assert frames[0].luma.base is i420  # a view, no copy


def test_nothing_can_be_hung_on_a_detection() -> None:
    detection = Detection(Kind.FACE, Box(0, 0, 1, 1), 0.9)
    with pytest.raises((AttributeError, TypeError)):
        detection.name = "somebody"  # type: ignore[attr-defined]
    with pytest.raises((AttributeError, TypeError)):
        detection.score = 1.0  # type: ignore[misc]
