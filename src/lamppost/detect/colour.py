"""The colour of the background: a coat may be as bright as the wall behind it, and still be red.

Chroma is compared at half the size of the small luma picture, as cameras sample it.
Infrared pictures have none, and nothing happens here.
"""

from __future__ import annotations

import math

import cv2
import numpy as np

from lamppost.detect.values import Flags, Picture

_BASE_LEVELS = 5.0


class ColourBackground:
    """Mean chroma and its noise for every pixel; shape (h, w, 2), float32, levels 0 to 255."""

    def __init__(self, median: Picture, *, adapt_s: float) -> None:
        self._mean = median.copy()
        self._noise = np.full(median.shape[:2], 1.0, np.float32)
        self._adapt_s = adapt_s
        self._distance = np.zeros(median.shape[:2], np.float32)

    def ratio(self, chroma: Picture, foreground: Flags, size: tuple[int, int]) -> Picture:
        """Difference over its threshold, scaled to `size` (width, height); above 1 is foreground."""
        difference = chroma - self._mean
        sample = difference[::4, ::4][~self._half(foreground)[::4, ::4]]
        if len(sample) >= 64:  # the white balance moved
            difference -= np.median(sample, axis=0)
        blurred = np.abs(cv2.blur(difference, (3, 3)))
        self._distance = np.maximum(blurred[..., 0], blurred[..., 1])
        ratio = self._distance / (np.float32(_BASE_LEVELS) + np.float32(3.5) * self._noise)
        return np.asarray(cv2.resize(ratio, size, interpolation=cv2.INTER_LINEAR), np.float32)

    def update(self, chroma: Picture, free: Flags, dt_s: float) -> None:
        """Follow slow changes where `free` (the size of the luma picture) is true."""
        if dt_s <= 0:
            return
        weight = self._half(free).astype(np.float32)
        rate, noise_rate = np.float32(1 - math.exp(-dt_s / self._adapt_s)), np.float32(1 - math.exp(-dt_s / 3.0))
        self._mean += (chroma - self._mean) * (rate * weight)[..., np.newaxis]
        self._noise += (np.minimum(self._distance, 6.0) - self._noise) * (noise_rate * weight)

    def absorb(self, chroma: Picture, area: Flags) -> None:
        """Take `area` (the size of the luma picture) as it is now for background."""
        half = self._half(area)
        self._mean[half] = chroma[half]

    def _half(self, flags: Flags) -> Flags:
        return flags[::2, ::2]  # luma sides are even
