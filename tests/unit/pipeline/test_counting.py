"""A camera's counts and events reach the journal: minutes, events with a masked picture, and rules that change while it runs."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from lamppost.base.errors import StoreError
from lamppost.detect.motion import MotionDetector
from lamppost.detect.values import shrink
from lamppost.ingest.street import Street, StreetSettings
from lamppost.mask.paint import Palette, paint
from lamppost.model.books import EventEnded, EventOpened, EventUpdated, JournalRecord, MinuteCounted, SnapshotTaken
from lamppost.model.layout import DataFolder
from lamppost.model.rules import Anchor, Line, LineCrossed, Occupancy, RuleBook, Zone
from lamppost.model.tallies import tally_from_json
from lamppost.model.vision import Frame
from lamppost.pipeline.counting import CameraCounting, CountingPlan

STREET = StreetSettings(seed=3, people=2, vehicles=1, width_px=640, height_px=360, fps=10)
START_US = 1_790_000_030_000_000  # half a minute into a minute
BOOK = RuleBook(
    line=(Line(name="middle", points=((0.5, 0), (0.5, 1)), anchor=Anchor.CENTRE),),
    zone=(Zone(name="street", points=((0.1, 0), (0.9, 0), (0.9, 1), (0.1, 1)), anchor=Anchor.CENTRE),),
    rule=(
        LineCrossed(name="crossed", type="line_crossed", line="middle", cooldown_s=1),
        Occupancy(name="busy", type="occupancy", zone="street", most=0, after_s=0.5, cooldown_s=1),
    ),
)


class Journal:
    """Takes records, or refuses them."""

    def __init__(self) -> None:
        self.records: list[JournalRecord] = []
        self.is_full = False

    def append(self, record: JournalRecord) -> None:
        if self.is_full:
            raise StoreError("the disk is full")
        self.records.append(record)

    def of(self, kind: type) -> list:
        return [record for record in self.records if isinstance(record, kind)]


class Filming:
    """One run of the street after another, watched and masked."""

    def __init__(self, folder: Path, book: RuleBook = BOOK) -> None:
        self.journal = Journal()
        self.folder = DataFolder(folder)
        self.counting = CameraCounting(
            "plaza", CountingPlan(book, "", 0.1), make_detector=lambda: None, journal=self.journal.append, folder=self.folder
        )
        self._street = Street(STREET)
        self._motion = MotionDetector()
        self._index = 0

    def run(self, seconds: int, *, has_gap: bool = False) -> None:
        watch = self.counting.begin_run()
        for _ in range(seconds * STREET.fps):
            self._index += 1
            at_us = START_US + self._index * 1_000_000 // STREET.fps
            frame = Frame(self._street.frame(self._index), self._index * 90_000 // STREET.fps, at_us)
            small = shrink(frame)
            if not (has_gap and self._index % 50 < 25):
                watch.see(frame, small, self._motion.observe(frame, small))
            self.counting.note_masked(paint(frame, (), Palette()))
        self.counting.end_run()


@pytest.fixture
def filming(tmp_path: Path) -> Filming:
    filmed = Filming(tmp_path)
    filmed.run(45)
    return filmed


def test_minutes_say_what_was_seen_and_what_was_counted(filming: Filming) -> None:
    filming.counting.close()
    minutes = filming.journal.of(MinuteCounted)
    assert {(minute.place_kind, minute.place) for minute in minutes} == {("line", "middle"), ("zone", "street")}
    assert len({minute.minute_id for minute in minutes}) == len(minutes)
    of_line = [minute for minute in minutes if minute.place == "middle"]
    assert [minute.minute_us % 60_000_000 for minute in of_line] == [0, 0], "minutes of UTC"
    # The place is learnt first: those seconds are unknown.
    assert 40_000 < sum(minute.observed_ms for minute in of_line) < 45_000
    crossings = sum(tally_from_json(text).count for minute in of_line for text in minute.tallies)
    assert crossings == sum(json.loads(event.detail)["count"] for event in filming.journal.of(EventEnded) if _is_crossing(filming, event))
    assert crossings > 0


def _is_crossing(filming: Filming, ended: EventEnded) -> bool:
    return any(opened.event_id == ended.event_id and opened.kind == "line_crossed" for opened in filming.journal.of(EventOpened))


def test_every_event_begins_and_ends_once(filming: Filming) -> None:
    opened, ended = filming.journal.of(EventOpened), filming.journal.of(EventEnded)
    assert sorted(event.event_id for event in opened) == sorted(event.event_id for event in ended)
    assert len({event.event_id for event in opened}) == len(opened)
    starts = {event.event_id: event.start_us for event in opened}
    assert all(event.end_us >= starts[event.event_id] for event in ended)
    assert all(event.camera == "plaza" and json.loads(event.detail)["rule"] in ("crossed", "busy") for event in opened)
    assert {update.event_id for update in filming.journal.of(EventUpdated)} <= starts.keys()


def test_every_event_has_a_masked_picture_that_is_there(filming: Filming) -> None:
    taken = {snapshot.event_id: snapshot for snapshot in filming.journal.of(SnapshotTaken)}
    assert taken.keys() >= {event.event_id for event in filming.journal.of(EventOpened)[:-1]}
    for snapshot in taken.values():
        content = (filming.folder.root / snapshot.path).read_bytes()
        assert (len(content), hashlib.sha256(content).hexdigest()) == (snapshot.size_bytes, snapshot.sha256)
        picture = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
        assert picture.shape == (360, 640, 3)


def test_what_is_missing_is_unknown_and_not_zero(tmp_path: Path) -> None:
    filming = Filming(tmp_path)
    filming.run(30, has_gap=True)
    filming.counting.close()
    observed_ms = sum(minute.observed_ms for minute in filming.journal.of(MinuteCounted) if minute.place == "middle")
    assert observed_ms < 16_000, "half of it was never seen"


def test_other_rules_count_from_now_on_and_end_what_is_gone(filming: Filming) -> None:
    before = len(filming.journal.of(EventOpened))
    book = RuleBook(line=(Line(name="edge", points=((0.8, 0), (0.8, 1)), anchor=Anchor.CENTRE),))
    filming.counting.adopt(CountingPlan(book, "", 0.1), lambda: None)
    filming.run(20)
    filming.counting.close()
    assert len(filming.journal.of(EventOpened)) == before, "no rule is left"
    assert {minute.place for minute in filming.journal.of(MinuteCounted)} == {"middle", "street", "edge"}
    assert sorted(event.event_id for event in filming.journal.of(EventOpened)) == sorted(
        event.event_id for event in filming.journal.of(EventEnded)
    )


def test_a_journal_that_is_full_loses_no_event(tmp_path: Path) -> None:
    filming = Filming(tmp_path)
    filming.journal.is_full = True
    with pytest.raises(StoreError):
        filming.run(45)
    filming.journal.is_full = False
    filming.run(30)
    filming.counting.close()
    opened, ended = filming.journal.of(EventOpened), filming.journal.of(EventEnded)
    assert opened
    assert {event.event_id for event in ended} <= {event.event_id for event in opened}, "none ends that did not begin"


def test_without_rules_nothing_is_counted(tmp_path: Path) -> None:
    filming = Filming(tmp_path, RuleBook())
    filming.run(10)
    filming.counting.close()
    assert filming.journal.records == []
