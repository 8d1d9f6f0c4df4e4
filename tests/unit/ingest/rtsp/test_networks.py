"""RTSP connects to judged addresses alone: the ones that were judged, and none that a name leads to afterwards."""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence

import pytest

from lamppost.base.errors import CameraRefused, CameraUnreachable
from lamppost.base.names import Place, look_up
from lamppost.ingest.rtsp.stream import RtspStream
from lamppost.model.media import Codec
from lamppost.model.networks import CameraNetworks
from rtp_packets import interleaved, packets
from scripted_camera import ScriptedCamera, Viewer

MEDIA = b"".join(interleaved(packet) for packet in packets(Codec.H264, [[b"\x65" + b"\x88" * 2000 + b"\x01"]] * 4))
SECRET = "kanarie"


def leads_to(port: int, *answers: Sequence[str]) -> Callable[[str, int], list[Place]]:
    """A name server that answers differently each time."""
    left = list(answers)

    def resolve(_host: str, _port: int) -> list[Place]:
        numbers = left.pop(0) if len(left) > 1 else left[0]
        return [place for number in numbers for place in look_up(number, port)]

    return resolve


@pytest.fixture
def no_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("connect", "connect_ex", "sendto"):
        monkeypatch.setattr(socket.socket, name, lambda *_: pytest.fail("it connects"))


@pytest.mark.usefixtures("no_connection")
@pytest.mark.parametrize("scheme", ["rtsp", "rtsps"])
@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "169.254.169.254", "8.8.8.8", "0.0.0.0", "[fe80::1]", "224.1.1.1"],  # noqa: S104
)
def test_a_camera_outside_the_networks_is_refused_and_nothing_connects(viewer: Viewer, host: str, scheme: str) -> None:
    viewer.open(f"{scheme}://user:{SECRET}@{host}/x?token={SECRET}", networks=CameraNetworks())
    viewer.until(lambda: viewer.error)
    assert isinstance(viewer.error, CameraRefused)
    assert "is not connected to" in viewer.error.problem
    assert "`networks` of [devices]" in viewer.error.remedy
    assert SECRET not in str(viewer.error)


@pytest.mark.usefixtures("no_connection")
@pytest.mark.parametrize("host", ["10.20.0.5", "camera.example"])
def test_an_address_of_this_machine_is_no_cameras(viewer: Viewer, host: str) -> None:
    networks = CameraNetworks(["10.0.0.0/8"], is_own=lambda number: str(number) == "10.20.0.5")
    viewer.open(f"rtsp://{host}:8080/x", networks=networks, resolve=leads_to(8080, ["10.20.0.5"]))
    viewer.until(lambda: viewer.error)
    assert isinstance(viewer.error, CameraRefused)
    assert "this machine itself, which no network but 10.20.0.5/32 opens" in viewer.error.problem


@pytest.mark.usefixtures("no_connection")
@pytest.mark.parametrize("answer", [["127.0.0.1"], ["::1", "169.254.169.254"], ["0.0.0.0"]])  # noqa: S104
def test_a_name_that_leads_elsewhere_is_refused(viewer: Viewer, answer: list[str]) -> None:
    viewer.open("rtsp://camera.example/x", networks=CameraNetworks(), resolve=leads_to(1, answer))
    viewer.until(lambda: viewer.error)
    assert isinstance(viewer.error, CameraRefused)


@pytest.mark.usefixtures("no_connection")
@pytest.mark.parametrize("host", ["2130706433", "0x7f.1", "0177.0.0.1", "127.1", "127.0.0.1.", "camera..example", "m\u00fcller.example"])
def test_an_address_in_disguise_is_no_host(viewer: Viewer, host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: pytest.fail("asked"))
    viewer.open(f"rtsp://{host}/x")
    viewer.until(lambda: viewer.error)
    assert isinstance(viewer.error, CameraUnreachable)
    assert "no address is known" in viewer.error.problem


def test_the_address_that_was_judged_is_the_one_that_is_connected_to(viewer: Viewer) -> None:
    with ScriptedCamera(MEDIA) as camera:
        resolve = leads_to(camera.port, ["127.0.0.1"], ["127.0.0.2"])
        stream = viewer.open("rtsp://camera.example:9/x", networks=CameraNetworks(["127.0.0.1/32"]), resolve=resolve)
        viewer.until(lambda: len(viewer.got) == 4)
        assert isinstance(stream, RtspStream)
        assert stream.peer == "127.0.0.1"
        stream.close()
        assert stream.peer == ""
    assert b"rtsp://camera.example:9/x" in camera.requests[0]


def test_a_camera_that_goes_by_a_name_is_followed_to_where_the_name_leads_at_the_next_connection(viewer: Viewer) -> None:
    with ScriptedCamera(MEDIA) as camera, ScriptedCamera(MEDIA, address="127.0.0.2") as moved:
        places = [look_up("127.0.0.1", camera.port), look_up("127.0.0.2", moved.port)]
        for address in ("127.0.0.1", "127.0.0.2"):
            viewer.got.clear()
            stream = viewer.open("rtsp://camera.example/x", resolve=lambda *_: places.pop(0))
            viewer.until(lambda: len(viewer.got) == 4)
            assert isinstance(stream, RtspStream)
            assert stream.peer == address
            stream.close()
    assert places == [], "once for a connection"


def test_of_several_addresses_only_the_allowed_ones_are_tried(viewer: Viewer) -> None:
    with ScriptedCamera(MEDIA) as camera:
        resolve = leads_to(camera.port, ["169.254.169.254", "8.8.8.8", "::1", "127.0.0.3", "127.0.0.2", "127.0.0.1"])
        viewer.open("rtsp://camera.example/x", networks=CameraNetworks(["127.0.0.1/32"]), resolve=resolve)
        viewer.until(lambda: len(viewer.got) == 4)
