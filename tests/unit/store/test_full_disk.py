"""A real disk that is full: what is oldest goes, what is held stays, and the index outlives having no room."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from lamppost.base.clock import ManualClock
from lamppost.base.errors import StoreError
from lamppost.model.layout import DataFolder
from lamppost.store.bookkeeping import Bookkeeper
from lamppost.store.check import check
from lamppost.store.check_report import Severity
from lamppost.store.holds import place_hold
from lamppost.store.journal import JournalWriter
from lamppost.store.reserve import RESERVE_BYTES
from lamppost.store.retaining import Retention
from lamppost.store.retention import CameraLimits, RetentionLimits
from street_books import Street, check_tools

MB = 1_000_000
NEVER = CameraLimits(10**15, 10**15, 0)


class Disk:
    """A data folder on a small file system of its own."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.folder = DataFolder(root / "data")
        self.clock = ManualClock()
        self.street: Street | None = None

    def record(self, segments: int = 1) -> None:
        """Segments of two megabytes in an epoch of their own, which is over afterwards."""
        with JournalWriter(self.folder.journal / "recorder", clock=self.clock) as journal:
            self.street = self.street or Street(self.folder, journal, self.clock, fragment_bytes=MB)
            self.street.journal = journal
            self.street.seal_epoch()
            for _ in range(segments):
                self.street.record(2)
        self.clock.advance(2000)

    def fill(self) -> None:
        """Leave not a byte free."""
        descriptor = os.open(self.root / "filler", os.O_WRONLY | os.O_CREAT)
        try:
            while True:
                os.write(descriptor, bytes(64 * 1024))
        except OSError:
            os.close(descriptor)

    def free(self) -> int:
        status = os.statvfs(self.root)
        return status.f_bavail * status.f_frsize

    def files(self) -> int:
        return len(list((self.folder.root / "sealed").rglob("*.tar")))

    def assert_sound(self) -> None:
        report = check(self.folder, clock=self.clock, tools=check_tools(self.folder, self.clock))
        problems = [finding.what for finding in report.findings if finding.severity is not Severity.NOTE]
        assert [what for what in problems if "neither recorded" not in what] == []


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", str(place)], capture_output=True, text=True, check=False)
    if mounted.returncode:
        pytest.skip(f"a small file system cannot be mounted here: {mounted.stderr.strip()}")
    yield Disk(place)
    subprocess.run(["umount", str(place)], check=True)


def test_under_pressure_room_is_made_and_no_more_than_needed(disk: Disk) -> None:
    for _ in range(8):
        disk.record(2)
    with Bookkeeper(disk.folder, disk.clock) as bookkeeper:
        bookkeeper.apply_new()
        retention = Retention(disk.folder, bookkeeper, disk.clock, RetentionLimits(NEVER, {}, 0))
        retention.run_pass()  # it has its reserve
        before, free = disk.files(), disk.free()
        limits = retention.limits = RetentionLimits(NEVER, {}, free + 5 * MB)
        for _ in range(4):
            retention.run_pass()
        assert disk.free() >= limits.keep_free_bytes - MB  # the index's own log may have grown
        assert before - disk.files() <= 4, "three of two megabytes, and one for what the index took"
        assert retention.status.problem == ""
        assert not retention.status.stuck_by_holds
    disk.assert_sound()


def test_a_disk_without_a_free_byte_is_made_less_full(disk: Disk) -> None:
    disk.record(4)
    with Bookkeeper(disk.folder, disk.clock) as bookkeeper:
        bookkeeper.apply_new()
        retention = Retention(disk.folder, bookkeeper, disk.clock, RetentionLimits(NEVER, {}, 0))
        retention.run_pass()
        reserve = disk.folder.index.with_name("reserve")
        assert reserve.stat().st_size == RESERVE_BYTES
        disk.fill()
        assert disk.free() == 0
        retention.limits = RetentionLimits(NEVER, {}, MB)
        for _ in range(4):
            retention.run_pass()
        assert disk.files() < 4
        assert disk.free() >= MB
    disk.assert_sound()


def test_a_disk_that_is_full_of_what_is_held_stops_recording_and_loses_nothing(disk: Disk) -> None:
    for _ in range(3):
        disk.record(2)
    hold = place_hold(disk.folder, "plaza", 0, disk.clock.wall_us(), "case 7", actor="t", clock=disk.clock)
    with Bookkeeper(disk.folder, disk.clock) as bookkeeper:
        retention = Retention(disk.folder, bookkeeper, disk.clock, RetentionLimits(NEVER, {}, 0))
        retention.run_pass()
        disk.fill()
        retention.limits = RetentionLimits(NEVER, {}, 6 * MB)
        for _ in range(3):
            retention.run_pass()
        assert retention.status.stuck_by_holds
        assert disk.files() == 6
        (disk.root / "filler").unlink()
        retention.run_pass()
        assert not retention.status.stuck_by_holds
        assert retention.status.problem == ""
    assert hold.hold_id
    disk.assert_sound()


def test_a_full_disk_at_start_is_told(disk: Disk) -> None:
    disk.record(1)
    disk.fill()
    with pytest.raises(StoreError, match=r"full|cannot"):
        Bookkeeper(disk.folder, disk.clock).close()
