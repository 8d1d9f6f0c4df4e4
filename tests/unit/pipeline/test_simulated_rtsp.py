"""The simulated camera's own stream: our recorder and FFmpeg read it, over TCP and UDP, and nobody without the password."""

from __future__ import annotations

import hashlib
import re
import socket
import threading
from collections.abc import Iterator

import av
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lamppost.base.clock import ManualClock, SystemClock
from lamppost.base.errors import CameraRefused, ConfigError
from lamppost.cameras.simulated.camera import SimulatedCamera
from lamppost.ingest.rtsp.rtcp import parse_rtcp
from lamppost.ingest.street import StreetSettings
from lamppost.ingest.strip import read_frame_number
from lamppost.model.settings import CameraSettings
from lamppost.pipeline.probing import probe_stream
from lamppost.pipeline.rtp_delivery import Delivery
from lamppost.pipeline.simulated_rtsp import Shown, SimulatedRtsp
from lamppost.pipeline.street_broadcast import Filmed, StreetBroadcast, Viewer, payloads_of
from loopback import ON_LOOPBACK

_STREET = StreetSettings(people=1, vehicles=0, width_px=640, height_px=180, fps=15)
_SUB = StreetSettings(people=1, vehicles=0, width_px=480, height_px=180, fps=5)
_PATHS = (
    "/Streaming/Channels/101?transportmode=unicast&profile=Profile_1",
    "/Streaming/Channels/102?transportmode=unicast&profile=Profile_2",
)


@pytest.fixture
def camera() -> SimulatedCamera:
    return SimulatedCamera("hikvision")


@pytest.fixture
def server(camera: SimulatedCamera) -> Iterator[SimulatedRtsp]:
    clock = SystemClock()
    shown = Shown(_PATHS, [StreetBroadcast(one, clock) for one in (_STREET, _SUB)], has_metadata=True)
    server = SimulatedRtsp(shown, camera.gate, clock, device_us=camera.device_us, address="127.0.0.1", port=0)
    yield server
    server.close()
    assert not [thread.name for thread in threading.enumerate() if "simulated" in thread.name]


def url(server: SimulatedRtsp, number: int = 0) -> str:
    return f"rtsp://127.0.0.1:{server.port}{_PATHS[number]}"


@pytest.mark.parametrize(("transport", "number", "size"), [("tcp", 0, (640, 180)), ("udp", 1, (480, 180))])
def test_our_recorder_reads_it_whole(
    camera: SimulatedCamera, server: SimulatedRtsp, transport: str, number: int, size: tuple[int, int]
) -> None:
    known = CameraSettings(name="cam", url=url(server, number), username=camera.username, password=camera.password, transport=transport)
    report = probe_stream(known, url(server, number), seconds=0.8, clock=SystemClock(), stop=threading.Event(), networks=ON_LOOPBACK)
    assert (report.codec, report.width_px, report.height_px, report.holes) == ("h264", *size, 0)
    assert report.frames >= 4
    assert server.metadata_setups == 0, "metadata is offered, and never set up"


def test_ffmpeg_reads_every_picture_in_order(camera: SimulatedCamera, server: SimulatedRtsp) -> None:
    place = url(server).replace("//", f"//{camera.username}:{camera.password}@", 1)
    numbers: list[int | None] = []
    with av.open(place, options={"rtsp_transport": "tcp"}, timeout=5) as container:
        for frame in container.decode(video=0):
            numbers.append(read_frame_number(frame.to_ndarray(format="gray")))
            if len(numbers) == 10:
                break
    first = numbers[0]
    assert first is not None
    assert numbers == list(range(first, first + 10))


