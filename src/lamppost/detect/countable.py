"""Tells what may be counted from what is merely masked: a thing brings edges of its own, changed light does not.

Masks cover whatever differs from the empty place, in doubt too much. Who counts must not take a lamp that is switched on, the
digits of a clock in the picture, or the place that a car has left for something that came.
"""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np

from lamppost.detect.background import gradient
from lamppost.detect.values import Picture
from lamppost.model.vision import Detection, Kind, Observation

THING_SCORE: Final = 1.0
LIGHT_SCORE: Final = 0.5
# Light makes edges stronger that are there already, and moves nothing. Twice as bright is no rare thing, where infrared
# lamps and automatic exposure meet.
_STRONGER: Final = 1.5
_LEAST_EDGE_LEVELS: Final = 5.0
_NEAR: Final = np.ones((5, 5), np.uint8)  # an edge that trembles by two pixels is the same edge
_LEAST_NEW_SHARE: Final = 0.03  # of the box: things bring at least half as much again, light half of it at most
_Corners = tuple[int, int, int, int]


def countable(observation: Observation) -> tuple[Detection, ...]:
    """What in `observation` is surely a thing: nothing while the background is being learnt or the whole picture changed.

    Motion that brings no edges of its own is left out; what networks report is taken as it is.
    """
    if not observation.is_settled or observation.is_scene_change:
        return ()
    return tuple(
        seen
        for seen in observation.detections
        if seen.box.width > 0 and seen.box.height > 0 and (seen.kind is not Kind.OBJECT or seen.score >= THING_SCORE)
    )


def score_motion(lit: Picture, mean: Picture, box: _Corners) -> float:
    """1 where the picture has enough edges in `box` (x0, y0, x1, y1) that the background lacks, less where it may be light alone.

    `lit` is the picture in the light of the background `mean`, both (h, w) in grey levels.
    """
    return THING_SCORE if share_of_new_edges(lit, mean, box) >= _LEAST_NEW_SHARE else LIGHT_SCORE


def share_of_new_edges(now: Picture, then: Picture, box: _Corners) -> float:
    """The share of the pixels in `box` at which `now` has an edge, and `then` hardly one near it; 0 for a box without pixels."""
    rows, columns = now.shape
    x0, y0, x1, y1 = max(0, box[0]), max(0, box[1]), min(columns, box[2]), min(rows, box[3])
    if x1 <= x0 or y1 <= y0:
        return 0.0
    # What lies around belongs to the edges at its border.
    left, top = max(0, x0 - 3), max(0, y0 - 3)
    around = (slice(top, min(rows, y1 + 3)), slice(left, min(columns, x1 + 3)))
    known = cv2.dilate(gradient(then[around]), _NEAR)
    is_new = gradient(now[around]) > _STRONGER * known + _LEAST_EDGE_LEVELS
    return float(is_new[y0 - top : y1 - top, x0 - left : x1 - left].mean())
