"""A session from end to end against a scripted camera: what it says, what it takes, when it gives up."""

from __future__ import annotations

import re
import socket
import traceback

import pytest

from lamppost.base.errors import CameraRefused, CameraUnreachable, ConfigError, StreamEnded, UnsupportedStream
from lamppost.ingest.nal import START_CODE
from lamppost.ingest.rtsp.stream import RtspStream
from lamppost.ingest.stream import Counters
from lamppost.model.media import Codec
from rtp_packets import interleaved, packets, rtp
from scripted_camera import SDP, ScriptedCamera, Viewer, reply

NOISE = bytes(1 + (number * number >> 5) % 255 for number in range(9000))
PICTURES = [
    [b"\x67\x42\x01", b"\x68\xce\x01", b"\x65" + NOISE[:3000]],
    *([b"\x41" + NOISE[number * 1000 : number * 1000 + 2000]] for number in range(1, 6)),
]
WHOLE = [b"".join(START_CODE + unit for unit in units) for units in PICTURES]
PACKETS = packets(Codec.H264, PICTURES)
MEDIA = b"".join(interleaved(packet) for packet in PACKETS)


def url(camera: ScriptedCamera, login: str = "") -> str:
    return f"rtsp://{login}127.0.0.1:{camera.port}/live"


def error_of(viewer: Viewer, camera: ScriptedCamera, **options: object) -> str:
    viewer.open(url(camera), **options)
    viewer.until(lambda: viewer.error)
    return str(viewer.error)


def test_a_session_from_end_to_end(viewer: Viewer) -> None:
    with ScriptedCamera(MEDIA) as camera:
        stream = viewer.open(url(camera))
        viewer.until(lambda: len(viewer.got) == 6)
        viewer.until(lambda: any(request[:2] == b"$\x01" for request in camera.requests))
        stream.close()
        with camera.changed:
            assert camera.changed.wait_for(lambda: "TEARDOWN" in camera.methods, 5)
    assert viewer.calls[:2] == ["opened", "units"]
    assert "ended" not in viewer.calls
    assert viewer.facts is not None
    assert (viewer.facts.codec, viewer.facts.nominal_interval_90k, viewer.facts.origin_90k) == (Codec.H264, 3600, 0)
    assert [unit.pts_90k for unit in viewer.got] == [index * 3600 for index in range(6)]
    assert [unit.data for unit in viewer.got] == WHOLE
    assert not any(unit.is_corrupt or unit.lost_packets for unit in viewer.got)
    assert viewer.got[0].borders == (4, 11, 18)
    assert isinstance(stream, RtspStream)
    assert stream.counters == Counters(len(PACKETS), sum(len(unit.data) for unit in viewer.got))
    asked = [request for request in camera.requests if request[:1] != b"$"]
    assert [method for method in camera.methods if not method.startswith("$")] == ["OPTIONS", "DESCRIBE", "SETUP", "PLAY", "TEARDOWN"]
    # The video alone is set up, and the session's name is told from then on.
    assert b"/live/track1 " in asked[2]
    assert b"Session: 12345" in asked[3]
    report = next(request for request in camera.requests if request[:2] == b"$\x01")
    assert report[4:6] == b"\x81\xc9"


def test_media_that_comes_in_crumbs_is_whole(viewer: Viewer) -> None:
    with ScriptedCamera() as camera:
        viewer.open(url(camera))
        viewer.until(lambda: viewer.facts)
        content = interleaved(b"\x80\xc8 nonsense", 1) + MEDIA[:700] + MEDIA[700:] + interleaved(b"\0" * 65_535, 9)
        for start in range(0, len(content), 997):
            camera.send(content[start : start + 997])
            viewer.loop.step()
        viewer.until(lambda: len(viewer.got) == 6)
    assert [unit.data for unit in viewer.got] == WHOLE


def test_replies_and_requests_between_packets(viewer: Viewer) -> None:
    with ScriptedCamera() as camera:
        viewer.open(url(camera))
        viewer.until(lambda: viewer.facts)
        camera.send(MEDIA + b"SET_PARAMETER rtsp://x RTSP/1.0\r\nCSeq: 77\r\n\r\n" + reply("200 OK"))
        viewer.until(lambda: any(b"501 Not Implemented\r\nCSeq: 77" in request for request in camera.requests))
        assert len(viewer.got) == 6
        assert viewer.error is None


