"""Makes guessing slow: after some failures, a name and an address have to wait, longer each time."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Final

from lamppost.base.clock import Clock
from lamppost.base.errors import LamppostError

FREE_FAILURES: Final = 5
FIRST_WAIT_S: Final = 2.0
LONGEST_WAIT_S: Final = 900.0
FORGET_S: Final = 3600.0
MOST_KEYS: Final = 20_000
_OWN_BITS: Final = 64  # of an IPv6 address: whoever has one has all that begin so (RFC 6177)


class SignInThrottled(LamppostError):
    """Too many failures, or too many at once: nothing is looked at before `wait_s` have passed."""

    def __init__(self, wait_s: float) -> None:
        super().__init__("too many attempts", remedy=f"wait {wait_s:.0f} s")
        self.wait_s = wait_s


@dataclass(slots=True)
class _Failures:
    count: int
    at_s: float


@dataclass(frozen=True, slots=True)
class Attempt:
    """One that is being looked at; `quiet_since_s` has when each key failed before, None for never."""

    at_s: float
    quiet_since_s: tuple[tuple[str, float | None], ...]


class Throttle:
    """Counts failures by key; what was quiet for an hour is forgotten, and the oldest where there are too many.

    An attempt counts as a failure from its beginning, so that many at once are no way around it. `give_back` takes it
    out again once it is known to be none.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._mutex = threading.Lock()
        self._failures: OrderedDict[str, _Failures] = OrderedDict()

    def begin(self, *keys: str) -> Attempt:
        """Raises `SignInThrottled` where one of `keys` has to wait; then nothing is counted."""
        now_s = self._clock.monotonic_s()
        with self._mutex:
            wait_s = max((self._left_s(key, now_s) for key in keys), default=0.0)
            if wait_s > 0:
                raise SignInThrottled(wait_s)
            return Attempt(now_s, tuple((key, self._count(key, now_s)) for key in keys))

    def give_back(self, attempt: Attempt) -> None:
        """It was no failure."""
        with self._mutex:
            for key, quiet_since_s in attempt.quiet_since_s:
                failures = self._failures.get(key)
                if failures is None:
                    continue
                failures.count -= 1
                if failures.count <= 0:
                    del self._failures[key]
                elif failures.at_s == attempt.at_s and quiet_since_s is not None:
                    failures.at_s = quiet_since_s

    def forgive(self, key: str) -> None:
        """They have proven who they are."""
        with self._mutex:
            self._failures.pop(key, None)

    def _count(self, key: str, now_s: float) -> float | None:
        """One more; when it failed last."""
        failures = self._failures.pop(key, None)
        is_known = failures is not None and now_s - failures.at_s < FORGET_S
        self._failures[key] = _Failures(failures.count + 1 if failures is not None and is_known else 1, now_s)
        while len(self._failures) > MOST_KEYS:
            self._failures.popitem(last=False)
        return failures.at_s if failures is not None and is_known else None

    def _left_s(self, key: str, now_s: float) -> float:
        failures = self._failures.get(key)
        if failures is None or failures.count < FREE_FAILURES or now_s - failures.at_s >= FORGET_S:
            return 0.0
        wait_s = min(LONGEST_WAIT_S, FIRST_WAIT_S * 2.0 ** min(20, failures.count - FREE_FAILURES))
        return max(0.0, failures.at_s + wait_s - now_s)


def household(address: str) -> str:
    """Whom an address belongs to: with IPv6 the network of 64 bits, since one household or machine has all of it."""
    try:
        place = ip_address(address)
    except ValueError:
        return address
    if not isinstance(place, IPv6Address):
        return address
    # A socket that listens at `::` tells of IPv4 so.
    if place.ipv4_mapped is not None:
        return str(place.ipv4_mapped)
    return str(ip_network((int(place), _OWN_BITS), strict=False))
