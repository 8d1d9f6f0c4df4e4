"""The first seconds of a clip, looked at before any frame of it is masked, and decoded once for both."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

from lamppost.base.clock import TICKS_PER_S
from lamppost.model.vision import Frame


class HeldStart:
    """Iterates `frames`, in order and each once, after the first `hold_s` of them have been taken in.

    No more than `most_bytes` of pictures are held, and a single one where those of `hold_s`, nominally `interval_90k`
    apart, would need more: `holds_all` is false then.
    Held frames are let go as they are handed on.
    """

    def __init__(self, frames: Iterator[Frame], *, hold_s: float, interval_90k: int, most_bytes: int) -> None:
        self._frames = frames
        self._held: deque[Frame] = deque()
        self.holds_all = True
        held_bytes = 0
        for frame in frames:
            self._held.append(frame)
            held_bytes += frame.i420.nbytes
            expected_bytes = frame.i420.nbytes * hold_s * TICKS_PER_S / interval_90k
            if frame.pts_90k - self._held[0].pts_90k > hold_s * TICKS_PER_S:
                break
            if max(held_bytes + frame.i420.nbytes, expected_bytes) > most_bytes:
                self.holds_all = False
                break

    def spread(self, most: int) -> list[Frame]:
        """At most `most` of the held frames, evenly over their time; before any is handed on."""
        if not self._held or most < 1:
            return []
        first_90k, last_90k = self._held[0].pts_90k, self._held[-1].pts_90k
        step_90k, kept = (last_90k - first_90k) / most, list[Frame]()
        for frame in self._held:
            if len(kept) < most and frame.pts_90k - first_90k >= step_90k * len(kept):
                kept.append(frame)
        return kept

    def __iter__(self) -> Iterator[Frame]:
        while self._held:
            yield self._held.popleft()
        yield from self._frames
