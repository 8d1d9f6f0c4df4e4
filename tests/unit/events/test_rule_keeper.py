"""All rules of a camera together: in order, through a rest, to the end, and into another rule book."""

from __future__ import annotations

from typing import get_args

import pytest

from hand_made_scene import OBJECT, PERSON, VEHICLE, book, box_at, crossing, judge_all, moving, phases, scene, staying
from lamppost.events.episodes import NOTE_RULE_CHANGED, NOTE_UNOBSERVED
from lamppost.events.rule_keeper import RuleKeeper
from lamppost.events.scene import SceneNow
from lamppost.model.event_document import detail_of
from lamppost.model.happening import EventType, Phase
from lamppost.model.rules import Rule, RuleBook

ENTERED = {"type": "zone_entered", "after_s": 0, "cooldown_s": 20}
DWELT = {"type": "dwell", "after_s": 5}
EVERY_RULE = (
    {"type": "line_crossed"},
    ENTERED,
    {"type": "occupancy", "most": 1, "after_s": 1},
    DWELT,
    {"type": "crowd_density", "after_s": 1, "levels_per_m2": [0.01]},
    {"type": "stopped_vehicle", "after_s": 5},
    {"type": "wrong_way", "direction": [(0.0, 0.5), (1.0, 0.5)]},
    {"type": "queue", "most": 1, "most_m": 0.5, "after_s": 1},
    {"type": "object_left", "after_s": 5},
    {"type": "object_removed"},
)


def busy(at_s: float) -> SceneNow:
    """Something for every rule, with numbers that stand out."""
    things = [
        moving(735_117, PERSON, at=(0.73311, 0.68813), still_since_s=0.0, ground_m=(4711.25, 815.75)),
        moving(735_118, PERSON, at=(0.13311, 0.68813), still_since_s=0.0, ground_m=(4712.25, 815.75)),
        moving(735_119, VEHICLE, at=(0.43311, 0.18813), still_since_s=0.0, ground_m=(4719.5, 899.5)),
        moving(735_120, OBJECT, at=(0.33311, 0.31813), still_since_s=0.0),
        moving(735_121, PERSON, at=(0.9 - 0.07 * at_s, 0.9)),
    ]
    return scene(at_s, [staying(thing) for thing in things], crossings=[crossing()], uncovered=[box_at(0.61117, 0.5)], area_m2=30.0)


def test_every_type_of_rule_is_in_the_test() -> None:
    types = {rule.model_fields["type"].annotation for rule in get_args(get_args(Rule)[0])}
    assert {name for each in types for name in get_args(each)} == {rule["type"] for rule in EVERY_RULE}


def test_every_type_of_rule_raises_an_event_and_ends_it() -> None:
    keeper = RuleKeeper(book(*EVERY_RULE))
    changes = judge_all(keeper, busy, 0, 8)
    started = {change.type for change in changes if change.phase is Phase.START}
    assert {event_type.value for event_type in started} == {rule["type"] for rule in EVERY_RULE}
    ends = keeper.close()
    assert {end.type for end in ends} == started
    assert all(end.phase is Phase.END for end in ends)
    assert {end.findings.note for end in ends} <= {NOTE_UNOBSERVED, ""}
    assert keeper.close() == ()


def test_no_event_holds_a_track_or_a_place_in_the_picture_or_on_the_map() -> None:
    keeper = RuleKeeper(book(*EVERY_RULE))
    changes = [*judge_all(keeper, busy, 0, 8), *keeper.close()]
    # Without the ids of events: they are made by chance, and any number may stand in one.
    said = " ".join((repr(change) + detail_of(change)).replace(change.event_id, "") for change in changes)
    for number in ("7351", "3311", "8813", "1813", "1117", "4711", "4712", "4719", "815", "899"):
        assert number not in said.replace(" ", ""), number


def test_changes_come_in_the_order_of_the_book() -> None:
    keeper = RuleKeeper(book(DWELT, ENTERED))
    assert [change.type for change in keeper.judge(scene(9.0, [staying()]))] == [EventType.DWELL, EventType.ZONE_ENTERED]


