"""Whatever is asked for among many events, each statement has its index, and a page costs no more than so much work."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from benchmarks.event_books import BUSY, CAMERAS, DAY_US, NEW, NOT_AT_BUSY, RARE_KIND, RARE_RULE, Books, fill
from sqlalchemy import event

from lamppost.api.camera_books import HEALTH_TYPES
from lamppost.model.books import Severity
from lamppost.model.layout import DataFolder
from lamppost.store import event_search
from lamppost.store.event_pages import EventPages
from lamppost.store.event_search import EventFilter

ROWS = 30_000
END_US = 1_790_000_000_000_000
EVERY = 100  # steps of the database's machine at a time
URGENT = (Severity.WARNING, Severity.ALARM)
ALL = tuple(CAMERAS)

FILTERS = {
    "all": (EventFilter(), "ix_events_start_us"),
    "of no node": (EventFilter(has_node=False), "ix_events_start_us"),
    "a camera": (EventFilter(cameras=(BUSY,), has_node=False), "ix_events_camera_start_us"),
    "the node and nine cameras": (EventFilter(cameras=ALL[:9]), "ix_events_camera_start_us"),
    "a camera with hardly any": (EventFilter(cameras=(NEW,), has_node=False), "ix_events_camera_start_us"),
    "a type": (EventFilter(types=("dwell",)), "ix_events_kind_start_us"),
    "types": (EventFilter(types=("dwell", "queue", "wrong_way")), "ix_events_kind_start_us"),
    "a rare type": (EventFilter(types=(RARE_KIND,)), "ix_events_kind_start_us"),
    "types of cameras": (EventFilter(cameras=ALL[:9], types=("dwell", "queue")), "ix_events_camera_kind_start_us"),
    "a type that the camera has not": (
        EventFilter(cameras=(BUSY,), has_node=False, types=(NOT_AT_BUSY,)),
        "ix_events_camera_kind_start_us",
    ),
    "too many together": (EventFilter(cameras=ALL, types=tuple(f"type-{n}" for n in range(9))), "ix_events_camera_start_us"),
    "alarms": (EventFilter(severities=(Severity.ALARM,)), "ix_events_urgent"),
    "what is urgent": (EventFilter(severities=URGENT), "ix_events_urgent"),
    "alarms that are none": (EventFilter(severities=(Severity.ALARM,), types=("line_crossed",), cameras=ALL[:3]), "ix_events_urgent"),
    "information that is none": (EventFilter(severities=(Severity.INFO,), types=("queue",)), "ix_events_kind_start_us"),
    "open": (EventFilter(state="open"), "ix_events_open"),
    "open alarms of a camera": (EventFilter(state="open", severities=(Severity.ALARM,), cameras=(BUSY,)), "ix_events_open"),
    "acknowledged": (EventFilter(state="acknowledged"), "ix_events_acknowledged"),
    "acknowledged by nobody": (EventFilter(state="acknowledged", types=("line_crossed",), cameras=(BUSY,)), "ix_events_acknowledged"),
    "not acknowledged": (EventFilter(state="unacknowledged"), "ix_events_start_us"),
    "alarms not acknowledged": (EventFilter(state="unacknowledged", severities=(Severity.ALARM,)), "ix_events_urgent"),
    "a rule": (EventFilter(rule="line-1"), "ix_events_start_us"),
    "a rare rule": (EventFilter(rule=RARE_RULE), "ix_events_start_us"),
    "no rule of a camera": (EventFilter(rule="nowhere", cameras=(BUSY,), has_node=False), "ix_events_camera_start_us"),
    "an hour long ago": (EventFilter(from_us=END_US - 20 * DAY_US, to_us=END_US - 20 * DAY_US + DAY_US // 24), "ix_events_start_us"),
}
every_filter = pytest.mark.parametrize(("wanted", "index"), FILTERS.values(), ids=FILTERS.keys())


@dataclass(slots=True)
class Watched:
    """Events in pages, with all that the database was asked, and how many steps it took."""

    pages: EventPages
    books: Books
    asked: dict[str, Any] = field(default_factory=dict[str, Any])
    steps: int = 0

    def step(self) -> int:
        self.steps += EVERY
        return 0

    def plans(self) -> list[str]:
        """A line for each table that is read, and each sort."""
        with self.pages._engine.connect() as connection:
            asked = list(self.asked.items())
            return [
                f"{row[3]} <- {statement}"
                for statement, values in asked
                for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)
            ]


@pytest.fixture(scope="module")
def books(tmp_path_factory: pytest.TempPathFactory) -> tuple[DataFolder, Books]:
    """Forty days, made once."""
    folder = DataFolder(tmp_path_factory.mktemp("books"))
    return folder, fill(folder, ROWS, END_US)


@pytest.fixture
def watched(books: tuple[DataFolder, Books], monkeypatch: pytest.MonkeyPatch) -> Iterator[Watched]:
    monkeypatch.setattr(event_search, "MOST_ROWS", 600)
    monkeypatch.setattr(event_search, "MOST_ENTRIES", 600)
    with EventPages(books[0]) as pages:
        seen = Watched(pages, books[1])

        def count(connection: sqlite3.Connection, _record: object) -> None:
            connection.set_progress_handler(seen.step, EVERY)

        def note(_connection: object, _cursor: object, statement: str, values: Any, *_: object) -> None:
            if statement.startswith(("SELECT", "WITH")):
                seen.asked[statement] = values

        event.listen(pages._engine, "connect", count)
        event.listen(pages._engine, "before_cursor_execute", note)
        yield seen


@every_filter
def test_every_page_has_an_index_and_needs_no_sort(watched: Watched, wanted: EventFilter, index: str) -> None:
    for after in (None, (END_US - 10 * DAY_US, "x")):
        watched.pages.page(wanted, after=after, limit=10)
    plans = watched.plans()
    of_events = [plan for plan in plans if "events USING" in plan and "event_id=?" not in plan]
    assert of_events
    assert all(f"{index} " in plan and "start_us>? AND start_us<?" in plan for plan in of_events), of_events
    assert not [plan for plan in plans if plan.startswith("SCAN")]
    # What falls on one moment is sorted by id, and nothing else is sorted.
    assert not [plan for plan in plans if "TEMP B-TREE FOR ORDER BY" in plan]


@every_filter
def test_a_page_costs_so_much_wherever_it_lies(watched: Watched, wanted: EventFilter, index: str) -> None:
    for after in (None, (END_US - 1, "x"), (END_US - 20 * DAY_US, "x"), (END_US - 39 * DAY_US, "x")):
        before = watched.steps
        page = watched.pages.page(wanted, after=after, limit=10)
        assert len(page.events) <= 10
        # To read all rows would take a dozen steps for each of them.
        assert watched.steps - before < 40_000, (after, watched.steps - before)


@every_filter
def test_pages_come_to_an_end_and_miss_nothing(watched: Watched, wanted: EventFilter, index: str) -> None:
    page = watched.pages.page(wanted, limit=10)
    found = [each.row.event_id for each in page.events]
    for _ in range(60):  # of so many pages that to see them all would take too long
        if page.rest is None:
            break
        before, page = page.rest, watched.pages.page(wanted, after=page.rest, limit=10)
        assert page.rest is None or page.rest < before
        found += [each.row.event_id for each in page.events]
    assert len(found) == len(set(found))
    if wanted.rule == RARE_RULE or wanted.types == (RARE_KIND,):
        assert len(found) == 3, "the oldest is among them"


def test_a_day_of_a_timeline_is_counted_in_the_index_alone(watched: Watched) -> None:
    day = (watched.books.busiest_day_us, watched.books.busiest_day_us + DAY_US)
    density = watched.pages.density(BUSY, *day, DAY_US // 240)
    assert watched.steps < 40 * (240 + sum(each.count for each in density))
    assert watched.pages.has_more(BUSY, *day, sum(each.count for each in density) - 1)
    assert not watched.pages.has_more(BUSY, *day, sum(each.count for each in density))
    plans = [plan.partition(" <- ")[0] for plan in watched.plans()]
    assert all("COVERING INDEX" in plan for plan in plans if " events " in plan), plans
    marks = watched.pages.marks(BUSY, *day, 10_000)
    assert {each.worst for each in density} == {Severity(mark.severity) for mark in marks if mark.start_us >= day[0]}


def test_the_health_of_a_day_is_found_by_type(watched: Watched) -> None:
    day = (watched.books.busiest_day_us, watched.books.busiest_day_us + DAY_US)
    found = watched.pages.reaching(BUSY, HEALTH_TYPES, *day, 1000)
    expected = [mark for mark in watched.pages.marks(BUSY, *day, 10_000) if mark.kind in HEALTH_TYPES]
    assert [each.event_id for each in found] == [mark.event_id for mark in expected]
    assert expected
    plans = [plan for plan in watched.plans() if "SELECT events.event_id, events.kind, events.severity, events.camera" in plan]
    assert any("ix_events_camera_kind_start_us" in plan for plan in plans)
    assert all("ix_events_camera_kind_start_us" in plan or "ix_events_long" in plan or "TEMP" in plan for plan in plans), plans
