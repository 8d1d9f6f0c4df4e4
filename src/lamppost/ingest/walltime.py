"""Maps a stream's time to UTC: anchored at arrival, then drawn slowly towards it.

A camera's clock drifts by some tens of ppm, and packets arrive late by what the
network adds, never early. So the least lateness of ten seconds is the measure,
and the map bends by at most 500 ppm: smooth enough for any player, and enough
to follow every quartz.
"""

from __future__ import annotations

from collections import deque

from lamppost.base.clock import TICKS_PER_S, US_PER_S

MOST_SLEW = 500e-6
# Beyond this the camera's clock runs off faster than slewing may follow.
MOST_DRIFT_US = 2 * US_PER_S
_WINDOW_90K = 10 * TICKS_PER_S
# An error is worked off over this time.
_SETTLE_US = 60 * US_PER_S
# Pictures older than this many newer ones are placed by the oldest slope.
_PIVOTS_KEPT = 64


class WallMap:
    """UTC of every pts of one run; strictly increasing with pts, also between B-frames.

    The map is a chain of straight pieces between the newest pictures; what was
    once said of a pts stays true.
    """

    def __init__(self, pts_90k: int, wall_us: int, *, follows_arrival: bool = True, rate: float = 0.0) -> None:
        self._pivots: deque[tuple[int, int]] = deque([(pts_90k, wall_us)], maxlen=_PIVOTS_KEPT)
        self._follows_arrival = follows_arrival
        self._rate = rate
        self._window_start_90k = pts_90k
        self._least_late_us: int | None = None
        self.drift_us = 0

    @property
    def rate(self) -> float:
        """How much faster than nominal UTC passes by the stream's clock, e.g. 100e-6."""
        return self._rate

    def at(self, pts_90k: int) -> int:
        """UTC of `pts_90k` in microseconds."""
        newest_pts, newest_wall = self._pivots[-1]
        if pts_90k >= newest_pts:
            return newest_wall + _span_us(pts_90k - newest_pts, self._rate)
        for index in range(len(self._pivots) - 1, 0, -1):
            left_pts, left_wall = self._pivots[index - 1]
            if pts_90k >= left_pts:
                right_pts, right_wall = self._pivots[index]
                return left_wall + (pts_90k - left_pts) * (right_wall - left_wall) // (right_pts - left_pts)
        oldest_pts, oldest_wall = self._pivots[0]
        return oldest_wall + _span_us(pts_90k - oldest_pts, 0.0)

    def advance(self, pts_90k: int, arrival_us: int) -> int:
        """UTC of `pts_90k`, which arrived at `arrival_us`; bends the map for what follows."""
        wall_us = self.at(pts_90k)
        if pts_90k > self._pivots[-1][0]:
            self._pivots.append((pts_90k, wall_us))
        if self._follows_arrival:
            self._observe(pts_90k, arrival_us - wall_us)
        return wall_us

    def _observe(self, pts_90k: int, late_us: int) -> None:
        self._least_late_us = late_us if self._least_late_us is None else min(self._least_late_us, late_us)
        if pts_90k - self._window_start_90k < _WINDOW_90K:
            return
        self.drift_us = self._least_late_us
        self._rate = max(-MOST_SLEW, min(MOST_SLEW, self._least_late_us / _SETTLE_US))
        self._window_start_90k = pts_90k
        self._least_late_us = None


def _span_us(ticks_90k: int, rate: float) -> int:
    nominal_us = ticks_90k * 100 // 9
    return nominal_us + round(nominal_us * rate)
