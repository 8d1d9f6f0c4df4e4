"""A camera on loopback that answers as a test tells it to, and a sink that keeps what comes of it."""

from __future__ import annotations

import contextlib
import re
import socket
import ssl
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from lamppost.base.clock import SystemClock
from lamppost.base.errors import CameraError
from lamppost.base.loop import Loop
from lamppost.ingest.opening_streams import open_stream
from lamppost.ingest.stream import Stream, StreamFacts
from lamppost.ingest.units import AccessUnit
from loopback import ON_LOOPBACK

SDP = (
    b"v=0\r\ns=x\r\na=control:*\r\nm=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=framerate:25\r\na=control:track1\r\n"
    b"m=audio 0 RTP/AVP 8\r\na=control:track2\r\nm=application 0 RTP/AVP 107\r\na=control:track3\r\n"
)
Answer = bytes | Callable[["ScriptedCamera", bytes], bytes]


def reply(status: str = "200 OK", headers: bytes = b"", body: bytes = b"") -> bytes:
    """A reply; `CSeq: ?` becomes the request's own."""
    length = b"Content-Length: %d\r\n" % len(body) if body else b""
    return f"RTSP/1.0 {status}\r\nCSeq: ?\r\n".encode() + headers + length + b"\r\n" + body


class ScriptedCamera:
    """Serves one connection after the other, each in turn, until it is left.

    `answers` are bytes or functions of the request, by method; what PLAY is answered is followed by `media`.
    """

    def __init__(self, media: bytes = b"", *, address: str = "127.0.0.1", tls: ssl.SSLContext | None = None, **answers: Answer) -> None:
        self.answers: dict[str, Answer] = {
            "OPTIONS": reply(headers=b"Public: OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN, GET_PARAMETER\r\n"),
            "DESCRIBE": reply(headers=b"Content-Type: application/sdp\r\n", body=SDP),
            "SETUP": reply(headers=b"Session: 12345;timeout=60\r\nTransport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n"),
            "PLAY": reply(headers=b"Session: 12345\r\n"),
            **answers,
        }
        self.media = media
        self.requests: list[bytes] = []
        self.connections = 0
        self.is_over = threading.Event()
        self.changed = threading.Condition()
        self._tls = tls
        self._server = socket.create_server((address, 0))
        self._server.settimeout(10)
        self.port = int(self._server.getsockname()[1])
        self._connection: socket.socket | None = None
        self._thread = threading.Thread(target=self._serve, daemon=True)

    @property
    def methods(self) -> list[str]:
        return [request.split(b" ", 1)[0].decode("latin-1") for request in self.requests]

    def send(self, content: bytes) -> None:
        assert self._connection is not None
        self._connection.sendall(content)

    def hang_up(self) -> None:
        assert self._connection is not None
        self._connection.shutdown(socket.SHUT_WR)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.is_over.set()
        self._server.shutdown(socket.SHUT_RDWR)  # wakes who waits for a connection
        self._server.close()
        if self._connection is not None:
            with contextlib.suppress(OSError):
                self._connection.shutdown(socket.SHUT_RDWR)
        self._thread.join(5)

    def _serve(self) -> None:
        while not self.is_over.is_set():
            try:
                connection, _ = self._server.accept()
                self.connections += 1
                with connection:
                    connection.settimeout(10)
                    self._connection = self._tls.wrap_socket(connection, server_side=True) if self._tls is not None else connection
                    with self._connection:
                        self._talk(self._connection)
            except OSError:
                continue

    def _talk(self, connection: socket.socket) -> None:
        received = b""
        while content := connection.recv(65536):
            received += content
            while received:
                received = self._take(connection, received)
                if received[:1] == b"$" or b"\r\n\r\n" not in received:
                    if received[:1] == b"$" and len(received) >= 4 and len(received) >= 4 + int.from_bytes(received[2:4], "big"):
                        continue
                    break

    def _take(self, connection: socket.socket, received: bytes) -> bytes:
        """Answer what stands first; return the rest."""
        if received[:1] == b"$":
            length = 4 + int.from_bytes(received[2:4], "big")
            if len(received) < length:
                return received
            self._note(received[:length])
            return received[length:]
        head, end, rest = received.partition(b"\r\n\r\n")
        if not end:
            return received
        self._note(head)
        method = head.split(b" ", 1)[0].decode("latin-1")
        answer = self.answers.get(method, reply())
        content = answer(self, head) if callable(answer) else answer
        number = re.search(rb"CSeq: *(\d+)", head)
        connection.sendall(content.replace(b"CSeq: ?", b"CSeq: " + (number[1] if number else b"0"), 1))
        if method == "PLAY" and self.media:
            connection.sendall(self.media)
        return rest

    def _note(self, request: bytes) -> None:
        with self.changed:
            self.requests.append(request)
            self.changed.notify_all()


@dataclass
class Viewer:
    """A sink, and the loop that serves it."""

    loop: Loop = field(default_factory=lambda: Loop(SystemClock(), tick_s=0.002))
    facts: StreamFacts | None = None
    got: list[AccessUnit] = field(default_factory=list)
    error: CameraError | None = None
    calls: list[str] = field(default_factory=list)
    stream: Stream | None = None
    stop: threading.Event = field(default_factory=threading.Event)

    def opened(self, facts: StreamFacts) -> None:
        self.calls.append("opened")
        self.facts = facts

    def units(self, units: Sequence[AccessUnit]) -> None:
        self.calls.append("units")
        self.got += units

    def ended(self, error: CameraError) -> None:
        self.calls.append("ended")
        self.error = error

    def open(self, url: str, *, timeout_s: float = 2.0, **options: object) -> Stream:
        self.stream = open_stream(
            url,
            loop=self.loop,
            clock=SystemClock(),
            sink=self,
            stop=self.stop,
            timeout_s=timeout_s,
            **{"networks": ON_LOOPBACK, **options},  # type: ignore[arg-type]
        )
        return self.stream

    def until(self, is_done: Callable[[], object], patience_s: float = 8.0) -> None:
        deadline_s = time.monotonic() + patience_s
        while not is_done():
            assert time.monotonic() < deadline_s, f"nothing came of it: {self.calls[-3:]}, {self.error}"
            self.loop.step()

    def close(self) -> None:
        if self.stream is not None:
            self.stream.close()
        self.stop.set()
        self.loop.close()
