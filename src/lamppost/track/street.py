"""Follows people, bicycles and vehicles through a street, so that each is counted once: by where they are, never by how they look.

Two rounds of association, first the sure detections and then the weak ones, as in ByteTrack (Zhang et al., 2021, arXiv:2110.06864),
over a Kalman filter as in SORT (Bewley et al., 2016, arXiv:1602.00763). Unlike both it counts in seconds, not in frames, and weighs a
match by its likelihood, not by the overlap of boxes: at one frame a second the boxes of a walker do not overlap.
"""

from __future__ import annotations

import math
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import numpy as np
from lap import lapjv
from numpy.typing import NDArray

from lamppost.model.vision import Box, Detection, Kind, Track
from lamppost.track.motion_model import Floats, MotionModel
from lamppost.track.sway import sway_of

MOST_TRACKS: Final = 512

_FLIPPING: Final = frozenset({Kind.PERSON, Kind.BICYCLE, Kind.VEHICLE})  # a detector takes one for the other
_SURE_SCORE: Final = 0.5
_LEAST_SCORE: Final = 0.1
_START_SCORE: Final = 0.6  # a weaker detection begins no track
_AT_ONCE_SCORE: Final = 0.9  # of what is there when the first picture comes
_CONFIRMING_SCORES: Final = 1.5  # the sum that makes a track one: two good sights of it, or three weak ones
_CONFIRMING_SIGHTS: Final = 2

# Costs of `MotionModel.costs`, above which two are not the same.
_FARTHEST: Final = 19.0
_FARTHEST_WEAK: Final = 16.0
_FARTHEST_NEW: Final = 16.0
_OTHER_KIND: Final = 6.0  # so much nearer must a detection of another kind be
_NEVER: Final = 1e6

_HOLD_S: Final = 1.0  # out of sight for no reason
_HIDDEN_HOLD_S: Final = 2.0  # behind something nearer
_HIDDEN_SHARE: Final = 0.5
_PATIENCE: Final = 2  # pictures in which it was missing, whatever the time between them
_LONGEST_S: Final = 5.0  # after which nothing is known any more, whatever the patience
_LOOSENESS: Final = 2.5  # of moving spots: they grow and shrink with limbs and shadows
_INSIDE_SHARE: Final = 0.6  # of the smaller one of two spots
_SAME_IOU: Final = 0.8  # two detections of one thing, as person and as bicycle
_CLOSE_S: Final = 1e-6  # times are sums of rounded ones

_ORDER: Final = MappingProxyType({kind: index for index, kind in enumerate((Kind.PERSON, Kind.BICYCLE, Kind.VEHICLE, Kind.OBJECT))})
_KIND_COSTS: Final = np.array(
    [[0.0 if one is other else _OTHER_KIND if {one, other} <= _FLIPPING else _NEVER for other in _ORDER] for one in _ORDER]
)


@dataclass(slots=True)
class _Followed:
    """One thing, beside what the motion model knows of it."""

    track_id: int
    seen_s: float
    is_confirmed: bool
    votes: dict[Kind, float]  # the scores of all its detections
    kind: Kind
    scores: float
    sights: int = 1
    misses: int = 0  # pictures since it was seen

    def see(self, at_s: float, detection: Detection) -> None:
        self.seen_s, self.misses = at_s, 0
        self.sights += 1
        self.scores += detection.score
        self.votes[detection.kind] = self.votes.get(detection.kind, 0.0) + detection.score
        if self.votes[detection.kind] > self.votes[self.kind]:
            self.kind = detection.kind
        self.is_confirmed = self.is_confirmed or (self.sights >= _CONFIRMING_SIGHTS and self.scores >= _CONFIRMING_SCORES)


