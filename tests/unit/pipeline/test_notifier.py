"""The notifier's process: a thread for each carrier, changed while it runs, and none holds up another."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from faulty_http import Answer, FaultyServer
from lamppost.base.clock import SystemClock
from lamppost.model.books import EventOpened, Severity
from lamppost.model.carriers import NotifySettings
from lamppost.model.layout import DataFolder
from lamppost.model.settings import CameraSettings, SealingSettings, Settings
from lamppost.pipeline.child import ChildContext, settings_message
from lamppost.pipeline.control import ControlChannel
from lamppost.pipeline.notifier import PostOffice
from lamppost.store.bookkeeping import Bookkeeper
from lamppost.store.journal import JournalWriter
from lamppost.store.outbox import Router, Wish
from lamppost.store.outbox_view import OutboxTally, OutboxView

PATIENCE_S = 10.0


def wait_until(is_so: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not is_so():
        assert time.monotonic() < deadline, what
        time.sleep(0.01)


class Node:
    """A post office in this process, with a real bookkeeper that a test has apply."""

    def __init__(self, root: Path, names: tuple[str, ...]) -> None:
        self.folder, self.clock, self.root = DataFolder(root / "data"), SystemClock(), root
        (root / "secret").write_text("kanarienvogel-geheim\n")
        self.near, self.far = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.far.setblocking(False)
        self.stop = threading.Event()
        self.books = Bookkeeper(self.folder, self.clock, router=Router([Wish(name) for name in names]))
        self.journal = JournalWriter(self.folder.journal / "notifier", clock=self.clock)
        self.office: PostOffice | None = None

    def settings(self, *carriers: NotifySettings, site: str = "") -> Settings:
        sealing = SealingSettings(custodians=("age1" + "q" * 58, "age1" + "p" * 58), threshold=2)
        return Settings(data=self.folder.root, sealing=sealing, notify=carriers, site=site)

    def hook(self, name: str, server: FaultyServer, **more: Any) -> NotifySettings:
        return NotifySettings(name=name, type="webhook", url=server.url(f"/{name}"), secret_file=self.root / "secret", **more)

    def begin(self, settings: Settings) -> PostOffice:
        context = ChildContext("notifier", settings, self.folder, self.clock, self.stop, ControlChannel(self.near))
        self.office = PostOffice(context, self.journal)
        self.office.adopt(settings)
        return self.office

    def happen(self, event_id: str) -> None:
        self.books.add([EventOpened(event_id, "dwell", Severity.WARNING, None, self.clock.wall_us(), "{}")], "x/y")

    def report(self) -> dict[str, Any]:
        assert self.office is not None
        self.office.look()
        newest = b""
        while True:
            try:
                newest = self.far.recv(1 << 20)
            except BlockingIOError:
                return dict(json.loads(newest))

    def close(self) -> None:
        if self.office is not None:
            self.office.close()
        for part in (self.journal, self.books, self.near, self.far):
            part.close()


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    made = Node(tmp_path, ("one", "two"))
    yield made
    made.close()


def test_one_carrier_that_hangs_holds_up_no_other(node: Node) -> None:
    with FaultyServer(lambda request: Answer(wait_s=30 if request.path == "/one" else 0)) as server:
        node.begin(node.settings(node.hook("one", server), node.hook("two", server)))
        node.happen("a")
        wait_until(lambda: node.report()["carriers"]["two"]["delivered"] == 1, "the other delivers")
        report = node.report()["carriers"]
        assert report["one"]["delivered"] == 0
        assert set(report["one"]) == {"delivered", "failed", "buried", "failing_s", "problem", "waiting", "dead"}
        began = time.monotonic()
        node.close()
        node.office = None
        assert time.monotonic() - began < 2, "and the end waits for it no longer than a moment"


def test_carriers_come_change_and_go_while_it_runs(node: Node) -> None:
    with FaultyServer() as server:
        office = node.begin(node.settings(node.hook("one", server)))
        node.happen("a")
        wait_until(lambda: node.report()["carriers"]["one"]["delivered"] == 1, "the first")
        node.books.apply_new()
        office.adopt(node.settings(node.hook("one", server), node.hook("two", server)))
        assert node.report()["carriers"]["one"]["delivered"] == 1, "who is unchanged goes on untouched"
        wait_until(lambda: node.report()["carriers"].get("two", {}).get("delivered") == 1, "the second gets what waited for it")
        office.adopt(node.settings(node.hook("two", server), site="Old Town"))
        wait_until(
            lambda: set(node.report()["carriers"]) == {"two"} and node.report()["carriers"]["two"]["delivered"] == 0, "it begins anew"
        )
        node.happen("b")
        wait_until(lambda: node.report()["carriers"]["two"]["delivered"] == 1, "the new one")
        sites = [json.loads(request.body)["site"] for request in server.drain()]
    assert sites == [None, None, "Old Town"], "null where the site has no name, as the schema says"


def test_what_waits_is_counted(node: Node) -> None:
    with FaultyServer(lambda _: Answer(503)) as server:
        node.begin(node.settings(node.hook("one", server)))
        node.happen("a")
        node.happen("b")

        def is_counted() -> bool:
            report = node.report()["carriers"]["one"]
            return report["waiting"] == 2 and report["failed"] >= 1 and "status 503" in report["problem"]

        wait_until(is_counted, "both wait")
    with OutboxView(node.folder) as view:
        assert view.tallies()["two"].waiting == 2


def test_a_bug_in_a_thread_ends_the_process(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lamppost.pipeline.delivering.CarrierLine.run", lambda _: None)
    with FaultyServer() as server:
        office = node.begin(node.settings(node.hook("one", server)))
        wait_until(lambda: all(thread.name != "carrier-one" for thread in threading.enumerate()), "its end")
        with pytest.raises(RuntimeError, match="died of a bug: one"):
            office.look()


def test_before_there_is_an_index_it_waits(tmp_path: Path) -> None:
    node = Node(tmp_path, ("one",))
    node.books.close()
    index = node.folder.index
    index.rename(index.with_suffix(".later"))
    with FaultyServer() as server:
        node.begin(node.settings(node.hook("one", server)))
        assert node.report()["carriers"]["one"]["waiting"] == OutboxTally().waiting
        index.with_suffix(".later").rename(index)
        node.books = Bookkeeper(node.folder, node.clock, router=Router([Wish("one")]))
        node.happen("a")
        wait_until(lambda: node.report()["carriers"]["one"]["delivered"] == 1, "it finds the index")
        node.close()


def test_its_settings_reach_it_without_a_cameras_password(node: Node) -> None:
    with FaultyServer() as server:
        camera = CameraSettings(name="gate", url="rtsp://192.0.2.1/", username="op", password="hunter2")
        whole = node.settings(node.hook("one", server)).model_copy(update={"camera": (camera,)})
        message = settings_message(whole.model_copy(update={"camera": ()}))
    assert "hunter2" not in json.dumps(message)
    assert Settings.model_validate(message).notify == whole.notify
