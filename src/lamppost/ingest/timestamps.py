"""Repairs the timestamps of a stream: what cameras send is late, missing, wrapped or out of order.

Pure arithmetic on 90 kHz ticks. `pts` says when a picture is shown, `dts` in
which order pictures are decoded; RTSP sends only the former, and not always.
"""

from __future__ import annotations

from bisect import insort
from collections import deque
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from statistics import median_low

from lamppost.base.clock import TICKS_PER_S
from lamppost.base.errors import TimestampError

DEFAULT_INTERVAL_90K = TICKS_PER_S // 25
# A longer way forward is a new timeline, not a hole in this one.
LONGEST_JUMP_90K = 10 * TICKS_PER_S
# Timestamps of RTP wrap at 32 bits, those of MPEG-TS at 33.
_WRAPS = (1 << 32, 1 << 33)
_INTERVALS_KEPT = 31
_INTERVALS_NEEDED = 4
_DEEPEST_REORDER = 16
_MOST_NUDGES = 100


def ticks_90k(value: int, time_base: Fraction) -> int:
    """`value` in units of `time_base` seconds as 90 kHz ticks, rounded to the nearest."""
    return round(value * time_base * TICKS_PER_S)


class Break(StrEnum):
    """Why a timeline cannot go on; a new one starts at the next keyframe."""

    FORWARD = "timestamps jumped forward by over 10 s"
    BACKWARD = "timestamps ran backwards"
    REORDERED = "pictures come in an order that the stream did not announce"


@dataclass(frozen=True, slots=True)
class Placed:
    """An access unit's place in its run.

    `dts_90k` strictly increases and is at most `pts_90k`. `hole_90k` is the
    interval of presentation time, start and end, that was found empty.
    """

    pts_90k: int
    dts_90k: int
    hole_90k: tuple[int, int] | None = None


