"""Holds by command: placed, listed, released; refused where they would hold nothing; waited for while a node runs."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import Result

from lamppost.base.clock import ManualClock, SystemClock
from lamppost.model.layout import DataFolder
from lamppost.store.bookkeeping import Bookkeeper
from lamppost.store.index import Index
from lamppost.store.journal import JournalWriter
from street_books import Street

Lamppost = Callable[..., Result]
INTERVAL = ("--camera", "plaza", "--from", "2023-11-14T22:00", "--to", "2023-11-14T23:00Z")


@pytest.fixture
def folder(here: Path, lamppost: Lamppost) -> DataFolder:
    assert lamppost("init", "--data", "data", "--camera", "plaza=sim://plaza").exit_code == 0
    folder, clock = DataFolder(here / "data"), ManualClock()
    with JournalWriter(folder.journal / "recorder", clock=clock) as journal:
        Street(folder, journal, clock).record()
    return folder


def test_a_hold_is_placed_listed_and_released(folder: DataFolder, lamppost: Lamppost) -> None:
    placed = lamppost("hold", "add", *INTERVAL, "--reason", "file 4711")
    assert placed.exit_code == 0, placed.output
    assert "before anything is deleted" in placed.output
    (hold,) = json.loads(lamppost("hold", "list", "--json").output)
    assert (hold["camera"], hold["from"], hold["to"]) == ("plaza", "2023-11-14T22:00:00.000Z", "2023-11-14T23:00:00.000Z")
    assert (hold["reason"], hold["released"]) == ("file 4711", None)
    assert hold["placed_by"]
    assert hold["hold_id"] in lamppost("hold", "list").output
    released = lamppost("hold", "release", hold["hold_id"])
    assert released.exit_code == 0
    assert lamppost("hold", "list").output == "Nothing is held.\n"
    assert "released" in lamppost("hold", "list", "--all").output
    assert lamppost("hold", "release", hold["hold_id"]).exit_code == 2


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("--camera", "nowhere", "--from", "2023-11-14", "--to", "2023-11-15", "--reason", "x"), "was never recorded"),
        (("--camera", "plaza", "--from", "2023-11-15", "--to", "2023-11-14", "--reason", "x"), "before it begins"),
        (("--camera", "plaza", "--from", "yesterday", "--to", "2023-11-14", "--reason", "x"), "is not a time"),
        (("--camera", "plaza", "--from", "2023-11-14", "--to", "2023-11-15", "--reason", " "), "needs a reason"),
    ],
)
def test_what_would_hold_nothing_is_refused(folder: DataFolder, lamppost: Lamppost, arguments: tuple[str, ...], complaint: str) -> None:
    refused = lamppost("hold", "add", *arguments)
    assert refused.exit_code == 2
    assert complaint in refused.stderr
    assert not (folder.journal / "hold").exists()


def test_a_running_node_is_waited_for(folder: DataFolder, lamppost: Lamppost) -> None:
    stop = threading.Event()
    bookkeeper = Bookkeeper(folder, SystemClock())

    def keep() -> None:
        while not stop.wait(0.01):
            bookkeeper.apply_new()

    thread = threading.Thread(target=keep)
    thread.start()
    try:
        placed = lamppost("hold", "add", *INTERVAL, "--reason", "file 4711", "--json")
        said = json.loads(placed.output)
        assert (said["is_running"], said["is_confirmed"]) == (True, True)
        with Index(folder) as index:
            assert [hold.hold_id for hold in index.holds()] == [said["hold_id"]]
        assert json.loads(lamppost("hold", "release", said["hold_id"], "--json").output)["is_confirmed"]
    finally:
        stop.set()
        thread.join()
        bookkeeper.close()


def test_many_commands_at_once_take_turns(folder: DataFolder, here: Path) -> None:
    command = [str(Path(sys.executable).with_name("lamppost")), "hold", "add", *INTERVAL, "--reason", "file 4711"]
    running = [subprocess.Popen(command, cwd=here, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) for _ in range(3)]
    for process in running:
        _, complaint = process.communicate(timeout=60)
        assert process.returncode == 0, complaint
    with Bookkeeper(folder, SystemClock()) as bookkeeper:
        bookkeeper.apply_new()
    with Index(folder) as index:
        assert len(index.holds()) == 3
        assert len(index.acts("hold_placed")) == 3
