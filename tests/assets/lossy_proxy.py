"""A TCP proxy on loopback that behaves as badly as a network does: for RTSP with RTP within the connection.

    with LossyProxy(target_port) as proxy:
        url = f"rtsp://127.0.0.1:{proxy.port}/cam0"
        proxy.stall(12)                 # not a byte for 12 s, connections stay
        proxy.cut()                     # every connection is reset
        proxy.refuse(5)                 # and new ones are refused for 5 s
        proxy.throttle(50_000)          # bytes a second, each way, all connections together; None: as they come
        proxy.move("127.0.0.2")         # the camera answers there from now on, and nowhere else

It runs in a thread of its own, with sockets alone, and needs no part of Lamppost. What the
server sends while it is stalled waits in the sockets' buffers, so that the server is held back
as well. Everything can be called from any thread.
"""

from __future__ import annotations

import contextlib
import selectors
import socket
import struct
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

CHUNK_BYTES = 65_536
HELD_BYTES = 262_144  # per direction and connection; then its sender waits
LOOK_S = 0.02


@dataclass(slots=True, eq=False)
class _Way:
    """One direction of a connection."""

    source: socket.socket
    sink: socket.socket
    held: bytearray = field(default_factory=bytearray)
    is_ended: bool = False  # the source has sent its last byte


