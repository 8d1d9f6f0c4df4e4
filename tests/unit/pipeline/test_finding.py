"""What is followed: motion, what a network sees, or both, where motion says where and the network what."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from lamppost.model.vision import Box, Detection, Frame, Kind, Observation, Region
from lamppost.pipeline.finding import Finder

SIZE = (640, 360)


class ScriptedNetwork:
    """Sees what it is told to; `near` in parts of the picture, `whole` in all of it."""

    start_score = 0.3

    def __init__(self, whole: Sequence[Detection] = (), near: Sequence[Detection] = ()) -> None:
        self.whole, self.near = tuple(whole), tuple(near)
        self.regions: list[Region] = []

    def detect_regions(self, frame: Frame, regions: Sequence[Region]) -> tuple[Detection, ...]:
        self.regions += regions
        return self.whole if regions[0] == Region(0, 0, *SIZE) else self.near


def box(x: float = 300) -> Box:
    return Box(x, 100, x + 60, 220)


def frame(index: int) -> Frame:
    return Frame(np.full((SIZE[1] * 3 // 2, SIZE[0]), 128, np.uint8), index * 9000, index * 100_000)


def moving(*boxes: Box, is_settled: bool = True) -> Observation:
    seen = tuple(Detection(Kind.OBJECT, each, 1.0) for each in boxes)
    return Observation(seen, is_settled=is_settled, things=seen)


def kinds(finder: Finder, looks: int, observe: bool = True) -> list[Kind]:
    found: list[Kind] = []
    for index in range(looks):
        tracks = finder.find(frame(index), index / 10, moving(box(300 + 6 * index)) if observe else None)
        found = [track.kind for track in tracks]
    return found


def test_without_a_network_what_moves_is_an_object() -> None:
    assert kinds(Finder(None), 8) == [Kind.OBJECT]


def test_what_only_differs_is_not_followed() -> None:
    finder = Finder(None)
    for index in range(8):
        light = Observation((Detection(Kind.OBJECT, box(), 1.0),))  # masked, and nothing of a thing in it
        assert finder.find(frame(index), index / 10, light) == ()


def test_what_a_network_is_sure_of_is_one_thing_with_its_motion() -> None:
    class Walking(ScriptedNetwork):
        def detect_regions(self, frame: Frame, regions: Sequence[Region]) -> tuple[Detection, ...]:
            return (Detection(Kind.PERSON, box(300 + 6 * frame.pts_90k / 9000), 0.8),)

    assert kinds(Finder(Walking()), 8) == [Kind.PERSON]


def test_a_weak_look_from_near_says_what_moves() -> None:
    class Doubtful(ScriptedNetwork):
        def detect_regions(self, frame: Frame, regions: Sequence[Region]) -> tuple[Detection, ...]:
            self.regions += regions
            is_whole = regions[0] == Region(0, 0, *SIZE)
            return () if is_whole else (Detection(Kind.VEHICLE, box(300 + 6 * frame.pts_90k / 9000), 0.12),)

    network = Doubtful()
    assert kinds(Finder(network), 8) == [Kind.VEHICLE]
    near = [region for region in network.regions if region != Region(0, 0, *SIZE)]
    assert 1 <= len(near) < 8, "now and then, and not with every look"
    assert all(region.box.intersection(box(300)) > 0 or region.x0 >= 300 for region in near)


def test_what_is_not_counted_is_not_followed() -> None:
    network = ScriptedNetwork([Detection(kind, box(), 0.9) for kind in (Kind.FACE, Kind.HEAD, Kind.PLATE)])
    assert kinds(Finder(network), 8, observe=False) == []


@pytest.mark.parametrize(("score", "is_followed"), [(0.31, True), (0.2, False)])
def test_without_motion_a_detector_says_itself_what_is_enough(score: float, is_followed: bool) -> None:
    network = ScriptedNetwork([Detection(Kind.PERSON, box(), score)])
    assert bool(kinds(Finder(network), 12, observe=False)) is is_followed


def test_while_the_place_is_learnt_nothing_moves() -> None:
    finder = Finder(None)
    assert all(finder.find(frame(index), index / 10, moving(box(), is_settled=False)) == () for index in range(8))
