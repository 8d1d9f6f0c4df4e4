"""Which pixels of a frame a network is shown for the regions that somebody wants looked at, and at what size.

Networks take few sizes, so that crops of many regions and cameras run as one batch. A crop
is filled up to such a size with what lies around its region: that costs what padding would, and shows more.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from lamppost.model.vision import Region

Size = tuple[int, int]  # width and height

STEP_PX: Final = 32  # these networks halve five times
_FINE_SIDE_PX: Final = 256  # sides are multiples of 32 up to here, and of 64 beyond
_COARSE_STEP_PX: Final = 2 * STEP_PX


def round_up(side_px: int, step_px: int = STEP_PX) -> int:
    """The next multiple of `step_px`, at least one."""
    return max(1, math.ceil(side_px / step_px)) * step_px


def input_size(width_px: int, height_px: int, long_side_px: int) -> tuple[int, int]:
    """Width and height of the network's input for a picture: multiples of 32, rounded up."""
    scale = min(1.0, long_side_px / max(width_px, height_px))
    return round_up(round(width_px * scale)), round_up(round(height_px * scale))


def letterbox_size(width_px: int, height_px: int, long_side_px: int) -> tuple[int, int]:
    """Width and height, both even, of a picture whose long side is scaled to `long_side_px`, up or down, and its shape kept."""
    scale = long_side_px / max(width_px, height_px)
    return max(2, 2 * round(width_px * scale / 2)), max(2, 2 * round(height_px * scale / 2))


@dataclass(frozen=True, slots=True)
class Crop:
    """A part of a picture, shown at the size `shown` in the upper left of an input of the size `canvas`.

    `scale` is that of the long side, before what is left of the canvas was filled by stretching.
    """

    part: Region
    shown: Size
    canvas: Size
    scale: float


@dataclass(frozen=True, slots=True)
class Fit:
    """How one network wants its pictures.

    No crop's long side is shown larger than `long_side_px`; smaller ones are shown 1:1. Where the frame ends before
    the input is full, a network that `keeps_shape` sees padding, others see the crop stretched by what is missing, less than 64 pixels. A
    fixed network takes squares of `long_side_px` alone; if it does not keep shapes, whole pictures are stretched to them.
    """

    long_side_px: int
    keeps_shape: bool = False
    is_fixed: bool = False

    def whole(self, size: Size) -> Crop:
        """All of a picture of `size`; networks that keep its shape see small ones enlarged."""
        everything = Region(0, 0, *size)
        if not self.keeps_shape and self.is_fixed:
            canvas = (self.long_side_px, self.long_side_px)
            return Crop(everything, canvas, canvas, self.long_side_px / max(size))
        if not self.keeps_shape:
            canvas = input_size(*size, self.long_side_px)
            return Crop(everything, canvas, canvas, min(1.0, self.long_side_px / max(size)))
        shown = letterbox_size(*size, self.long_side_px)
        canvas = (self.long_side_px, self.long_side_px) if self.is_fixed else (round_up(shown[0]), round_up(shown[1]))
        return Crop(everything, shown, canvas, self.long_side_px / max(size))

    def crops(self, regions: Sequence[Region], size: Size) -> tuple[Crop, ...]:
        """What to show for `regions` of a picture of `size`: every region whole, in a crop of its own or in a larger one.

        A region that another crop shows at no smaller scale gets none. What lies outside the picture is left out.
        """
        inside = [region for region in (_inside(each, size) for each in regions) if region is not None]
        inside.sort(key=lambda region: (region.x0 - region.x1) * (region.y1 - region.y0))
        made: list[Crop] = []
        for region in inside:
            crop = self._crop(region, size)
            if not any(each.scale >= crop.scale and _holds(each.part, region) for each in made):
                made.append(crop)
        return tuple(made)

    def _crop(self, region: Region, size: Size) -> Crop:
        if (region.x0, region.y0, region.x1, region.y1) == (0, 0, *size):
            return self.whole(size)
        sides = (region.x1 - region.x0, region.y1 - region.y0)
        scale = min(1.0, self.long_side_px / max(sides))
        canvas = (self._canvas_side(sides[0], size[0], scale), self._canvas_side(sides[1], size[1], scale))
        x0, x1 = _grown(region.x0, region.x1, math.floor(canvas[0] / scale), size[0])
        y0, y1 = _grown(region.y0, region.y1, math.floor(canvas[1] / scale), size[1])
        shown = canvas
        if self.keeps_shape:
            shown = (_shown_side(x1 - x0, canvas[0], scale), _shown_side(y1 - y0, canvas[1], scale))
        return Crop(Region(x0, y0, x1, y1), shown, canvas, scale)

    def _canvas_side(self, side_px: int, picture_px: int, scale: float) -> int:
        if self.is_fixed:
            return self.long_side_px
        shown_px = min(self.long_side_px, math.ceil(side_px * scale))  # a side that is scaled to just that comes out a hair above it
        step = STEP_PX if shown_px <= _FINE_SIDE_PX else _COARSE_STEP_PX
        return min(round_up(shown_px, step), round_up(math.ceil(picture_px * scale)))


def _inside(region: Region, size: Size) -> Region | None:
    """`region` on even pixels of the picture, or None where nothing is left of it."""
    x0, y0 = max(0, region.x0 // 2 * 2), max(0, region.y0 // 2 * 2)
    x1, y1 = min(size[0], (region.x1 + 1) // 2 * 2), min(size[1], (region.y1 + 1) // 2 * 2)
    return Region(x0, y0, x1, y1) if x0 < x1 and y0 < y1 else None


def _holds(outer: Region, inner: Region) -> bool:
    return outer.x0 <= inner.x0 and outer.y0 <= inner.y0 and outer.x1 >= inner.x1 and outer.y1 >= inner.y1


def _grown(start_px: int, end_px: int, wanted_px: int, picture_px: int) -> tuple[int, int]:
    """The span widened to `wanted_px` around its middle, on even pixels, as far as the picture goes."""
    length = min(picture_px, max(end_px - start_px, wanted_px // 2 * 2))
    start = (start_px + end_px - length) // 4 * 2
    start = min(max(0, start), picture_px - length)
    return start, start + length


def _shown_side(side_px: int, canvas_px: int, scale: float) -> int:
    return min(canvas_px, max(2, 2 * round(side_px * scale / 2)))
