"""One who watches a live stream through a socket, and gets what there is room for.

Nothing waits for a subscriber: what it is too slow for is left out up to the
next keyframe, so that it goes on with the present and not with what has piled up.
"""

from __future__ import annotations

import select
import socket
from collections import deque
from collections.abc import Callable, Sequence
from typing import Final

from lamppost.base.clock import Clock
from lamppost.base.loop import Loop
from lamppost.record.live import LiveFragment

UNSENT_BYTES: Final = 4 << 20  # beyond what the socket itself holds
UNSENT_FRAGMENTS: Final = 120
SILENT_S: Final = 30.0  # who takes nothing for so long loses the seat
LINGER_S: Final = 2.0  # for what is still unsent when a run ends


class Subscriber:
    """One connection; everything happens in the loop's thread.

    It gets an init segment, then fragments from a keyframe on, whole and in order. It has nothing to say: a byte from
    it ends the connection, as its end does; to close the half that it sends on is fine. `on_dropped` is told how many
    fragments it missed, `on_gone` once that it went.
    """

    def __init__(
        self, end: socket.socket, loop: Loop, clock: Clock, *, on_dropped: Callable[[int], None], on_gone: Callable[[Subscriber], None]
    ) -> None:
        self._end = end
        self._loop = loop
        self._clock = clock
        self._on_dropped = on_dropped
        self._on_gone = on_gone
        self._head = memoryview(b"")  # what is being sent: it is never dropped, for half a fragment ends a stream
        self._unsent: deque[bytes] = deque()
        self._unsent_bytes = 0
        self._is_behind = False
        self._is_ending = False
        self._moved_s = clock.monotonic_s()
        end.setblocking(False)
        self._is_blocked = False
        loop.watch(end.fileno(), self._hear)

    def begin(self, init: bytes, fragments: Sequence[LiveFragment]) -> None:
        """Send a run from its newest keyframe on, with which `fragments` begin."""
        self._head = memoryview(init)
        for fragment in fragments:
            self.offer(fragment)

    def offer(self, fragment: LiveFragment) -> None:
        """Send the next fragment, or leave it out."""
        if self._is_behind and not fragment.is_keyframe:
            self._on_dropped(1)
            return
        if self._unsent_bytes + len(fragment.data) > UNSENT_BYTES or len(self._unsent) >= UNSENT_FRAGMENTS:
            self._fall_behind()
            if self._end.fileno() < 0:
                return
            if not fragment.is_keyframe or len(fragment.data) > UNSENT_BYTES:
                self._on_dropped(1)
                return
        self._is_behind = False
        self._unsent.append(fragment.data)
        self._unsent_bytes += len(fragment.data)
        if self._end.fileno() >= 0:
            self._send()

    def finish(self) -> None:
        """The run is over: close once all is sent, or soon."""
        self._is_ending = True
        if self._has_unsent():
            self._loop.call_later(LINGER_S, self.close)
        else:
            self.close()

    def close(self) -> None:
        """Hang up; a second call does nothing."""
        if self._end.fileno() < 0:
            return
        self._loop.unwatch(self._end.fileno())
        self._end.close()
        self._unsent.clear()
        self._on_gone(self)

    def _fall_behind(self) -> None:
        """Leave out what nobody has begun to send."""
        self._is_behind = True
        self._on_dropped(len(self._unsent))
        self._unsent.clear()
        self._unsent_bytes = 0
        if self._clock.monotonic_s() - self._moved_s > SILENT_S:
            self.close()

    def _has_unsent(self) -> bool:
        return bool(self._head or self._unsent)

    def _send(self) -> None:
        """Send as much as there is room for; the rest when there is room again."""
        while self._has_unsent():
            if not self._head:
                self._head = memoryview(self._unsent.popleft())
                self._unsent_bytes -= len(self._head)
            try:
                sent = self._end.send(self._head, socket.MSG_NOSIGNAL)
            except BlockingIOError:
                if not self._is_blocked:
                    self._is_blocked = True
                    self._loop.watch(self._end.fileno(), self._send, for_write=True)
                return
            except OSError:
                self.close()
                return
            self._head = self._head[sent:]
            self._moved_s = self._clock.monotonic_s()
        if self._is_ending:
            self.close()
        elif self._is_blocked:
            self._is_blocked = False
            self._loop.watch(self._end.fileno(), self._hear)

    def _hear(self) -> None:
        try:
            is_end = not self._end.recv(1)
        except BlockingIOError:
            return
        except OSError:
            is_end = False
        if is_end and not _is_hung_up(self._end):
            self._loop.unwatch(self._end.fileno())  # it still reads; that it no longer does is seen when it is sent to
        else:
            self.close()


def _is_hung_up(end: socket.socket) -> bool:
    poll = select.poll()
    poll.register(end, 0)
    return bool(poll.poll(0))
