"""Durations and dates are exact to the microsecond, and a manual clock moves only when told."""

import threading
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lamppost.base.clock import ManualClock, SystemClock, format_utc, parse_utc, us_from_90k

moments = st.datetimes(datetime(1971, 1, 1), datetime(2200, 1, 1)).map(lambda moment: moment.replace(tzinfo=UTC))


@given(moments)
def test_a_time_is_parsed_to_the_microsecond(moment: datetime) -> None:
    wall_us = (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
    assert parse_utc(moment.isoformat()) == wall_us
    assert parse_utc(moment.replace(tzinfo=None).isoformat()) == wall_us
    assert parse_utc(f" {moment.replace(tzinfo=None).isoformat()}Z\n") == wall_us


@given(st.integers(0, 2**52))
def test_a_formatted_time_comes_back_to_the_millisecond(wall_us: int) -> None:
    assert parse_utc(format_utc(wall_us)) == wall_us // 1000 * 1000


def test_a_zone_counts() -> None:
    assert parse_utc("2026-11-23T12:00:00+02:00") == parse_utc("2026-11-23T10:00:00Z")
    assert format_utc(parse_utc("2026-11-23T10:00:00.25Z")) == "2026-11-23T10:00:00.250Z"
    with pytest.raises(ValueError, match="Invalid isoformat"):
        parse_utc("tomorrow")


@pytest.mark.parametrize("text", ["0001-01-01T00:00+12:00", "9999-12-31T23:59:59-12:00"])
def test_a_time_without_a_utc_date_is_none(text: str) -> None:
    with pytest.raises(ValueError, match="no UTC date"):
        parse_utc(text)


@given(st.integers(-(2**40), 2**40))
def test_ticks_become_the_nearest_microsecond(ticks_90k: int) -> None:
    assert abs(us_from_90k(ticks_90k) * 9 - ticks_90k * 100) <= 5


def test_ticks_of_a_second() -> None:
    assert us_from_90k(90_000) == 1_000_000
    assert us_from_90k(0) == 0


def test_a_manual_clock_waits_without_sleeping() -> None:
    clock, stop = ManualClock(wall_us=5), threading.Event()
    assert not clock.wait(stop, 3600)
    assert (clock.monotonic_s(), clock.wall_us()) == (3600, 5 + 3_600_000_000)
    stop.set()
    assert clock.wait(stop, 3600)
    assert clock.monotonic_s() == 3600


def test_a_step_of_the_wall_clock_leaves_durations_alone() -> None:
    clock = ManualClock(wall_us=10_000_000)
    clock.step_wall(-4)
    assert (clock.monotonic_s(), clock.wall_us()) == (0, 6_000_000)
    clock.advance(1.5)
    assert (clock.monotonic_s(), clock.wall_us()) == (1.5, 7_500_000)


def test_the_system_clock_goes_on() -> None:
    clock, stop = SystemClock(), threading.Event()
    assert clock.wall_us() > parse_utc("2024-01-01")
    before = clock.monotonic_s()
    assert not clock.wait(stop, 0.001)
    assert clock.monotonic_s() >= before
    stop.set()
    assert clock.wait(stop, 60)
