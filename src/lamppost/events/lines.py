"""Counts what crosses a line, once and each way by itself, however its box trembles.

The way of a thing's anchor is followed across the line and back; what it comes to is decided where the anchor is clear of the
line again. So one who waits on the line is not counted until it is known where they go.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lamppost.events.geometry import XY, Bounds, even, nearest, net_crossings
from lamppost.events.movements import Followed
from lamppost.events.scene import Crossing
from lamppost.model.rules import Line, Way

BAND_SHARE = 0.15  # of a thing's own size: nearer to the line, its anchor may be on either side
_CONFIRM_S = 0.3  # a box that loses its feet for a moment has not crossed
_WEAK_SHARE = 0.5  # of the band: enough where a track begins or ends and nothing more will be known


@dataclass(slots=True)
class _Approach:
    """The way of one thing since it was last clear of the line, or since it began."""

    start: XY
    start_band: float
    is_start_clear: bool
    last: XY
    net: int = 0
    clear_since_s: float | None = None  # since then clear of the line, with a crossing behind it


class LineReader:
    """One line, and what is on its way across. Only what was seen counts, not where a track was carried on.

    A line has ends: what passes beyond them, and what comes round them, has not crossed it.
    """

    def __init__(self, line: Line, aspect: float) -> None:
        self._line = line
        self._points = even(line.points, aspect)
        self._bounds = Bounds.around(self._points)
        self._approaches: dict[int, _Approach] = {}

    def read(self, at_s: float, present: Sequence[Followed], ended: Sequence[Followed]) -> list[Crossing]:
        """What has crossed the line for good since the last time."""
        found: list[Crossing] = []
        for thing in present:
            if thing.moving.is_seen:
                self._follow(at_s, thing, found)
        for thing in ended:
            approach = self._approaches.pop(thing.moving.track_id, None)
            if approach is not None and approach.net:
                self._decide(thing, approach, BAND_SHARE * thing.size, found)
        return found

    def _follow(self, at_s: float, thing: Followed, found: list[Crossing]) -> None:
        now, band = thing.anchor(self._line.anchor), BAND_SHARE * thing.size
        approach = self._approaches.get(thing.moving.track_id)
        if approach is None:
            is_clear = nearest(self._points, now)[0] >= band
            self._approaches[thing.moving.track_id] = _Approach(now, band, is_clear, now)
            return
        before, approach.last = approach.last, now
        if not approach.net and self._bounds.is_beside(before, now, band):
            approach.start, approach.start_band, approach.is_start_clear = now, band, True
            return
        approach.net += net_crossings(self._points, before, now)
        if nearest(self._points, now)[0] < band:
            approach.clear_since_s = None
        elif not approach.net:
            approach.start, approach.start_band, approach.is_start_clear, approach.clear_since_s = now, band, True, None
        elif approach.clear_since_s is None:
            approach.clear_since_s = at_s
        elif at_s - approach.clear_since_s >= _CONFIRM_S and thing.is_kind_settled:
            self._decide(thing, approach, band, found)
            self._approaches[thing.moving.track_id] = _Approach(now, band, is_start_clear=True, last=now)

    def _decide(self, thing: Followed, approach: _Approach, band: float, found: list[Crossing]) -> None:
        """Count a crossing if the way goes across the line, and begins and ends on different sides of it.

        Both are asked, since one who trembles around the end of a line crosses it again and again.
        """
        began, start_side = nearest(self._points, approach.start)
        is_near, end_side = nearest(self._points, approach.last)
        if not approach.is_start_clear and began < _WEAK_SHARE * approach.start_band:
            return
        if is_near < _WEAK_SHARE * band or start_side == end_side or (approach.net > 0) != (end_side > 0):
            return
        if thing.moving.kind in self._line.kinds:
            found.append(Crossing(self._line.name, Way.FORWARD if approach.net > 0 else Way.BACKWARD, thing.moving.kind))
