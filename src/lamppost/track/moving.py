"""Follows what moves: boxes around motion grow as a thing comes in, unite as two of them pass each other, and part again.

`street.StreetTracker` follows what a network sees, whose boxes do none of that. Here two stages of association as in ByteTrack
(Zhang et al., 2022, arXiv:2110.06864): what was detected surely first, then, for tracks that found nothing, what was detected
weakly. Boxes, their sizes too, are predicted by a Kalman filter of constant velocity whose noise grows with the time that passed and
with the thing's height, so that frame rates may vary and frames may be missing. Nothing of how something looks is ever read.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import lap
import numpy as np
from numpy.typing import NDArray

from lamppost.model.vision import Box, Detection, Kind, Track
from lamppost.track.merged import find_merged

Array = NDArray[np.float64]

MOST_TRACKS: Final = 256
_LONGEST_STEP_S: Final = 5.0
_NO_MATCH: Final = 1e3
_RECENT_S: Final = 0.5  # what was seen within this goes on with a weak detection
_HINTED: Final = 0.3  # of overlap: a hint is of this thing
_ANYTHING: Final = frozenset({Kind.BICYCLE, Kind.OBJECT})
_KNOWN_S: Final = 0.8  # what was by itself for less is a piece of it


@dataclass(frozen=True, slots=True)
class MovingSettings:
    """What may be set; scores 0 to 1, times in seconds, noise and speeds in heights of the thing.

    `begin_score` is the least with which a track begins, `sure_score` parts the two stages, and below `least_score` nothing
    counts. `confirm_s` is how long a new track must have been seen, and twice at least; with 0 it counts at once. `lost_s` is how
    long a track is sought after it was seen last.
    """

    begin_score: float = 0.7
    sure_score: float = 0.65
    least_score: float = 0.1
    confirm_s: float = 0.0
    lost_s: float = 2.0
    acceleration: float = 0.15  # heights per s², as the root of a spectral density
    start_speed: float = 1.2  # heights per s, the deviation of a new track's speed
    jitter: float = 0.08  # of a detection's edges
    size_calm: float = 0.35  # sizes change so much slower than places
    fresh_s: float = 0.3  # tracks that were seen so shortly ago choose first
    fresh_overlap: float = 0.2
    least_overlap: float = 0.15
    weak_overlap: float = 0.4
    height_weight: float = 1.0  # the power of the ratio of heights by which an overlap counts less
    reach: float = 0.4  # deviations of the prediction by which boxes grow when they are compared
    calm: float = 0.5  # of a shown box: the share of what was predicted and corrected, beside what was detected


@dataclass(slots=True)
class _Life:
    """What a track is beside its place."""

    track_id: int
    first_s: float
    last_s: float
    hits: int
    is_confirmed: bool
    kinds: dict[Kind, float] = field(default_factory=dict[Kind, float])

    def tell(self, detection: Detection) -> None:
        """It looked like this. One clear look says more than some doubtful ones."""
        self.kinds[detection.kind] = self.kinds.get(detection.kind, 0.0) + detection.score**2

    @property
    def kind(self) -> Kind:
        """What it was taken for most, be it ever so weakly; an `object` only where nobody said what it is."""
        told = [kind for kind in self.kinds if kind is not Kind.OBJECT]
        return max(told, key=lambda kind: self.kinds[kind]) if told else Kind.OBJECT


class MovingTracker:
    """Tracks of one camera and one run, in memory only.

    `update` takes what was detected at `at_s` (seconds of the stream) and returns the confirmed tracks that live, the seen
    ones with a box between that of the detection and that of the filter, which trembles less, the others where they are
    believed to be. Time that runs back starts everything anew. Of
    more than 256 tracks, the ones longest unseen go.
    """

    def __init__(self, settings: MovingSettings | None = None) -> None:
        self._settings = settings or MovingSettings()
        self._lives: list[_Life] = []
        self._at_s: float | None = None
        self._place = np.zeros((0, 4))  # centre x, centre y, width, height
        self._speed = np.zeros((0, 4))  # of each, per second
        self._spread = np.zeros((0, 4, 3))  # variances: of the place, of both, of the speed

    def update(self, at_s: float, detections: Sequence[Detection], hints: Sequence[Detection] = ()) -> tuple[Track, ...]:
        """Take in what was detected at `at_s`. `hints` say what something there may be, and nothing of where it is."""
        if self._at_s is not None and at_s < self._at_s:
            self._keep(np.zeros(len(self._lives), np.bool_))
        dt_s = 0.0 if self._at_s is None else min(max(0.0, at_s - self._at_s), _LONGEST_STEP_S)
        self._at_s = at_s
        self._predict(at_s, dt_s)
        settings = self._settings
        found = [each for each in detections if each.score >= settings.least_score and each.box.width > 0 and each.box.height > 0]
        boxes = _centred(found)
        scores = np.array([each.score for each in found])
        kinds = [each.kind for each in found]
        shared = self._shared(boxes, kinds)
        seen = self._associate(at_s, dt_s, boxes, scores, kinds, shared)
        taken = {*seen.values(), *shared.values()}
        self._correct(seen, boxes, found, at_s)
        self._lean(shared, boxes, at_s)
        self._vote(hints)
        least = max(settings.begin_score, settings.sure_score)
        new = [index for index, each in enumerate(found) if index not in taken and each.score >= least]
        self._begin(new, boxes, found, at_s)
        tracks = self._tracks(at_s, {self._lives[row].track_id: found[index].box for row, index in seen.items()})
        self._expire(at_s)
        return tracks

    def _predict(self, at_s: float, dt_s: float) -> None:
        if not len(self._place) or dt_s == 0:
            return
        noise = self._noise(self._place[:, 3]) * dt_s
        # What nobody sees goes on as it went, and neither grows nor shrinks.
        self._speed[[at_s - dt_s > life.last_s for life in self._lives], 2:] = 0.0
        self._place += self._speed * dt_s
        np.maximum(self._place[:, 2:], 1.0, out=self._place[:, 2:])
        place, both, speed = self._spread[..., 0], self._spread[..., 1], self._spread[..., 2]
        place += dt_s * (2 * both + dt_s * speed) + noise * dt_s**2 / 3
        both += dt_s * speed + noise * dt_s / 2
        speed += noise

    def _noise(self, height: Array) -> Array:
        """Spectral density of acceleration for each of the four, shape (n, 4)."""
        density = (self._settings.acceleration * height) ** 2
        return np.stack([density, density, density * self._settings.size_calm**2, density * self._settings.size_calm**2], axis=1)

    def _associate(
        self, at_s: float, dt_s: float, boxes: Array, scores: Array, kinds: Sequence[Kind], shared: dict[int, int]
    ) -> dict[int, int]:
        """By track, its own detection: who was seen just now chooses first, then all others, and what is weak comes last."""
        settings, seen = self._settings, dict[int, int]()
        is_single = ~np.isin(np.arange(len(boxes)), list(shared.values()))
        sure = np.flatnonzero((scores >= settings.sure_score) & is_single)
        weak = np.flatnonzero((scores < settings.sure_score) & is_single)
        everyone = [row for row in range(len(self._lives)) if row not in shared]
        fresh = [row for row in everyone if self._was_seen_within(row, at_s, dt_s + settings.fresh_s)]
        self._match(fresh, sure.tolist(), boxes, kinds, settings.fresh_overlap, seen)
        taken = set(seen.values())
        left = [column for column in sure.tolist() if column not in taken]
        self._match([row for row in everyone if row not in seen], left, boxes, kinds, settings.least_overlap, seen)
        recent = [row for row in everyone if row not in seen and self._was_seen_within(row, at_s, dt_s + _RECENT_S)]
        self._match(recent, weak.tolist(), boxes, kinds, settings.weak_overlap, seen)
        return seen

    def _was_seen_within(self, row: int, at_s: float, limit_s: float) -> bool:
        return at_s - self._lives[row].last_s <= limit_s

    def _match(
        self, rows: Sequence[int], columns: Sequence[int], boxes: Array, kinds: Sequence[Kind], least: float, seen: dict[int, int]
    ) -> None:
        """Give each of the tracks `rows` at most one of the detections `columns`, for the largest sum of overlaps."""
        if not len(rows) or not len(columns):
            return
        margin = self._settings.reach * np.sqrt(self._spread[rows][:, :2, 0])
        overlap = _overlaps(self._place[rows], boxes[columns], margin)
        heights = self._place[rows][:, 3, np.newaxis], boxes[columns][np.newaxis, :, 3]
        overlap = overlap * (np.minimum(*heights) / np.maximum(*heights)) ** self._settings.height_weight
        other = np.array([[not _may_be(self._lives[row].kinds, kinds[column]) for column in columns] for row in rows])
        cost = np.where((overlap < least) | other, _NO_MATCH, 1 - overlap)
        _total, found, _back = lap.lapjv(cost, extend_cost=True, cost_limit=1.0)
        for row, column in zip(rows, found, strict=True):
            if column >= 0:
                seen[row] = columns[int(column)]

    def _shared(self, boxes: Array, kinds: Sequence[Kind]) -> dict[int, int]:
        """By track, the motion in which it goes on together with others."""
        is_known = np.array([life.is_confirmed and life.last_s - life.first_s >= _KNOWN_S for life in self._lives], np.bool_)
        known = np.flatnonzero(is_known)
        motion = np.flatnonzero(np.array([kind is Kind.OBJECT for kind in kinds], np.bool_))
        if len(known) < 2 or not len(motion):
            return {}
        found = find_merged(self._place[known], boxes[motion])
        return {int(known[row]): int(motion[column]) for row, column in found.items()}

    def _lean(self, shared: dict[int, int], boxes: Array, at_s: float) -> None:
        """Carry tracks on that share a detection: at their own speed, in their own size, and within it."""
        for row, column in shared.items():
            self._speed[row, 2:] = 0.0
            room = np.maximum(0.0, (boxes[column, 2:] - self._place[row, 2:]) / 2)
            self._place[row, :2] = np.clip(self._place[row, :2], boxes[column, :2] - room, boxes[column, :2] + room)
            self._lives[row].last_s = at_s

    def _correct(self, seen: dict[int, int], boxes: Array, found: Sequence[Detection], at_s: float) -> None:
        if not seen:
            return
        rows, columns = np.array(list(seen)), np.array(list(seen.values()))
        spread = self._spread[rows]
        noise = self._jitter(boxes[columns][:, 3])
        total = spread[..., 0] + noise
        gain_place, gain_speed = spread[..., 0] / total, spread[..., 1] / total
        off = boxes[columns] - self._place[rows]
        self._place[rows] += gain_place * off
        self._speed[rows] += gain_speed * off
        place, both, speed = spread[..., 0], spread[..., 1], spread[..., 2]
        self._spread[rows] = np.stack([(1 - gain_place) * place, (1 - gain_place) * both, speed - gain_speed * both], axis=-1)
        for row, column in seen.items():
            life, detection = self._lives[row], found[column]
            life.last_s = at_s
            life.hits += 1
            life.tell(detection)
            life.is_confirmed |= life.hits >= 2 and at_s - life.first_s >= self._settings.confirm_s - 1e-6

    def _jitter(self, height: Array) -> Array:
        return np.repeat(((self._settings.jitter * height) ** 2)[:, np.newaxis], 4, axis=1)

    def _vote(self, hints: Sequence[Detection]) -> None:
        if not hints or not self._lives:
            return
        overlap = _overlaps(self._place, _centred(hints), np.zeros((len(self._lives), 2)))
        for column, hint in enumerate(hints):
            row = int(overlap[:, column].argmax())
            if overlap[row, column] >= _HINTED:
                self._lives[row].tell(hint)

    def _begin(self, columns: Sequence[int], boxes: Array, found: Sequence[Detection], at_s: float) -> None:
        if not columns:
            return
        new = boxes[columns]
        speed = (self._settings.start_speed * new[:, 3]) ** 2
        calm = self._settings.size_calm**2
        spread = np.zeros((len(new), 4, 3))
        spread[..., 0] = self._jitter(new[:, 3])
        spread[..., 2] = np.stack([speed, speed, speed * calm, speed * calm], axis=1)
        self._place = np.concatenate([self._place, new])
        self._speed = np.concatenate([self._speed, np.zeros_like(new)])
        self._spread = np.concatenate([self._spread, spread])
        for column in columns:
            detection = found[column]
            is_confirmed = self._settings.confirm_s <= 0
            life = _Life(secrets.randbits(63), at_s, at_s, 1, is_confirmed)
            life.tell(detection)
            self._lives.append(life)

    def _tracks(self, at_s: float, seen: dict[int, Box]) -> tuple[Track, ...]:
        tracks: list[Track] = []
        for life, (x, y, width, height) in zip(self._lives, self._place.tolist(), strict=True):
            if life.is_confirmed and at_s - life.last_s <= self._settings.lost_s:
                believed = Box(x - width / 2, y - height / 2, x + width / 2, y + height / 2)
                box = seen.get(life.track_id)
                shown = believed if box is None else _between(box, believed, self._settings.calm)
                tracks.append(Track(life.track_id, life.kind, shown, life.last_s == at_s))
        return tuple(tracks)

    def _expire(self, at_s: float) -> None:
        ages = np.array([at_s - life.last_s for life in self._lives])
        kept = np.array(
            [age <= (self._settings.lost_s if life.is_confirmed else 0.4) for age, life in zip(ages, self._lives, strict=True)], np.bool_
        )
        if kept.sum() > MOST_TRACKS:
            kept[np.argsort(np.where(kept, ages, np.inf), kind="stable")[MOST_TRACKS:]] = False
        if not kept.all():
            self._keep(kept)

    def _keep(self, kept: NDArray[np.bool_]) -> None:
        self._lives = [life for life, is_kept in zip(self._lives, kept, strict=True) if is_kept]
        self._place, self._speed, self._spread = self._place[kept], self._speed[kept], self._spread[kept]


def _may_be(kinds: dict[Kind, float], kind: Kind) -> bool:
    """A detector flips between a bicycle and who rides it, and an object may be anything; a person never becomes a car."""
    return kind in kinds or kind in _ANYTHING or not _ANYTHING.isdisjoint(kinds)


def _between(one: Box, other: Box, share: float) -> Box:
    """`share` of the way from `one` to `other`."""
    rest = 1 - share
    return Box(
        rest * one.x0 + share * other.x0,
        rest * one.y0 + share * other.y0,
        rest * one.x1 + share * other.x1,
        rest * one.y1 + share * other.y1,
    )


def _centred(found: Sequence[Detection]) -> Array:
    boxes = np.array([(each.box.x0, each.box.y0, each.box.x1, each.box.y1) for each in found]).reshape(-1, 4)
    return np.concatenate([(boxes[:, :2] + boxes[:, 2:]) / 2, boxes[:, 2:] - boxes[:, :2]], axis=1)


def _overlaps(tracks: Array, boxes: Array, margin: Array) -> Array:
    """Intersection over union, shape (tracks, boxes), of boxes that both grow by what the track's place is uncertain."""
    extent_a = tracks[:, np.newaxis, 2:] + 2 * margin[:, np.newaxis]
    extent_b = boxes[np.newaxis, :, 2:] + 2 * margin[:, np.newaxis]
    apart = np.abs(tracks[:, np.newaxis, :2] - boxes[np.newaxis, :, :2])
    sides = np.clip(np.minimum((extent_a + extent_b) / 2 - apart, np.minimum(extent_a, extent_b)), 0, None)
    shared = sides.prod(axis=-1)
    result: Array = shared / (extent_a.prod(axis=-1) + extent_b.prod(axis=-1) - shared)
    return result
