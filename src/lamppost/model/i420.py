"""How the planes of a 4:2:0 picture lie in one array, of shape (height * 3 / 2, width), uint8, width and height even."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

# From the full range 0 to 255 to luma 16 to 235 and chroma 16 to 240, for each level.
_LEVELS: Final = np.arange(256, dtype=np.float32)
_NARROW_LUMA: Final = np.rint(_LEVELS * np.float32(219 / 255) + 16).astype(np.uint8)
_NARROW_CHROMA: Final = np.rint((_LEVELS - 128) * np.float32(224 / 255) + 128).astype(np.uint8)


def luma_of(i420: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Y as a view, shape (height, width)."""
    return i420[: i420.shape[0] * 2 // 3]


def chroma_of(i420: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """U and V as a view, shape (2, height / 2, width / 2)."""
    height, width = i420.shape[0] * 2 // 3, i420.shape[1]
    return i420[height:].reshape(2, height // 2, width // 2)


def planes_of(i420: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], NDArray[np.uint8], NDArray[np.uint8]]:
    """Y (height, width), U and V (height / 2, width / 2) as views."""
    blue, red = chroma_of(i420)
    return luma_of(i420), blue, red


def narrowed(i420: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A picture of the full range in the limited one, the only one that OpenCV's conversions know."""
    height = i420.shape[0] * 2 // 3
    return np.concatenate([_NARROW_LUMA[i420[:height]], _NARROW_CHROMA[i420[height:]]])
