"""Zones know who is in them and for how long, whatever boxes and tracks do."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from lamppost.base.errors import ConfigError
from lamppost.events.scene import Left, SceneNow
from lamppost.events.scene_reader import SceneReader
from lamppost.model.rules import Correspondence, CountedKind, CrowdDensity, RuleBook, Zone
from lamppost.model.vision import Box, Kind, Track
from measured_scenes import SIZE_PX, Pinhole, film, person, straight

SQUARE = Zone(name="square", points=((0.3, 0.3), (0.7, 0.3), (0.7, 0.8), (0.3, 0.8)))
BAND = 0.15 * math.sqrt(0.06 * SIZE_PX[0] / SIZE_PX[1] * 0.2)
OUTSIDE = (0.1, 0.5)
INSIDE = (0.5, 0.5)

Path = Callable[[float], tuple[float, float] | None]


def nobody(at_s: float) -> tuple[float, float] | None:
    return OUTSIDE if at_s < 2 else None


def watch(*paths: Path, zone: Zone = SQUARE, fps: float = 10, duration_s: float = 10, start_s: float = 0.0) -> list[SceneNow]:
    """Somebody else opens the run, so that those on `paths` come later."""
    return film(SceneReader(RuleBook(zone=(zone,))), [nobody, *paths], duration_s, fps, start_s)


def entered(scenes: Sequence[SceneNow]) -> list[CountedKind]:
    return [kind for scene in scenes for zone in scene.zones for kind in zone.entered]


def left(scenes: Sequence[SceneNow]) -> list[Left]:
    return [each for scene in scenes for zone in scene.zones for each in zone.left]


def occupancy(scenes: Sequence[SceneNow]) -> list[int]:
    return [len(scene.zones[0].staying) for scene in scenes]


def test_who_walks_through_enters_stays_and_leaves() -> None:
    scenes = watch(straight((0.1, 0.5), (0.9, 0.5), 8))  # inside from 2 to 6 s
    assert entered(scenes) == [CountedKind.PERSON]
    (gone,) = left(scenes)
    assert (gone.kind, gone.speed_kmh) == (CountedKind.PERSON, None)
    assert gone.dwell_s == pytest.approx(4.0, abs=0.4)
    inside = {scene.at_s for scene in scenes if scene.zones[0].staying}
    assert min(inside) == pytest.approx(2.3, abs=0.2)
    assert max(inside) == pytest.approx(6.5, abs=0.3)
    (stay,) = scenes[50].zones[0].staying
    assert stay.inside_since_s == pytest.approx(2.0, abs=0.2)
    assert stay.moving in scenes[50].moving


@pytest.mark.parametrize("kinds", [(CountedKind.VEHICLE,), (CountedKind.PERSON, CountedKind.BICYCLE)])
def test_only_its_kinds_are_in_it(kinds: tuple[CountedKind, ...]) -> None:
    zone = Zone(name="zone", points=SQUARE.points, kinds=kinds)
    scenes = watch(straight((0.1, 0.5), (0.9, 0.5), 8), zone=zone)
    assert len(entered(scenes)) == len(left(scenes)) == max(occupancy(scenes)) == (CountedKind.PERSON in kinds)


def test_one_who_vanishes_inside_has_left_a_moment_later() -> None:
    scenes = watch(straight(OUTSIDE, INSIDE, 4))
    assert entered(scenes) == [CountedKind.PERSON]
    (gone,) = left(scenes)
    assert gone.dwell_s == pytest.approx(2.0, abs=0.2), "until they were seen last"
    assert next(scene.at_s for scene in scenes if scene.zones[0].left) == pytest.approx(5.1, abs=0.3)
    assert occupancy(scenes)[42] == 0, "nobody is seen in it any more"


def test_a_track_that_is_carried_on_stays_in_until_it_ends() -> None:
    reader = SceneReader(RuleBook(zone=(SQUARE,)))
    scenes = [reader.read(0.0, 0, [person(9, OUTSIDE)], SIZE_PX)]
    for index in range(12, 60):
        is_seen = index < 30
        foot = INSIDE if is_seen else (0.5 + (index - 30) * 0.02, 0.5)  # carried on out of the zone
        scenes.append(reader.read(index / 10, 0, [person(1, foot, is_seen=is_seen)] if index < 50 else [], SIZE_PX))
    assert [len(scene.zones[0].staying) for scene in scenes if 1.5 <= scene.at_s < 5] == [1] * 35
    (gone,) = left([*scenes, reader.read(9.0, 0, [], SIZE_PX)])
    assert gone.dwell_s == pytest.approx(1.7, abs=0.05), "where it was only thought to be is not counted"


def test_a_standing_one_whose_track_is_lost_for_two_seconds_has_not_left() -> None:
    def first(at_s: float) -> tuple[float, float] | None:
        return INSIDE if 2 <= at_s <= 6 else None

    def again(at_s: float) -> tuple[float, float] | None:
        return (0.51, 0.51) if 8 <= at_s <= 12 else None

    scenes = watch(first, again, duration_s=20)
    assert entered(scenes) == [CountedKind.PERSON]
    (gone,) = left(scenes)
    assert gone.dwell_s == pytest.approx(10, abs=0.2)


def test_another_who_appears_elsewhere_or_later_is_another() -> None:
    def first(at_s: float) -> tuple[float, float] | None:
        return INSIDE if 2 <= at_s <= 6 else None

    def elsewhere(at_s: float) -> tuple[float, float] | None:
        return (0.4, 0.7) if 7 <= at_s <= 12 else None

    def later(at_s: float) -> tuple[float, float] | None:
        return INSIDE if 13 <= at_s <= 16 else None

    scenes = watch(first, elsewhere, later, duration_s=25)
    assert (len(entered(scenes)), len(left(scenes))) == (3, 3)


def test_those_who_are_there_when_a_run_begins_have_not_entered() -> None:
    def path(at_s: float) -> tuple[float, float]:
        return INSIDE if at_s < 5 else OUTSIDE

    scenes = film(SceneReader(RuleBook(zone=(SQUARE,))), [path], 10, 10)
    assert entered(scenes) == []
    assert occupancy(scenes)[20] == 1
    (gone,) = left(scenes)
    assert gone.dwell_s is None


def test_those_who_are_there_when_a_run_ends_have_not_left() -> None:
    reader = SceneReader(RuleBook(zone=(SQUARE,)))
    vanished = straight(OUTSIDE, (0.4, 0.5), 4, begins_s=1)
    scenes = film(reader, [nobody, vanished, straight(OUTSIDE, INSIDE, 5, begins_s=0.5)], 5.5, 10)
    assert len(entered(scenes)) == 2
    assert left(scenes) == []
    end = reader.forget()
    assert end is not None
    assert (end.moving, end.zones[0].staying) == ((), ())
    assert len(left([end])) == 1, "who vanished before the end has left"
    assert reader.forget() is None


def test_one_who_trembles_at_the_edge_enters_once_at_most_and_does_not_leave() -> None:
    chance = random.Random(2)

    def path(at_s: float) -> tuple[float, float] | None:
        return (0.5, 0.3 + chance.uniform(-0.8, 0.8) * BAND) if at_s >= 2 else None

    scenes = watch(path, duration_s=60)
    assert len(entered(scenes)) <= 1
    assert left(scenes) == []


def test_a_box_that_loses_its_feet_for_a_moment_is_not_in_the_zone_above_it() -> None:
    def path(at_s: float) -> tuple[float, float]:
        return 0.5, 0.77 if 4.0 <= at_s <= 4.1 else 0.83

    scenes = watch(path)
    assert (entered(scenes), left(scenes)) == ([], [])


def test_what_rushes_through_has_entered_and_left() -> None:
    scenes = watch(straight((0.0, 0.5), (1.0, 0.5), 0.5, begins_s=3), fps=10)
    assert (len(entered(scenes)), len(left(scenes))) == (1, 1)
    (gone,) = left(scenes)
    assert gone.dwell_s is not None
    assert 0.1 <= gone.dwell_s <= 0.3


def test_a_zone_that_reaches_the_edge_of_the_picture_holds_who_is_cut_off_there() -> None:
    zone = Zone(name="front", points=((0.0, 0.7), (1.0, 0.7), (1.0, 1.0), (0.0, 1.0)))
    scenes = watch(straight((0.5, 1.2), (0.5, 1.05), 4, begins_s=2), zone=zone)
    assert max(occupancy(scenes)) == 1
    assert len(entered(scenes)) == 1


# Areas and speeds


def test_an_area_is_measured_or_told() -> None:
    camera = Pinhole()
    corners = tuple(camera.to_image(*place) for place in [(-3, 12), (3, 12), (3, 17), (-3, 17)])
    zone = Zone(name="zone", points=corners, area_m2=99)
    told = SceneReader(RuleBook(zone=(zone,)))
    measured = SceneReader(RuleBook(zone=(zone,), calibration=camera.calibration()))
    unknown = SceneReader(RuleBook(zone=(SQUARE,)))
    areas = [reader.read(0.0, 0, [], SIZE_PX).zones[0].area_m2 for reader in (told, measured, unknown)]
    assert areas == [99, pytest.approx(30, abs=0.01), None]


def test_a_crowd_rule_on_the_sky_is_refused() -> None:
    camera = Pinhole(down_deg=8)
    zone = Zone(name="sky", points=((0.2, 0.0), (0.8, 0.0), (0.5, 0.6)))
    book = {"rule": (CrowdDensity(type="crowd_density", name="crush", zone="sky"),), "calibration": camera.calibration()}
    with pytest.raises(ConfigError, match="above the horizon"):
        SceneReader(RuleBook(zone=(zone,), **book))
    assert SceneReader(RuleBook(zone=(zone.model_copy(update={"area_m2": 5.0}),), **book))


def test_a_calibration_that_cannot_be_is_refused() -> None:
    line = [Correspondence(image=(0.2 * i, 0.5), map_m=(i, 0)) for i in range(5)]
    with pytest.raises(ConfigError, match="in a line"):
        SceneReader(RuleBook(calibration={"points": line}))


def test_who_leaves_leaves_their_mean_speed() -> None:
    camera = Pinhole()
    corners = tuple(camera.to_image(*place) for place in [(-3, 15), (3, 15), (3, 25), (-3, 25)])
    reader = SceneReader(RuleBook(zone=(Zone(name="zone", points=corners),), calibration=camera.calibration()))
    scenes = [reader.read(0.0, 0, [], SIZE_PX)]
    for index in range(15, 120):
        box = camera.box_of(-6 + 1.2 * (index / 10 - 1.5), 20, 0.0, 0.5, 0.5, 1.75)
        scenes.append(reader.read(index / 10, 0, [Track(1, Kind.PERSON, box, True)], SIZE_PX))
    (gone,) = left(scenes)
    assert gone.speed_kmh == pytest.approx(1.2 * 3.6, abs=0.3)
    assert gone.dwell_s == pytest.approx(5.0, abs=0.5)


def test_uncovered_boxes_are_passed_on_in_shares() -> None:
    scene = SceneReader(RuleBook()).read(0.0, 0, [], (200, 100), [Box(20, 10, 60, 50), Box(300, 0, 400, 50)])
    assert scene.uncovered == (Box(0.1, 0.1, 0.3, 0.5),)


# Whatever way somebody goes

ways = st.lists(st.tuples(st.floats(0.05, 0.95), st.floats(0.21, 0.95)), min_size=2, max_size=6)
lives = st.lists(st.tuples(ways, st.floats(0, 6), st.floats(0.3, 6)), max_size=4)


@settings(deadline=None, max_examples=60)
@given(lives, st.sampled_from([3.0, 10.0]), st.lists(st.integers(0, 140), max_size=40))
@example([([(0.5, 0.5), (0.5, 0.5)], 0.0, 2.0), ([(0.5, 0.5), (0.5, 0.5)], 3.0, 6.0)], 10.0, [])
def test_who_is_in_has_come_and_not_gone(stories: list, fps: float, unseen: list[int]) -> None:
    """At every moment the zone holds those who were there at first, and who came, less who went, but for those just lost."""
    reader = SceneReader(RuleBook(zone=(SQUARE,)))
    came = went = most = 0
    # One who comes where another has just vanished is taken for the same: no stay is longer than all of theirs together.
    longest_s = max((begins + lasts for _, begins, lasts in stories), default=0.0) - min((begins for _, begins, _ in stories), default=0.0)
    for index in range(int(18 * fps)):
        at_s = index / fps
        tracks = []
        for number, (points, begins_s, lasts_s) in enumerate(stories):
            share = (at_s - begins_s - 1.5) / lasts_s
            if 0 <= share < 1:
                place = share * (len(points) - 1)
                (ax, ay), (bx, by) = points[int(place)], points[int(place) + 1]
                foot = (ax + place % 1 * (bx - ax), ay + place % 1 * (by - ay))
                tracks.append(person(number, foot, is_seen=index not in unseen))
        zone = reader.read(at_s, 0, tracks, SIZE_PX).zones[0]
        came, went, most = came + len(zone.entered), went + len(zone.left), max(most, len(zone.staying))
        assert came - went >= len(zone.staying)
        assert all(gone.dwell_s is not None and 0 <= gone.dwell_s <= longest_s + 1e-6 for gone in zone.left)
        assert all(each.inside_since_s <= at_s for each in zone.staying)
    assert came == went, "long after the last has gone"
    assert came >= most


@settings(deadline=None, max_examples=50)
@given(st.floats(0.35, 0.65), st.floats(0.35, 0.7), st.sampled_from([2.0, 5.0, 12.5, 25.0]), st.integers(0, 1000))
def test_how_often_one_looks_hardly_matters(x: float, y: float, fps: float, seed: int) -> None:
    chance = random.Random(seed)

    def path(at_s: float) -> tuple[float, float] | None:
        if at_s < 2:
            return None
        share = min(1.0, max(0.0, abs(at_s - 8) - 2) / 3)  # there, stays for 4 s, and back
        return x + share * (0.05 - x) + chance.uniform(-0.3, 0.3) * BAND, y + chance.uniform(-0.3, 0.3) * BAND

    scenes = watch(path, fps=fps, duration_s=15)
    assert len(entered(scenes)) == 1
    (gone,) = left(scenes)
    # It crosses the edge at x = 0.3 on its way in and out.
    outside = (0.3 - x) / (0.05 - x)
    assert gone.dwell_s == pytest.approx(4 + 6 * outside, abs=0.6 + 1 / fps)