def test_nonsense_between_packets_is_passed_over(viewer: Viewer) -> None:
    with ScriptedCamera() as camera:
        viewer.open(url(camera))
        viewer.until(lambda: viewer.facts)
        half = MEDIA.index(interleaved(PACKETS[-2]))
        camera.send(MEDIA[:half] + b"\0\x01nonsense $\x07\x00" + MEDIA[half:])
        viewer.until(lambda: len(viewer.got) >= 5)
        camera.send(b"\xff" * 3_000_000)
        viewer.until(lambda: viewer.error)
    assert isinstance(viewer.error, UnsupportedStream)


def test_a_session_is_kept_alive(viewer: Viewer) -> None:
    with ScriptedCamera(SETUP=reply(headers=b"Session: 1 ;timeout = 1\r\nTransport: RTP/AVP/TCP;interleaved=4-5\r\n")) as camera:
        viewer.open(url(camera), timeout_s=5.0)
        viewer.until(lambda: "GET_PARAMETER" in camera.methods)
        camera.send(interleaved(PACKETS[0], 4) + interleaved(rtp(1, 0, b"\x41\x9a", marker=True), 0))
        viewer.until(lambda: camera.methods.count("GET_PARAMETER") == 2)
    assert viewer.error is None


def test_a_session_is_kept_alive_although_nobody_answers(viewer: Viewer) -> None:
    setup = reply(headers=b"Session: 1;timeout=1\r\nTransport: RTP/AVP/TCP;interleaved=0-1\r\n")
    with ScriptedCamera(MEDIA, SETUP=setup, GET_PARAMETER=b"", OPTIONS=reply(headers=b"Public: GET_PARAMETER\r\n")) as camera:
        viewer.open(url(camera), timeout_s=5.0)
        viewer.until(lambda: "GET_PARAMETER" in camera.methods)
        camera.answers["OPTIONS"] = b""
        viewer.until(lambda: camera.methods.count("OPTIONS") == 3)
    assert viewer.error is None


@pytest.mark.parametrize(
    ("method", "answer", "kind", "words"),
    [
        ("DESCRIBE", "401 Unauthorized", CameraRefused, "password"),
        ("DESCRIBE", "403 Forbidden", CameraRefused, "password"),
        ("DESCRIBE", "404 Not Found", CameraUnreachable, "(404)"),
        ("SETUP", "461 Unsupported Transport", UnsupportedStream, "461"),
        ("SETUP", "453 Not Enough Bandwidth", CameraUnreachable, "453 Not Enough Bandwidth"),
        ("PLAY", "503 Service Unavailable", CameraUnreachable, "viewers"),
    ],
)
def test_refusals_are_told_apart(viewer: Viewer, method: str, answer: str, kind: type[Exception], words: str) -> None:
    with ScriptedCamera(**{method: reply(answer)}) as camera:
        assert words in error_of(viewer, camera)
    assert isinstance(viewer.error, kind)
    assert viewer.calls == ["ended"]


@pytest.mark.parametrize("method", ["OPTIONS", "DESCRIBE", "SETUP", "PLAY"])
def test_redirects_are_not_followed(viewer: Viewer, method: str) -> None:
    with ScriptedCamera() as elsewhere:
        answer = reply("302 Moved", f"Location: rtsp://a:CANARY@127.0.0.1:{elsewhere.port}/CANARY\r\n".encode())
        with ScriptedCamera(MEDIA, **{method: answer}) as camera:
            viewer.open(url(camera, "user:CANARY@"))
            viewer.until(lambda: viewer.error or viewer.got)
        if method != "OPTIONS":
            assert isinstance(viewer.error, CameraUnreachable)
            assert "no redirect is followed" in viewer.error.problem
            assert f"at 127.0.0.1:{elsewhere.port}" in viewer.error.problem
        assert "CANARY" not in str(viewer.error)
        assert elsewhere.connections == 0


def test_a_wrong_password_is_sent_once_and_never_shown(viewer: Viewer) -> None:
    numbers = iter(range(100))

    def challenge(_camera: ScriptedCamera, _request: bytes) -> bytes:
        return reply("401 Unauthorized", f'WWW-Authenticate: Digest realm="r", nonce="{next(numbers)}"\r\n'.encode())

    with ScriptedCamera(OPTIONS=challenge, DESCRIBE=challenge) as camera:
        viewer.open(url(camera), username="lamp", password="CANARY")
        viewer.until(lambda: viewer.error)
    signed = [request for request in camera.requests if b"Authorization: Digest" in request]
    assert len(signed) == 1
    assert isinstance(viewer.error, CameraRefused)
    shown = f"{viewer.error!r}{''.join(traceback.format_exception(viewer.error))}{viewer.stream!r}{b''.join(camera.requests)!r}"
    assert "CANARY" not in shown


