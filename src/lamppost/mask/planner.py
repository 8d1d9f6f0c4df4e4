"""Where masks lie in each frame: steady boxes that go with what they hide.

A frame is planned only when `look_back_s` more of the stream has been seen, so
whatever appears late also masks the place where it must have been. The sides
of a box go along straight paths, taken from all that was seen a
little before and after: it shows where someone is, but neither an outline nor the
rhythm of a step.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from lamppost.mask.paint import BLOCK_PX, align, fill_of
from lamppost.model.vision import Box, Fill, Kind, Mask

# Of each side of a frame: with the look-back, the window is longer than two steps of a walk (0.5 s each).
BEFORE_S: Final = 0.5
_LINGER_S: Final = 0.2  # that a mask stays after its track was noted last
_PATH_S: Final = 1.0  # of what is older than the window: it tells which way someone goes, not how large their mask is
_LEAST_STEP_S = 0.02
_LEAST_SPREAD_S2 = 1e-4  # a line through a shorter time is noise
_MASK_LIMIT = 256
_NOTES_LIMIT = 1024  # of one track
_LONGEST_REACH = 3.0  # a box is carried back by three times its extent at most
_SLACK_PX = 6  # beyond a block, before an edge draws in
_OUTWARD = np.array([-1.0, -1.0, 1.0, 1.0])  # of the sides of a box: where it grows


@dataclass(frozen=True, slots=True)
class Padding:
    """How much a kind's box grows on each side, as a share of its extent, and at least in pixels."""

    side: float
    top: float
    bottom: float
    least_px: float = 4.0

    def around(self, box: Box) -> Box:
        dx = max(box.width * self.side, self.least_px)
        top, bottom = max(box.height * self.top, self.least_px), max(box.height * self.bottom, self.least_px)
        return Box(box.x0 - dx, box.y0 - top, box.x1 + dx, box.y1 + bottom)


# A face detector's box runs from brow to chin: hair, ears and beard lie outside.
_FACE = Padding(side=0.3, top=0.5, bottom=0.25)
_HEAD = Padding(side=0.25, top=0.25, bottom=0.25)
_BODY = Padding(side=0.08, top=0.08, bottom=0.06)


def padding_of(kind: Kind) -> Padding:
    """The padding of a kind."""
    return _FACE if kind is Kind.FACE else _HEAD if kind in (Kind.HEAD, Kind.PLATE) else _BODY


@dataclass(slots=True)
class _Course:
    """The padded boxes of one track over the window, and how its mask was drawn lately.

    A note is a time and the four sides of a box; notes come in order of time.
    """

    fill: Fill
    notes: deque[tuple[float, float, float, float, float]] = field(default_factory=lambda: deque(maxlen=_NOTES_LIMIT))
    unseen: int = 0  # of the last notes: predicted, not seen
    drawn: Mask | None = None

    def forget(self, before_s: float) -> None:
        while self.notes and self.notes[0][0] < before_s - 1e-6:
            self.notes.popleft()

    def bridge(self, at_s: float, box: Box) -> None:
        """It is seen again at `at_s`: what was predicted since it was last seen also holds the straight way between."""
        notes = self.notes
        unseen, self.unseen = [notes.pop() for _ in range(min(self.unseen, len(notes)))], 0
        if notes:
            since_s, *then = notes[-1]
            now = (box.x0, box.y0, box.x1, box.y1)
            for index, (note_s, *sides) in enumerate(unseen):
                share = (note_s - since_s) / (at_s - since_s) if at_s > since_s else 1.0
                way = Box(*(a + (b - a) * share for a, b in zip(then, now, strict=True))).union(Box(*sides))
                unseen[index] = (note_s, way.x0, way.y0, way.x1, way.y1)
        notes.extend(reversed(unseen))

    def box_at(self, at_s: float, since_s: float) -> Box:
        """The box at `at_s` whose sides go along straight paths, and hold every box of the window at its own time.

        The window begins at `since_s`; a path is laid through what was noted a little earlier, too. Paths over more
        than two steps, and the greatest distances from them, have no room for the swing of a step, unlike the sides of
        the boxes themselves. Before the first note, the box holds the place where the object was first seen as well.
        """
        notes = np.array(self.notes)
        times, values = notes[:, 0], notes[:, 1:] * _OUTWARD
        # Behind the last note nothing is known: the box stays where it was then.
        at_s = min(at_s, times[-1])
        # Weighted after Hann: a path fitted with equal weights sways with each step that enters or leaves its window.
        length_s = float(times[-1] - times[0]) + _LEAST_STEP_S
        weights = np.sin(np.pi * (times - times[0] + _LEAST_STEP_S / 2) / length_s) ** 2
        weights /= weights.sum()
        middle_s = float(weights @ times)
        offsets = times - middle_s
        spread = float(weights @ offsets**2)
        means = weights @ values
        slopes = (weights * offsets) @ values / spread if spread > _LEAST_SPREAD_S2 else np.zeros(4)
        window = times >= min(since_s - 1e-6, times[-1])
        beyond = (values - means - offsets[:, np.newaxis] * slopes)[window].max(axis=0)
        sides = means + slopes * (at_s - middle_s) + beyond
        if at_s < times[0]:
            first = means + slopes * offsets[0] + beyond
            reach = _LONGEST_REACH * (notes[0, [3, 4, 3, 4]] - notes[0, [1, 2, 1, 2]])
            sides = np.maximum(first, np.minimum(first + reach, sides))
        # A thousandth of a pixel is less than arithmetic is sure of, and would be a block where a side lies on its border.
        x0, y0, x1, y1 = (round(side, 3) for side in (sides * _OUTWARD).tolist())
        return Box(x0, y0, x1, y1)


