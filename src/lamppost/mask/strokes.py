"""Lines over a picture: each is drawn once, and then laid over every picture as the few pixels that it covers.

A stroke is bright with a dark rim, so that it shows on snow and at night.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from lamppost.mask.paint import Blank, Rgb

Pixels = tuple[float, float]
"""A place in a picture, in pixels: x and y; the middle of the first one is 0.5."""
_Lengths = NDArray[np.float64]
_Indices = NDArray[np.int64]

_LEVEL_PX: Final = 1e-6  # an edge that rises by less is crossed by nothing
_POINT_PX2: Final = 1e-12  # what is shorter has no direction that could be computed
_RIM: Final = Rgb(8, 10, 14)
_RIM_SHARE: Final = 0.6  # of the rim, and the picture shows through the rest
_WHOLE: Final = 256


@dataclass(frozen=True, slots=True)
class Stroke:
    """Pixels of one picture size: `at` are places in a flat I420 picture, whose levels become `(level * keep + add) / 256`.

    All of shape (n,): `at` is int64 and holds no place twice, `keep` and `add` are uint16, and no level runs over.
    """

    at: NDArray[np.int64]
    keep: NDArray[np.uint16]
    add: NDArray[np.uint16]

    def lay(self, flat: NDArray[np.uint8]) -> None:
        """Over a picture of that size, as one row of bytes."""
        mixed = flat[self.at] * self.keep
        mixed += self.add
        mixed >>= 8
        flat[self.at] = mixed.astype(np.uint8)


@dataclass(frozen=True, slots=True)
class Outline:
    """Open or closed lines through `points`, and filled areas, all of one colour. Widths in pixels."""

    paths: tuple[tuple[Pixels, ...], ...]
    areas: tuple[tuple[Pixels, ...], ...]
    is_closed: bool
    width_px: int
    rim_px: int
    colour: Rgb


def make_stroke(outline: Outline, blank: Blank) -> Stroke:
    """The pixels of `outline` in pictures like `blank`; what lies outside is cut off.

    A pixel is covered as far as its middle is nearer to the line than half of its width: edges are soft over one pixel.
    """
    columns, rows = _near(outline, blank)
    to_line, to_area = _distances(outline, columns + np.float64(0.5), rows + np.float64(0.5))
    core = np.maximum(_cover(outline.width_px / 2 - to_line), _cover(-to_area))
    whole = np.maximum(_cover(outline.width_px / 2 + outline.rim_px - to_line), _cover(outline.rim_px - to_area))
    rim = _RIM_SHARE * np.maximum(whole - core, 0.0)
    bright, dark = (colour.to_yuv(is_full_range=blank.is_full_range) for colour in (outline.colour, _RIM))
    at, shares, levels = [rows * blank.width_px + columns], [core + rim], [core * bright[0] + rim * dark[0]]
    # A sample of chroma is of four pixels, and takes as much as they do together.
    half_width_px, half_height_px = blank.width_px // 2, blank.height_px // 2
    samples, owner = np.unique(rows // 2 * half_width_px + columns // 2, return_inverse=True)
    cores, rims = (np.bincount(owner, each, len(samples)) / 4 for each in (core, rim))
    for plane in (0, 1):
        at.append(4 * half_width_px * half_height_px + plane * half_width_px * half_height_px + samples)
        shares.append(cores + rims)
        levels.append(cores * bright[1 + plane] + rims * dark[1 + plane])
    return _stroke(np.concatenate(at), np.concatenate(shares), np.concatenate(levels))


def _stroke(at: _Indices, shares: _Lengths, levels: _Lengths) -> Stroke:
    """From how much of each sample is covered, 0 to 1, and by which level, times that share."""
    keep = np.rint((1 - shares) * _WHOLE).astype(np.uint16)
    # Both are rounded, and must not run over together.
    add = np.minimum(np.rint(levels * _WHOLE), 255.0 * (_WHOLE - keep)).astype(np.uint16)
    is_seen = keep < _WHOLE
    return Stroke(at[is_seen], keep[is_seen], add[is_seen])


def _near(outline: Outline, blank: Blank) -> tuple[_Indices, _Indices]:
    """Columns and rows of all pixels that may be covered, and of some more."""
    reach = outline.width_px + 2 * outline.rim_px + 4
    points = np.array([point for path in (*outline.paths, *outline.areas) for point in path])
    size = np.array([blank.width_px, blank.height_px])
    x0, y0 = np.clip(np.floor(points.min(axis=0)) - reach, 0, size).astype(np.int64)
    x1, y1 = np.clip(np.ceil(points.max(axis=0)) + reach, 0, size).astype(np.int64)
    if x1 <= x0 or y1 <= y0:
        return np.empty(0, np.int64), np.empty(0, np.int64)
    canvas = np.zeros((y1 - y0, x1 - x0), np.uint8)
    for path in outline.paths:
        cv2.polylines(canvas, [_whole(path, (x0, y0))], outline.is_closed, 1, reach)
    for area in outline.areas:
        cv2.fillPoly(canvas, [_whole(area, (x0, y0))], 1)
        cv2.polylines(canvas, [_whole(area, (x0, y0))], True, 1, reach)
    rows, columns = np.nonzero(canvas)
    return columns + x0, rows + y0


def _whole(path: Sequence[Pixels], origin: tuple[int, int]) -> NDArray[np.int32]:
    return np.floor(np.array(path) - origin).astype(np.int32)


def _distances(outline: Outline, x: _Lengths, y: _Lengths) -> tuple[_Lengths, _Lengths]:
    """Of places to the nearest line, and to the nearest area, which is negative inside of it. In pixels."""
    to_line, to_area = np.full(len(x), np.inf), np.full(len(x), np.inf)
    for path in outline.paths:
        for edge in _edges(path, is_closed=outline.is_closed):
            to_line = np.minimum(to_line, _distance(edge, x, y))
    for area in outline.areas:
        nearest, is_inside = np.full(len(x), np.inf), np.zeros(len(x), np.bool_)
        for (ax, ay), (bx, by) in _edges(area, is_closed=True):
            nearest = np.minimum(nearest, _distance(((ax, ay), (bx, by)), x, y))
            if abs(by - ay) > _LEVEL_PX:
                is_inside ^= ((ay > y) != (by > y)) & (x < (bx - ax) * (y - ay) / (by - ay) + ax)
        to_area = np.minimum(to_area, np.where(is_inside, -nearest, nearest))
    return to_line, to_area


def _edges(path: Sequence[Pixels], *, is_closed: bool) -> Iterator[tuple[Pixels, Pixels]]:
    return itertools.pairwise((*path, path[0]) if is_closed else path)


def _distance(edge: tuple[Pixels, Pixels], x: _Lengths, y: _Lengths) -> _Lengths:
    (ax, ay), (bx, by) = edge
    dx, dy = bx - ax, by - ay
    squared = dx * dx + dy * dy
    share = np.clip(((x - ax) * dx + (y - ay) * dy) / squared, 0, 1) if squared > _POINT_PX2 else np.zeros(len(x))
    return np.hypot(x - ax - share * dx, y - ay - share * dy)


def _cover(depth: _Lengths) -> _Lengths:
    """How much of a pixel is covered whose middle lies so deep inside."""
    return np.clip(depth + 0.5, 0, 1)
