"""Whatever a camera answers over RTSP, a session begins or it ends with a camera error: no crash, no hang, no memory without bound."""

from __future__ import annotations

import random
import re
import socketserver
import threading
import time
import tracemalloc
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import pytest

from lamppost.base.clock import SystemClock
from lamppost.base.errors import CameraError
from lamppost.base.loop import Loop
from lamppost.ingest.opening_streams import open_stream
from lamppost.ingest.stream import Stream, StreamFacts
from lamppost.ingest.units import AccessUnit
from loopback import ON_LOOPBACK
from scripted_camera import SDP, reply

AT_ONCE = 25
TIMEOUT_S = 0.5
LATE_S = 20.0  # of a machine that does much else; a hang is longer
MOST_MB = 64
CHALLENGE = b'WWW-Authenticate: Digest realm="cam", nonce="0123456789abcdef", qop="auth", algorithm=SHA-256\r\n'
REPLIES = {
    b"OPTIONS": reply(headers=b"Public: OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN, GET_PARAMETER\r\n"),
    b"DESCRIBE": reply(headers=b"Content-Base: rtsp://192.0.2.1/live/\r\nContent-Type: application/sdp\r\n", body=SDP),
    b"SETUP": reply(headers=b"Session: 12345;timeout=60\r\nTransport: RTP/AVP/TCP;unicast;interleaved=0-1;ssrc=0a0b0c0d\r\n"),
    b"PLAY": reply(headers=b"Session: 12345\r\nRTP-Info: url=rtsp://192.0.2.1/live/track1;seq=17;rtptime=3600\r\n"),
}
PIECES = (
    *(b"\r\n", b"\r\n\r\n", b"\0", b"\xff" * 40, b":", b";", b"=", b" " * 300, b"$\x00\xff\xff", b"$\x00\x00\x00", b"\t"),
    *(b"Content-Length: 999999999\r\n", b"Content-Length: -1\r\n", b"CSeq: 99999999999999999999\r\n", b"RTSP/1.0 301 Moved\r\n"),
    *(b"Location: rtsp://203.0.113.9/x\r\n", b"RTSP/1.0 401 Unauthorized\r\n", CHALLENGE, b"Session: " + b"x" * 5000 + b"\r\n"),
    *(
        b"m=video 0 RTP/AVP 96\r\n",
        b"a=rtpmap:96 H265/90000\r\n",
        b"a=rtpmap:96 H264/0\r\n",
        b"a=fmtp:96 sprop-parameter-sets=" + b"A" * 3000,
    ),
    *(b"a=control:rtsp://203.0.113.9:1/x\r\n", b"a=framerate:0\r\n", b"a=framerate:1e999\r\n", b"interleaved=255-256", b"timeout=-1"),
    *(b"9" * 400, "é𝟘".encode(), b"%00", b"RTP/AVP/UDP;client_port=1-2", b"ANNOUNCE rtsp://x RTSP/1.0\r\nCSeq: 1\r\n\r\n"),
)


def mutated(content: bytes, random_of: random.Random) -> bytes:
    """One to three changes: bytes, cuts, repeats, and pieces that a parser may stumble over."""
    whole = bytearray(content)
    for _ in range(random_of.randint(1, 3)):
        at = random_of.randrange(len(whole) + 1)
        until = min(len(whole), at + random_of.randint(1, 40))
        match random_of.randrange(7):
            case 0:
                whole[at:at] = random_of.choice(PIECES)
            case 1:
                del whole[at:until]
            case 2:
                whole[at:until] = bytes(random_of.randrange(256) for _ in range(until - at))
            case 3:
                whole[at:at] = whole[at:until] * random_of.randint(1, 30)
            case 4:
                del whole[at:]
            case 5:
                lines = bytes(whole).split(b"\r\n")
                random_of.shuffle(lines)
                whole = bytearray(b"\r\n".join(lines))
            case _:
                whole[at:until] = random_of.choice(PIECES)
    return bytes(whole)


class _Talk(socketserver.BaseRequestHandler):
    """Answers as a camera would, but for one reply; which one, and how, follows from the stream's address."""

    def handle(self) -> None:
        received = b""
        try:
            while content := self.request.recv(65536):
                received += content
                while b"\r\n\r\n" in received:
                    head, _, received = received.partition(b"\r\n\r\n")
                    self._answer(head)
        except OSError:
            return

    def _answer(self, head: bytes) -> None:
        method, seed = head.split(b" ", 1)[0], re.search(rb"/seed-(\d+)", head)
        content = REPLIES.get(method, reply())
        number = re.search(rb"CSeq: *(\d+)", head)
        content = content.replace(b"CSeq: ?", b"CSeq: " + (number[1] if number else b"0"), 1)
        if seed is not None:
            random_of = random.Random(int(seed[1]))
            if method == random_of.choice(list(REPLIES)):
                content = mutated(content, random_of)
        self.request.sendall(content)


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    request_queue_size = 128


@pytest.fixture
def port() -> Iterator[int]:
    with _Server(("127.0.0.1", 0), _Talk) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        yield int(server.server_address[1])
        server.shutdown()
        thread.join(5)


@dataclass
class Sink:
    """What becomes of one session."""

    outcome: str = ""
    errors: list[CameraError] = field(default_factory=list)

    def opened(self, facts: StreamFacts) -> None:
        self.outcome = self.outcome or "opened"

    def units(self, units: Sequence[AccessUnit]) -> None:
        """Nothing is sent."""

    def ended(self, error: CameraError) -> None:
        assert isinstance(error, CameraError)
        assert "secret-word" not in f"{error.problem} {error.remedy}"
        self.outcome = self.outcome or type(error).__name__


def run(port: int, seeds: range) -> tuple[Counter[str], float]:
    """Open a session for each seed, some at once; the outcomes, and the longest time until one was known."""
    loop, outcomes, longest_s = Loop(SystemClock(), tick_s=0.002), Counter[str](), 0.0
    waiting, going = list(reversed(seeds)), dict[int, tuple[Stream, Sink, float]]()
    try:
        while waiting or going:
            while waiting and len(going) < AT_ONCE:
                seed, sink = waiting.pop(), Sink()
                stream = open_stream(
                    f"rtsp://user:secret-word@127.0.0.1:{port}/seed-{seed}",
                    loop=loop,
                    clock=SystemClock(),
                    sink=sink,
                    stop=threading.Event(),
                    timeout_s=TIMEOUT_S,
                    networks=ON_LOOPBACK,
                )
                going[seed] = (stream, sink, time.monotonic())
            loop.step()
            for seed, (stream, sink, began_s) in list(going.items()):
                took_s = time.monotonic() - began_s
                assert took_s < LATE_S, f"seed {seed} hangs"
                if sink.outcome:
                    outcomes[sink.outcome] += 1
                    longest_s = max(longest_s, took_s)
                    stream.close()
                    del going[seed]
    finally:
        loop.close()
    return outcomes, longest_s


@pytest.mark.parametrize("count", [300, pytest.param(10_000, marks=pytest.mark.long)])
def test_a_mutated_reply_ends_in_a_session_or_in_a_camera_error(
    port: int, count: int, record_property: Callable[[str, object], None]
) -> None:
    tracemalloc.start()
    try:
        outcomes, longest_s = run(port, range(count))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    record_property("figures", f"{dict(outcomes)}, longest {longest_s:.2f} s, at most {peak / 1e6:.1f} MB")
    assert sum(outcomes.values()) == count
    assert outcomes["opened"] > 0
    assert len(outcomes) > 2
    assert peak < MOST_MB * 1_000_000
