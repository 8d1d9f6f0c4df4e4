"""From a foreground mask to a bounded number of boxes."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

MOST_BOXES = 64
_GRID = 8  # cells per side when boxes must be merged; its square is MOST_BOXES
_BORDER_PX = 3
_WASTE = 1.25  # area of a union over the areas of its parts
_LEAST_ASPECT = 0.22  # width over height of a person who stands with closed legs
_SPLIT_WASTE = 1.12
_MOST_PIECES = 12
_NO_BOXES = np.empty((0, 4), np.int32)
_SOLID = np.ones((3, 3), np.uint8)  # what is thinner is an edge that trembles
_MOSTLY = 0.5  # of a thing's pixels: of what is faint as a whole, nothing is taken for a shadow
_BESIDE = np.ones((1, 9), np.uint8)
_JOIN = cv2.getStructuringElement(cv2.MORPH_RECT, (5, 5))


_Corners = tuple[int, int, int, int]


def find_components(weak: NDArray[np.bool_], seeds: NDArray[np.bool_], least_px: int) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Boxes (n, 4) as x0, y0, x1, y1 of the groups of `weak` pixels that hold enough `seeds`, and of those that do not.

    Pixels up to four apart belong together. A group counts when it has
    `least_px` weak pixels, and a fifth of that many seeds: hysteresis in space. Groups of less than half as many pixels are nothing.
    """
    rows, columns = weak.shape
    left, top, width, height = cv2.boundingRect(weak.view(np.uint8))
    if width == 0 or np.count_nonzero(weak) < least_px // 2:
        return _NO_BOXES, _NO_BOXES
    # Where nothing is there is nothing to count: all that follows is done in the part that holds everything, even and with room to grow.
    x0, y0 = max(0, left - 2) & ~1, max(0, top - 2) & ~1
    part = (slice(y0, min(rows, (top + height + 3) & ~1)), slice(x0, min(columns, (left + width + 3) & ~1)))
    found, doubtful = _find_in_part(weak[part], seeds[part], least_px)
    found, doubtful = (boxes + np.array([x0, y0, x0, y0], np.int32) for boxes in (found, doubtful))
    # What comes in is seen late and faintly at the very edge: boxes near it reach it.
    found[:, :2][found[:, :2] <= _BORDER_PX] = 0
    found[found[:, 2] >= columns - _BORDER_PX, 2] = columns
    found[found[:, 3] >= rows - _BORDER_PX, 3] = rows
    return found, doubtful


def _find_in_part(weak: NDArray[np.bool_], seeds: NDArray[np.bool_], least_px: int) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """The same for a part of even sides, in its own pixels."""
    # Grown by two pixels, a group loses nothing to every second row and column: a quarter of the pixels to label.
    joined = cv2.dilate(np.ascontiguousarray(weak).view(np.uint8), _JOIN)[::2, ::2]
    count, found_labels, stats, _centres = cv2.connectedComponentsWithStats(joined, connectivity=8, ltype=cv2.CV_32S)
    labels = np.asarray(found_labels, np.int32)
    weak_px, seed_px = _count_px(weak, labels, count), _count_px(seeds, labels, count)
    is_kept = (weak_px >= least_px) & (seed_px >= max(1, least_px // 5))
    is_kept[0] = False
    is_doubtful = ~is_kept & (weak_px >= least_px // 2)
    is_doubtful[0] = False
    corners = np.asarray(stats, np.int32)[:, :4]
    solid = cv2.dilate(cv2.morphologyEx(np.ascontiguousarray(seeds).view(np.uint8), cv2.MORPH_OPEN, _SOLID), _BESIDE)[::2, ::2].view(
        np.bool_
    )
    found: list[_Corners] = []
    for label in np.flatnonzero(is_kept):
        left, top, width, height = (int(value) for value in corners[label])
        roi = (slice(top, top + height), slice(left, left + width))
        group = labels[roi] == label
        columns = (group & solid[roi]).any(axis=0)
        if columns.any() and seed_px[label] >= _MOSTLY * weak_px[label]:
            # To the sides of what is surely there lie its soft shadows; above and below it, a head as pale as the wall.
            group &= columns
        # One or two pixels of what it was grown by stay as margin. At a cut there is none to take.
        found += [
            (2 * (left + x0), 2 * (top + y0), 2 * (left + x1) - (x1 == width), 2 * (top + y1) - (y1 == height))
            for x0, y0, x1, y1 in (_split_by_columns(group) if width > height else [_extent(group)])
        ]
    boxes = np.array(found, np.int32).reshape(-1, 4)
    doubtful = 2 * corners[is_doubtful]
    return boxes, np.concatenate([doubtful[:, :2], doubtful[:, :2] + doubtful[:, 2:]], axis=1)


def _extent(group: NDArray[np.bool_]) -> _Corners:
    """The box of the True pixels, of which there is one at least."""
    columns, rows = np.flatnonzero(group.any(axis=0)), np.flatnonzero(group.any(axis=1))
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def _count_px(flags: NDArray[np.bool_], labels: NDArray[np.int32], count: int) -> NDArray[np.int64]:
    """How many of `flags` lie in each of the groups that `labels` numbers at half the size."""
    ones = flags.view(np.uint8)
    fours = ones[::2, ::2] + ones[1::2, ::2] + ones[::2, 1::2] + ones[1::2, 1::2]  # sides are even
    return np.bincount(labels.reshape(-1), weights=fours.reshape(-1), minlength=count).astype(np.int64)


def _split_by_columns(group: NDArray[np.bool_]) -> list[_Corners]:
    """Boxes that together hold the True pixels of `group`: people and cars that touch, side by side.

    Cut where two boxes cover much less than one, and only into pieces as wide as
    a thing of their height is: never a leg from a body, since a mask is no outline.
    """
    filled: NDArray[np.bool_] = np.asarray(group.any(axis=0), np.bool_)
    tops = np.asarray(np.where(filled, group.argmax(axis=0), group.shape[0]), np.intp)
    bottoms = np.asarray(np.where(filled, group.shape[0] - group[::-1].argmax(axis=0), 0), np.intp)
    done: list[_Corners] = []
    open_spans = [(0, group.shape[1])]
    while open_spans:
        start, end = open_spans.pop()
        cut = _best_cut(tops[start:end], bottoms[start:end]) if len(done) + len(open_spans) < _MOST_PIECES else 0
        if cut:
            open_spans += [(start, start + cut), (start + cut, end)]
        elif filled[start:end].any():
            done.append((start, int(tops[start:end].min()), end, int(bottoms[start:end].max())))
    return done


def _best_cut(tops: NDArray[np.intp], bottoms: NDArray[np.intp]) -> int:
    """The column to cut before, or 0 for none."""
    width = len(tops)
    if width < 2:
        return 0
    left = np.maximum.accumulate(bottoms) - np.minimum.accumulate(tops)
    right = np.maximum.accumulate(bottoms[::-1])[::-1] - np.minimum.accumulate(tops[::-1])[::-1]
    cuts = np.arange(1, width)
    areas = cuts * left[:-1] + (width - cuts) * right[1:]
    is_whole = (cuts >= _LEAST_ASPECT * left[:-1]) & (width - cuts >= _LEAST_ASPECT * right[1:])
    areas = np.where(is_whole, areas, np.iinfo(np.int64).max)
    best = int(areas.argmin())
    return best + 1 if _SPLIT_WASTE * areas[best] < width * left[-1] else 0


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
