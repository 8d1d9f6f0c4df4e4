"""One detector of one camera: where it looks, when, and what is followed of what it saw."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Protocol

from lamppost.base.clock import Clock
from lamppost.detect.gaze import Gaze
from lamppost.detect.values import SmallPicture
from lamppost.model.vision import Box, Detection, Frame, Region, Track
from lamppost.track.boxes import BoxTracker
from lamppost.track.flow import FlowCarrier

HOLD_S = 1.0
# With fewer frames a second, boxes are held for so many of them: what is missed once is not shown for it.
HOLD_STEPS = 2.5
_PATIENCE = 2  # looks that must miss a thing before it is gone
_DOUBTS_LIMIT = 256  # between two looks; older ones are of no picture that is still there
_DETECTOR_SHARE = 0.5  # of the time, when the cadence is adapted to a slow machine


class Detector(Protocol):
    """Finds things in parts of one frame; with `start_score` or more something may begin to be followed."""

    @property
    def start_score(self) -> float: ...

    def detect_regions(self, frame: Frame, regions: Sequence[Region]) -> tuple[Detection, ...]: ...


class Sight:
    """Looks at a camera's frames with one detector, in order of time, and follows what it saw in between.

    What was seen is carried on with the pictures until it is seen again, or two looks at its
    place have missed it. A live one watches the clock: its cadence adapts to a slow machine, at most to one look in
    every `look_back_s`.
    """

    def __init__(
        self,
        detector: Detector,
        gaze: Gaze,
        clock: Clock,
        *,
        interval_s: float,
        look_back_s: float,
        is_live: bool = True,
    ) -> None:
        self._detector = detector
        self._gaze = gaze
        self._clock = clock
        self._look_back_s = look_back_s
        self._usual_interval_s = self._least_interval_s = self._interval_s = min(interval_s, look_back_s)
        self._is_live = is_live
        self._tracker = BoxTracker(hold_s=HOLD_S, patience=_PATIENCE, start_score=detector.start_score)
        self._flow = FlowCarrier()
        self._last_s: float | None = None
        self._doubts: deque[Box] = deque(maxlen=_DOUBTS_LIMIT)

    def ease(self, *, is_eased: bool) -> None:
        """Look no more often than once in every look-back, or again as often as was asked for."""
        self._least_interval_s = self._look_back_s if is_eased else self._usual_interval_s
        self._interval_s = max(self._interval_s, self._least_interval_s) if is_eased else self._least_interval_s

    def hold_for(self, step_s: float) -> None:
        """Frames are `step_s` apart."""
        self._tracker.hold_for(max(HOLD_S, HOLD_STEPS * step_s))

    def has_looked(self, at_s: float) -> bool:
        """Whether the frame at `at_s` was looked at, or nothing in it had to be."""
        return self._last_s == at_s

    def follow(self, frame: Frame, small: SmallPicture, at_s: float) -> tuple[Track, ...]:
        """Where what was seen before is in `frame`, as the pictures show; without looking."""
        tracks = self._tracker.predict(at_s)
        if not tracks:
            self._flow.skip(small.luma)
            return ()
        shifts = self._flow.carry(small.luma, [track.box for track in tracks], frame.width_px / small.size[0])
        moved = {track.track_id: shift for track, shift in zip(tracks, shifts, strict=True)}
        return self._tracker.carry(at_s, moved, Box(0, 0, frame.width_px, frame.height_px))

    def is_due(self, at_s: float) -> bool:
        return self._last_s is None or at_s - self._last_s >= self._interval_s - 1e-6

    def doubt(self, boxes: Sequence[Box]) -> None:
        """Something may be there: to be looked at the next time."""
        self._doubts.extend(boxes)

    def look(
        self, frame: Frame, small: SmallPicture, at_s: float, moving: Sequence[Box] | None, *, is_whole: bool = False
    ) -> tuple[tuple[Track, ...], float]:
        """Look at what changed in `frame`, or at all of it; returns what is followed then, and the seconds it took.

        `moving` is masked in any case, and beside it only places in doubt can hold anything new; None where nobody watches that.
        """
        size = (frame.width_px, frame.height_px)
        for box in self._tracker.strayed(at_s):
            self._gaze.ask(box)
        tracks = self._tracker.predict(at_s)
        known = [track.box for track in tracks]
        if is_whole:
            regions = self._gaze.whole(at_s, small, size)
        elif moving is None:
            regions = self._gaze.changed(at_s, small, size, known=known)
        else:
            regions = self._gaze.changed(at_s, small, size, hidden=moving, doubts=self._doubts, known=known)
        self._last_s = at_s
        self._doubts.clear()
        if not regions:
            self._adapt(0.0)
            return tracks, 0.0
        started_s = self._clock.monotonic_s()
        found = self._detector.detect_regions(frame, regions)
        took_s = self._clock.monotonic_s() - started_s
        tracks = self._tracker.update(at_s, found, [region.box for region in regions])
        for box in self._tracker.missed(at_s):
            self._gaze.ask(box)
        self._adapt(took_s)
        return tracks, took_s

    def _adapt(self, took_s: float) -> None:
        if self._is_live:
            wanted_s = min(self._look_back_s, max(self._least_interval_s, took_s / _DETECTOR_SHARE))
            self._interval_s += (wanted_s - self._interval_s) / 4
