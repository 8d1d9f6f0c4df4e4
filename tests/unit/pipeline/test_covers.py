"""The account of covers says exactly which of the frames that left were covered."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lamppost.base.clock import ManualClock
from lamppost.base.errors import StoreError
from lamppost.model.books import CoverClosed, CoverOpened, JournalRecord
from lamppost.model.vision import CoverCause, MaskedFrame
from lamppost.pipeline.covers import CoverKeeper

PICTURE = np.zeros((24, 16), np.uint8)


def make_frame(wall_us: int, cause: CoverCause | None) -> MaskedFrame:
    return MaskedFrame(PICTURE, 0, wall_us, (), cause)


def keep(frames: list[tuple[int, CoverCause | None]], end_us: int) -> list[tuple[str, int, int]]:
    """(cause, start, end) of every cover written for `frames`, in order."""
    records: list[JournalRecord] = []
    keeper = CoverKeeper("gate", records.append, ManualClock())
    for wall_us, cause in frames:
        keeper.note(make_frame(wall_us, cause))
    keeper.end(end_us)
    covers: list[tuple[str, int, int]] = []
    for opened, closed in zip(records[::2], records[1::2], strict=True):
        assert isinstance(opened, CoverOpened)
        assert isinstance(closed, CoverClosed)
        assert opened.cover_id == closed.cover_id
        covers.append((opened.cause, opened.start_us, closed.end_us))
    return covers


def test_a_cover_begins_with_its_first_frame_and_ends_with_the_first_visible_one() -> None:
    frames: list[tuple[int, CoverCause | None]] = [(0, CoverCause.STARTING), (40, CoverCause.STARTING), (80, None), (120, None)]
    assert keep(frames, 160) == [("starting", 0, 80)]


def test_a_cover_is_written_when_it_begins() -> None:
    records: list[JournalRecord] = []
    CoverKeeper("gate", records.append, ManualClock()).note(make_frame(7, CoverCause.DECODER_ERROR))
    assert [type(record) for record in records] == [CoverOpened]


def test_another_cause_takes_over_without_a_hole() -> None:
    frames: list[tuple[int, CoverCause | None]] = [(0, CoverCause.STARTING), (40, CoverCause.DECODER_ERROR)]
    assert keep(frames, 80) == [("starting", 0, 40), ("decoder_error", 40, 80)]


def test_a_cover_never_ends_before_it_begins() -> None:
    assert keep([(100, CoverCause.STARTING)], 0) == [("starting", 100, 100)]


@given(st.lists(st.tuples(st.integers(1, 5), st.one_of(st.none(), st.sampled_from(list(CoverCause)))), max_size=50))
def test_covers_are_disjoint_and_hold_exactly_the_covered_frames(steps: list[tuple[int, CoverCause | None]]) -> None:
    frames: list[tuple[int, CoverCause | None]] = []
    now_us = 0
    for step_us, cause in steps:
        now_us += step_us
        frames.append((now_us, cause))
    covers = keep(frames, now_us + 1)
    for (_, _, end_us), (_, next_start_us, _) in pairwise(covers):
        assert end_us <= next_start_us
    for wall_us, cause in frames:
        holding = [name for name, start_us, end_us in covers if start_us <= wall_us < end_us]
        assert holding == ([cause.value] if cause else [])


def test_an_end_that_the_journal_refused_is_written_before_anything_else() -> None:
    records: list[JournalRecord] = []
    is_full = False

    def journal(record: JournalRecord) -> None:
        if is_full:
            raise StoreError("the disk is full")
        records.append(record)

    keeper = CoverKeeper("gate", journal, ManualClock())
    keeper.note(make_frame(1, CoverCause.STARTING))
    is_full = True
    for number in (2, 3):
        with pytest.raises(StoreError):
            keeper.note(make_frame(number, None))
    is_full = False
    keeper.note(make_frame(4, CoverCause.SCENE_CHANGED))
    assert [type(record).__name__ for record in records] == ["CoverOpened", "CoverClosed", "CoverOpened"]
    assert isinstance(records[1], CoverClosed)
    assert records[1].end_us == make_frame(2, None).wall_us
