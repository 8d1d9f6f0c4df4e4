"""Finds the masks again in masked video: constant colours in whole blocks, which nothing else in a picture has.

Masked video tells where something was hidden, when and how large, and nothing of what it was.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from lamppost.mask.paint import BLOCK_PX, Palette
from lamppost.mask.planner import padding_of
from lamppost.model.i420 import planes_of
from lamppost.model.vision import Box, Fill, Frame, Kind

# So far may x264 be off a constant colour, in levels; beside a mask nothing is smoothed into it.
_LUMA_OFF, _CHROMA_OFF = 8, 6
_SAMPLES: Final = 3  # of each side of a block
_COVERED_SHARE: Final = 0.95
_LEAST_PX = 8.0

_Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class MaskedPlaces:
    """Where something is hidden in one picture.

    `boxes` are the masks that hang together, in pixels, each the smallest box around them; those of faces alone are left out.
    `share` is the part of the picture that is masked; `is_covered` says that all of it is, and then nothing is known.
    """

    boxes: tuple[Box, ...]
    share: float
    is_covered: bool


class MaskReader:
    """Reads the pictures of masked video whose masks have the colours of `palette`."""

    def __init__(self, palette: Palette | None = None) -> None:
        self._palette = palette or Palette()

    def read(self, frame: Frame) -> MaskedPlaces:
        """What is hidden in `frame`, a picture of masked video."""
        palette, is_full = self._palette, frame.is_full_range
        planes = [_Blocks(plane, BLOCK_PX // shrink) for plane, shrink in zip(planes_of(frame.i420), (1, 2, 2), strict=True)]
        if _has_colour(planes, palette.cover.to_yuv(is_full_range=is_full)).mean() >= _COVERED_SHARE:
            return MaskedPlaces((), 1.0, is_covered=True)
        fills = {fill: _has_colour(planes, palette.fills[fill].to_yuv(is_full_range=is_full)) for fill in Fill}
        masked = np.asarray(np.stack(list(fills.values())).any(axis=0), np.bool_)
        boxes = tuple(_boxes(masked, fills[Fill.PERSON], frame.width_px, frame.height_px))
        return MaskedPlaces(boxes, float(masked.mean()), is_covered=False)


def hidden_by(mask: Box) -> Box:
    """What a mask around something that moves hides, about: masks are padded, and then grown to whole blocks, by half a one on average."""
    padding, grown = padding_of(Kind.OBJECT), BLOCK_PX
    width = max((mask.width - grown) / (1 + 2 * padding.side), _LEAST_PX)
    height = max((mask.height - grown) / (1 + padding.top + padding.bottom), _LEAST_PX)
    middle, foot = (mask.x0 + mask.x1) / 2, mask.y1 - grown / 2 - height * padding.bottom
    return Box(middle - width / 2, foot - height, middle + width / 2, foot)


class _Blocks:
    """One plane, block by block; where the picture cuts a block, its last row or column goes on."""

    def __init__(self, plane: NDArray[np.uint8], block: int) -> None:
        rows, columns = -(-plane.shape[0] // block), -(-plane.shape[1] // block)
        beyond = ((0, rows * block - plane.shape[0]), (0, columns * block - plane.shape[1]))
        whole = np.pad(plane, beyond, mode="edge") if any(more for _, more in beyond) else plane
        self._blocks = whole.reshape(rows, block, columns, block)
        # A look at some pixels tells of most blocks that they are none.
        at = np.linspace(1, block - 2, _SAMPLES).round().astype(int)
        self._samples = self._blocks[:, at][:, :, :, at].astype(np.int16)

    def may_be(self, level: int, off: int) -> _Flags:
        """The blocks that look like one level at a glance."""
        return np.asarray((np.abs(self._samples - level) <= off).all(axis=(1, 3)), np.bool_)

    def are(self, level: int, off: int, rows: NDArray[np.intp], columns: NDArray[np.intp]) -> _Flags:
        """Which of the blocks at `rows` and `columns` have that level throughout."""
        blocks = self._blocks[rows, :, columns, :]
        found: _Flags = (blocks.max(axis=(1, 2)) <= level + off) & (blocks.min(axis=(1, 2)) >= level - off)
        return found


def _has_colour(planes: list[_Blocks], colour: tuple[int, int, int]) -> _Flags:
    wanted = list(zip(planes, colour, (_LUMA_OFF, _CHROMA_OFF, _CHROMA_OFF), strict=True))
    found = np.asarray(np.stack([plane.may_be(level, off) for plane, level, off in wanted]).all(axis=0), np.bool_)
    rows, columns = np.nonzero(found)
    found[rows, columns] = np.stack([plane.are(level, off, rows, columns) for plane, level, off in wanted]).all(axis=0)
    return found


def _boxes(masked: _Flags, faces: _Flags, width_px: int, height_px: int) -> Iterator[Box]:
    """Of each group of masks that touch; a person's colour alone is a face whose body does not move."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(masked.astype(np.uint8), connectivity=4)
    others = np.bincount(labels[~faces], minlength=count)
    for label in range(1, count):
        if not others[label]:
            continue
        x, y, columns, rows = (int(value) * BLOCK_PX for value in stats[label][:4])
        yield Box(x, y, min(width_px, x + columns), min(height_px, y + rows))
