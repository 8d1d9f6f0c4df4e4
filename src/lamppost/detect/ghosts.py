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

from lamppost.detect.background import Flags, Picture, gradient

_OUTLINE = np.ones((5, 5), np.uint8)
_GHOST_RATIO = 1.6  # edges of the model over edges of the picture, along the outline
_LEAST_EDGE_LEVELS = 4.0
_LIGHT_CORRELATION = 0.94
_LEAST_TEXTURE_LEVELS = 6.0


def is_background(small: Picture, mean: Picture, shape: Flags, box: NDArray[np.int32]) -> bool:
    """True when `shape` (foreground, inside `box` x0, y0, x1, y1) is uncovered background or changed light."""
    rows, columns = shape.shape
    x0, y0, x1, y1 = max(0, box[0] - 4), max(0, box[1] - 4), min(columns, box[2] + 4), min(rows, box[3] + 4)
    window = (slice(y0, y1), slice(x0, x1))
    inside = np.ascontiguousarray(shape[window]).view(np.uint8)
    now, then = small[window], mean[window]
    return _has_left(now, then, inside) or _is_light(now, then, inside)


def _has_left(now: Picture, then: Picture, inside: NDArray[np.uint8]) -> bool:
    outline = (cv2.dilate(inside, _OUTLINE) > 0) & (cv2.erode(inside, _OUTLINE) == 0)
    if outline.sum() < 8:
        return False
    edges_now, edges_then = gradient(now)[outline], gradient(then)[outline]
    strength_now, strength_then = float(edges_now.mean()), float(edges_then.mean())
    return strength_then > _LEAST_EDGE_LEVELS and strength_then > _GHOST_RATIO * strength_now


def _is_light(now: Picture, then: Picture, inside: NDArray[np.uint8]) -> bool:
    # A shadow or a lamp scales what is there; the texture stays. A thing brings its own.
    area = inside > 0
    a, b = now[area], then[area]
    if a.size < 64:
        return False
    spread_a, spread_b = float(a.std()), float(b.std())
    if min(spread_a, spread_b) < _LEAST_TEXTURE_LEVELS:
        return False
    return float(((a - a.mean()) * (b - b.mean())).mean()) / (spread_a * spread_b) > _LIGHT_CORRELATION
