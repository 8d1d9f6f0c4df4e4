"""Tells what may be counted from what is merely masked: a thing brings edges of its own, changed light does not.

Masks cover whatever differs from the empty place, in doubt too much. Who counts must not take a lamp that is switched on, the
digits of a clock in the picture, or the place that a car has left for something that came; nor two cars whose shadows touch for one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from lamppost.detect.background import gradient
from lamppost.detect.values import Flags, Picture
from lamppost.model.vision import Detection, Kind, Observation

# Light makes edges stronger that are there already, and moves nothing. Twice as bright is no rare thing, where infrared
# lamps and automatic exposure meet.
_STRONGER: Final = 1.5
_LEAST_EDGE_LEVELS: Final = 5.0
_FAINT_EDGE_LEVELS: Final = 2.5  # where a thing is for sure: its legs may look like the street
_NEAR: Final = np.ones((5, 5), np.uint8)  # an edge that trembles by two pixels is the same edge
_LEAST_NEW_SHARE: Final = 0.03  # of the box: things bring at least a quarter more, light half of it at most
_LEAST_GAP_PX: Final = 3
_LEAST_ACROSS: Final = 2  # a row or a column of a thing has an edge on both sides
_LEAST_ASPECT: Final = 0.22  # width over height of a person who stands with closed legs
_MOSTLY: Final = 0.8  # of the new edges
_MOST_PARTS: Final = 8
_INSIDE: Final = 0.5  # of a thing
_Corners = tuple[int, int, int, int]


def countable(observation: Observation) -> tuple[Detection, ...]:
    """What in `observation` is surely a thing: nothing while the background is being learnt or the whole picture changed.

    Of motion the boxes that hold one of the `things`, as they are masked: these tremble less than the things themselves. What
    networks report is taken as it is.
    """
    if not observation.is_settled or observation.is_scene_change:
        return ()
    return tuple(seen for seen in observation.detections if seen.kind is not Kind.OBJECT or _holds_one(seen, observation.things))


def _holds_one(seen: Detection, things: Sequence[Detection]) -> bool:
    return seen.box.area > 0 and any(seen.box.intersection(thing.box) >= _INSIDE * thing.box.area > 0 for thing in things)


def find_things(lit: Picture, mean: Picture, boxes: Iterable[_Corners]) -> NDArray[np.int32]:
    """What the `boxes` (x0, y0, x1, y1) hold, where that has enough edges which the background lacks: one or several things each.

    `lit` is the picture in the light of the background `mean`, both (h, w) in grey levels. Shape (n, 4), at most 8 for each box.
    """
    things: list[_Corners] = []
    for box in boxes:
        is_new = new_edges(lit, mean, box)
        if is_new.size and float(is_new.mean()) >= _LEAST_NEW_SHARE:
            x0, y0 = box[0], box[1]
            things += [
                (x0 + left, y0 + top, x0 + right, y0 + bottom)
                for left, top, right, bottom in _split(is_new, new_edges(lit, mean, box, _FAINT_EDGE_LEVELS))
            ]
    return np.array(things, np.int32).reshape(-1, 4)


def new_edges(now: Picture, then: Picture, box: _Corners, least_levels: float = _LEAST_EDGE_LEVELS) -> Flags:
    """The pixels at which `now` has an edge of `least_levels`, and `then` hardly one near it; `box` lies in the picture, or is empty."""
    rows, columns = now.shape
    x0, y0, x1, y1 = box
    if x1 <= x0 or y1 <= y0:
        return np.zeros((0, 0), np.bool_)
    # What lies around belongs to the edges at its border.
    left, top = max(0, x0 - 3), max(0, y0 - 3)
    around = (slice(top, min(rows, y1 + 3)), slice(left, min(columns, x1 + 3)))
    known = cv2.dilate(gradient(then[around]), _NEAR)
    is_new = gradient(now[around]) > _STRONGER * known + least_levels
    return np.asarray(is_new[y0 - top : y1 - top, x0 - left : x1 - left], np.bool_)


def _split(is_new: Flags, is_faint: Flags) -> Sequence[_Corners]:
    """What a box holds, in its own pixels: things side by side that shadows hold together, or one without its shadow.

    Cut where columns have no new edge, into parts as high as their edges are, and as wide as a thing of the box's height is at
    least. All of the box where there is none, or one that leaves out much of what is new.
    """
    parts = [part for part in (_extent(is_new, is_faint, start, end) for start, end in _spans(is_new)) if part is not None]
    held = sum(np.count_nonzero(is_new[top:bottom, left:right]) for left, top, right, bottom in parts)
    if len(parts) > 1 or held >= _MOSTLY * np.count_nonzero(is_new):
        return parts[:_MOST_PARTS]
    return [(0, 0, is_new.shape[1], is_new.shape[0])]


def _spans(is_new: Flags) -> list[tuple[int, int]]:
    """Columns that follow each other and have new edges, with no gap wide enough to part them."""
    filled = np.flatnonzero(np.count_nonzero(is_new, axis=0) >= _LEAST_ACROSS)
    if not filled.size:
        return []
    cuts = np.flatnonzero(np.diff(filled) > _LEAST_GAP_PX)
    starts, ends = filled[np.append(0, cuts + 1)], filled[np.append(cuts, len(filled) - 1)] + 1
    return [(int(start), int(end)) for start, end in zip(starts, ends, strict=True)]


def _extent(is_new: Flags, is_faint: Flags, start: int, end: int) -> _Corners | None:
    """The box of what is new in these columns; None where that is too little or too narrow to be a thing by itself."""
    part = is_new[:, start:end]
    rows = np.flatnonzero(np.count_nonzero(is_faint[:, start:end], axis=1) >= _LEAST_ACROSS)
    if not rows.size or end - start < _LEAST_ASPECT * is_new.shape[0]:
        return None
    top, bottom = int(rows[0]), int(rows[-1]) + 1
    return (start, top, end, bottom) if part[top:bottom].mean() >= _LEAST_NEW_SHARE else None