def test_two_rules_on_one_zone_are_two_events() -> None:
    keeper = RuleKeeper(book(ENTERED | {"name": "one"}, ENTERED | {"name": "two"}))
    one, two = keeper.judge(scene(0.0, [staying()]))
    assert (one.rule, two.rule) == ("one", "two")
    assert one.event_id != two.event_id


def test_a_zone_that_was_not_measured_finds_nothing() -> None:
    keeper = RuleKeeper(book(ENTERED))
    assert keeper.judge(SceneNow(0.0, 0, (), (), ())) == ()


def test_what_is_not_observed_ends_after_a_while() -> None:
    keeper = RuleKeeper(book(ENTERED))
    keeper.judge(scene(0.0, [staying()]))
    assert keeper.rest(19.0) == ()
    assert keeper.judge(scene(19.5, [staying()])) == (), "the same event goes on"
    assert phases(keeper.rest(39.5)) == ["end"]


def test_a_crowd_that_was_not_observed_waits_anew() -> None:
    keeper = RuleKeeper(book({"type": "crowd_density", "after_s": 5}))

    def crowd(at_s: float) -> SceneNow:
        return scene(at_s, [staying(moving(index)) for index in range(30)], area_m2=10.0)

    assert judge_all(keeper, crowd, 0, 4.8) == []
    keeper.rest(5.0)
    assert judge_all(keeper, crowd, 5.2, 10) == []
    assert phases(keeper.judge(crowd(10.3))) == ["start"]


def test_a_way_that_was_not_observed_is_not_gone() -> None:
    keeper = RuleKeeper(book({"type": "wrong_way", "direction": [(0.0, 0.5), (1.0, 0.5)]}))
    keeper.judge(scene(0.0, [staying(moving(at=(0.9, 0.5)))]))
    keeper.rest(1.0)
    assert keeper.judge(scene(2.0, [staying(moving(at=(0.1, 0.5)))])) == ()


def test_a_run_may_follow_a_run_whose_time_was_later() -> None:
    keeper = RuleKeeper(book(ENTERED))
    (first,) = keeper.judge(scene(1000.0, [staying(since_s=999.0)]))
    keeper.close()
    (second,) = keeper.judge(scene(0.0, [staying()]))
    assert second.phase is Phase.START
    assert second.event_id != first.event_id


def test_rules_that_stay_the_same_keep_their_events_and_others_end() -> None:
    keeper = RuleKeeper(book(ENTERED, DWELT))
    keeper.judge(scene(9.0, [staying()]))
    (end,) = keeper.adopt(book(ENTERED, DWELT | {"after_s": 7}, {"type": "object_removed"}))
    assert (end.type, end.phase, end.findings.note) == (EventType.DWELL, Phase.END, NOTE_RULE_CHANGED)
    (start,) = keeper.judge(scene(9.2, [staying()]))
    assert (start.type, start.findings.limit) == (EventType.DWELL, 7)
    assert {end.type for end in keeper.close()} == {EventType.DWELL, EventType.ZONE_ENTERED}


@pytest.mark.parametrize("change", [{"kinds": ["person"]}, {"points": [(0, 0), (1, 0), (0, 1)]}, {"anchor": "centre"}])
def test_a_rule_whose_place_changed_is_another(change: dict[str, object]) -> None:
    keeper = RuleKeeper(book(ENTERED))
    keeper.judge(scene(0.0, [staying()]))
    assert phases(keeper.adopt(book(ENTERED, **change))) == ["end"]


def test_a_calibration_is_of_what_is_measured_on_the_ground() -> None:
    crowded = {"type": "crowd_density", "after_s": 0, "levels_per_m2": [0.01]}
    keeper = RuleKeeper(book(ENTERED, crowded))
    keeper.judge(scene(0.0, [staying()], area_m2=1.0))
    parts = book(ENTERED, crowded).model_dump()
    parts["calibration"]["largest_error_m"] = 2.0
    assert [end.type for end in keeper.adopt(RuleBook.model_validate(parts))] == [EventType.CROWD_DENSITY]


def test_a_book_without_rules_ends_all() -> None:
    keeper = RuleKeeper(book(ENTERED))
    keeper.judge(scene(0.0, [staying()]))
    assert phases(keeper.adopt(RuleBook())) == ["end"]
    assert keeper.judge(scene(1.0, [staying()])) == ()
