"""Looks at the first pictures of a stream together, to learn what it does not tell.

RTSP carries presentation times alone, FFmpeg often leaves out the very first,
and many parameter sets do not say how far pictures are reordered. The first
eight pictures show both; later ones pass at once.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from lamppost.ingest.timestamps import DEFAULT_INTERVAL_90K
from lamppost.ingest.units import AccessUnit

MOST_HELD = 8
_FARTHEST_ORIGIN = 16


class OpeningWindow:
    """Holds the first access units back until there are eight, or one that tells its dts.

    A missing first pts becomes `origin_90k`, where the demuxer counts from, when
    that lies shortly before the next; otherwise one frame interval before it.
    """

    def __init__(self, *, origin_90k: int | None, nominal_interval_90k: int) -> None:
        self._origin = origin_90k
        self._interval = nominal_interval_90k or DEFAULT_INTERVAL_90K
        self._held: list[AccessUnit] = []
        self.is_done = False
        self.reorder_depth = 0

    def push(self, unit: AccessUnit) -> Iterator[AccessUnit]:
        """Yield what is complete now, in order."""
        if self.is_done:
            yield unit
            return
        self._held.append(unit)
        if unit.dts_90k is not None or len(self._held) >= MOST_HELD:
            yield from self.flush()

    def flush(self) -> Iterator[AccessUnit]:
        """Yield what is still held, also when the stream ends early."""
        held, self._held, self.is_done = self._held, [], True
        timed = self._with_first_times(held)
        self.reorder_depth = _reorder_depth([unit.pts_90k for unit in timed if unit.pts_90k is not None])
        yield from timed

    def _with_first_times(self, held: list[AccessUnit]) -> list[AccessUnit]:
        times = [unit.pts_90k if unit.pts_90k is not None else unit.dts_90k for unit in held]
        untimed = next((index for index, time in enumerate(times) if time is not None), None)
        if untimed is None:
            # No times at all: a raw file, which is placed picture after picture.
            return (
                held if self._origin is None else [replace(unit, pts_90k=self._origin + i * self._interval) for i, unit in enumerate(held)]
            )
        first = self._first_time(times[untimed] or 0, untimed)
        return [replace(unit, pts_90k=first + index * self._interval) for index, unit in enumerate(held[:untimed])] + held[untimed:]

    def _first_time(self, known: int, untimed: int) -> int:
        if self._origin is not None and untimed == 1 and 0 < known - self._origin <= _FARTHEST_ORIGIN * self._interval:
            return self._origin
        return known - untimed * self._interval


def _reorder_depth(times: Sequence[int]) -> int:
    """How many pictures at most precede one in decoding order and follow it in presentation.

    Times that jump back by more than 16 default intervals are another timeline.
    """
    farthest = _FARTHEST_ORIGIN * DEFAULT_INTERVAL_90K
    return max((sum(0 < before - time <= farthest for before in times[:index]) for index, time in enumerate(times)), default=0)
