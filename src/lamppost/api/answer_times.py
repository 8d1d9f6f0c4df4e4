"""How long answers take to begin, counted in bounded classes, for the metrics."""

from __future__ import annotations

from bisect import bisect_left
from typing import Any, Final

BOUNDS_S: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class AnswerTimes:
    """From a request to the first word of its answer; how long a clip is sent is the network's affair."""

    def __init__(self) -> None:
        self._counts = [0] * (len(BOUNDS_S) + 1)
        self._sum_s = 0.0

    def note(self, took_s: float) -> None:
        """One answer has begun."""
        self._counts[bisect_left(BOUNDS_S, took_s)] += 1
        self._sum_s += took_s

    def figures(self) -> dict[str, Any]:
        """`{"bounds_s", "counts": so many up to each bound and above the one before, and last those above all, "sum_s"}`."""
        return {"bounds_s": list(BOUNDS_S), "counts": list(self._counts), "sum_s": round(self._sum_s, 6)}
