"""Whoever follows the events is told each of them once, however many come at one moment."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, delete, insert

from lamppost.api.event_changes import MOST_AT_ONCE, EventChanges
from lamppost.api.permit import API
from lamppost.model.layout import DataFolder
from lamppost.store.event_pages import EventPages
from lamppost.store.index_file import make_index, open_engine
from lamppost.store.schema import CAMERAS, EVENTS, NOTICES
from served_node import ServedNode

S = 1_000_000
NOW_US = 1_700_000_000 * S


def learn(engine: Engine, ids: Sequence[str], at_us: int) -> None:
    """The index learns of these events at that moment."""
    event = {"kind": "line_crossed", "severity": "info", "camera": "plaza", "start_us": at_us, "end_us": at_us, "detail": "{}"}
    notice = {"sequence": 0, "phase": "start", "at_us": at_us, "severity": "info", "detail": "{}", "created_us": at_us}
    with engine.begin() as connection:
        connection.execute(insert(EVENTS), [event | {"event_id": each, "opened_in": "-"} for each in ids])
        connection.execute(insert(NOTICES), [notice | {"event_id": each} for each in ids])


def told(changes: EventChanges, pages: EventPages, looks: int = 1000) -> list[str]:
    """All that is new now."""
    found: list[str] = []
    for _ in range(looks):
        changed = changes.look(pages)
        found += [event.row.event_id for event in changed.events]
        if changed.is_all:
            return found
    raise AssertionError("it never came to an end")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> DataFolder:
    folder = DataFolder(tmp_path_factory.mktemp("changes"))
    make_index(folder.index).dispose()
    return folder


@pytest.fixture
def engine(folder: DataFolder) -> Iterator[Engine]:
    engine = emptied(folder)
    yield engine
    engine.dispose()


def emptied(folder: DataFolder) -> Engine:
    engine = open_engine(folder.index, is_writer=True)
    with engine.begin() as connection:
        for table in (NOTICES, EVENTS, CAMERAS):
            connection.execute(delete(table))
        connection.execute(insert(CAMERAS).values(camera="plaza"))
    return engine


def test_a_burst_is_told_whole_and_what_comes_later_too(folder: DataFolder, engine: Engine) -> None:
    burst = [f"e{number:04}" for number in range(MOST_AT_ONCE + 50)]
    changes = EventChanges(NOW_US)
    with EventPages(folder) as pages:
        learn(engine, burst, NOW_US)
        assert told(changes, pages) == burst
        assert told(changes, pages) == []
        learn(engine, ["later"], NOW_US + 60 * S)
        assert told(changes, pages) == ["later"]
        assert told(changes, pages) == []


@settings(deadline=None, max_examples=40)
@given(
    bursts=st.lists(st.tuples(st.integers(1, 9), st.integers(0, 3 * S)), min_size=1, max_size=8),
    most_at_once=st.integers(1, 4),
    most_seen=st.integers(1, 20),
)
def test_each_is_told_once_however_little_is_remembered(
    folder: DataFolder, bursts: list[tuple[int, int]], most_at_once: int, most_seen: int
) -> None:
    engine, at_us, number = emptied(folder), NOW_US, 0
    changes = EventChanges(NOW_US, most_at_once=most_at_once, most_seen=most_seen)
    with EventPages(folder) as pages:
        for length, later_us in bursts:
            at_us += later_us
            # Ids rise with time, as real ones do.
            ids = [f"e{number + index:04}" for index in range(length)]
            number += length
            learn(engine, ids, at_us)
            assert told(changes, pages) == ids
    engine.dispose()


def test_one_that_comes_a_moment_late_is_told(folder: DataFolder, engine: Engine) -> None:
    changes = EventChanges(NOW_US)
    with EventPages(folder) as pages:
        learn(engine, ["b"], NOW_US + S)
        assert told(changes, pages) == ["b"]
        learn(engine, ["a"], NOW_US)
        assert told(changes, pages) == ["a"]


def test_who_listens_hears_a_burst_and_of_their_cameras_alone(tmp_path: Path) -> None:
    served = ServedNode.make(tmp_path / "data")
    engine = emptied(served.context.folder)
    now_us = served.context.clock.wall_us()
    burst = [f"e{number:04}" for number in range(MOST_AT_ONCE + 20)]
    with served.client("viewer@camera:plaza") as client, client.websocket_connect(f"{API}/events/feed") as mine:
        with client.websocket_connect(f"{API}/events/feed", headers={"Authorization": "Bearer viewer@camera:bridge"}) as other:
            learn(engine, burst, now_us)
            assert [mine.receive_json()["event"]["id"] for _ in burst] == burst
            other.close()
        learn(engine, ["later"], now_us + S)
        assert mine.receive_json()["event"]["id"] == "later"
    engine.dispose()
    served.close()
