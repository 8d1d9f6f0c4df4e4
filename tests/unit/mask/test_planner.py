from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lamppost.mask.planner import MaskPlanner, merge_masks, padding_of
from lamppost.model.vision import Box, Fill, Kind, Mask

WIDTH_PX, HEIGHT_PX, FPS, LOOK_BACK = 640, 480, 25, 12


def holds(mask: Mask, box: Box) -> bool:
    inside = box.clipped(WIDTH_PX, HEIGHT_PX)
    return mask.x0 <= inside.x0 and mask.y0 <= inside.y0 and mask.x1 >= inside.x1 and mask.y1 >= inside.y1


def play(boxes: list[Box], kind: Kind = Kind.PERSON) -> list[tuple[Mask, ...]]:
    """One track, a box a frame, planned with a look-back of 12 frames."""
    planner, planned = MaskPlanner(WIDTH_PX, HEIGHT_PX), []
    for index, box in enumerate(boxes):
        planner.note(1, kind, box, index / FPS)
        if index >= LOOK_BACK:
            planned.append(planner.masks((index - LOOK_BACK) / FPS))
    return planned


def walker(index: int, step_hz: float, swing_px: float) -> Box:
    """Walks on at 60 px/s; the legs open and close with every step."""
    x, swing = 100 + index * 60 / FPS, swing_px * abs(math.sin(math.pi * step_hz * index / FPS))
    return Box(x - 15 - swing, 100, x + 15 + swing, 220)


@pytest.mark.parametrize("step_hz", [1.4, 1.8, 2.3])
def test_a_mask_does_not_follow_the_rhythm_of_steps(step_hz: float) -> None:
    masks = [planned[0] for planned in play([walker(index, step_hz, 14) for index in range(160)])][30:]
    assert max(mask.x1 - mask.x0 for mask in masks) - min(mask.x1 - mask.x0 for mask in masks) <= 32
    assert len({(mask.y0, mask.y1) for mask in masks}) == 1


def test_a_trembling_box_gives_a_still_mask() -> None:
    boxes = [Box(100 + (index * 7) % 5, 100 - (index * 3) % 4, 150 + (index * 5) % 6, 200) for index in range(100)]
    assert len(set(play(boxes)[20:])) == 1


def test_faces_are_padded_for_hair_and_chin() -> None:
    face = Box(300, 200, 340, 250)
    (mask,) = play([face] * 20, Kind.FACE)[-1]
    assert mask.x0 <= 300 - 12
    assert mask.x1 >= 340 + 12
    assert mask.y0 <= 200 - 25
    assert mask.y1 >= 250 + 15
    assert mask.fill is Fill.PERSON


def test_what_was_not_noted_for_a_while_is_forgotten() -> None:
    planner = MaskPlanner(WIDTH_PX, HEIGHT_PX)
    planner.note(1, Kind.FACE, Box(0, 0, 20, 20), 0.0)
    assert planner.masks(0.2)
    assert planner.masks(0.21) == ()


box_lists = st.lists(
    st.builds(lambda x, y, w, h: Box(x, y, x + w, y + h), *[st.floats(-100, 700)] * 2, *[st.floats(0.5, 300)] * 2), min_size=13, max_size=60
)


@settings(deadline=None, max_examples=100)
@given(box_lists, st.sampled_from([Kind.FACE, Kind.PERSON, Kind.OBJECT]))
def test_a_mask_holds_every_padded_box_in_its_frame(boxes: list[Box], kind: Kind) -> None:
    for box, masks in zip(boxes, play(boxes, kind), strict=False):
        padded = padding_of(kind).around(box)
        inside = padded.clipped(WIDTH_PX, HEIGHT_PX)
        if inside.width > 0 and inside.height > 0:
            assert any(holds(mask, padded) for mask in masks)


@settings(deadline=None, max_examples=50)
@given(st.floats(-300, 300), st.floats(-100, 100), st.integers(1, LOOK_BACK - 2))
def test_what_is_seen_late_is_masked_where_it_came_from(speed_x: float, speed_y: float, unseen: int) -> None:
    planner = MaskPlanner(WIDTH_PX, HEIGHT_PX)
    path = [
        Box(280 + speed_x * i / FPS, 180 + speed_y * i / FPS, 360 + speed_x * i / FPS, 300 + speed_y * i / FPS) for i in range(LOOK_BACK)
    ]
    for index in range(unseen, LOOK_BACK):
        planner.note(1, Kind.PERSON, path[index], index / FPS)
    for index in range(unseen):
        (mask,) = planner.masks(index / FPS)
        assert holds(mask, path[index])


def test_one_who_is_seen_again_was_on_the_way_between() -> None:
    planner = MaskPlanner(WIDTH_PX, HEIGHT_PX)
    stands, away = Box(100, 200, 140, 300), Box(400, 200, 440, 300)
    for index in range(3):
        planner.note(1, Kind.PERSON, stands, index / FPS)
    for index in range(3, 9):  # believed to stand where it was
        planner.note(1, Kind.PERSON, stands, index / FPS, is_seen=False)
    planner.note(1, Kind.PERSON, away, 9 / FPS)
    for index in range(10):
        share = max(0, index - 2) / 7
        between = Box(100 + 300 * share, 200, 140 + 300 * share, 300)
        assert any(holds(mask, between) for mask in planner.masks(index / FPS))


def test_a_mask_goes_with_a_car_and_does_not_cover_its_whole_way() -> None:
    cars = [Box(20 + 12 * index, 200, 120 + 12 * index, 260) for index in range(45)]  # 300 px/s
    for masks in play(cars)[5:30]:
        (mask,) = masks
        assert mask.x1 - mask.x0 <= 100 + 2 * 8 + 2 * 16 + 22  # the car, its padding, blocks and slack


masks_st = st.builds(
    lambda x, y, w, h, fill: Mask(16 * x, 16 * y, 16 * (x + w), 16 * (y + h), fill),
    *[st.integers(0, 30)] * 2,
    *[st.integers(1, 8)] * 2,
    st.sampled_from(list(Fill)),
)


@settings(deadline=None)
@given(st.lists(masks_st, max_size=40), st.integers(1, 12))
def test_merging_bounds_the_number_and_uncovers_nothing(masks: list[Mask], limit: int) -> None:
    merged = merge_masks(masks, limit)
    assert len(merged) <= limit
    for mask in masks:
        box = Box(mask.x0, mask.y0, mask.x1, mask.y1)
        assert any(holds(other, box) for other in merged)
        if mask.fill is Fill.PERSON:
            assert any(holds(other, box) and other.fill is Fill.PERSON for other in merged)
