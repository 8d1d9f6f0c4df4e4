"""From a foreground mask to a bounded number of boxes."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

MOST_BOXES = 64
_GRID = 8  # cells per side when boxes must be merged; its square is MOST_BOXES
_JOIN = cv2.getStructuringElement(cv2.MORPH_RECT, (5, 5))


def find_components(weak: NDArray[np.bool_], seeds: NDArray[np.bool_], least_px: int) -> NDArray[np.int32]:
    """Boxes (n, 4) as x0, y0, x1, y1 of the groups of `weak` pixels that hold enough `seeds`.

    Pixels up to four apart belong together. A group counts when it has
    `least_px` weak pixels, and a fifth of that many seeds: hysteresis in space.
    """
    joined = cv2.dilate(weak.view(np.uint8), _JOIN)
    count, labels, stats, _centres = cv2.connectedComponentsWithStats(joined, connectivity=8, ltype=cv2.CV_32S)
    if count <= 1:
        return np.empty((0, 4), np.int32)
    labels = np.asarray(labels, np.int32)
    weak_px = np.bincount(labels[weak], minlength=count)
    seed_px = np.bincount(labels[seeds], minlength=count)
    is_kept = (weak_px >= least_px) & (seed_px >= max(1, least_px // 5))
    is_kept[0] = False
    left, top, width, height = (np.asarray(stats, np.int32)[is_kept, column] for column in range(4))
    # The dilation added two pixels on each side; one of them stays as margin.
    boxes = np.stack([left + 1, top + 1, left + width - 1, top + height - 1], axis=1)
    rows, columns = weak.shape
    return np.clip(boxes, 0, (columns, rows, columns, rows)).astype(np.int32)


def merge_boxes(boxes: NDArray[np.int32], gap_px: int) -> NDArray[np.int32]:
    """Unite boxes that overlap or lie within `gap_px` of each other, until none do; at most `MOST_BOXES`."""
    if len(boxes) > MOST_BOXES:
        boxes = _merge_by_grid(boxes)
    merged = [tuple(map(int, box)) for box in boxes]
    changed = True
    while changed:
        changed = False
        done: list[tuple[int, ...]] = []
        for box in merged:
            for index, other in enumerate(done):
                if _are_near(box, other, gap_px):
                    done[index] = (min(box[0], other[0]), min(box[1], other[1]), max(box[2], other[2]), max(box[3], other[3]))
                    changed = True
                    break
            else:
                done.append(box)
        merged = done
    return np.array(merged, np.int32).reshape(-1, 4)


def _are_near(one: tuple[int, ...], other: tuple[int, ...], gap_px: int) -> bool:
    return one[0] - gap_px < other[2] and other[0] - gap_px < one[2] and one[1] - gap_px < other[3] and other[1] - gap_px < one[3]


def _merge_by_grid(boxes: NDArray[np.int32]) -> NDArray[np.int32]:
    # Too many to look at in pairs: one box for each cell of a coarse grid that holds a centre.
    low, high = boxes[:, :2].min(axis=0), boxes[:, 2:].max(axis=0)
    centres = (boxes[:, :2] + boxes[:, 2:]) // 2
    cells = np.minimum((centres - low) * _GRID // np.maximum(high - low, 1), _GRID - 1)
    keys = cells[:, 1] * _GRID + cells[:, 0]
    groups = [boxes[keys == key] for key in np.unique(keys)]
    return np.array([(*group[:, :2].min(axis=0), *group[:, 2:].max(axis=0)) for group in groups], np.int32)
