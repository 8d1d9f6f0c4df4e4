"""What moves: how fast, since when it stands, and what it is by its size."""

from __future__ import annotations

import itertools
import math
import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lamppost.events.kinds import KindVotes
from lamppost.events.scene import Moving
from lamppost.events.scene_reader import SceneReader
from lamppost.model.rules import Anchor, CountedKind, RuleBook, Zone
from lamppost.model.vision import Box, Kind, Track
from measured_scenes import SIZE_PX, Pinhole, box_at, person

CAMERA = Pinhole()
PLAIN = RuleBook()


def follow(
    camera: Pinhole,
    size_m: tuple[float, float, float],
    start: tuple[float, float],
    heading: float,
    speed_kmh: float,
    *,
    fps: float = 12.5,
    duration_s: float = 3.0,
    noise: float = 0.02,
    kind: Kind = Kind.OBJECT,
) -> list[Moving]:
    """What is said of a block of length, width and height that goes straight; its box trembles by a share of its size."""
    reader, chance, found = SceneReader(RuleBook(calibration=camera.calibration())), random.Random(7), []
    for index in range(int(duration_s * fps) + 1):
        at_s = index / fps
        gone_m = at_s * speed_kmh / 3.6
        box = camera.box_of(start[0] + gone_m * math.cos(heading), start[1] + gone_m * math.sin(heading), heading, *size_m)
        dx, dy = (chance.gauss(0, noise) * extent for extent in (box.width, box.height))
        scene = reader.read(at_s, 0, [Track(1, kind, box.moved(dx, dy), True)], SIZE_PX)
        found += scene.moving
    return found


@pytest.mark.parametrize("fps", [2.0, 6.0, 12.5, 25.0])
@pytest.mark.parametrize("speed_kmh", [5.0, 18.0, 50.0])
def test_speeds_are_those_of_the_ground_at_every_frame_rate(fps: float, speed_kmh: float) -> None:
    side = CAMERA.box_of
    assert side(0, 20, 0, 4.4, 1.8, 1.5).width > 50
    start = -speed_kmh / 3.6 * 1.0
    found = follow(CAMERA, (4.4, 1.8, 1.5), (start, 20), 0.0, speed_kmh, fps=fps, duration_s=2.0, noise=0.01)
    assert found[0].speed_kmh is None, "nothing is known of a single look"
    assert found[-1].speed_kmh == pytest.approx(speed_kmh, rel=0.12)


def test_one_who_comes_nearer_is_as_fast() -> None:
    found = follow(CAMERA, (0.5, 0.5, 1.75), (1.0, 26), -math.pi / 2, 5.0, noise=0.01, kind=Kind.PERSON)
    assert found[-1].speed_kmh == pytest.approx(5.0, abs=1.2)
    assert found[-1].ground_m == pytest.approx((1.0, 26 - 3 * 5 / 3.6), abs=0.8)


def test_without_a_calibration_there_are_no_metres() -> None:
    reader = SceneReader(PLAIN)
    moving = [reader.read(i / 10, 0, [person(1, (0.2 + i / 100, 0.5))], SIZE_PX).moving[0] for i in range(20)]
    assert {(each.speed_kmh, each.ground_m) for each in moving} == {(None, None)}


def test_what_is_cut_by_the_edge_has_no_speed() -> None:
    reader = SceneReader(RuleBook(calibration=CAMERA.calibration()))
    for index in range(20):
        # A lorry that drives in: its box grows, and its middle goes half as fast as it does.
        scene = reader.read(index / 10, 0, [Track(1, Kind.VEHICLE, Box(-5, 300, 20 + 20 * index, 500), True)], SIZE_PX)
    assert scene.moving[0].speed_kmh is None


# Stillness


def test_one_who_stands_is_still_since_then_and_no_longer_when_they_go() -> None:
    reader, chance = SceneReader(PLAIN), random.Random(1)
    still: dict[float, float | None] = {}
    for index in range(250):
        at_s = index / 12.5
        x = 0.2 + 0.04 * (min(at_s, 5.0) + max(0.0, at_s - 15.0))  # stands from 5 to 15 s
        box = box_at((x, 0.6))
        box = box.moved(chance.gauss(0, 0.03) * box.width, chance.gauss(0, 0.03) * box.height)
        still[at_s] = reader.read(at_s, 0, [Track(1, Kind.PERSON, box, True)], SIZE_PX).moving[0].still_since_s
    assert all(since_s is None for at_s, since_s in still.items() if at_s < 6.5)
    assert all(since_s == pytest.approx(5.0, abs=0.5) for at_s, since_s in still.items() if 8 <= at_s <= 15)
    assert all(since_s is None for at_s, since_s in still.items() if at_s >= 16.5)


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 1000), st.sampled_from([3.0, 8.0, 25.0]), st.floats(0.05, 0.4), st.floats(0.2, 3.0))
def test_a_trembling_box_stays_still(seed: int, fps: float, height: float, slimness: float) -> None:
    reader, chance = SceneReader(PLAIN), random.Random(seed)
    box = box_at((0.5, 0.6), height, height / slimness)
    since: list[float | None] = []
    for index in range(int(12 * fps)):
        moved = box.moved(chance.gauss(0, 0.03) * box.width, chance.gauss(0, 0.03) * box.height)
        since.append(reader.read(index / fps, 0, [Track(1, Kind.PERSON, moved, True)], SIZE_PX).moving[0].still_since_s)
    assert all(each is not None for each in since[int(4 * fps) :])
    assert len(set(since[int(4 * fps) :])) == 1


