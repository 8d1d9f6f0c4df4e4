"""An event starts once and ends once, whatever flickers in between."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hand_made_scene import assert_is_a_life, lives, phases, us
from lamppost.events.episodes import LEAST_UNOBSERVED_S, NOTE_UNOBSERVED, UPDATE_EVERY_S, Episode, Found, Waiting
from lamppost.model.books import Severity
from lamppost.model.happening import EventChange, EventType, Findings, Phase


def found(count: int = 1, severity: Severity = Severity.WARNING, level: int | None = None, *, adds: bool = False) -> Found:
    return Found(Findings(count=count, level=level), severity, adds=adds)


def an_episode(after_s: float = 0.0, cooldown_s: float = 10.0) -> Episode:
    return Episode(EventType.OCCUPANCY, "full", "plaza", after_s=after_s, cooldown_s=cooldown_s)


def play(episode: Episode, looks: dict[float, Found | None]) -> list[EventChange]:
    return [change for at_s, what in looks.items() for change in episode.look(at_s, us(at_s), what)]


def test_it_starts_when_it_has_been_so_for_long_enough_and_is_stamped_with_its_beginning() -> None:
    episode = an_episode(after_s=5)
    assert play(episode, {0.0: None, 1.0: found(), 5.9: found()}) == []
    (start,) = play(episode, {6.0: found(3)})
    assert (start.phase, start.wall_us, start.findings.count) == (Phase.START, us(1.0), 3)
    assert (start.type, start.rule, start.place, start.severity) == (EventType.OCCUPANCY, "full", "plaza", Severity.WARNING)


def test_it_does_not_start_when_it_stopped_meanwhile() -> None:
    episode = an_episode(after_s=5)
    assert play(episode, {0.0: found(), 3.0: None, 4.9: found(), 6.0: found(), 9.8: found()}) == []
    assert phases(play(episode, {9.9: found()})) == ["start"]


def test_a_blink_while_it_waits_is_overlooked() -> None:
    episode = an_episode(after_s=5)
    changes = play(episode, {0.0: found(), 2.0: found(), 2.5: None, 3.0: found(), 5.0: found()})
    assert [(change.phase, change.wall_us) for change in changes] == [(Phase.START, us(0))]


def test_it_ends_after_the_cooldown_and_is_stamped_with_when_it_was_so_last() -> None:
    episode = an_episode()
    changes = play(episode, {0.0: found(), 1.0: found(), 2.0: None, 10.9: None})
    assert phases(changes) == ["start"]
    assert episode.is_open
    (end,) = play(episode, {11.0: None})
    assert (end.phase, end.wall_us, end.findings.note) == (Phase.END, us(1.0), "")
    assert not episode.is_open


def test_what_comes_again_within_the_cooldown_is_the_same_event_and_later_another() -> None:
    episode = an_episode()
    changes = play(episode, {0.0: found(), 1.0: None, 9.0: found(), 10.0: None, 18.9: None, 19.0: None, 30.0: found()})
    assert phases(changes) == ["start", "end", "start"]
    assert changes[0].event_id == changes[1].event_id != changes[2].event_id


def test_it_is_told_again_when_it_grows_and_not_too_often() -> None:
    episode = an_episode()
    looks = {step / 10: found(1 + step) for step in range(100)}
    changes = play(episode, looks)
    told = [change.findings.count for change in changes]
    assert told == [1, 21, 41, 61, 81]
    assert play(episode, {10.0: found(50), 12.5: found(50)})[-1].findings.count == 100
    assert play(episode, {15.0: found(99), 20.0: found(100)}) == []


def test_what_grew_just_before_it_fell_is_told_too_with_the_time_when_it_was_so() -> None:
    episode = an_episode()
    changes = play(episode, {0.0: found(1), 1.0: found(9), 1.2: None, 1.9: None, 2.0: None, 11.0: None})
    assert [(change.phase.value, change.findings.count, change.wall_us) for change in changes] == [
        ("start", 1, us(0)),
        ("update", 9, us(1)),
        ("end", 9, us(1)),
    ]


def test_a_severity_that_rises_does_not_wait_and_does_not_fall() -> None:
    episode = an_episode()
    changes = play(episode, {0.0: found(severity=Severity.INFO), 0.1: found(severity=Severity.ALARM), 0.2: found(severity=Severity.INFO)})
    assert [(change.phase.value, change.severity.value) for change in changes] == [("start", "info"), ("update", "alarm")]
    assert episode.forget()[0].severity is Severity.ALARM


def test_where_there_are_levels_they_alone_are_told() -> None:
    changes = play(an_episode(), {0.0: found(1, level=1), 3.0: found(9, level=1), 6.0: found(5, level=2)})
    assert [(change.findings.level, change.findings.count) for change in changes] == [(1, 1), (2, 9)]


def test_what_adds_is_summed_up_with_its_ways() -> None:
    episode = an_episode()
    for at_s, way in enumerate(("forward", "backward", "forward")):
        episode.look(at_s, us(at_s), Found(Findings(count=2, ways=(way,)), Severity.INFO, adds=True))
    (end,) = episode.forget()
    assert (end.findings.count, end.findings.ways) == (6, ("forward", "backward"))


def test_values_of_different_units_are_not_compared() -> None:
    episode = an_episode()
    for at_s, value, unit in ((0, 5.0, ""), (1, 40.0, "m"), (2, 7.0, "")):
        episode.look(at_s, us(at_s), Found(Findings(count=1, value=value, unit=unit, limit=4.0), Severity.INFO))
    (end,) = episode.forget()
    assert (end.findings.value, end.findings.unit) == (7.0, "")


def test_an_event_that_is_no_longer_observed_says_so() -> None:
    episode = an_episode(cooldown_s=1)
    play(episode, {0.0: found()})
    assert episode.rest(LEAST_UNOBSERVED_S - 0.1) == ()
    (end,) = episode.rest(LEAST_UNOBSERVED_S)
    assert (end.phase, end.wall_us, end.findings.note) == (Phase.END, us(0), NOTE_UNOBSERVED)
    assert episode.rest(100) == episode.forget() == ()


def test_an_event_that_goes_on_after_a_rest_is_the_same() -> None:
    episode = an_episode(cooldown_s=60)
    play(episode, {0.0: found()})
    assert episode.rest(30) == ()
    assert play(episode, {40.0: found()}) == []
    assert episode.rest(99) == ()
    assert phases(episode.rest(100)) == ["end"]


def test_what_was_over_already_when_the_observation_ended_is_just_over() -> None:
    episode = an_episode()
    play(episode, {0.0: found(), 0.5: None})
    (end,) = episode.forget()
    assert end.findings.note == ""


def test_unobserved_time_does_not_count_as_waiting() -> None:
    episode = an_episode(after_s=5)
    play(episode, {0.0: found()})
    episode.rest(3)
    assert play(episode, {6.0: found(), 10.9: found()}) == []
    assert phases(play(episode, {11.0: found()})) == ["start"]


def test_events_of_one_rule_do_not_overlap() -> None:
    episode = an_episode(cooldown_s=0)
    play(episode, {10.0: found(), 11.0: None})
    (start,) = episode.look(20.0, us(20), Found(Findings(), Severity.INFO, since_s=2.0))
    assert start.wall_us == us(10)


def test_a_wall_clock_that_is_put_back_makes_no_event_end_before_it_starts() -> None:
    episode = an_episode(cooldown_s=0)
    (start,) = episode.look(0.0, us(1), found())
    episode.look(0.5, us(0.5), found())
    (end,) = episode.look(1.0, us(1.0), None)
    assert start.wall_us == end.wall_us == us(1)


@pytest.mark.parametrize("after_s", [0.0, 1.0, 5.0])
def test_what_waits_may_forget(after_s: float) -> None:
    waiting = Waiting(after_s)
    waiting.update(0.0, True)
    waiting.forget()
    assert waiting.since_s is None
    assert waiting.update(after_s, True) is (after_s == 0)


# Timelines: looks at rising times, each with a count, or none, or the camera resting.

_RESTS = object()
_steps = st.lists(st.tuples(st.floats(0.04, 12.0), st.sampled_from([None, None, 1, 2, 3, _RESTS])), max_size=60)
_waits = st.sampled_from([0.0, 0.5, 2.0, 8.0])


def _play(episode: Episode, steps: list[tuple[float, object]]) -> list[tuple[float, EventChange]]:
    changes: list[tuple[float, EventChange]] = []
    at_s = 0.0
    for step_s, what in steps:
        at_s += step_s
        if what is _RESTS:
            made = episode.rest(at_s)
        else:
            severity = Severity.ALARM if what == 3 else Severity.INFO
            made = episode.look(at_s, us(at_s), found(what, severity) if isinstance(what, int) else None)
        changes += [(at_s, change) for change in made]
    return changes + [(at_s, change) for change in episode.forget()]


@settings(max_examples=300)
@given(steps=_steps, after_s=_waits, cooldown_s=_waits)
def test_every_event_is_a_life_and_no_two_overlap(steps: list[tuple[float, object]], after_s: float, cooldown_s: float) -> None:
    changes = [change for _at_s, change in _play(an_episode(after_s, cooldown_s), steps)]
    events = lives(changes)
    assert changes == [change for event in events.values() for change in event], "one after the other"
    for event in events.values():
        assert_is_a_life(event, is_over=True)
    for one, other in itertools.pairwise(events.values()):
        assert one[-1].wall_us <= other[0].wall_us


@settings(max_examples=300)
@given(steps=_steps, after_s=_waits, cooldown_s=_waits)
def test_updates_keep_their_distance_unless_it_is_urgent(steps: list[tuple[float, object]], after_s: float, cooldown_s: float) -> None:
    told = _play(an_episode(after_s, cooldown_s), steps)
    for (one_s, one), (other_s, other) in itertools.pairwise(told):
        if other.phase is Phase.UPDATE and other.severity is one.severity:
            assert other_s - one_s >= UPDATE_EVERY_S


@settings(max_examples=300)
@given(gaps_s=st.lists(st.floats(0.01, 9.9), min_size=1, max_size=40))
def test_any_flicker_shorter_than_the_cooldown_is_one_event(gaps_s: list[float]) -> None:
    episode = an_episode(cooldown_s=10)
    at_s, changes = 0.0, list(episode.look(0.0, us(0), found()))
    for gap_s in gaps_s:
        for part in (0.25, 0.5, 0.75):
            changes += episode.look(at_s + gap_s * part, us(at_s + gap_s * part), None)
        at_s += gap_s
        changes += episode.look(at_s, us(at_s), found())
    changes += episode.look(at_s + 10.01, us(at_s + 10.01), None)
    assert phases(changes) == ["start", "end"]
    assert changes[-1].wall_us == us(at_s)


@settings(max_examples=300)
@given(steps=st.lists(st.tuples(st.floats(0.04, 3.0), st.booleans()), max_size=60), after_s=st.sampled_from([1.0, 4.0]))
def test_nothing_starts_that_was_not_so_for_long_enough(steps: list[tuple[float, bool]], after_s: float) -> None:
    episode = an_episode(after_s, cooldown_s=0)
    at_s = 0.0
    looks: list[tuple[float, bool]] = []
    for step_s, is_so in steps:
        at_s += step_s
        looks.append((at_s, is_so))
        for change in episode.look(at_s, us(at_s), found() if is_so else None):
            if change.phase is Phase.START:
                began_s = (change.wall_us - us(0)) / 1e6
                waited = [(moment, so) for moment, so in looks if moment >= began_s - 1e-5]
                assert at_s - began_s >= after_s - 1e-5
                assert waited[0][1]
                assert is_so
                for moment, so in waited:
                    last_s = max(other for other, other_so in waited if other_so and other <= moment)
                    assert so or moment - last_s <= after_s / 4 + 1e-5


def test_ids_are_unique_and_random() -> None:
    ids = {start.event_id for _ in range(200) for start in an_episode().look(0.0, us(0), found())}
    assert len(ids) == 200
