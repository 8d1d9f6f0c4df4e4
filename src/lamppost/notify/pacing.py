"""When to offer again what was not taken: later each time, never in step with others, and one bad message delays no other."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Final

FIRST_S: Final = 1.0
CAP_S: Final = 60.0
LONGEST_RETRY_AFTER_S: Final = 3600.0
FAILING_NOTICES: Final = 3  # so many different ones in a row are no longer the fault of the notices

Key = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Pause:
    """How long the notice is left alone, and how long the carrier."""

    notice_s: float
    carrier_s: float


def delay_s(failures: int, random: Random) -> float:
    """The wait after so many failures, 1 at least: doubled with each up to a cap, then between a half and the whole of it."""
    whole_s = min(CAP_S, FIRST_S * 2.0 ** min(failures - 1, 30))
    return whole_s * random.uniform(0.5, 1.0)


class Pace:
    """How one carrier is doing."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._failures = 0  # in a row, of the carrier
        self._failed: set[Key] = set()

    def succeed(self) -> None:
        """Something was taken."""
        self._failures = 0
        self._failed.clear()

    def fail(self, key: Key | None, attempt: int, *, is_about_all: bool, retry_after_s: float = 0.0) -> Pause:
        """The notice `key` was offered for the `attempt`th time, or None was and the carrier cannot be reached."""
        if key is not None and len(self._failed) < FAILING_NOTICES:
            self._failed.add(key)
        told_s = min(retry_after_s, LONGEST_RETRY_AFTER_S)
        if not (is_about_all or told_s or len(self._failed) >= FAILING_NOTICES):
            return Pause(delay_s(attempt, self._random), 0.0)
        self._failures += 1
        carrier_s = max(told_s, delay_s(self._failures, self._random))
        # The notice waits as long as the carrier, and then behind those that have waited longer: it may be the one that is bad.
        return Pause(carrier_s, carrier_s)
