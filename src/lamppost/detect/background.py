"""What the place looks like when nobody is there, pixel by pixel, and how much each pixel lies.

All arrays have the shape of the small luma picture, dtype float32, grey levels
0 to 255, unless they say otherwise. Time is passed in seconds: frame rates vary, and cameras pause.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass

import cv2
import numpy as np

from lamppost.detect.values import Flags, Grey, Picture, SmallPicture

_SAMPLES = 24  # pictures that the learning window holds at most
_LEAST_SAMPLES = 5
_AGREE_LEVELS = 10.0
_AGREE_SHARE = 0.75
# Of all pixels, or of the textured ones, where a moving camera shows first: nothing can be
# learnt from a window in which so much moves.
_BUSY_SHARE = 0.35
_BUSY_EDGE_SHARE = 0.25
EDGE_LEVELS = 10.0
_LEAST_EDGES = 0.01
_LEAST_SHIFT_PX = 0.7
_LEAST_RESPONSE = 0.12  # of the correlation; 1 is the same picture, and what lies lower is found in any two
_LEARNT_SHIFT_PX = 1.5  # a mast that settles: what trembles by so little counts as noise, and is learnt
_LEAST_APART_LEVELS = 3.0
_SHIFT_EXPLAINS = 0.5  # what stays of the difference where the whole picture moved; a mast that sways leaves more
_LIGHT_STEP = 8  # one pixel in 64 tells the light of the whole picture


@dataclass(frozen=True, slots=True)
class Learnt:
    """Outcome of a learning window: the median of luma (h, w) and chroma (2, h/2, w/2), the noise, and where something moved."""

    luma: Picture
    chroma: Picture
    noise: Picture
    unsure: Flags


class LearningWindow:
    """The last seconds of small pictures, until a background can be told from them.

    At most 24 pictures are held, evenly spread over `window_s`; older ones are forgotten.
    """

    def __init__(self, window_s: float) -> None:
        self._window_s = window_s
        self._samples: deque[tuple[float, Grey, Grey]] = deque(maxlen=_SAMPLES)

    def add(self, at_s: float, small: SmallPicture) -> None:
        """Keep `small` when the last one kept is long enough ago."""
        if self._samples and 0 <= at_s - self._samples[-1][0] < self._window_s / (_SAMPLES - 1) - 1e-6:
            return
        self._samples.append((at_s, small.luma, small.chroma))

    def learn(self) -> Learnt | None:
        """The background, or None while the window is too short or too much moves in it."""
        if len(self._samples) < _LEAST_SAMPLES or self._samples[-1][0] - self._samples[0][0] < self._window_s * 0.8:
            return None
        stack = np.stack([luma for _at_s, luma, _chroma in self._samples]).astype(np.float32)
        # A sixteenth of the pixels tells whether to go on, at every frame of a busy start.
        edges = np.maximum(gradient(stack[0]), gradient(stack[-1]))[::4, ::4] > EDGE_LEVELS
        disagrees = _median(stack[:, ::4, ::4])[2]
        if disagrees.mean() > _BUSY_SHARE or (edges.mean() > _LEAST_EDGES and disagrees[edges].mean() > _BUSY_EDGE_SHARE):
            return None
        if any(has_shifted(stack[0], stack[index], _LEARNT_SHIFT_PX) for index in (len(stack) // 3, len(stack) * 2 // 3, -1)):
            return None
        median, noise, disagrees = _median(stack)
        chroma = np.median(np.stack([chroma for _at_s, _luma, chroma in self._samples]), axis=0).astype(np.float32)
        return Learnt(median, chroma, noise, fill_holes(disagrees))


def _median(stack: Picture) -> tuple[Picture, Picture, Flags]:
    """Over the first axis: the median, its mean deviation, and where too few samples agree with it."""
    median = np.median(stack, axis=0).astype(np.float32)
    deviation = np.abs(stack - median)
    noise = np.minimum(deviation.mean(axis=0), 6.0).astype(np.float32)
    return median, noise, (deviation < _AGREE_LEVELS + 2 * noise).mean(axis=0) < _AGREE_SHARE


def has_shifted(one: Picture, other: Picture, least_px: float = _LEAST_SHIFT_PX) -> bool:
    """True when `other` is `one`, moved as a whole: the camera was bumped or turns.

    The shift is found by phase correlation (Kuglin and Hines, 1975), and believed
    only when it explains what most edges do: a person who walks in moves few of them.
    """
    size = (one.shape[1], one.shape[0])
    window = cv2.createHanningWindow(size, cv2.CV_32F)
    # Copies: OpenCV multiplies the window into pictures that need no padding.
    (dx, dy), response = cv2.phaseCorrelate(one.copy(), other.copy(), window)
    if response < _LEAST_RESPONSE or not least_px < math.hypot(dx, dy) < min(size) / 4:
        return False
    edges = gradient(one) > EDGE_LEVELS
    if edges.mean() < _LEAST_EDGES:
        return False
    move = np.array([[1, 0, dx], [0, 1, dy]], np.float32)
    moved = cv2.warpAffine(one, move, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    apart = float(np.median(np.abs(other - one)[edges]))
    return apart > _LEAST_APART_LEVELS and float(np.median(np.abs(other - moved)[edges])) < _SHIFT_EXPLAINS * apart


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
    """A mean and a noise level for every pixel, updated only where nothing is in front.

    Arrays of the size of a picture are kept and written anew for each picture: to ask for fresh memory costs more
    than the arithmetic.
    """

    def __init__(self, learnt: Learnt, *, adapt_s: float, base_levels: float) -> None:
        self.mean = learnt.luma.copy()
        self.noise = learnt.noise.copy()
        self.lit = np.empty_like(self.mean)
        self.distance = np.empty_like(self.mean)
        self._scratch = np.empty_like(self.mean)
        self._adapt_s = adapt_s
        self._base_levels = base_levels
        self._light = (1.0, 0.0)
        self.refresh()

    def refresh(self) -> None:
        """Recompute what follows from mean and noise: edges and thresholds. Once a second does."""
        self.edges = gradient(self.mean)
        self.is_edge: Flags = self.edges > EDGE_LEVELS
        self.edge_px = int(np.count_nonzero(self.is_edge))
        # Difference in grey levels beyond which a pixel is foreground.
        self.threshold = np.asarray(self._base_levels + 3.5 * self.noise + 0.25 * self.edges, np.float32)
        self._per_threshold = np.float32(1) / self.threshold

    def compare(self, luma: Grey, foreground: Flags) -> Picture:
        """How different each pixel is, as a multiple of its threshold; sets `lit` and `distance`.

        `lit` is `luma` in the light of the background: with the gain and the offset common to the whole picture.
        They are fitted where nothing was in front (`foreground` of the picture before); automatic exposure and
        clouds fall out.
        """
        gain, offset = self._light = self._fit_light(luma, foreground)
        np.multiply(luma, np.float32(gain), out=self.lit)
        self.lit += np.float32(offset)
        np.subtract(self.lit, self.mean, out=self._scratch)
        cv2.blur(self._scratch, (3, 3), dst=self.distance)
        np.abs(self.distance, out=self.distance)
        ratio: Picture = np.multiply(self.distance, self._per_threshold, out=self._scratch)
        return ratio

    def _fit_light(self, luma: Grey, foreground: Flags) -> tuple[float, float]:
        free = ~foreground[::_LIGHT_STEP, ::_LIGHT_STEP]
        seen = luma[::_LIGHT_STEP, ::_LIGHT_STEP][free].astype(np.float32)
        known = self.mean[::_LIGHT_STEP, ::_LIGHT_STEP][free]
        if seen.size < 64:
            return 1.0, 0.0
        gain, offset = 1.0, _middle(known - seen)
        for _round in range(2):
            residual = np.abs(seen * np.float32(gain) + np.float32(offset) - known)
            inlier = residual <= max(4.0, 2.5 * _middle(residual))
            x, y = seen[inlier], known[inlier]
            mean_x, mean_y = float(x.mean()), float(y.mean())
            away = x - np.float32(mean_x)
            spread = float(away @ away) / len(x)
            if spread > 50.0:
                gain = min(1.4, max(0.7, float(away @ (y - np.float32(mean_y))) / len(x) / spread))
            offset = mean_y - gain * mean_x
        return gain, offset

    def update(self, free: Flags, dt_s: float) -> None:
        """Follow slow changes at the `free` pixels of the picture compared last.

        The background follows the light at the same slow pace everywhere, also
        behind things: what a thing uncovers must not differ by the light alone.
        """
        if dt_s <= 0:
            return
        rate = np.float32(1 - math.exp(-dt_s / self._adapt_s))
        noise_rate = np.float32(1 - math.exp(-dt_s / 3.0))
        step = self._scratch
        np.subtract(self.lit, self.mean, out=step)
        step *= rate
        step *= free
        self.mean += step
        np.minimum(self.distance, np.float32(12.0), out=step)
        step -= self.noise
        step *= noise_rate
        step *= free
        self.noise += step
        gain, offset = self._light
        self.mean *= np.float32(1 + (1 / gain - 1) * rate)
        self.mean -= np.float32(offset / gain * rate)

    def absorb(self, area: Flags) -> None:
        """Take `area` of the picture compared last for background."""
        self.mean[area] = self.lit[area]
        self.noise[area] = np.maximum(self.noise[area], 1.0)
        self.refresh()


def _middle(values: Picture) -> float:
    """The median, of an odd number of `values` exactly; at least one."""
    return float(np.partition(values, len(values) // 2)[len(values) // 2])
