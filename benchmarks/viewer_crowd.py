"""A crowd that watches live: bare sockets that speak as much of WebSocket as is needed, in a process of their own.

A client library would cost more than the server that is measured (RFC 6455 is small for who only reads).
"""

from __future__ import annotations

import contextlib
import json
import multiprocessing
import os
import selectors
import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from types import TracebackType
from typing import Self

from lamppost.record.fmp4 import prft_wall_us

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10
READ_BYTES = 1 << 18


@dataclass
class Watcher:
    """One viewer of one camera: what came, and how old it was then."""

    path: str
    pictures: int = 0
    dropped: int = 0
    is_over: bool = False
    late_ms: list[float] = field(default_factory=list[float])


class _Socket:
    """A WebSocket that was opened, and what of it is not a whole message yet."""

    def __init__(self, address: str, cookie: str, watcher: Watcher) -> None:
        host, _, port = address.partition(":")
        self.watcher = watcher
        self.end = socket.create_connection((host, int(port)))
        asked = (
            f"GET {watcher.path} HTTP/1.1\r\nHost: {address}\r\nOrigin: http://{address}\r\nCookie: {cookie}\r\nUpgrade: websocket\r\n"
            "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        )
        self.end.sendall(asked.encode())
        answer = b""
        while b"\r\n\r\n" not in answer:
            piece = self.end.recv(READ_BYTES)
            if not piece:
                break
            answer += piece
        head, _, rest = answer.partition(b"\r\n\r\n")
        if b" 101 " not in head.partition(b"\r\n")[0]:
            raise SystemExit(f"{watcher.path} was refused: {head.decode(errors='replace').splitlines()[:1]}")
        self.buffer = bytearray(rest)
        self.end.setblocking(False)

    def read(self, now_us: int) -> None:
        """Take what is there; raises `ConnectionError` at the end."""
        piece = self.end.recv(READ_BYTES)
        if not piece:
            raise ConnectionResetError
        self.buffer += piece
        while (message := self._next()) is not None:
            self._take(*message, now_us)

    def _next(self) -> tuple[int, bytes] | None:
        if len(self.buffer) < 2:
            return None
        length, at = self.buffer[1] & 0x7F, 2
        if length >= 126:
            width = 2 if length == 126 else 8
            if len(self.buffer) < 2 + width:
                return None
            length, at = int.from_bytes(self.buffer[2 : 2 + width]), 2 + width
        if len(self.buffer) < at + length:
            return None
        kind, payload = self.buffer[0] & 0x0F, bytes(self.buffer[at : at + length])
        del self.buffer[: at + length]
        return kind, payload

    def _take(self, kind: int, payload: bytes, now_us: int) -> None:
        if kind == BINARY and payload[4:8] == b"prft":
            self.watcher.pictures += 1
            self.watcher.late_ms.append((now_us - prft_wall_us(payload)) / 1000)
        elif kind == TEXT:
            word = json.loads(payload)
            self.watcher.dropped += word["fragments"] if word["type"] == "dropped" else 0
        elif kind == PING:
            mask = os.urandom(4)
            self.end.send(bytes([0x80 | PONG, 0x80 | len(payload)]) + mask + bytes(byte ^ mask[at % 4] for at, byte in enumerate(payload)))
        elif kind == CLOSE:
            raise ConnectionResetError


def _watch(address: str, cookie: str, paths: Sequence[str], orders: Connection) -> None:
    sockets = [_Socket(address, cookie, Watcher(path)) for path in paths]
    with selectors.DefaultSelector() as selector:
        for one in sockets:
            selector.register(one.end, selectors.EVENT_READ, one)
        selector.register(orders, selectors.EVENT_READ)
        while True:
            for key, _ in selector.select():
                if key.data is None:
                    if not _obey(orders, sockets):
                        return
                    continue
                try:
                    with contextlib.suppress(BlockingIOError):
                        key.data.read(time.time_ns() // 1000)
                except ConnectionError:
                    key.data.watcher.is_over = True
                    selector.unregister(key.fileobj)


def _obey(orders: Connection, sockets: list[_Socket]) -> bool:
    order: str = orders.recv()
    if order == "forget":
        for one in sockets:
            one.watcher = Watcher(one.watcher.path, is_over=one.watcher.is_over)
    elif order == "tell":
        orders.send([one.watcher for one in sockets])
    return order != "end"


class Crowd:
    """So many viewers, watching from the beginning of `with` on."""

    def __init__(self, address: str, cookie: str, paths: Sequence[str]) -> None:
        context = multiprocessing.get_context("spawn")
        self._orders, theirs = context.Pipe()
        self._process = context.Process(target=_watch, args=(address, cookie, paths, theirs), daemon=True)
        self._process.start()

    def forget(self) -> None:
        """Begin to count anew."""
        self._orders.send("forget")

    def tell(self) -> list[Watcher]:
        """What each viewer saw."""
        self._orders.send("tell")
        told: list[Watcher] = self._orders.recv()
        return told

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        with contextlib.suppress(BrokenPipeError):
            self._orders.send("end")
        self._process.join(10)
