"""The one place that makes a `MaskedFrame`: nothing else may leave the pipeline.

A mask is one constant colour in all three planes, aligned outward to 16-pixel
blocks: prediction, transform and deblocking of the encoder then never mix a
pixel from under a mask into one beside it. Blur and mosaic can be undone.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from lamppost.model.i420 import planes_of
from lamppost.model.vision import Box, CoverCause, Fill, Frame, Kind, Mask, MaskedFrame

BLOCK_PX = 16

_FILLS: Mapping[Kind, Fill] = MappingProxyType(
    {
        Kind.FACE: Fill.PERSON,
        Kind.HEAD: Fill.PERSON,
        Kind.PERSON: Fill.PERSON,
        Kind.VEHICLE: Fill.VEHICLE,
        Kind.PLATE: Fill.VEHICLE,
    }
)
# Where masks overlap, a person's colour lies on top.
_PAINT_ORDER: Mapping[Fill, int] = MappingProxyType({Fill.OTHER: 0, Fill.VEHICLE: 1, Fill.PERSON: 2})


@dataclass(frozen=True, slots=True)
class Rgb:
    """A colour, each channel 0 to 255."""

    red: int
    green: int
    blue: int

    def to_yuv(self, *, is_full_range: bool) -> tuple[int, int, int]:
        """Y, U, V by ITU-R BT.601, in full or limited range."""
        luma = (0.299 * self.red + 0.587 * self.green + 0.114 * self.blue) / 255
        blue_difference, red_difference = (self.blue / 255 - luma) / 1.772, (self.red / 255 - luma) / 1.402
        base, luma_span, chroma_span = (0, 255, 255) if is_full_range else (16, 219, 224)
        return (
            round(base + luma * luma_span),
            min(255, round(128 + blue_difference * chroma_span)),
            min(255, round(128 + red_difference * chroma_span)),
        )


_COLOURS: Mapping[Fill, Rgb] = MappingProxyType({Fill.PERSON: Rgb(38, 70, 83), Fill.VEHICLE: Rgb(90, 90, 98), Fill.OTHER: Rgb(62, 84, 72)})


@dataclass(frozen=True, slots=True)
class Palette:
    """The constant colour of each kind of mask, and of a frame that is covered whole."""

    fills: Mapping[Fill, Rgb] = field(default_factory=lambda: _COLOURS)
    cover: Rgb = Rgb(112, 112, 112)

    @classmethod
    def of_one(cls, colour: Rgb) -> Palette:
        """One colour for every kind; a covered frame stays grey."""
        return cls(MappingProxyType(dict.fromkeys(Fill, colour)))


def fill_of(kind: Kind) -> Fill:
    """The colour group of a kind; a bicycle and an unknown object are `other`."""
    return _FILLS.get(kind, Fill.OTHER)


def align(box: Box, fill: Fill, width_px: int, height_px: int) -> Mask | None:
    """`box` grown outward to whole blocks inside the picture; None when nothing of it is inside.

    At the right and lower edge a mask ends with the picture, whose last block
    may be cut.
    """
    inside = box.clipped(width_px, height_px)
    if inside.x1 <= inside.x0 or inside.y1 <= inside.y0:
        return None
    return Mask(
        int(inside.x0) // BLOCK_PX * BLOCK_PX,
        int(inside.y0) // BLOCK_PX * BLOCK_PX,
        min(width_px, math.ceil(inside.x1 / BLOCK_PX) * BLOCK_PX),
        min(height_px, math.ceil(inside.y1 / BLOCK_PX) * BLOCK_PX),
        fill,
    )


def paint(frame: Frame, masks: Iterable[Mask], palette: Palette) -> MaskedFrame:
    """`frame` with every mask filled; what was under one does not show in a single byte.

    It is painted in its own memory, which then belongs to the masked frame and can be written no more: who needs
    `frame` as it was looks at it before. Only memory that `frame` borrows from another array is copied.
    Raises `ValueError` for a frame that has been painted.
    """
    if not frame.i420.flags.writeable:
        raise ValueError(f"the frame at pts {frame.pts_90k} has been painted, or its memory is read-only: a frame leaves once")
    ordered = tuple(sorted(masks, key=lambda mask: (_PAINT_ORDER[mask.fill], mask.y0, mask.x0, mask.y1, mask.x1)))
    i420 = frame.i420 if frame.i420.flags.owndata else frame.i420.copy()
    planes = planes_of(i420)
    for mask in ordered:
        colour = palette.fills[mask.fill].to_yuv(is_full_range=frame.is_full_range)
        for plane, level, shrink in zip(planes, colour, (1, 2, 2), strict=True):
            # Rounded outward: an odd edge may not leave half a chroma sample.
            columns = slice(mask.x0 // shrink, -(-mask.x1 // shrink))
            plane[mask.y0 // shrink : -(-mask.y1 // shrink), columns] = level
    return MaskedFrame(_frozen(i420), frame.pts_90k, frame.wall_us, ordered, None, frame.is_full_range)


def draw_on(frame: MaskedFrame, draw: Callable[[NDArray[np.uint8]], None]) -> MaskedFrame:
    """`frame` after `draw` has drawn over its picture, which is masked already, and can be written no more afterwards.

    It is drawn in the frame's own memory, so that whoever else has the frame sees it too, and comes back itself. One that
    shares its picture with others, as covered frames do, is copied.
    """
    is_shared = frame.covered is not None or not frame.i420.flags.owndata
    i420 = frame.i420.copy() if is_shared else frame.i420
    i420.flags.writeable = True
    try:
        draw(i420)
    finally:
        i420.flags.writeable = False
    return MaskedFrame(i420, frame.pts_90k, frame.wall_us, frame.masks, frame.covered, frame.is_full_range) if is_shared else frame


@dataclass(frozen=True, slots=True)
class Blank:
    """The size (even) and the range of a picture that nobody has decoded."""

    width_px: int
    height_px: int
    is_full_range: bool = False


class Covers:
    """Covers the frames of one run, which all share one picture: it is filled once, and again when their size changes."""

    def __init__(self, palette: Palette) -> None:
        self._palette = palette
        self._blank: Blank | None = None
        self._picture: NDArray[np.uint8] = np.empty((0, 0), np.uint8)

    def cover(self, frame: Frame, cause: CoverCause) -> MaskedFrame:
        """A frame of the same size and time in one constant colour; no pixel of `frame` is read."""
        return self.cover_blank(Blank(frame.width_px, frame.height_px, frame.is_full_range), frame.pts_90k, frame.wall_us, cause)

    def cover_blank(self, blank: Blank, pts_90k: int, wall_us: int, cause: CoverCause) -> MaskedFrame:
        """A frame in one constant colour, made of nothing but its size and its time."""
        if blank != self._blank:
            self._blank, self._picture = blank, _blank_picture(blank, self._palette)
        return MaskedFrame(self._picture, pts_90k, wall_us, (), cause, blank.is_full_range)


def _blank_picture(blank: Blank, palette: Palette) -> NDArray[np.uint8]:
    i420 = np.empty((blank.height_px * 3 // 2, blank.width_px), np.uint8)
    colour = palette.cover.to_yuv(is_full_range=blank.is_full_range)
    for plane, level in zip(planes_of(i420), colour, strict=True):
        plane.fill(level)
    return _frozen(i420)


def _frozen(i420: NDArray[np.uint8]) -> NDArray[np.uint8]:
    i420.flags.writeable = False
    return i420
