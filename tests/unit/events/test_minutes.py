"""Minutes hold what was counted, say how much of them was seen, and lose nothing to a clock."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lamppost.events.minutes import HOUR_US, MINUTE_US, MinuteBook
from lamppost.events.scene import Crossing, Left, Moving, SceneNow, Staying, ZoneNow
from lamppost.model.happening import DWELL_BINS_S, SPEED_BINS_KMH, CountedMinute, Measure, PlaceKind, Tally
from lamppost.model.rules import CountedKind, HeatMap, Line, RuleBook, Way, Zone
from lamppost.model.vision import Box

START_US = 1_699_999_200_000_000 // HOUR_US * HOUR_US
PERSON, BICYCLE, VEHICLE = CountedKind.PERSON, CountedKind.BICYCLE, CountedKind.VEHICLE
SQUARE = ((0.3, 0.3), (0.7, 0.3), (0.7, 0.7), (0.3, 0.7))
LINE = Line(name="line", points=((0.0, 0.5), (1.0, 0.5)))
BOOK = RuleBook(line=(LINE,), zone=(Zone(name="zone", points=SQUARE),))
DOWN = Crossing("line", Way.FORWARD, PERSON)


def moving(
    number: int = 1, kind: CountedKind = PERSON, still_since_s: float | None = None, foot: tuple[float, float] = (0.5, 0.5)
) -> Moving:
    return Moving(number, kind, Box(foot[0] - 0.02, foot[1] - 0.2, foot[0] + 0.02, foot[1]), True, 0.0, still_since_s)


def scene(
    at_s: float, crossings: Iterable[Crossing] = (), *, wall_us: int | None = None, there: Iterable[Moving] = (), **zone: object
) -> SceneNow:
    there = tuple(there)
    staying = tuple(Staying(each, 0.0) for each in there)
    at_us = START_US + round(at_s * 1e6) if wall_us is None else wall_us
    return SceneNow(at_s, at_us, there, tuple(crossings), (ZoneNow("zone", staying=staying, **zone),))  # type: ignore[arg-type]


def tallies(minutes: Iterable[CountedMinute], place: str = "zone") -> dict[tuple[Measure, CountedKind | None], Tally]:
    return {(tally.measure, tally.kind): tally for minute in minutes if minute.place == place for tally in minute.tallies}


def observed_ms(minutes: Iterable[CountedMinute], place: str = "line") -> dict[int, int]:
    sums: Counter[int] = Counter()
    for minute in minutes:
        if minute.place == place:
            sums[minute.minute_us] += minute.observed_ms
    return dict(sums)


def watch(book: MinuteBook, seconds: float, step_s: float = 0.5, start_s: float = 0.0, **rest: object) -> None:
    for index in range(1, round(seconds / step_s) + 1):
        book.note(scene(start_s + index * step_s, **rest), step_s)  # type: ignore[arg-type]


def test_a_minute_is_handed_out_when_it_is_over() -> None:
    book = MinuteBook(BOOK)
    watch(book, 59.5)
    assert book.take(START_US + 59_500_000) == ()
    book.note(scene(60.5, [DOWN]), 1.0)
    line, zone = book.take(START_US + 60_500_000)
    assert line == CountedMinute(PlaceKind.LINE, "line", START_US, 60_000, ())
    assert zone == CountedMinute(PlaceKind.ZONE, "zone", START_US, 60_000, ())
    assert book.take(START_US + 60_600_000) == ()
    rest = book.flush()
    assert rest[0] == CountedMinute(PlaceKind.LINE, "line", START_US + MINUTE_US, 500, (Tally(Measure.FORWARD, PERSON, 1),))
    assert book.flush() == ()


def test_what_was_not_seen_is_unknown() -> None:
    book = MinuteBook(BOOK)
    watch(book, 10)
    book.note(scene(40, [DOWN]), 0.0)  # a new run: nobody looked from 10 to 40
    watch(book, 5, start_s=40)
    watch(book, 10, start_s=300)
    minutes = book.flush()
    assert observed_ms(minutes) == {START_US: 15_000, START_US + 5 * MINUTE_US: 10_000}
    assert tallies(minutes, "line")[Measure.FORWARD, PERSON].count == 1


def test_crossings_count_by_way_and_kind() -> None:
    book = MinuteBook(BOOK)
    up = Crossing("line", Way.BACKWARD, VEHICLE)
    book.note(scene(1, [DOWN, up, up]), 1)
    book.note(scene(2, [DOWN, Crossing("elsewhere", Way.FORWARD, PERSON)]), 1)
    found = tallies(book.flush(), "line")
    assert {key: tally.count for key, tally in found.items()} == {(Measure.FORWARD, PERSON): 2, (Measure.BACKWARD, VEHICLE): 2}


def test_entries_exits_dwell_and_speed() -> None:
    book = MinuteBook(BOOK)
    book.note(scene(1, entered=(PERSON, PERSON, BICYCLE)), 1)
    book.note(scene(2, left=(Left(PERSON, 1.0, 4.0), Left(PERSON, 2000.0, None), Left(PERSON, None, 6.0))), 1)
    book.note(scene(3, left=(Left(VEHICLE, 5.0, 999.0),)), 1)
    found = tallies(book.flush())
    assert found[Measure.ENTRIES, PERSON] == Tally(Measure.ENTRIES, PERSON, 2)
    assert found[Measure.ENTRIES, BICYCLE].count == 1
    assert found[Measure.EXITS, PERSON].count == 3
    dwell = found[Measure.DWELL, PERSON]
    assert (dwell.count, dwell.total, dwell.most) == (2, 2001.0, 2000.0)
    assert dwell.bins == (1.0, *[0.0] * (len(DWELL_BINS_S) - 2), 1.0)
    speed = found[Measure.SPEED, PERSON]
    assert (speed.count, speed.total, speed.most) == (2, 10.0, 6.0)
    assert speed.bins == (1.0, 1.0, *[0.0] * (len(SPEED_BINS_KMH) - 2))
    fast = found[Measure.SPEED, VEHICLE].bins
    assert fast is not None
    assert fast[-1] == 1.0
    assert found[Measure.DWELL, VEHICLE].bins == tuple(float(bound == 5.0) for bound in DWELL_BINS_S)


@pytest.mark.parametrize("step_s", [0.04, 0.08, 0.5, 1.0, 2.5, 10.0])
def test_levels_are_means_over_time_whatever_the_frame_rate(step_s: float) -> None:
    book = MinuteBook(BOOK)
    watch(book, 20, step_s, there=[moving(1), moving(2, VEHICLE)])
    watch(book, 40, step_s, start_s=20, there=[moving(1)])
    found = tallies(book.take(START_US + 2 * MINUTE_US))
    everybody, vehicles = found[Measure.OCCUPANCY, None], found[Measure.OCCUPANCY, VEHICLE]
    assert everybody.count == vehicles.count == found[Measure.OCCUPANCY, PERSON].count == pytest.approx(60, abs=1)
    assert everybody.total is not None
    assert vehicles.total is not None
    assert everybody.total / everybody.count == pytest.approx(4 / 3, abs=0.1)
    assert vehicles.total / vehicles.count == pytest.approx(1 / 3, abs=0.1)
    assert (everybody.most, vehicles.most) == (2, 1)


def test_queues_are_those_who_stand_and_densities_are_of_people() -> None:
    book = MinuteBook(BOOK)
    there = [moving(1, still_since_s=0.0), moving(2, still_since_s=9.0), moving(3), moving(4, VEHICLE)]
    book.note(scene(10.0, there=there, area_m2=2.0), 1.0)
    found = tallies(book.flush())
    assert found[Measure.QUEUE, None] == Tally(Measure.QUEUE, None, 1, 1.0, 1.0)
    assert found[Measure.DENSITY, None] == Tally(Measure.DENSITY, None, 1, 1.5, 1.5)


def test_where_no_vehicles_are_counted_objects_are_people() -> None:
    zone = Zone(name="zone", points=SQUARE, kinds=(CountedKind.OBJECT, PERSON))
    book = MinuteBook(RuleBook(zone=(zone,)))
    book.note(scene(1.0, there=[moving(1, CountedKind.OBJECT), moving(2)], area_m2=4.0), 1.0)
    assert tallies(book.flush())[Measure.DENSITY, None].total == 0.5


def test_a_part_of_a_second_has_a_sample_too() -> None:
    book = MinuteBook(BOOK)
    book.note(scene(0.2, there=[moving()]), 0.2)
    assert tallies(book.flush())[Measure.OCCUPANCY, None] == Tally(Measure.OCCUPANCY, None, 1, 1.0, 1.0)


# Heat maps


def test_a_heat_map_holds_seconds_of_an_hour() -> None:
    book = MinuteBook(RuleBook(heat_map=HeatMap(columns=4, rows=4, kinds=(PERSON,))))
    corner = moving(foot=(1.0, 1.0))
    watch(book, 10, there=[moving(foot=(0.1, 0.3)), corner, moving(9, VEHICLE)])
    book.note(scene(3600.5, there=[corner]), 1.0)
    (hour,) = book.take(START_US + HOUR_US + 500_000)
    assert (hour.place_kind, hour.place, hour.minute_us, hour.observed_ms) == (PlaceKind.PICTURE, "", START_US, 10_500)
    (tally,) = hour.tallies
    assert (tally.measure, tally.kind, tally.total, tally.most) == (Measure.PRESENCE, None, 20.5, 10.5)
    assert tally.bins is not None
    assert (tally.bins[4], tally.bins[15], sum(tally.bins)) == (10.0, 10.5, 20.5)
    (rest,) = book.flush()
    assert (rest.minute_us, rest.observed_ms, rest.tallies[0].total) == (START_US + HOUR_US, 500, 0.5)


def test_nothing_is_kept_that_tells_one_from_another() -> None:
    book = MinuteBook(BOOK)
    one, other = MinuteBook(BOOK), MinuteBook(BOOK)
    watch(one, 5, there=[moving(1), moving(2)])
    watch(other, 5, there=[moving(2**62), moving(77)])
    assert one.flush() == other.flush()
    assert book.flush() == ()


# Clocks


def test_a_clock_that_is_set_back_loses_nothing_and_no_minute_has_more_than_a_minute() -> None:
    book = MinuteBook(BOOK)
    watch(book, 90, crossings=[DOWN])
    first = book.take(START_US + 90_000_000)
    watch(book, 60, crossings=[DOWN])  # the clock went back by 90 s
    second = book.take(START_US + 60_000_000)
    minutes = [*first, *second, *book.flush()]
    assert sum(tally.count for minute in minutes for tally in minute.tallies if tally.measure is Measure.FORWARD) == 300
    assert observed_ms(minutes) == {START_US: 60_000, START_US + MINUTE_US: 30_000}


def test_minutes_that_a_clock_has_left_are_over() -> None:
    book = MinuteBook(BOOK)
    watch(book, 5, start_s=7200)
    watch(book, 5)
    assert set(observed_ms(book.take(START_US + 5_000_000))) == {START_US + 2 * HOUR_US}


def test_what_nobody_takes_is_bounded_and_told() -> None:
    book = MinuteBook(BOOK)
    for minute in range(200):
        book.note(scene(minute * 60 + 1), 0.5)
    assert book.dropped == 20
    assert len(observed_ms(book.flush())) == 180


steps = st.tuples(
    st.floats(0, 3) | st.sampled_from([0.04, 45.0, 100.0]),  # how long was seen
    st.floats(-200, 200) | st.just(0.0),  # how the clock stepped before
    st.integers(0, 3),  # crossings
    st.integers(0, 4),  # how many are there
    st.sampled_from(["", "take", "flush"]),
)


@settings(deadline=None, max_examples=150)
@given(st.lists(steps, max_size=40))
def test_whatever_the_clock_does_every_crossing_is_in_one_minute(story: list[tuple[float, float, int, int, str]]) -> None:
    book, handed = MinuteBook(BOOK), []
    wall_us, crossed, seen_us = START_US, 0, 0
    expected: defaultdict[int, int] = defaultdict(int)
    for step_s, jump_s, count, there, then in story:
        wall_us += round((step_s + jump_s) * 1e6)
        book.note(scene(0.0, [DOWN] * count, wall_us=wall_us, there=[moving(number) for number in range(there)]), step_s)
        crossed, seen_us = crossed + count, seen_us + round(min(step_s, 60) * 1e6)
        expected[wall_us // MINUTE_US * MINUTE_US] += count
        handed += book.take(wall_us) if then == "take" else book.flush() if then == "flush" else ()
    handed += book.flush()
    found: defaultdict[int, int] = defaultdict(int)
    for minute in handed:
        assert minute.minute_us % MINUTE_US == 0
        assert 0 <= minute.observed_ms <= 60_000
        for tally in minute.tallies:
            if tally.measure is Measure.FORWARD:
                found[minute.minute_us] += tally.count
            elif tally.measure is Measure.OCCUPANCY:
                assert tally.total is not None
                assert tally.most is not None
                assert 0 < tally.total <= tally.most * tally.count
    assert {key: count for key, count in expected.items() if count} == dict(found)
    sums = observed_ms(handed)
    assert all(total <= 60_000 for total in sums.values())
    assert sum(sums.values()) <= round(seen_us / 1000) + len(sums)


@settings(deadline=None, max_examples=80)
@given(st.lists(st.tuples(st.floats(0.01, 20), st.booleans()), min_size=1, max_size=30), st.floats(0, 3600))
def test_time_that_was_seen_is_observed_to_the_millisecond(story: list[tuple[float, bool]], start_s: float) -> None:
    book, handed = MinuteBook(BOOK), []
    wall_us = begin_us = START_US + round(start_s * 1e6)
    for step_s, takes in story:
        step_us = round(step_s * 1e6)
        wall_us += step_us
        book.note(scene(0.0, wall_us=wall_us), step_us / 1e6)
        handed += book.take(wall_us) if takes else book.flush()
    handed += book.flush()
    for minute_us, total_ms in observed_ms(handed).items():
        overlap_us = min(wall_us, minute_us + MINUTE_US) - max(begin_us, minute_us)
        assert abs(total_ms - overlap_us / 1000) <= 0.5
