"""Follows boxes from one detection to the next, so that a mask does not blink when a detection is missed.

Association by overlap and distance alone: nothing of how something looks is
ever read, so a track cannot be found again on another camera or another day.
"""

from __future__ import annotations

import math
import secrets
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from lamppost.model.vision import Box, Detection, Kind, Track
from lamppost.track.flow import Shift

_TRACK_LIMIT = 512
_HISTORY_S = 0.6  # of which a velocity is made
_HISTORY_LIMIT = 64
_LEAST_BASE_S = 0.05  # a velocity over less time is noise
_LONGEST_PREDICTION_S = 0.5  # how far a box is carried on by its speed; after that it stands still
_DOUBT_GROWTH = 0.06  # of a box's extent on each side, for each picture in which nothing told where it went
_MOST_DOUBTS = 6
_STRAY_SHARE = 0.25  # of its extent


@dataclass(slots=True)
class _Following:
    track_id: int
    kind: Kind
    seen: deque[tuple[float, Box]] = field(default_factory=lambda: deque(maxlen=_HISTORY_LIMIT))
    misses: int = 0  # looks at its place that did not find it, since it was seen
    carried: tuple[float, Box] | None = None  # by what the pictures showed, since it was seen
    doubts: int = 0

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
        """Where it is at `at_s`: as it was carried last, or the last box, carried on by its speed."""
        if self.carried is not None:
            box = self.carried[1]
            return box.padded(_DOUBT_GROWTH * min(self.doubts, _MOST_DOUBTS)) if self.doubts else box
        ahead_s = min(max(0.0, at_s - self.last_s), _LONGEST_PREDICTION_S)
        speed_x, speed_y = self.velocity()
        last = self.seen[-1][1]
        # Two boxes that become one jump: nothing is carried further than its own extent.
        return last.moved(_within(speed_x * ahead_s, last.width), _within(speed_y * ahead_s, last.height))

    def has_strayed(self) -> bool:
        if self.carried is None:
            return False
        then, now = self.seen[-1][1], self.carried[1]
        return abs(now.x0 - then.x0) > _STRAY_SHARE * then.width or abs(now.y0 - then.y0) > _STRAY_SHARE * then.height

    def carry(self, at_s: float, shift: Shift) -> None:
        since_s, box = self.carried or self.seen[-1]
        if shift.is_sure:
            box = box.moved(shift.dx, shift.dy)
        else:
            # Nothing tells where it went: it is believed to go on as before, and might be anywhere near.
            self.doubts += 1
            ahead_s = max(0.0, min(at_s, self.last_s + _LONGEST_PREDICTION_S) - since_s)
            speed_x, speed_y = self.velocity()
            box = box.moved(_within(speed_x * ahead_s, box.width), _within(speed_y * ahead_s, box.height))
        self.carried = (at_s, box)

    def see(self, at_s: float, box: Box) -> None:
        self.seen.append((at_s, box))
        self.misses, self.carried, self.doubts = 0, None, 0
        while at_s - self.seen[0][0] > _HISTORY_S:
            self.seen.popleft()


class BoxTracker:
    """Tracks of one camera and one run, in memory only.

    Times are seconds of the stream and do not run back. A track ends `hold_s`
    after it was last seen, and not before `patience` looks at its place have missed it. A detection whose score is
    below `start_score` goes on with a track, and begins none. With more than 512 tracks the ones longest unseen go,
    after `update` has returned them once more.
    """

    def __init__(self, *, hold_s: float, patience: int = 0, start_score: float = 0.0) -> None:
        self._hold_s = hold_s
        self._patience = patience
        self._start_score = start_score
        self._following: list[_Following] = []

    def update(self, at_s: float, detections: Sequence[Detection], looked: Sequence[Box] | None = None) -> tuple[Track, ...]:
        """Take in what was detected at `at_s`; every detection becomes, or goes on with, one track, unless it is too weak to begin one.

        `looked` are the parts of the picture that were looked at, None for all of it.
        Returns all living tracks: the seen ones with exactly their detection's box.
        """
        self._expire(at_s)
        continued = self._associate(at_s, detections)
        seen = {id(track) for track in continued.values()}
        for track in self._following:
            if id(track) not in seen and _is_in(track.at(at_s), looked):
                track.misses += 1
        for index, detection in enumerate(detections):
            known = continued.get(index)
            if known is not None:
                known.see(at_s, detection.box)
            elif detection.score >= self._start_score:
                found = _Following(secrets.randbits(63), detection.kind)
                found.see(at_s, detection.box)
                self._following.append(found)
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

    def carry(self, at_s: float, shifts: Mapping[int, Shift], picture: Box) -> tuple[Track, ...]:
        """As `predict`, with the tracks moved on as the pictures show, by their ids: from where they were to `at_s`.

        Where a track has left the `picture`, no look finds it any more.
        """
        for track in self._following:
            shift = shifts.get(track.track_id)
            if shift is not None and at_s > track.last_s:
                track.carry(at_s, shift)
                track.misses += not _is_in(track.at(at_s), (picture,))
        return self.predict(at_s)

    def missed(self, at_s: float) -> tuple[Box, ...]:
        """Where tracks are that the last look at their place missed: to be looked at again."""
        return tuple(track.at(at_s) for track in self._following if track.misses)

    def strayed(self, at_s: float) -> tuple[Box, ...]:
        """Where tracks are that were carried away from the place where they were seen: nobody has looked there."""
        return tuple(track.at(at_s) for track in self._following if track.has_strayed())

    def _tracks(self, at_s: float) -> tuple[Track, ...]:
        return tuple(Track(each.track_id, each.kind, each.at(at_s), each.last_s == at_s) for each in self._following)

    def _expire(self, at_s: float) -> None:
        self._following = [track for track in self._following if at_s - track.last_s <= self._hold_s or track.misses < self._patience]

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


def _is_in(box: Box, looked: Sequence[Box] | None) -> bool:
    """True where a look would have seen it: its middle lies in a part that was looked at."""
    if looked is None:
        return True
    x, y = (box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2
    return any(part.x0 <= x < part.x1 and part.y0 <= y < part.y1 for part in looked)


def _within(value: float, limit: float) -> float:
    return max(-limit, min(limit, value))


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
