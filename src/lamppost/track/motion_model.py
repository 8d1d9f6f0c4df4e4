"""Where boxes will be and how surely: a Kalman filter over seconds, for many boxes at once.

Kalman, "A new approach to linear filtering and prediction problems", 1960. The velocity of a centre wanders and fades (Uhlenbeck and
Ornstein, 1930), so that nothing runs on for ever unseen; a width and a height wander. Each of the four is independent of the others:
its covariance is three numbers, and all boxes are predicted and corrected by a few operations on arrays. Noise grows with time by the
exact integrals, so that two steps of 0.1 s are one of 0.2 s.

Lengths are in extents: the square root of a box's area, about 1 m of a person and 2 m of a car. The figures of how well a detector
sees were measured on public detections, the others are what people and vehicles can do.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_WANDER: Final = 0.5  # extents per s^1.5: so fast a velocity goes off by itself
_FADE_S: Final = 3.0  # without a sight of it, a velocity is 1/e of what it was after so long
_FIRST_SPEED: Final = 1.5  # extents per second, one standard deviation for what was seen once
_GROWTH: Final = 0.08  # extents per s^0.5, of a width or a height
_CENTRE_JITTER: Final = 0.06  # extents: how far a detection's centre is off, one standard deviation
_SIZE_JITTER: Final = 0.12  # and its width or height
_SURPRISE: Final = 3.0  # standard deviations; what is further off is believed less, the further the less
_STEADY_SPEED: Final = 0.3  # extents per second: how surely the velocity of what was seen for a while is known
_SIZE_WEIGHT: Final = 0.8  # of a size against a centre: widths and heights err together
_LEAST_EXTENT2_PX: Final = 1.0

# Columns: x, y of the centre, width, height.
_CENTRE: Final = np.array([1.0, 1.0, 0.0, 0.0])
_SIZE: Final = 1 - _CENTRE
_JITTER2: Final = _CENTRE_JITTER**2 * _CENTRE + _SIZE_JITTER**2 * _SIZE
_WEIGHTS: Final = _CENTRE + _SIZE_WEIGHT * _SIZE


class MotionModel:
    """Boxes as centre x, y, width, height in pixels, shape (n, 4), with their velocities and covariances. Rows never change places."""

    def __init__(self) -> None:
        self._step_s = 0.0
        self._place = np.empty((0, 4))
        self._speed = np.empty((0, 4))
        self._place_var = np.empty((0, 4))
        self._covar = np.empty((0, 4))
        self._speed_var = np.empty((0, 4))
        self._jitter2 = np.empty((0, 4))  # of its detections, in square extents

    @property
    def place(self) -> Floats:
        """Where they are thought to be."""
        return self._place

    def add(self, measured: Floats, looseness: Floats) -> None:
        """Append boxes that were seen for the first time, standing still for all that is known.

        `looseness`, shape (n,), says how many times the usual jitter the detections of each have.
        """
        extent2, zeros = _extent2(measured), np.zeros_like(measured)
        jitter2 = looseness[:, np.newaxis] ** 2 * _JITTER2
        self._jitter2 = np.concatenate([self._jitter2, jitter2])
        self._place = np.concatenate([self._place, measured])
        self._speed = np.concatenate([self._speed, zeros])
        self._place_var = np.concatenate([self._place_var, extent2 * jitter2])
        self._covar = np.concatenate([self._covar, zeros])
        self._speed_var = np.concatenate([self._speed_var, extent2 * _FIRST_SPEED**2 * _CENTRE])

    def keep(self, kept: NDArray[np.bool_]) -> None:
        """Forget the other rows."""
        self._place, self._speed, self._jitter2 = self._place[kept], self._speed[kept], self._jitter2[kept]
        self._place_var, self._covar, self._speed_var = self._place_var[kept], self._covar[kept], self._speed_var[kept]

    def predict(self, step_s: float) -> None:
        """Go on by `step_s`, 0 or more."""
        self._step_s = step_s
        extent2 = _extent2(self._place)
        lasting = math.exp(-step_s / _FADE_S)
        reach_s = _FADE_S * (1 - lasting)
        half_s = _FADE_S / 2 * (1 - lasting**2)
        wander = _WANDER**2 * extent2 * _CENTRE
        self._place = self._place + reach_s * self._speed
        self._speed = lasting * self._speed
        grown = wander * max(0.0, _FADE_S**2 * (step_s - 2 * reach_s + half_s)) + _GROWTH**2 * step_s * extent2 * _SIZE
        self._place_var = self._place_var + reach_s * (2 * self._covar + reach_s * self._speed_var) + grown
        self._covar = lasting * (self._covar + reach_s * self._speed_var) + wander * reach_s**2 / 2
        self._speed_var = lasting**2 * self._speed_var + wander * half_s

    def shift(self, moved: Floats) -> None:
        """All are `moved` (x, y) pixels elsewhere in the picture, and go on as before."""
        self._place[:, :2] += moved

    def costs(self, measured: Floats) -> Floats:
        """How little each measurement is like what is expected of each row, shape (n, len(measured)): 0 for the best.

        Minus twice the logarithm of the likelihood, against that of a perfect match with a box seen at the step before: the longer
        something was out of sight, the less a match is worth, however well it fits. Beyond three standard deviations the cost grows
        linearly instead of squarely (Huber, 1964).
        """
        extent2 = _extent2(self._place)
        var = self._place_var + extent2 * self._jitter2
        off2 = (measured[np.newaxis] - self._place[:, np.newaxis]) ** 2 / var[:, np.newaxis]
        robust = np.where(off2 > _SURPRISE**2, 2 * _SURPRISE * np.sqrt(off2) - _SURPRISE**2, off2) @ _WEIGHTS
        doubt = np.log(var / extent2) @ _WEIGHTS - _steady_doubt(self._step_s, self._jitter2)
        result: Floats = np.maximum(0.0, robust + doubt[:, np.newaxis])
        return result

    def correct(self, rows: NDArray[np.intp], measured: Floats) -> None:
        """Take in what was seen of `rows`, each of which comes once.

        A box that is suddenly far larger or elsewhere is most of all a box of something more: it is believed the less.
        """
        noise = _extent2(self._place[rows]) * self._jitter2[rows]
        off = measured - self._place[rows]
        place_var, covar = self._place_var[rows], self._covar[rows]
        surprise = np.maximum(1.0, off**2 / ((place_var + noise) * _SURPRISE**2))
        var = place_var + noise * surprise
        gain, speed_gain = place_var / var, covar / var
        self._place[rows] += gain * off
        self._place[rows, 2:] = np.maximum(self._place[rows, 2:], 1.0)
        self._speed[rows] += speed_gain * off
        self._speed_var[rows] = np.maximum(self._speed_var[rows] - speed_gain * covar, 0.0)
        self._covar[rows] = covar * (1 - gain)
        self._place_var[rows] = place_var * (1 - gain)


def _extent2(place: Floats) -> Floats:
    """Square pixels of each box, shape (n, 1)."""
    return np.maximum(place[:, 2:3] * place[:, 3:4], _LEAST_EXTENT2_PX)


def _steady_doubt(step_s: float, jitter2: Floats) -> Floats:
    """The logarithm of the variance that is usual for what was seen `step_s` ago and well before that, shape (n,)."""
    moved = _STEADY_SPEED**2 * step_s**2 + _WANDER**2 * step_s**3 / 3
    usual = jitter2 * (1.5 * _CENTRE + 1.3 * _SIZE) + moved * _CENTRE + _GROWTH**2 * step_s * _SIZE
    result: Floats = np.log(usual) @ _WEIGHTS
    return result