class Timeline:
    """Places the access units of one session, run after run.

    `reorder_depth` is what the stream announces, None when it does not tell:
    then it is learnt from the first picture that comes out of order.
    """

    def __init__(self, *, reorder_depth: int | None = None, nominal_interval_90k: int = 0) -> None:
        self._announced = reorder_depth
        self._learnt = 0
        self._nominal = nominal_interval_90k
        self._intervals: deque[int] = deque(maxlen=_INTERVALS_KEPT)
        self._median = 0
        self._nudges = 0
        self._wrapped = 0
        self._reset()

    def _reset(self) -> None:
        self._origin = 0
        self._depth = 0
        self._last_dts: int | None = None
        self._newest = 0
        self._shown: int | None = None
        # Presentation times not yet known to be next, in order; at most depth + 1.
        self._window: list[int] = []

    def learn(self, reorder_depth: int) -> None:
        """Take a depth that was seen; it holds where the stream announces none."""
        self._learnt = max(self._learnt, min(_DEEPEST_REORDER, reorder_depth))

    def announce(self, reorder_depth: int | None, nominal_interval_90k: int) -> None:
        """Take what new parameter sets say; holds from the next `start`."""
        self._announced = reorder_depth
        self._nominal = nominal_interval_90k or self._nominal

    @property
    def typical_interval_90k(self) -> int:
        """The median of recent intervals, or the nominal one; 0 when nothing is known."""
        return self._median or self._nominal

    def start(self, pts_90k: int | None, dts_90k: int | None, *, is_open: bool = False) -> Placed:
        """Begin a run with a keyframe: its pts becomes 0.

        After one that is_open, pictures that are shown before it may follow.
        """
        self._reset()
        self._wrapped = 0
        pts = pts_90k if pts_90k is not None else (dts_90k or 0)
        interval = self.typical_interval_90k or DEFAULT_INTERVAL_90K
        self._depth = self._depth_at_start(pts, dts_90k, interval)
        self._origin = pts
        self._window = [-index * interval for index in range(self._depth, 0, -1)]
        lag = -self._depth * interval
        dts = min(0, dts_90k - pts) if dts_90k is not None else lag
        if is_open:
            dts = min(dts, -(self._depth + _DEEPEST_REORDER) * interval)
        self._last_dts = dts
        self._shown = None
        self._push(0)
        return Placed(0, dts)

    def _depth_at_start(self, pts: int, dts: int | None, interval: int) -> int:
        if dts is not None and pts > dts:
            return min(_DEEPEST_REORDER, max(self._announced or 0, round((pts - dts) / interval)))
        return max(self._announced or 0, self._learnt)

    def place(self, pts_90k: int | None, dts_90k: int | None) -> Placed | Break:
        """The next access unit's place, in decoding order.

        After a `Break` nothing may be placed until `start`. Raises
        `TimestampError` when time has stood still for 100 pictures.
        """
        if self._last_dts is None:
            raise ValueError("place() before start()")
        pts, dts = self._fill(pts_90k, dts_90k)
        if pts - self._newest > LONGEST_JUMP_90K:
            return Break.FORWARD
        is_nudged = False
        if self._is_too_late(pts):
            least = self._last_dts + 1
            interval = self.typical_interval_90k or DEFAULT_INTERVAL_90K
            if self._depth or self._newest - pts >= interval:
                return self._break_backward(pts, interval)
            # Jitter of less than a picture, without reordering: shown at once after its predecessor.
            pts, is_nudged = max(least, self._newest + 1), True
        self._count_nudge(is_nudged)
        return self._settle(pts, dts, is_nudged)

    def _settle(self, pts: int, dts: int | None, is_nudged: bool) -> Placed | Break:
        shown_before = self._shown
        popped = self._push(pts)
        last_dts = self._last_dts if self._last_dts is not None else 0
        wanted = dts if dts is not None and dts <= pts else popped
        decoded = max(last_dts + 1, wanted)
        if decoded > pts:
            return self._break_backward(pts, self.typical_interval_90k or DEFAULT_INTERVAL_90K)
        self._last_dts = decoded
        hole = None if is_nudged else self._look_for_hole(shown_before, popped)
        self._newest = max(self._newest, pts)
        return Placed(pts, decoded, hole)

    def _push(self, pts: int) -> int:
        """Take `pts` in; return the time of the picture whose turn it is to be shown."""
        insort(self._window, pts)
        popped = self._window.pop(0) if len(self._window) > self._depth else self._window[0]
        # The first ones are stand-ins from before the keyframe, or leading pictures.
        if popped >= 0:
            self._shown = popped
        return popped

    def _look_for_hole(self, before: int | None, now: int) -> tuple[int, int] | None:
        if before is None or now <= before:
            return None
        typical = self.typical_interval_90k
        self._keep_interval(now - before)
        if typical and (now - before) * 2 > typical * 3:
            return before + typical, now
        return None

    def _keep_interval(self, interval: int) -> None:
        # Asked for with every picture, and mostly the same: worked out only when it may change.
        is_news = interval != self._median or len(self._intervals) < _INTERVALS_NEEDED or self._intervals[0] != interval
        self._intervals.append(interval)
        if is_news and len(self._intervals) >= _INTERVALS_NEEDED:
            self._median = median_low(self._intervals)

    def _is_too_late(self, pts: int) -> bool:
        if self._depth:
            return self._shown is not None and pts <= self._shown
        return pts <= self._newest

    def _break_backward(self, pts: int, interval: int) -> Break:
        if self._announced is None and self._depth < _DEEPEST_REORDER and self._newest - pts <= _DEEPEST_REORDER * interval:
            self._learnt = min(_DEEPEST_REORDER, max(2, self._depth * 2))
            return Break.REORDERED
        return Break.BACKWARD

    def _fill(self, pts_90k: int | None, dts_90k: int | None) -> tuple[int, int | None]:
        """Missing times made up, wraps undone, relative to the run's start."""
        dts = None if dts_90k is None else self._unwrap(dts_90k - self._origin)
        if pts_90k is not None:
            return self._unwrap(pts_90k - self._origin), dts
        if dts is not None and not self._depth:
            return dts, dts
        return self._newest + (self.typical_interval_90k or DEFAULT_INTERVAL_90K), dts

    def _unwrap(self, value: int) -> int:
        unwrapped = value + self._wrapped
        if abs(unwrapped - self._newest) < LONGEST_JUMP_90K:
            return unwrapped
        for modulus in _WRAPS:
            if abs(unwrapped + modulus - self._newest) < LONGEST_JUMP_90K:
                self._wrapped += modulus
                return unwrapped + modulus
            # A picture from before the wrap, decoded after one from behind it.
            if self._wrapped and abs(unwrapped - modulus - self._newest) < LONGEST_JUMP_90K:
                return unwrapped - modulus
        return unwrapped

    def _count_nudge(self, is_nudged: bool) -> None:
        self._nudges = self._nudges + 1 if is_nudged else 0
        if self._nudges >= _MOST_NUDGES:
            raise TimestampError(
                f"the stream's time stands still: {self._nudges} pictures with one timestamp",
                remedy="restart the camera, or set its frame rate anew",
            )
