"""The account of a camera has no hole, whatever happens to it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lamppost.base.clock import ManualClock
from lamppost.base.errors import StoreError
from lamppost.model.books import FragmentWritten, GapClosed, GapOpened, JournalRecord
from lamppost.model.media import Gap, GapCause
from lamppost.pipeline.gaps import HELD_LIMIT, GapKeeper

SECOND = 1_000_000


def make_fragment(start_us: int, end_us: int) -> FragmentWritten:
    return FragmentWritten("s", 0, 1, "00", start_us, end_us, 0, 25, True)


def gaps_of(records: list[JournalRecord]) -> list[tuple[str, int, int | None]]:
    """(cause, start, end) of every gap; end None while open."""
    opened = {record.gap_id: record for record in records if isinstance(record, GapOpened)}
    closed = {record.gap_id: record.end_us for record in records if isinstance(record, GapClosed)}
    return [(gap.cause, gap.start_us, closed.get(gap_id)) for gap_id, gap in opened.items()]


def test_a_gap_ends_with_the_first_fragment_not_before() -> None:
    records: list[JournalRecord] = []
    keeper = GapKeeper("gate", records.append, ManualClock())
    keeper.begin(GapCause.STARTING, 10)
    assert gaps_of(records) == [("starting", 10, None)]
    keeper.journal(make_fragment(500, 900))
    assert isinstance(records[-2], FragmentWritten)  # the fragment is written first, then the gap's end
    assert gaps_of(records) == [("starting", 10, 500)]


def test_another_cause_takes_over_where_it_starts() -> None:
    records: list[JournalRecord] = []
    keeper = GapKeeper("gate", records.append, ManualClock())
    keeper.begin(GapCause.CAMERA_UNREACHABLE, 10)
    keeper.begin(GapCause.CAMERA_UNREACHABLE, 20)
    keeper.begin(GapCause.CAMERA_REFUSED, 30)
    assert gaps_of(records) == [("camera_unreachable", 10, 30), ("camera_refused", 30, None)]


def test_a_declared_gap_within_an_open_one_is_not_written_twice() -> None:
    records: list[JournalRecord] = []
    keeper = GapKeeper("gate", records.append, ManualClock())
    keeper.begin(GapCause.STARTING, 0)
    keeper.declare(Gap(5, 9, GapCause.TIMESTAMP_JUMP))
    assert gaps_of(records) == [("starting", 0, None)]


def test_a_hole_in_the_fragment_that_ends_a_gap_is_declared_before_it() -> None:
    records: list[JournalRecord] = []
    keeper = GapKeeper("gate", records.append, ManualClock())
    keeper.begin(GapCause.STARTING, 0)
    for start, end in ((5, 9), (480, 520), (600, 640)):
        keeper.declare(Gap(start, end, GapCause.DAMAGED))
    keeper.journal(make_fragment(500, 900))
    keeper.journal(make_fragment(900, 990))
    assert gaps_of(records) == [("starting", 0, 500), ("damaged", 500, 520), ("damaged", 600, 640)]
    assert [type(record) for record in records[1:]] == [*(GapOpened, GapClosed) * 2, FragmentWritten, GapClosed, FragmentWritten]


def test_holes_of_pictures_that_were_never_kept_lie_in_the_open_gap() -> None:
    records: list[JournalRecord] = []
    keeper = GapKeeper("gate", records.append, ManualClock())
    keeper.begin(GapCause.STARTING, 0)
    keeper.declare(Gap(600, 640, GapCause.DAMAGED))
    keeper.begin(GapCause.CLOCK_STEPPED, 700)  # set back: what follows has earlier times
    keeper.journal(make_fragment(300, 400))
    assert gaps_of(records) == [("starting", 0, 700), ("clock_stepped", 700, 700)]


def test_no_number_of_holes_takes_more_than_its_room() -> None:
    records: list[JournalRecord] = []
    keeper = GapKeeper("gate", records.append, ManualClock())
    keeper.begin(GapCause.STARTING, 0)
    for hole in range(HELD_LIMIT * 3):
        keeper.declare(Gap(1000 + 10 * hole, 1004 + 10 * hole, GapCause.TIMESTAMP_JUMP))
    keeper.journal(make_fragment(500, 9000))
    gaps = gaps_of(records)
    assert (len(gaps), gaps[-1][2]) == (HELD_LIMIT + 1, 1004 + 10 * (HELD_LIMIT * 3 - 1))


steps = st.lists(
    st.one_of(
        st.tuples(st.just("record"), st.integers(1, 5)),
        st.tuples(st.sampled_from(list(GapCause)), st.integers(0, 5)),
        st.tuples(st.just("declare"), st.integers(1, 3)),
    ),
    max_size=40,
)


@given(steps)
def test_every_moment_is_recorded_or_declared(steps: list[tuple[object, int]]) -> None:
    records: list[JournalRecord] = []
    keeper = GapKeeper("gate", records.append, ManualClock())
    now, recorded_until = 0, 0
    covered: list[tuple[int, int]] = []
    keeper.begin(GapCause.STARTING, 0)
    for step, length in steps:
        if isinstance(step, GapCause):
            keeper.begin(step, recorded_until)
            now += length * SECOND
        elif step == "declare":
            keeper.declare(Gap(recorded_until, recorded_until + length * SECOND, GapCause.DAMAGED))
            now += length * SECOND
            if keeper.cause is None:
                recorded_until += length * SECOND
        else:
            start = now if keeper.cause is not None else recorded_until
            now = start + length * SECOND
            keeper.journal(make_fragment(start, now))
            covered.append((start, now))
            recorded_until = now
    spans = covered + [(start, now if end is None else end) for _, start, end in gaps_of(records)]
    reached = 0
    for start, end in sorted(spans):
        assert start <= reached, "a moment is neither recorded nor declared"
        reached = max(reached, end)
    assert reached >= recorded_until


class FailingJournal:
    """A journal whose disk is full now and then."""

    def __init__(self) -> None:
        self.records: list[JournalRecord] = []
        self.is_full = False

    def append(self, record: JournalRecord) -> None:
        if self.is_full:
            raise StoreError("the disk is full")
        self.records.append(record)


def test_a_gap_that_could_not_be_written_is_written_before_the_next_record() -> None:
    journal = FailingJournal()
    keeper = GapKeeper("gate", journal.append, ManualClock())
    journal.is_full = True
    for cause, start in ((GapCause.STORE_FAILED, 10), (GapCause.STORE_FAILED, 20), (GapCause.CAMERA_UNREACHABLE, 30)):
        with pytest.raises(StoreError):
            keeper.begin(cause, start)
    journal.is_full = False
    keeper.journal(make_fragment(500, 900))
    assert gaps_of(journal.records) == [("store_failed", 10, 500)]
    assert [type(record) for record in journal.records] == [GapOpened, FragmentWritten, GapClosed]


def test_an_end_that_could_not_be_written_is_not_forgotten() -> None:
    journal = FailingJournal()
    keeper = GapKeeper("gate", journal.append, ManualClock())
    keeper.begin(GapCause.STARTING, 10)
    journal.is_full = True
    with pytest.raises(StoreError):
        keeper.end(50)
    with pytest.raises(StoreError):
        keeper.begin(GapCause.STORE_FAILED, 60)
    journal.is_full = False
    keeper.journal(make_fragment(500, 900))
    assert gaps_of(journal.records) == [("starting", 10, 50), ("store_failed", 60, 500)]
