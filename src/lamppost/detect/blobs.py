"""From a foreground mask to a bounded number of boxes."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

MOST_BOXES = 64
_GRID = 8  # cells per side when boxes must be merged; its square is MOST_BOXES
_BORDER_PX = 3
_WASTE = 1.25  # area of a union over the areas of its parts
_JOIN = cv2.getStructuringElement(cv2.MORPH_RECT, (5, 5))


_Corners = tuple[int, int, int, int]


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
    # What comes in is seen late and faintly at the very edge: boxes near it reach it.
    boxes[:, :2][boxes[:, :2] <= _BORDER_PX] = 0
    boxes[boxes[:, 2] >= columns - _BORDER_PX, 2] = columns
    boxes[boxes[:, 3] >= rows - _BORDER_PX, 3] = rows
    return np.asarray(boxes, np.int32)


def merge_boxes(boxes: NDArray[np.int32], gap_px: int, tall_px: int) -> NDArray[np.int32]:
    """Unite boxes within `gap_px` of each other while that covers little more than they do; at most `MOST_BOXES`.

    Two cars that pass each other on a diagonal stay two boxes; the parts of one car become one.
    So do a head and the legs below it: a coat may look like the street, up to `tall_px` of it.
    """
    if len(boxes) > MOST_BOXES:
        boxes = _merge_by_grid(boxes)
    merged: list[_Corners] = [(int(box[0]), int(box[1]), int(box[2]), int(box[3])) for box in boxes]
    changed = True
    while changed:  # each turn but the last has one box less
        changed = False
        done: list[_Corners] = []
        for box in merged:
            for index, other in enumerate(done):
                union = (min(box[0], other[0]), min(box[1], other[1]), max(box[2], other[2]), max(box[3], other[3]))
                is_cheap = _area(union) <= _WASTE * (_area(box) + _area(other)) + 9 * gap_px**2
                if (is_cheap and _are_near(box, other, gap_px)) or _are_stacked(box, other, tall_px):
                    done[index] = union
                    changed = True
                    break
            else:
                done.append(box)
        merged = done
    return np.array(merged, np.int32).reshape(-1, 4)


def _area(box: _Corners) -> int:
    return (box[2] - box[0]) * (box[3] - box[1])


def _are_near(one: _Corners, other: _Corners, gap_px: int) -> bool:
    return one[0] - gap_px < other[2] and other[0] - gap_px < one[2] and one[1] - gap_px < other[3] and other[1] - gap_px < one[3]


def _are_stacked(one: _Corners, other: _Corners, tall_px: int) -> bool:
    shared = min(one[2], other[2]) - max(one[0], other[0])
    gap = max(one[1], other[1]) - min(one[3], other[3])
    widths = (one[2] - one[0], other[2] - other[0])
    longest = max(one[3] - one[1], other[3] - other[1])
    return 2 * shared >= min(widths) and max(widths) <= 3 * min(widths) and gap <= min(tall_px, longest * 3 // 2)


def _merge_by_grid(boxes: NDArray[np.int32]) -> NDArray[np.int32]:
    # Too many to look at in pairs: one box for each cell of a coarse grid that holds a centre.
    low, high = boxes[:, :2].min(axis=0), boxes[:, 2:].max(axis=0)
    centres = (boxes[:, :2] + boxes[:, 2:]) // 2
    cells = np.minimum((centres - low) * _GRID // np.maximum(high - low, 1), _GRID - 1)
    keys = cells[:, 1] * _GRID + cells[:, 0]
    groups = [boxes[keys == key] for key in np.unique(keys)]
    return np.array([(*group[:, :2].min(axis=0), *group[:, 2:].max(axis=0)) for group in groups], np.int32)
