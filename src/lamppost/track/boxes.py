"""Follows boxes from one detection to the next, so that a mask does not blink when a detection is missed.

Association by overlap and distance alone: nothing of how something looks is
ever read, so a track cannot be found again on another camera or another day.
"""

from __future__ import annotations

import math
import secrets
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from lamppost.model.vision import Box, Detection, Kind

_TRACK_LIMIT = 512
_HISTORY_S = 0.6  # of which a velocity is made
_HISTORY_LIMIT = 64
_LEAST_BASE_S = 0.05  # a velocity over less time is noise
_LONGEST_PREDICTION_S = 0.5  # how far a box is carried on; after that it stands still


@dataclass(frozen=True, slots=True)
class Track:
    """Where a followed object is at one moment. The id is random and means nothing elsewhere.

    `is_seen` is false where the box was carried on without a detection.
    """

    track_id: int
    kind: Kind
    box: Box
    is_seen: bool


@dataclass(slots=True)
class _Following:
    track_id: int
    kind: Kind
    seen: deque[tuple[float, Box]] = field(default_factory=lambda: deque(maxlen=_HISTORY_LIMIT))

    @property
    def last_s(self) -> float:
        return self.seen[-1][0]

    def velocity(self) -> tuple[float, float]:
        """Pixels a second of the centre, over the recent past."""
        (first_s, first), (last_s, last) = self.seen[0], self.seen[-1]
        base_s = last_s - first_s
        if base_s < _LEAST_BASE_S:
            return 0.0, 0.0
        return ((last.x0 + last.x1 - first.x0 - first.x1) / 2 / base_s, (last.y0 + last.y1 - first.y0 - first.y1) / 2 / base_s)

    def at(self, at_s: float) -> Box:
        """The last box, carried on to `at_s` by its velocity."""
        ahead_s = min(max(0.0, at_s - self.last_s), _LONGEST_PREDICTION_S)
        speed_x, speed_y = self.velocity()
        last = self.seen[-1][1]
        # Two boxes that become one jump: nothing is carried further than its own extent.
        dx = max(-last.width, min(last.width, speed_x * ahead_s))
        dy = max(-last.height, min(last.height, speed_y * ahead_s))
        return Box(last.x0 + dx, last.y0 + dy, last.x1 + dx, last.y1 + dy)

    def see(self, at_s: float, box: Box) -> None:
        self.seen.append((at_s, box))
        while at_s - self.seen[0][0] > _HISTORY_S:
            self.seen.popleft()


class BoxTracker:
    """Tracks of one camera and one run, in memory only.

    Times are seconds of the stream and do not run back. A track ends `hold_s`
    after it was last seen. With more than 512 tracks the ones longest unseen go,
    after `update` has returned them once more.
    """

    def __init__(self, *, hold_s: float) -> None:
        self._hold_s = hold_s
        self._following: list[_Following] = []

    def update(self, at_s: float, detections: Sequence[Detection]) -> tuple[Track, ...]:
        """Take in what was detected at `at_s`; every detection becomes, or goes on with, one track.

        Returns all living tracks: the seen ones with exactly their detection's box.
        """
        self._expire(at_s)
        continued = self._associate(at_s, detections)
        for index, detection in enumerate(detections):
            track = continued.get(index)
            if track is None:
                track = _Following(secrets.randbits(63), detection.kind)
                self._following.append(track)
            track.see(at_s, detection.box)
        tracks = self._tracks(at_s)
        if len(self._following) > _TRACK_LIMIT:
            # Also one that is followed no more was returned, and is masked, where it was seen now.
            self._following.sort(key=lambda track: track.last_s)
            del self._following[:-_TRACK_LIMIT]
        return tracks

    def hold_for(self, hold_s: float) -> None:
        """From now on a track ends `hold_s` after it was last seen."""
        self._hold_s = hold_s

    def predict(self, at_s: float) -> tuple[Track, ...]:
        """All living tracks at `at_s`, for a moment at which nobody looked."""
        self._expire(at_s)
        return self._tracks(at_s)

    def _tracks(self, at_s: float) -> tuple[Track, ...]:
        return tuple(Track(each.track_id, each.kind, each.at(at_s), each.last_s == at_s) for each in self._following)

    def _expire(self, at_s: float) -> None:
        self._following = [track for track in self._following if at_s - track.last_s <= self._hold_s]

    def _associate(self, at_s: float, detections: Sequence[Detection]) -> dict[int, _Following]:
        """Greedy, best overlap first, then nearest; one detection to one track of its kind."""
        if not self._following or not detections:
            return {}
        expected = [track.at(at_s) for track in self._following]
        cost = _costs(expected, [detection.box for detection in detections])
        kinds = np.array([track.kind for track in self._following])[:, np.newaxis] != np.array([d.kind for d in detections])
        cost[kinds] = math.inf
        continued: dict[int, _Following] = {}
        used: set[int] = set()
        order = np.argsort(cost, axis=None, kind="stable")
        for flat in order[: int(np.isfinite(cost).sum())].tolist():
            row, column = divmod(flat, len(detections))
            if row not in used and column not in continued:
                used.add(row)
                continued[column] = self._following[row]
        return continued


def _costs(expected: Sequence[Box], found: Sequence[Box]) -> NDArray[np.float64]:
    """Shape (expected, found): 0 for the same box, infinite where it cannot be the same object."""
    a = np.array([(box.x0, box.y0, box.x1, box.y1) for box in expected])[:, np.newaxis]
    b = np.array([(box.x0, box.y0, box.x1, box.y1) for box in found])[np.newaxis]
    sides = np.maximum(np.minimum(a[..., 2:], b[..., 2:]) - np.maximum(a[..., :2], b[..., :2]), 0)
    shared = sides[..., 0] * sides[..., 1]
    extent_a, extent_b = a[..., 2:] - a[..., :2], b[..., 2:] - b[..., :2]
    union = extent_a.prod(axis=-1) + extent_b.prod(axis=-1) - shared
    iou = shared / np.maximum(union, 1e-9)
    apart = np.linalg.norm((a[..., 2:] + a[..., :2] - b[..., 2:] - b[..., :2]) / 2, axis=-1)
    reach = np.maximum(np.linalg.norm(extent_a, axis=-1), np.linalg.norm(extent_b, axis=-1))
    cost = 1 - iou + apart / np.maximum(reach, 1e-9)
    # Without overlap, a box within one diagonal may still be the same, moved fast.
    cost[(iou < 0.05) & (apart > reach)] = math.inf
    result: NDArray[np.float64] = cost
    return result
