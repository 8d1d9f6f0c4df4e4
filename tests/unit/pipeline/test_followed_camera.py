"""Who sits where the caretaker has followed a camera to gets a digest and never the password itself; all bytes are looked at."""

from __future__ import annotations

import base64
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from discovered import HERE, free_port
from http_device import ScriptedDevice, Talk
from lamppost.base.clock import SystemClock
from lamppost.base.errors import CameraRefused
from lamppost.cameras import discovery
from lamppost.cameras.simulated.camera import SimulatedCamera
from lamppost.model.layout import DataFolder
from lamppost.model.media import Codec, GapCause
from lamppost.model.settings import CameraSettings, Settings
from lamppost.pipeline import caretaker_tools, recorder
from lamppost.pipeline.caretaker_tools import open_tools
from lamppost.pipeline.child import ChildContext
from lamppost.pipeline.configuration import load_settings
from lamppost.pipeline.control import ControlChannel
from lamppost.pipeline.device_events import EventJournal
from lamppost.pipeline.probing import probe_stream
from lamppost.pipeline.recorder import Recorder
from lamppost.store.device_book import DeviceBook
from lamppost.store.journal import JournalWriter
from rtp_packets import interleaved, packets
from scripted_camera import SDP, ScriptedCamera, Viewer, reply

USER, PASSWORD = "admin", "kanarienvogel-geheim-1"
OLD, NEW = f"{HERE}.201", f"{HERE}.202"
MEDIA = b"".join(interleaved(packet) for packet in packets(Codec.H264, [[b"\x65" + b"\x88" * 2000 + b"\x01"]] * 4))
BASIC = reply("401 Unauthorized", b'WWW-Authenticate: Basic realm="cam"\r\n')
DIGEST = reply("401 Unauthorized", b'WWW-Authenticate: Digest realm="cam", nonce="n1"\r\n')
DESCRIBED = reply(headers=b"Content-Type: application/sdp\r\n", body=SDP)


def holds_the_password(heard: bytes) -> bool:
    return PASSWORD.encode() in heard or base64.b64encode(f"{USER}:{PASSWORD}".encode()) in heard or b"Basic" in heard


def configured(folder: Path, device_port: int, rtsp_port: int) -> Path:
    config = folder / "lamppost.toml"
    config.write_text(
        f"""\
data = "{folder}/data"

[sealing]
custodians = ["age1{"q" * 58}", "age1{"p" * 58}"]
threshold = 2

[devices]
networks = ["127.0.0.0/8"]
search = ["{NEW}/32"]
interfaces = ["127.0.0.1"]

[[camera]]
name = "gate"
url = "rtsp://{OLD}:{rtsp_port}/main"
device_url = "http://{OLD}:{device_port}"
username = "{USER}"
password = "{PASSWORD}"
"""
    )
    return config


