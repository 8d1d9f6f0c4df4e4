"""A recorder and a bookkeeper are killed at random moments; what was acknowledged is there, and the books agree."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from lamppost.base.clock import SystemClock
from lamppost.model.books import FragmentWritten, Rendition
from lamppost.model.layout import DataFolder
from lamppost.store.bookkeeping import Bookkeeper
from lamppost.store.check import check
from lamppost.store.check_report import Severity
from lamppost.store.index import Index
from street_books import check_tools, read_record, recover

SEED = 20261123
PATIENCE_S = 60.0
CHILD = Path(__file__).with_name("store_child.py")


def _start(kind: str, folder: DataFolder, acknowledged: Path) -> subprocess.Popen[bytes]:
    path = os.pathsep.join([str(CHILD.parents[1]), *filter(None, [os.environ.get("PYTHONPATH")])])
    command = [sys.executable, "-W", "error", str(CHILD), kind, str(folder.root), str(acknowledged)]
    child = subprocess.Popen(command, env=os.environ | {"PYTHONPATH": path}, stdout=subprocess.PIPE)
    assert child.stdout is not None
    assert child.stdout.readline() == b"ready\n"
    return child


def _kill(child: subprocess.Popen[bytes]) -> None:
    child.send_signal(signal.SIGKILL)
    child.wait()
    assert child.stdout is not None
    child.stdout.close()
    assert child.returncode == -signal.SIGKILL, "it died by itself"


@pytest.mark.parametrize("rounds", [pytest.param(8), pytest.param(100, marks=[pytest.mark.long, pytest.mark.timeout(1200)])])
def test_a_kill_at_any_moment_loses_nothing_that_was_acknowledged(tmp_path: Path, rounds: int) -> None:
    dice = random.Random(SEED)
    folder, acknowledged, clock = DataFolder(tmp_path / "data"), tmp_path / "acknowledged", SystemClock()
    bookkeeper = _start("bookkeeper", folder, acknowledged)
    for _ in range(rounds):
        before = _lines(acknowledged)
        recorder = _start("recorder", folder, acknowledged)
        # Some fragments later, however slow the machine is, and a piece of a moment more.
        _await_lines(acknowledged, before + dice.randrange(20), clock)
        clock.wait(threading.Event(), dice.uniform(0.0, 0.02))  # the child lives in real time
        if dice.random() < 0.5:
            _kill(bookkeeper)
            bookkeeper = _start("bookkeeper", folder, acknowledged)
        _kill(recorder)
    _kill(bookkeeper)
    recover(folder, "recorder", clock)
    with Bookkeeper(folder, clock) as books:
        books.apply_new()
    report = check(folder, clock=clock, tools=check_tools(folder, clock))
    assert [finding for finding in report.findings if finding.severity is not Severity.NOTE] == []
    assert report.counts.open_segments == 0
    (account,) = report.accounts
    assert account.unexplained_us == 0
    _assert_all_there(folder, acknowledged)


def _lines(path: Path) -> int:
    return path.read_bytes().count(b"\n") if path.exists() else 0


def _await_lines(path: Path, goal: int, clock: SystemClock) -> None:
    deadline_s = clock.monotonic_s() + PATIENCE_S
    while _lines(path) < goal:
        assert clock.monotonic_s() < deadline_s, "the recorder stands still"
        clock.wait(threading.Event(), 0.002)


def _assert_all_there(folder: DataFolder, acknowledged: Path) -> None:
    """Every fragment that the recorder was told is safe stands in a record, once, and in the index's totals."""
    # The last line may be cut: it was being written.
    wanted = {tuple(line.split()) for line in acknowledged.read_text().split("\n")[:-1]}
    assert len(wanted) > 20
    kept: list[FragmentWritten] = []
    with Index(folder) as index:
        rows = index.segments("plaza", Rendition.SEALED)
    for row in rows:
        record = read_record((folder.root / row.path).with_suffix(".record").read_bytes())
        assert (row.fragments, row.frames) == (len(record.fragments), sum(part.frames for part in record.fragments))
        kept += record.fragments
    names = [(part.segment_id, str(part.offset), part.sha256) for part in kept]
    assert len(set(names)) == len(names)
    assert wanted <= set(names)
