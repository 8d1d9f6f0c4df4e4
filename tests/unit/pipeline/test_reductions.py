"""Each step of overload is booked from its first frame to its last, and none stays open."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lamppost.base.clock import ManualClock
from lamppost.base.errors import StoreError
from lamppost.model.books import JournalRecord, ReductionClosed, ReductionOpened
from lamppost.model.vision import ReductionStep
from lamppost.pipeline.reductions import ReductionKeeper


def spans(records: list[JournalRecord]) -> list[tuple[str, int, int]]:
    """(step, start, end) of every reduction, in order; each is closed before the next one opens."""
    found: list[tuple[str, int, int]] = []
    for opened, closed in zip(records[::2], records[1::2], strict=True):
        assert isinstance(opened, ReductionOpened)
        assert isinstance(closed, ReductionClosed)
        assert (opened.camera, opened.reduction_id) == ("gate", closed.reduction_id)
        found.append((opened.step, opened.start_us, closed.end_us))
    return found


@given(st.lists(st.tuples(st.integers(1, 5), st.one_of(st.none(), st.sampled_from(list(ReductionStep)))), max_size=40))
def test_reductions_hold_exactly_the_reduced_packets(steps: list[tuple[int, ReductionStep | None]]) -> None:
    records: list[JournalRecord] = []
    keeper, now_us = ReductionKeeper("gate", records.append, ManualClock()), 0
    noted: list[tuple[int, ReductionStep | None]] = []
    for lasts_us, step in steps:
        now_us += lasts_us
        keeper.note(step, now_us)
        noted.append((now_us, step))
    keeper.end(now_us + 1)
    found = spans(records)
    for at_us, step in noted:
        assert [name for name, start_us, end_us in found if start_us <= at_us < end_us] == ([step.value] if step else [])


def test_an_end_that_the_journal_refused_is_written_before_anything_else() -> None:
    records: list[JournalRecord] = []
    is_full = False

    def journal(record: JournalRecord) -> None:
        if is_full:
            raise StoreError("the disk is full")
        records.append(record)

    keeper = ReductionKeeper("gate", journal, ManualClock())
    keeper.note(ReductionStep.FEWER_FRAMES, 1)
    is_full = True
    for at_us in (2, 3):
        with pytest.raises(StoreError):
            keeper.note(None, at_us)
    is_full = False
    keeper.note(ReductionStep.COVERED, 4)
    keeper.end(9)
    assert spans(records) == [("fewer_frames", 1, 2), ("covered", 4, 9)]
