"""Lines count what has crossed them, once, and nothing that trembles."""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Callable

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from lamppost.events.scene import Crossing
from lamppost.events.scene_reader import SceneReader
from lamppost.model.rules import Anchor, CountedKind, Line, RuleBook, Way
from lamppost.model.vision import Kind, Track
from measured_scenes import SIZE_PX, Pinhole, crossings, film, net, person, straight

ACROSS = Line(name="across", points=((0.0, 0.5), (1.0, 0.5)))  # from left to right: forward is downwards
SHORT = Line(name="short", points=((0.3, 0.5), (0.7, 0.5)))
# The box of `person` is a fifth of the picture high, and its size (the side of a square as large) is 0.146 of the height.
BAND = 0.15 * math.sqrt(0.06 * SIZE_PX[0] / SIZE_PX[1] * 0.2)

Path = Callable[[float], tuple[float, float] | None]


def count(line: Line, *paths: Path, fps: float = 12.5, duration_s: float = 6.0) -> list[Crossing]:
    reader = SceneReader(RuleBook(line=(line,)))
    scenes = film(reader, paths, duration_s, fps)
    return crossings([*scenes, reader.forget()])


def test_forward_is_from_left_to_right_of_who_looks_along_it() -> None:
    down = Crossing("across", Way.FORWARD, CountedKind.PERSON)
    assert count(ACROSS, straight((0.5, 0.3), (0.5, 0.7), 3)) == [down]
    assert count(ACROSS, straight((0.5, 0.7), (0.5, 0.3), 3)) == [Crossing("across", Way.BACKWARD, CountedKind.PERSON)]
    turned = Line(name="across", points=ACROSS.points[::-1])
    assert count(turned, straight((0.5, 0.7), (0.5, 0.3), 3)) == [down]
    upwards = Line(name="across", points=((0.5, 1.0), (0.5, 0.0)))  # who looks up the picture has its right at the right
    assert count(upwards, straight((0.3, 0.5), (0.7, 0.5), 3)) == [down]


def test_there_and_back_counts_both_ways() -> None:
    def path(at_s: float) -> tuple[float, float]:
        return 0.5, 0.5 - 0.2 * math.cos(at_s * math.pi / 3)

    assert [crossing.way for crossing in count(ACROSS, path)] == [Way.FORWARD, Way.BACKWARD]


def test_a_crossing_is_told_once_it_is_sure() -> None:
    reader = SceneReader(RuleBook(line=(ACROSS,)))
    told = [scene.at_s for scene in film(reader, [straight((0.5, 0.3), (0.5, 0.7), 4)], 4) if scene.crossings]
    assert len(told) == 1
    assert 2.0 < told[0] < 3.0


def test_who_turns_on_the_line_has_not_crossed() -> None:
    def path(at_s: float) -> tuple[float, float]:
        return 0.5, 0.3 + min(0.2 + 0.6 * BAND, 0.1 * min(at_s, 6 - at_s))

    assert count(ACROSS, path) == []


def test_a_box_that_loses_its_feet_for_a_moment_has_not_crossed() -> None:
    def path(at_s: float) -> tuple[float, float]:
        return 0.5, 0.43 if 2.0 <= at_s <= 2.2 else 0.54

    assert count(ACROSS, path) == []


@pytest.mark.parametrize("kinds", [(CountedKind.VEHICLE,), (CountedKind.PERSON,)])
def test_only_its_kinds_count(kinds: tuple[CountedKind, ...]) -> None:
    line = Line(name="line", points=ACROSS.points, kinds=kinds)
    assert len(count(line, straight((0.5, 0.3), (0.5, 0.7), 3))) == (kinds == (CountedKind.PERSON,))


def test_a_camera_above_counts_middles() -> None:
    line = Line(name="line", points=((0.0, 0.4), (1.0, 0.4)), anchor=Anchor.CENTRE)
    # The foot goes from 0.45 to 0.55, the middle from 0.35 to 0.45.
    assert len(count(line, straight((0.5, 0.45), (0.5, 0.55), 3))) == 1
    assert count(ACROSS.model_copy(update={"points": ((0.0, 0.4), (1.0, 0.4))}), straight((0.5, 0.45), (0.5, 0.55), 3)) == []


# Its ends


def test_what_passes_beyond_an_end_has_not_crossed() -> None:
    assert count(SHORT, straight((0.2, 0.3), (0.2, 0.7), 3), straight((0.75, 0.7), (0.75, 0.3), 3)) == []
    assert len(count(SHORT, straight((0.35, 0.3), (0.35, 0.7), 3))) == 1


