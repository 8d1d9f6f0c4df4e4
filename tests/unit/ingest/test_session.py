"""Opening: four kinds of addresses, clear refusals, no password anywhere, no waiting on the dead."""

from __future__ import annotations

import socket
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path

import av
import numpy as np
import pytest

from lamppost.base.clock import ManualClock, SystemClock
from lamppost.base.errors import CameraRefused, CameraUnreachable, ConfigError, LamppostError, StreamEnded, UnsupportedStream
from lamppost.ingest.locator import parse_locator
from lamppost.ingest.session import open_session
from lamppost.ingest.strip import read_frame_number
from lamppost.model.media import Codec, Packet, RunStarted, SessionItem
from loopback import ON_LOOPBACK

SECRET = "CANARY-pa:ss@w/rd"
SIM = "sim://plaza?seconds=2&width=320&height=180&people=2&vehicles=1"


def read(url: str, clock: ManualClock | None = None) -> list[SessionItem]:
    items: list[SessionItem] = []
    with open_session(url, clock=clock or ManualClock(), stop=threading.Event(), networks=ON_LOOPBACK) as session:
        stream = session.items()
        while True:
            try:
                items.append(next(stream))
            except StreamEnded:
                return items


@pytest.fixture
def peer() -> Iterator[Callable[[bytes | None], int]]:
    """Listen on loopback: answer each request with the given bytes, or with silence."""
    sockets: list[socket.socket] = []

    def listen(answer: bytes | None) -> int:
        server = socket.create_server(("127.0.0.1", 0))
        sockets.append(server)

        def talk() -> None:
            try:
                while True:
                    connection, _ = server.accept()
                    sockets.append(connection)
                    while answer is not None and connection.recv(4096):
                        connection.sendall(answer)
            except OSError:
                return

        threading.Thread(target=talk, daemon=True).start()
        return int(server.getsockname()[1])

    yield listen
    for one in sockets:
        one.close()


def refusal(url: str, **options: object) -> LamppostError:
    with pytest.raises(LamppostError) as caught:
        open_session(url, clock=SystemClock(), stop=threading.Event(), networks=ON_LOOPBACK, timeout_s=1.0, **options)  # type: ignore[arg-type]
    return caught.value


def test_no_error_tells_the_password(peer: Callable[[bytes | None], int], capfd: pytest.CaptureFixture[str]) -> None:
    answers = [
        f"RTSP/1.0 {line}\r\nCSeq: 1\r\n\r\n".encode() for line in ("401 Unauthorized", "403 Forbidden", "404 Not Found", "503 Busy")
    ]
    ports = [peer(answer) for answer in [*answers, b"SSH-2.0-OpenSSH\r\n", None]]
    places = [*(f"127.0.0.1:{port}" for port in ports), "127.0.0.1:1", "camera.invalid", "127.0.0.1:99999"]
    login = "lamp:CANARY-pa%3Ass%40w%2Frd@"
    errors = [refusal(f"rtsp://{login}{place}/x") for place in places]
    errors += [refusal(f"rtsp://{place}/x", username="lamp", password=SECRET) for place in places]
    errors += [refusal(f"rtsps://{login}127.0.0.1:{ports[0]}/x"), refusal(f"http://{login}host/x"), refusal(f"rtsp://{login}[::bad/x")]
    shown = "".join(f"{error}{error!r}{error.remedy}{''.join(traceback.format_exception(error))}" for error in errors)
    shown += "".join(repr((error.__cause__, error.__context__)) for error in errors) + "".join(capfd.readouterr())
    assert "CANARY" not in shown
    assert all(error.remedy for error in errors)


def test_what_is_shown_holds_no_password_that_stands_in_the_path() -> None:
    for tail in ("user=admin_password=CANARY_channel=1.sdp?real", "live?user=a&password=CANARY&x=1", "s?Auth=CANARY"):
        assert "CANARY" not in parse_locator(f"rtsp://192.0.2.1/{tail}").shown


