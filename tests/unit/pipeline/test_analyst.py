"""An analyst takes cameras in and lets them go while it runs, and leaves the others alone."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from camera_packets import encode
from lamppost.base.clock import ManualClock, SystemClock, us_from_90k
from lamppost.base.local_sockets import connect
from lamppost.model.books import FragmentWritten, SegmentClosed, SegmentOpened
from lamppost.model.layout import DataFolder
from lamppost.model.media import Packet, RunStarted
from lamppost.model.settings import CameraSettings, SealingSettings, Settings
from lamppost.model.vision import Preset
from lamppost.model.vision_settings import MaskingSettings
from lamppost.pipeline.analyst import CameraFleet, OrderDesk, _die_with
from lamppost.pipeline.child import ChildContext, settings_message
from lamppost.pipeline.control import ControlChannel, Message
from lamppost.pipeline.feed import FeedWriter
from lamppost.pipeline.feeds import FeedDesk
from lamppost.pipeline.turning import TurnCovers
from lamppost.store.journal import JournalWriter, read_journal
from live_stream import LiveReader

RECIPIENTS = ("age1" + "q" * 58, "age1" + "p" * 58)


def make_settings(folder: Path, presets: dict[str, Preset | None], *, look_back_s: float = 0.1) -> Settings:
    cameras = tuple(CameraSettings(name=name, url="sim://plaza", preset=preset) for name, preset in presets.items())
    return Settings(
        data=folder,
        sealing=SealingSettings(custodians=RECIPIENTS, threshold=2),
        masking=MaskingSettings(preset=Preset.ALL, look_back_s=look_back_s),
        camera=cameras,
    )


class Scene:
    """A fleet of one analyst, and the recorder's and supervisor's ends of its lines."""

    def __init__(self, root: Path) -> None:
        self.folder = DataFolder(root)
        self.settings = make_settings(root, {"gate": None, "plaza": None})
        self.stop = threading.Event()
        self.ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.theirs = ControlChannel(theirs)
        context = ChildContext("analyst-1", self.settings, self.folder, SystemClock(), self.stop, ControlChannel(self.ours))
        self.feeds = FeedDesk()
        self.journal = JournalWriter(self.folder.journal / "analyst", clock=context.clock)
        self.fleet = CameraFleet(context, self.feeds, self.journal, lambda text: text + b"\n-- x\n", TurnCovers(context.clock))
        self.writers: dict[str, FeedWriter] = {}
        self.filmed: dict[str, int] = {}
        self.start_us = context.clock.wall_us()
        parameters, self.packets = encode(frames=50, gop=25)
        self.run = RunStarted(parameters)

    def feed(self, camera: str) -> None:
        if camera in self.writers:
            self.writers[camera].detach()
        near, far = socket.socketpair()
        near.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4 << 20)
        self.feeds.take_message(Message({"order": "feed", "camera": camera}, (far.detach(),)))
        writer = self.writers[camera] = FeedWriter()
        writer.offer(near)
        writer.start_run(self.run)

    def film(self, camera: str) -> None:
        """Two seconds of video, which go on where those before them ended."""
        offset_90k = self.filmed.get(camera, 0)
        for packet in self.packets:
            pts_90k = packet.pts_90k + offset_90k
            moved = Packet(packet.data, pts_90k, pts_90k, 3600, self.start_us + us_from_90k(pts_90k), packet.is_keyframe)
            self.writers[camera].send(moved)
        self.filmed[camera] = offset_90k + len(self.packets) * 3600

    def status(self) -> dict[str, Any]:
        """The newest report."""
        self.fleet.look()
        message = self.theirs.receive(5)
        assert message is not None
        cameras: dict[str, Any] = message.body["cameras"]
        return cameras

    def until(self, is_so: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        for _ in range(1000):
            status = self.status()
            if is_so(status):
                return status
            threading.Event().wait(0.01)
        raise AssertionError(status)

    def segments(self, kind: type[SegmentOpened] | type[SegmentClosed] | type[FragmentWritten]) -> list[Any]:
        paths = sorted((self.folder.journal / "analyst").glob("*.jsonl"))
        return [record for path in paths for record in read_journal(path).records if isinstance(record, kind)]

    def close(self) -> None:
        for writer in self.writers.values():
            writer.detach()
        self.stop.set()
        self.fleet.close()
        self.journal.close()
        self.ours.close()
        self.theirs.close()


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    scene = Scene(tmp_path)
    scene.fleet.adopt(scene.settings)
    yield scene
    scene.close()


def test_cameras_come_and_go_while_the_others_go_on(scene: Scene) -> None:
    scene.feed("bridge")  # before the settings that name it
    for camera in ("gate", "plaza"):
        scene.feed(camera)
        scene.film(camera)
    scene.until(lambda status: all(status[camera]["frames"] > 0 for camera in ("gate", "plaza")))
    plaza = scene.fleet._masked["plaza"]
    scene.fleet.adopt(make_settings(scene.folder.root, {"plaza": None, "bridge": None}))
    scene.film("bridge")
    status = scene.until(lambda status: status["bridge"]["frames"] > 0 and not scene.fleet._leaving)
    assert status.keys() == {"plaza", "bridge"}
    assert scene.fleet._masked["plaza"] is plaza
    closed = {record.segment_id for record in scene.segments(SegmentClosed)}
    opened = {record.camera: record.segment_id for record in scene.segments(SegmentOpened)}
    assert opened["gate"] in closed
    assert opened["plaza"] not in closed


def test_one_that_comes_back_goes_on_with_its_chain(scene: Scene) -> None:
    scene.feed("gate")
    scene.film("gate")
    scene.until(lambda status: status["gate"]["frames"] > 0)
    scene.fleet.adopt(make_settings(scene.folder.root, {"plaza": None}))
    scene.fleet.adopt(scene.settings)
    scene.until(lambda status: "gate" in status)
    scene.feed("gate")
    scene.film("gate")
    scene.until(lambda _status: len(scene.segments(SegmentOpened)) == 2)
    assert [record.sequence for record in scene.segments(SegmentOpened)] == [0, 1]


def test_another_preset_ends_the_run_and_other_settings_wait_for_the_next(scene: Scene) -> None:
    scene.feed("gate")
    scene.film("gate")
    scene.until(lambda status: status["gate"]["frames"] > 40)
    analysis = scene.fleet._masked["gate"].analysis
    began_with = analysis._run_plan
    scene.fleet.adopt(make_settings(scene.folder.root, {"gate": Preset.ALL, "plaza": None}, look_back_s=0.2))
    scene.film("gate")
    scene.until(lambda status: status["gate"]["frames"] > 90)
    assert analysis._run_plan is began_with
    scene.fleet.adopt(make_settings(scene.folder.root, {"gate": Preset.MOTION, "plaza": None}))
    scene.film("gate")
    scene.until(lambda _status: analysis._run_plan.preset is Preset.MOTION)
    scene.until(lambda _status: len(scene.segments(SegmentClosed)) == 1)


def test_the_newest_settings_alone_count_and_bad_ones_are_left_aside(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    desk = OrderDesk(FeedDesk(), TurnCovers(ManualClock()))
    assert desk.newest_settings() is None
    for presets in ({"gate": None}, {"gate": None, "plaza": None}):
        settings = settings_message(make_settings(tmp_path, dict(presets)))
        desk.take_message(Message({"order": "settings", "settings": settings}))
    newest = desk.newest_settings()
    assert newest is not None
    assert [camera.name for camera in newest.camera] == ["gate", "plaza"]
    assert desk.newest_settings() is None
    desk.take_message(Message({"order": "settings", "settings": {"camera": 3}}))
    assert desk.newest_settings() is None
    assert "left aside" in "".join(capsys.readouterr())


def test_an_analyst_dies_with_a_thread_unless_it_was_told_to_stop() -> None:
    thread = threading.Thread(target=lambda: None, name="mask-gate")
    thread.start()
    thread.join()
    stop = threading.Event()
    with pytest.raises(RuntimeError, match="mask-gate"):
        _die_with([thread], stop)
    stop.set()
    _die_with([thread], stop)


def test_who_watches_live_gets_the_pictures_is_counted_and_is_let_go_with_the_camera(scene: Scene) -> None:
    with connect(scene.folder.live_socket("gate")) as end:
        end.settimeout(20)
        scene.feed("gate")
        scene.film("gate")
        stream = LiveReader()
        while len(stream.fragments) < 40:
            stream.take(end.recv(1 << 16))
        assert [seen.wall_us for seen in stream.fragments[:2]] == [scene.start_us, scene.start_us + 40_000]
        status = scene.until(lambda status: status["gate"]["live_subscribers"] == 1)
        assert status["plaza"]["live_subscribers"] == 0
        scene.fleet.adopt(make_settings(scene.folder.root, {"plaza": None}))
        while end.recv(1 << 16):
            pass
    scene.until(lambda _status: not scene.folder.live_socket("gate").exists())
    assert scene.folder.live_socket("plaza").is_socket()
