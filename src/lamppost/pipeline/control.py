"""How the supervisor and its children talk: whole messages and descriptors, no names on disk.

A `SOCK_SEQPACKET` pair keeps message borders, carries file descriptors
(`SCM_RIGHTS`), and reads as ended the moment either side dies: a child whose
supervisor was killed learns it from here and ends in good order.
"""

from __future__ import annotations

import array
import json
import os
import select
import socket
from dataclasses import dataclass
from typing import Any

MESSAGE_LIMIT_BYTES = 1 << 20
DESCRIPTORS_LIMIT = 8
# What is longer travels in memory of its own: the kernel takes no message of a thousand cameras.
_INLINE_BYTES = 48 * 1024
_MEMORY_LIMIT_BYTES = 256 << 20
_IN_MEMORY = b'"in memory"'


@dataclass(frozen=True, slots=True)
class Message:
    """One JSON object and the descriptors that came with it, now the receiver's to close."""

    body: dict[str, Any]
    descriptors: tuple[int, ...] = ()


class ControlChannel:
    """One end of the line between supervisor and child.

    `send` never waits: a status that the peer has no room for is dropped, since
    a newer one follows; `send_whole` waits, for orders that must arrive.
    """

    def __init__(self, end: socket.socket) -> None:
        self._end = end
        # Room for a configuration of hundreds of cameras; capped by the kernel, which is fine.
        end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, MESSAGE_LIMIT_BYTES)

    @staticmethod
    def pair() -> tuple[ControlChannel, socket.socket]:
        """The supervisor's channel, and the raw end to hand to a child."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        return ControlChannel(ours), theirs

    def send_whole(self, body: dict[str, Any], descriptors: tuple[int, ...] = (), timeout_s: float = 5.0) -> bool:
        """Send an order; false when the peer is gone or did not take it in time."""
        try:
            if not self._is_ready(select.POLLOUT, timeout_s):
                return False
            self._send(body, descriptors)
        except OSError:
            return False
        return True

    def send(self, body: dict[str, Any]) -> bool:
        """Send a status if there is room for it at once."""
        try:
            self._send(body, ())
        except OSError:
            return False
        return True

    def _send(self, body: dict[str, Any], descriptors: tuple[int, ...]) -> None:
        content = json.dumps(body).encode()
        memory = -1
        try:
            if len(content) > _INLINE_BYTES:
                memory = _memory_of(content)
                content, descriptors = _IN_MEMORY, (memory, *descriptors)
            rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", descriptors))] if descriptors else []
            self._end.sendmsg([content], rights, socket.MSG_DONTWAIT | socket.MSG_NOSIGNAL)
        finally:
            if memory >= 0:
                os.close(memory)

    def receive(self, timeout_s: float | None = None) -> Message | None:
        """The next message, or None when the peer is gone; raises `TimeoutError`."""
        if timeout_s is not None and not self._is_ready(select.POLLIN, timeout_s):
            raise TimeoutError("no message came in time")
        try:
            return self._receive()
        except ConnectionResetError:
            # The peer died with orders unread. That is said once, and before the words that it left.
            return self._receive()

    def _receive(self) -> Message | None:
        raw, descriptors, _flags, _address = socket.recv_fds(self._end, MESSAGE_LIMIT_BYTES, DESCRIPTORS_LIMIT)
        if not raw:
            return None
        if raw == _IN_MEMORY:
            return Message(json.loads(_read_memory(descriptors.pop(0))), tuple(descriptors))
        return Message(json.loads(raw), tuple(descriptors))

    def _is_ready(self, event: int, timeout_s: float) -> bool:
        # A time-out set on the socket itself would hold for the thread at its other end of work as well:
        # one thread receives while another sends.
        if self._end.fileno() < 0:
            raise OSError("the channel is closed")
        poll = select.poll()
        poll.register(self._end, event)
        return bool(poll.poll(timeout_s * 1000))

    def close(self) -> None:
        self._end.close()


def _memory_of(content: bytes) -> int:
    """A descriptor of memory without a name that holds `content`; it may hold passwords, and never touches a disk."""
    descriptor = os.memfd_create("lamppost", os.MFD_CLOEXEC)
    try:
        with os.fdopen(os.dup(descriptor), "wb") as file:
            file.write(content)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def _read_memory(descriptor: int) -> bytes:
    with os.fdopen(descriptor, "rb") as file:
        file.seek(0)
        return file.read(_MEMORY_LIMIT_BYTES)
