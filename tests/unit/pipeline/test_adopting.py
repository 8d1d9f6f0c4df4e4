"""An open gap finds the process that has its camera now, and at no moment is there none, whatever is cut off where."""

from __future__ import annotations

from pathlib import Path

import pytest

from lamppost.base.clock import US_PER_S, ManualClock
from lamppost.base.errors import StoreError
from lamppost.model.books import GapOpened
from lamppost.model.layout import DataFolder
from lamppost.pipeline.adopting import adopt
from lamppost.pipeline.recovering import recover
from lamppost.store.bookkeeping import Bookkeeper
from lamppost.store.check import check
from lamppost.store.index import Index
from lamppost.store.journal import JournalWriter
from street_books import Street, check_tools, sign


class House:
    def __init__(self, root: Path) -> None:
        self.folder = DataFolder(root)
        self.clock = ManualClock()

    def record(self, writer: str, *cameras: str, seconds: int = 5) -> dict[str, int]:
        """A life of `writer` that a kill ends in the middle of each camera's segment; returns where each ends."""
        with JournalWriter(self.folder.journal / writer, clock=self.clock) as journal:
            left_open = recover(self.folder, writer, journal, sign=sign, clock=self.clock)
            streets = [Street(self.folder, journal, self.clock, camera=camera, is_real_time=True) for camera in cameras]
            for street in streets:
                street.run_id = f"run-{self.clock.wall_us()}"
                street.open_gap = left_open.get(street.camera)
                street.open()
            for _ in range(seconds):
                for street in streets:
                    street.write()  # a second passes
        self.clock.advance(7)
        return {street.camera: street.last_end_us for street in streets}

    def adopt(self, homes: dict[str, str]) -> dict[str, str]:
        return adopt(self.folder, homes, ("recorder-1", "recorder-2"), sign=sign, clock=self.clock)

    def left_open(self, writer: str) -> dict[str, GapOpened]:
        with JournalWriter(self.folder.journal / writer, clock=self.clock) as journal:
            return recover(self.folder, writer, journal, sign=sign, clock=self.clock)

    def unexplained_us(self, camera: str) -> int:
        with Bookkeeper(self.folder, self.clock) as bookkeeper:
            bookkeeper.apply_new()
        with Index(self.folder) as index:
            account = index.account(camera, self.clock.wall_us())
        assert account is not None
        assert account.gap_us + account.recorded_us == account.until_us - account.first_us
        return account.unexplained_us


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


def test_a_gap_moves_with_its_camera_and_keeps_its_beginning(house: House) -> None:
    ends_us = house.record("recorder", "gate", "plaza")
    house.adopt({"gate": "recorder-1", "plaza": "recorder-2"})
    assert house.left_open("recorder") == {}
    gate, plaza = house.left_open("recorder-1")["gate"], house.left_open("recorder-2")["plaza"]
    assert {gap.camera: gap.start_us for gap in (gate, plaza)} == ends_us
    assert gate.cause == plaza.cause == "recorder_died"
    assert house.unexplained_us("gate") == house.unexplained_us("plaza") == 0


def test_what_was_moved_away_is_declared_no_more_by_its_old_journal(house: House) -> None:
    house.record("recorder", "gate")
    house.adopt({"gate": "recorder-1"})
    house.record("recorder-1", "gate")
    house.adopt({"gate": "recorder-1"})
    assert house.left_open("recorder") == {}, "it would lie over what recorder-1 has recorded"
    assert house.unexplained_us("gate") == 0
    with Index(house.folder) as index:
        account = index.account("gate", house.clock.wall_us())
    assert account is not None
    assert account.recorded_us == 10 * US_PER_S


def test_a_camera_may_go_and_come_back(house: House) -> None:
    homes = ["recorder-1", "recorder-2", "recorder-1", "recorder-3", "recorder-1"]
    for home in homes:
        house.adopt({"gate": home})
        house.record(home, "gate")
    house.adopt({"gate": "recorder-1"})
    assert house.unexplained_us("gate") == 0
    with Index(house.folder) as index:
        account = index.account("gate", house.clock.wall_us())
    assert account is not None
    assert account.recorded_us == 25 * US_PER_S


def test_a_camera_without_a_home_keeps_its_gap_where_it_is(house: House) -> None:
    house.record("recorder-2", "gate")
    assert house.adopt({}) == {"gate": "recorder-2"}
    assert list(house.left_open("recorder-2")) == ["gate"]


def test_the_gap_of_a_camera_without_a_home_goes_where_a_recorder_runs(house: House) -> None:
    house.record("recorder-3", "gate")
    assert house.adopt({}) == {"gate": "recorder-1"}
    assert house.left_open("recorder-3") == {}
    house.record("recorder-1", "gate")
    assert house.unexplained_us("gate") == 0


@pytest.mark.parametrize("appends", range(8))
def test_cut_off_anywhere_it_goes_on(house: House, appends: int, monkeypatch: pytest.MonkeyPatch) -> None:
    house.record("recorder", "gate", "plaza")
    house.adopt({"gate": "recorder", "plaza": "recorder"})
    left = appends
    real = JournalWriter.append

    def append(self: JournalWriter, record: object) -> None:
        nonlocal left
        if left == 0:
            raise StoreError("the power is gone")
        left -= 1
        real(self, record)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(JournalWriter, "append", append)
        try:
            house.adopt({"gate": "recorder-1", "plaza": "recorder-2"})
        except StoreError:
            assert left == 0
    house.adopt({"gate": "recorder-1", "plaza": "recorder-2"})
    assert set(house.left_open("recorder-1")) == {"gate"}
    assert set(house.left_open("recorder-2")) == {"plaza"}
    house.record("recorder-1", "gate")
    house.record("recorder-2", "plaza")
    house.adopt({"gate": "recorder-1", "plaza": "recorder-2"})
    assert house.unexplained_us("gate") == house.unexplained_us("plaza") == 0
    report = check(house.folder, clock=house.clock, tools=check_tools(house.folder, house.clock))
    assert [finding for finding in report.findings if finding.severity == "error"] == []
