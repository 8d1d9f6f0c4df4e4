"""Points, edges and sides in a picture: what lines and zones are made of.

All lengths are shares of the picture's height: `x` is stretched by the picture's aspect, so that a length is the same in
all directions. Plain floats, since there are few points and many frames. `y` runs down, as in pictures.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from lamppost.model.rules import Anchor, RuleBook
from lamppost.model.vision import Box

XY = tuple[float, float]
_TIE = 1e-12


def anchor_point(box: Box, anchor: Anchor) -> XY:
    """The point of `box` that stands for the thing, in the coordinates of the box."""
    return (box.x0 + box.x1) / 2, (box.y1 if anchor is Anchor.FOOT else (box.y0 + box.y1) / 2)


def ground_anchor(book: RuleBook) -> Anchor:
    """Where things touch the ground: in their middle, if every place says that the camera looks straight down."""
    places = (*book.line, *book.zone)
    looks_down = bool(places) and all(place.anchor is Anchor.CENTRE for place in places)
    return Anchor.CENTRE if looks_down else Anchor.FOOT


def even(points: Iterable[XY], aspect: float) -> tuple[XY, ...]:
    """`points`, shares of width and height, as shares of the height."""
    return tuple((x * aspect, y) for x, y in points)


@dataclass(frozen=True, slots=True)
class Bounds:
    """The smallest upright rectangle around some points."""

    x0: float
    y0: float
    x1: float
    y1: float

    @staticmethod
    def around(points: Sequence[XY]) -> Bounds:
        xs, ys = [x for x, _ in points], [y for _, y in points]
        return Bounds(min(xs), min(ys), max(xs), max(ys))

    def is_beside(self, point: XY, other: XY, margin: float) -> bool:
        """Whether both points lie to one and the same side of it, `margin` away at least."""
        (px, py), (qx, qy) = point, other
        return (
            (px < self.x0 - margin and qx < self.x0 - margin)
            or (px > self.x1 + margin and qx > self.x1 + margin)
            or (py < self.y0 - margin and qy < self.y0 - margin)
            or (py > self.y1 + margin and qy > self.y1 + margin)
        )


def side(start: XY, end: XY, point: XY) -> float:
    """Above 0 where `point` is to the right of who looks from `start` to `end`, below 0 to the left: twice the triangle's area."""
    return (end[0] - start[0]) * (point[1] - start[1]) - (end[1] - start[1]) * (point[0] - start[0])


def net_crossings(points: Sequence[XY], before: XY, now: XY) -> int:
    """How often the way from `before` to `now` goes across the line from left to right, less how often from right to left.

    A point on the line belongs to its left, and a corner to one of its two edges: along a whole path nothing is counted
    twice, and nothing is left out.
    """
    net = 0
    is_right = [side(before, now, corner) > 0 for corner in points]
    for index, (start, end) in enumerate(itertools.pairwise(points)):
        if is_right[index] != is_right[index + 1]:
            was, came = side(start, end, before) > 0, side(start, end, now) > 0
            net += int(came) - int(was)
    return net


def nearest(points: Sequence[XY], point: XY) -> tuple[float, int]:
    """How far `point` is from the line, and on which side: 1 is right, -1 left.

    Beyond an end the last edge is thought to go on. At a corner, to which two edges are equally near, the one counts
    that is seen the more from the side.
    """
    best, best_aside, best_side = math.inf, -1.0, 0
    for start, end in itertools.pairwise(points):
        along_x, along_y = end[0] - start[0], end[1] - start[1]
        to_x, to_y = point[0] - start[0], point[1] - start[1]
        squared = along_x * along_x + along_y * along_y
        share = min(1.0, max(0.0, (to_x * along_x + to_y * along_y) / squared)) if squared else 0.0
        apart = (to_x - share * along_x) ** 2 + (to_y - share * along_y) ** 2
        across = along_x * to_y - along_y * to_x
        aside = abs(across) / math.sqrt(squared) if squared else 0.0
        if apart < best - _TIE or (apart < best + _TIE and aside > best_aside):
            best, best_aside, best_side = apart, aside, (1 if across > 0 else -1)
    return math.sqrt(best), best_side


def is_inside(corners: Sequence[XY], point: XY) -> bool:
    """Whether `point` is in the polygon: a ray from it meets the edges an odd number of times."""
    x, y = point
    found = False
    x1, y1 = corners[-1]
    for x2, y2 in corners:
        if (y1 > y) != (y2 > y) and x < (x2 - x1) * (y - y1) / (y2 - y1) + x1:
            found = not found
        x1, y1 = x2, y2
    return found


def area(corners: Sequence[XY]) -> float:
    """Of a polygon whose edges do not cross (Gauss's shoelace formula); never below 0."""
    return abs(sum(a[0] * b[1] - b[0] * a[1] for a, b in zip(corners, (*corners[1:], corners[0]), strict=True))) / 2
