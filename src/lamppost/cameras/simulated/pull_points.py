"""Who listens to the simulated camera: pull points, each with a filter, a bounded queue and an end."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from lamppost.base.clock import Clock
from lamppost.cameras.simulated.notifications import Notification

MOST_POINTS: Final = 16
_MOST_MESSAGES: Final = 256


@dataclass(slots=True)
class PullPoint:
    """One listener. `ends_s` is by the monotonic clock; `keeps_s` is set where each pull puts the end off."""

    number: int
    wants: Callable[[str], bool]
    ends_s: float
    keeps_s: float | None
    messages: deque[tuple[Notification, int, str]] = field(default_factory=lambda: deque(maxlen=_MOST_MESSAGES))
    arrived: threading.Event = field(default_factory=threading.Event)


class PullPoints:
    """All listeners of a camera. When the camera goes down, whoever waits comes back at once."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._points: dict[int, PullPoint] = {}
        self._made = 0
        self._is_down = False

    def __len__(self) -> int:
        with self._lock:
            self._forget()
            return len(self._points)

    def open(self, wants: Callable[[str], bool], for_s: float, *, is_kept_by_pulling: bool) -> PullPoint | None:
        """A new listener; None where there are too many."""
        with self._lock:
            self._forget()
            if len(self._points) >= MOST_POINTS:
                return None
            self._made += 1
            point = PullPoint(self._made, wants, self._clock.monotonic_s() + for_s, for_s if is_kept_by_pulling else None)
            self._points[point.number] = point
            return point

    def point(self, number: int) -> PullPoint | None:
        with self._lock:
            self._forget()
            return self._points.get(number)

    def renew(self, point: PullPoint, for_s: float) -> None:
        with self._lock:
            point.ends_s = self._clock.monotonic_s() + for_s

    def close(self, point: PullPoint) -> None:
        with self._lock:
            self._points.pop(point.number, None)
            point.arrived.set()

    def tell(self, notification: Notification, at_us: int, operation: str = "Changed", *, to: PullPoint | None = None) -> None:
        with self._lock:
            self._forget()
            for point in self._points.values() if to is None else (to,):
                if point.wants(notification.topic):
                    point.messages.append((notification, at_us, operation))
                    point.arrived.set()

    def pull(self, point: PullPoint, timeout_s: float, limit: int) -> list[tuple[Notification, int, str]]:
        """Wait for messages until `timeout_s` is over, and take up to `limit`."""
        with self._lock:
            if not point.messages and not self._is_down:
                point.arrived.clear()
        self._clock.wait(point.arrived, timeout_s)
        with self._lock:
            if point.keeps_s is not None:
                point.ends_s = max(point.ends_s, self._clock.monotonic_s() + point.keeps_s)
            return [point.messages.popleft() for _ in range(min(limit, len(point.messages)))]

    @property
    def is_down(self) -> bool:
        return self._is_down

    def go_down(self) -> None:
        """Wake whoever waits; nobody waits from now on."""
        with self._lock:
            self._is_down = True
            for point in self._points.values():
                point.arrived.set()

    def come_up(self, *, is_rebooted: bool) -> None:
        """Let listeners wait again; after a reboot nobody is known any more."""
        with self._lock:
            self._is_down = False
            if is_rebooted:
                self._points.clear()

    def _forget(self) -> None:
        now_s = self._clock.monotonic_s()
        for point in [point for point in self._points.values() if point.ends_s <= now_s]:
            del self._points[point.number]
            point.arrived.set()
