"""A pair of UDP ports, for RTP and its reports, that listens to one camera alone."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable
from typing import Final

from lamppost.base.loop import Loop

RECEIVE_BUFFER_BYTES: Final = 1024 * 1024
LARGEST_DATAGRAM_BYTES: Final = 65_536
_MOST_A_TICK: Final = 2048
_MOST_TRIES: Final = 64


class DatagramPair:
    """Two neighbouring ports, the lower one even, as RTP has it (RFC 3550, section 11).

    What comes from another host than the camera is dropped. Raises `OSError` when no pair is free.
    """

    def __init__(self, local_host: str, camera_host: str, loop: Loop) -> None:
        self._camera_host = camera_host
        self._loop = loop
        self._media, self._reports = _bind_pair(local_host)
        self.port: int = self._media.getsockname()[1]
        self._camera_port = 0

    def listen(self, on_ready: Callable[[], None]) -> None:
        """Call `on_ready` when something has come to either port."""
        self._loop.watch(self._media.fileno(), on_ready)
        self._loop.watch(self._reports.fileno(), on_ready)

    def greet(self, camera_port: int) -> None:
        """Learn the camera's ports, and send it a little, so that firewalls on the way let its answer through."""
        self._camera_port = camera_port
        with contextlib.suppress(OSError, OverflowError):
            self._media.sendto(b"\x80\x00" + bytes(10), (self._camera_host, camera_port))

    def receive(self, view: memoryview, take: Callable[[memoryview, int, int], None], full: Callable[[], None]) -> None:
        """Call `take` with each datagram of media as it lies in `view`; call `full` before `view` is used from its start again."""
        position, room = 0, len(view) - LARGEST_DATAGRAM_BYTES
        receive = self._media.recvfrom_into
        # What cannot be received is lost, and told by the numbers of what follows.
        with contextlib.suppress(OSError):
            for _ in range(_MOST_A_TICK):
                length, source = receive(view[position:])
                if source[0] == self._camera_host:
                    take(view, position, position + length)
                    position += length
                if position > room:
                    full()
                    position = 0

    def reports(self) -> list[bytes]:
        """What came to the port of reports."""
        found: list[bytes] = []
        with contextlib.suppress(OSError):
            for _ in range(16):
                content, source = self._reports.recvfrom(2048)
                if source[0] == self._camera_host:
                    found.append(content)
        return found

    def send_report(self, content: bytes) -> None:
        """Send to the camera's port of reports; a report that cannot go now is not sent."""
        if self._camera_port:
            with contextlib.suppress(OSError, OverflowError):
                self._reports.sendto(content, (self._camera_host, self._camera_port + 1))

    def close(self) -> None:
        for end in (self._media, self._reports):
            if end.fileno() >= 0:
                self._loop.unwatch(end.fileno())
                end.close()


def _bind_pair(host: str) -> tuple[socket.socket, socket.socket]:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    failure: OSError | None = None
    for _ in range(_MOST_TRIES):
        media, reports = socket.socket(family, socket.SOCK_DGRAM), socket.socket(family, socket.SOCK_DGRAM)
        try:
            media.bind((host, 0))
            port = media.getsockname()[1]
            if port % 2 == 0 and port < 65_535:
                reports.bind((host, port + 1))
                for end in (media, reports):
                    end.setblocking(False)
                media.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER_BYTES)
                return media, reports
        except OSError as error:
            failure = error
        media.close()
        reports.close()
    raise failure or OSError("no pair of UDP ports is free")
