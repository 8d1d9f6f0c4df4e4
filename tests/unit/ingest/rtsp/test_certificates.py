"""rtsps: nothing is said to a camera that nobody vouches for, and a pinned one needs no authority."""

from __future__ import annotations

import socket
import ssl
from pathlib import Path

import pytest

from lamppost.base.errors import CameraRefused, CameraUnreachable, UnsupportedStream
from lamppost.ingest.rtsp import connection
from lamppost.model.media import Codec
from rtp_packets import interleaved, packets
from scripted_camera import ScriptedCamera, Viewer
from self_signed import Certificate

MEDIA = b"".join(interleaved(packet) for packet in packets(Codec.H264, [[b"\x65" + b"\x88" * 200_000 + b"\x01"]] * 4))


@pytest.fixture
def certificate(tmp_path: Path) -> Certificate:
    return Certificate(tmp_path)


def open_secure(viewer: Viewer, camera: ScriptedCamera, pinned: str | None = None) -> None:
    viewer.open(f"rtsps://user:CANARY@127.0.0.1:{camera.port}/x", timeout_s=5.0, certificate_sha256=pinned)
    viewer.until(lambda: viewer.error or len(viewer.got) == 4)


def test_a_pinned_camera_needs_no_authority(viewer: Viewer, certificate: Certificate) -> None:
    with ScriptedCamera(MEDIA, tls=certificate.context) as camera:
        open_secure(viewer, camera, certificate.sha256.upper())
    assert viewer.error is None
    assert {len(unit.data) for unit in viewer.got} == {200_006}


def test_another_certificate_than_the_pinned_one_is_refused_unheard(viewer: Viewer, certificate: Certificate) -> None:
    with ScriptedCamera(MEDIA, tls=certificate.context) as camera:
        open_secure(viewer, camera, "ab" * 32)
    assert isinstance(viewer.error, CameraRefused)
    assert certificate.sha256 in viewer.error.problem
    assert camera.requests == []
    assert "CANARY" not in repr(viewer.error)


def test_a_certificate_that_nobody_vouches_for_is_refused_unheard(viewer: Viewer, certificate: Certificate) -> None:
    with ScriptedCamera(MEDIA, tls=certificate.context) as camera:
        open_secure(viewer, camera)
    assert isinstance(viewer.error, CameraRefused)
    assert "not vouched for" in viewer.error.problem
    assert "certificate_sha256" in viewer.error.remedy
    assert camera.requests == []


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.9"])
def test_the_systems_authorities_vouch_for_the_host(viewer: Viewer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    certificate = Certificate(tmp_path, host)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate.path))
    with ScriptedCamera(MEDIA, tls=certificate.context) as camera:
        open_secure(viewer, camera)
    if host == "127.0.0.1":
        assert len(viewer.got) == 4
    else:
        assert isinstance(viewer.error, CameraRefused)


def test_a_camera_without_tls_is_called_so(viewer: Viewer) -> None:
    with ScriptedCamera() as camera:
        viewer.open(f"rtsps://127.0.0.1:{camera.port}/x", timeout_s=1.0)
        viewer.until(lambda: viewer.error)
    assert isinstance(viewer.error, UnsupportedStream | CameraUnreachable)


def test_a_camera_that_is_gone_before_tls_begins_leaves_nothing_watched(viewer: Viewer, certificate: Certificate) -> None:
    # The descriptor is closed by whoever wraps it, and the next camera may be given its number.
    class Broken(ssl.SSLContext):
        def wrap_socket(self, sock: socket.socket, *_: object, **__: object) -> ssl.SSLSocket:
            sock.close()
            raise ConnectionResetError(104, "Connection reset by peer")

    with ScriptedCamera(MEDIA, tls=certificate.context) as camera, pytest.MonkeyPatch.context() as patch:
        patch.setattr(connection, "_context", lambda _pinned: Broken(ssl.PROTOCOL_TLS_CLIENT))
        open_secure(viewer, camera, pinned=certificate.sha256)
    assert isinstance(viewer.error, CameraUnreachable)
    assert viewer.loop._on_ready == {}
