"""Feeds a loop from sources that wait: files and the simulated street, each read by a thread of its own."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator
from typing import Final, Protocol

from lamppost.base.errors import CameraError, CameraUnreachable
from lamppost.base.loop import Loop
from lamppost.ingest.stream import Counters, StreamFacts, StreamSink
from lamppost.ingest.units import AccessUnit

MOST_QUEUED: Final = 256
_LOOK_S: Final = 0.1


class WaitingSource(Protocol):
    """A source whose reading may wait; `units` returns when the stop event is set, and raises `CameraError` otherwise."""

    def facts(self) -> StreamFacts: ...

    def units(self) -> Iterator[AccessUnit]: ...

    def close(self) -> None: ...


class ThreadStream:
    """Runs a source in a daemon thread and hands its units to the sink in the loop's thread, in order.

    At most 256 units wait; then the thread does. It ends soon after `close`, or after `stop` was set.
    `open_source` is called in the thread, with an event that is set when the stream is closed.
    """

    def __init__(
        self, loop: Loop, sink: StreamSink, stop: threading.Event, open_source: Callable[[threading.Event], WaitingSource], name: str
    ) -> None:
        self._loop = loop
        self._sink = sink
        self._stop = stop
        self._open_source = open_source
        self._is_closed = threading.Event()
        self._room = threading.Semaphore(MOST_QUEUED)
        self._queue: deque[AccessUnit] = deque()
        self._is_posted = False
        self._units = 0
        self._bytes = 0
        self._lock = threading.Lock()
        threading.Thread(target=self._read, name=name, daemon=True).start()

    @property
    def counters(self) -> Counters:
        """Pictures and bytes that were handed on."""
        return Counters(self._units, self._bytes)

    def close(self) -> None:
        """Take nothing more; may be called twice."""
        self._is_closed.set()

    def _is_over(self) -> bool:
        return self._is_closed.is_set() or self._stop.is_set()

    # In the reading thread.

    def _read(self) -> None:
        source: WaitingSource | None = None
        # What is not translated below is a bug; its traceback goes to standard error, and the owner must not wait for ever.
        failure: CameraError = CameraUnreachable("the thread that reads the video died of a bug", remedy="report it; it is started again")
        try:
            source = self._open_source(self._is_closed)
            facts = source.facts()
            self._loop.post(lambda: self._tell_opened(facts))
            for unit in source.units():
                if not self._put(unit):
                    return
        except CameraError as error:
            failure = error
        finally:
            if source is not None:
                source.close()
            if not self._is_over():
                self._loop.post(lambda: self._tell_ended(failure))

    def _put(self, unit: AccessUnit) -> bool:
        """Queue `unit`, waiting for room; false when nobody wants it any more."""
        while not self._room.acquire(timeout=_LOOK_S):
            if self._is_over():
                return False
        with self._lock:
            self._queue.append(unit)
            is_posted, self._is_posted = self._is_posted, True
        if not is_posted:
            self._loop.post(self._deliver)
        return not self._is_over()

    # In the loop's thread.

    def _tell_opened(self, facts: StreamFacts) -> None:
        if not self._is_closed.is_set():
            self._sink.opened(facts)

    def _deliver(self) -> None:
        with self._lock:
            units, self._is_posted = list(self._queue), False
            self._queue.clear()
        self._room.release(max(1, len(units)))
        if not units or self._is_closed.is_set():
            return
        self._units += len(units)
        self._bytes += sum(len(unit.data) for unit in units)
        try:
            self._sink.units(units)
        except CameraError as error:
            self._tell_ended(error)

    def _tell_ended(self, error: CameraError) -> None:
        if not self._is_closed.is_set():
            self._is_closed.set()
            self._sink.ended(error)