class StreetTracker:
    """Tracks of one camera and one run, in memory only.

    Times are seconds of the stream, at any and at changing rates from one a second on; one that runs back counts as the one before it.
    Persons, bicycles, vehicles and objects are followed, other kinds are passed over. At most 512 things are followed: of more, the
    ones longest unseen are forgotten.
    """

    def __init__(self) -> None:
        self._model = MotionModel()
        self._followed: list[_Followed] = []
        self._at_s = -math.inf

    def update(self, at_s: float, detections: Sequence[Detection]) -> tuple[Track, ...]:
        """Take in what was detected at `at_s`; return the confirmed tracks, those not seen now among them, in the order they began.

        A track is confirmed by its second good sight. Boxes are those of the motion model, steadier than any detection and nearer to the
        truth. The kind is what most detections said, weighed by their scores.
        """
        is_first = math.isinf(self._at_s)
        at_s = max(at_s, self._at_s)
        self._model.predict(0.0 if is_first else min(at_s - self._at_s, _LONGEST_S))
        self._at_s = at_s
        self._forget([at_s - each.seen_s <= _LONGEST_S for each in self._followed])
        usable = _usable(detections)
        measured = _measured(usable)
        self._sway(usable, measured)
        pairs = self._associate(usable, measured)
        self._see(at_s, usable, measured, pairs)
        self._expire(at_s)
        self._begin(at_s, usable, measured, set(pairs.values()), is_first=is_first)
        return self._tracks(at_s)

    def _sway(self, detections: Sequence[Detection], measured: Floats) -> None:
        """Take what the camera has moved out of what the things have. To a detector of motion, all moves then: its spots tell nothing."""
        steady = np.array([each.is_confirmed and not each.misses and each.kind in _FLIPPING for each in self._followed], np.bool_)
        sure = np.array([each.score >= _SURE_SCORE and each.kind in _FLIPPING for each in detections], np.bool_)
        moved = sway_of(self._model.place[steady], measured[sure])
        if moved is not None:
            self._model.shift(moved)

    def _associate(self, detections: Sequence[Detection], measured: Floats) -> dict[int, int]:
        """Which track goes on with which detection, by their places."""
        if not self._followed or not detections:
            return {}
        costs = self._model.costs(measured) + _kind_costs([each.kind for each in self._followed], [each.kind for each in detections])
        confirmed = np.array([each.is_confirmed for each in self._followed])
        scores = np.array([each.score for each in detections])
        pairs: dict[int, int] = {}
        for tracks, found, farthest in (
            (confirmed, scores >= _SURE_SCORE, _FARTHEST),
            (confirmed, scores < _SURE_SCORE, _FARTHEST_WEAK),
            (~confirmed, scores >= _LEAST_SCORE, _FARTHEST_NEW),
        ):
            rows = np.flatnonzero(tracks)
            columns = np.flatnonzero(found)
            new = _assign(costs, rows, columns, farthest)
            for row, column in new:
                # Who has found its own takes no part in the next round.
                costs[row, :] = costs[:, column] = _NEVER
            pairs.update(new)
        pairs.update(self._merged(detections, measured, pairs))
        return pairs

    def _merged(self, detections: Sequence[Detection], measured: Floats, pairs: dict[int, int]) -> list[tuple[int, int]]:
        """Moving spots that lie in a much larger one, or it in them: some have become one, or one has come apart."""
        taken = set(pairs.values())
        rows = [row for row, each in enumerate(self._followed) if each.kind is Kind.OBJECT and each.is_confirmed and row not in pairs]
        columns = [column for column, each in enumerate(detections) if each.kind is Kind.OBJECT and column not in taken]
        if not rows or not columns:
            return []
        mine, theirs = self._model.place[rows][:, np.newaxis], measured[columns][np.newaxis]
        least = np.minimum(mine[..., 2:].prod(axis=-1), theirs[..., 2:].prod(axis=-1))
        inside = _shared(mine, theirs) / least
        costs = np.where(inside >= _INSIDE_SHARE, 1 - inside, _NEVER)
        return [(rows[row], columns[column]) for row, column in _assign(costs, np.arange(len(rows)), np.arange(len(columns)), 1.0)]

    def _see(self, at_s: float, detections: Sequence[Detection], measured: Floats, pairs: dict[int, int]) -> None:
        if pairs:
            rows, columns = np.array(list(pairs)), np.array(list(pairs.values()))
            self._model.correct(rows, measured[columns])
        for row, each in enumerate(self._followed):
            if row in pairs:
                each.see(at_s, detections[pairs[row]])
            else:
                each.misses += 1

    def _expire(self, at_s: float) -> None:
        hidden = self._hidden()
        kept = list[bool]()
        for each, is_hidden in zip(self._followed, hidden, strict=True):
            unseen_s = at_s - each.seen_s
            holds = unseen_s <= (_HIDDEN_HOLD_S if is_hidden else _HOLD_S) + _CLOSE_S
            kept.append(not each.misses or (each.is_confirmed and (holds or each.misses < _PATIENCE)))
        self._forget(kept)

    def _hidden(self) -> list[bool]:
        """Which unseen ones are thought to be where something seen is."""
        unseen = np.array([each.misses > 0 for each in self._followed], np.bool_)
        hidden = np.zeros(len(unseen), np.bool_)
        if unseen.any() and not unseen.all():
            place = self._model.place
            mine, theirs = place[unseen][:, np.newaxis], place[~unseen][np.newaxis]
            hidden[unseen] = (_shared(mine, theirs) >= _HIDDEN_SHARE * mine[..., 2:].prod(axis=-1)).any(axis=1)
        result: list[bool] = hidden.tolist()
        return result

    def _begin(self, at_s: float, detections: Sequence[Detection], measured: Floats, known: set[int], *, is_first: bool) -> None:
        """A new track for each sure detection that none went on with, and that is not one of them a second time."""
        begun = list[int]()
        for index, detection in enumerate(detections):
            if index in known or detection.score < _START_SCORE:
                continue
            if any(detection.box.iou(detections[other].box) >= _SAME_IOU for other in (*known, *begun)):
                continue
            begun.append(index)
            is_sure = is_first and detection.score >= _AT_ONCE_SCORE
            votes = {detection.kind: detection.score}
            self._followed.append(_Followed(secrets.randbits(63), at_s, is_sure, votes, detection.kind, detection.score))
        if begun:
            self._model.add(measured[begun], np.array([_LOOSENESS if detections[index].kind is Kind.OBJECT else 1.0 for index in begun]))
        excess = len(self._followed) - MOST_TRACKS
        if excess > 0:
            stale = sorted(range(len(self._followed)), key=lambda row: self._followed[row].seen_s)[:excess]
            self._forget([row not in set(stale) for row in range(len(self._followed))])

    def _forget(self, kept: Sequence[bool]) -> None:
        if not all(kept):
            self._model.keep(np.array(kept, np.bool_))
            self._followed = [each for each, is_kept in zip(self._followed, kept, strict=True) if is_kept]

    def _tracks(self, at_s: float) -> tuple[Track, ...]:
        place = self._model.place
        corners = np.hstack([place[:, :2] - place[:, 2:] / 2, place[:, :2] + place[:, 2:] / 2]).tolist()
        return tuple(
            Track(each.track_id, each.kind, Box(*box), not each.misses)
            for each, box in zip(self._followed, corners, strict=True)
            if each.is_confirmed
        )


