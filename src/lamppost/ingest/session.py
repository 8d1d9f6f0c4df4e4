"""Reads a stream as a plain iterator, for callers that have a thread to wait in.

```python
with open_session("rtsp://camera/stream", clock=SystemClock(), stop=stop, networks=networks) as session:
    for item in session.items():  # RunStarted, then Packets and Gaps
        ...
```
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator, Sequence
from types import TracebackType
from typing import Self

from lamppost.base.clock import Clock, SystemClock
from lamppost.base.errors import CameraError
from lamppost.base.loop import Loop
from lamppost.ingest.intake import Intake
from lamppost.ingest.opening_streams import open_stream
from lamppost.ingest.stream import Stream, StreamFacts, Transport
from lamppost.ingest.units import AccessUnit
from lamppost.model.media import Codec, SessionItem
from lamppost.model.networks import CameraNetworks


class Session:
    """One connection to one stream, with a loop of its own. It is read once, by one thread, and closed."""

    def __init__(self, stop: threading.Event) -> None:
        self._stop = stop
        # A stream's own clock may be a simulated one, that a sleeping loop must not move.
        self.loop = Loop(SystemClock())
        self.stream: Stream | None = None
        self.facts: StreamFacts | None = None
        self._intake: Intake | None = None
        self._items: deque[SessionItem] = deque()
        self._error: CameraError | None = None

    @property
    def codec(self) -> Codec:
        return self.facts.codec if self.facts is not None else Codec.H264

    def opened(self, facts: StreamFacts) -> None:
        self.facts = facts
        self._intake = Intake(facts)

    def units(self, units: Sequence[AccessUnit]) -> None:
        if self._intake is not None:
            self._items.extend(self._intake.push(units))

    def ended(self, error: CameraError) -> None:
        self._error = error

    def await_opening(self) -> None:
        """Return when the stream is open or `stop` is set. Raises `CameraError`."""
        while self.facts is None and not self._stop.is_set():
            if self._error is not None:
                raise self._error
            self.loop.step()

    def items(self) -> Iterator[SessionItem]:
        """Yield a `RunStarted`, then packets and gaps; returns when `stop` is set.

        Raises `CameraUnreachable`, `CameraRefused`, `UnsupportedStream`,
        `StreamEnded` or `TimestampError`. What came before the first keyframe
        is left out: it lies in the gap that the caller declares for the start.
        """
        while not self._stop.is_set():
            while self._items and not self._stop.is_set():
                yield self._items.popleft()
            if self._error is not None:
                # What was held back came before the end.
                yield from self._intake.flush() if self._intake is not None else ()
                raise self._error
            if not self._stop.is_set():
                self.loop.step()

    def close(self) -> None:
        """Let go of the connection; may be called twice."""
        if self.stream is not None:
            self.stream.close()
            self.loop.close()
            self.stream = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


def open_session(
    url: str,
    *,
    clock: Clock,
    stop: threading.Event,
    networks: CameraNetworks,
    username: str | None = None,
    password: str | None = None,
    timeout_s: float = 10.0,
    transport: Transport = "tcp",
    certificate_sha256: str | None = None,
) -> Session:
    """Open `url` and wait until it is open, `timeout_s` at most; see `open_stream`.

    Raises `ConfigError` (the address), `CameraUnreachable`, `CameraRefused` or
    `UnsupportedStream`; no message, cause or log line of theirs holds the password.
    """
    session = Session(stop)
    try:
        session.stream = open_stream(
            url,
            loop=session.loop,
            clock=clock,
            sink=session,
            stop=stop,
            networks=networks,
            username=username,
            password=password,
            timeout_s=timeout_s,
            transport=transport,
            certificate_sha256=certificate_sha256,
        )
        session.await_opening()
    except BaseException:
        session.close()
        raise
    return session
