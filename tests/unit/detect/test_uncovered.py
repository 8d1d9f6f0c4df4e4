"""What is taken away is told once, where it stood; light and whoever walks uncover nothing."""

from __future__ import annotations

import pytest

from drawn_scene import SPRITE, Lamp, Scene
from lamppost.detect.motion import MotionDetector
from lamppost.model.vision import Box

FPS = 5


def watch(scene, seconds, drawn, detector=None, primed=None):
    """All that was uncovered, with the time, while `drawn(at_s)` says what is there and in which light."""
    detector = detector or MotionDetector()
    if primed:
        detector.prime([scene.frame(index / FPS, **drawn(index / FPS)) for index in range(primed * FPS)])
    told = []
    for index in range(seconds * FPS):
        observation = detector.observe(scene.frame(index / FPS, **drawn(index / FPS)))
        told += [(index / FPS, box) for box in observation.uncovered]
    return told


@pytest.mark.parametrize(("seed", "primed"), [(1, 0), (2, 5), (3, 0)])
def test_a_box_that_is_taken_away_is_told_once_at_its_place(seed, primed):
    scene = Scene(seed)
    ((at_s, box),) = watch(scene, 17, lambda at_s: {"things": [(300, 150)] if at_s < 10 else []}, primed=primed)
    assert 13 <= at_s <= 17
    assert box.iou(Box(300, 150, 300 + SPRITE[0], 150 + SPRITE[1])) > 0.6


def test_one_who_carries_it_away_is_not_told():
    def drawn(at_s):
        walker = (-60 + 60 * (at_s - 8), 160)  # by the box at 14 s
        return {"things": [*([(300, 150)] if at_s < 14 else []), *([walker] if 8 < at_s < 22 else [])]}

    ((_at_s, box),) = watch(Scene(), 21, drawn)
    assert box.iou(Box(300, 150, 300 + SPRITE[0], 150 + SPRITE[1])) > 0.6


def test_whoever_leaves_in_the_first_seconds_had_not_belonged_there():
    assert watch(Scene(), 14, lambda at_s: {"things": [(300 + 90 * max(0, at_s - 3), 150)]}) == []


def test_a_walker_uncovers_nothing_and_nor_does_one_who_stands_for_a_while():
    assert watch(Scene(), 14, lambda at_s: {"things": [(-30 + 50 * at_s, 160)]}) == []
    assert (
        watch(Scene(), 40, lambda at_s: {"things": [(min(300, 60 * (at_s - 8)) + 60 * max(0, at_s - 25), 160)] if at_s > 8 else []}) == []
    )


@pytest.mark.parametrize(("gain", "offset"), [(0.75, 4), (1.25, -4), (1.0, 25)])
def test_a_change_of_the_light_uncovers_nothing(gain, offset):
    assert watch(Scene(), 18, lambda at_s: {"gain": gain, "offset": offset} if at_s > 9 else {}) == []


@pytest.mark.parametrize(("strength", "switched"), [(0.25, "off"), (0.5, "on"), (0.5, "off")])
def test_nor_does_a_lamp_that_is_switched(strength, switched):
    assert watch(Lamp(strength), 20, lambda at_s: {"is_on": (at_s > 9) == (switched == "on")}) == []