def test_a_nonce_that_grows_old_is_replaced(viewer: Viewer) -> None:
    def digest(_camera: ScriptedCamera, request: bytes) -> bytes:
        if b'nonce="new"' in request:
            return reply(headers=b"Session: 1\r\n")
        return reply("401 Unauthorized", b'WWW-Authenticate: Digest realm="r", nonce="new", stale=true\r\n')

    first = reply("401 Unauthorized", b'WWW-Authenticate: Digest realm="r", nonce="old"\r\n')
    accepted = reply(body=SDP)
    with ScriptedCamera(
        MEDIA,
        OPTIONS=first,
        DESCRIBE=lambda camera, request: accepted if b'nonce="old"' in request else first,
        PLAY=digest,
    ) as camera:
        camera.answers["OPTIONS"] = lambda _camera, request: reply() if b"Authorization" in request else first
        viewer.open(url(camera), username="a", password="b")
        viewer.until(lambda: len(viewer.got) == 6)


@pytest.mark.parametrize(
    "answer", [b"SSH-2.0-OpenSSH\r\n", b"HTTP/1.1 400 Bad\r\n\r\n", b"RTSP/1.0 200 OK\r\n" + b"x: y\r\n" * 9000, bytes(64)]
)
def test_a_server_of_something_else_is_called_so(viewer: Viewer, answer: bytes) -> None:
    with ScriptedCamera(OPTIONS=answer) as camera:
        assert "does not answer as an RTSP camera" in error_of(viewer, camera)
    assert isinstance(viewer.error, UnsupportedStream)


def test_a_description_without_an_end_is_refused(viewer: Viewer) -> None:
    with ScriptedCamera(DESCRIBE=reply(body=b"m=video 0 RTP/AVP 1\r\na=x\r\n" * 5000)) as camera:
        error_of(viewer, camera)
    assert isinstance(viewer.error, UnsupportedStream)


def test_a_description_of_many_media_is_refused_in_one_line(viewer: Viewer) -> None:
    with ScriptedCamera(DESCRIBE=reply(body=b"m=video 0 RTP/AVP 26\r\n" * 2500)) as camera:
        assert len(error_of(viewer, camera)) < 500


def test_a_peer_that_drips_is_given_up_in_time(viewer: Viewer) -> None:
    def drip(camera: ScriptedCamera, _request: bytes) -> bytes:
        content = reply()
        while not camera.is_over.wait(0.05) and content:
            camera.send(content[:1])
            content = content[1:]
        return b""

    with ScriptedCamera(OPTIONS=drip) as camera:
        assert "silent while opening" in error_of(viewer, camera, timeout_s=1.0)


def test_a_camera_that_talks_and_shows_nothing_has_gone_silent(viewer: Viewer) -> None:
    def chatter(camera: ScriptedCamera, _request: bytes) -> bytes:
        camera.send(reply(headers=b"Session: 12345\r\n"))
        number = 0
        while not camera.is_over.wait(0.05):
            number += 1
            camera.send(interleaved(rtp(number, 0, b"\x41\x9a")) + interleaved(b"\x80\xc8\0\0", 1))
        return b""

    with ScriptedCamera(PLAY=chatter) as camera:
        assert "silent while sending" in error_of(viewer, camera, timeout_s=1.0)


def test_the_end_of_a_stream_comes_after_its_last_picture(viewer: Viewer) -> None:
    with ScriptedCamera(MEDIA + interleaved(rtp(500, 99, b"\x41\x9a\x01"))) as camera:
        viewer.open(url(camera))
        viewer.until(lambda: viewer.got)
        camera.hang_up()
        viewer.until(lambda: viewer.error)
    assert isinstance(viewer.error, StreamEnded)
    assert viewer.calls[-1] == "ended"
    # Nobody said that the last one was whole.
    assert viewer.got[-1].is_corrupt
    assert len(viewer.got) == 7


def test_a_good_bye_ends_the_stream(viewer: Viewer) -> None:
    with ScriptedCamera(MEDIA + interleaved(b"\x81\xcb\0\1\x12\x34\x56\x78", 1)) as camera:
        viewer.open(url(camera))
        viewer.until(lambda: viewer.error)
    assert isinstance(viewer.error, StreamEnded)
    assert len(viewer.got) == 6


