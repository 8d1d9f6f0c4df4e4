"""Which parts of a camera's pictures a detector must look at, since most of a street is as it was a moment ago.

A place that was looked at and has not changed since needs no second look. So a
detector sees crops around what changed, and the whole picture now and then.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from lamppost.detect.values import Flags, Grey, SmallPicture
from lamppost.model.vision import Box, Region

_CELL_PX = 8  # of the small picture: three halvings
_CHANGE_LEVELS = 7
_CHANGED_SHARE = 0.06  # of a cell's pixels
_MARGIN_CELLS = 2  # around what changed: a face is larger than the part of it that moves
_LEAST_SIDE_PX = 128
_WASTE = 1.3  # area of a united region over the areas of its parts
_WHOLE_SHARE = 0.5  # with so much to look at, the whole picture is the cheaper crop
_TILE_PX = 640
_TILE_OVERLAP = 0.2  # larger than the faces that only a tile shows
_TILES_FROM = 1.5  # times `_TILE_PX`: below it the whole picture shows as much


class Gaze:
    """Says for each picture of one camera which regions are to be looked at, and takes them for looked at.

    `hidden` boxes are masked in any case: what lies in them need not be looked at as long as it does. `doubts`, where
    they are given, bound where anything can have come: the rest is known to be empty street. Every
    `refresh_s` the whole picture is looked at again, changed or not; of large pictures also every part of
    it at full size, spread evenly over the period, since far faces show there alone.
    """

    def __init__(self, refresh_s: float) -> None:
        self._refresh_s = refresh_s
        self._seen: Grey | None = None  # the small picture, each cell as it was when it was looked at last
        self._difference: Grey = np.empty((0, 0), np.uint8)
        self._asked: list[Box] = []
        self._whole_s = -math.inf
        self._tiles: tuple[Region, ...] = ()
        self._next_tile, self._tile_s = 0, 0.0

    def whole(self, at_s: float, small: SmallPicture, size: tuple[int, int]) -> tuple[Region, ...]:
        """Everything of a picture of `size` (width, height), which then counts as looked at."""
        if self._seen is None or self._seen.shape != small.luma.shape:
            self._seen = np.empty_like(small.luma)
            # Sides of whole cells; what lies beyond the picture never changes.
            self._difference = np.zeros(tuple(math.ceil(side / _CELL_PX) * _CELL_PX for side in small.luma.shape), np.uint8)
        self._seen[:] = small.luma
        self._asked.clear()
        self._whole_s = self._tile_s = at_s
        self._tiles, self._next_tile = _tiles(size), 0
        return (_whole(size), *self._tiles)

    def changed(
        self,
        at_s: float,
        small: SmallPicture,
        size: tuple[int, int],
        *,
        hidden: Sequence[Box] = (),
        doubts: Sequence[Box] | None = None,
        known: Sequence[Box] = (),
    ) -> tuple[Region, ...]:
        """What must be looked at now; nothing, as a rule, where nothing moves.

        Of the `known` things, which are followed, each is looked at whole or not at all: a part of a face gives the box of a part.
        """
        seen = self._seen
        if seen is None or seen.shape != small.luma.shape:
            return self.whole(at_s, small, size)
        if at_s - self._whole_s >= self._refresh_s or at_s < self._whole_s:
            return self._refresh(at_s, small, size)
        scale = size[0] / small.size[0]
        cells = (
            self._changed_cells(small.luma, seen) if doubts is None or doubts else np.zeros_like(self._difference[::_CELL_PX, ::_CELL_PX])
        )
        if doubts:
            cells &= _drawn(doubts, scale, cells.shape)
        for box in self._asked:
            cells[_cells_of(box, scale, is_inner=False)] = 1
        for box in hidden:
            cells[_cells_of(box, scale, is_inner=True)] = 0
        for place in (_cells_of(box, scale, is_inner=False) for box in known):
            if cells[place].any():
                cells[place] = 1
        regions = _regions(cells, scale, size)
        for region in regions:
            self._take(region.box, small, scale)
        self._asked.clear()
        return regions + self._due_tile(at_s, small, scale)

    def ask(self, box: Box) -> None:
        """Look at this place the next time, whether it changed or not. At most as often as there are tracks."""
        self._asked.append(box)

    def _refresh(self, at_s: float, small: SmallPicture, size: tuple[int, int]) -> tuple[Region, ...]:
        tiles, number, tile_s = self._tiles, self._next_tile, self._tile_s
        regions = self.whole(at_s, small, size)
        if tiles != self._tiles or not tiles:
            return regions
        # Tiles have a turn of their own.
        self._next_tile, self._tile_s = number, tile_s
        return regions[:1]

    def _due_tile(self, at_s: float, small: SmallPicture, scale: float) -> tuple[Region, ...]:
        if not self._tiles or at_s - self._tile_s < self._refresh_s / len(self._tiles):
            return ()
        tile = self._tiles[self._next_tile]
        self._next_tile, self._tile_s = (self._next_tile + 1) % len(self._tiles), at_s
        self._take(tile.box, small, scale)
        return (tile,)

    def _take(self, box: Box, small: SmallPicture, scale: float) -> None:
        if self._seen is not None:
            x0, y0, x1, y1 = round(box.x0 / scale), round(box.y0 / scale), round(box.x1 / scale), round(box.y1 / scale)
            self._seen[y0:y1, x0:x1] = small.luma[y0:y1, x0:x1]

    def _changed_cells(self, luma: Grey, seen: Grey) -> NDArray[np.uint8]:
        """1 for each cell that is not as it was when it was looked at."""
        rows, columns = luma.shape
        self._difference[:rows, :columns] = cv2.absdiff(luma, seen)
        _limit, share = cv2.threshold(self._difference, _CHANGE_LEVELS, 255, cv2.THRESH_BINARY)
        for _halving in range(3):
            share = cv2.resize(share, (share.shape[1] // 2, share.shape[0] // 2), interpolation=cv2.INTER_AREA)
        cells: Flags = np.asarray(share) > 255 * _CHANGED_SHARE
        return cells.view(np.uint8)


def _cells_of(box: Box, scale: float, *, is_inner: bool) -> tuple[slice, slice]:
    """The cells that lie in `box` whole, or in part."""
    pixels = _CELL_PX * scale
    down, up = (math.ceil, math.floor) if is_inner else (math.floor, math.ceil)
    return (
        slice(max(0, down(box.y0 / pixels)), max(0, up(box.y1 / pixels))),
        slice(max(0, down(box.x0 / pixels)), max(0, up(box.x1 / pixels))),
    )


def _drawn(boxes: Sequence[Box], scale: float, shape: tuple[int, ...]) -> NDArray[np.uint8]:
    """Cells of which one of `boxes` holds a part are 1."""
    drawn = np.zeros(shape, np.uint8)
    for box in boxes:
        drawn[_cells_of(box, scale, is_inner=False)] = 1
    return drawn


def _regions(cells: NDArray[np.uint8], scale: float, size: tuple[int, int]) -> tuple[Region, ...]:
    if not cells.any():
        return ()
    width, height = size
    side = 2 * _MARGIN_CELLS + 1
    count, _labels, stats, _centres = cv2.connectedComponentsWithStats(cv2.dilate(cells, np.ones((side, side), np.uint8)), connectivity=8)
    pixels = _CELL_PX * scale
    boxes = [
        _grown(Box(x * pixels, y * pixels, (x + w) * pixels, (y + h) * pixels), width, height)
        for x, y, w, h, _px in stats[1:count].tolist()
    ]
    boxes = _united(boxes)
    if sum(box.area for box in boxes) > _WHOLE_SHARE * width * height:
        return (_whole(size),)
    return tuple(_region(box, width, height) for box in boxes)


def _grown(box: Box, width_px: int, height_px: int) -> Box:
    """`box`, with sides of at least 128 pixels where the picture has room for them, inside the picture."""
    wide, high = min(width_px, max(_LEAST_SIDE_PX, box.width)), min(height_px, max(_LEAST_SIDE_PX, box.height))
    x0 = min(max(0.0, (box.x0 + box.x1 - wide) / 2), width_px - wide)
    y0 = min(max(0.0, (box.y0 + box.y1 - high) / 2), height_px - high)
    return Box(x0, y0, x0 + wide, y0 + high)


def _united(boxes: list[Box]) -> list[Box]:
    """Boxes of which no two would be cheaper as one."""
    done: list[Box] = []
    waiting = list(boxes)
    while waiting:  # each turn either settles one box or has one less
        box = waiting.pop()
        other = next((each for each in done if box.union(each).area <= _WASTE * (box.area + each.area)), None)
        if other is None:
            done.append(box)
        else:
            done.remove(other)
            waiting.append(box.union(other))
    return done


def _region(box: Box, width_px: int, height_px: int) -> Region:
    """`box` widened to even pixels inside the picture, whose sides are even."""
    return Region(
        max(0, math.floor(box.x0 / 2) * 2),
        max(0, math.floor(box.y0 / 2) * 2),
        min(width_px, math.ceil(box.x1 / 2) * 2),
        min(height_px, math.ceil(box.y1 / 2) * 2),
    )


def _whole(size: tuple[int, int]) -> Region:
    return Region(0, 0, *size)


def _tiles(size: tuple[int, int]) -> tuple[Region, ...]:
    """Overlapping parts of a large picture, each shown to a detector at full size; none for a small one."""
    if max(size) < _TILES_FROM * _TILE_PX:
        return ()
    return tuple(_region(Box(x, y, x + _TILE_PX, y + _TILE_PX), *size) for y in _starts(size[1]) for x in _starts(size[0]))


def _starts(side_px: int) -> list[int]:
    """Even, and the last one such that its tile ends with the picture, whose side is even."""
    if side_px <= _TILE_PX:
        return [0]
    steps = math.ceil((side_px - _TILE_PX) / (_TILE_PX * (1 - _TILE_OVERLAP)))
    return [index * (side_px - _TILE_PX) // (2 * steps) * 2 for index in range(steps + 1)]
