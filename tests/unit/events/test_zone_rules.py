"""Who is in a zone, how many, and for how long."""

from __future__ import annotations

from hand_made_scene import BICYCLE, PERSON, VEHICLE, assert_is_a_life, book, judge_all, moving, phases, scene, staying, us
from lamppost.events.rule_keeper import RuleKeeper


def test_who_is_there_for_long_enough_has_entered() -> None:
    keeper = RuleKeeper(book({"type": "zone_entered", "after_s": 1, "cooldown_s": 3}))
    changes = judge_all(keeper, lambda at_s: scene(at_s, [staying(since_s=2.0)] if 2 <= at_s < 5 else []), 0, 10)
    assert_is_a_life(changes, is_over=True)
    assert [(change.phase.value, change.wall_us) for change in changes] == [("start", us(2.0)), ("end", us(4.8))]
    assert (changes[0].findings.kind, changes[0].findings.count) == (PERSON, 1)


def test_many_who_hurry_through_have_not() -> None:
    keeper = RuleKeeper(book({"type": "zone_entered", "after_s": 1}))
    assert judge_all(keeper, lambda at_s: scene(at_s, [staying(moving(int(at_s)), since_s=float(int(at_s)))]), 0, 20, 0.9) == []


def test_a_zone_counts_its_kinds_alone() -> None:
    keeper = RuleKeeper(book({"type": "zone_entered", "after_s": 0}, kinds=["bicycle"]))
    assert keeper.judge(scene(0.0, [staying(moving(1, PERSON)), staying(moving(2, VEHICLE))])) == ()
    (start,) = keeper.judge(scene(0.2, [staying(moving(1, PERSON)), staying(moving(3, BICYCLE))]))
    assert (start.findings.kind, start.findings.count) == (BICYCLE, 1)


def test_too_many_are_too_many_after_a_while() -> None:
    keeper = RuleKeeper(book({"type": "occupancy", "most": 2, "after_s": 5, "cooldown_s": 4, "severity": "alarm"}))

    def at(at_s: float) -> int:
        return 2 if at_s < 10 else 3 if at_s < 20 else 5 if at_s < 30 else 2

    changes = judge_all(keeper, lambda at_s: scene(at_s, [staying(moving(index)) for index in range(at(at_s))]), 0, 40)
    assert_is_a_life(changes, is_over=True)
    assert phases(changes) == ["start", "update", "end"]
    assert [change.wall_us for change in changes] == [us(10), us(20), us(29.8)]
    assert [change.findings.value for change in changes] == [3, 5, 5]
    assert (changes[0].findings.limit, changes[0].findings.unit, changes[0].severity.value) == (2, "", "alarm")


def test_too_many_for_a_moment_are_not() -> None:
    keeper = RuleKeeper(book({"type": "occupancy", "most": 0, "after_s": 5}))
    assert judge_all(keeper, lambda at_s: scene(at_s, [staying()] if at_s % 8 < 4 else []), 0, 60) == []


def test_who_stays_is_told_once_with_the_longest_time_at_the_end() -> None:
    keeper = RuleKeeper(book({"type": "dwell", "after_s": 30, "cooldown_s": 5}))

    def there(at_s: float) -> list[object]:
        return [staying(moving(1), since_s=1.0)] * (1 <= at_s <= 50) + [staying(moving(2), since_s=10.0)] * (10 <= at_s <= 60)

    changes = judge_all(keeper, lambda at_s: scene(at_s, there(at_s)), 0, 70, 0.5)  # type: ignore[arg-type]
    assert_is_a_life(changes, is_over=True)
    assert [(change.phase.value, change.findings.count) for change in changes] == [("start", 1), ("update", 2), ("end", 2)]
    assert (changes[0].findings.value, changes[0].findings.limit, changes[0].findings.unit) == (30, 30, "s")
    assert changes[-1].findings.value == 50
    assert (changes[0].wall_us, changes[-1].wall_us) == (us(1), us(60))


def test_short_stays_do_not_add_up() -> None:
    keeper = RuleKeeper(book({"type": "dwell", "after_s": 30}))
    assert judge_all(keeper, lambda at_s: scene(at_s, [staying(moving(int(at_s // 20)), since_s=at_s // 20 * 20)]), 0, 200, 0.5) == []
