"""Replies recorded from real cameras are taken as they are: their SDP opens, their refusals are named."""

from __future__ import annotations

import base64
import re
import socket
import struct
import threading
from pathlib import Path

import pytest

from lamppost.base.clock import SystemClock
from lamppost.base.errors import CameraRefused
from lamppost.ingest.session import open_session
from lamppost.model.media import Codec, Packet, RunStarted
from loopback import ON_LOOPBACK


def reply(text: bytes, request: bytes) -> bytes:
    """A recorded reply with the request's sequence number, and line ends as on the wire."""
    number = re.search(rb"CSeq: *(\d+)", request)
    assert number is not None
    text = text.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    return re.sub(rb"CSeq: *\d+ *", b"CSeq: " + number[1], text, count=1)


def with_length(text: bytes) -> bytes:
    head, _, body = text.replace(b"\r\n", b"\n").partition(b"\n\n")
    size = len(body.replace(b"\n", b"\r\n"))
    return re.sub(rb"Content-Length: *\d+", b"Content-Length: %d" % size, head) + b"\n\n" + body


def answer(folder: Path, camera: str, describe: str, request: bytes) -> bytes:
    method = request.split(b" ", 1)[0]
    if method == b"DESCRIBE":
        return reply(with_length((folder / describe).read_bytes()), request)
    if method == b"SETUP":
        return reply((folder / f"{camera}_setup.txt").read_bytes(), request)
    if method == b"PLAY":
        return reply((folder / f"{camera}_play.txt").read_bytes(), request)
    return reply(b"RTSP/1.0 200 OK\nCSeq: 0\nPublic: OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN\n\n", request)


def packets_of(units: list[bytes]) -> bytes:
    """Each unit as one RTP packet of its own picture, interleaved on channel 0."""
    rtp = [struct.pack(">BBHII", 0x80, 0x80 | 98, index, 90_000 + index * 7500, 1) + unit for index, unit in enumerate(units)]
    return b"".join(b"$\0" + struct.pack(">H", len(packet)) + packet for packet in rtp)


def serve_recorded(folder: Path, camera: str, describe: str, media: bytes) -> socket.socket:
    server = socket.create_server(("127.0.0.1", 0))

    def talk() -> None:
        try:
            connection, _ = server.accept()
            with connection:
                while request := connection.recv(4096):
                    connection.sendall(answer(folder, camera, describe, request))
                    if request.startswith(b"PLAY"):
                        connection.sendall(media)
        except OSError:
            return

    threading.Thread(target=talk, daemon=True).start()
    return server


def test_parameter_sets_told_by_the_sdp_alone_start_a_run(shared_data: Path, stop: threading.Event) -> None:
    folder = shared_data / "rtsp"
    describe = "dahua_describe_h265_pcma.txt"
    sets = re.findall(rb"sprop-\w+=([^;\s]+)", (folder / describe).read_bytes())
    media = packets_of(
        [bytes([0x26, 1, 0xC0, 0x80, index + 1]) if index == 0 else bytes([2, 1, 0xC0, 0x80, index + 1]) for index in range(12)]
    )
    with serve_recorded(folder, "dahua", describe, media) as server:
        url = f"rtsp://127.0.0.1:{server.getsockname()[1]}/x"
        with open_session(url, clock=SystemClock(), stop=stop, networks=ON_LOOPBACK, timeout_s=3.0) as session:
            items = session.items()
            started, first, second = next(items), next(items), next(items)
    assert session.codec is Codec.HEVC
    assert isinstance(started, RunStarted)
    assert (started.parameters.width_px, started.parameters.height_px) == (704, 480)
    assert isinstance(first, Packet)
    assert isinstance(second, Packet)
    assert all(base64.b64decode(one) in first.data for one in sets)
    assert (first.pts_90k, second.pts_90k) == (0, 7500)


def test_a_recorded_refusal_is_a_refusal(shared_data: Path, stop: threading.Event) -> None:
    folder = shared_data / "rtsp"
    with serve_recorded(folder, "dahua", "longse_unauthorized.txt", b"") as server:
        url = f"rtsp://127.0.0.1:{server.getsockname()[1]}/x"
        with pytest.raises(CameraRefused):
            open_session(url, clock=SystemClock(), stop=stop, networks=ON_LOOPBACK, username="a", password="b", timeout_s=3.0)
