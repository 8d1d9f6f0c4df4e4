"""Who is measured: anything that is given boxes frame by frame and says which of them are the same thing."""

from __future__ import annotations

import time
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from lamppost.bench.mot_sequences import TrackSequence, scores_of
from lamppost.bench.mot_tracks import MotBoxes
from lamppost.model.vision import Box, Detection, Kind
from lamppost.track.street import StreetTracker

_BLINK_S: Final = 0.1 + 1e-6  # times are sums of rounded ones
Found = tuple[NDArray[np.int64], NDArray[np.float64]]
"""Ids, and boxes as left, top, right, bottom in pixels, shape (n, 4)."""


class Follower(Protocol):
    """A tracker under test. Only `update` is timed: what turns boxes into its own types, and back, is no part of it."""

    name: str

    def start(self, fps: float) -> None:
        """Forget all; the next frames are of another clip."""
        ...

    def prepare(self, boxes_xyxy_px: NDArray[np.float64], scores: NDArray[np.float64]) -> Any:
        """One frame's boxes, shape (n, 4), and scores from 0 to 1, as it wants them."""
        ...

    def update(self, at_s: float, prepared: Any) -> Any:
        """Take in one frame."""
        ...

    def read(self, answer: Any) -> Found:
        """What `update` returned, as ids and boxes of this frame."""
        ...


class LamppostFollower:
    """Our tracker, as a camera uses it. Where a thing was seen a tenth of a second ago, a detector has blinked: it is there."""

    name = "Lamppost"

    def __init__(self, kind: Kind = Kind.PERSON) -> None:
        self._kind = kind
        self.start(1.0)

    def start(self, fps: float) -> None:
        self._tracker = StreetTracker()
        self._at_s = 0.0
        self._seen_s: dict[int, float] = {}

    def prepare(self, boxes_xyxy_px: NDArray[np.float64], scores: NDArray[np.float64]) -> Any:
        pairs = zip(boxes_xyxy_px.tolist(), scores.tolist(), strict=True)
        return [Detection(self._kind, Box(*box), score) for box, score in pairs]

    def update(self, at_s: float, prepared: Any) -> Any:
        self._at_s = at_s
        return self._tracker.update(at_s, prepared)

    def read(self, answer: Any) -> Found:
        self._seen_s |= {track.track_id: self._at_s for track in answer if track.is_seen}
        seen = [track for track in answer if self._at_s - self._seen_s[track.track_id] <= _BLINK_S]
        boxes = [(track.box.x0, track.box.y0, track.box.x1, track.box.y1) for track in seen]
        return np.array([track.track_id for track in seen], np.int64), np.array(boxes, np.float64).reshape(-1, 4)


def follow(follower: Follower, sequence: TrackSequence) -> tuple[MotBoxes, list[float]]:
    """Run it over the detections of a sequence: its tracks, and milliseconds for each frame."""
    detections = sequence.detections
    if detections is None:
        raise ValueError("a sequence without detections cannot be followed")
    follower.start(sequence.fps)
    scores = scores_of(detections)
    boxes = np.hstack([detections.boxes_xywh_px[:, :2], detections.boxes_xywh_px[:, :2] + detections.boxes_xywh_px[:, 2:]])
    frames, found, frame_ms = list[int](), list[Found](), list[float]()
    for frame, of_frame in enumerate(detections.rows_by_frame(sequence.frame_count)):
        prepared = follower.prepare(boxes[of_frame], scores[of_frame])
        began_ns = time.perf_counter_ns()
        answer = follower.update(frame / sequence.fps, prepared)
        frame_ms.append((time.perf_counter_ns() - began_ns) / 1e6)
        found.append(follower.read(answer))
        frames += [frame] * len(found[-1][0])
    ids = np.concatenate([np.empty(0, np.int64), *(ids for ids, _ in found)])
    places = np.concatenate([np.empty((0, 4)), *(place for _, place in found)])
    places[:, 2:] -= places[:, :2]
    return MotBoxes(np.array(frames, np.int64), ids, places, np.ones(len(ids)), np.zeros(len(ids), np.int64)), frame_ms
