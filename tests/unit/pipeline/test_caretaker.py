"""The caretaker with devices that speak: what it learns is kept, what it must not read goes nowhere, and who is exchanged is told."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lamppost.base.clock import SystemClock
from lamppost.cameras.simulated import events_service
from lamppost.cameras.simulated.camera import SimulatedCamera
from lamppost.cameras.simulated.notifications import UNWANTED, Notification
from lamppost.model.books import EventClosed, EventEnded, EventOpened
from lamppost.model.device_settings import DeviceSettings
from lamppost.model.devices import DeviceEvent, DeviceEventKind
from lamppost.model.layout import DataFolder
from lamppost.model.settings import CameraSettings, SealingSettings, Settings
from lamppost.pipeline.care_rota import CareCrew, Rota
from lamppost.pipeline.caretaker import CareOrders, Caretaker
from lamppost.pipeline.caretaker_tools import open_tools
from lamppost.pipeline.child import ChildContext, settings_message
from lamppost.pipeline.control import ControlChannel, Message
from lamppost.pipeline.device_events import EventJournal
from lamppost.store.bookkeeping import Bookkeeper
from lamppost.store.device_book import DeviceBook
from lamppost.store.journal import JournalWriter, journal_files, scan_journal

PATIENCE_S = 20.0
PASSWORD = "kanarienvogel-geheim-1"
CANARY = "kanarienvogel-gesicht"


class Scene:
    """A caretaker in this process."""

    def __init__(self, root: Path) -> None:
        self.folder, self.clock, self.stop = DataFolder(root / "data"), SystemClock(), threading.Event()
        self._near, self._far = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.journal = JournalWriter(self.folder.journal / "caretaker", clock=self.clock)
        self._context: ChildContext | None = None
        self.caretaker: Caretaker | None = None

    def settings(self, *devices: SimulatedCamera) -> Settings:
        cameras = tuple(
            CameraSettings(
                name=f"gate-{number}", url="rtsp://127.0.0.1:1/main", username="admin", password=PASSWORD, device_url=device.base
            )
            for number, device in enumerate(devices)
        )
        sealing = SealingSettings(custodians=("age1" + "q" * 58, "age1" + "p" * 58), threshold=2)
        return Settings(data=self.folder.root, sealing=sealing, camera=cameras, devices=DeviceSettings(networks=("127.0.0.0/8",)))

    def begin(self, settings: Settings) -> None:
        context = ChildContext("caretaker", settings, self.folder, self.clock, self.stop, ControlChannel(self._near))
        events = EventJournal(self.journal.append)
        self._tools = open_tools(context, self.journal, events)
        rota = Rota(self.clock)
        self.caretaker = Caretaker(settings, self._tools, rota, CareCrew(rota, threads=4), events)

    def until(self, is_so: Callable[[], bool], what: str) -> None:
        assert self.caretaker is not None
        deadline, pause = time.monotonic() + PATIENCE_S, threading.Event()
        while not is_so():
            assert time.monotonic() < deadline, f"{what}: {self.caretaker.status()}"
            self.caretaker.turn()
            pause.wait(0.01)

    def report(self, camera: str = "gate-0") -> dict[str, Any]:
        assert self.caretaker is not None
        found: dict[str, Any] = self.caretaker.status()["cameras"][camera]
        return found

    def records(self) -> list[Any]:
        return [record for path in journal_files(self.folder.journal / "caretaker") for record in scan_journal(path, 0).records]

    def close(self) -> None:
        if self.caretaker is not None:
            self.caretaker.close()
            self._tools.close()
        for part in (self.journal, self._near, self._far):
            part.close()


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    made = Scene(tmp_path)
    yield made
    made.close()


def test_it_keeps_what_devices_say_and_has_their_events_begin_and_end(scene: Scene) -> None:
    with SimulatedCamera("onvif", password=PASSWORD) as first, SimulatedCamera("hikvision", password=PASSWORD, number=7) as second:
        scene.begin(scene.settings(first, second))
        book = DeviceBook(scene.folder)
        scene.until(lambda: all(book.health(name) is not None for name in ("gate-0", "gate-1")), "both are asked")
        row, health = book.device("gate-0"), book.health("gate-1")
        assert row is not None
        assert row.identity == first.identity
        assert row.device_url == first.base
        assert len(book.profiles("gate-0")) == 2
        assert health is not None
        assert health.document["temperature_c"] == 41.5
        scene.until(lambda: len(first.requests) > 0 and scene.report()["motions"] == 0 and _listens(first), "it listens")
        first.emit(DeviceEvent(DeviceEventKind.TAMPER, True, "VideoSource_1", None))
        scene.until(lambda: scene.report()["events"] == 1, "it begins")
        first.emit(DeviceEvent(DeviceEventKind.TAMPER, False, "VideoSource_1", None))
        scene.until(lambda: any(isinstance(record, EventClosed) for record in scene.records()), "it ends")
        (opened,) = [record for record in scene.records() if isinstance(record, EventOpened)]
        assert (opened.kind, opened.camera) == ("device_tamper", "gate-0")
        assert scene.caretaker is not None
        figures = scene.caretaker.status()["figures"]
        assert (figures["devices"], figures["reachable"], figures["bugs"]) == (2, 2, 0)
        book.close()


def _listens(device: SimulatedCamera) -> bool:
    return any("PullMessages" in str(asked) for asked in device.requests)


def test_what_devices_see_of_people_is_dropped_unread_and_is_nowhere(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    # A device that does not choose, and sends everything to whoever listens.
    monkeypatch.setattr(events_service, "_topic_filter", lambda _given: lambda _topic: True)
    with SimulatedCamera("onvif", password=PASSWORD) as device:
        scene.begin(scene.settings(device))
        scene.until(lambda: _listens(device), "it listens")
        for name, notification in UNWANTED.items():
            marked = (*((key, CANARY) for key, _ in notification.data), ("Name", CANARY))
            device.emit(replace(notification, data=marked))
            device.emit(name)
        device.emit(Notification(f"tns1:RuleEngine/{CANARY}", data=(("State", "true"),)))
        device.emit(DeviceEvent(DeviceEventKind.INPUT, True, "DigitalInput_1", None))
        scene.until(lambda: scene.report()["events"] == 1, "what is let in comes in")
        assert scene.report()["dropped"] >= 2 * len(UNWANTED) + 1
    books = Bookkeeper(scene.folder, scene.clock)
    books.apply_new()
    books.close()
    scene.close()
    told = "".join(capfd.readouterr())
    kept = [path.read_bytes() for path in scene.folder.root.rglob("*") if path.is_file()]
    assert len(kept) > 3, "journal, index and device book"
    assert not any(CANARY.encode() in content for content in kept)
    assert CANARY not in told
    assert [record.kind for record in scene.records() if isinstance(record, EventOpened)] == ["device_input"]


def test_no_password_is_told_or_kept(scene: Scene, capfd: pytest.CaptureFixture[str]) -> None:
    with SimulatedCamera("dahua", password="another-one-1") as device:
        scene.begin(scene.settings(device))
        scene.until(lambda: bool(scene.report()["problem"]), "it is refused")
        assert scene.report()["is_reachable"] is True
        assert len([asked for asked in device.requests]) < 12, "and not tried over and over"
    scene.close()
    assert PASSWORD not in "".join(capfd.readouterr())
    assert not any(PASSWORD.encode() in path.read_bytes() for path in scene.folder.root.rglob("*") if path.is_file())


def test_another_device_in_its_place_is_told_and_asked_no_more(scene: Scene) -> None:
    with SimulatedCamera("onvif", password=PASSWORD) as device:
        settings = scene.settings(device)
        scene.begin(settings)
        scene.until(lambda: scene.report()["is_reachable"] is True, "it is known")
        port = device.port
    assert scene.caretaker is not None
    with SimulatedCamera("onvif", password=PASSWORD, number=2, port=port) as device:
        scene.caretaker.note_lost(frozenset({"gate-0"}))
        scene.caretaker.note_lost(frozenset())
        scene.until(lambda: bool(scene.report()["stranger"]), "it is noticed")
        assert scene.caretaker.status()["troubles"]["gate-0"][0]["kind"] == "device_exchanged"
        asked = len(device.requests)
        book = DeviceBook(scene.folder)
        known = book.device("gate-0")
        assert known is not None
        assert known.identity != device.identity
        scene.until(lambda: True, "")
        assert len(device.requests) == asked
        book.close()


def test_cameras_come_and_go_with_the_settings(scene: Scene) -> None:
    with SimulatedCamera("onvif", password=PASSWORD) as first, SimulatedCamera("onvif", password=PASSWORD, number=2) as second:
        scene.begin(scene.settings(first))
        scene.until(lambda: scene.report()["is_reachable"] is True, "the first")
        assert scene.caretaker is not None
        first.emit(DeviceEvent(DeviceEventKind.INPUT, True, "DigitalInput_1", None))
        scene.until(lambda: scene.report()["events"] == 1, "something lasts")
        both = scene.settings(first, second)
        scene.caretaker.adopt(both)
        scene.until(lambda: scene.report("gate-1")["is_reachable"] is True, "the second")
        assert scene.report()["events"] == 1, "the first was not disturbed"
        scene.caretaker.adopt(both.model_copy(update={"camera": both.camera[1:]}))
        scene.until(lambda: any(isinstance(record, EventEnded) for record in scene.records()), "what lasted ends with its camera")
        assert set(scene.caretaker.status()["cameras"]) == {"gate-1"}
        audited = [record for record in scene.records() if getattr(record, "kind", "") == "camera_audited"]
        assert all(json.loads(record.detail) == {} for record in audited)


def test_orders_are_kept_until_they_are_collected(scene: Scene) -> None:
    orders = CareOrders()
    settings = scene.settings()
    orders.take_message(Message({"order": "lost", "cameras": ["a"]}))
    orders.take_message(Message({"order": "lost", "cameras": ["b"]}))
    orders.take_message(Message({"order": "settings", "settings": settings_message(settings)}))
    orders.take_message(Message({"order": "settings", "settings": {"camera": 7}}))
    found, lost = orders.collect()
    assert found is not None
    assert found.devices == settings.devices
    assert lost == frozenset({"b"})
    assert orders.collect() == (None, None)
