"""The account explains every moment, or says which it does not."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lamppost.base.clock import ManualClock
from lamppost.base.errors import StoreError
from lamppost.model.books import CoverClosed, CoverOpened, GapClosed, GapOpened, ReductionClosed, ReductionOpened, Rendition
from lamppost.model.layout import DataFolder
from lamppost.store.bookkeeping import Bookkeeper
from lamppost.store.index import Index
from lamppost.store.journal import JournalWriter
from street_books import FRAMES, Street

S = 1_000_000


def test_there_must_be_an_index(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="no index"):
        Index(DataFolder(tmp_path))


@settings(max_examples=25, deadline=None)
@given(st.lists(st.sampled_from(["record", "gap", "lost"]), min_size=1, max_size=8), st.booleans())
def test_the_account_adds_up(tmp_path_factory: pytest.TempPathFactory, steps: list[str], is_covered: bool) -> None:
    folder, clock = DataFolder(tmp_path_factory.mktemp("account") / "data"), ManualClock()
    first_us = clock.wall_us()
    with JournalWriter(folder.journal / "recorder", clock=clock) as journal:
        street = Street(folder, journal, clock)
        journal.append(GapOpened("start", "plaza", "starting", first_us, ""))
        clock.advance(2)
        journal.append(GapClosed("start", clock.wall_us()))
        for number, step in enumerate(steps):
            if step == "record":
                street.record(3)
            elif step == "gap":
                journal.append(GapOpened(f"g{number}", "plaza", "damaged", clock.wall_us(), ""))
                clock.advance(5)
                journal.append(GapClosed(f"g{number}", clock.wall_us()))
            else:
                clock.advance(7)
        end_us = clock.wall_us()
        masked = Street(folder, journal, ManualClock(first_us), rendition=Rendition.MASKED)
        masked.record(4)
        if is_covered:
            journal.append(CoverOpened("c", "plaza", "starting", first_us + 3 * S))
    with Bookkeeper(folder, clock) as bookkeeper:
        bookkeeper.apply_new()
    with Index(folder) as index:
        account = index.account("plaza", end_us)
        assert account is not None
        assert account.first_us == first_us
        count = {step: steps.count(step) for step in ("record", "gap", "lost")}
        assert account.recorded_us == count["record"] * 3 * S
        assert account.gap_us == 2 * S + count["gap"] * 5 * S
        assert account.unexplained_us == count["lost"] * 7 * S
        assert account.recorded_us + account.gap_us + account.unexplained_us == end_us - first_us
        assert account.frames == count["record"] * 3 * FRAMES
        assert dict(account.gap_us_by_cause).get("damaged", 0) == count["gap"] * 5 * S
        # Masked video lies over seconds 0 to 4, the first two of which are a gap.
        recorded_early = min(2, 3) if steps[0] == "record" else 0
        assert account.masked_us == recorded_early * S
        assert account.covered_us == (max(0, recorded_early - 1) * S if is_covered else 0)
        assert index.account("nobody") is None


def test_while_recording_the_account_ends_with_the_last_fragment(tmp_path: Path) -> None:
    folder, clock = DataFolder(tmp_path / "data"), ManualClock()
    with JournalWriter(folder.journal / "recorder", clock=clock) as journal:
        street = Street(folder, journal, clock)
        street.open()
        last = street.write()
        clock.advance(0.7)
        with Bookkeeper(folder, clock) as bookkeeper:
            bookkeeper.apply_new()
        with Index(folder) as index:
            account = index.account("plaza")
            assert account is not None
            assert (account.until_us, account.unexplained_us) == (last.end_us, 0)
            late = index.account("plaza", clock.wall_us())
            assert late is not None
            assert late.unexplained_us == 700_000
            assert late.unexplained == ((last.end_us, clock.wall_us()),)
            assert index.integrity() == ()
            assert index.cameras() == ("plaza",)
        journal.append(CoverClosed("unknown", 1))


def test_files_of_one_run_are_joined_and_those_of_two_are_not(tmp_path: Path) -> None:
    folder, clock = DataFolder(tmp_path / "data"), ManualClock()
    with JournalWriter(folder.journal / "recorder", clock=clock) as journal:
        street = Street(folder, journal, clock)
        street.record()
        clock.advance(0.02)
        street.record()
        street.run_id = "run-2"
        clock.advance(0.03)
        street.record()
    with Bookkeeper(folder, clock) as bookkeeper:
        bookkeeper.apply_new()
    with Index(folder) as index:
        account = index.account("plaza")
        assert account is not None
        assert (account.recorded_us, account.unexplained_us) == (9 * S + 20_000, 30_000)


def test_the_account_says_how_much_of_the_masked_time_each_step_of_overload_took(tmp_path: Path) -> None:
    folder, clock = DataFolder(tmp_path / "data"), ManualClock()
    first_us = clock.wall_us()
    with JournalWriter(folder.journal / "recorder", clock=clock) as journal:
        Street(folder, journal, clock).record(10)
        Street(folder, journal, ManualClock(first_us), rendition=Rendition.MASKED).record(8)
        for number, (step, start_s, end_s) in enumerate([("fewer_frames", 1, 3), ("keyframes_only", 3, 4), ("fewer_frames", 4, 5)]):
            journal.append(ReductionOpened(f"r{number}", "plaza", step, first_us + start_s * S))
            journal.append(ReductionClosed(f"r{number}", first_us + end_s * S))
        journal.append(ReductionOpened("open", "plaza", "covered", first_us + 6 * S))
    with Bookkeeper(folder, clock) as bookkeeper:
        bookkeeper.apply_new()
    with Index(folder) as index:
        account = index.account("plaza")
        assert account is not None
        assert account.reduced_us_by_step == (("covered", 2 * S), ("fewer_frames", 3 * S), ("keyframes_only", 1 * S))
