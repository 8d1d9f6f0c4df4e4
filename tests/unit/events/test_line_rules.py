"""Crossings of a line become one event that counts them."""

from __future__ import annotations

from hand_made_scene import BICYCLE, PERSON, VEHICLE, assert_is_a_life, book, crossing, phases, scene, us
from lamppost.events.rule_keeper import RuleKeeper
from lamppost.model.happening import EventType
from lamppost.model.rules import RuleBook, Way


def test_crossings_that_follow_each_other_are_counted_in_one_event() -> None:
    keeper = RuleKeeper(book({"type": "line_crossed", "cooldown_s": 5}))
    changes = list(keeper.judge(scene(0.0)))
    changes += keeper.judge(scene(1.0, crossings=[crossing()]))
    changes += keeper.judge(scene(1.2, crossings=[crossing(Way.BACKWARD), crossing()]))
    changes += keeper.judge(scene(4.0))
    changes += keeper.judge(scene(6.2))
    assert_is_a_life(changes, is_over=True)
    assert [change.findings.count for change in changes] == [1, 3, 3]
    first, _update, last = changes
    assert (first.type, first.place, first.findings.ways) == (EventType.LINE_CROSSED, "gate", ("forward",))
    assert (first.wall_us, last.wall_us) == (us(1.0), us(1.2))
    assert last.findings.ways == ("forward", "backward")
    assert last.findings.kind is PERSON


def test_ways_lines_and_kinds_that_it_does_not_watch_say_nothing() -> None:
    parts = book({"type": "line_crossed", "ways": ["backward"]}).model_dump()
    parts["line"][0]["kinds"] = ["bicycle"]
    keeper = RuleKeeper(RuleBook.model_validate(parts))
    wrong = [crossing(Way.FORWARD, BICYCLE), crossing(Way.BACKWARD, VEHICLE), crossing(Way.BACKWARD, BICYCLE, line="other")]
    assert keeper.judge(scene(0.0, crossings=wrong)) == ()
    assert phases(keeper.judge(scene(0.2, crossings=[*wrong, crossing(Way.BACKWARD, BICYCLE)]))) == ["start"]


def test_several_kinds_are_no_kind() -> None:
    keeper = RuleKeeper(book({"type": "line_crossed"}))
    (start,) = keeper.judge(scene(0.0, crossings=[crossing(), crossing(kind=BICYCLE)]))
    assert (start.findings.kind, start.findings.count) == (None, 2)
