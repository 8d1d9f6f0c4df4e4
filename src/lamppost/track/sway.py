"""Finds by how far a whole picture has moved, from boxes alone: a pole that sways in the wind moves everybody at once.

Of all differences between what is expected and what was found, the one that explains most tracks together is the movement of the
camera, if staying still explains few of them. No pixel is read.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from lamppost.track.motion_model import Floats

_LEAST_TRACKS: Final = 3
_REACH: Final = 2.0  # extents: so far a picture may jump
_CLOSE: Final = 0.12  # extents: how well a movement must explain a track, one standard deviation
_EXPLAINED_AT_REST: Final = 0.5  # of the tracks: so many, and nothing has moved
_EXPLAINED: Final = 0.5  # of the tracks, by the movement
_GAIN: Final = 0.5  # tracks that it explains beyond those at rest
_MOST_PAIRS: Final = 300
_LEAST_RATIO: Final = 0.7  # of two widths or heights that may be of the same thing


def sway_of(expected: Floats, found: Floats) -> Floats | None:
    """By how many pixels (x, y) all have moved beyond what was expected, None where nothing tells.

    Both are boxes as centre, width, height, shape (n, 4).
    """
    if len(expected) < _LEAST_TRACKS or len(found) < _LEAST_TRACKS:
        return None
    extent = np.sqrt(expected[:, 2] * expected[:, 3])
    sizes = np.minimum(expected[:, np.newaxis, 2:], found[:, 2:]) / np.maximum(expected[:, np.newaxis, 2:], found[:, 2:])
    off = found[np.newaxis, :, :2] - expected[:, np.newaxis, :2]
    far = np.linalg.norm(off, axis=-1) / extent[:, np.newaxis]
    rows, columns = np.nonzero((far <= _REACH) & (sizes.min(axis=-1) >= _LEAST_RATIO))
    if not len(rows):
        return None
    if len(rows) > _MOST_PAIRS:
        nearest = np.sort(np.argsort(far[rows, columns], kind="stable")[:_MOST_PAIRS])
        rows, columns = rows[nearest], columns[nearest]
    moves, scale = off[rows, columns], (_CLOSE * extent)[rows]
    begins = np.flatnonzero(np.diff(rows, prepend=-1))
    at_rest = _explained(np.zeros((1, 2)), moves, scale, begins)[0]
    if at_rest >= _EXPLAINED_AT_REST * len(expected):
        return None
    explained = _explained(moves, moves, scale, begins)
    best = int(np.argmax(explained))
    if explained[best] < max(at_rest + _GAIN, _EXPLAINED * len(expected)):
        return None
    weights = np.exp(-(((moves - moves[best]) / scale[:, np.newaxis]) ** 2).sum(axis=-1) / 2)
    result: Floats = (weights[:, np.newaxis] * moves).sum(axis=0) / weights.sum()
    return result


def _explained(tried: Floats, moves: Floats, scale: Floats, begins: NDArray[np.intp]) -> Floats:
    """How many tracks each movement explains: for each track, whose differences start at `begins`, the best of them, from 0 to 1."""
    close = np.exp(-(((moves[np.newaxis] - tried[:, np.newaxis]) / scale[:, np.newaxis]) ** 2).sum(axis=-1) / 2)
    result: Floats = np.maximum.reduceat(close, begins, axis=1).sum(axis=1)
    return result
