"""Who works on a device is alone with it, and who comes meanwhile is told what is done there, by whom and since when."""

from __future__ import annotations

import os
import threading
from contextlib import ExitStack
from pathlib import Path

import pytest

from lamppost.base.clock import ManualClock
from lamppost.base.errors import DeviceBusy, StoreError
from lamppost.model.layout import DataFolder
from lamppost.store.device_locks import PATIENCE_S, DeviceLocks, DeviceWork


@pytest.fixture
def folder(tmp_path: Path) -> DataFolder:
    return DataFolder(tmp_path)


def test_who_comes_second_is_told_who_is_there(folder: DataFolder) -> None:
    clock = ManualClock()
    first, second = DeviceLocks(folder, clock, "the caretaker"), DeviceLocks(folder, clock, "a command")
    with first.hold("gate", DeviceWork.AUDIT):
        with pytest.raises(DeviceBusy) as caught, second.hold("gate", DeviceWork.PASSWORD):
            pytest.fail("two are at it")
        assert caught.value.problem == "the device of gate is being audited by the caretaker since 2023-11-14T22:13:20.000Z"
        assert clock.monotonic_s() == pytest.approx(PATIENCE_S, abs=1), "it has waited for a while"
        with (
            second.hold("square", DeviceWork.DISARM),
            pytest.raises(DeviceBusy, match="disarmed by a command"),
            first.hold("square", DeviceWork.AUDIT),
        ):
            pytest.fail("two are at it")
    with second.hold("gate", DeviceWork.PASSWORD):
        pass


def test_who_has_patience_comes_in_when_the_other_is_through(folder: DataFolder) -> None:
    locks, stack = DeviceLocks(folder, ManualClock(), "a test"), ExitStack()

    class LettingGo(ManualClock):
        def wait(self, stop: threading.Event, timeout_s: float) -> bool:
            stack.close()
            return super().wait(stop, timeout_s)

    stack.enter_context(locks.hold("gate", DeviceWork.AUDIT))
    stack.enter_context(DeviceLocks(folder, LettingGo(), "another").hold("gate", DeviceWork.DISARM))
    with pytest.raises(DeviceBusy, match="disarmed by another"), locks.hold("gate", DeviceWork.AUDIT, patience_s=0):
        pytest.fail("two are at it")
    stack.close()


def test_what_went_wrong_inside_lets_the_next_in(folder: DataFolder) -> None:
    locks = DeviceLocks(folder, ManualClock(), "a test")
    with pytest.raises(ZeroDivisionError), locks.hold("gate", DeviceWork.AUDIT):
        raise ZeroDivisionError
    with locks.hold("gate", DeviceWork.AUDIT, patience_s=0):
        pass


@pytest.mark.parametrize("left", [b"", b"\0\0", b"[]", b'{"work": "audited"}', b'{"work": 1, "by": "x", "since_us": 1e30}', b"9" * 5000])
def test_a_note_that_says_nothing_is_no_trouble(folder: DataFolder, left: bytes) -> None:
    locks = DeviceLocks(folder, ManualClock(), "a test")
    with locks.hold("gate", DeviceWork.AUDIT):
        folder.device_lock("gate").write_bytes(left)
        with pytest.raises(DeviceBusy, match="is being worked on by somebody else"), locks.hold("gate", DeviceWork.AUDIT, patience_s=0):
            pytest.fail("two are at it")


def test_the_files_are_their_owners_alone_and_small(folder: DataFolder) -> None:
    with DeviceLocks(folder, ManualClock(), "a test").hold("gate", DeviceWork.AUDIT):
        path = folder.device_lock("gate")
        assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    assert path.read_bytes() == b""


def test_a_folder_that_takes_no_file_is_told_in_one_line(folder: DataFolder) -> None:
    folder.device_lock("gate").mkdir(parents=True)
    open_before = len(os.listdir("/proc/self/fd"))
    with (
        pytest.raises(StoreError, match="cannot open the lock"),
        DeviceLocks(folder, ManualClock(), "a test").hold("gate", DeviceWork.AUDIT),
    ):
        pytest.fail("it was not opened")
    assert len(os.listdir("/proc/self/fd")) == open_before
