"""Pages of events united are the whole list, in order, and what reaches into a day is found."""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, insert

from lamppost.base.clock import ManualClock
from lamppost.model.books import Act, EventNoted, EventOpened, NoteKind, Severity
from lamppost.model.layout import DataFolder
from lamppost.store import event_search
from lamppost.store.act_pages import ActFilter, ActPages
from lamppost.store.bookkeeping import Bookkeeper
from lamppost.store.event_pages import EventPages
from lamppost.store.event_search import EventFilter
from lamppost.store.index_file import make_index, open_engine
from lamppost.store.journal import JournalWriter
from lamppost.store.schema import ACTS, CAMERAS, EVENTS

CAMERAS_KNOWN = ("bridge", "gate", "plaza")
HOUR_US = 3_600_000_000

events = st.lists(
    st.fixed_dictionaries(
        {
            "camera": st.sampled_from((*CAMERAS_KNOWN, None)),
            "start_us": st.integers(0, 40).map(lambda hours: hours * HOUR_US),
            "lasts_us": st.one_of(st.none(), st.integers(0, 20).map(lambda hours: hours * HOUR_US)),
            "kind": st.sampled_from(("line_crossed", "camera_lost")),
            "severity": st.sampled_from(tuple(severity.value for severity in Severity)),
            "acknowledged_us": st.sampled_from((None, None, 7)),
            "rule": st.sampled_from(("gate", "door")),
        }
    ),
    max_size=40,
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> DataFolder:
    """One index for all examples: to make it takes longer than to ask it."""
    made = DataFolder(tmp_path_factory.mktemp("pages"))
    make_index(made.index).dispose()
    return made


def fill(folder: DataFolder, wanted: Sequence[dict[str, Any]], acts: Sequence[Act] = ()) -> list[dict[str, Any]]:
    """Exactly these events and acts."""
    engine = open_engine(folder.index, is_writer=True)
    rows = [
        {name: event[name] for name in ("camera", "start_us", "kind", "severity", "acknowledged_us")}
        | {"event_id": f"e{number:03}", "detail": json.dumps({"rule": event["rule"], "place": "door"}), "opened_in": "-"}
        | {"end_us": None if event["lasts_us"] is None else event["start_us"] + event["lasts_us"]}
        for number, event in enumerate(wanted)
    ]
    with engine.begin() as connection:
        for table in (EVENTS, ACTS, CAMERAS):
            connection.execute(delete(table))
        connection.execute(insert(CAMERAS), [{"camera": name} for name in CAMERAS_KNOWN])
        if acts:
            connection.execute(insert(ACTS), [{name: getattr(act, name) for name in Act.__slots__} for act in acts])
        if rows:
            connection.execute(insert(EVENTS), rows)
    engine.dispose()
    return rows


@settings(deadline=None, max_examples=60)
@given(
    events,
    st.one_of(st.none(), st.lists(st.sampled_from(CAMERAS_KNOWN), unique=True).map(tuple)),
    st.booleans(),
    st.integers(1, 7),
    st.sampled_from((None, "open", "acknowledged", "unacknowledged")),
    st.sampled_from(((), ("alarm",), ("info", "warning"), ("warning", "alarm"))),
    st.sampled_from(((), ("line_crossed",), ("line_crossed", "camera_lost"))),
    st.sampled_from(("", "gate")),
    st.sampled_from((1, 3, 100)),
)
def test_pages_united_are_the_list(
    folder: DataFolder,
    wanted: list[dict[str, Any]],
    cameras: tuple[str, ...] | None,
    has_node: bool,
    limit: int,
    state: Any,
    severities: tuple[str, ...],
    types: tuple[str, ...],
    rule: str,
    most: int,
) -> None:
    rows = fill(folder, wanted)
    chosen = EventFilter(
        cameras=cameras,
        has_node=has_node,
        state=state,
        severities=tuple(map(Severity, severities)),
        types=types,
        rule=rule,
        from_us=5 * HOUR_US,
        to_us=35 * HOUR_US,
    )
    found, after = [], None
    # A page that may look at few, and arms that are merged for some cameras only, must find the same.
    bounds = {"MOST_ROWS": most, "MOST_ENTRIES": most, "MOST_ARMS": most}
    with EventPages(folder) as pages, patch.multiple(event_search, **bounds):
        while True:
            page = pages.page(chosen, after=after, limit=limit)
            assert len(page.events) <= limit
            found += [(each.row.start_us, each.row.event_id) for each in page.events]
            if (after := page.rest) is None:
                break
    expected = [
        (row["start_us"], row["event_id"])
        for row in rows
        if 5 * HOUR_US <= row["start_us"] < 35 * HOUR_US
        and (row["camera"] in (cameras or CAMERAS_KNOWN if cameras is None else cameras) or (row["camera"] is None and has_node))
        and (state != "open" or row["end_us"] is None)
        and (state not in ("acknowledged", "unacknowledged") or (row["acknowledged_us"] is not None) == (state == "acknowledged"))
        and (not types or row["kind"] in types)
        and (not rule or json.loads(row["detail"])["rule"] == rule)
        and (not severities or row["severity"] in severities)
    ]
    assert found == sorted(expected, reverse=True)


@settings(deadline=None, max_examples=30)
@given(events, st.integers(0, 40), st.integers(1, 24))
def test_marks_are_what_reaches_into_the_span(folder: DataFolder, wanted: list[dict[str, Any]], from_h: int, hours: int) -> None:
    rows = fill(folder, wanted)
    from_us, to_us = from_h * HOUR_US, (from_h + hours) * HOUR_US
    with EventPages(folder) as pages:
        marks = pages.marks("plaza", from_us, to_us, 1000)
        density = pages.density("plaza", from_us, to_us, HOUR_US)
    expected = {
        row["event_id"]
        for row in rows
        if row["camera"] == "plaza" and row["start_us"] < to_us and (row["end_us"] is None or row["end_us"] >= from_us)
    }
    assert {mark.event_id for mark in marks} == expected
    assert len(marks) == len(expected), "none twice"
    assert all(first.start_us <= second.start_us for first, second in pairwise(marks))
    began = [row for row in rows if row["camera"] == "plaza" and from_us <= row["start_us"] < to_us]
    assert sum(each.count for each in density) == len(began)


def test_what_people_did_is_kept_whichever_journal_comes_first(tmp_path: Path) -> None:
    folder, clock = DataFolder(tmp_path), ManualClock()
    with JournalWriter(folder.journal / "server", clock=clock) as journal:
        journal.append(EventNoted("n1", "e1", NoteKind.ACKNOWLEDGED.value, 5, "anna", "on my way"))
        journal.append(EventNoted("n2", "e1", NoteKind.COMMENT.value, 6, "ben", "thanks"))
    with Bookkeeper(folder, clock) as keeper:
        keeper.apply_new()
        marker = clock.wall_us()
        with JournalWriter(folder.journal / "analyst-1", clock=clock) as journal:
            journal.append(EventOpened("e1", "line_crossed", Severity.INFO, "plaza", 4, "{}"))
        keeper.apply_new()
    with EventPages(folder) as pages:
        event = pages.one("e1")
        assert event is not None
        assert (event.acknowledged_by, event.acknowledged_us, event.comments) == ("anna", 5, 1)
        assert [note.text for note in pages.notes("e1")] == ["on my way", "thanks"]
        assert [each.row.event_id for each in pages.page(EventFilter(state="acknowledged"), limit=9).events] == ["e1"]
        assert pages.page(EventFilter(state="unacknowledged"), limit=9).events == ()
        assert {event_id for _, event_id in pages.changed_after((marker, ""), 9)} == {"e1"}
    with JournalWriter(folder.journal / "server", clock=clock) as journal:
        journal.append(EventNoted("n3", "e2", NoteKind.COMMENT.value, 7, "ben", "what is it?"))
    with JournalWriter(folder.journal / "analyst-1", clock=clock) as journal:
        journal.append(EventOpened("e2", "line_crossed", Severity.INFO, "plaza", 5, "{}"))
    with Bookkeeper(folder, clock) as keeper, EventPages(folder) as pages:
        keeper.apply_new()
        assert [each.row.event_id for each in pages.page(EventFilter(state="unacknowledged"), limit=9).events] == ["e2"]
        with JournalWriter(folder.journal / "server", clock=clock) as journal:
            journal.append(EventNoted("n4", "e2", NoteKind.ACKNOWLEDGED.value, 9, "anna", ""))
        keeper.apply_new()
        assert [each.row.event_id for each in pages.page(EventFilter(state="acknowledged"), limit=9).events] == ["e2", "e1"]


@settings(deadline=None, max_examples=30)
@given(
    st.lists(st.tuples(st.integers(0, 5), st.sampled_from(("a", "b")), st.sampled_from(("plaza", "gate", "node"))), max_size=30),
    st.integers(1, 6),
)
def test_pages_of_acts_united_are_the_list(folder: DataFolder, wanted: list[tuple[int, str, str]], limit: int) -> None:
    acts = [Act(f"a{number:02}", kind, at, "anna", subject, "{}") for number, (at, kind, subject) in enumerate(wanted)]
    fill(folder, [], acts)
    with ActPages(folder) as pages:
        for subjects in (None, ("plaza", "gate"), ("nobody",)):
            found, after = [], None
            while page := pages.page(ActFilter(subjects=subjects), after=after, limit=limit):
                found += page
                after = (page[-1].wall_us, page[-1].act_id)
            expected = [act for act in acts if subjects is None or act.subject in subjects]
            assert found == sorted(expected, key=lambda act: (act.wall_us, act.act_id), reverse=True)
        assert set(pages.kinds()) == {kind for _, kind, _ in wanted}