class LossyProxy:
    """Listens on `host:port` (0 picks one) and connects each client to `target_host:target_port`."""

    def __init__(self, target_port: int, *, target_host: str = "127.0.0.1", host: str = "127.0.0.1", port: int = 0) -> None:
        self._target = (target_host, target_port)
        self.host = host
        self._listener: socket.socket | None = self._listen(host, port)
        self.port = int(self._listener.getsockname()[1])
        self._pairs: list[tuple[_Way, _Way]] = []
        self._stalled_until_s = 0.0
        self._refused_until_s = 0.0
        self._rate_bytes_s: float | None = None
        self._budget_bytes = 0.0
        self._budget_at_s = time.monotonic()
        self._orders: list[tuple[Callable[[], None], threading.Event]] = []
        self._mutex = threading.Lock()
        self._is_closed = threading.Event()
        self.accepted = 0
        self._thread = threading.Thread(target=self._run, name="lossy-proxy", daemon=True)
        self._thread.start()

    def stall(self, seconds: float) -> None:
        """Pass on nothing for `seconds`; connections stay, new ones are taken and wait."""
        self._order(lambda: setattr(self, "_stalled_until_s", time.monotonic() + seconds))

    def cut(self) -> None:
        """Reset every connection."""
        self._order(self._cut_all)

    def refuse(self, seconds: float) -> None:
        """Reset every connection, and refuse new ones for `seconds`."""

        def go_down() -> None:
            self._cut_all()
            self._close_listener()
            self._refused_until_s = time.monotonic() + seconds

        self._order(go_down)

    def throttle(self, bytes_s: float | None) -> None:
        """Pass on no more than so many bytes a second."""
        self._order(lambda: setattr(self, "_rate_bytes_s", bytes_s))

    def move(self, host: str, port: int | None = None) -> None:
        """Cut everything and answer at `host` from now on (any of 127.0.0.0/8), at `port` or the same port."""

        def go_there() -> None:
            self._cut_all()
            self._close_listener()
            self.host, self.port = host, self.port if port is None else port
            self._listener = self._listen(host, self.port)
            self.port = int(self._listener.getsockname()[1])

        self._order(go_there)

    def close(self) -> None:
        self._is_closed.set()
        self._thread.join(5)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def _order(self, what: Callable[[], None]) -> None:
        done = threading.Event()
        with self._mutex:
            self._orders.append((what, done))
        if not done.wait(5):
            raise RuntimeError("the proxy's thread is gone")

    @staticmethod
    def _listen(host: str, port: int) -> socket.socket:
        listener = socket.create_server((host, port), backlog=256)
        listener.setblocking(False)
        return listener

    def _run(self) -> None:
        try:
            while not self._is_closed.is_set():
                self._turn()
        finally:
            self._cut_all()
            self._close_listener()

    def _turn(self) -> None:
        with self._mutex:
            orders, self._orders = self._orders, []
        for what, done in orders:
            what()
            done.set()
        now_s = time.monotonic()
        if self._refused_until_s and now_s >= self._refused_until_s:
            self._refused_until_s = 0.0
            self._listener = self._listen(self.host, self.port)
        is_stalled = now_s < self._stalled_until_s
        readable, writable = self._wait(is_stalled=is_stalled)
        if self._listener is not None and self._listener in readable:
            self._accept(self._listener)
        if not is_stalled:
            self._pass_on(readable, writable)

    def _wait(self, *, is_stalled: bool) -> tuple[set[socket.socket], set[socket.socket]]:
        interest: dict[socket.socket, int] = {}
        if self._listener is not None:
            interest[self._listener] = selectors.EVENT_READ
        if not is_stalled:
            for pair in self._pairs:
                for way in pair:
                    if len(way.held) < HELD_BYTES and not way.is_ended:
                        interest[way.source] = interest.get(way.source, 0) | selectors.EVENT_READ
                    if way.held:
                        interest[way.sink] = interest.get(way.sink, 0) | selectors.EVENT_WRITE
        with selectors.DefaultSelector() as selector:
            for sock, events in interest.items():
                selector.register(sock, events)
            ready = selector.select(LOOK_S)
        if self._rate_bytes_s is not None or is_stalled:
            time.sleep(LOOK_S)
        return (
            {key.fileobj for key, events in ready if events & selectors.EVENT_READ and isinstance(key.fileobj, socket.socket)},
            {key.fileobj for key, events in ready if events & selectors.EVENT_WRITE and isinstance(key.fileobj, socket.socket)},
        )

    def _accept(self, listener: socket.socket) -> None:
        with contextlib.suppress(OSError):
            client, _ = listener.accept()
            try:
                server = socket.create_connection(self._target, timeout=2)
            except OSError:
                _reset(client)
                return
            for sock in (client, server):
                sock.setblocking(False)
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._pairs.append((_Way(client, server), _Way(server, client)))
            self.accepted += 1

    def _pass_on(self, readable: set[socket.socket], writable: set[socket.socket]) -> None:
        for pair in list(self._pairs):
            try:
                for way in pair:
                    self._read(way, is_ready=way.source in readable)
                    self._write(way, is_ready=way.sink in writable or bool(way.held))
                is_over = any(way.is_ended and not way.held for way in pair)
            except OSError:
                is_over = True
            if is_over:
                self._pairs.remove(pair)
                for way in pair:
                    way.source.close()

    def _read(self, way: _Way, *, is_ready: bool) -> None:
        if is_ready and len(way.held) < HELD_BYTES and not way.is_ended:
            with contextlib.suppress(BlockingIOError):
                content = way.source.recv(CHUNK_BYTES)
                way.held += content
                way.is_ended = not content

    def _write(self, way: _Way, *, is_ready: bool) -> None:
        allowed = self._allowed_bytes(len(way.held))
        if is_ready and allowed:
            with contextlib.suppress(BlockingIOError):
                sent = way.sink.send(bytes(way.held[:allowed]))
                del way.held[:sent]
                self._budget_bytes -= sent

    def _allowed_bytes(self, wanted: int) -> int:
        if self._rate_bytes_s is None:
            self._budget_bytes = 0.0
            return wanted
        now_s = time.monotonic()
        self._budget_bytes = min(self._rate_bytes_s, self._budget_bytes + (now_s - self._budget_at_s) * self._rate_bytes_s)
        self._budget_at_s = now_s
        return max(0, min(wanted, int(self._budget_bytes)))

    def _cut_all(self) -> None:
        pairs, self._pairs = self._pairs, []
        for pair in pairs:
            for way in pair:
                _reset(way.source)

    def _close_listener(self) -> None:
        if self._listener is not None:
            self._listener.close()
            self._listener = None


def _reset(sock: socket.socket) -> None:
    """Close with a reset, as a camera does that lost its power and is asked again."""
    with contextlib.suppress(OSError):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()
