"""Counts, events and their pictures go when their time is over, and not before; what is held stays."""

from __future__ import annotations

import hashlib
from pathlib import Path
from zoneinfo import ZoneInfo

from lamppost.base.clock import US_PER_S, ManualClock
from lamppost.model.books import EventClosed, EventOpened, HoldPlaced, MinuteCounted, Severity, SnapshotTaken
from lamppost.model.happening import Measure, Tally
from lamppost.model.layout import DataFolder
from lamppost.model.tallies import tally_to_json
from lamppost.store.bookkeeping import Bookkeeper
from lamppost.store.check import check
from lamppost.store.counting import Bucket, CountReader, Wanted
from lamppost.store.index import Index
from lamppost.store.journal import JournalWriter
from lamppost.store.retaining import Retention
from lamppost.store.retention import US_PER_DAY, BookLimits, CameraLimits, RetentionLimits
from street_books import check_tools

LIMITS = RetentionLimits(CameraLimits(US_PER_DAY, 3 * US_PER_DAY, 0), {}, 0, BookLimits(10 * US_PER_DAY, 20 * US_PER_DAY, 5 * US_PER_DAY))


class Books:
    """A minute, an event and its picture, all of now."""

    def __init__(self, root: Path) -> None:
        self.folder, self.clock = DataFolder(root), ManualClock(1_700_000_100 * US_PER_S)
        self.start_us = self.clock.wall_us()
        self.picture = self.folder.snapshot("plaza", "e", self.start_us)
        self.picture.parent.mkdir(parents=True)
        self.picture.write_bytes(b"picture")
        tally = tally_to_json(Tally(Measure.FORWARD, None, 3))
        taken = (self.folder.relative(self.picture), self.start_us, 7, hashlib.sha256(b"picture").hexdigest())
        with JournalWriter(self.folder.journal / "analyst", clock=self.clock) as journal:
            journal.append(MinuteCounted("m", "plaza", "line", "gate", self.start_us, 60_000, (tally,)))
            journal.append(EventOpened("e", "line_crossed", Severity.INFO, "plaza", self.start_us, "{}"))
            journal.append(SnapshotTaken("e", "plaza", *taken))
            journal.append(EventClosed("e", self.start_us))
        with Bookkeeper(self.folder, self.clock) as bookkeeper:
            bookkeeper.apply_new()

    def after(self, days: float) -> tuple[int | None, int | None, int, bool]:
        """What is known so many days later: the count by the minute and by the hour, how many events, and whether the picture is there."""
        self.clock.advance(days * 86_400 - (self.clock.wall_us() - self.start_us) / US_PER_S)
        with Bookkeeper(self.folder, self.clock) as bookkeeper:
            bookkeeper.apply_new()
            retention = Retention(self.folder, bookkeeper, self.clock, LIMITS, free_bytes=lambda _: 10**15)
            while retention.run_pass():
                pass
            assert retention.status.problem == ""
        with CountReader(self.folder) as reader, Index(self.folder) as index:
            counts: list[int | None] = []
            for by in (Bucket.MINUTE, Bucket.HOUR):
                wanted = Wanted(self.start_us, self.start_us + 1, by, ZoneInfo("UTC"), measures=(Measure.FORWARD,))
                counts.append(next((count.count for count in reader.read(wanted)), None))
            return counts[0], counts[1], len(index.events()), self.picture.exists()

    def findings(self) -> list[str]:
        return [finding.what for finding in check(self.folder, clock=self.clock, tools=check_tools(self.folder, self.clock)).findings]


def test_each_goes_in_its_time_and_nothing_is_left_of_it(tmp_path: Path) -> None:
    books = Books(tmp_path)
    assert books.after(2.9) == (3, 3, 1, True)
    assert books.after(3.1) == (3, 3, 1, False)
    assert books.after(4.9) == (3, 3, 1, False)
    assert books.after(5.1) == (3, 3, 0, False)
    assert books.after(9.9) == (3, 3, 0, False)
    assert books.after(10.1) == (None, 3, 0, False)
    assert books.after(20.1) == (None, None, 0, False)
    with Index(books.folder) as index:
        assert index.integrity() == ()
        assert index.snapshots() == ()


def test_a_picture_that_is_held_stays_and_its_event_with_it(tmp_path: Path) -> None:
    books = Books(tmp_path)
    span = (books.start_us - US_PER_S, books.start_us + US_PER_S)
    with JournalWriter(books.folder.journal / "hold", clock=books.clock) as journal:
        journal.append(HoldPlaced("h", "plaza", *span, books.start_us, "mayor", "case 7"))
    assert books.after(15) == (None, 3, 1, True)


def test_a_picture_whose_file_is_gone_already_goes_from_the_books(tmp_path: Path) -> None:
    books = Books(tmp_path)
    books.picture.unlink()
    assert books.after(3.1) == (3, 3, 1, False)
    with Index(books.folder) as index:
        assert index.snapshots() == ()


def test_check_tells_of_a_picture_that_is_missing_altered_or_unknown(tmp_path: Path) -> None:
    books = Books(tmp_path)
    assert not [line for line in books.findings() if "picture" in line]
    stranger = books.picture.with_name("stranger.jpg")
    stranger.write_bytes(b"?")
    assert [line for line in books.findings() if "no event names" in line]
    stranger.unlink()
    books.picture.write_bytes(b"pikture")
    assert [line for line in books.findings() if "not what was written" in line]
    books.picture.unlink()
    assert [line for line in books.findings() if "is missing" in line]