def test_who_goes_round_an_end_and_through_the_line_has_crossed_once() -> None:
    def circle(at_s: float) -> tuple[float, float]:
        turn = math.pi / 2 + at_s * math.pi * 2 / 5
        return 0.3 + 0.1 * math.cos(turn), 0.5 + 0.15 * math.sin(turn)

    # From below round the left end to above, and down through the line; then half of it again.
    assert net(count(SHORT, circle, duration_s=5.0)) == 1


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 10_000), st.floats(0.02, 0.9))
def test_one_who_leans_at_the_post_where_a_line_ends_is_not_counted(seed: int, share: float) -> None:
    chance = random.Random(seed)
    tremble = share * BAND / 2

    def path(at_s: float) -> tuple[float, float]:
        if at_s < 1 or at_s > 5:  # comes from the left, and goes where they came from
            return 0.3 - 0.1 * min(1, abs(3 - at_s) - 2), 0.49
        return 0.3 + chance.uniform(-tremble, tremble) * SIZE_PX[1] / SIZE_PX[0], 0.5 + chance.uniform(-tremble, tremble)

    assert count(SHORT, path) == []


# Tracks that begin, end and jump


def test_what_jumps_over_the_line_counts() -> None:
    assert len(count(ACROSS, straight((0.5, 0.1), (0.5, 0.9), 0.5), fps=4)) == 1
    assert len(count(ACROSS, straight((0.5, 0.2), (0.5, 0.8), 0.25), fps=4)) == 1, "seen twice in all"
    assert count(SHORT, straight((0.1, 0.2), (0.1, 0.8), 0.25), fps=4) == []


def test_a_track_from_one_side_to_the_other_counts_however_near_it_begins_and_ends() -> None:
    near = 0.7 * BAND
    assert len(count(ACROSS, straight((0.5, 0.5 - near), (0.5, 0.5 + near), 1), fps=10)) == 1
    assert len(count(ACROSS, straight((0.5, 0.5 - near), (0.5, 0.7), 1), fps=10)) == 1
    assert len(count(ACROSS, straight((0.5, 0.3), (0.5, 0.5 + near), 1), fps=10)) == 1
    on_it = 0.3 * BAND
    assert count(ACROSS, straight((0.5, 0.5 - on_it), (0.5, 0.5 + on_it), 1), fps=10) == []
    assert count(ACROSS, straight((0.5, 0.5 - on_it), (0.5, 0.7), 1), fps=10) == []
    assert count(ACROSS, straight((0.5, 0.3), (0.5, 0.5 + on_it), 1), fps=10) == []


def test_where_a_track_was_carried_on_is_no_evidence() -> None:
    reader = SceneReader(RuleBook(line=(ACROSS,)))
    scenes = [reader.read(i / 10, 0, [person(1, (0.5, 0.3 + i * 0.03), is_seen=i <= 6)], SIZE_PX) for i in range(12)]
    assert crossings([*scenes, reader.forget()]) == []
    # Behind a pillar, and seen again beyond the line.
    scenes = [reader.read(i / 10, 0, [person(1, (0.5, 0.3 + i * 0.03), is_seen=not 4 < i < 9)], SIZE_PX) for i in range(16)]
    assert len(crossings([*scenes, reader.forget()])) == 1


def test_runs_are_apart() -> None:
    reader = SceneReader(RuleBook(line=(ACROSS,)))
    before = film(reader, [straight((0.5, 0.3), (0.5, 0.45), 1)], 1)
    assert crossings([*before, reader.forget()]) == []
    assert crossings([*film(reader, [straight((0.5, 0.55), (0.5, 0.7), 1)], 1), reader.forget()]) == []


def test_many_cross_at_once() -> None:
    paths = [straight((0.05 + i * 0.04, 0.3), (0.05 + i * 0.04, 0.7), 2 + i / 10) for i in range(20)]
    found = count(ACROSS, *paths)
    assert (len(found), net(found)) == (20, 20)


def test_a_line_of_many_points_is_one_line() -> None:
    zigzag = Line(name="zigzag", points=((0.1, 0.5), (0.3, 0.4), (0.5, 0.6), (0.7, 0.4), (0.9, 0.5)))
    assert net(count(zigzag, straight((0.3, 0.2), (0.6, 0.8), 3))) == 1
    assert net(count(zigzag, straight((0.5, 0.8), (0.5, 0.2), 3))) == -1, "through a corner"
    assert net(count(zigzag, straight((0.05, 0.5), (0.95, 0.47), 3))) == 0, "along it"