def test_a_wrong_password_gets_nothing(camera: SimulatedCamera, server: SimulatedRtsp) -> None:
    known = CameraSettings(name="cam", url=url(server), username=camera.username, password="wrong")
    with pytest.raises(CameraRefused):
        probe_stream(known, url(server), seconds=1, clock=SystemClock(), stop=threading.Event(), networks=ON_LOOPBACK)


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        ("OPTIONS rtsp://c/ RTSP/1.0\r\nCSeq: 7\r\n\r\n", b"RTSP/1.0 200 OK\r\nCSeq: 7\r\n"),
        ("DESCRIBE rtsp://c/x RTSP/1.0\r\nCSeq: 1\r\n\r\n", b"RTSP/1.0 401 "),
        ("OPTIONS rtsp://c/ RTSP/1.0\r\nX: 7\r\n\r\n", b"RTSP/1.0 400 "),
        ("OPTIONS rtsp://c/ RTSP/2.0\r\nCSeq: 7\r\n\r\n", b"RTSP/1.0 505 "),
        (
            "OPTIONS rtsp://c/ RTSP/1.0\r\nCSeq: 7\r\nRequire: onvif-replay\r\n\r\n",
            b"RTSP/1.0 551 Option not supported\r\nCSeq: 7\r\nUnsupported: onvif-replay\r\n",
        ),
        ("TEAR rtsp://c/x RTSP/1.0\r\nCSeq: 1\r\n\r\n", b"RTSP/1.0 401 "),
        ("GET / HTTP/1.1\r\n\r\n", b""),
        ("DESCRIBE rtsp://c/x RTSP/1.0\r\nContent-Length: -1\r\n\r\n", b""),
        ("A" * 20_000, b""),
        ("$\x00\x00\x02abOPTIONS * RTSP/1.0\r\nCSeq: 2\r\n\r\n", b"RTSP/1.0 200 "),
    ],
)
def test_what_is_no_rtsp_ends_the_connection(server: SimulatedRtsp, sent: str, status: bytes) -> None:
    with socket.create_connection(("127.0.0.1", server.port), 3) as client:
        client.sendall(sent.encode())
        try:
            received = client.recv(4096)
        except ConnectionResetError:
            received = b""
        assert received[: len(status)] == status
        assert bool(received) is bool(status)


class OldReader:
    """Speaks RTSP 1.0 with the digest of RFC 2069 alone, as GStreamer and live555 do: no `qop`, no `cnonce`, MD5, the last challenge."""

    def __init__(self, server: SimulatedRtsp, camera: SimulatedCamera) -> None:
        self.camera = camera
        self.place = url(server)
        self.session = ""
        self._client = socket.create_connection(("127.0.0.1", server.port), 3)
        challenge = re.findall(r'Digest realm="([^"]+)", nonce="([^"]+)"(.*)', self.ask("DESCRIBE"))[-1]
        self._realm, self._nonce, more = challenge
        assert "qop" not in more
        assert "algorithm" not in more
        self.is_signing = True

    is_signing = False

    def ask(self, method: str, more: str = "", track: str = "") -> str:
        place = self.place + track
        lines = [f"{method} {place} RTSP/1.0", "CSeq: 1", *more.splitlines()]
        if self.session:
            lines.append(f"Session: {self.session}")
        if self.is_signing:
            secret = _md5(f"{self.camera.username}:{self._realm}:{self.camera.password}")
            answer = _md5(f"{secret}:{self._nonce}:{_md5(f'{method}:{place}')}")
            known = f'username="{self.camera.username}", realm="{self._realm}", nonce="{self._nonce}", uri="{place}"'
            lines.append(f'Authorization: Digest {known}, response="{answer}"')
        self._client.sendall("\r\n".join([*lines, "", ""]).encode())
        reply = self._client.recv(4096).decode("latin-1")
        if found := re.search(r"Session: (\w+)", reply):
            self.session = found[1]
        return reply

    def close(self) -> None:
        self._client.close()


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


@pytest.fixture(params=["hikvision", "onvif"])
def camera_of_either_kind(request: pytest.FixtureRequest) -> SimulatedCamera:
    return SimulatedCamera(request.param)


@pytest.fixture
def old_reader(camera_of_either_kind: SimulatedCamera) -> Iterator[OldReader]:
    clock = SystemClock()
    shown = Shown(_PATHS, [StreetBroadcast(one, clock) for one in (_STREET, _SUB)], has_metadata=True)
    gate = camera_of_either_kind.gate
    server = SimulatedRtsp(shown, gate, clock, device_us=camera_of_either_kind.device_us, address="127.0.0.1", port=0)
    reader = OldReader(server, camera_of_either_kind)
    yield reader
    reader.close()
    server.close()


