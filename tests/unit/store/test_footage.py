"""What the footage of a camera is at a time, however much of it there is."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import insert, text

from lamppost.base.clock import ManualClock
from lamppost.base.errors import StoreError
from lamppost.model.books import (
    CoverClosed,
    CoverOpened,
    GapClosed,
    GapOpened,
    JournalRecord,
    ReductionClosed,
    ReductionOpened,
    Rendition,
)
from lamppost.model.layout import DataFolder
from lamppost.store import footage as under_test
from lamppost.store.bookkeeping import Bookkeeper
from lamppost.store.footage import LONGEST_SEGMENT_US, Footage
from lamppost.store.index_file import make_index, open_engine
from lamppost.store.journal import JournalWriter
from lamppost.store.schema import CAMERAS, FORGOTTEN, SEGMENTS

S = 1_000_000
BEGIN_US = 1_700_000_000 * S


def fill(folder: DataFolder, rows: list[tuple[int, int, str, str, str]]) -> None:
    """Segments of `plaza`: beginning, end, run, rendition, state."""
    engine = make_index(folder.index)
    with engine.begin() as connection:
        connection.execute(insert(CAMERAS).values(camera="plaza"))
        for number, (start_us, end_us, run_id, rendition, state) in enumerate(rows):
            connection.execute(
                insert(SEGMENTS).values(
                    segment_id=f"s{number}",
                    camera="plaza",
                    rendition=rendition,
                    state=state,
                    path=f"{number}",
                    run_id=run_id,
                    epoch_id="e" if rendition == "sealed" else None,
                    sequence=number,
                    start_us=start_us,
                    end_us=end_us,
                    header_bytes=1,
                    size_bytes=1,
                    frames=1,
                    fragments=1,
                    end_reason=None if state == "open" else "rotated",
                    record_sha256=None if state == "open" else "0" * 64,
                    opened_in="a/b",
                )
            )
    engine.dispose()


def masked(*spans: tuple[int, int], run_id: str = "run") -> list[tuple[int, int, str, str, str]]:
    return [(BEGIN_US + start * S, BEGIN_US + end * S, run_id, "masked", "closed") for start, end in spans]


@pytest.fixture
def folder(tmp_path: Path) -> DataFolder:
    return DataFolder(tmp_path / "data")


def test_there_must_be_an_index(folder: DataFolder) -> None:
    with pytest.raises(StoreError, match="no index"):
        Footage(folder)


def test_only_what_is_masked_and_there(folder: DataFolder) -> None:
    row = (BEGIN_US, BEGIN_US + 60 * S, "run")
    fill(folder, [(*row, "sealed", "closed"), (*row, "masked", "garbage"), (*row, "masked", "closed"), (*row, "masked", "open")])
    with Footage(folder) as footage:
        assert [each.segment_id for each in footage.segments("plaza", BEGIN_US, BEGIN_US + S)] == ["s2", "s3"]
        assert [footage.segment(f"s{number}") is not None for number in range(5)] == [False, False, True, True, False]
        last = footage.last_before("plaza", BEGIN_US)
        assert last is not None
        assert last.segment_id in ("s2", "s3")
        assert footage.segments("bridge", 0, 1 << 61) == ()


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 400), st.integers(1, 3600)), min_size=1, max_size=12), st.data())
def test_what_shares_time_is_found_and_nothing_else(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[int, int]], drawn: st.DataObject
) -> None:
    folder = DataFolder(tmp_path_factory.mktemp("footage") / "data")
    spans: list[tuple[int, int]] = []
    at = 0
    for pause, lasts in steps:
        spans.append((at + pause, at + pause + lasts))
        at = spans[-1][1]
    fill(folder, masked(*spans))
    first = drawn.draw(st.integers(-10, at + 10))
    last = drawn.draw(st.integers(first + 1, at + 4000))
    with Footage(folder) as footage:
        found = footage.segments("plaza", BEGIN_US + first * S, BEGIN_US + last * S)
        assert [each.segment_id for each in found] == [f"s{n}" for n, (start, end) in enumerate(spans) if start < last and end > first]
        before = footage.last_before("plaza", BEGIN_US + first * S)
        earlier = [n for n, (start, _) in enumerate(spans) if start <= first and first - start <= LONGEST_SEGMENT_US // S]
        assert (before.segment_id if before else None) == (f"s{earlier[-1]}" if earlier else None)
        shown = sum(max(0, min(end, last) - max(start, first)) for start, end in spans)
        assert sum(end - start for start, end in footage.spans("plaza", BEGIN_US + first * S, BEGIN_US + last * S)) == shown * S


def test_files_are_one_span_unless_more_than_half_a_second_lies_between(folder: DataFolder) -> None:
    def row(start_ms: int, end_ms: int, run_id: str) -> tuple[int, int, str, str, str]:
        return BEGIN_US + start_ms * 1000, BEGIN_US + end_ms * 1000, run_id, "masked", "closed"

    fill(folder, [row(0, 60_000, "a"), row(60_040, 120_000, "a"), row(120_501, 180_000, "b"), row(150_000, 155_000, "c")])
    with Footage(folder) as footage:
        spans = footage.spans("plaza", BEGIN_US - S, BEGIN_US + 200 * S)
        assert [((start - BEGIN_US) // 1000, (end - BEGIN_US) // 1000) for start, end in spans] == [(0, 120_000), (120_501, 180_000)]
        assert footage.spans("plaza", BEGIN_US + 10 * S, BEGIN_US + 20 * S) == ((BEGIN_US + 10 * S, BEGIN_US + 20 * S),)


def test_intervals_that_reach_in_and_those_that_last(folder: DataFolder) -> None:
    clock = ManualClock(BEGIN_US)
    records: list[JournalRecord] = []
    for number in range(100):
        at_us = BEGIN_US + number * 10 * S
        records += [GapOpened(f"g{number}", "plaza", "lost", at_us, "why"), GapClosed(f"g{number}", at_us + 5 * S)]
    records += [
        CoverOpened("long", "plaza", "moved", BEGIN_US),
        CoverClosed("long", BEGIN_US + 900 * S),
        CoverOpened("lasts", "plaza", "stalled", BEGIN_US + 950 * S),
        ReductionOpened("r", "plaza", "fewer", BEGIN_US),
        ReductionClosed("r", BEGIN_US + S),
    ]
    with JournalWriter(folder.journal / "recorder", clock=clock) as journal:
        for record in records:
            journal.append(record)
    with Bookkeeper(folder, clock) as bookkeeper:
        bookkeeper.apply_new()
    with Footage(folder) as footage:
        found = footage.gaps("plaza", BEGIN_US + 503 * S, BEGIN_US + 530 * S)
        assert [each.interval_id for each in found] == ["g50", "g51", "g52"]
        assert (found[0].cause, found[0].detail) == ("lost", "why")
        assert [each.interval_id for each in footage.gaps("plaza", BEGIN_US + 505 * S, BEGIN_US + 510 * S)] == []
        assert [each.interval_id for each in footage.covered("plaza", BEGIN_US + 800 * S, BEGIN_US + 960 * S)] == ["long", "lasts"]
        assert [each.end_us for each in footage.covered("plaza", BEGIN_US + 5000 * S, BEGIN_US + 6000 * S)] == [None]
        assert footage.reductions("plaza", BEGIN_US + S, BEGIN_US + 2 * S) == ()
        assert [each.cause for each in footage.reductions("plaza", BEGIN_US, BEGIN_US + 2 * S)] == ["fewer"]


def test_what_is_forgotten_is_that_of_the_masked_video(folder: DataFolder) -> None:
    fill(folder, [])
    engine = make_index(folder.index)
    with engine.begin() as connection:
        for rendition, start_s, end_s in ((Rendition.MASKED, 0, 100), (Rendition.SEALED, 0, 300), (Rendition.MASKED, 150, 200)):
            values = {"camera": "plaza", "rendition": rendition.value, "start_us": BEGIN_US + start_s * S, "end_us": BEGIN_US + end_s * S}
            connection.execute(insert(FORGOTTEN).values(**values, segments=1, size_bytes=1))
    engine.dispose()
    with Footage(folder) as footage:
        found = footage.forgotten("plaza", BEGIN_US + 50 * S, BEGIN_US + 160 * S)
        assert [((start - BEGIN_US) // S, (end - BEGIN_US) // S) for start, end in found] == [(50, 100), (150, 160)]


def test_a_piece_of_an_index_is_read_and_never_all_of_it(folder: DataFolder) -> None:
    fill(folder, masked((0, 60)))
    engine = open_engine(folder.index)
    values = {"of_camera": "plaza", "from_us": 1, "to_us": 2, "early_us": 0, "at_us": 1, "segment_id": "s0", "most": 1}
    with engine.connect() as connection:
        for query in (under_test._IN_TIME, under_test._BEFORE, under_test._SPANS, under_test._ONE):
            compiled = query.compile(engine, compile_kwargs={"render_postcompile": True})
            wanted = {name: values.get(name, value) for name, value in compiled.params.items()}
            ordered = tuple(wanted[name] for name in (compiled.positiontup or ()))
            plan = " ".join(str(row[-1]) for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {compiled}", ordered))
            assert "SCAN segments" not in plan
            assert "start_us>" in plan or "segment_id=?" in plan, plan
        assert connection.execute(text("SELECT 1")).scalar() == 1
    engine.dispose()
