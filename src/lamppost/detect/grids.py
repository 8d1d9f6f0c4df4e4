"""Boxes from the cells of a grid, as the detectors without anchors give them: YOLOX, and YuNet after it.

Source: Ge et al., "YOLOX: Exceeding YOLO Series in 2021", arXiv:2107.08430, section 2.3.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

MOST_CANDIDATES = 4096  # boxes that non-maximum suppression looks at, best first


def locate_cells(indices: NDArray[np.intp], width_px: int, height_px: int, strides_px: tuple[int, ...]) -> NDArray[np.float32]:
    """Column, row and stride of the cells `indices`, shape (n, 3), of a picture's grids: one after the other, row by row.

    The sides are multiples of the strides. Few cells are ever asked for: nothing is made for the others.
    """
    if not indices.size:
        return np.empty((0, 3), np.float32)
    cells = np.empty((len(indices), 3), np.float32)
    start = 0
    for stride in strides_px:
        columns, rows = width_px // stride, height_px // stride
        here = (indices >= start) & (indices < start + columns * rows)
        if here.any():
            row, column = np.divmod(indices[here] - start, columns)
            cells[here, 0], cells[here, 1], cells[here, 2] = column, row, stride
        start += columns * rows
    return cells


def decode_boxes(raw: NDArray[np.float32], cells: NDArray[np.float32]) -> NDArray[np.float32]:
    """Boxes (n, 4) as x0, y0, x1, y1 in input pixels.

    `raw` has shape (n, 4): the centre's distance from its cell, x and y, then the
    logarithms of width and height, all in cells. `cells` as `locate_cells` gives them.
    """
    if not len(raw):
        return np.empty((0, 4), np.float32)
    # NaN or a runaway logarithm must not become a box without bounds.
    strides = cells[:, 2:]
    centres = (np.fmax(np.fmin(raw[:, :2], 1024), -1024) + cells[:, :2]) * strides
    halves = np.exp(np.fmax(np.fmin(raw[:, 2:], 8), -8)) * (strides / 2)
    boxes = np.empty((len(raw), 4), np.float32)
    np.subtract(centres, halves, out=boxes[:, :2])
    np.add(centres, halves, out=boxes[:, 2:])
    return boxes


def choose_best(scores: NDArray[np.float32], score_threshold: float) -> NDArray[np.intp]:
    """Indices of the `scores` above the threshold, best first, at most `MOST_CANDIDATES`; NaN is none of them."""
    above = np.flatnonzero(scores > score_threshold)
    if not above.size:  # as a rule
        return above
    return np.asarray(above[np.argsort(-scores[above], kind="stable")[:MOST_CANDIDATES]], np.intp)