@pytest.fixture
def search_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Has the caretaker look once for the one camera of a configuration; returns what is configured then."""
    monkeypatch.setattr(discovery, "LISTEN_S", 0.1)
    monkeypatch.setattr(caretaker_tools, "search", partial(discovery.search, port=free_port()))
    open_ = ExitStack()

    def look(config: Path, known: SimulatedCamera) -> Settings:
        settings = load_settings(config)
        folder = DataFolder(settings.data)
        near, far = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        open_.callback(near.close)
        open_.callback(far.close)
        context = ChildContext("caretaker", settings, folder, SystemClock(), threading.Event(), ControlChannel(near), config)
        journal = JournalWriter(folder.journal / "caretaker", clock=context.clock)
        open_.callback(journal.close)
        tools = open_tools(context, journal, EventJournal(journal.append))
        open_.callback(tools.close)
        book = DeviceBook(folder)
        open_.callback(book.close)
        book.remember("gate", known.identity, f"http://{OLD}", 1)
        finder = tools.finder()
        finder.use(settings.camera)
        finder.search(list(finder._lost.values()))
        return load_settings(config)

    yield look
    open_.close()


def test_an_impostor_that_the_caretaker_followed_gets_nothing_from_the_video(tmp_path: Path, search_again: Any) -> None:
    """Its HTTP takes any digest and tells the right number; its RTSP wants the password itself."""
    with (
        SimulatedCamera("axis", address=NEW, password=PASSWORD) as device,
        ScriptedCamera(MEDIA, address=NEW, DESCRIBE=BASIC) as video,
    ):
        config = configured(tmp_path, device.port, video.port)
        (camera,) = search_again(config, device).camera
        assert camera.url == f"rtsp://{NEW}:{video.port}/main", "it was followed"
        assert camera.allow_basic is False
        with pytest.raises(CameraRefused) as refused:
            probe_stream(
                camera,
                camera.url,
                networks=load_settings(config).devices.camera_networks,
                seconds=1,
                clock=SystemClock(),
                stop=threading.Event(),
            )
        assert "allow_basic is false" in refused.value.problem
        assert video.methods[-1] == "DESCRIBE"
        assert not holds_the_password(b"".join(video.requests))


def test_an_impostor_whose_http_wants_the_password_itself_gets_nothing_and_is_not_followed(tmp_path: Path, search_again: Any) -> None:
    def basic(talk: Talk) -> None:
        while talk.request() is not None:
            talk.answer(401, b"", 'WWW-Authenticate: Basic realm="AXIS_B8A44F000001"')

    with ScriptedDevice(basic, address=NEW) as device:
        config = configured(tmp_path, device.port, 554)
        before = config.read_text()
        search_again(config, SimulatedCamera("axis"))
        assert config.read_text() == before
        assert device.connections >= 2, "it was found, and asked"
        heard = b"".join(f"{asked.headers}".encode() + asked.body for asked in device.asked)
        assert not holds_the_password(heard)
        assert "authorization" not in f"{[asked.headers for asked in device.asked]}"


# -- what a recorder remembers -------------------------------------------------


@pytest.fixture
def recording(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Recorder]:
    """A recorder that opens nothing by itself."""
    quiet = SimpleNamespace(start=lambda: None, stop=lambda _cause: None, feed=SimpleNamespace(offer=None), on_line_bug=None)
    monkeypatch.setattr(recorder, "CameraReception", lambda *_, **__: quiet)
    monkeypatch.setattr(Recorder, "_recording_of", lambda *_: (None, SimpleNamespace()))
    near, far = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    settings = load_settings(configured(tmp_path, 80, 554))
    context = ChildContext("recorder-1", settings, DataFolder(tmp_path), SystemClock(), threading.Event(), ControlChannel(near))
    made = Recorder(context, cast("JournalWriter", SimpleNamespace(append=None)), {}, cast("Any", SimpleNamespace(sign=None)))
    yield made
    made._threads.close()
    made._loop.close()
    near.close()
    far.close()


def plays(made: Recorder, camera: CameraSettings, video: ScriptedCamera) -> bool:
    viewer = Viewer()
    viewer.stream = made._open_stream(camera, f"rtsp://127.0.0.1:{video.port}/main", viewer.loop, viewer)
    viewer.until(lambda: viewer.error or len(viewer.got) == 4)
    viewer.close()
    return viewer.error is None


def test_a_recorder_remembers_who_took_a_digest_until_it_is_told_something_else(recording: Recorder) -> None:
    (camera,) = recording._settings.camera
    asks_for_digest = lambda _camera, request: DESCRIBED if b"Authorization: Digest" in request else DIGEST  # noqa: E731
    asks_for_basic = lambda _camera, request: DESCRIBED if b"Authorization: Basic" in request else BASIC  # noqa: E731
    recording._add(camera)
    with ScriptedCamera(MEDIA, DESCRIBE=asks_for_digest) as video:
        assert plays(recording, camera, video)
    with ScriptedCamera(MEDIA, DESCRIBE=asks_for_basic) as impostor:
        assert not plays(recording, camera, impostor)
        assert not holds_the_password(b"".join(impostor.requests))
    recording._remove("gate", GapCause.STARTING)
    recording._add(camera.model_copy(update={"allow_basic": True}))
    with ScriptedCamera(MEDIA, DESCRIBE=asks_for_basic) as video:
        assert plays(recording, camera, video)


def test_a_camera_that_always_was_basic_is_recorded_again_and_again(recording: Recorder) -> None:
    (camera,) = recording._settings.camera
    recording._add(camera)
    asks_for_basic = lambda _camera, request: DESCRIBED if b"Authorization: Basic" in request else BASIC  # noqa: E731
    for _ in range(2):
        with ScriptedCamera(MEDIA, DESCRIBE=asks_for_basic) as video:
            assert plays(recording, camera, video)
    changed = camera.model_copy(update={"allow_basic": False})
    assert not changed.is_received_as(camera), "or the recorder would not hear of it"
