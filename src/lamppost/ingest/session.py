"""Opens a camera, whatever it is, and yields its packets run by run.

```python
with open_session("rtsp://camera/stream", clock=SystemClock(), stop=stop) as session:
    for item in session.items():  # RunStarted, then Packets and Gaps
        ...
```
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from types import TracebackType
from typing import Self

from lamppost.base.clock import Clock
from lamppost.base.errors import CameraError
from lamppost.ingest.files import FileSource
from lamppost.ingest.live import LiveSource
from lamppost.ingest.locator import Locator, Scheme, parse_locator
from lamppost.ingest.opening import OpeningWindow
from lamppost.ingest.runs import RunBuilder
from lamppost.ingest.simulation import SimulatedSource
from lamppost.ingest.units import UnitSource
from lamppost.model.media import Codec, SessionItem


class Session:
    """One connection to one stream. It is read once, by one thread, and closed."""

    def __init__(self, source: UnitSource, *, follows_arrival: bool = True) -> None:
        self._source = source
        self._follows_arrival = follows_arrival

    @property
    def codec(self) -> Codec:
        return self._source.codec

    def items(self) -> Iterator[SessionItem]:
        """Yield a `RunStarted`, then packets and gaps; returns when `stop` is set.

        Raises `CameraUnreachable`, `CameraRefused`, `UnsupportedStream`,
        `StreamEnded` or `TimestampError`. What came before the first keyframe
        is left out: it lies in the gap that the caller declares for the start.
        """
        source = self._source
        builder = RunBuilder(
            source.codec,
            parameter_sets=source.parameter_sets,
            nominal_interval_90k=source.nominal_interval_90k,
            follows_arrival=self._follows_arrival,
        )
        opening = OpeningWindow(origin_90k=source.origin_90k, nominal_interval_90k=source.nominal_interval_90k)
        try:
            for arrived in source.units():
                for unit in opening.push(arrived):
                    builder.learn_reordering(opening.reorder_depth)
                    yield from builder.push(unit)
        except CameraError:
            # What was held back came before the end.
            for unit in opening.flush():
                yield from builder.push(unit)
            raise

    def close(self) -> None:
        """Let go of the connection; may be called twice."""
        self._source.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


def open_session(
    url: str,
    *,
    clock: Clock,
    stop: threading.Event,
    username: str | None = None,
    password: str | None = None,
    timeout_s: float = 10.0,
) -> Session:
    """Open `url`: `rtsp://`, `rtsps://`, `sim://`, `file:PATH` or a plain path.

    Returns within `timeout_s`, or raises `ConfigError` (the address),
    `CameraUnreachable`, `CameraRefused` or `UnsupportedStream`; no message,
    cause or log line of theirs holds the password.
    """
    locator = parse_locator(url, username=username, password=password)
    return _open(locator, clock, stop, timeout_s)


def _open(locator: Locator, clock: Clock, stop: threading.Event, timeout_s: float) -> Session:
    if locator.scheme is Scheme.SIM:
        simulated = SimulatedSource(locator, clock, stop)
        return Session(simulated, follows_arrival=simulated.is_paced)
    if locator.scheme is Scheme.FILE:
        file = FileSource(locator, clock, stop, timeout_s)
        return Session(file, follows_arrival=file.is_paced)
    return Session(LiveSource(locator, clock, stop, timeout_s))
