"""Words over a picture: each stands on a plate of its own, opaque, so that it can be read on anything."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from lamppost.mask.paint import Blank, Rgb
from lamppost.model.i420 import planes_of

_WEIGHT: Final = 600  # semibold: thin strokes break up in 4:2:0
_MOST_SIGNS: Final = 200


@dataclass(frozen=True, slots=True)
class Ink:
    """The colours of words and of what they stand on."""

    words: Rgb
    ground: Rgb


@dataclass(frozen=True, slots=True)
class Plate:
    """A rectangle of pixels, both sides even: `luma` (height, width), `chroma` (2, height / 2, width / 2)."""

    luma: NDArray[np.uint8]
    chroma: NDArray[np.uint8]

    @property
    def width_px(self) -> int:
        return int(self.luma.shape[1])

    @property
    def height_px(self) -> int:
        return int(self.luma.shape[0])

    def lay(self, i420: NDArray[np.uint8], x: int, y: int) -> None:
        """Over a picture, its left top corner at the even place `x`, `y`; what would lie outside is cut off."""
        luma, *chroma = planes_of(i420)
        height, width = max(0, min(self.height_px, luma.shape[0] - y)), max(0, min(self.width_px, luma.shape[1] - x))
        luma[y : y + height, x : x + width] = self.luma[:height, :width]
        for plane, levels in zip(chroma, self.chroma, strict=True):
            plane[y // 2 : (y + height) // 2, x // 2 : (x + width) // 2] = levels[: height // 2, : width // 2]


class Lettering:
    """Makes plates with words in one size, for pictures of one range."""

    def __init__(self, text_px: int, *, is_full_range: bool) -> None:
        self._text_px = text_px
        self._is_full_range = is_full_range
        self._font = cv2.FontFace("sans")
        self.height_px = _even(text_px * 1.5)
        self._padding_px = max(3, round(text_px * 0.4))

    def plate(self, words: str, ink: Ink) -> Plate:
        """Words on one line. In this font every digit is as wide as another: a plate keeps its size while it counts."""
        words = words[:_MOST_SIGNS]
        width_px = _even(self._width(words) + 2 * self._padding_px)
        letters = np.zeros((self.height_px, width_px), np.uint8)
        baseline = round((self.height_px + self._text_px * 0.7) / 2)
        cv2.putText(letters, words, (self._padding_px, baseline), (255,), self._font, self._text_px, _WEIGHT)
        return self._coloured(letters.astype(np.float32) / np.float32(255), ink)

    def bare(self, width_px: int, ink: Ink) -> Plate:
        """Nothing but the ground, as high as words are."""
        return self._coloured(np.zeros((self.height_px, width_px), np.float32), ink)

    def _width(self, words: str) -> int:
        _, _, width, _ = cv2.getTextSize((1, 1), words, (0, 0), self._font, self._text_px, _WEIGHT)
        return int(width)

    def _coloured(self, letters: NDArray[np.float32], ink: Ink) -> Plate:
        quartered = letters.reshape(letters.shape[0] // 2, 2, letters.shape[1] // 2, 2).mean(axis=(1, 3), dtype=np.float32)
        words, ground = (colour.to_yuv(is_full_range=self._is_full_range) for colour in (ink.words, ink.ground))
        levels = [
            np.rint(np.float32(low) + shares * np.float32(high - low)).astype(np.uint8)
            for shares, low, high in zip((letters, quartered, quartered), ground, words, strict=True)
        ]
        return Plate(levels[0], np.stack(levels[1:]))


def text_px_for(blank: Blank) -> int:
    """A size that can be read at 480 lines and does not shout at 1080."""
    return max(15, round(blank.height_px * 0.028))


def _even(length: float) -> int:
    return round(length) + 1 & ~1
