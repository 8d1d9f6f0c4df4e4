"""How much of a face a mask covers: the pixels of the ellipse in its box."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from lamppost.model.vision import Box, Mask

LEAST_COVERED = 0.9  # of the ellipse; below it, it leaks


def draw_masks(masks: Sequence[Mask], width_px: int, height_px: int, *, is_covered: bool = False) -> NDArray[np.bool_]:
    """Which pixels are masked, shape (height, width): those in a mask, or all of a covered frame."""
    drawn = np.full((height_px, width_px), is_covered, np.bool_)
    for mask in masks:
        drawn[mask.y0 : mask.y1, mask.x0 : mask.x1] = True
    return drawn


def draw_boxes(boxes: Sequence[Box], width_px: int, height_px: int) -> NDArray[np.bool_]:
    """Which pixels a box touches, shape (height, width)."""
    drawn = np.zeros((height_px, width_px), np.bool_)
    for box in boxes:
        inside = box.clipped(width_px, height_px)
        if inside.width > 0 and inside.height > 0:
            drawn[int(inside.y0) : math.ceil(inside.y1), int(inside.x0) : math.ceil(inside.x1)] = True
    return drawn


def covered_share(box: Box, masked: NDArray[np.bool_]) -> float | None:
    """The share of the ellipse inscribed in `box` that is masked, 0 to 1: of the pixels in the picture whose centres lie in it.

    None when it has no pixel in the picture.
    """
    height_px, width_px = masked.shape
    if box.width <= 0 or box.height <= 0:
        return None
    inside = box.clipped(width_px, height_px)
    x0, y0, x1, y1 = int(inside.x0), int(inside.y0), math.ceil(inside.x1), math.ceil(inside.y1)
    if x1 <= x0 or y1 <= y0:
        return None
    x = (np.arange(x0, x1) + 0.5 - (box.x0 + box.x1) / 2) / (box.width / 2)
    y = (np.arange(y0, y1) + 0.5 - (box.y0 + box.y1) / 2) / (box.height / 2)
    ellipse = y[:, np.newaxis] ** 2 + x**2 <= 1
    pixels = int(np.count_nonzero(ellipse))
    return int(np.count_nonzero(masked[y0:y1, x0:x1] & ellipse)) / pixels if pixels else None
