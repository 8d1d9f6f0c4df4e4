"""Things that are left behind, and things that are gone."""

from __future__ import annotations

import pytest

from hand_made_scene import OBJECT, PERSON, assert_is_a_life, book, box_at, judge_all, moving, phases, scene, staying, us
from lamppost.events.rule_keeper import RuleKeeper
from lamppost.model.rules import CountedKind

BAG = staying(moving(1, OBJECT, at=(0.5, 0.5), still_since_s=5.0), since_s=4.0)


def test_a_thing_that_lies_there_alone_is_left() -> None:
    keeper = RuleKeeper(book({"type": "object_left", "after_s": 60, "cooldown_s": 10}))
    changes = judge_all(keeper, lambda at_s: scene(at_s, [BAG] if 5 <= at_s <= 200 else []), 0, 220, 1.0)
    assert_is_a_life(changes, is_over=True)
    assert [(change.phase.value, change.wall_us, change.findings.value) for change in changes] == [
        ("start", us(5), 60),
        ("end", us(200), 195),
    ]


@pytest.mark.parametrize("kind", [kind for kind in CountedKind if kind is not OBJECT])
def test_nothing_else_is_a_thing(kind: CountedKind) -> None:
    keeper = RuleKeeper(book({"type": "object_left", "after_s": 1}))
    assert judge_all(keeper, lambda at_s: scene(at_s, [staying(moving(1, kind, still_since_s=0.0))]), 0, 100, 1.0) == []


def test_a_thing_that_moves_is_not_left() -> None:
    keeper = RuleKeeper(book({"type": "object_left", "after_s": 1}))
    assert judge_all(keeper, lambda at_s: scene(at_s, [staying(moving(1, OBJECT))]), 0, 100, 1.0) == []


def test_who_stands_beside_it_looks_after_it_and_who_passes_does_not() -> None:
    owner = moving(2, PERSON, at=(0.56, 0.5), still_since_s=0.0)
    passer = moving(3, PERSON, at=(0.56, 0.5))
    far = moving(4, PERSON, at=(0.8, 0.5), still_since_s=0.0)
    rule = book({"type": "object_left", "after_s": 10})
    assert judge_all(RuleKeeper(rule), lambda at_s: scene(at_s, [BAG, staying(owner)]), 5, 100, 1.0) == []
    assert judge_all(RuleKeeper(rule), lambda at_s: scene(at_s, [BAG], beside=[owner]), 5, 100, 1.0) == []
    for other in (passer, far):
        changes = judge_all(RuleKeeper(rule), lambda at_s, other=other: scene(at_s, [BAG, staying(other)]), 5, 100, 1.0)  # type: ignore[misc]
        assert phases(changes) == ["start"]


def test_a_thing_that_is_gone_from_its_zone_is_told_once() -> None:
    corner = [(0.0, 0.0), (0.5, 0.0), (0.5, 0.5), (0.0, 0.5)]
    keeper = RuleKeeper(book({"type": "object_removed", "cooldown_s": 10}, points=corner))
    elsewhere, inside = box_at(0.8, 0.8), box_at(0.2, 0.3)
    changes = judge_all(keeper, lambda at_s: scene(at_s, uncovered=[elsewhere] + [inside] * (5 <= at_s <= 8)), 0, 30)
    assert_is_a_life(changes, is_over=True)
    assert [(change.phase.value, change.wall_us, change.findings.count) for change in changes] == [
        ("start", us(5), 1),
        ("end", us(8), 1),
    ]


@pytest.mark.parametrize(("at", "is_inside"), [((0.5, 0.15), False), ((0.2, 0.5), True), ((0.8, 0.5), True), ((0.5, 0.95), True)])
def test_a_zone_may_have_a_notch(at: tuple[float, float], is_inside: bool) -> None:
    notched = [(0.0, 0.0), (0.3, 0.0), (0.5, 0.8), (0.7, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)]
    keeper = RuleKeeper(book({"type": "object_removed"}, points=notched))
    assert bool(keeper.judge(scene(0.0, uncovered=[box_at(*at, size=0.02)]))) is is_inside
