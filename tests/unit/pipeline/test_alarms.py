"""What is wrong with the node is told once, when it begins and when it ends, also while the disk is full."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lamppost.base.clock import ManualClock
from lamppost.base.errors import StoreError
from lamppost.model.books import Act, EventClosed, EventOpened, JournalRecord, Severity
from lamppost.model.event_document import NODE_TYPES
from lamppost.pipeline import alarms
from lamppost.pipeline.alarms import (
    DEATHS_IN_A_ROW,
    PENDING_LIMIT,
    SILENT_S,
    AlarmKeeper,
    ChildReport,
    Condition,
    find_conditions,
)
from lamppost.pipeline.fleet import Role
from lamppost.store.outbox import NOTIFY_FAILING

FULL = Condition("recording_failing", Severity.ALARM, None, "No space left on device")
LOST = Condition("camera_lost", Severity.WARNING, "gate", "no route", patience_s=30.0)


class Books:
    def __init__(self) -> None:
        self.records: list[JournalRecord] = []
        self.is_full = False

    def append(self, record: JournalRecord) -> None:
        if self.is_full:
            raise StoreError("the disk is full")
        self.records.append(record)

    def kinds(self) -> list[str]:
        return [record.kind if isinstance(record, Act) else type(record).__name__ for record in self.records]


@pytest.fixture
def books() -> Iterator[Books]:
    return Books()


def test_an_alarm_is_an_event_and_two_acts(books: Books) -> None:
    clock = ManualClock()
    keeper = AlarmKeeper(books.append, clock)
    start_us = clock.wall_us()
    for _ in range(3):
        keeper.update([FULL])
        clock.advance(0.5)
    assert books.kinds() == ["EventOpened", "alarm_raised"]
    assert keeper.active == (FULL,)
    assert keeper.active is keeper.active, "another thread reads it, and never while it is made"
    keeper.update([])
    assert books.kinds() == ["EventOpened", "alarm_raised", "EventClosed", "alarm_cleared"]
    opened, _, closed, _ = books.records
    assert isinstance(opened, EventOpened)
    assert isinstance(closed, EventClosed)
    assert (opened.start_us, closed.end_us, opened.event_id) == (start_us, clock.wall_us(), closed.event_id)
    assert keeper.active == ()


def test_a_warning_waits_out_its_patience_and_begins_where_it_began(books: Books) -> None:
    clock = ManualClock()
    keeper = AlarmKeeper(books.append, clock)
    start_us = clock.wall_us()
    for _ in range(58):
        keeper.update([LOST])
        clock.advance(0.5)
    keeper.update([])
    assert books.records == [], "a camera that comes back soon is no event"
    clock.advance(1)
    keeper.update([LOST])
    clock.advance(31)
    keeper.update([LOST])
    (opened,) = books.records
    assert isinstance(opened, EventOpened)
    assert (opened.camera, opened.severity) == ("gate", Severity.WARNING)
    assert opened.start_us > start_us
    assert clock.wall_us() - opened.start_us == 31_000_000


def test_a_full_disk_is_told_at_once_and_written_when_it_can_be(books: Books, capsys: pytest.CaptureFixture[str]) -> None:
    clock = ManualClock()
    keeper = AlarmKeeper(books.append, clock)
    books.is_full = True
    keeper.update([FULL])
    assert "No space left" in "".join(capsys.readouterr())
    assert keeper.active == (FULL,)
    for _ in range(PENDING_LIMIT):
        keeper.update([])
        keeper.update([FULL])
    assert keeper.left_out > 0, "what waits is bounded, and what is left out is counted"
    books.is_full = False
    keeper.close()
    assert books.kinds()[:2] == ["EventOpened", "alarm_raised"]


def report(role: Role, status: dict[str, Any], deaths: int = 0, silent_s: float = 0.5) -> ChildReport:
    return ChildReport(f"{role.value}-1", role, status, deaths, "killed by signal 11", silent_s)


@pytest.mark.parametrize(
    ("reported", "kind"),
    [
        (report(Role.RECORDER, {"cameras": {"gate": {"cause": "store_failed", "problem": "full"}}}), "recording_failing"),
        (report(Role.RECORDER, {"cameras": {"gate": {"cause": "seal_unavailable", "problem": "vault"}}}), "recording_failing"),
        (report(Role.RECORDER, {"cameras": {"gate": {"cause": "", "is_dropping": True}}}), "store_slow"),
        (report(Role.RECORDER, {"journal_problem": "cannot sync"}), "journal_failing"),
        (report(Role.BOOKKEEPER, {"index_problem": "locked"}), "index_failing"),
        (report(Role.BOOKKEEPER, {"retention": {"stuck_by_holds": True}}), "recording_held"),
        (report(Role.BOOKKEEPER, {"retention": {"problem": "the vault cannot be read"}}), "retention_failing"),
        (report(Role.ANALYST, {}, DEATHS_IN_A_ROW), "process_failing"),
        (report(Role.RECORDER, {}, silent_s=SILENT_S + 1), "process_silent"),
    ],
    ids=lambda part: part if isinstance(part, str) else "",
)
def test_what_an_operator_must_act_on_is_an_alarm(reported: ChildReport, kind: str) -> None:
    (condition,) = find_conditions([reported])
    assert (condition.kind, condition.severity, condition.patience_s) == (kind, Severity.ALARM, 0.0)


def test_a_lost_camera_is_a_warning_of_its_own() -> None:
    cameras = {name: {"cause": "camera_unreachable", "problem": "no route"} for name in ("gate", "park")} | {"plaza": {"cause": ""}}
    found = list(find_conditions([report(Role.RECORDER, {"cameras": cameras})]))
    assert [(condition.kind, condition.camera) for condition in found] == [("camera_lost", "gate"), ("camera_lost", "park")]


@pytest.mark.parametrize(("off_s", "is_told"), [(None, False), (4.0, False), (-4.0, False), (7.5, True), (-3600.0, True)])
def test_a_clock_that_is_off_is_told(off_s: float | None, is_told: bool) -> None:
    status = {"cameras": {"gate": {"clock_off_s": off_s}}}
    found = list(find_conditions([ChildReport("recorder-1", Role.RECORDER, status, 0, "")]))
    assert [(condition.kind, condition.camera) for condition in found] == ([("clock_off", "gate")] if is_told else [])


def test_a_healthy_node_has_nothing_to_tell() -> None:
    healthy = [
        report(Role.RECORDER, {"cameras": {"gate": {"cause": "", "problem": ""}}, "journal_problem": ""}),
        report(Role.ANALYST, {"cameras": {"gate": {}}}, DEATHS_IN_A_ROW - 1),
        report(Role.BOOKKEEPER, {"retention": {"stuck_by_holds": False, "problem": ""}}),
        report(Role.BOOKKEEPER, {}),
    ]
    assert list(find_conditions(healthy)) == []


def test_a_carrier_that_does_not_deliver_is_an_alarm_of_its_own_after_a_minute() -> None:
    carriers = {"hook": {"failing_s": 3.0, "problem": "status 500"}, "mail": {"failing_s": 9.0, "problem": "x"}, "fine": {"failing_s": 0.0}}
    found = list(find_conditions([report(Role.NOTIFIER, {"carriers": carriers})]))
    assert [(one.kind, one.severity, one.carrier, one.patience_s) for one in found] == [
        ("notify_failing", Severity.ALARM, "hook", 60.0),
        ("notify_failing", Severity.ALARM, "mail", 60.0),
    ]
    clock, written = ManualClock(), []
    keeper = AlarmKeeper(written.append, clock)
    keeper.update(found)
    assert written == []
    clock.advance(61)
    keeper.update(found)
    details = [json.loads(record.detail) for record in written if isinstance(record, EventOpened)]
    assert [detail["carrier"] for detail in details] == ["hook", "mail"], "so that it is not told of itself"
    keeper.update(found[:1])
    assert sum(isinstance(record, EventClosed) for record in written) == 1


def test_every_kind_that_may_be_found_is_known() -> None:
    text = (Path(alarms.__file__)).read_text()
    assert set(re.findall(r'Condition\(\s*"(\w+)"', text)) | {"journal_failing", "index_failing"} == set(NODE_TYPES)


def test_the_outbox_knows_the_event_that_a_carrier_fails() -> None:
    (found,) = find_conditions([report(Role.NOTIFIER, {"carriers": {"hook": {"failing_s": 3.0}}})])
    assert found.kind == NOTIFY_FAILING