def test_one_who_is_hidden_for_a_moment_stands_as_long() -> None:
    reader = SceneReader(PLAIN)
    for index in range(200):
        at_s = index / 10
        moving = reader.read(at_s, 0, [person(1, (0.5, 0.6), is_seen=not 8 <= at_s < 10)], SIZE_PX).moving[0]
        if 8 <= at_s < 10:
            assert not moving.is_seen
    assert moving.still_since_s == 0.0


def test_another_who_walks_past_does_not_make_a_standing_one_move() -> None:
    reader = SceneReader(PLAIN)
    for index in range(150):
        at_s = index / 10
        box = box_at((0.5, 0.6))
        if 6.0 <= at_s < 6.4:
            box = Box(box.x0 - 60, box.y0, box.x1, box.y1)  # two become one for four pictures
        moving = reader.read(at_s, 0, [Track(1, Kind.PERSON, box, True)], SIZE_PX).moving[0]
    assert moving.still_since_s == 0.0


# Kinds


def test_faces_heads_and_plates_are_not_counted() -> None:
    reader = SceneReader(PLAIN)
    tracks = [Track(number, kind, box_at((0.5, 0.5)), True) for number, kind in enumerate(Kind)]
    assert [each.kind for each in reader.read(0.0, 0, tracks, SIZE_PX).moving] == list(CountedKind)


@pytest.mark.parametrize("camera", [Pinhole(4, 12), Pinhole(6, 20), Pinhole(8, 30), Pinhole(12, 50)], ids=lambda c: f"{c.down_deg}")
@pytest.mark.parametrize("heading", [0.0, 0.8, -math.pi / 2], ids=["across", "aslant", "nearer"])
@pytest.mark.parametrize(
    ("size_m", "speed_kmh", "kind"),
    [
        ((0.6, 0.5, 1.75), 4.5, CountedKind.PERSON),
        ((0.8, 0.5, 1.65), 8.0, CountedKind.PERSON),
        ((1.8, 0.6, 1.75), 16.0, CountedKind.BICYCLE),
        ((4.5, 1.8, 1.5), 35.0, CountedKind.VEHICLE),
        ((6.0, 2.1, 2.6), 25.0, CountedKind.VEHICLE),
    ],
)
def test_kinds_follow_from_size_and_speed(
    camera: Pinhole, heading: float, size_m: tuple[float, float, float], speed_kmh: float, kind: CountedKind
) -> None:
    middle_m = camera.to_ground(0.5, 0.55)[1]
    way_m = speed_kmh / 3.6 * 1.4
    start = (-way_m / 2 * math.cos(heading), middle_m - way_m / 2 * math.sin(heading))
    found = follow(camera, size_m, start, heading, speed_kmh, fps=20, duration_s=1.4)
    assert found[-1].kind is kind


MADE = {
    CountedKind.PERSON: lambda chance: ((chance.uniform(0.4, 0.9), chance.uniform(0.4, 0.55), chance.uniform(1.5, 1.9)), (3, 8)),
    CountedKind.BICYCLE: lambda chance: ((chance.uniform(1.6, 1.9), 0.6, chance.uniform(1.6, 1.9)), (10, 28)),
    CountedKind.VEHICLE: lambda chance: ((chance.uniform(3.6, 4.9), chance.uniform(1.65, 1.95), chance.uniform(1.4, 1.75)), (15, 55)),
}


@pytest.mark.parametrize("kind", MADE)
def test_nine_of_ten_are_told_wherever_they_go_and_however_steeply_they_are_seen(kind: CountedKind) -> None:
    chance, right = random.Random(5), 0
    for index in range(80):
        camera = Pinhole((5, 6, 9, 12)[index % 4], (10, 20, 35, 55)[index % 4])
        east, north = camera.to_ground(chance.uniform(0.15, 0.85), chance.uniform(max(0.1, camera.horizon + 0.12), 0.85))
        size_m, limits_kmh = MADE[kind](chance)
        heading, speed_kmh = chance.uniform(0, 2 * math.pi), chance.uniform(*limits_kmh)
        before_m = speed_kmh / 3.6 * 0.8
        start = (east - before_m * math.cos(heading), north - before_m * math.sin(heading))
        found = follow(camera, size_m, start, heading, speed_kmh, duration_s=1.6, noise=0.03)
        right += bool(found) and found[-1].kind is kind
    assert right >= 0.9 * 80


