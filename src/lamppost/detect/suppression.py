"""One box for each thing: greedy non-maximum suppression, as all detectors of this room use it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


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
    kept = [np.flatnonzero(classes == each)[suppress(boxes[classes == each], scores[classes == each], iou)] for each in np.unique(classes)]
    indices = np.concatenate(kept) if kept else np.empty(0, np.intp)
    return np.asarray(indices[np.argsort(-scores[indices], kind="stable")], np.intp)
