"""A small RTSP/1.0 server that shows the simulated street as a camera shows its own: what `lamppost simulate camera` streams from.

It lives up here and not with the simulated camera, which knows no picture.
"""

from __future__ import annotations

import contextlib
import re
import secrets
import socket
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from lamppost.base.clock import Clock
from lamppost.base.errors import ConfigError
from lamppost.cameras.simulated.sign_in import Gate
from lamppost.pipeline.rtp_delivery import DatagramWay, Delivery, InterleavedWay, Way
from lamppost.pipeline.street_broadcast import PAYLOAD_TYPE, StreetBroadcast

_MOST_CONNECTIONS: Final = 16
_SESSION_S: Final = 60
_RECEIVE_BYTES: Final = 65_536
_MOST_HEAD_BYTES: Final = 16_384
_METADATA: Final = 107
_METHODS: Final = "OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN, GET_PARAMETER, SET_PARAMETER"
_TRACK: Final = re.compile(r"/?trackID=([01])/?$")
_INTERLEAVED: Final = re.compile(r"interleaved=(\d{1,3})-\d{1,3}")
_PORTS: Final = re.compile(r"client_port=(\d{1,5})-\d{1,5}")
_REASONS: Final = {
    200: "OK",
    400: "Bad Request",
    401: "Unauthorized",
    404: "Not Found",
    405: "Method Not Allowed",
    406: "Not Acceptable",
    454: "Session Not Found",
    455: "Method Not Valid in This State",
    461: "Unsupported Transport",
    501: "Not Implemented",
    505: "RTSP Version not supported",
    551: "Option not supported",
}
# What RFC 2326 knows and a camera's live stream has no use for.
_OTHERS: Final = frozenset({"ANNOUNCE", "PAUSE", "RECORD", "REDIRECT"})
_SDP: Final = "application/sdp"
_VERSION: Final = re.compile(r"RTSP/\d{1,3}\.\d{1,3}")


@dataclass(frozen=True, slots=True)
class Shown:
    """What is shown where: `paths` are those of main and sub, with their queries."""

    paths: tuple[str, str]
    broadcasts: Sequence[StreetBroadcast]
    has_metadata: bool = False


class SimulatedRtsp:
    """Serves at `address` until it is closed. `device_us` is the camera's own clock, which its reports tell.

    `metadata_setups` counts who wanted the metadata of `has_metadata`: none of ours ever does, and nothing is in it.
    """

    def __init__(self, shown: Shown, gate: Gate, clock: Clock, *, device_us: Callable[[], int], address: str, port: int) -> None:
        self.shown = shown
        self.gate = gate
        self.clock = clock
        self.device_us = device_us
        self.metadata_setups = 0
        self._connections: dict[socket.socket, threading.Thread] = {}
        self._lock = threading.Lock()
        self._stop = threading.Event()
        try:
            family = socket.AF_INET6 if ":" in address else socket.AF_INET
            self._listener = socket.create_server((address, port), family=family, backlog=16)
        except OSError as error:
            # Python appends the address to what the system said, which has told it already.
            said = (error.strerror or "").partition(" (while ")[0]
            raise ConfigError(f"{address}:{port} cannot be used: {said}", remedy="name another --address or --rtsp-port") from error
        self.port = int(self._listener.getsockname()[1])
        self._thread = threading.Thread(target=self._accept, name="simulated RTSP", daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._stop.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)  # wakes who waits in `accept`
        self._thread.join()
        self._listener.close()
        with self._lock:
            left = list(self._connections.items())
        for connection, _ in left:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for _, thread in left:
            thread.join()
        for broadcast in self.shown.broadcasts:
            broadcast.close()

    def _accept(self) -> None:
        while not self._stop.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with self._lock:
                # Not forgotten by the threads themselves: whoever closes waits for each until it has ended.
                self._connections = {known: thread for known, thread in self._connections.items() if thread.is_alive()}
                if len(self._connections) >= _MOST_CONNECTIONS or self._stop.is_set():
                    connection.close()
                    continue
                thread = threading.Thread(target=self._serve, args=(connection,), name="simulated RTSP: connection", daemon=True)
                self._connections[connection] = thread
                thread.start()

    def _serve(self, connection: socket.socket) -> None:
        try:
            _Conversation(self, connection).run()
        except (OSError, ValueError):
            pass  # whoever watched has gone, or speaks something else
        finally:
            connection.close()