@pytest.mark.parametrize("line", ["401 Unauthorized", "403 Forbidden"])
def test_a_refusal_is_told_apart(peer: Callable[[bytes | None], int], line: str) -> None:
    port = peer(f"RTSP/1.0 {line}\r\nCSeq: 1\r\n\r\n".encode())
    assert isinstance(refusal(f"rtsp://127.0.0.1:{port}/x", username="a", password="b"), CameraRefused)


def test_a_mute_peer_is_given_up_in_time(peer: Callable[[bytes | None], int]) -> None:
    port = peer(None)
    started_s = time.monotonic()
    error = refusal(f"rtsp://127.0.0.1:{port}/x")
    assert isinstance(error, CameraUnreachable)
    assert "silent" in error.problem
    assert time.monotonic() - started_s < 3


@pytest.mark.parametrize(
    "url", ["http://host/x", "concat:a|b", "sim://forest", "sim://plaza?sed=1", "sim://plaza?fps=0", "rtsp://", "file:", "file:a%00b"]
)
def test_other_addresses_are_refused(url: str) -> None:
    assert isinstance(refusal(url), ConfigError)


def test_files_that_are_none(tmp_path: Path) -> None:
    assert isinstance(refusal(str(tmp_path / "absent.mp4")), CameraUnreachable)


def test_a_playlist_opens_no_other_file(clip: Path, tmp_path: Path) -> None:
    playlist = tmp_path / "list.txt"
    playlist.write_text(f"ffconcat version 1.0\nfile {clip.name}\n")
    # FFmpeg itself would play it.
    with av.open(str(playlist), format="concat") as container:
        assert container.streams.video
    assert isinstance(refusal(f"file:{playlist}"), UnsupportedStream)


def test_another_codec_is_named(tmp_path: Path) -> None:
    clip = tmp_path / "old.avi"
    with av.open(str(clip), "w") as out:
        stream = out.add_stream("mpeg4", rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 64, "yuv420p"
        frame = av.VideoFrame.from_ndarray(np.zeros((96, 64), np.uint8), format="yuv420p")
        out.mux([*stream.encode(frame), *stream.encode(None)])
    error = refusal(f"file:{clip}")
    assert isinstance(error, UnsupportedStream)
    assert "mpeg4" in error.problem


@pytest.mark.parametrize("codec", list(Codec))
def test_the_street_loses_no_picture(codec: Codec) -> None:
    items = read(f"{SIM}&codec={codec}")
    assert isinstance(items[0], RunStarted)
    assert (items[0].parameters.width_px, items[0].parameters.height_px) == (320, 180)
    packets = [item for item in items if isinstance(item, Packet)]
    decoder = av.CodecContext.create(str(codec), "r")
    frames = [frame for packet in packets for frame in decoder.decode(av.Packet(packet.data))]
    frames += decoder.decode(None)
    assert [read_frame_number(frame.to_ndarray(format="gray")) for frame in frames] == list(range(30))
    assert [packet.is_keyframe for packet in packets] == [index % 15 == 0 for index in range(30)]


def test_the_street_is_filmed_in_real_time() -> None:
    clock = ManualClock()
    read(SIM, clock)
    assert clock.monotonic_s() == pytest.approx(29 / 15)


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    path = tmp_path / "street.h264"
    path.write_bytes(b"".join(item.data for item in read(SIM) if isinstance(item, Packet)))
    return path


def test_a_raw_file_plays_to_its_end(clip: Path) -> None:
    assert sum(isinstance(item, Packet) for item in read(str(clip))) == 30


def test_a_looped_file_starts_a_run_each_time(clip: Path) -> None:
    stop = threading.Event()
    starts = packets = 0
    with open_session(f"file:{clip}?loop=1&pace=0", clock=ManualClock(), stop=stop, networks=ON_LOOPBACK) as session:
        for item in session.items():
            starts += isinstance(item, RunStarted)
            packets += isinstance(item, Packet)
            if starts == 3:
                stop.set()
    assert 60 <= packets <= 61