def test_a_reader_with_the_digest_of_rtsp_itself_gets_the_video(old_reader: OldReader) -> None:
    assert "m=video" in old_reader.ask("DESCRIBE", "Accept: application/sdp")
    assert " 200 " in old_reader.ask("SETUP", "Transport: RTP/AVP/TCP;unicast;interleaved=0-1", "/trackID=0")
    assert "RTP-Info: url=" in old_reader.ask("PLAY")


def test_what_is_asked_wrongly_is_said_in_the_words_of_rtsp(old_reader: OldReader) -> None:
    assert " 406 " in old_reader.ask("DESCRIBE", "Accept: text/html")
    assert "m=video" in old_reader.ask("DESCRIBE", "Accept: text/html, application/sdp;level=1")
    assert " 461 " in old_reader.ask("SETUP", "Transport: RTP/AVP;multicast", "/trackID=0")
    assert " 405 " in old_reader.ask("PAUSE")
    assert " 501 " in old_reader.ask("DANCE")
    assert " 454 " in old_reader.ask("PLAY")


def test_a_transport_that_is_chosen_anew_takes_the_place_of_the_first(old_reader: OldReader) -> None:
    first = old_reader.ask("SETUP", "Transport: RTP/AVP;unicast;client_port=40000-40001", "/trackID=0")
    ports = re.search(r"server_port=(\d+)-(\d+)", first)
    assert ports
    assert " 200 " in old_reader.ask("SETUP", "Transport: RTP/AVP/TCP;unicast;interleaved=0-1", "/trackID=0")
    for port in ports.groups():
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
            free.bind(("127.0.0.1", int(port)))


def test_metadata_set_up_first_has_a_session(old_reader: OldReader) -> None:
    assert " 200 " in old_reader.ask("SETUP", "Transport: RTP/AVP/TCP;unicast;interleaved=2-3", "/trackID=1")
    session = old_reader.session
    assert session
    assert " 200 " in old_reader.ask("SETUP", "Transport: RTP/AVP/TCP;unicast;interleaved=0-1", "/trackID=0")
    assert old_reader.session == session


def test_its_reports_tell_the_cameras_own_clock(camera: SimulatedCamera) -> None:
    clock = ManualClock()
    broadcast = StreetBroadcast(_SUB, clock)
    reports: list[bytes] = []

    class Way:
        transport = ""

        def send(self, packets: list[bytes]) -> None:
            self.ssrc = int.from_bytes(packets[0][8:12], "big")

        def report(self, content: bytes) -> None:
            reports.append(content)

        def close(self) -> None: ...

    way = Way()
    delivery = Delivery(broadcast, way, clock, lambda: clock.wall_us() + 3_600_000_000)
    way.send(delivery._packed(Filmed(0, True, (b"abc",))))
    said = parse_rtcp(delivery._report(), way.ssrc).report
    assert said is not None
    assert said.wall_us - clock.wall_us() == pytest.approx(3_600_000_000, abs=5)
    delivery.close()
    broadcast.close()


def test_who_is_too_slow_misses_pictures_and_goes_on_with_a_keyframe() -> None:
    viewer = Viewer()
    for number in range(100):
        viewer.offer(Filmed(number, number % 15 == 0, ()))
    taken = [filmed.time_90k for filmed in iter(lambda: viewer.take(0), None)]
    assert viewer.dropped == 60
    assert taken == list(range(60, 100))


@settings(max_examples=60, deadline=None)
@given(st.binary(min_size=2, max_size=9000))
def test_a_unit_is_whole_again(unit: bytes) -> None:
    payloads = payloads_of(unit)
    assert all(len(payload) <= 1400 for payload in payloads)
    if len(payloads) == 1:
        assert payloads == [unit]
        return
    assert [payload[1] >> 6 for payload in payloads] == [2, *[0] * (len(payloads) - 2), 1]
    first = bytes((payloads[0][0] & 0xE0 | payloads[0][1] & 31,))
    assert first + b"".join(payload[2:] for payload in payloads) == unit


def test_a_port_that_is_taken_is_said_in_one_line(camera: SimulatedCamera, server: SimulatedRtsp) -> None:
    with pytest.raises(ConfigError, match=rf"^127\.0\.0\.1:{server.port} cannot be used: Address already in use — "):
        SimulatedRtsp(server.shown, camera.gate, SystemClock(), device_us=camera.device_us, address="127.0.0.1", port=server.port)
