"""Time, injected: durations from a monotonic clock, dates from the wall clock.

Three clocks are never mixed: `pts` belongs to a stream, `monotonic` measures
durations, `wall` is UTC as whole microseconds since 1970.
"""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime
from typing import Protocol

US_PER_S = 1_000_000
TICKS_PER_S = 90_000


class Clock(Protocol):
    """What a stage may know of time."""

    def wall_us(self) -> int:
        """UTC now, in microseconds since 1970."""
        ...

    def monotonic_s(self) -> float:
        """Seconds since an arbitrary start; never steps."""
        ...

    def wait(self, stop: threading.Event, timeout_s: float) -> bool:
        """Wait until `stop` is set or `timeout_s` have passed; true if it was set."""
        ...


class SystemClock:
    """The machine's clocks."""

    def wall_us(self) -> int:
        return time.time_ns() // 1000

    def monotonic_s(self) -> float:
        return time.monotonic()

    def wait(self, stop: threading.Event, timeout_s: float) -> bool:
        return stop.wait(timeout_s)


class ManualClock:
    """A clock that stands still until it is moved, for tests and simulations.

    `wait` moves both clocks on by its time-out instead of sleeping.
    """

    def __init__(self, wall_us: int = 1_700_000_000 * US_PER_S) -> None:
        self._wall_us = wall_us
        self._monotonic_s = 0.0

    def wall_us(self) -> int:
        return self._wall_us

    def monotonic_s(self) -> float:
        return self._monotonic_s

    def wait(self, stop: threading.Event, timeout_s: float) -> bool:
        if not stop.is_set():
            self.advance(timeout_s)
        return stop.is_set()

    def advance(self, seconds: float) -> None:
        """Move both clocks on, as time passes."""
        self._monotonic_s += seconds
        self._wall_us += round(seconds * US_PER_S)

    def step_wall(self, seconds: float) -> None:
        """Step the wall clock alone, as NTP or a person does."""
        self._wall_us += round(seconds * US_PER_S)


def us_from_90k(ticks_90k: int) -> int:
    """Microseconds of a duration in 90 kHz ticks, rounded to the nearest."""
    return (ticks_90k * 100 + 4) // 9


def format_utc(wall_us: int) -> str:
    """ISO 8601 in UTC with milliseconds, e.g. `2026-11-23T10:00:00.250Z`."""
    moment = datetime.fromtimestamp(wall_us // US_PER_S, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{wall_us % US_PER_S // 1000:03d}Z"


def parse_utc(text: str) -> int:
    """Microseconds since 1970 of an ISO 8601 time; one without a zone is UTC.

    Raises `ValueError` when `text` is not such a time.
    """
    moment = datetime.fromisoformat(text.strip())
    try:
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except OverflowError as error:  # a zone takes it out of the years 1 to 9999
        raise ValueError("this time has no UTC date") from error
    delta = moment - datetime(1970, 1, 1, tzinfo=UTC)
    return (delta.days * 86_400 + delta.seconds) * US_PER_S + delta.microseconds