def _usable(detections: Sequence[Detection]) -> list[Detection]:
    """Those that can be followed, the best of too many, in their order."""
    usable = [each for each in detections if each.kind in _ORDER and each.score >= _LEAST_SCORE and _is_box(each.box)]
    if len(usable) > MOST_TRACKS:
        least = sorted((each.score for each in usable), reverse=True)[MOST_TRACKS - 1]
        usable = [each for each in usable if each.score >= least][:MOST_TRACKS]
    return usable


def _is_box(box: Box) -> bool:
    return 0 < box.width < math.inf and 0 < box.height < math.inf and math.isfinite(box.x0 + box.y0)


def _measured(detections: Sequence[Detection]) -> Floats:
    """Centres, widths and heights, shape (n, 4)."""
    corners = np.array([(each.box.x0, each.box.y0, each.box.x1, each.box.y1) for each in detections], np.float64).reshape(-1, 4)
    return np.hstack([(corners[:, :2] + corners[:, 2:]) / 2, corners[:, 2:] - corners[:, :2]])


def _kind_costs(tracks: Sequence[Kind], detections: Sequence[Kind]) -> Floats:
    """What it costs to go on with another kind, shape (tracks, detections)."""
    mine, theirs = np.array([_ORDER[kind] for kind in tracks]), np.array([_ORDER[kind] for kind in detections])
    result: Floats = _KIND_COSTS[np.ix_(mine, theirs)]
    return result


def _assign(costs: Floats, rows: NDArray[np.intp], columns: NDArray[np.intp], farthest: float) -> list[tuple[int, int]]:
    """The pairs that together cost least, where none costs more than `farthest`, by Jonker and Volgenant, 1987."""
    if not len(rows) or not len(columns):
        return []
    found, _ = lapjv(costs[np.ix_(rows, columns)], extend_cost=True, cost_limit=farthest, return_cost=False)
    return [(int(rows[index]), int(columns[column])) for index, column in enumerate(found.tolist()) if column >= 0]


def _shared(one: Floats, other: Floats) -> Floats:
    """The area that boxes have in common, as centres, widths and heights."""
    sides = np.minimum(one[..., :2] + one[..., 2:] / 2, other[..., :2] + other[..., 2:] / 2)
    sides = sides - np.maximum(one[..., :2] - one[..., 2:] / 2, other[..., :2] - other[..., 2:] / 2)
    result: Floats = np.maximum(sides, 0.0).prod(axis=-1)
    return result
