"""Finds the motion that is several things: what passes side by side moves as one, and is counted as what it was before."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

_INSIDE: Final = 0.6  # of a thing is in the box that it shares
_ALIKE: Final = 0.6  # of overlap: a box of its own
_LARGER: Final = 1.25  # than the largest of them
_LEAST_PART: Final = 0.1  # of the box
_FILLED: Final = 0.5  # of the box, by all of them

Floats = NDArray[np.float64]


def find_merged(expected: Floats, seen: Floats) -> dict[int, int]:
    """By row of `expected`, the row of `seen` that it shares with others; both centre x, y, width, height, shapes (n, 4) and (m, 4).

    A box is several things when it holds two at least that are expected there, is clearly larger than each, none of them is seen
    elsewhere, and together they fill half of it: one thing that grows, as a door opens or light falls in, is not several.
    """
    sides = np.minimum(expected[:, np.newaxis, :2] + expected[:, np.newaxis, 2:] / 2, seen[np.newaxis, :, :2] + seen[np.newaxis, :, 2:] / 2)
    sides -= np.maximum(
        expected[:, np.newaxis, :2] - expected[:, np.newaxis, 2:] / 2, seen[np.newaxis, :, :2] - seen[np.newaxis, :, 2:] / 2
    )
    shared = np.maximum(sides, 0.0).prod(axis=-1)
    areas, boxes = expected[:, 2:].prod(axis=-1), seen[:, 2:].prod(axis=-1)
    is_alike: NDArray[np.bool_] = np.asarray(shared > _ALIKE * (areas[:, np.newaxis] + boxes - shared), np.bool_)
    is_in = (shared > _INSIDE * areas[:, np.newaxis]) & (areas[:, np.newaxis] >= _LEAST_PART * boxes)
    has_own = np.asarray(is_alike.any(axis=1), np.bool_)
    is_in &= ~(has_own[:, np.newaxis] & ~is_alike)
    found: dict[int, int] = {}
    for column in np.flatnonzero(is_in.sum(axis=0) >= 2):
        rows = np.flatnonzero(is_in[:, column])
        if boxes[column] > _LARGER * areas[rows].max() and areas[rows].sum() >= _FILLED * boxes[column]:
            found |= {int(row): int(column) for row in rows if int(row) not in found}
    return found
