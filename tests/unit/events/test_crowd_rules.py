"""Crowds: levels that do not flicker, and queues in heads and in metres."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hand_made_scene import OBJECT, PERSON, VEHICLE, assert_is_a_life, book, judge_all, lives, moving, phases, scene, staying, us
from lamppost.events.rule_keeper import RuleKeeper
from lamppost.events.scene import SceneNow
from lamppost.model.rules import CountedKind

AREA_M2 = 10.0


def crowd(number: Callable[[float], int], kind: CountedKind = PERSON) -> Callable[[float], SceneNow]:
    return lambda at_s: scene(at_s, [staying(moving(index, kind)) for index in range(number(at_s))], area_m2=AREA_M2)


def test_a_crowd_that_grows_goes_up_level_by_level_and_ends_in_an_alarm() -> None:
    keeper = RuleKeeper(book({"type": "crowd_density", "after_s": 5, "cooldown_s": 5, "severity": "info"}))
    changes = judge_all(
        keeper, crowd(lambda at_s: 10 if at_s < 10 else 20 if at_s < 30 else 45 if at_s < 50 else 55 if at_s < 70 else 3), 0, 90
    )
    assert_is_a_life(changes, is_over=True)
    assert [(change.phase.value, change.findings.level, change.severity.value, change.findings.limit) for change in changes] == [
        ("start", 1, "info", 2.0),
        ("update", 2, "info", 4.0),
        ("update", 3, "alarm", 5.0),
        ("end", 3, "alarm", 5.0),
    ]
    assert changes[0].wall_us == us(10)
    last = changes[-1].findings
    assert (last.value, last.unit, last.count, last.kind) == (5.5, "per_m2", 55, PERSON)


def test_one_who_comes_and_goes_at_a_level_changes_nothing() -> None:
    keeper = RuleKeeper(book({"type": "crowd_density", "after_s": 2, "cooldown_s": 0}))
    changes = judge_all(keeper, crowd(lambda at_s: 40 if round(at_s * 5) % 2 else 39), 0, 60)
    assert [(change.phase.value, change.findings.level) for change in changes] == [("start", 1), ("update", 2)]


def test_a_crowd_that_sways_around_a_level_does_not_end() -> None:
    keeper = RuleKeeper(book({"type": "crowd_density", "after_s": 2, "cooldown_s": 0}))
    changes = judge_all(keeper, crowd(lambda at_s: 20 if at_s % 10 < 5 else 19), 0, 60)
    assert [(change.phase.value, change.findings.level) for change in changes] == [("start", 1)]
    assert phases(judge_all(keeper, crowd(lambda _at_s: 17), 60.2, 61)) == ["end"]


def test_a_crowd_that_comes_back_within_the_cooldown_need_not_wait_again() -> None:
    keeper = RuleKeeper(book({"type": "crowd_density", "after_s": 4, "cooldown_s": 10}))
    changes = judge_all(keeper, crowd(lambda at_s: 25 if at_s < 10 or at_s % 10 > 8 else 3), 0, 100)
    assert phases(changes) == ["start"]


def test_a_crowd_that_flickers_is_no_row_of_events() -> None:
    keeper = RuleKeeper(book({"type": "crowd_density", "after_s": 4, "cooldown_s": 0}))
    changes = judge_all(keeper, crowd(lambda at_s: 25 if at_s < 10 or round(at_s * 5) % 4 else 3), 0, 60)
    assert phases(changes)[:2] == ["start", "end"]
    starts = [change.wall_us for change in changes if change.phase.value == "start"]
    assert all(later - earlier >= 4_000_000 for earlier, later in itertools.pairwise(starts))


def test_a_level_that_is_not_held_is_not_reached() -> None:
    keeper = RuleKeeper(book({"type": "crowd_density", "after_s": 5}))
    changes = judge_all(keeper, crowd(lambda at_s: 55 if 20 <= at_s < 23 else 25), 0, 60)
    assert [change.findings.level for change in changes] == [1]
    assert changes[0].severity.value == "warning"


@settings(max_examples=50, deadline=None)
@given(numbers=st.lists(st.tuples(st.integers(0, 70), st.integers(1, 30)), max_size=12))
def test_whatever_a_crowd_does_its_events_are_lives(numbers: list[tuple[int, int]]) -> None:
    keeper = RuleKeeper(book({"type": "crowd_density", "after_s": 2, "cooldown_s": 3}))
    counts = [number for number, looks in numbers for _ in range(looks)]
    changes = [change for step, count in enumerate(counts) for change in keeper.judge(crowd(lambda _at_s, count=count: count)(step * 0.5))]
    changes += keeper.close()
    for event in lives(changes).values():
        assert_is_a_life(event, is_over=True)


@pytest.mark.parametrize(
    ("kinds", "kind", "is_crowd"),
    [
        (["person", "bicycle", "vehicle", "object"], PERSON, True),
        (["person", "bicycle", "vehicle", "object"], OBJECT, False),
        (["person", "bicycle", "vehicle", "object"], VEHICLE, False),
        (["object"], OBJECT, True),
        (["person", "object"], OBJECT, True),
        (["person"], OBJECT, False),
    ],
)
def test_objects_are_people_where_no_vehicle_counts(kinds: list[str], kind: CountedKind, is_crowd: bool) -> None:
    keeper = RuleKeeper(book({"type": "crowd_density", "after_s": 0}, kinds=kinds))
    assert bool(keeper.judge(crowd(lambda _at_s: 30, kind)(0.0))) is is_crowd


def test_without_an_area_there_is_no_density() -> None:
    keeper = RuleKeeper(book({"type": "crowd_density", "after_s": 0}))
    assert keeper.judge(scene(0.0, [staying(moving(index)) for index in range(90)])) == ()


def queue(number: int, at_s: float, step_m: float | None = None, still_since_s: float | None = 0.0) -> SceneNow:
    places = [None if step_m is None else (3.0, index * step_m) for index in range(number)]
    return scene(at_s, [staying(moving(index, PERSON, still_since_s=still_since_s, ground_m=place)) for index, place in enumerate(places)])


def test_too_many_wait() -> None:
    keeper = RuleKeeper(book({"type": "queue", "most": 5, "after_s": 10}))
    changes = judge_all(keeper, lambda at_s: queue(8, at_s), 0, 10)
    (start,) = changes
    assert (start.findings.count, start.findings.value, start.findings.limit, start.findings.unit) == (8, 8, 5, "")


def test_who_walks_does_not_wait() -> None:
    keeper = RuleKeeper(book({"type": "queue", "most": 5, "after_s": 10}))
    assert judge_all(keeper, lambda at_s: queue(8, at_s, still_since_s=None), 0, 30) == []


def test_all_may_take_a_step_while_they_wait() -> None:
    keeper = RuleKeeper(book({"type": "queue", "most": 5, "after_s": 10, "cooldown_s": 10}))
    changes = judge_all(keeper, lambda at_s: queue(8, at_s, still_since_s=None if at_s % 6 > 4 else 0.0), 0, 60)
    assert phases(changes) == ["start"]


def test_a_queue_is_long_in_metres() -> None:
    keeper = RuleKeeper(book({"type": "queue", "most_m": 12.0, "after_s": 10}))
    assert judge_all(keeper, lambda at_s: queue(9, at_s, step_m=1.5), 0, 20) == []
    changes = judge_all(keeper, lambda at_s: queue(10, at_s, step_m=1.5), 20.2, 40)
    assert [(change.findings.value, change.findings.unit, change.findings.limit) for change in changes] == [(13.5, "m", 12.0)]


def test_metres_are_unknown_where_nobody_has_a_place_on_the_ground() -> None:
    keeper = RuleKeeper(book({"type": "queue", "most_m": 1.0, "after_s": 0}))
    assert judge_all(keeper, lambda at_s: queue(30, at_s), 0, 20) == []


def test_where_both_limits_stand_either_is_enough() -> None:
    keeper = RuleKeeper(book({"type": "queue", "most": 5, "most_m": 12.0, "after_s": 0}))
    changes = judge_all(keeper, lambda at_s: queue(6 if at_s < 10 else 10, at_s, step_m=1.5), 0, 20)
    assert [(change.findings.count, change.findings.unit) for change in changes] == [(6, ""), (10, "")]