def test_a_kind_is_steady() -> None:
    found = follow(CAMERA, (0.7, 0.5, 1.7), (-4, 18), 0.0, 5.0, duration_s=6.0, noise=0.08)
    changes = sum(before.kind is not after.kind for before, after in itertools.pairwise(found))
    assert changes == 1
    assert found[0].kind is CountedKind.OBJECT, "nothing is said before enough was seen"
    assert found[-1].kind is CountedKind.PERSON


def test_one_vote_after_a_long_time_is_a_vote() -> None:
    votes = KindVotes()
    votes.vote(CountedKind.VEHICLE, 3600.0)
    votes.vote(CountedKind.VEHICLE, 3600.0)
    assert votes.kind is CountedKind.VEHICLE


def test_votes_must_lead_clearly_before_a_kind_changes() -> None:
    votes = KindVotes()
    votes.vote(CountedKind.PERSON, 0.4)
    assert (votes.kind, votes.is_decided) == (CountedKind.OBJECT, False)
    votes.vote(CountedKind.PERSON, 0.6)
    votes.vote(CountedKind.BICYCLE, 1.4)
    assert votes.kind is CountedKind.PERSON
    votes.vote(CountedKind.BICYCLE, 0.2)
    assert votes.kind is CountedKind.BICYCLE
    for _ in range(200):
        votes.vote(CountedKind.VEHICLE, 0.25)
    for _ in range(20):
        votes.vote(CountedKind.PERSON, 0.25)
    assert votes.kind is CountedKind.VEHICLE
    for _ in range(20):
        votes.vote(CountedKind.PERSON, 0.25)
    assert votes.kind is CountedKind.PERSON, "nothing long past weighs for ever"


def test_a_car_that_parks_stays_a_vehicle() -> None:
    reader = SceneReader(RuleBook(calibration=CAMERA.calibration()))
    for index in range(400):
        at_s = index / 10
        box = CAMERA.box_of(-10 + 5 * min(at_s, 2.0), 20, 0.0, 4.4, 1.8, 1.5)
        scene = reader.read(at_s, 0, [Track(1, Kind.OBJECT, box, True)], SIZE_PX)
    assert scene.moving[0].kind is CountedKind.VEHICLE
    assert scene.moving[0].speed_kmh == pytest.approx(0, abs=0.1)


def test_what_fits_nothing_is_an_object() -> None:
    dog = follow(CAMERA, (0.9, 0.3, 0.5), (-2, 15), 0.0, 6.0)
    crowd = follow(CAMERA, (9.0, 9.0, 1.8), (0, 25), -math.pi / 2, 3.0)
    assert (dog[-1].kind, crowd[-1].kind) == (CountedKind.OBJECT, CountedKind.OBJECT)


def test_a_detector_that_tells_kinds_is_believed() -> None:
    assert follow(CAMERA, (4.4, 1.8, 1.5), (-4, 20), 0.0, 30.0, kind=Kind.PERSON)[-1].kind is CountedKind.PERSON


# Odd input


def test_numbers_of_numpy_are_taken() -> None:
    track = Track(1, Kind.PERSON, Box(*(np.float32(value) for value in (10, 20, 30, 80))), True)
    (moving,) = SceneReader(PLAIN).read(0.0, 0, [track], SIZE_PX).moving
    assert {type(value) for value in (moving.box.x0, moving.box.y0, moving.box.x1, moving.box.y1)} == {float}


boxes = st.builds(Box, *[st.floats(-3000, 3000) | st.just(math.nan) | st.just(math.inf)] * 4)
tracks = st.builds(Track, st.integers(0, 4), st.sampled_from(list(Kind)), boxes, st.booleans())
looks = st.lists(st.tuples(st.floats(-5, 5) | st.just(math.nan), st.lists(tracks, max_size=5)), max_size=12)


@settings(deadline=None)
@given(looks, st.sampled_from([SIZE_PX, (0, 0), (1, 4000)]), st.booleans())
def test_nothing_that_a_tracker_says_is_an_error(
    story: list[tuple[float, list[Track]]], size_px: tuple[int, int], is_calibrated: bool
) -> None:
    zone = Zone(name="all", points=((0, 0), (1, 0), (1, 1), (0, 1)), anchor=Anchor.CENTRE)
    reader = SceneReader(RuleBook(zone=(zone,), calibration=CAMERA.calibration() if is_calibrated else None))
    last_s = -math.inf
    for at_s, found in story:
        scene = reader.read(at_s, 0, found, size_px, uncovered=[track.box for track in found])
        assert not scene.at_s < last_s
        last_s = scene.at_s
        for moving in scene.moving:
            assert 0 <= moving.box.x0 < moving.box.x1 <= 1
            assert 0 <= moving.box.y0 < moving.box.y1 <= 1
    reader.forget()
    assert reader.forget() is None
