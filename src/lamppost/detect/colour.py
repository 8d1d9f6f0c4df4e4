"""The colour of the background: a coat may be as bright as the wall behind it, and still be red.

Chroma is compared at half the size of the small luma picture, as cameras sample it.
Infrared pictures have none, and nothing happens here.
"""

from __future__ import annotations

import math

import cv2
import numpy as np

from lamppost.detect.values import Flags, Grey, Picture

_BASE_LEVELS = 5.0
_SAMPLE_STEP = 4


class ColourBackground:
    """Mean chroma (2, h, w) and its noise (h, w) for every pixel; float32, levels 0 to 255."""

    def __init__(self, median: Picture, *, adapt_s: float) -> None:
        self._mean = median.copy()
        self._noise = np.full(median.shape[1:], 1.0, np.float32)
        self._adapt_s = adapt_s
        self._difference = np.empty_like(self._mean)
        self._blurred = np.empty_like(self._mean)
        self._distance = np.zeros(median.shape[1:], np.float32)
        self._step = np.empty_like(self._distance)

    def ratio(self, chroma: Grey, foreground: Flags, size: tuple[int, int]) -> Picture:
        """Difference over its threshold, scaled to `size` (width, height); above 1 is foreground."""
        difference = self._difference
        np.subtract(chroma, self._mean, out=difference)
        free = ~self._half(foreground)[::_SAMPLE_STEP, ::_SAMPLE_STEP]
        for plane, blurred in zip(difference, self._blurred, strict=True):
            sample = plane[::_SAMPLE_STEP, ::_SAMPLE_STEP][free]
            if len(sample) >= 64:  # the white balance moved
                plane -= np.partition(sample, len(sample) // 2)[len(sample) // 2]
            cv2.blur(plane, (3, 3), dst=blurred)
        np.abs(self._blurred, out=self._blurred)
        np.maximum(self._blurred[0], self._blurred[1], out=self._distance)
        np.multiply(self._noise, np.float32(3.5), out=self._step)
        self._step += np.float32(_BASE_LEVELS)
        np.divide(self._distance, self._step, out=self._step)
        return np.asarray(cv2.resize(self._step, size, interpolation=cv2.INTER_LINEAR), np.float32)

    def update(self, chroma: Grey, free: Flags, dt_s: float) -> None:
        """Follow slow changes where `free` (the size of the luma picture) is true."""
        if dt_s <= 0:
            return
        weight = self._half(free)
        rate, noise_rate = np.float32(1 - math.exp(-dt_s / self._adapt_s)), np.float32(1 - math.exp(-dt_s / 3.0))
        np.subtract(chroma, self._mean, out=self._difference)
        self._difference *= rate
        self._difference *= weight
        self._mean += self._difference
        np.minimum(self._distance, np.float32(6.0), out=self._step)
        self._step -= self._noise
        self._step *= noise_rate
        self._step *= weight
        self._noise += self._step

    def absorb(self, chroma: Grey, area: Flags) -> None:
        """Take `area` (the size of the luma picture) as it is now for background."""
        half = self._half(area)
        self._mean[:, half] = chroma[:, half]

    def _half(self, flags: Flags) -> Flags:
        return flags[::2, ::2]  # luma sides are even
