"""One box for each thing: greedy non-maximum suppression, as all detectors of this room use it."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

_MOST_IN_PAIRS: Final = 256  # boxes; more take memory and time for each pair
_SEEN_BETTER: Final = 0.8  # of a cut box's area, in a box of the same kind


def suppress(boxes: NDArray[np.float32], scores: NDArray[np.float32], iou: float) -> NDArray[np.intp]:
    """Indices of the boxes kept by greedy non-maximum suppression, best score first."""
    order = np.argsort(-scores, kind="stable")
    areas = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    kept: list[int] = []
    while order.size:
        best, rest = int(order[0]), order[1:]
        kept.append(best)
        sides = np.minimum(boxes[best, 2:], boxes[rest, 2:]) - np.maximum(boxes[best, :2], boxes[rest, :2])
        shared = np.prod(np.maximum(sides, 0), axis=1)
        order = rest[shared < iou * (areas[best] + areas[rest] - shared)]
    return np.array(kept, np.intp)


def suppress_by_class(boxes: NDArray[np.float32], scores: NDArray[np.float32], classes: NDArray[np.intp], iou: float) -> NDArray[np.intp]:
    """As `suppress`, but a box never hides one of another class: a rider stays beside the bicycle."""
    if not len(scores):
        return np.empty(0, np.intp)
    if len(scores) <= _MOST_IN_PAIRS:
        return _suppress_in_pairs(boxes, scores, classes, iou)
    kept = [np.flatnonzero(classes == each)[suppress(boxes[classes == each], scores[classes == each], iou)] for each in np.unique(classes)]
    indices = np.concatenate(kept) if kept else np.empty(0, np.intp)
    return np.asarray(indices[np.argsort(-scores[indices], kind="stable")], np.intp)


def _suppress_in_pairs(boxes: NDArray[np.float32], scores: NDArray[np.float32], classes: NDArray[np.intp], iou: float) -> NDArray[np.intp]:
    """The same with all pairs compared at once: for few boxes, a third of the time."""
    order = np.argsort(-scores, kind="stable")
    corners, kinds = boxes[order].T, classes[order]
    left, top, right, bottom = corners
    width = np.minimum(right[:, None], right) - np.maximum(left[:, None], left)
    height = np.minimum(bottom[:, None], bottom) - np.maximum(top[:, None], top)
    shared = np.maximum(width, 0) * np.maximum(height, 0)
    areas = (right - left) * (bottom - top)
    stays = (shared < iou * (areas[:, None] + areas - shared)) | (kinds[:, None] != kinds)
    left_over = np.ones(len(order), np.bool_)
    for index in range(len(order) - 1):
        if left_over[index]:
            left_over[index + 1 :] &= stays[index, index + 1 :]
    return np.asarray(order[left_over], np.intp)


def suppress_cut(
    boxes: NDArray[np.float32], scores: NDArray[np.float32], classes: NDArray[np.intp], is_cut: NDArray[np.bool_], iou: float
) -> NDArray[np.intp]:
    """As `suppress_by_class`, for boxes of several crops, some of them cut by a border.

    Whole boxes hide each other alone. A cut one is hidden only where a box of its class that is kept holds
    most of it: it may be a part of something else.
    """
    whole, cut = np.flatnonzero(~is_cut), np.flatnonzero(is_cut)
    kept = whole[suppress_by_class(boxes[whole], scores[whole], classes[whole], iou)].tolist()
    for index in cut[np.argsort(-scores[cut], kind="stable")].tolist():
        same = boxes[[each for each in kept if classes[each] == classes[index]]]
        box = boxes[index]
        sides = np.minimum(box[2:], same[:, 2:]) - np.maximum(box[:2], same[:, :2])
        shared = np.prod(np.maximum(sides, 0), axis=1)
        if not (shared >= _SEEN_BETTER * np.prod(box[2:] - box[:2])).any():
            kept.append(index)
    indices = np.array(kept, np.intp)
    return np.asarray(indices[np.argsort(-scores[indices], kind="stable")], np.intp)
