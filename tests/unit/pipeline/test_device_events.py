"""What a device tells becomes an event that begins and ends once; chatter, repeats and what never ends flood nothing."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lamppost.base.clock import ManualClock
from lamppost.base.errors import StoreError
from lamppost.model.books import EventClosed, EventEnded, EventOpened, JournalRecord, Severity
from lamppost.model.devices import DeviceEvent, DeviceEventKind
from lamppost.model.event_document import DEVICE_TYPES
from lamppost.pipeline.device_events import (
    LONGEST_S,
    MOST_A_MINUTE,
    MOST_AN_HOUR,
    MOST_OPEN,
    PENDING_LIMIT,
    DeviceEventKeeper,
    EventJournal,
    happening,
)


def told(kind: DeviceEventKind = DeviceEventKind.INPUT, is_active: bool | None = True, place: str = "DigitalInput_1") -> DeviceEvent:
    return DeviceEvent(kind, is_active, place, None)


class Scene:
    def __init__(self) -> None:
        self.clock = ManualClock()
        self.records: list[JournalRecord] = []
        self.keeper = DeviceEventKeeper("gate", self.write, self.clock)

    def write(self, *records: JournalRecord) -> None:
        self.records += records

    @property
    def opened(self) -> list[EventOpened]:
        return [record for record in self.records if isinstance(record, EventOpened)]

    @property
    def ended(self) -> list[EventClosed | EventEnded]:
        return [record for record in self.records if isinstance(record, EventClosed | EventEnded)]


@pytest.mark.parametrize(
    ("kind", "type_", "severity"),
    [
        (DeviceEventKind.TAMPER, "device_tamper", Severity.WARNING),
        (DeviceEventKind.INPUT, "device_input", Severity.INFO),
        (DeviceEventKind.OUTPUT, "device_output", Severity.INFO),
        (DeviceEventKind.STORAGE, "device_storage", Severity.WARNING),
        (DeviceEventKind.HEALTH, "device_health", Severity.WARNING),
    ],
)
def test_what_begins_and_ends_is_one_event_by_our_clock(kind: DeviceEventKind, type_: str, severity: Severity) -> None:
    scene = Scene()
    start_us = scene.clock.wall_us()
    scene.keeper.take([DeviceEvent(kind, True, "Disk_1", 1)])
    scene.clock.advance(5)
    scene.keeper.take([DeviceEvent(kind, True, "Disk_1", 2), DeviceEvent(kind, False, "Disk_1", 3)])
    (opened,), (ended,) = scene.opened, scene.ended
    assert (opened.kind, opened.severity, opened.camera, opened.start_us) == (type_, severity, "gate", start_us)
    assert opened.kind in DEVICE_TYPES
    assert ended == EventClosed(opened.event_id, start_us + 5_000_000)
    assert json.loads(opened.detail) == {"note": "at the device's Disk_1"}


def test_motion_is_counted_and_is_no_event() -> None:
    scene = Scene()
    scene.keeper.take([told(DeviceEventKind.MOTION), told(DeviceEventKind.MOTION, False)])
    assert scene.records == []
    assert scene.keeper.tally.motions == 1
    assert scene.keeper.tally.taken == 0


@pytest.mark.parametrize("kind", DeviceEventKind)
def test_nothing_that_is_let_in_vanishes(kind: DeviceEventKind) -> None:
    scene = Scene()
    scene.keeper.take([told(kind)])
    assert scene.keeper.tally.taken + scene.keeper.tally.motions == 1


def test_what_happens_has_no_length_and_what_ended_unseen_begins_nothing() -> None:
    scene = Scene()
    scene.keeper.take([told(is_active=None), told(is_active=False)])
    assert [type(record) for record in scene.records] == [EventOpened, EventClosed]


def test_a_chattering_contact_is_left_out_and_counted() -> None:
    scene = Scene()
    for _ in range(1000):
        scene.keeper.take([told(is_active=None)])
        scene.clock.advance(0.05)
    assert len(scene.opened) == MOST_A_MINUTE
    assert scene.keeper.tally.suppressed == 1000 - MOST_A_MINUTE
    for _ in range(1000):
        scene.keeper.take([told(is_active=None)])
        scene.clock.advance(11)
    assert len(scene.opened) <= 5 * MOST_AN_HOUR, "nor over hours"


def test_a_chattering_contact_does_not_hide_that_somebody_tampers() -> None:
    scene = Scene()
    for number in range(1000):
        scene.keeper.take([told(place=f"Input_{number}"), told(is_active=None)])
    scene.keeper.take([told(DeviceEventKind.TAMPER)])
    assert scene.opened[-1].kind == "device_tamper"


def test_what_is_not_told_again_does_not_last_for_ever() -> None:
    scene = Scene()
    scene.keeper.take([told()])
    scene.clock.advance(LONGEST_S - 1)
    scene.keeper.take([told()])
    scene.clock.advance(LONGEST_S - 1)
    scene.keeper.look()
    assert scene.ended == []
    scene.clock.advance(2)
    scene.keeper.look()
    (ended,) = scene.ended
    assert isinstance(ended, EventEnded)
    assert "does not tell of it any more" in ended.detail


def test_when_the_device_goes_all_of_it_ends() -> None:
    scene = Scene()
    scene.keeper.take([told(place=f"Input_{number}") for number in range(3)])
    scene.keeper.close()
    scene.keeper.close()
    assert {ended.event_id for ended in scene.ended} == {opened.event_id for opened in scene.opened}
    assert len(scene.ended) == 3


EVENTS = st.builds(
    DeviceEvent,
    st.sampled_from(DeviceEventKind),
    st.sampled_from([True, False, None]),
    st.sampled_from([f"p{number}" for number in range(40)]),
    st.none(),
)


@given(st.lists(st.tuples(EVENTS, st.floats(0, 2000)), max_size=120))
def test_every_event_begins_before_it_ends_once_and_few_are_open(steps: list[tuple[DeviceEvent, float]]) -> None:
    scene = Scene()
    open_: dict[str, int] = {}
    for event, wait_s in steps:
        scene.keeper.take([event])
        scene.clock.advance(wait_s)
    scene.keeper.close()
    for record in scene.records:
        if isinstance(record, EventOpened):
            open_[record.event_id] = record.start_us
            assert len(open_) <= MOST_OPEN * (len(DeviceEventKind) - 1)
        elif isinstance(record, EventClosed | EventEnded):
            assert record.end_us >= open_.pop(record.event_id)
    assert open_ == {}
    assert scene.keeper.tally.taken == len(scene.opened)


def failing(written: list[JournalRecord], is_full: Callable[[], bool]) -> Callable[[JournalRecord], None]:
    def append(record: JournalRecord) -> None:
        if is_full():
            raise StoreError("the disk is full")
        written.append(record)

    return append


def test_what_the_disk_does_not_take_comes_later_in_order_and_is_bounded() -> None:
    written: list[JournalRecord] = []
    full = [True]
    journal = EventJournal(failing(written, lambda: full[0]))
    records = happening("firmware_changed", Severity.WARNING, "gate", 1_700_000_000_000_000, "1 became 2")
    journal.write(*records)
    assert journal.problem == "the disk is full"
    for _ in range(PENDING_LIMIT):
        journal.write(records[0])
    assert journal.left_out == 2
    full[0] = False
    journal.write_pending()
    assert journal.problem == ""
    assert written[:2] == list(records)
    assert len(written) == PENDING_LIMIT
