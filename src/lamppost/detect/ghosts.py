"""Tells uncovered background and changed light from things that merely stand still.

A thing that stopped must stay masked for as long as it stands there; the place
that a thing has left must not. Both differ from the background model and both
are still. What tells them apart is where the outline lies: around a thing that
is there, the picture has edges that the model lacks; around a ghost, the model
has edges that the picture lacks. In doubt it is a thing.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from lamppost.detect.background import gradient
from lamppost.detect.countable import new_edges
from lamppost.detect.values import Flags, Picture

_OUTLINE = np.ones((5, 5), np.uint8)
_GHOST_RATIO = 2.0  # edges that went over edges that came, along the outline
_LEAST_EDGE_LEVELS = 2.5
_LEAST_LOST_SHARE = 0.03  # of the box
_SAME_CORRELATION = 0.9
_SHIFT_PX = 4
_FAINT_RATIO = 1.2
_LEAST_TEXTURE_LEVELS = 6.0


def is_background(lit: Picture, mean: Picture, ratio: Picture, shape: Flags, box: NDArray[np.int32]) -> bool:
    """True when `shape` (foreground, inside `box` x0, y0, x1, y1) is uncovered background or changed light.

    `ratio` is the difference over its threshold, colour included.
    """
    now, then, inside = _cut_out(lit, mean, shape, box)
    if _has_left(now, then, inside) or _is_same_place(lit, mean, box):
        return True
    return float(ratio[shape].mean()) < _FAINT_RATIO and _lacks_outline(now, then, inside)


def is_removal(lit: Picture, mean: Picture, shape: Flags, box: NDArray[np.int32]) -> bool:
    """True when `shape`, found to be background, is where a thing stood that the model still shows: its edges are gone.

    A lamp that went out takes edges away as well, but leaves what it shone on.
    """
    x0, y0, x1, y1 = (int(value) for value in box)
    now, then, inside = _cut_out(lit, mean, shape, box)
    has_gone = _has_left(now, then, inside) and not _is_same_place(lit, mean, box)
    return has_gone and float(new_edges(mean, lit, (x0, y0, x1, y1)).mean()) >= _LEAST_LOST_SHARE


def _cut_out(lit: Picture, mean: Picture, shape: Flags, box: NDArray[np.int32]) -> tuple[Picture, Picture, NDArray[np.uint8]]:
    """`box` and what lies close around it, of both pictures and of the shape."""
    rows, columns = shape.shape
    x0, y0, x1, y1 = max(0, box[0] - 4), max(0, box[1] - 4), min(columns, box[2] + 4), min(rows, box[3] + 4)
    window = (slice(y0, y1), slice(x0, x1))
    return lit[window], mean[window], np.ascontiguousarray(shape[window]).view(np.uint8)


def _outline(inside: NDArray[np.uint8]) -> Flags:
    return np.asarray((cv2.dilate(inside, _OUTLINE) > 0) & (cv2.erode(inside, _OUTLINE) == 0), np.bool_)


def _has_left(now: Picture, then: Picture, inside: NDArray[np.uint8]) -> bool:
    outline = _outline(inside)
    if outline.sum() < 8:
        return False
    change = (gradient(now) - gradient(then))[outline]
    gained, lost = float(np.maximum(change, 0).mean()), float(np.maximum(-change, 0).mean())
    return lost > _LEAST_EDGE_LEVELS and lost > _GHOST_RATIO * gained


def _is_same_place(now: Picture, mean: Picture, box: NDArray[np.int32]) -> bool:
    # A shadow or a lamp scales what is there, and a mast that settles shifts it by a pixel
    # or two: the texture is found again close by. A thing brings its own.
    rows, columns = mean.shape
    x0, y0, x1, y1 = (int(value) for value in box)
    if float(now[y0:y1, x0:x1].std()) < _LEAST_TEXTURE_LEVELS:
        return False
    reach = (
        slice(max(0, y0 - _SHIFT_PX), min(rows, y1 + _SHIFT_PX)),
        slice(max(0, x0 - _SHIFT_PX), min(columns, x1 + _SHIFT_PX)),
    )
    match = cv2.matchTemplate(np.ascontiguousarray(mean[reach]), np.ascontiguousarray(now[y0:y1, x0:x1]), cv2.TM_CCOEFF_NORMED)
    return float(np.nan_to_num(match).max()) > _SAME_CORRELATION


def _lacks_outline(now: Picture, then: Picture, inside: NDArray[np.uint8]) -> bool:
    # Wet asphalt, the rest of a shadow: nothing begins where the shape does.
    outline = _outline(inside)
    return bool(outline.sum() >= 8) and float(gradient(now)[outline].mean()) < 1.1 * float(gradient(then)[outline].mean()) + 0.3
