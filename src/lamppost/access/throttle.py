"""Makes guessing slow: after some failures, a name and an address have to wait, longer each time."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

from lamppost.base.clock import Clock

FREE_FAILURES: Final = 5
FIRST_WAIT_S: Final = 2.0
LONGEST_WAIT_S: Final = 900.0
FORGET_S: Final = 3600.0
MOST_KEYS: Final = 20_000


@dataclass(slots=True)
class _Failures:
    count: int
    at_s: float


class Throttle:
    """Counts failures by key; what was quiet for an hour is forgotten, and the oldest where there are too many."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._mutex = threading.Lock()
        self._failures: OrderedDict[str, _Failures] = OrderedDict()

    def wait_s(self, *keys: str) -> float:
        """How long whoever has one of `keys` has to wait; 0 for not at all."""
        now_s = self._clock.monotonic_s()
        with self._mutex:
            return max((self._left_s(key, now_s) for key in keys), default=0.0)

    def note_failure(self, *keys: str) -> None:
        now_s = self._clock.monotonic_s()
        with self._mutex:
            for key in keys:
                failures = self._failures.pop(key, None)
                is_known = failures is not None and now_s - failures.at_s < FORGET_S
                count = failures.count + 1 if failures is not None and is_known else 1
                self._failures[key] = _Failures(count, now_s)
            while len(self._failures) > MOST_KEYS:
                self._failures.popitem(last=False)

    def forgive(self, key: str) -> None:
        """They have proven who they are."""
        with self._mutex:
            self._failures.pop(key, None)

    def _left_s(self, key: str, now_s: float) -> float:
        failures = self._failures.get(key)
        if failures is None or failures.count < FREE_FAILURES or now_s - failures.at_s >= FORGET_S:
            return 0.0
        wait_s = min(LONGEST_WAIT_S, FIRST_WAIT_S * 2.0 ** min(20, failures.count - FREE_FAILURES))
        return max(0.0, failures.at_s + wait_s - now_s)
