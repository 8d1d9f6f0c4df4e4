"""What may be counted: things, and no light, no clock in the picture, nothing while the place is being learnt."""

from __future__ import annotations

import av
import cv2
import numpy as np
import pytest

from drawn_scene import Lamp, Scene, settled, truth
from lamppost.detect.countable import countable, find_things, new_edges
from lamppost.detect.motion import MotionDetector
from lamppost.model.vision import Box, Detection, Frame, Kind, Observation

BOX = Box(10, 10, 30, 50)


def test_nothing_counts_while_the_place_is_learnt_or_changes_as_a_whole():
    person, thing = Detection(Kind.PERSON, BOX, 0.3), Detection(Kind.OBJECT, BOX, 1.0)
    masked, light = Detection(Kind.OBJECT, BOX.padded(0.5), 1.0), Detection(Kind.OBJECT, BOX.moved(200, 0), 1.0)
    # Boxes as they are masked, which tremble less: those that hold a thing.
    assert countable(Observation((person, masked, light), things=(thing,))) == (person, masked)
    assert countable(Observation((person, masked), things=(thing,), is_settled=False)) == ()
    assert countable(Observation((person, masked), things=(thing,), is_scene_change=True)) == ()


def texture(seed=0):
    return cv2.GaussianBlur(np.random.default_rng(seed).uniform(40, 200, (60, 80)).astype(np.float32), (0, 0), 2)


def with_things(place, *boxes):
    now = place.copy()
    for x0, y0, x1, y1 in boxes:
        now[y0:y1, x0:x1] = 5
    return now


def test_edges_that_grow_stronger_are_not_new_and_others_are():
    then = texture()
    assert not new_edges(then * 1.4 - 20, then, (10, 10, 60, 50)).any()
    assert not new_edges(then, then, (70, 50, 80, 60)).any()
    assert new_edges(then, then, (20, 30, 40, 10)).size == 0  # a box without extent
    assert new_edges(with_things(then, (30, 20, 40, 40)), then, (29, 19, 41, 41)).mean() > 0.2


def found_in(now, then, *boxes):
    return find_things(now, then, boxes).tolist()


def near(box, other):
    return max(abs(one - two) for one, two in zip(box, other, strict=True)) <= 2


def test_two_that_a_shadow_holds_together_are_two_and_one_loses_its_shadow():
    then = np.full((60, 80), 120, np.float32)
    shade = cv2.GaussianBlur(np.pad(np.full((30, 60), 0.85, np.float32), ((15, 15), (10, 10)), constant_values=1), (0, 0), 6)
    one, other = (14, 16, 30, 44), (46, 20, 64, 46)
    two = found_in(with_things(then * shade, one, other), then, (5, 8, 75, 55))
    assert len(two) == 2
    assert near(two[0], one)
    assert near(two[1], other)
    (alone,) = found_in(with_things(then * shade, one), then, (5, 8, 75, 55))
    assert near(alone, one)


def test_what_is_narrow_is_no_thing_by_itself():
    then = np.full((60, 80), 120, np.float32)
    body, hand = (20, 6, 44, 56), (50, 26, 54, 34)
    (found,) = found_in(with_things(then, body, hand), then, (16, 4, 58, 58))
    assert near(found, body)


def test_light_and_boxes_without_extent_hold_nothing():
    then = texture()
    assert found_in(then * 1.4, then, (0, 0, 80, 60), (30, 40, 20, 10)) == []


@pytest.mark.parametrize("seed", [1, 3])
def test_whoever_walks_counts(seed):
    scene = Scene(seed)
    detector = settled(scene)
    near_by: list[float] = []
    for index in range(60):
        x = 12 * index
        box = truth(x, 180)
        observation = detector.observe(scene.frame(3 + index / 10, [(x, 180)]))
        if box.width == 34:
            (thing,), (counted,) = observation.things, countable(observation)
            assert counted.box.intersection(box) > 0.4 * box.area
            near_by.append(thing.box.iou(box))
    # Where the coat is as bright as the place behind it, less of it is seen.
    assert min(near_by) > 0.4
    assert np.mean(near_by) > 0.75


@pytest.mark.parametrize(("strength", "is_on"), [(0.25, True), (0.5, True), (0.9, True), (0.5, False), (0.9, False)])
def test_a_lamp_does_not(strength, is_on):
    scene, detector = Lamp(strength), MotionDetector()
    moved = 0
    for index in range(40):
        observation = detector.observe(scene.frame(index / 5, is_on=is_on == (index > 15)))
        moved += bool(observation.detections)
        assert countable(observation) == ()
    assert moved > 5  # it is masked


def watch(path, primed, first=0, last=None):
    detector, frames = MotionDetector(), []
    with av.open(str(path)) as clip:
        for index, picture in enumerate(clip.decode(video=0)):
            if last is not None and index >= last:
                break
            planes = np.ascontiguousarray(picture.reformat(format="yuv420p").to_ndarray())
            frames.append(Frame(planes, round(picture.time * 90_000), round(picture.time * 1_000_000)))
    if primed:
        detector.prime([frame for frame in frames if frame.pts_90k < 5 * 90_000])
    return [detector.observe(frame) for frame in frames][first:]


@pytest.mark.parametrize("primed", [False, True])
@pytest.mark.parametrize(("number", "last"), [(1, None), (2, 155), (3, None)])  # then somebody comes in
def test_infrared_lamps_and_clocks_in_the_picture_do_not(shared_data, number, last, primed):
    observations = watch(shared_data / "clips" / f"frigate_ir_motion-{number}.mp4", primed, last=last)
    assert sum(bool(countable(each)) for each in observations) == 0
    assert number == 2 or sum(bool(each.detections) for each in observations) > 10


def test_vehicles_do_each_by_itself(shared_data):
    observations = watch(shared_data / "clips" / "intel_car-detection.mp4", primed=False)
    large = [[each.box for each in seen.things if each.box.area > 0.01 * 768 * 432] for seen in observations]
    for first, last in ((62, 104), (190, 234), (318, 342)):
        assert all(large[first:last])
    assert all(len(boxes) == 2 for boxes in large[194:224])  # side by side at 210, in one mask
    for first, last in ((20, 49), (130, 170), (260, 300), (360, 377)):
        assert not any(large[first:last])
