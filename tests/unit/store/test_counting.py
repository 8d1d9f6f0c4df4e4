"""Minutes add up to hours and days of every clock; what was not seen is unknown, and never zero."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lamppost.base.clock import US_PER_S, parse_utc
from lamppost.base.errors import ConfigError, StoreError
from lamppost.model.books import MinuteCounted
from lamppost.model.happening import Measure, PlaceKind, Tally
from lamppost.model.layout import DataFolder
from lamppost.model.rules import CountedKind
from lamppost.model.tallies import tally_to_json
from lamppost.store.counting import Bucket, Count, CountReader, Wanted, buckets, first_of_day
from lamppost.store.counts import add_minute
from lamppost.store.index_file import make_index
from lamppost.store.schema import CAMERAS

MINUTE_US = 60 * US_PER_S
HOUR_US = 60 * MINUTE_US
UTC_ZONE = ZoneInfo("UTC")
ST_JOHNS = ZoneInfo("America/St_Johns")
ZONES = (
    "UTC",
    "Europe/Berlin",
    "America/St_Johns",  # half an hour off
    "Asia/Kathmandu",  # a quarter off
    "Australia/Lord_Howe",  # its summer time is half an hour
    "America/Havana",  # put back over midnight
    "Africa/Cairo",  # put on at midnight
    "Pacific/Apia",  # a whole day left out in 2011
    "Pacific/Chatham",  # three quarters off, with a summer time
)
PERSON, VEHICLE = CountedKind.PERSON, CountedKind.VEHICLE


def at(text: str) -> int:
    return parse_utc(text)


def folder_of(root: Path, *minutes: MinuteCounted) -> DataFolder:
    folder = DataFolder(root)
    engine = make_index(folder.index)
    with engine.begin() as connection:
        for camera in {minute.camera for minute in minutes}:
            connection.execute(CAMERAS.insert().values(camera=camera))
        for minute in minutes:
            add_minute(connection, minute)
    engine.dispose()
    return folder


def line(minute_us: int, *tallies: Tally, observed_ms: int = 60_000, camera: str = "plaza", place: str = "gate") -> MinuteCounted:
    return MinuteCounted(f"{camera}-{place}-{minute_us}", camera, "line", place, minute_us, observed_ms, tuple(map(tally_to_json, tallies)))


def zone(minute_us: int, *tallies: Tally, observed_ms: int = 60_000) -> MinuteCounted:
    return MinuteCounted(f"zone-{minute_us}", "plaza", "zone", "stop", minute_us, observed_ms, tuple(map(tally_to_json, tallies)))


def read(folder: DataFolder, wanted: Wanted) -> list[Count]:
    with CountReader(folder) as reader:
        return list(reader.read(wanted))


def forward(count: int, kind: CountedKind = PERSON) -> Tally:
    return Tally(Measure.FORWARD, kind, count)


def lengths_h(wanted: Wanted) -> list[float]:
    return [(end_us - start_us) / HOUR_US for start_us, end_us in pairwise(buckets(wanted))]


@pytest.mark.parametrize(
    ("name", "day", "hours"),
    [
        ("Europe/Berlin", "2026-03-29", 23),
        ("Europe/Berlin", "2026-10-25", 25),
        ("Europe/Berlin", "2026-11-23", 24),
        ("Australia/Lord_Howe", "2026-04-05", 24.5),
        ("Australia/Lord_Howe", "2026-10-04", 23.5),
        ("America/Havana", "2026-11-01", 25),
        ("Africa/Cairo", "2026-04-24", 23),
    ],
)
def test_a_day_is_as_long_as_the_clock_makes_it(name: str, day: str, hours: float) -> None:
    noon_us = (
        at(f"{day}T12:00")
        - round(datetime.fromisoformat(f"{day}T12:00").replace(tzinfo=ZoneInfo(name)).utcoffset().total_seconds()) * US_PER_S
    )  # type: ignore[union-attr]
    assert lengths_h(Wanted(noon_us, noon_us + 1, Bucket.DAY, ZoneInfo(name))) == [hours]
    start_us = first_of_day(noon_us, ZoneInfo(name))
    by_hour = lengths_h(Wanted(start_us, start_us + round(hours * HOUR_US), Bucket.HOUR, ZoneInfo(name)))
    assert sum(by_hour) == hours
    assert all(length in (1, 0.5) for length in by_hour)


def test_the_hour_that_comes_twice_is_two() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    starts = buckets(Wanted(at("2026-10-24T23:30"), at("2026-10-25T02:30"), Bucket.HOUR, berlin))
    told = [datetime.fromtimestamp(start / US_PER_S, UTC).astimezone(berlin).isoformat()[11:] for start in starts]
    assert told == ["01:00:00+02:00", "02:00:00+02:00", "02:00:00+01:00", "03:00:00+01:00", "04:00:00+01:00"]


def test_an_hour_amid_which_the_clock_is_changed_ends_there() -> None:
    lord_howe = ZoneInfo("Australia/Lord_Howe")
    assert lengths_h(Wanted(at("2026-04-04T14:00"), at("2026-04-04T16:30"), Bucket.HOUR, lord_howe)) == [1, 0.5, 1]
    starts = buckets(Wanted(at("2026-04-04T15:15"), at("2026-04-04T15:16"), Bucket.HOUR, lord_howe))
    assert starts == [at("2026-04-04T15:00"), at("2026-04-04T15:30")]

    # In Newfoundland the clock was changed a minute past midnight, until 2011.
    minutes = [round(60 * length) for length in lengths_h(Wanted(at("2010-03-14T03:30"), at("2010-03-14T05:00"), Bucket.HOUR, ST_JOHNS))]
    assert minutes == [1, 59, 60]


@given(
    name=st.sampled_from(ZONES),
    since=st.datetimes(datetime(2009, 1, 1), datetime(2035, 1, 1), timezones=st.just(UTC)),
    hours=st.integers(1, 24 * 40),
    by=st.sampled_from([Bucket.HOUR, Bucket.DAY]),
)
def test_buckets_are_whole_and_leave_nothing_out(name: str, since: datetime, hours: int, by: Bucket) -> None:
    since_us = round(since.timestamp() * US_PER_S)
    wanted = Wanted(since_us, since_us + hours * HOUR_US, by, ZoneInfo(name))
    bounds = buckets(wanted)
    assert bounds[0] <= since_us < bounds[1]
    assert bounds[-2] < wanted.until_us <= bounds[-1]
    assert all(0 < end - start <= 26 * HOUR_US for start, end in pairwise(bounds))
    # Whoever begins amid a bucket gets the same bucket.
    middle_us = (bounds[0] + bounds[1]) // 2
    assert buckets(Wanted(middle_us, middle_us + 1, by, ZoneInfo(name)))[0] == bounds[0]
    if by is Bucket.DAY:
        hours_of_it = buckets(Wanted(bounds[0], bounds[-1], Bucket.HOUR, ZoneInfo(name)))
        assert set(bounds) <= set(hours_of_it)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    name=st.sampled_from(ZONES),
    start=st.sampled_from(["2026-03-28T20:00", "2026-04-04T09:00", "2026-10-24T18:00", "2026-11-23T05:00"]),
    seen=st.dictionaries(
        st.integers(0, 60 * 50), st.tuples(st.integers(1, 60_000), st.integers(0, 9), st.integers(0, 20)), min_size=1, max_size=30
    ),
)
def test_minutes_add_up_to_hours_and_to_days(
    tmp_path_factory: pytest.TempPathFactory, name: str, start: str, seen: dict[int, tuple[int, int, int]]
) -> None:
    start_us = at(start)
    minutes = []
    for number, (observed_ms, count, level) in seen.items():
        minute_us, samples = start_us + number * MINUTE_US, -(-observed_ms // 1000)
        tallies = [Tally(Measure.ENTRIES, PERSON, count)] if count else []
        if level:
            tallies.append(Tally(Measure.OCCUPANCY, None, samples, float(samples * level), float(level)))
        minutes.append(zone(minute_us, *tallies, observed_ms=observed_ms))
    folder = folder_of(tmp_path_factory.mktemp("sums"), *minutes)
    bounds = buckets(Wanted(start_us, start_us + 50 * HOUR_US + MINUTE_US, Bucket.DAY, ZoneInfo(name)))
    by = {each: read(folder, Wanted(bounds[0], bounds[-1], each, ZoneInfo(name))) for each in Bucket}
    for measure in (Measure.ENTRIES, Measure.OCCUPANCY):
        rows = {each: [row for row in counts if row.measure is measure] for each, counts in by.items()}
        for coarse, fine in ((Bucket.HOUR, Bucket.MINUTE), (Bucket.DAY, Bucket.HOUR)):
            for row in rows[coarse]:
                parts = [part for part in rows[fine] if row.start_us <= part.start_us < row.end_us]
                known = [part for part in parts if part.tally is not None]
                assert row.observed_s == pytest.approx(sum(part.observed_s for part in parts))
                assert (row.tally is None) == (not known)
                if not known:
                    assert (row.count, row.mean, row.most, row.observed_s) == (None, None, None, 0)
                elif measure is Measure.ENTRIES:
                    assert row.count == sum(part.count or 0 for part in known)
                else:
                    assert row.most == max(part.most or 0.0 for part in known)
                    weights = sum(part.observed_s for part in known)
                    # The samples of a part of a minute are whole seconds, and so the mean may be off by what they round.
                    expected = sum((part.mean or 0.0) * part.observed_s for part in known) / weights
                    assert row.mean == pytest.approx(expected, abs=20 * len(seen) / max(weights, len(seen)))


def test_what_was_seen_and_was_nothing_is_zero_and_what_was_not_seen_is_unknown(tmp_path: Path) -> None:
    start_us = at("2026-11-23T10:00")
    folder = folder_of(tmp_path, line(start_us, forward(2)), line(start_us + MINUTE_US))
    rows = read(folder, Wanted(start_us, start_us + 3 * MINUTE_US, Bucket.MINUTE, UTC_ZONE))
    assert [(row.count, row.observed_s) for row in rows if row.measure is Measure.FORWARD] == [(2, 60), (0, 60), (None, 0)]
    # Nothing went back in all that time: that is known too, of all kinds together.
    assert [(row.count, row.kind) for row in rows if row.measure is Measure.BACKWARD] == [(0, None), (0, None), (None, None)]


def test_an_empty_zone_counts_into_the_mean_of_its_occupancy(tmp_path: Path) -> None:
    start_us = at("2026-11-23T10:00")
    folder = folder_of(
        tmp_path,
        zone(start_us, Tally(Measure.OCCUPANCY, None, 60, 240.0, 6.0)),
        *(zone(start_us + number * MINUTE_US) for number in range(1, 4)),
    )
    (row,) = read(folder, Wanted(start_us, start_us + HOUR_US, Bucket.HOUR, UTC_ZONE, measures=(Measure.OCCUPANCY,)))
    assert (row.count, row.mean, row.most, row.observed_s, row.span_s) == (240, 1.0, 6.0, 240.0, 3600.0)
    by_minute = read(folder, Wanted(start_us, start_us + 5 * MINUTE_US, Bucket.MINUTE, UTC_ZONE, measures=(Measure.OCCUPANCY,)))
    assert [(row.mean, row.most) for row in by_minute] == [(4.0, 6.0), (0.0, 0.0), (0.0, 0.0), (0.0, 0.0), (None, None)]


def test_the_mean_of_dwell_is_of_those_who_left(tmp_path: Path) -> None:
    start_us = at("2026-11-23T10:00")
    folder = folder_of(
        tmp_path,
        zone(start_us, Tally(Measure.DWELL, PERSON, 1, 10.0, 10.0)),
        zone(start_us + MINUTE_US, Tally(Measure.DWELL, PERSON, 3, 90.0, 50.0)),
        zone(start_us + HOUR_US),
    )
    rows = read(folder, Wanted(start_us, start_us + 2 * HOUR_US, Bucket.HOUR, UTC_ZONE, measures=(Measure.DWELL,)))
    assert [(row.count, row.mean, row.most) for row in rows] == [(4, 25.0, 50.0), (0, None, None)]


def test_what_is_asked_for_is_all_that_comes(tmp_path: Path) -> None:
    start_us = at("2026-11-23T10:00")
    folder = folder_of(
        tmp_path,
        line(start_us, forward(2), forward(5, VEHICLE), Tally(Measure.BACKWARD, PERSON, 1)),
        line(start_us, forward(7), camera="park", place="path"),
    )
    span = (start_us, start_us + MINUTE_US, Bucket.MINUTE, UTC_ZONE)
    told = {(row.place.camera, row.measure.value, row.kind) for row in read(folder, Wanted(*span, kinds=(PERSON,)))}
    assert told == {("park", "forward", PERSON), ("plaza", "forward", PERSON), ("plaza", "backward", PERSON)}
    told = {(row.place.name, row.count) for row in read(folder, Wanted(*span, cameras=("park",), measures=(Measure.FORWARD,)))}
    assert told == {("path", 7)}
    assert {row.place.name for row in read(folder, Wanted(*span, places=("gate",)))} == {"gate"}


def test_a_heat_map_is_of_an_hour(tmp_path: Path) -> None:
    start_us = at("2026-11-23T10:00")
    presence = tally_to_json(Tally(Measure.PRESENCE, None, 5, 3.0, 2.0, (1.0, 2.0)))
    folder = folder_of(tmp_path, MinuteCounted("h", "plaza", "picture", "", start_us, 3_600_000, (presence,)))
    wanted = Wanted(start_us, start_us + HOUR_US, Bucket.HOUR, UTC_ZONE, measures=(Measure.PRESENCE,))
    (row,) = read(folder, wanted)
    assert row.tally is not None
    assert (row.place.kind, row.tally.bins, row.observed_s) == (PlaceKind.PICTURE, (1.0, 2.0), 3600.0)
    with pytest.raises(ConfigError, match="of an hour"):
        read(folder, Wanted(start_us, start_us + HOUR_US, Bucket.MINUTE, UTC_ZONE, measures=(Measure.PRESENCE,)))
    assert read(folder, Wanted(start_us, start_us + HOUR_US, Bucket.HOUR, UTC_ZONE)) == []


def test_what_cannot_be_asked_is_told(tmp_path: Path) -> None:
    start_us = at("2026-11-23T10:00")
    with pytest.raises(StoreError, match="no index"):
        CountReader(DataFolder(tmp_path / "nowhere"))
    folder = folder_of(tmp_path, line(start_us))
    span = (start_us, start_us + MINUTE_US, Bucket.MINUTE, UTC_ZONE)
    with pytest.raises(ConfigError, match=r"a camera 'park'.*plaza"):
        read(folder, Wanted(*span, cameras=("park",)))
    with pytest.raises(ConfigError, match=r"a place 'door'.*gate"):
        read(folder, Wanted(*span, places=("door",)))
    with pytest.raises(ConfigError, match="ends before it begins"):
        read(folder, Wanted(start_us, start_us, Bucket.HOUR, UTC_ZONE))
    with pytest.raises(ConfigError, match="too many at once"):
        read(folder, Wanted(0, start_us, Bucket.MINUTE, UTC_ZONE))
