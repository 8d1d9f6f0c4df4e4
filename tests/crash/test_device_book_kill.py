"""Two processes write to the device book and are killed at random moments: what was acknowledged is there, whole."""

from __future__ import annotations

import json
import random
import signal
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from lamppost.base.clock import SystemClock
from lamppost.model.layout import DataFolder
from lamppost.pipeline.credentials import CredentialKeeper
from lamppost.store.device_book import DeviceBook

sys.path.insert(0, str(Path(__file__).parent))
from device_child import ANSWERS

SEED = 20261128
CHILD = Path(__file__).with_name("device_child.py")


def start(folder: DataFolder, acknowledged: Path, seed: int) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-W", "error", str(CHILD), str(folder.root), str(acknowledged), str(seed)]
    child = subprocess.Popen(command, stdout=subprocess.PIPE)
    assert child.stdout is not None
    assert child.stdout.readline() == b"ready\n"
    return child


def kill(child: subprocess.Popen[bytes]) -> None:
    child.send_signal(signal.SIGKILL)
    child.wait()
    assert child.stdout is not None
    child.stdout.close()
    assert child.returncode == -signal.SIGKILL, "it died by itself"


@pytest.mark.parametrize("rounds", [pytest.param(3), pytest.param(60, marks=[pytest.mark.long, pytest.mark.timeout(1200)])])
def test_a_kill_at_any_moment_loses_nothing_that_was_acknowledged(tmp_path: Path, rounds: int) -> None:
    dice, clock = random.Random(SEED), SystemClock()
    folder, files = DataFolder(tmp_path / "data"), (tmp_path / "one", tmp_path / "two")
    folder.root.mkdir()
    for number in range(rounds):
        children = [start(folder, file, SEED + 2 * number + place) for place, file in enumerate(files)]
        clock.wait(threading.Event(), dice.uniform(0.1, 0.4))  # the children live in real time
        for child in children:
            kill(child)
        check(folder, [json.loads(line) for file in files for line in file.read_bytes().split(b"\n")[:-1]])


def check(folder: DataFolder, said: list[dict[str, Any]]) -> None:
    with closing(sqlite3.connect(folder.devices)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
    with DeviceBook(folder) as book, CredentialKeeper(folder) as keeper:
        for row in (each for each in said if "credential" in each):
            assert keeper.password(row["credential"], "plaza") == row["password"]
        for credential in keeper.kept():
            assert keeper.password(credential.credential_id, "plaza").startswith("secret ")
        states = {row["disarm"]: row["state"] for row in said if "disarm" in row}
        for disarm_id, state in states.items():
            disarm = book.disarm(disarm_id)
            assert disarm is not None
            assert (disarm.state.value == state) or state == "failed"
        # All tell a change, so that the newest 500 stay; each is whole.
        audits = {each.audit.audit_id for each in book.audits("plaza", limit=1000)}
        for audit_id in [row["audit"] for row in said if "audit" in row][-100:]:
            assert audit_id in audits or len(audits) >= 400
        for audit_id in audits:
            kept = book.audit(audit_id)
            assert kept is not None
            assert (len(kept.audit.findings), len(kept.audit.evidence)) == (ANSWERS, ANSWERS)
        origins = [row for row in said if "revision" in row]
        assert len({row["revision"] for row in origins}) == len(origins), "no two saw the same"
        row = book.origin("plaza")
        assert row.origin.vendor == row.origin.note
        assert row.revision >= max((each["revision"] for each in origins), default=0)
    assert {path.name for path in folder.keys.iterdir() if not path.name.startswith(".")} <= {"cameras.key", "cameras.key.next"}
