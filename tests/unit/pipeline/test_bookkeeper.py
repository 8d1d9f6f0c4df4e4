"""The bookkeeper's process: journals before everything, new settings at the next pass, and no trouble that ends it."""

from __future__ import annotations

import json
import socket
import sqlite3
import threading
from pathlib import Path

import pytest

from lamppost.base.clock import ManualClock
from lamppost.model.layout import DataFolder
from lamppost.model.settings import CameraSettings, RetentionSettings, SealingSettings, Settings
from lamppost.pipeline.bookkeeper import PASS_INTERVAL_S, Keeping, SettingsDesk
from lamppost.pipeline.child import ChildContext, settings_message
from lamppost.pipeline.control import ControlChannel, Message
from lamppost.store import index_file
from lamppost.store.bookkeeping import Bookkeeper
from lamppost.store.index import Index
from lamppost.store.journal import JournalWriter
from lamppost.store.retaining import Retention
from lamppost.store.retention import RetentionLimits
from street_books import Street

RECIPIENTS = (
    "age1dlyrzmflglgun8wg27pw0jrcuk55tjgyg3ccg0p6sp59evhvrveq78aury",
    "age1cy8su7y90zyy3r9ryryr8txk5vw0xe05m5ka88vtn7xu508fsazs9s5vlk",
)


def settings(root: Path, **retention: float) -> Settings:
    sealing = SealingSettings(custodians=RECIPIENTS, threshold=2)
    camera = CameraSettings(name="gate", url="rtsp://192.0.2.1/", username="u", password="hunter2")
    return Settings(data=root, sealing=sealing, retention=RetentionSettings(**retention), camera=(camera,))


class Desk:
    """A bookkeeper's loop on a clock that stands still, and the supervisor's end of its line."""

    def __init__(self, root: Path) -> None:
        self.folder = DataFolder(root)
        self.clock = ManualClock()
        self.near, self.far = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.desk = SettingsDesk()
        configured = settings(root, sealed_days=30, masked_days=30, keep_free_gb=0)
        context = ChildContext("bookkeeper", configured, self.folder, self.clock, threading.Event(), ControlChannel(self.near))
        self.bookkeeper = Bookkeeper(self.folder, self.clock)
        self.retention = Retention(self.folder, self.bookkeeper, self.clock, RetentionLimits.of(configured), free_bytes=lambda _: 7_000_000)
        self.keeping = Keeping(context, self.bookkeeper, self.retention, self.desk)

    def record(self, segments: int = 1) -> None:
        with JournalWriter(self.folder.journal / "recorder", clock=self.clock) as journal:
            street = Street(self.folder, journal, self.clock)
            for _ in range(segments):
                street.record(2)

    def turns(self, seconds: float) -> None:
        for _ in range(round(seconds / 0.5)):
            self.keeping.turn()
            self.clock.advance(0.5)

    def status(self) -> dict[str, object]:
        """The newest report; those before it are read too."""
        self.far.setblocking(False)
        newest: bytes = b""
        while True:
            try:
                newest = self.far.recv(1 << 20)
            except BlockingIOError:
                return dict(json.loads(newest)["retention"]) | {"books": json.loads(newest)["index_problem"]}

    def files(self) -> int:
        return len(list((self.folder.root / "sealed").rglob("*.tar")))

    def close(self) -> None:
        self.bookkeeper.close()
        self.near.close()
        self.far.close()


@pytest.fixture
def desk(tmp_path: Path):
    made = Desk(tmp_path / "data")
    yield made
    made.close()


def test_retention_is_reported_every_half_second(desk: Desk) -> None:
    desk.turns(2)
    desk.far.setblocking(False)
    for _ in range(4):
        report = json.loads(desk.far.recv(1 << 20))
        assert report["retention"] == {
            "forgotten_segments": 0, "forgotten_bytes": 0, "free_bytes": 7_000_000, "held_bytes": 0, "stuck_by_holds": False, "problem": "",
        }  # fmt: skip
    with pytest.raises(BlockingIOError):
        desk.far.recv(1 << 20)


def test_new_settings_hold_from_the_next_pass(desk: Desk, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    desk.record(2)
    desk.clock.advance(7200)
    desk.turns(PASS_INTERVAL_S + 1)
    assert desk.files() == 2
    bad = settings_message(settings(tmp_path)) | {"retention": {"sealed_days": "hunter2"}}
    desk.desk.take_message(Message({"order": "settings", "settings": bad}))
    desk.desk.take_message(Message({"order": "feed", "camera": "gate"}))
    desk.turns(PASS_INTERVAL_S + 1)
    assert desk.files() == 2
    said = "".join(capsys.readouterr())
    assert "change nothing" in said
    assert "hunter2" not in said
    good = settings(tmp_path, sealed_days=0.001, masked_days=30, keep_free_gb=0)
    desk.desk.take_message(Message({"order": "settings", "settings": settings_message(good)}))
    desk.turns(PASS_INTERVAL_S + 1)
    assert desk.files() == 0
    assert desk.status()["forgotten_segments"] == 2


def test_a_locked_index_is_told_once_and_waited_for(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    desk.record()
    with desk.bookkeeper.transactions.write() as connection:
        connection.exec_driver_sql("PRAGMA busy_timeout = 0")
    locking = sqlite3.connect(desk.folder.index, isolation_level=None)
    locking.execute("BEGIN IMMEDIATE")
    desk.turns(2)
    assert "locked" in str(desk.status()["books"])
    assert "".join(capsys.readouterr()).count("the index cannot be written") == 1
    locking.execute("ROLLBACK")
    locking.close()
    desk.turns(1)
    assert desk.status()["books"] == ""
    with Index(desk.folder) as index:
        assert len(index.segments()) == 1
    assert index_file.BUSY_TIMEOUT_S <= 5, "an alarm within ten seconds"


def test_when_told_to_stop_the_last_records_are_applied(desk: Desk) -> None:
    desk.record()
    desk.keeping._context.stop.set()
    desk.keeping.run()
    with Index(desk.folder) as index:
        assert len(index.segments()) == 1