class MaskPlanner:
    """Plans the masks of one camera's frames, in order of time (seconds of the stream).

    Promise: the masks of a frame at `t` hold every box that was noted at `t`, padded, as far as it lies in the
    picture. Each is as large as the boxes of its track need from `t` - 0.5 s (or an earlier moment that is asked for) until
    the moment of planning, along straight paths. What was noted first after `t` is masked where it came from.
    """

    def __init__(self, width_px: int, height_px: int) -> None:
        self._width_px = width_px
        self._height_px = height_px
        self._courses: dict[int, _Course] = {}

    def note(self, track_id: int, kind: Kind, box: Box, at_s: float, *, is_seen: bool = True) -> None:
        """`box` was seen, or is predicted, at `at_s`; tracks are told apart by their ids."""
        course = self._courses.get(track_id)
        if course is None:
            course = self._courses[track_id] = _Course(fill_of(kind))
        padded = padding_of(kind).around(box)
        if is_seen and course.unseen:
            course.bridge(at_s, padded)
        course.unseen = 0 if is_seen else course.unseen + 1
        notes = course.notes
        if len(notes) == _NOTES_LIMIT:
            # Too many to keep apart: the two oldest become one, and none is lost.
            _, *oldest = notes.popleft()
            next_s, *following = notes.popleft()
            union = Box(*oldest).union(Box(*following))
            notes.appendleft((next_s, union.x0, union.y0, union.x1, union.y1))
        notes.append((at_s, padded.x0, padded.y0, padded.x1, padded.y1))

    def masks(self, at_s: float, before_s: float = BEFORE_S) -> tuple[Mask, ...]:
        """The masks of the frame at `at_s`; what is older than its window, which begins `before_s` earlier, is forgotten."""
        linger_s = _LINGER_S if before_s <= BEFORE_S else before_s  # frames that are far apart: at least one more
        planned: list[Mask] = []
        for track_id in list(self._courses):
            course = self._courses[track_id]
            course.forget(at_s - before_s - _PATH_S)
            if not course.notes or course.notes[-1][0] < at_s - linger_s - 1e-6:
                del self._courses[track_id]
                continue
            box = course.box_at(at_s, at_s - before_s)
            course.drawn = _settle(course.drawn, box, align(box, course.fill, self._width_px, self._height_px))
            if course.drawn is not None:
                planned.append(course.drawn)
        return merge_masks(planned)


def _settle(drawn: Mask | None, box: Box, wanted: Mask | None) -> Mask | None:
    """`wanted`, but an edge draws in only when `box` is a block and a little more away from it: a box does not tremble."""
    if drawn is None or wanted is None:
        return wanted
    slack_px = BLOCK_PX + _SLACK_PX
    return Mask(
        drawn.x0 if drawn.x0 < wanted.x0 and box.x0 - drawn.x0 < slack_px else wanted.x0,
        drawn.y0 if drawn.y0 < wanted.y0 and box.y0 - drawn.y0 < slack_px else wanted.y0,
        drawn.x1 if drawn.x1 > wanted.x1 and drawn.x1 - box.x1 < slack_px else wanted.x1,
        drawn.y1 if drawn.y1 > wanted.y1 and drawn.y1 - box.y1 < slack_px else wanted.y1,
        wanted.fill,
    )


def merge_masks(masks: Sequence[Mask], limit: int = _MASK_LIMIT) -> tuple[Mask, ...]:
    """At most `limit` masks that cover all of `masks`; what lies inside another of its fill is left out."""
    kept: list[Mask] = []
    for mask in sorted(set(masks), key=lambda mask: -(mask.x1 - mask.x0) * (mask.y1 - mask.y0)):
        if not any(other.fill is mask.fill and _holds(other, mask) for other in kept):
            kept.append(mask)
    while len(kept) > limit:
        # Neighbours in reading order become one: more is covered, never less.
        kept.sort(key=lambda mask: (mask.y0, mask.x0, mask.y1, mask.x1))
        pairs = [kept[index : index + 2] for index in range(0, len(kept), 2)]
        kept = [_union(pair) for pair in pairs]
    return tuple(sorted(kept, key=lambda mask: (mask.y0, mask.x0, mask.y1, mask.x1, mask.fill)))


def _holds(outer: Mask, inner: Mask) -> bool:
    return outer.x0 <= inner.x0 and outer.y0 <= inner.y0 and outer.x1 >= inner.x1 and outer.y1 >= inner.y1


def _union(masks: Sequence[Mask]) -> Mask:
    fills = {mask.fill for mask in masks}
    fill = fills.pop() if len(fills) == 1 else Fill.PERSON if Fill.PERSON in fills else Fill.OTHER
    return Mask(
        min(mask.x0 for mask in masks),
        min(mask.y0 for mask in masks),
        max(mask.x1 for mask in masks),
        max(mask.y1 for mask in masks),
        fill,
    )
