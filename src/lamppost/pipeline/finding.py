"""What there is to follow in a picture: what moves, what a network finds, or both together, as tracks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from lamppost.detect.countable import countable
from lamppost.model.vision import COUNTED_KINDS, Box, Detection, Frame, Observation, Region, Track
from lamppost.pipeline.sight import Detector
from lamppost.track.moving import MovingSettings, MovingTracker
from lamppost.track.street import StreetTracker

_CLOSELY_S: Final = 0.2  # between two looks from near, each at so many places
_MOST_CLOSELY: Final = 3
_NEAR_MARGIN: Final = 0.3  # of a box, on each side
_SEEN_SHARE: Final = 0.4  # of the smaller of two boxes
_CONFIRM_S: Final = 0.25  # what moves counts when it was seen for a moment
_USUAL_START: Final = 0.6  # the score with which `StreetTracker` begins: detectors differ in what they call sure


class Finder:
    """Finds and follows the things of one run, with a `detector` or, without one, by what moves.

    What a network is not sure of, but moves, is there all the same: motion says where, and the network, which is shown some of it
    from near now and then, what it may be.
    """

    def __init__(self, detector: Detector | None) -> None:
        self._detector = detector
        start_score = detector.start_score if detector is not None else 0.0
        self._moving = MovingTracker(MovingSettings(begin_score=start_score, sure_score=start_score, least_score=0.0, confirm_s=_CONFIRM_S))
        self._street = StreetTracker()
        self._closely_s = float("-inf")

    def find(self, frame: Frame, at_s: float, observation: Observation | None) -> tuple[Track, ...]:
        """The tracks of `frame`; `observation` is None where nobody watches motion, which then needs a detector. Raises `ModelError`."""
        detector = self._detector
        if detector is None:
            return self._moving.update(at_s, countable(observation) if observation is not None else ())
        whole = (Region(0, 0, frame.width_px, frame.height_px),)
        found = [each for each in detector.detect_regions(frame, whole) if each.kind in COUNTED_KINDS]
        if observation is None:
            return self._street.update(at_s, [_rescaled(each, detector.start_score) for each in found])
        sure = [each for each in found if each.score >= detector.start_score]
        hints = [each for each in found if each.score < detector.start_score]
        alone = [each for each in countable(observation) if not any(_is_of(one.box, each.box) for one in sure)]
        hints += self._look_closely(detector, frame, at_s, alone)
        return self._moving.update(at_s, [*sure, *alone], hints)

    def _look_closely(self, detector: Detector, frame: Frame, at_s: float, alone: Sequence[Detection]) -> list[Detection]:
        if not alone or 0 <= at_s - self._closely_s < _CLOSELY_S:
            return []
        self._closely_s = at_s
        largest = sorted(alone, key=lambda each: -each.box.area)[:_MOST_CLOSELY]
        found = detector.detect_regions(frame, [_around(each.box, frame) for each in largest])
        return [each for each in found if each.kind in COUNTED_KINDS]


def _rescaled(detection: Detection, start_score: float) -> Detection:
    """The same with a score by the measure of `StreetTracker`: what a detector is just sure enough of begins a track there."""
    score, start = detection.score, min(max(start_score, 1e-6), 1 - 1e-6)
    if score <= start:
        return replace(detection, score=score * _USUAL_START / start)
    return replace(detection, score=_USUAL_START + (score - start) * (1 - _USUAL_START) / (1 - start))


def _is_of(seen: Box, moving: Box) -> bool:
    """Whether what moves is, in part, what was seen there."""
    return seen.intersection(moving) >= _SEEN_SHARE * min(seen.area, moving.area)


def _around(box: Box, frame: Frame) -> Region:
    """The part of `frame` around a box, with even sides."""
    near = box.padded(_NEAR_MARGIN).clipped(frame.width_px, frame.height_px)
    x0, y0 = int(near.x0) & ~1, int(near.y0) & ~1
    return Region(x0, y0, min(frame.width_px, max(x0 + 2, int(near.x1 + 1) & ~1)), min(frame.height_px, max(y0 + 2, int(near.y1 + 1) & ~1)))
