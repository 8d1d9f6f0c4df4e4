"""How long to wait before a camera is tried again: longer each time, never in step with others."""

from __future__ import annotations

from random import Random


class Backoff:
    """Delays that double up to a cap, each with jitter between a half and the whole.

    Jitter keeps a hundred cameras behind one dead switch from coming back at once.
    """

    def __init__(self, *, random: Random, first_s: float = 0.5, cap_s: float = 15.0) -> None:
        self._random = random
        self._first_s = first_s
        self._cap_s = cap_s
        self._whole_s = first_s

    def next_s(self) -> float:
        """The seconds to wait now; the next answer may be twice as long."""
        whole_s = self._whole_s
        self._whole_s = min(self._cap_s, whole_s * 2)
        return whole_s * self._random.uniform(0.5, 1.0)

    def reset(self) -> None:
        """Start again from the shortest delay: the camera has answered."""
        self._whole_s = self._first_s
