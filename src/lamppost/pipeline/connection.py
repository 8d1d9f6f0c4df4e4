"""Keeps one stream of a camera open: connects, hands on what comes, and tries again, each time later.

Runs in the loop's thread and waits for nothing. A bug in what reads the stream
ends this connection alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from lamppost.base.clock import Clock
from lamppost.base.errors import CameraError, LamppostError
from lamppost.base.loop import GuardedLoop, Loop, Timer
from lamppost.ingest.backoff import Backoff
from lamppost.ingest.intake import Intake
from lamppost.ingest.stream import Stream, StreamFacts, StreamSink
from lamppost.ingest.units import AccessUnit
from lamppost.model.media import SessionItem
from lamppost.model.networks import CameraNetworks

STEADY_S: Final = 30.0  # after a session that lasted so long the pause is the shortest again
REVIVAL_PAUSE_S: Final = 5.0

Open = Callable[[Loop, StreamSink], Stream]
"""Begins to open the stream on a loop, for a sink; raises `LamppostError` when that cannot even be tried."""


@dataclass(frozen=True, slots=True)
class ConnectionEvents:
    """Whom to tell; each is called in the loop's thread."""

    on_open: Callable[[], None]
    on_items: Callable[[Sequence[SessionItem]], None]
    on_trouble: Callable[[LamppostError], None]
    on_bug: Callable[[BaseException], None]


class StreamConnection:
    """One stream, from `start` to `stop`; in between it is open, or the next attempt is due."""

    def __init__(self, open_: Open, events: ConnectionEvents, *, loop: Loop, clock: Clock, backoff: Backoff) -> None:
        self._open = open_
        self._events = events
        self._loop = loop
        self._guarded = GuardedLoop(loop, self._end_by_bug)
        self._clock = clock
        self._backoff = backoff
        self._attempt: _Attempt | None = None
        self._timer: Timer | None = None
        self._is_started = False

    @property
    def stream(self) -> Stream | None:
        """What is open or being opened now, for its counters."""
        return self._attempt.stream if self._attempt is not None else None

    def start(self) -> None:
        """Connect; does nothing when started already."""
        if not self._is_started:
            self._is_started = True
            self._connect()

    def stop(self) -> None:
        """Hand on what is held back, let go of the stream, and try no more."""
        self._is_started = False
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        attempt, self._attempt = self._attempt, None
        if attempt is None:
            return
        try:
            self._hand_on(attempt.finish())
        except Exception as error:  # noqa: BLE001  (a bug with one camera must not end the recording of ninety-nine others)
            self._events.on_bug(error)

    def judge_again(self, networks: CameraNetworks) -> bool:
        """`networks` have changed: true where it had to let go, because it led elsewhere; whoever waits tries now."""
        peer = getattr(self.stream, "peer", None)
        if not self._is_started or (self.stream is not None and (peer is None or networks.holds(peer))):
            return False
        had = self.stream is not None
        self.stop()
        self.start()
        return had

    def _connect(self) -> None:
        self._timer = None
        attempt = self._attempt = _Attempt(self, self._clock.monotonic_s())
        try:
            attempt.stream = self._open(self._guarded, attempt)
        except LamppostError as error:
            self.lost(attempt, error)
        except Exception as error:  # noqa: BLE001  (a bug with one camera must not end the recording of ninety-nine others)
            self._end_by_bug(error)

    def opened(self, attempt: _Attempt) -> None:
        """For the attempt: the camera has answered."""
        if attempt is self._attempt:
            self._events.on_open()

    def received(self, attempt: _Attempt, items: Sequence[SessionItem]) -> None:
        """For the attempt: something came."""
        if attempt is self._attempt:
            self._hand_on(items)

    def lost(self, attempt: _Attempt, error: LamppostError) -> None:
        """For the attempt: it is over."""
        if attempt is not self._attempt:
            return
        self._attempt = None
        self._hand_on(attempt.finish())
        if self._clock.monotonic_s() - attempt.began_s > STEADY_S:
            self._backoff.reset()
        self._events.on_trouble(error)
        self._retry(self._backoff.next_s())

    def _hand_on(self, items: Sequence[SessionItem]) -> None:
        if items:
            self._events.on_items(items)

    def _end_by_bug(self, error: BaseException) -> None:
        attempt, self._attempt = self._attempt, None
        self._events.on_bug(error)
        if attempt is not None and attempt.stream is not None:
            try:
                attempt.stream.close()
            except Exception as second:  # noqa: BLE001  (what is broken may not even close)
                self._events.on_bug(second)
        self._retry(REVIVAL_PAUSE_S)

    def _retry(self, delay_s: float) -> None:
        if self._timer is not None:  # one attempt at a time, whatever was late to fail
            self._timer.cancel()
        self._timer = self._guarded.call_later(delay_s, self._connect) if self._is_started else None


class _Attempt:
    """One attempt and the session that it becomes; the sink of its stream."""

    def __init__(self, connection: StreamConnection, began_s: float) -> None:
        self._connection = connection
        self._intake: Intake | None = None
        self.began_s = began_s
        self.stream: Stream | None = None

    def opened(self, facts: StreamFacts) -> None:
        self._intake = Intake(facts)
        self._connection.opened(self)

    def units(self, units: Sequence[AccessUnit]) -> None:
        if self._intake is None:
            return
        try:
            items = self._intake.push(units)
        except CameraError as error:
            self._connection.lost(self, error)
            return
        self._connection.received(self, items)

    def ended(self, error: CameraError) -> None:
        self._connection.lost(self, error)

    def finish(self) -> list[SessionItem]:
        """Close the stream; what was held back came before the end."""
        if self.stream is not None:
            self.stream.close()
        intake, self._intake = self._intake, None
        if intake is None:
            return []
        try:
            return intake.flush()
        except CameraError:  # the stream has told a better reason already, or was closed on purpose
            return []
