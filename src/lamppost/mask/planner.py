"""Where masks lie in each frame: steady boxes that hold all that was seen a little before and after.

A frame is planned only when `look_back_s` more of the stream has been seen, so
whatever appears late also masks the place where it must have been. A box
has the greatest extent of its window around a straight path: it shows where
someone is, but neither an outline nor the rhythm of a step.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from lamppost.mask.paint import BLOCK_PX, align, fill_of
from lamppost.model.vision import Box, Fill, Kind, Mask

# Before the frame; with the look-back after it, the window is longer than a step of a walk (0.5 s).
BEFORE_S: Final = 0.2
_LEAST_SPREAD_S2 = 1e-4  # a line through a shorter time is noise
_MASK_LIMIT = 256
_NOTES_LIMIT = 1024  # of one track
_VELOCITY_BASE_S = 0.4
_LONGEST_REACH = 3.0  # a box is carried back by three times its extent at most


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
_FACE = Padding(side=0.4, top=0.6, bottom=0.4)
_HEAD = Padding(side=0.25, top=0.25, bottom=0.25)
_BODY = Padding(side=0.08, top=0.08, bottom=0.06)


def padding_of(kind: Kind) -> Padding:
    """The padding of a kind."""
    return _FACE if kind is Kind.FACE else _HEAD if kind in (Kind.HEAD, Kind.PLATE) else _BODY


@dataclass(slots=True)
class _Course:
    """The padded boxes of one track over the window, and how its mask was drawn lately."""

    fill: Fill
    first_s: float
    notes: deque[tuple[float, Box]] = field(default_factory=lambda: deque(maxlen=_NOTES_LIMIT))
    drawn: Mask | None = None

    def forget(self, before_s: float) -> None:
        while self.notes and self.notes[0][0] < before_s - 1e-6:
            self.notes.popleft()

    def arrival(self, at_s: float) -> Box | None:
        """Where the object must have been at `at_s`, before it was first noted, from how it went on."""
        first_s, first = self.notes[0]
        if at_s >= self.first_s or first_s != self.first_s:
            return None
        later = next(((s, box) for s, box in reversed(self.notes) if s - first_s <= _VELOCITY_BASE_S), (first_s, first))
        base_s = later[0] - first_s
        if base_s <= 0:
            return None
        ahead_s = first_s - at_s
        dx = _bounded((later[1].x0 + later[1].x1 - first.x0 - first.x1) / 2 / base_s * ahead_s, first.width * _LONGEST_REACH)
        dy = _bounded((later[1].y0 + later[1].y1 - first.y0 - first.y1) / 2 / base_s * ahead_s, first.height * _LONGEST_REACH)
        return Box(first.x0 - dx, first.y0 - dy, first.x1 - dx, first.y1 - dy)

    def steady_box(self) -> Box | None:
        """The box that sweeps every box of the window: a straight line of centres, with one extent.

        A line and the greatest distances from it have no room for the swing of a
        step, unlike the edges of the boxes themselves.
        """
        if not self.notes:
            return None
        x0, x1 = self._sweep([(at_s, box.x0, box.x1) for at_s, box in self.notes])
        y0, y1 = self._sweep([(at_s, box.y0, box.y1) for at_s, box in self.notes])
        return Box(x0, y0, x1, y1)

    @staticmethod
    def _sweep(spans: Sequence[tuple[float, float, float]]) -> tuple[float, float]:
        """Least squares through the centres of `(time, low, high)`, widened until it holds every span."""
        times = [at_s for at_s, _, _ in spans]
        centres = [(low + high) / 2 for _, low, high in spans]
        mean_s, mean = sum(times) / len(times), sum(centres) / len(centres)
        spread = sum((at_s - mean_s) ** 2 for at_s in times)
        covariance = sum((at_s - mean_s) * centre for at_s, centre in zip(times, centres, strict=True))
        slope = covariance / spread if spread > _LEAST_SPREAD_S2 else 0.0
        line = [mean + slope * (at_s - mean_s) for at_s in times]
        below = max(centre - low for centre, (_, low, _) in zip(line, spans, strict=True))
        above = max(high - centre for centre, (_, _, high) in zip(line, spans, strict=True))
        return min(line) - below, max(line) + above


class MaskPlanner:
    """Plans the masks of one camera's frames, in order of time (seconds of the stream).

    Promise: the masks of a frame at `t` hold every box noted from `t` - 0.2 s (or
    an earlier moment that is asked for) until the moment of planning, padded, as far as it lies in the picture.
    """

    def __init__(self, width_px: int, height_px: int) -> None:
        self._width_px = width_px
        self._height_px = height_px
        self._courses: dict[int, _Course] = {}

    def note(self, track_id: int, kind: Kind, box: Box, at_s: float) -> None:
        """`box` was seen, or is predicted, at `at_s`; tracks are told apart by their ids."""
        course = self._courses.get(track_id)
        if course is None:
            course = self._courses[track_id] = _Course(fill_of(kind), at_s)
        padded = padding_of(kind).around(box)
        if len(course.notes) == _NOTES_LIMIT:
            # Too many to keep apart: the two oldest become one, and none is lost.
            (_, oldest), (next_s, following) = course.notes.popleft(), course.notes.popleft()
            course.notes.appendleft((next_s, oldest.union(following)))
        course.notes.append((at_s, padded))

    def masks(self, at_s: float, before_s: float = BEFORE_S) -> tuple[Mask, ...]:
        """The masks of the frame at `at_s`; what is older than its window, which begins `before_s` earlier, is forgotten."""
        for track_id in list(self._courses):
            course = self._courses[track_id]
            course.forget(at_s - before_s)
            if not course.notes:
                del self._courses[track_id]
        planned: list[Mask] = []
        for course in self._courses.values():
            box, arrival = course.steady_box(), course.arrival(at_s)
            if box is not None and arrival is not None:
                box = box.union(arrival)
            mask = align(box, course.fill, self._width_px, self._height_px) if box else None
            course.drawn = _settle(course.drawn, mask)
            if course.drawn is not None:
                planned.append(course.drawn)
        return merge_masks(planned)


def _bounded(value: float, limit: float) -> float:
    return max(-limit, min(limit, value))


def _settle(drawn: Mask | None, wanted: Mask | None) -> Mask | None:
    """`wanted`, but an edge draws in only by two blocks or more: a box does not tremble."""
    if drawn is None or wanted is None:
        return wanted
    slack_px = 2 * BLOCK_PX
    return Mask(
        drawn.x0 if 0 < wanted.x0 - drawn.x0 < slack_px else wanted.x0,
        drawn.y0 if 0 < wanted.y0 - drawn.y0 < slack_px else wanted.y0,
        drawn.x1 if 0 < drawn.x1 - wanted.x1 < slack_px else wanted.x1,
        drawn.y1 if 0 < drawn.y1 - wanted.y1 < slack_px else wanted.y1,
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
