"""How fast one thing goes, and since when it stands: from a second or two of where it was.

Boxes of detectors tremble, so that nothing is said of a single step. Samples are a tenth of a second apart, whatever the
frame rate; what was seen in between is averaged.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from lamppost.events.geometry import XY

_SAMPLE_S = 0.1
_WINDOW_S = 1.0
_LONGEST_S = 5.0  # of what is remembered, where few pictures come
_LEAST_SAMPLES = 3
_MOST_SAMPLES = 64
_LEAST_BASE_S = 0.3  # a speed over less time is noise
_KMH = 3.6
_STILL_AFTER_S = 2.0
_STILL_SHARE = 0.12  # of its own size: what moves less stands
_MOVES_SHARE = 0.3  # and what stands moves when it has gone so far
_DRIFT_S = 30.0  # a box that grows with a shadow does not move

_Moment = tuple[float, float, float]  # when, and where


@dataclass(slots=True)
class _Sample:
    at_s: float
    place: XY
    ground: XY | None


class Pace:
    """The recent past of one thing. Times do not run back.

    `velocity_kmh` (east, north) is None without a calibration, and until there is enough to tell. `still_since_s` is None
    while it moves, and during the first two seconds.
    """

    def __init__(self, at_s: float) -> None:
        self.velocity_kmh: XY | None = None
        self.still_since_s: float | None = None
        self._since_s = at_s
        self._samples: deque[_Sample] = deque(maxlen=_MOST_SAMPLES)
        self._open: deque[_Moment] = deque(maxlen=_MOST_SAMPLES)  # what was seen since the last sample
        self._open_ground: deque[_Moment] = deque(maxlen=_MOST_SAMPLES)
        self._reference: XY | None = None
        self._reference_s = at_s

    def see(self, at_s: float, place: XY, extent: XY, ground: XY | None) -> float:
        """It was seen with its middle at `place`, as wide and high as `extent`: shares of the picture's height. `ground` is in metres.

        `ground` is None where its foot is not to be seen. Returns the seconds since the last sample if this made one, else 0.
        """
        last_s = self._samples[-1].at_s if self._samples else None
        self._open.append((at_s, *place))
        if ground is not None:
            self._open_ground.append((at_s, *ground))
        if last_s is not None and at_s - last_s < _SAMPLE_S:
            return 0.0
        self._keep(at_s)
        self._weigh_speed()
        passed_s = _SAMPLE_S if last_s is None else min(at_s - last_s, 1.0)
        self._weigh_stillness(at_s, extent, passed_s)
        return passed_s

    def _keep(self, at_s: float) -> None:
        _, x, y = _mean(self._open)
        ground = None
        if self._open_ground:
            _, east, north = _mean(self._open_ground)
            ground = (east, north)
        samples = self._samples
        # The last time, not the mean of them: samples stay as far apart as they are. The lag is the same for all.
        samples.append(_Sample(at_s, (x, y), ground))
        self._open.clear()
        self._open_ground.clear()
        while len(samples) > _LEAST_SAMPLES and at_s - samples[0].at_s > _WINDOW_S + _SAMPLE_S / 2:
            samples.popleft()
        while at_s - samples[0].at_s > _LONGEST_S:
            samples.popleft()

    def _weigh_speed(self) -> None:
        """The slope of the ground over time, by least squares."""
        known = [(sample.at_s, sample.ground) for sample in self._samples if sample.ground is not None]
        if len(known) < 2 or known[-1][0] - known[0][0] < _LEAST_BASE_S:
            return
        # Sums from the last sample on: they stay small, and lose nothing to rounding.
        last_s, (last_east, last_north) = known[-1]
        sum_s = sum_east = sum_north = squares = with_east = with_north = 0.0
        for at_s, (east, north) in known:
            since_s, east, north = at_s - last_s, east - last_east, north - last_north
            sum_s += since_s
            sum_east += east
            sum_north += north
            squares += since_s * since_s
            with_east += since_s * east
            with_north += since_s * north
        spread = (squares - sum_s * sum_s / len(known)) / _KMH
        mean_s = sum_s / len(known)
        self.velocity_kmh = ((with_east - mean_s * sum_east) / spread, (with_north - mean_s * sum_north) / spread)

    def _weigh_stillness(self, at_s: float, extent: XY, passed_s: float) -> None:
        """It stands when the median of its places has stayed near one of them; it moves when that is far away."""
        middle = len(self._samples) // 2
        x = sorted([sample.place[0] for sample in self._samples])[middle]
        y = sorted([sample.place[1] for sample in self._samples])[middle]
        if self._reference is None:
            self._reference = (x, y)
            return
        old_x, old_y = self._reference
        width, height = extent
        size = math.sqrt(width * height)
        # A long box trembles more along its length.
        gone = math.hypot((x - old_x) / max(width, size), (y - old_y) / max(height, size))
        if gone > (_STILL_SHARE if self.still_since_s is None else _MOVES_SHARE):
            self._reference, self._reference_s, self.still_since_s = (x, y), at_s, None
        elif self.still_since_s is not None:
            drift = passed_s / _DRIFT_S
            self._reference = (old_x + drift * (x - old_x), old_y + drift * (y - old_y))
        elif at_s - self._reference_s >= _STILL_AFTER_S:
            # A median of a second comes to rest half a second later than what it is of.
            self.still_since_s = max(self._since_s, self._reference_s - _WINDOW_S / 2)


def _mean(points: Sequence[_Moment]) -> _Moment:
    count = len(points)
    if count == 1:
        return points[0]
    first = second = third = 0.0
    for one, two, three in points:
        first += one
        second += two
        third += three
    return first / count, second / count, third / count
