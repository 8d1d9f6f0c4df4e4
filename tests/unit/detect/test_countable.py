"""What may be counted: things, and no light, no clock in the picture, nothing while the place is being learnt."""

from __future__ import annotations

import av
import cv2
import numpy as np
import pytest

from drawn_scene import Lamp, Scene, settled, truth
from lamppost.detect.countable import countable, share_of_new_edges
from lamppost.detect.motion import MotionDetector
from lamppost.model.vision import Box, Detection, Frame, Kind, Observation

BOX = Box(10, 10, 30, 50)


def test_nothing_counts_while_the_place_is_learnt_or_changes_as_a_whole():
    seen = (Detection(Kind.PERSON, BOX, 0.6), Detection(Kind.OBJECT, BOX, 1.0))
    assert countable(Observation(seen)) == seen
    assert countable(Observation(seen, is_settled=False)) == ()
    assert countable(Observation(seen, is_scene_change=True)) == ()


def test_motion_that_may_be_light_and_boxes_without_extent_do_not_count():
    light, empty = Detection(Kind.OBJECT, BOX, 0.5), Detection(Kind.OBJECT, Box(10, 40, 20, 0), 1.0)
    weak = Detection(Kind.PERSON, BOX, 0.3)  # a network's own score is the tracker's affair
    assert countable(Observation((light, empty, weak))) == (weak,)


def test_edges_that_grow_stronger_are_not_new_and_others_are():
    then = cv2.GaussianBlur(np.random.default_rng(0).uniform(40, 200, (60, 80)).astype(np.float32), (0, 0), 2)
    assert share_of_new_edges(then * 1.4 - 20, then, (10, 10, 60, 50)) == 0
    assert share_of_new_edges(then, then, (70, 50, 200, 200)) == 0
    assert share_of_new_edges(then, then, (20, 30, 40, 10)) == 0
    now = then.copy()
    now[20:40, 30:40] = 5
    assert share_of_new_edges(now, then, (29, 19, 41, 41)) > 0.2


def test_whoever_walks_counts():
    scene = Scene()
    detector = settled(scene)
    for index in range(60):
        x = 12 * index
        box = truth(x, 180)
        found = countable(detector.observe(scene.frame(3 + index / 10, [(x, 180)])))
        if box.width == 34:
            assert any(each.box.intersection(box) > 0.8 * box.area for each in found)


@pytest.mark.parametrize("strength", [0.25, 0.5, 0.9])
@pytest.mark.parametrize("is_on", [True, False])
def test_a_lamp_does_not(strength, is_on):
    scene, detector = Lamp(strength), MotionDetector()
    moved = 0
    for index in range(100):
        observation = detector.observe(scene.frame(index / 10, is_on=is_on == (index > 30)))
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


def test_vehicles_do(shared_data):
    observations = watch(shared_data / "clips" / "intel_car-detection.mp4", primed=False)
    for first, last in ((62, 104), (190, 234), (318, 342)):
        assert all(any(each.box.area > 0.01 * 768 * 432 for each in countable(seen)) for seen in observations[first:last])
    for first, last in ((20, 49), (130, 170), (260, 300), (360, 377)):
        assert all(not any(each.box.area > 0.003 * 768 * 432 for each in countable(seen)) for seen in observations[first:last])
