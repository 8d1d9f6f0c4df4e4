"""Ten thousand segments pass through a retention of seconds: every moment stays explained, and nothing piles up."""

from __future__ import annotations

import resource
from pathlib import Path

import pytest

from lamppost.base.clock import US_PER_S, ManualClock
from lamppost.model.books import GapClosed, GapOpened, Rendition
from lamppost.model.layout import DataFolder
from lamppost.store.bookkeeping import Bookkeeper
from lamppost.store.check import check
from lamppost.store.check_report import Severity
from lamppost.store.holds import place_hold, release_hold
from lamppost.store.index import Index
from lamppost.store.journal import JournalWriter
from lamppost.store.retaining import Retention
from lamppost.store.retention import CameraLimits, RetentionLimits
from street_books import Street, check_tools

KEEP_US = 60 * US_PER_S
ROUND = 20  # segments between two passes; an epoch of its own, and a gap after it


@pytest.mark.long
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("segments", [10_000])
def test_ten_thousand_segments_are_recorded_and_forgotten(tmp_path: Path, segments: int) -> None:
    folder, clock = DataFolder(tmp_path / "data"), ManualClock()
    limits = RetentionLimits(CameraLimits(KEEP_US, KEEP_US, 0), {}, 0)
    held: list[str] = []
    resident: list[int] = []
    files: list[int] = []
    with JournalWriter(folder.journal / "recorder", clock=clock, max_bytes=200_000) as journal, Bookkeeper(folder, clock) as bookkeeper:
        retention = Retention(folder, bookkeeper, clock, limits, free_bytes=lambda _: 10**15)
        street = Street(folder, journal, clock)
        masked_clock = ManualClock()
        masked = Street(folder, journal, masked_clock, rendition=Rendition.MASKED)
        for number in range(segments // ROUND):
            street.seal_epoch()
            masked_clock.step_wall((clock.wall_us() - masked_clock.wall_us()) / US_PER_S)
            began_us = clock.wall_us()
            for _ in range(ROUND // 2):
                street.record(1)
                masked.record(1)
            journal.append(GapOpened(f"g{number}", "plaza", "stopped", clock.wall_us(), ""))
            clock.advance(700)  # the epoch ends
            journal.append(GapClosed(f"g{number}", clock.wall_us()))
            if number % 50 == 10:
                held.append(place_hold(folder, "plaza", began_us, began_us + 2 * US_PER_S, "soak", actor="t", clock=clock).hold_id)
            if number % 50 == 40:
                release_hold(folder, held.pop(), actor="t", clock=clock)
            retention.run_pass()
            assert retention.status.problem == ""
            if number % 50 == 49:
                resident.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
                files.append(sum(1 for _ in folder.root.rglob("*")))
        clock.advance(2000)
        for _ in range(5):
            retention.run_pass()
        assert retention.status.forgotten_segments == segments
    report = check(folder, clock=clock, tools=check_tools(folder, clock))
    problems = [f for f in report.findings if f.severity is not Severity.NOTE and "neither recorded" not in f.what]
    assert problems == []
    with Index(folder) as index:
        account = index.account("plaza")
        assert account is not None
        assert (account.unexplained_us, account.recorded_us) == (0, 0)
        assert account.forgotten_us == segments // 2 * US_PER_S
        assert len(index.destroyed()) == segments // ROUND
        assert sum(row.segments for row in index.forgotten("plaza")) == segments
    # Holds' journals alone are kept for good.
    assert max(files) - min(files) < 60
    assert resident[-1] <= 1.05 * resident[1]
