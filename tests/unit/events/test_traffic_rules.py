"""Vehicles that stand, and whatever goes the wrong way."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hand_made_scene import BICYCLE, OBJECT, PERSON, VEHICLE, assert_is_a_life, book, judge_all, lives, moving, phases, scene, staying, us
from lamppost.events.rule_keeper import RuleKeeper
from lamppost.events.scene import SceneNow
from lamppost.model.rules import CountedKind


def test_a_vehicle_that_stands_is_told_with_how_long() -> None:
    keeper = RuleKeeper(book({"type": "stopped_vehicle", "after_s": 10, "cooldown_s": 5}))
    thing = moving(1, VEHICLE, still_since_s=3.0)
    changes = judge_all(keeper, lambda at_s: scene(at_s, [staying(thing)] if 3 <= at_s <= 40 else []), 0, 50, 0.5)
    assert_is_a_life(changes, is_over=True)
    assert [(change.wall_us, change.findings.value) for change in changes] == [(us(3), 10), (us(40), 37)]
    assert (changes[0].findings.kind, changes[0].findings.limit, changes[0].findings.unit) == (VEHICLE, 10, "s")


def test_one_that_drives_does_not_and_time_before_the_zone_does_not_count() -> None:
    keeper = RuleKeeper(book({"type": "stopped_vehicle", "after_s": 10}))
    things = [staying(moving(1, VEHICLE)), staying(moving(2, VEHICLE, still_since_s=0.0), since_s=91.0)]
    assert judge_all(keeper, lambda at_s: scene(at_s, things), 91, 100) == []


@pytest.mark.parametrize(
    ("kinds", "kind", "stands"),
    [
        (["person", "bicycle", "vehicle", "object"], VEHICLE, True),
        (["person", "bicycle", "vehicle", "object"], OBJECT, False),
        (["person", "bicycle", "vehicle", "object"], PERSON, False),
        (["vehicle", "object"], OBJECT, True),
        (["vehicle", "object"], VEHICLE, True),
        (["object"], OBJECT, True),
        (["vehicle", "bicycle"], BICYCLE, False),
        (["person"], VEHICLE, False),
    ],
)
def test_an_object_is_a_vehicle_where_no_person_counts(kinds: list[str], kind: CountedKind, stands: bool) -> None:
    keeper = RuleKeeper(book({"type": "stopped_vehicle", "after_s": 1}, kinds=kinds))
    changes = judge_all(keeper, lambda at_s: scene(at_s, [staying(moving(1, kind, still_since_s=0.0))]), 0, 5)
    assert bool(changes) is stands


def wrong_way(**rule: object) -> dict[str, object]:
    return {"type": "wrong_way", "direction": [(0.2, 0.5), (0.8, 0.5)], "least_path": 0.1, "cooldown_s": 5} | rule


def walk(x: Callable[[float], float], y: Callable[[float], float] = lambda _at_s: 0.5, **thing: object) -> Callable[[float], SceneNow]:
    return lambda at_s: scene(at_s, [staying(moving(7, VEHICLE, at=(x(at_s), y(at_s)), **thing))])  # type: ignore[arg-type]


def test_who_goes_the_right_way_is_fine() -> None:
    keeper = RuleKeeper(book(wrong_way()))
    assert judge_all(keeper, walk(lambda at_s: 0.1 + 0.08 * at_s), 0, 10) == []


def test_who_goes_against_it_is_told_once_for_as_long_as_it_goes_on() -> None:
    keeper = RuleKeeper(book(wrong_way()))
    changes = judge_all(keeper, walk(lambda at_s: max(0.1, 0.9 - 0.08 * at_s)), 0, 30)
    assert_is_a_life(changes, is_over=True)
    assert phases(changes) == ["start", "end"]
    assert (changes[-1].findings.count, changes[-1].findings.kind) == (1, VEHICLE)
    # A tenth of the diagonal is 0.1147 of the width of a 16:9 picture.
    began_s = (changes[0].wall_us - us(0)) / 1e6
    assert 0.08 * began_s == pytest.approx(0.1 * math.hypot(16, 9) / 16, abs=0.02)


def test_one_that_turns_round_has_gone_the_wrong_way() -> None:
    keeper = RuleKeeper(book(wrong_way()))
    changes = judge_all(keeper, walk(lambda at_s: 0.2 + 0.06 * at_s if at_s < 8 else 0.68 - 0.06 * (at_s - 8)), 0, 12)
    assert phases(changes) == ["start"]
    assert changes[0].wall_us > us(8)


def test_who_crosses_does_not_go_against_it() -> None:
    keeper = RuleKeeper(book(wrong_way()))
    assert judge_all(keeper, walk(lambda at_s: 0.6 - 0.02 * at_s, lambda at_s: 0.1 + 0.08 * at_s), 0, 10) == []


def test_a_box_that_trembles_goes_nowhere() -> None:
    keeper = RuleKeeper(book(wrong_way()))
    assert judge_all(keeper, walk(lambda at_s: 0.5 + 0.04 * math.sin(17 * at_s)), 0, 60) == []


def test_what_is_carried_on_without_a_detection_goes_nowhere() -> None:
    keeper = RuleKeeper(book(wrong_way()))
    assert judge_all(keeper, walk(lambda at_s: 0.9 - 0.08 * at_s, is_seen=False), 0, 10) == []


def test_two_that_go_against_it_are_two() -> None:
    keeper = RuleKeeper(book(wrong_way()))

    def two(at_s: float) -> SceneNow:
        return scene(at_s, [staying(moving(index, BICYCLE, at=(0.9 - 0.08 * at_s + 0.05 * index, 0.5))) for index in (1, 2)])

    changes = judge_all(keeper, two, 0, 8) + list(keeper.close())
    assert changes[-1].findings.count == 2


def test_the_shape_of_the_picture_matters() -> None:
    # Straight back and up by as much, in pixels of a square picture, is 45 degrees; in a wide one it is nearly straight back.
    down = [(0.2, 0.9), (0.2, 0.1)]
    steps = walk(lambda at_s: 0.1 + 0.05 * at_s, lambda at_s: 0.1 + 0.04 * at_s)
    found = {}
    for aspect in (1.0, 4.0):
        keeper = RuleKeeper(book(wrong_way(direction=down, least_path=0.05)), aspect=aspect)
        found[aspect] = bool(judge_all(keeper, steps, 0, 10))
    assert found == {1.0: True, 4.0: False}


def test_the_centre_counts_for_a_camera_that_looks_straight_down() -> None:
    # The feet come nearer while the head stays: of a box that grows, the centre goes half as far.
    def grows(at_s: float) -> SceneNow:
        thing = moving(1, PERSON)
        box = thing.box.__class__(0.4, 0.2, 0.6, 0.3 + 0.02 * at_s)
        return scene(at_s, [staying(thing.__class__(1, PERSON, box, True, 0.0, None))])

    up = wrong_way(direction=[(0.5, 0.9), (0.5, 0.1)], least_path=0.05)
    assert judge_all(RuleKeeper(book(up, anchor="foot")), grows, 0, 8)
    assert not judge_all(RuleKeeper(book(up, anchor="centre")), grows, 0, 8)


@settings(max_examples=100, deadline=None)
@given(xs=st.lists(st.floats(0.0, 1.0), max_size=60))
def test_whatever_it_does_its_events_are_lives_and_count_it_once(xs: list[float]) -> None:
    keeper = RuleKeeper(book(wrong_way(cooldown_s=1)))
    changes = [change for step, x in enumerate(xs) for change in keeper.judge(walk(lambda _at_s, x=x: x)(step * 0.4))]  # type: ignore[misc]
    changes += keeper.close()
    for event in lives(changes).values():
        assert_is_a_life(event, is_over=True)
        assert event[-1].findings.count == 1
