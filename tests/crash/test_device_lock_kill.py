"""Processes that work on one device never do so at once, and one that is killed in the middle of it lets the next in."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from lamppost.base.clock import ManualClock
from lamppost.base.errors import DeviceBusy
from lamppost.model.layout import DataFolder
from lamppost.store.device_locks import DeviceLocks, DeviceWork

CHILD = Path(__file__).with_name("lock_child.py")
SEED, CHILDREN, ROUNDS, KILLS = 20261128, 3, 60, 8


def start(folder: Path, rounds: int) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-W", "error", str(CHILD), str(folder), str(folder / "shared"), str(rounds)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def kill(child: subprocess.Popen[bytes]) -> None:
    with child:  # closes its pipes, and waits for it
        child.send_signal(signal.SIGKILL)


def read(child: subprocess.Popen[bytes]) -> bytes:
    assert child.stdout is not None
    return child.stdout.readline()


def test_who_dies_while_at_it_lets_the_next_in(tmp_path: Path) -> None:
    locks = DeviceLocks(DataFolder(tmp_path), ManualClock(), "a test")
    child = start(tmp_path, 0)
    try:
        assert (read(child), read(child)) == (b"ready\n", b"held\n")
        with pytest.raises(DeviceBusy, match="is being disarmed by a child since 20"), locks.hold("gate", DeviceWork.AUDIT):
            pytest.fail("two are at it")
    finally:
        kill(child)
    with locks.hold("gate", DeviceWork.AUDIT, patience_s=0):
        pass


def test_two_are_never_at_it_however_many_die(tmp_path: Path) -> None:
    dice = random.Random(SEED)
    children = [start(tmp_path, ROUNDS) for _ in range(CHILDREN)]
    try:
        for child in children:
            assert read(child) == b"ready\n"
        for _ in range(KILLS):
            victim = dice.randrange(CHILDREN)
            for _ in range(dice.randrange(4)):
                read(children[victim])  # it has come so far at least, and is somewhere in the next round
            kill(children[victim])
            children[victim] = start(tmp_path, ROUNDS)
        for child in children:
            _, complaint = child.communicate(timeout=200)
            assert (child.returncode, complaint) == (0, b"")
    finally:
        for child in children:
            kill(child)
