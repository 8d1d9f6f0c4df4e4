"""Schedules follow the clock on the wall, through midnight and through the change of clocks."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lamppost.base.errors import ConfigError
from lamppost.model.schedule import Schedule


def us(text: str) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 1_000_000


@pytest.mark.parametrize(
    ("entry", "moment", "is_on"),
    [
        ("mon-fri 06:00-20:00", "2026-11-25T05:59:59", False),  # a Wednesday
        ("mon-fri 06:00-20:00", "2026-11-25T06:00:00", True),
        ("mon-fri 06:00-20:00", "2026-11-25T20:00:00", False),
        ("sat,sun 08:00-24:00", "2026-11-28T23:59:59", True),
        ("fri 22:00-02:00", "2026-11-28T01:59:59", True),  # the night after Friday
        ("fri 22:00-02:00", "2026-11-28T02:00:00", False),
        ("fri-mon 00:00-24:00", "2026-11-29T12:00:00", True),
        ("fri-mon 00:00-24:00", "2026-12-01T12:00:00", False),
        ("10:00-11:00", "2026-11-25T10:30:00", True),
    ],
)
def test_an_entry_holds_on_its_days(entry: str, moment: str, is_on: bool) -> None:
    assert Schedule([entry], "UTC").is_on(us(moment)) is is_on


def test_without_entries_it_is_always_on() -> None:
    schedule = Schedule([], "Europe/Berlin")
    assert schedule.is_on(0)
    assert schedule.next_change_us(0) is None


def test_the_hour_that_comes_twice_is_recorded_twice() -> None:
    schedule = Schedule(["02:00-03:00"], "Europe/Berlin")
    # Clocks go back on 25 October 2026 at 01:00 UTC: 02:30 is at 00:30 and at 01:30 UTC.
    assert schedule.is_on(us("2026-10-25T00:30:00"))
    assert schedule.is_on(us("2026-10-25T01:30:00"))
    # And forward on 29 March: there is no 02:30 that day.
    assert not any(schedule.is_on(us(f"2026-03-29T{hour:02}:30:00")) for hour in range(24))


@pytest.mark.parametrize("entry", ["", "mon", "6-20", "mon 25:00-26:00", "mon 06:00-06:00", "monday 06:00-07:00", "xyz-fri 06:00-07:00"])
def test_what_cannot_be_read_is_told(entry: str) -> None:
    with pytest.raises(ConfigError, match="schedule"):
        Schedule([entry], "UTC")


def test_an_unknown_zone_is_told() -> None:
    with pytest.raises(ConfigError, match="time zone"):
        Schedule([], "Mars/Olympus")


@given(st.integers(min_value=0, max_value=2_000_000_000), st.sampled_from(["mon-fri 06:00-20:00", "sat 22:30-01:15", "sun 00:00-24:00"]))
def test_the_next_change_is_the_first(second: int, entry: str) -> None:
    schedule = Schedule([entry], "Europe/Berlin")
    now_us = second * 1_000_000
    change_us = schedule.next_change_us(now_us)
    assert change_us is not None
    assert schedule.is_on(change_us) is not schedule.is_on(now_us)
    assert schedule.is_on(change_us - 60_000_000 if change_us - 60_000_000 > now_us else now_us) is schedule.is_on(now_us)
