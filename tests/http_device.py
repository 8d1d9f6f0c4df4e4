"""A device that says, byte for byte, what a test wants it to say, and notes what it was asked."""

from __future__ import annotations

import contextlib
import re
import socket
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True)
class Asked:
    """One request, as it came."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


class Talk:
    """One connection, seen from the device."""

    def __init__(self, end: socket.socket, device: ScriptedDevice) -> None:
        self._end = end
        self._device = device
        self._buffer = b""

    def request(self) -> Asked | None:
        """The next request, None when the other end hangs up."""
        while b"\r\n\r\n" not in self._buffer:
            if not self._more():
                return None
        head, _, self._buffer = self._buffer.partition(b"\r\n\r\n")
        first, *lines = head.decode("utf-8", "surrogateescape").split("\r\n")
        method, path, _ = first.split(" ", 2)
        headers = {name.lower(): text.strip() for name, _, text in (line.partition(":") for line in lines)}
        length = int(headers.get("content-length", 0))
        while len(self._buffer) < length:
            if not self._more():
                return None
        body, self._buffer = self._buffer[:length], self._buffer[length:]
        asked = Asked(method, path, headers, body)
        self._device.asked.append(asked)
        return asked

    def say(self, content: bytes) -> None:
        self._end.sendall(content)

    def answer(self, status: int = 200, body: bytes = b"", *headers: str) -> None:
        lines = [f"HTTP/1.1 {status} X", f"Content-Length: {len(body)}", *headers]
        self.say("\r\n".join(lines).encode("utf-8", "surrogateescape") + b"\r\n\r\n" + body)

    def drip(self, content: bytes, every_s: float = 0.02) -> None:
        """Say it byte by byte, until it is said or nobody listens."""
        for byte in content:
            if self._device.stop.wait(every_s):
                return
            self.say(bytes([byte]))

    def _more(self) -> bool:
        content = self._end.recv(65_536)
        self._buffer += content
        return bool(content)


class ScriptedDevice:
    """Runs `script` for each connection, one after the other, on a port of its own."""

    def __init__(self, script: Callable[[Talk], None], *, address: str = "127.0.0.1", tls: ssl.SSLContext | None = None) -> None:
        self.asked: list[Asked] = []
        self.connections = 0
        self.stop = threading.Event()
        self._script = script
        self._tls = tls
        self._listener = socket.create_server((address, 0))
        self._listener.settimeout(0.02)
        self.port: int = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, name="scripted-device")

    @property
    def url(self) -> str:
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop.set()
        self._thread.join()
        self._listener.close()

    def _serve(self) -> None:
        while not self.stop.is_set():
            try:
                end, _ = self._listener.accept()
            except TimeoutError:
                continue
            self.connections += 1
            with contextlib.suppress(OSError), end:  # who was cut off complains
                end.settimeout(2.0)
                if self._tls is None:
                    self._script(Talk(end, self))
                    continue
                with self._tls.wrap_socket(end, server_side=True) as secure:
                    self._script(Talk(secure, self))


def digest_words(authorization: str) -> dict[str, str]:
    """The parameters of a Digest answer."""
    return {name: quoted or bare for name, quoted, bare in re.findall(r'(\w+)=(?:"([^"]*)"|([^",\s]+))', authorization)}