@dataclass(frozen=True, slots=True)
class _Request:
    method: str
    url: str
    version: str
    headers: dict[str, str]

    @classmethod
    def read(cls, head: bytes) -> _Request:
        first, *lines = head.decode("latin-1").split("\r\n")
        words = first.split(" ")
        if len(words) != 3 or not _VERSION.fullmatch(words[2]):
            raise ValueError("this is no RTSP")
        pairs = (line.partition(":") for line in lines)
        return cls(words[0], words[1], words[2], {name.strip().lower(): value.strip() for name, _, value in pairs})

    @property
    def place(self) -> str:
        """Path and query, without the host."""
        return "/" + self.url.partition("://")[2].partition("/")[2]


@dataclass(frozen=True, slots=True)
class _Reply:
    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""


class _Conversation:
    """One connection: requests, and at most one session."""

    def __init__(self, server: SimulatedRtsp, connection: socket.socket) -> None:
        self._server = server
        self._connection = connection
        self._session = ""
        self._number = 0
        self._way: Way | None = None
        self._delivery: Delivery | None = None
        self._writing = threading.Lock()
        connection.settimeout(_SESSION_S * 2)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def run(self) -> None:
        received = b""
        try:
            while more := self._connection.recv(_RECEIVE_BYTES):
                received = self._take(received + more)
        finally:
            self._leave()

    def _take(self, received: bytes) -> bytes:
        """Answer what is whole, and return the rest. Reports that come in between are not looked at."""
        while received:
            if received[:1] == b"$":
                end = 4 + int.from_bytes(received[2:4], "big") if len(received) >= 4 else _MOST_HEAD_BYTES
                if len(received) < end:
                    return received
                received = received[end:]
                continue
            head, found, rest = received.partition(b"\r\n\r\n")
            if len(head) > _MOST_HEAD_BYTES:
                raise ValueError("this is too long for a request")
            if not found:
                return received
            request = _Request.read(head)
            length = request.headers.get("content-length", "0")
            if not length.isdigit() or len(length) > 5:
                raise ValueError("this has no length")
            if len(rest) < int(length):
                return received
            received = rest[int(length) :]
            self._send(request, self._answer(request))
        return received

    def _send(self, request: _Request, reply: _Reply) -> None:
        lines = [f"RTSP/1.0 {reply.status} {_REASONS[reply.status]}", f"CSeq: {request.headers.get('cseq', '0')[:20]}"]
        lines += [f"{name}: {value}" for name, value in reply.headers]
        lines += [f"Content-Length: {len(reply.body)}"] if reply.body else []
        self._write(("\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + reply.body)
        if request.method == "PLAY" and reply.status == 200 and self._delivery is not None:
            self._delivery.start()

    def _write(self, content: bytes) -> None:
        with self._writing:
            self._connection.sendall(content)

    def _answer(self, request: _Request) -> _Reply:
        if not request.version.startswith("RTSP/1."):
            return _Reply(505)
        if not request.headers.get("cseq"):
            return _Reply(400)
        if required := request.headers.get("require"):
            # No extension is spoken here, and who needs one must hear so (RFC 2326, 12.32).
            return _Reply(551, (("Unsupported", required),))
        if request.method == "OPTIONS":
            return _Reply(200, (("Public", _METHODS),))
        user, is_stale = self._server.gate.user(request.method, request.url, request.headers.get("authorization", ""))
        if not user:
            challenges = self._server.gate.challenges(is_stale=is_stale, is_rtsp=True)
            return _Reply(401, tuple(("WWW-Authenticate", challenge) for challenge in challenges))
        answers = {
            "DESCRIBE": self._describe,
            "SETUP": self._set_up,
            "PLAY": self._play,
            "TEARDOWN": self._tear_down,
            "GET_PARAMETER": self._alive,
            "SET_PARAMETER": self._alive,
        }
        answer = answers.get(request.method)
        if answer is not None:
            return answer(request)
        return _Reply(405, (("Allow", _METHODS),)) if request.method in _OTHERS else _Reply(501)

    def _stream(self, place: str) -> int | None:
        """Which stream is at `place`, without the track at its end."""
        bare = _TRACK.sub("", place).rstrip("/")
        return self._server.shown.paths.index(bare) if bare in self._server.shown.paths else None

    def _describe(self, request: _Request) -> _Reply:
        number = self._stream(request.place)
        if number is None:
            return _Reply(404)
        if not _takes_sdp(request.headers.get("accept", _SDP)):
            return _Reply(406)
        address = self._connection.getsockname()[0]
        family = "IP6" if ":" in address else "IP4"
        sdp = (
            f"v=0\r\no=- {secrets.randbits(31)} 1 IN {family} {address}\r\ns=Media Server\r\nc=IN {family} "
            f"{'::' if family == 'IP6' else '0.0.0.0'}\r\nt=0 0\r\na=control:*\r\na=range:npt=now-\r\n"  # noqa: S104 - SDP for "not said"
            f"m=video 0 RTP/AVP {PAYLOAD_TYPE}\r\na=control:trackID=0\r\n{self._server.shown.broadcasts[number].described()}a=recvonly\r\n"
        )
        if self._server.shown.has_metadata and number == 0:
            sdp += f"m=application 0 RTP/AVP {_METADATA}\r\na=control:trackID=1\r\n"
            sdp += f"a=rtpmap:{_METADATA} vnd.onvif.metadata/90000\r\na=recvonly\r\n"
        headers = (("Content-Base", f"{_TRACK.sub('', request.url).rstrip('/')}/"), ("Content-Type", _SDP))
        return _Reply(200, headers, sdp.encode())

    def _set_up(self, request: _Request) -> _Reply:
        number, track = self._stream(request.place), _TRACK.search(request.place)
        if number is None:
            return _Reply(404)
        if track is not None and track[1] == "1":
            # Taken, so that nobody finds out by an error that it is empty.
            self._server.metadata_setups += 1
            self._session = self._session or secrets.token_hex(8)
            return self._session_reply((("Transport", request.headers.get("transport", "")),))
        if self._delivery is not None:
            return _Reply(455)
        way = self._way_of(request.headers.get("transport", ""))
        if way is None:
            return _Reply(461)
        self._session = self._session or secrets.token_hex(8)
        before, self._number, self._way = self._way, number, way
        if before is not None:
            before.close()
        return self._session_reply((("Transport", way.transport),))

    def _way_of(self, transport: str) -> Way | None:
        """How the pictures go: between the requests, or to the client's ports, on its own address alone."""
        for offered in transport.split(","):
            interleaved, ports = _INTERLEAVED.search(offered), _PORTS.search(offered)
            is_udp = offered.strip().startswith(("RTP/AVP;", "RTP/AVP/UDP;")) and "multicast" not in offered
            if offered.strip().startswith("RTP/AVP/TCP") and interleaved and int(interleaved[1]) < 255:
                return InterleavedWay(self._write, int(interleaved[1]))
            if is_udp and ports and 0 < int(ports[1]) < 65_535:
                return DatagramWay(self._connection.getsockname()[0], self._connection.getpeername()[0], int(ports[1]))
        return None

    def _play(self, request: _Request) -> _Reply:
        if self._way is None or not self._is_own(request):
            return _Reply(454)
        if self._delivery is None:
            server = self._server
            self._delivery = Delivery(server.shown.broadcasts[self._number], self._way, server.clock, server.device_us)
        told = f"url={_TRACK.sub('', request.url).rstrip('/')}/trackID=0;{self._delivery.told}"
        return self._session_reply((("Range", "npt=now-"), ("RTP-Info", told)))

    def _tear_down(self, request: _Request) -> _Reply:
        if not self._is_own(request):
            return _Reply(454)
        self._leave()
        return _Reply(200)

    def _alive(self, request: _Request) -> _Reply:
        return self._session_reply(()) if self._is_own(request) else _Reply(454)

    def _is_own(self, request: _Request) -> bool:
        return bool(self._session) and request.headers.get("session", "").partition(";")[0] == self._session

    def _session_reply(self, headers: tuple[tuple[str, str], ...]) -> _Reply:
        return _Reply(200, (("Session", f"{self._session};timeout={_SESSION_S}"), *headers))

    def _leave(self) -> None:
        delivery, self._delivery = self._delivery, None
        way, self._way = self._way, None
        if delivery is not None:
            delivery.close()
        if way is not None:
            way.close()
        self._session = ""


def _takes_sdp(accept: str) -> bool:
    """Whether who asks with this `Accept` understands what DESCRIBE answers."""
    kinds = {kind.partition(";")[0].strip().lower() for kind in accept.split(",")}
    return not kinds.isdisjoint({_SDP, "application/*", "*/*"})
