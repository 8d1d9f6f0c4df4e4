"""What the place looks like when nobody is there, pixel by pixel, and how much each pixel lies.

All arrays have the shape of the small luma picture, dtype float32, grey levels
0 to 255. Time is passed in seconds: frame rates vary, and cameras pause.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from lamppost.detect.values import Flags, Picture, SmallPicture

_SAMPLES = 24  # pictures that the learning window holds at most
_LEAST_SAMPLES = 5
_AGREE_LEVELS = 10.0
_AGREE_SHARE = 0.75
# Of all pixels, or of the textured ones, where a moving camera shows first: nothing can be
# learnt from a window in which so much moves.
_BUSY_SHARE = 0.35
_BUSY_EDGE_SHARE = 0.25
_EDGE_LEVELS = 10.0
_LEAST_EDGES = 0.01
_LEAST_SHIFT_PX = 0.7
_LEAST_APART_LEVELS = 3.0


@dataclass(frozen=True, slots=True)
class Learnt:
    """Outcome of a learning window: the median, its noise, and where something moved."""

    median: SmallPicture
    noise: Picture
    unsure: Flags


class LearningWindow:
    """The last seconds of small pictures, until a background can be told from them.

    At most 24 pictures are held, evenly spread over `window_s`; older ones are forgotten.
    They are held as bytes, of which they were made: a hundred cameras that start at once learn in a quarter of the memory.
    """

    def __init__(self, window_s: float) -> None:
        self._window_s = window_s
        self._samples: deque[tuple[float, NDArray[np.uint8], NDArray[np.uint8]]] = deque(maxlen=_SAMPLES)

    def add(self, at_s: float, small: SmallPicture) -> None:
        """Keep `small` when the last one kept is long enough ago."""
        if self._samples and 0 <= at_s - self._samples[-1][0] < self._window_s / (_SAMPLES - 1) - 1e-6:
            return
        self._samples.append((at_s, small.luma.astype(np.uint8), small.chroma.astype(np.uint8)))

    def learn(self) -> Learnt | None:
        """The background, or None while the window is too short or too much moves in it."""
        if len(self._samples) < _LEAST_SAMPLES or self._samples[-1][0] - self._samples[0][0] < self._window_s * 0.8:
            return None
        stack = np.stack([luma for _at_s, luma, _chroma in self._samples]).astype(np.float32)
        # A sixteenth of the pixels tells whether to go on, at every frame of a busy start.
        edges = np.maximum(gradient(stack[0]), gradient(stack[-1]))[::4, ::4] > _EDGE_LEVELS
        disagrees = _median(stack[:, ::4, ::4])[2]
        if disagrees.mean() > _BUSY_SHARE or (edges.mean() > _LEAST_EDGES and disagrees[edges].mean() > _BUSY_EDGE_SHARE):
            return None
        if any(has_shifted(stack[0], stack[index]) for index in (len(stack) // 3, len(stack) * 2 // 3, -1)):
            return None
        median, noise, disagrees = _median(stack)
        chroma = np.median(np.stack([chroma for _at_s, _luma, chroma in self._samples]), axis=0).astype(np.float32)
        return Learnt(SmallPicture(median, chroma), noise, fill_holes(disagrees))


def _median(stack: Picture) -> tuple[Picture, Picture, Flags]:
    """Over the first axis: the median, its mean deviation, and where too few samples agree with it."""
    median = np.median(stack, axis=0).astype(np.float32)
    deviation = np.abs(stack - median)
    noise = np.minimum(deviation.mean(axis=0), 6.0).astype(np.float32)
    return median, noise, (deviation < _AGREE_LEVELS + 2 * noise).mean(axis=0) < _AGREE_SHARE


def has_shifted(one: Picture, other: Picture) -> bool:
    """True when `other` is `one`, moved as a whole: the camera was bumped or turns.

    The shift is found by phase correlation (Kuglin and Hines, 1975), and believed
    only when it explains what most edges do: a person who walks in moves few of them.
    """
    size = (one.shape[1], one.shape[0])
    window = cv2.createHanningWindow(size, cv2.CV_32F)
    # Copies: OpenCV multiplies the window into pictures that need no padding.
    (dx, dy), _response = cv2.phaseCorrelate(one.copy(), other.copy(), window)
    if not _LEAST_SHIFT_PX < math.hypot(dx, dy) < min(size) / 4:
        return False
    edges = gradient(one) > _EDGE_LEVELS
    if edges.mean() < _LEAST_EDGES:
        return False
    move = np.array([[1, 0, dx], [0, 1, dy]], np.float32)
    moved = cv2.warpAffine(one, move, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    apart = float(np.median(np.abs(other - one)[edges]))
    return apart > _LEAST_APART_LEVELS and float(np.median(np.abs(other - moved)[edges])) < 0.6 * apart


def gradient(picture: Picture) -> Picture:
    """Strength of edges in grey levels per two pixels."""
    across = np.abs(cv2.Sobel(picture, cv2.CV_32F, 1, 0, ksize=3, scale=0.25))
    down = np.abs(cv2.Sobel(picture, cv2.CV_32F, 0, 1, ksize=3, scale=0.25))
    return np.asarray(np.maximum(across, down), np.float32)


def fill_holes(flags: Flags) -> Flags:
    """`flags` closed over small gaps, and with what its outlines enclose."""
    closed = cv2.morphologyEx(flags.astype(np.uint8), cv2.MORPH_CLOSE, np.ones((7, 7), np.uint8))
    closed = cv2.morphologyEx(closed, cv2.MORPH_OPEN, np.ones((2, 2), np.uint8))
    outlines, _tree = cv2.findContours(closed, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    filled = np.zeros(flags.shape, np.uint8)
    cv2.drawContours(filled, outlines, -1, 1, cv2.FILLED)
    return filled.astype(np.bool_)


class Background:
    """A mean and a noise level for every pixel, updated only where nothing is in front."""

    def __init__(self, learnt: Learnt, *, adapt_s: float, base_levels: float) -> None:
        self.mean = learnt.median.luma.copy()
        self.noise = learnt.noise.copy()
        self._adapt_s = adapt_s
        self._base_levels = base_levels
        self._light = (1.0, 0.0)
        self.refresh()

    def refresh(self) -> None:
        """Recompute what follows from the mean: edges and their tolerance. Cheap; once a second does."""
        self.edges = gradient(self.mean)

    def threshold(self) -> Picture:
        """Difference in grey levels beyond which a pixel is foreground."""
        return np.asarray(self._base_levels + 3.5 * self.noise + 0.25 * self.edges, np.float32)

    def relight(self, small: Picture, foreground: Flags) -> Picture:
        """`small` in the light of the background: with the gain and the offset common to the whole picture.

        They are fitted where nothing was in front; automatic exposure and clouds fall out.
        The background itself follows them at the same slow pace everywhere, also
        behind things: what a thing uncovers must not differ by the light alone.
        """
        gain, offset = self._fit_light(small, foreground)
        self._light = (gain, offset)
        return small * np.float32(gain) + np.float32(offset)

    def _fit_light(self, small: Picture, foreground: Flags) -> tuple[float, float]:
        free = ~foreground[::4, ::4]
        seen, known = small[::4, ::4][free], self.mean[::4, ::4][free]
        if seen.size < 64:
            return 1.0, 0.0
        gain, offset = 1.0, float(np.median(known - seen))
        for _round in range(2):
            residual = np.abs(seen * gain + offset - known)
            inlier = residual <= max(4.0, 2.5 * float(np.median(residual)))
            x, y = seen[inlier], known[inlier]
            spread = float(x.var())
            if spread > 50.0:
                gain = float(np.clip(((x - x.mean()) * (y - y.mean())).mean() / spread, 0.7, 1.4))
            offset = float(y.mean() - gain * x.mean())
        return gain, offset

    def update(self, lit: Picture, distance: Picture, free: Flags, dt_s: float) -> None:
        """Follow slow changes at the `free` pixels of the relit picture `lit`; `distance` is its own to the mean."""
        if dt_s <= 0:
            return
        rate = np.float32(1 - math.exp(-dt_s / self._adapt_s))
        noise_rate = np.float32(1 - math.exp(-dt_s / 3.0))
        weight = free.astype(np.float32)
        self.mean += (lit - self.mean) * (rate * weight)
        self.noise += (np.minimum(distance, 12.0) - self.noise) * (noise_rate * weight)
        gain, offset = self._light
        self.mean *= np.float32(1 + (1 / gain - 1) * rate)
        self.mean -= np.float32(offset / gain * rate)

    def absorb(self, lit: Picture, area: Flags) -> None:
        """Take `area` as it is now for background."""
        self.mean[area] = lit[area]
        self.noise[area] = np.maximum(self.noise[area], 1.0)
        self.refresh()
