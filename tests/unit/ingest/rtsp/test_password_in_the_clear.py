"""A camera that has taken a digest, or may not have it, never gets the password itself; all bytes are looked at."""

from __future__ import annotations

import base64
from collections.abc import Callable
from pathlib import Path

import pytest

from lamppost.base.digest import InTheClear
from lamppost.base.errors import CameraRefused
from lamppost.model.media import Codec
from rtp_packets import interleaved, packets
from scripted_camera import SDP, ScriptedCamera, Viewer, reply
from self_signed import Certificate

MEDIA = b"".join(interleaved(packet) for packet in packets(Codec.H264, [[b"\x65" + b"\x88" * 2000 + b"\x01"]] * 4))
USER, PASSWORD = "lamp", "kanarienvogel-geheim-1"
BASIC = reply("401 Unauthorized", b'WWW-Authenticate: Basic realm="cam"\r\n')
DIGEST = reply("401 Unauthorized", b'WWW-Authenticate: Digest realm="cam", nonce="n1"\r\n')
DESCRIBED = reply(headers=b"Content-Type: application/sdp\r\n", body=SDP)


def asks_for(challenge: bytes, word: bytes) -> Callable[[ScriptedCamera, bytes], bytes]:
    """Describes itself to who signs in like that."""
    return lambda _camera, request: DESCRIBED if b"Authorization: " + word in request else challenge


def holds_the_password(camera: ScriptedCamera) -> bool:
    heard = b"".join(camera.requests)
    return PASSWORD.encode() in heard or base64.b64encode(f"{USER}:{PASSWORD}".encode()) in heard or b"Basic" in heard


def play(viewer: Viewer, camera: ScriptedCamera, clear: InTheClear | None, scheme: str = "rtsp", **more: object) -> None:
    viewer.open(f"{scheme}://127.0.0.1:{camera.port}/main", username=USER, password=PASSWORD, clear=clear, **more)
    viewer.until(lambda: viewer.error or len(viewer.got) == 4)
    assert viewer.stream is not None
    viewer.stream.close()


def refused(viewer: Viewer, camera: ScriptedCamera, clear: InTheClear, why: str) -> None:
    play(viewer, camera, clear)
    assert isinstance(viewer.error, CameraRefused)
    assert "in the clear" in viewer.error.problem
    assert why in viewer.error.problem
    assert "allow_basic" in viewer.error.remedy
    assert PASSWORD not in f"{viewer.error!r}"
    assert not holds_the_password(camera)


@pytest.mark.parametrize("clear", [None, InTheClear(), InTheClear(allowed=True)])
def test_a_camera_that_always_was_basic_plays(viewer: Viewer, clear: InTheClear | None) -> None:
    with ScriptedCamera(MEDIA, DESCRIBE=asks_for(BASIC, b"Basic")) as camera:
        play(viewer, camera, clear)
    assert len(viewer.got) == 4
    assert holds_the_password(camera), "or this test sees nothing"


def test_one_that_may_not_have_it_gets_nothing(viewer: Viewer) -> None:
    with ScriptedCamera(MEDIA, DESCRIBE=BASIC) as camera:
        refused(viewer, camera, InTheClear(allowed=False), "allow_basic is false")


@pytest.mark.parametrize("method", ["OPTIONS", "DESCRIBE", "SETUP", "PLAY"])
def test_after_a_digest_nobody_gets_it_on_the_next_connection(viewer: Viewer, method: str) -> None:
    clear = InTheClear()
    with ScriptedCamera(MEDIA, DESCRIBE=asks_for(DIGEST, b"Digest")) as camera:
        play(viewer, camera, clear)
    assert len(viewer.got) == 4
    viewer.got.clear()
    with ScriptedCamera(MEDIA, **{method: BASIC}) as impostor:
        refused(viewer, impostor, clear, "took a digest before")


def test_after_a_digest_nobody_gets_it_on_the_same_connection(viewer: Viewer) -> None:
    with ScriptedCamera(MEDIA, DESCRIBE=asks_for(DIGEST, b"Digest"), SETUP=BASIC) as camera:
        refused(viewer, camera, InTheClear(), "took a digest before")


def test_a_digest_that_was_refused_says_nothing_of_the_camera(viewer: Viewer) -> None:
    clear = InTheClear()
    with ScriptedCamera(MEDIA, DESCRIBE=DIGEST) as camera:
        play(viewer, camera, clear)
    assert isinstance(viewer.error, CameraRefused)
    assert not clear.has_taken_digest


def test_who_says_that_it_may_is_heard_after_a_digest(viewer: Viewer) -> None:
    with ScriptedCamera(MEDIA, DESCRIBE=asks_for(BASIC, b"Basic")) as camera:
        play(viewer, camera, InTheClear(allowed=True, has_taken_digest=True))
    assert len(viewer.got) == 4


def test_inside_tls_nobody_can_read_it(viewer: Viewer, tmp_path: Path) -> None:
    certificate = Certificate(tmp_path)
    with ScriptedCamera(MEDIA, tls=certificate.context, DESCRIBE=asks_for(BASIC, b"Basic")) as camera:
        play(viewer, camera, InTheClear(allowed=False), "rtsps", certificate_sha256=certificate.sha256)
    assert len(viewer.got) == 4
