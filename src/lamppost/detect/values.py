"""The small pictures that the motion detector computes with."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from lamppost.model.vision import Frame

Picture = NDArray[np.float32]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class SmallPicture:
    """A frame scaled down by area averaging: `luma` (h, w), `chroma` (h/2, w/2, 2), float32, 0 to 255."""

    luma: Picture
    chroma: Picture

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the luma."""
        return self.luma.shape[1], self.luma.shape[0]


def shrink(frame: Frame, long_side_px: int) -> SmallPicture:
    """`frame` with its long side at `long_side_px`; never scaled up, sides even and at least 8."""
    scale = min(1.0, long_side_px / max(frame.width_px, frame.height_px))
    width, height = (max(8, 2 * round(side * scale / 2)) for side in (frame.width_px, frame.height_px))
    half = (width // 2, height // 2)
    blue, red = frame.i420[frame.height_px :].reshape(2, frame.height_px // 2, frame.width_px // 2)
    luma = cv2.resize(frame.luma, (width, height), interpolation=cv2.INTER_AREA)
    chroma = cv2.merge([cv2.resize(plane, half, interpolation=cv2.INTER_AREA) for plane in (blue, red)])
    return SmallPicture(np.asarray(luma, np.float32), np.asarray(chroma, np.float32))