def test_a_ring_counts_who_goes_in_and_out() -> None:
    ring = Line(name="ring", points=((0.3, 0.3), (0.7, 0.3), (0.7, 0.8), (0.3, 0.8), (0.3, 0.3)))  # its right is within
    assert [crossing.way for crossing in count(ring, straight((0.1, 0.5), (0.9, 0.5), 5))] == [Way.FORWARD, Way.BACKWARD]
    assert [crossing.way for crossing in count(ring, straight((0.1, 0.1), (0.5, 0.5), 5))] == [Way.FORWARD], "by the corner where it ends"


# Whatever way somebody goes

corners = st.lists(st.tuples(st.floats(0.1, 0.9), st.floats(0.15, 0.95)), min_size=2, max_size=7)


def along(points: list[tuple[float, float]], duration_s: float, tremble: float, seed: int) -> Path:
    """A way with corners; each look is off by `tremble` of the height at most."""
    chance = random.Random(seed)

    def path(at_s: float) -> tuple[float, float]:
        place = min(max(at_s / duration_s, 0.0), 1 - 1e-9) * (len(points) - 1)
        index, share = int(place), place % 1
        (ax, ay), (bx, by) = points[index], points[index + 1]
        off_x, off_y = chance.uniform(-tremble, tremble), chance.uniform(-tremble, tremble)
        return ax + share * (bx - ax) + off_x * SIZE_PX[1] / SIZE_PX[0], ay + share * (by - ay) + off_y

    return path


@settings(deadline=None, max_examples=200)
@given(corners, st.integers(0, 10_000), st.sampled_from([3.0, 8.0, 25.0]), st.floats(0, 0.35), st.floats(-0.3, 0.3))
def test_the_net_of_a_way_is_where_it_begins_and_where_it_ends(
    points: list[tuple[float, float]], seed: int, fps: float, tremble: float, slope: float
) -> None:
    line = Line(name="line", points=((0.0, 0.5 + slope), (1.0, 0.5 - slope)))

    def below(point: tuple[float, float]) -> float:
        return (point[1] - 0.5 - slope * (1 - 2 * point[0])) / math.hypot(1, 2 * slope / (SIZE_PX[0] / SIZE_PX[1]))

    began, ended = below(points[0]), below(points[-1])
    assume(abs(began) > 2 * BAND and abs(ended) > 2 * BAND)
    found = count(line, along(points, 5.0, tremble * BAND, seed), fps=fps, duration_s=5.0)
    assert net(found) == (ended > 0) - (began > 0)
    ways = [crossing.way for crossing in found]
    assert all(before is not after for before, after in itertools.pairwise(ways)), "who has crossed must come back first"


@settings(deadline=None, max_examples=100)
@given(st.integers(0, 10_000), st.sampled_from([2.0, 5.0, 12.5, 25.0]), st.floats(0.1, 0.9), st.floats(-1, 1))
def test_one_who_waits_at_the_line_is_not_counted(seed: int, fps: float, x: float, where: float) -> None:
    chance = random.Random(seed)

    def path(_at_s: float) -> tuple[float, float]:
        return x, 0.5 + where * 0.2 * BAND + chance.uniform(-0.29, 0.29) * BAND

    assert count(ACROSS, path, fps=fps, duration_s=20) == []


@settings(deadline=None, max_examples=100)
@given(st.integers(0, 10_000), st.floats(0.5, 4.0), st.tuples(st.floats(0.1, 0.9), st.floats(0.1, 0.9)), st.booleans())
def test_how_often_one_looks_does_not_matter(seed: int, duration_s: float, xs: tuple[float, float], is_down: bool) -> None:
    ys = (0.25, 0.75) if is_down else (0.75, 0.25)
    points = [(xs[0], ys[0]), (xs[1], ys[1])]
    found = [count(ACROSS, along(points, duration_s, 0.4 * BAND, seed), fps=fps) for fps in (1.0, 2.0, 5.0, 12.5, 30.0)]
    assert [len(each) for each in found] == [1] * 5
    assert {crossing.way for each in found for crossing in each} == {Way.FORWARD if is_down else Way.BACKWARD}


def test_where_kinds_are_yet_to_be_told_a_crossing_waits_for_it() -> None:
    camera = Pinhole()
    reader = SceneReader(RuleBook(line=(Line(name="line", points=((0.16, 0.0), (0.16, 1.0))),), calibration=camera.calibration()))
    scenes = []
    for index in range(40):
        box = camera.box_of(-8.0 + index / 20 * 9, 20, 0.0, 4.4, 1.8, 1.5)
        scenes.append(reader.read(index / 20, 0, [Track(1, Kind.OBJECT, box, True)], SIZE_PX))
    assert [crossing.kind for crossing in crossings([*scenes, reader.forget()])] == [CountedKind.VEHICLE]
