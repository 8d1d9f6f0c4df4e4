"""Carries boxes from one picture to the next with what is in them, where no detector looked.

Optical flow after Lucas and Kanade (1981), in the pyramid of Bouguet (2001), of a
few points in each box, forth and back (Kalal et al., 2010): what does not come back to
where it started counts as nothing known. It works alike for every codec; motion vectors, which FFmpeg gives for
H.264 alone, follow what is cheap to encode, not what moves.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from lamppost.model.vision import Box

_SIDE_POINTS = 4  # in each box, in rows and columns
_WINDOW_PX = 9
_LEVELS = 2
_RETURN_PX = 1.0  # from where a point started
_SURE_SHARE = 0.5  # of a box's points
_SPREAD_PX = 2.0  # of the points around their middle
_STILL_LEVELS = 6


@dataclass(frozen=True, slots=True)
class Shift:
    """How far a box went, in pixels of the frame. Where it is not sure, the points said nothing or contradicted each other."""

    dx: float
    dy: float
    is_sure: bool


class FlowCarrier:
    """Follows what is in boxes from each picture to the next; pictures are small and grey, (h, w), uint8."""

    def __init__(self) -> None:
        self._last: NDArray[np.uint8] | None = None

    def skip(self, luma: NDArray[np.uint8]) -> None:
        """Nothing is to be carried from the last picture to this one."""
        self._last = luma

    def carry(self, luma: NDArray[np.uint8], boxes: Sequence[Box], scale: float) -> list[Shift]:
        """How far each of `boxes` (frame pixels, `scale` times those of `luma`) went since the last picture."""
        last, self._last = self._last, luma
        if last is None or last.shape != luma.shape:
            return [Shift(0.0, 0.0, is_sure=False) for _box in boxes]
        moved = [index for index, box in enumerate(boxes) if not _is_still(last, luma, box, scale)]
        shifts = [Shift(0.0, 0.0, is_sure=True) for _box in boxes]
        if moved:
            starts = np.concatenate([_points(boxes[index], scale, luma.shape) for index in moved])
            for index, shift in zip(moved, _follow(last, luma, starts, scale), strict=True):
                shifts[index] = shift
        return shifts


def _is_still(last: NDArray[np.uint8], luma: NDArray[np.uint8], box: Box, scale: float) -> bool:
    rows, columns = luma.shape
    x0, y0 = max(0, int(box.x0 / scale)), max(0, int(box.y0 / scale))
    x1, y1 = min(columns, int(box.x1 / scale) + 1), min(rows, int(box.y1 / scale) + 1)
    if x1 <= x0 or y1 <= y0:
        return True
    return cv2.norm(last[y0:y1, x0:x1], luma[y0:y1, x0:x1], cv2.NORM_INF) <= _STILL_LEVELS


def _points(box: Box, scale: float, shape: tuple[int, ...]) -> NDArray[np.float32]:
    """A grid of points in the inner part of `box`, shape (16, 2), in pixels of the small picture."""
    share = (np.arange(_SIDE_POINTS, dtype=np.float32) + 1) / (_SIDE_POINTS + 1)
    x = np.clip((box.x0 + box.width * share) / scale, 0, shape[1] - 1)
    y = np.clip((box.y0 + box.height * share) / scale, 0, shape[0] - 1)
    return np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2).astype(np.float32)


def _follow(last: NDArray[np.uint8], luma: NDArray[np.uint8], starts: NDArray[np.float32], scale: float) -> list[Shift]:
    window = (_WINDOW_PX, _WINDOW_PX)
    empty = np.empty_like(starts)
    ends, forth, _error = cv2.calcOpticalFlowPyrLK(last, luma, starts, empty, winSize=window, maxLevel=_LEVELS)
    back, returned, _error = cv2.calcOpticalFlowPyrLK(luma, last, ends, empty.copy(), winSize=window, maxLevel=_LEVELS)
    is_good = (forth[:, 0] == 1) & (returned[:, 0] == 1) & (np.abs(np.asarray(back) - starts).max(axis=1) < _RETURN_PX)
    ways = (np.asarray(ends) - starts).reshape(-1, _SIDE_POINTS**2, 2)
    shifts: list[Shift] = []
    for way, good in zip(ways, is_good.reshape(-1, _SIDE_POINTS**2), strict=True):
        if good.mean() < _SURE_SHARE:
            shifts.append(Shift(0.0, 0.0, is_sure=False))
            continue
        middle = np.median(way[good], axis=0)
        spread = float(np.median(np.abs(way[good] - middle)))
        shifts.append(Shift(float(middle[0]) * scale, float(middle[1]) * scale, is_sure=spread < _SPREAD_PX))
    return shifts
