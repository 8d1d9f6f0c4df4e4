"""Boxes hold what was foreground, and there are never more of them than is bearable."""

from __future__ import annotations

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from lamppost.detect.blobs import MOST_BOXES, find_components, merge_boxes

CORNERS = st.lists(
    st.tuples(st.integers(0, 300), st.integers(0, 160), st.integers(1, 40), st.integers(1, 40)).map(
        lambda box: (box[0], box[1], box[0] + box[2], box[1] + box[3])
    ),
    max_size=200,
)


@given(CORNERS)
def test_merging_covers_every_box_with_a_bounded_number(corners):
    boxes = np.array(corners, np.int32).reshape(-1, 4)
    merged = merge_boxes(boxes, gap_px=3, tall_px=36)
    assert len(merged) <= min(len(boxes), MOST_BOXES)
    for x0, y0, x1, y1 in boxes:
        assert any(m[0] <= x0 and m[1] <= y0 and m[2] >= x1 and m[3] >= y1 for m in merged)


def test_passing_cars_stay_two_boxes_and_parts_of_one_become_one():
    diagonal = np.array([(0, 0, 60, 40), (55, 38, 140, 90)], np.int32)
    assert len(merge_boxes(diagonal, gap_px=3, tall_px=10)) == 2
    parts = np.array([(0, 0, 60, 40), (62, 2, 90, 40)], np.int32)
    assert merge_boxes(parts, gap_px=3, tall_px=10).tolist() == [[0, 0, 90, 40]]


def test_a_head_and_legs_become_one_person():
    parts = np.array([(100, 20, 112, 34), (96, 60, 118, 90)], np.int32)
    assert merge_boxes(parts, gap_px=3, tall_px=36).tolist() == [[96, 20, 118, 90]]


def test_a_component_needs_size_and_seeds():
    weak = np.zeros((90, 160), np.bool_)
    weak[10:30, 10:20] = True  # no seed
    weak[50:70, 100:120] = True
    weak[5:7, 150:152] = True  # too small
    seeds = np.zeros_like(weak)
    seeds[55:60, 105:110] = seeds[5:7, 150:152] = True
    (box,), (doubtful,) = find_components(weak, seeds, least_px=17)
    x0, y0, x1, y1 = box
    assert (98, 48) <= (x0, y0) <= (100, 50)
    assert (120, 70) <= (x1, y1) <= (122, 72)
    assert doubtful[0] <= 10 < 20 <= doubtful[2], "what has no seed is in doubt"
    assert doubtful[1] <= 10 < 30 <= doubtful[3]


def test_an_empty_mask_gives_nothing():
    nothing = np.zeros((90, 160), np.bool_)
    assert [each.shape for each in find_components(nothing, nothing, 17)] == [(0, 4), (0, 4)]
    assert merge_boxes(np.empty((0, 4), np.int32), gap_px=3, tall_px=36).shape == (0, 4)


@given(
    st.lists(
        st.tuples(st.integers(0, 280), st.integers(0, 120), st.integers(6, 40), st.integers(10, 60)),
        min_size=1,
        max_size=8,
    )
)
@example([(23, 47, 6, 10), (32, 52, 7, 10)])
def test_boxes_hold_every_pixel_however_they_are_split(things: list[tuple[int, int, int, int]]) -> None:
    weak = np.zeros((180, 320), np.bool_)
    for x, y, width, height in things:
        weak[y : y + height, x : x + width] = True
    held = np.zeros_like(weak)
    for x0, y0, x1, y1 in find_components(weak, weak, 4)[0]:
        held[y0:y1, x0:x1] = True
    assert not (weak & ~held).any()


def test_people_who_touch_a_car_do_not_cover_the_street_above_it() -> None:
    weak = np.zeros((180, 320), np.bool_)
    weak[120:150, 40:120] = True  # a car
    weak[60:150, 120:145] = True  # one who stands behind it, taller
    boxes = find_components(weak, weak, 4)[0]
    assert len(boxes) == 2
    held = sum(int((x1 - x0) * (y1 - y0)) for x0, y0, x1, y1 in boxes)
    assert held < 0.75 * (105 * 90)


def test_a_stride_is_not_cut_into_legs() -> None:
    weak = np.zeros((180, 320), np.bool_)
    weak[40:90, 100:118] = True
    for row in range(90, 130):  # legs wide apart
        spread = (row - 90) // 2
        weak[row, 104 - spread : 109 - spread] = True
        weak[row, 109 + spread : 114 + spread] = True
    assert len(find_components(weak, weak, 4)[0]) == 1