def test_a_camera_that_hangs_up_before_it_plays(viewer: Viewer) -> None:
    def leave(camera: ScriptedCamera, _request: bytes) -> bytes:
        camera.hang_up()
        return b""

    with ScriptedCamera(SETUP=leave) as camera:
        assert "hung up while opening" in error_of(viewer, camera)


def test_nothing_is_told_after_close(viewer: Viewer) -> None:
    with ScriptedCamera(MEDIA) as camera:
        stream = viewer.open(url(camera))
        stream.close()
        stream.close()
        for _ in range(4):
            viewer.loop.step()
    assert viewer.calls == []
    assert camera.requests == []


def test_an_owner_may_close_from_within(viewer: Viewer) -> None:
    with ScriptedCamera(MEDIA) as camera:
        stream = viewer.open(url(camera))
        viewer.units = lambda units: (viewer.calls.append("units"), stream.close())[0]  # type: ignore[method-assign, assignment]
        viewer.until(lambda: "units" in viewer.calls)
        for _ in range(4):
            viewer.loop.step()
    assert viewer.calls == ["opened", "units"]


def test_nobody_listens(viewer: Viewer) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    viewer.open(f"rtsp://127.0.0.1:{port}/x")
    viewer.until(lambda: viewer.error)
    assert "refuses connections" in str(viewer.error)


@pytest.mark.parametrize("options", [{"transport": "udp"}, {}])
def test_rtsps_goes_over_tcp_alone_and_certificates_with_rtsps_alone(viewer: Viewer, options: dict[str, str]) -> None:
    with pytest.raises(ConfigError):
        viewer.open("rtsps://127.0.0.1/x" if options else "rtsp://127.0.0.1/x", **(options or {"certificate_sha256": "0" * 64}))


class Datagrams:
    """The answer to SETUP of a camera that sends UDP, and its socket."""

    def __init__(self) -> None:
        self.end = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.end.bind(("127.0.0.1", 0))
        self.port = 0

    def setup(self, _camera: ScriptedCamera, request: bytes) -> bytes:
        match = re.search(rb"client_port=(\d+)-(\d+)", request)
        assert match is not None
        self.port = int(match[1])
        assert self.port % 2 == 0
        assert int(match[2]) == self.port + 1
        own = self.end.getsockname()[1]
        transport = f"Transport: RTP/AVP;unicast;client_port={self.port}-{self.port + 1};server_port={own}-{own + 1}\r\n"
        return reply(headers=b"Session: 1\r\n" + transport.encode())

    def send(self, *sent: bytes) -> None:
        for packet in sent:
            self.end.sendto(packet, ("127.0.0.1", self.port))


def test_udp_is_put_in_order_and_its_losses_are_told(viewer: Viewer) -> None:
    peer = Datagrams()
    with peer.end, ScriptedCamera(SETUP=peer.setup) as camera:
        stream = viewer.open(url(camera), transport="udp")
        viewer.until(lambda: viewer.facts)
        swapped = [*PACKETS[:4], PACKETS[5], PACKETS[4], *PACKETS[6:]]
        peer.send(*swapped)
        viewer.until(lambda: len(viewer.got) == 6)
        assert not any(unit.is_corrupt or unit.lost_packets for unit in viewer.got)
        viewer.got.clear()
        more = packets(Codec.H264, PICTURES[1:], first=65_530 + len(PACKETS))
        peer.send(*more[:1], *more[2:])
        viewer.until(lambda: len(viewer.got) == 4)
    assert isinstance(stream, RtspStream)
    assert stream.counters.lost_packets == 1
    assert viewer.got[0].is_corrupt or viewer.got[0].lost_packets


@pytest.mark.parametrize(("transport", "answered"), [("udp", "RTP/AVP/TCP;interleaved=0-1"), ("tcp", "RTP/AVP;unicast;client_port=4-5")])
def test_a_camera_that_wants_the_other_way_is_told_of(viewer: Viewer, transport: str, answered: str) -> None:
    with ScriptedCamera(SETUP=reply(headers=f"Session: 1\r\nTransport: {answered}\r\n".encode())) as camera:
        assert "insists" in error_of(viewer, camera, transport=transport)
    assert isinstance(viewer.error, UnsupportedStream)
