"""One thread that reads the feeds of all cameras of a process, each into a queue with a bound.

What no queue has room for stays in its socket, where the recorder finds it full
and drops to the next keyframe: memory stays bounded, however slow the masking is.
"""

from __future__ import annotations

import queue
import socket
import threading
from collections import deque
from collections.abc import Callable
from typing import Final

from lamppost.base.clock import Clock
from lamppost.base.loop import Loop
from lamppost.model.media import Packet
from lamppost.pipeline.feed import PIECE_BYTES, FeedItem, FeedParser

QUEUE_PACKETS: Final = 90  # some seconds
QUEUE_BYTES: Final = 8 << 20
# A live picture waits for its packet to be read: four times as often as a recorder reads costs a percent of a core.
READ_TICK_S: Final = 0.01
_ROOM_SHARE = 0.75  # a full queue is filled again once so much or less of it is taken


class FeedQueue:
    """What has been read of one feed and is not masked yet, bounded in packets and in bytes.

    One thread puts, one takes. `put` never waits and never refuses: it says
    whether there is room for more, and whoever puts holds back until `on_room` is called.
    """

    def __init__(self, on_room: Callable[[], None] | None = None) -> None:
        self._on_room = on_room
        self._items: deque[FeedItem | None] = deque()
        self._bytes = 0
        self._is_full = False
        self._changed = threading.Condition()

    @property
    def share(self) -> float:
        """How full it is; a little over 1 after the last item that still found room."""
        return max(len(self._items) / QUEUE_PACKETS, self._bytes / QUEUE_BYTES)

    def put(self, item: FeedItem | None) -> bool:
        """Add `item`, None at the feed's end; false where nothing more shall follow for now."""
        with self._changed:
            self._items.append(item)
            self._bytes += _size_of(item)
            self._is_full = self.share >= 1.0
            self._changed.notify()
            return not self._is_full

    def get(self, timeout_s: float) -> FeedItem | None:
        """The oldest item, None at the feed's end; raises `queue.Empty` when none comes in time."""
        with self._changed:
            if not self._changed.wait_for(lambda: bool(self._items), timeout_s):
                raise queue.Empty
            item = self._items.popleft()
            self._bytes -= _size_of(item)
            has_room = self._is_full and self.share <= _ROOM_SHARE
            if has_room:
                self._is_full = False
        if has_room and self._on_room is not None:
            self._on_room()
        return item


def _size_of(item: FeedItem | None) -> int:
    return len(item.data) if isinstance(item, Packet) else 0


class Reading:
    """One feed that is being read; everything but `close` happens in the reader's thread."""

    def __init__(self, end: socket.socket, loop: Loop) -> None:
        self.items = FeedQueue(lambda: loop.post(self._watch))
        self._end = end
        self._loop = loop
        self._parser = FeedParser()
        end.setblocking(False)
        loop.post(self._watch)

    def close(self) -> None:
        """From any thread: read no more; the recorder finds the socket closed."""
        self._loop.post(self._hang_up)

    def _watch(self) -> None:
        if self._end.fileno() >= 0:
            self._loop.watch(self._end.fileno(), self._read)

    def _read(self) -> None:
        try:
            piece = self._end.recv(PIECE_BYTES)
        except BlockingIOError:
            return
        except OSError:
            piece = b""  # a dead recorder resets the socket; what it sent is in the queue
        has_room = True
        for item in self._parser.take(piece):
            has_room = self.items.put(item)
        if not piece or self._parser.is_broken:
            self._hang_up()
            self.items.put(None)
        elif not has_room:
            self._loop.unwatch(self._end.fileno())

    def _hang_up(self) -> None:
        if self._end.fileno() >= 0:
            self._loop.unwatch(self._end.fileno())
            self._end.close()


class FeedReader:
    """The thread that reads all feeds; to be closed after those who take from the queues."""

    def __init__(self, clock: Clock) -> None:
        self.loop = self._loop = Loop(clock, tick_s=READ_TICK_S)  # also for others that never wait, such as live sockets
        self._stop = threading.Event()
        self.thread = threading.Thread(target=self._loop.run, args=(self._stop,), name="feeds", daemon=True)
        self.thread.start()

    def read(self, end: socket.socket) -> Reading:
        """From any thread: read `end`, which is the reader's from now on."""
        return Reading(end, self._loop)

    def close(self) -> None:
        """Read no more."""
        self._stop.set()
        self._loop.post(_nothing)
        self.thread.join()
        self._loop.step()  # readings that were closed at the very end still close their sockets
        self._loop.close()


def _nothing() -> None:
    """Wakes the loop, so that it sees that it shall stop."""
