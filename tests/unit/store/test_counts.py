"""Minutes become rows once each, and quarters of an hour hold what their minutes hold."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Engine, func, select

from lamppost.base.clock import US_PER_S, ManualClock
from lamppost.model.books import MinuteCounted
from lamppost.model.happening import Measure, Tally
from lamppost.model.layout import DataFolder
from lamppost.model.rules import CountedKind
from lamppost.model.tallies import tally_to_json
from lamppost.store.bookkeeping import Bookkeeper
from lamppost.store.counting import Bucket, CountReader, Wanted
from lamppost.store.counts import add_minute, add_up
from lamppost.store.index_file import make_index
from lamppost.store.journal import JournalWriter
from lamppost.store.schema import ACTS, CAMERAS, MINUTES, QUARTER_TALLIES, QUARTERS, TALLIES

START_US = 1_700_000_100 * US_PER_S  # a full quarter of an hour
MINUTE_US = 60 * US_PER_S
FORWARD = Tally(Measure.FORWARD, CountedKind.PERSON, 3)
DWELL = Tally(Measure.DWELL, CountedKind.PERSON, 2, 30.0, 20.0, (0.0, 2.0))


def counted(minute_id: str, *tallies: Tally, at_us: int = START_US, observed_ms: int = 60_000) -> MinuteCounted:
    return MinuteCounted(minute_id, "plaza", "zone", "stop", at_us, observed_ms, tuple(map(tally_to_json, tallies)))


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = make_index(tmp_path / "index.db")
    with engine.begin() as connection:
        connection.execute(CAMERAS.insert().values(camera="plaza"))
    yield engine
    engine.dispose()


def test_the_same_record_twice_counts_once(engine: Engine) -> None:
    for _ in range(2):
        with engine.begin() as connection:
            add_minute(connection, counted("m", FORWARD))
    with engine.connect() as connection:
        assert connection.execute(select(func.count()).select_from(MINUTES)).scalar() == 1
        assert connection.execute(select(QUARTERS.c.observed_ms)).scalar() == 60_000
        assert connection.execute(select(QUARTER_TALLIES.c.count)).scalar() == 3


def test_parts_of_a_minute_and_minutes_of_a_quarter_add_up(engine: Engine) -> None:
    with engine.begin() as connection:
        add_minute(connection, counted("a", DWELL, observed_ms=20_000))
        add_minute(connection, counted("b", Tally(Measure.DWELL, CountedKind.PERSON, 1, 50.0, 50.0, (1.0, 0.0)), observed_ms=40_000))
        add_minute(connection, counted("c", at_us=START_US + 14 * MINUTE_US))
        add_minute(connection, counted("d", DWELL, at_us=START_US + 15 * MINUTE_US))
    with engine.connect() as connection:
        observed = {row.quarter_us: row.observed_ms for row in connection.execute(select(QUARTERS))}
        assert observed == {START_US: 120_000, START_US + 15 * MINUTE_US: 60_000}
        row = connection.execute(select(QUARTER_TALLIES).where(QUARTER_TALLIES.c.quarter_us == START_US)).one()
        assert (row.count, row.total, row.most, row.bins) == (3, 80.0, 50.0, "[1.0,2.0]")


def test_a_measure_that_stands_twice_in_one_minute_is_one(engine: Engine) -> None:
    with engine.begin() as connection:
        add_minute(connection, counted("m", FORWARD, FORWARD))
    with engine.connect() as connection:
        assert connection.execute(select(TALLIES.c.count)).scalars().all() == [6]


def test_a_heat_map_of_another_grid_takes_the_place_of_the_one_before() -> None:
    before, after = (Tally(Measure.PRESENCE, None, 1, 2.0, 2.0, bins) for bins in ((1.0, 2.0), (3.0, 4.0, 5.0)))
    assert add_up(before, after).bins == after.bins
    assert add_up(before, before).bins == (2.0, 4.0)


def test_a_record_that_is_none_is_told_and_keeps_out_nothing_else(tmp_path: Path) -> None:
    folder, clock = DataFolder(tmp_path / "data"), ManualClock()
    wrong = MinuteCounted("wrong", "plaza", "zone", "stop", START_US, 60_000, (tally_to_json(FORWARD), '{"measure":"nonsense","count":1}'))
    with JournalWriter(folder.journal / "analyst", clock=clock) as journal:
        for record in (counted("a", FORWARD), wrong, counted("b", FORWARD, at_us=START_US + MINUTE_US)):
            journal.append(record)
    for _ in range(2):
        with Bookkeeper(folder, clock) as bookkeeper:
            bookkeeper.apply_new()
    wanted = Wanted(START_US, START_US + MINUTE_US, Bucket.HOUR, ZoneInfo("UTC"), measures=(Measure.FORWARD,))
    with CountReader(folder) as reader:
        assert [(count.count, count.observed_s) for count in reader.read(wanted)] == [(6, 120.0)]
    engine = make_index(folder.index)
    with engine.connect() as connection:
        assert connection.execute(select(ACTS.c.act_id)).scalars().all() == ["refused-minute_counted-wrong"]
    engine.dispose()
