"""Rates with the bounds within which they are known: k of n, and what that may mean."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final

_ROUNDS: Final = 200  # of either search, far more than either needs
_TINY: Final = 1e-300
_CLOSE: Final = 1e-15


@dataclass(frozen=True, slots=True)
class Rate:
    """`k` of `n`, and the bounds of Clopper and Pearson (1934) at 95%, two-sided.

    The bounds hold for independent trials. Frames of one track are none, so the true bounds are wider.
    """

    k: int
    n: int

    def __post_init__(self) -> None:
        if not 0 <= self.k <= self.n:
            raise ValueError(f"{self.k} of {self.n} is no rate")

    @property
    def value(self) -> float | None:
        """The share k / n, or None where there was nothing to count."""
        return self.k / self.n if self.n else None

    @property
    def low(self) -> float:
        """The share below which `k` or more would be seen in 2.5% of all cases."""
        return beta_quantile(0.025, self.k, self.n - self.k + 1) if self.k else 0.0

    @property
    def high(self) -> float:
        """The share above which `k` or fewer would be seen in 2.5% of all cases; 1 where nothing was counted."""
        return beta_quantile(0.975, self.k + 1, self.n - self.k) if self.k < self.n else 1.0

    def __add__(self, other: Rate) -> Rate:
        return Rate(self.k + other.k, self.n + other.n)

    def to_json(self) -> dict[str, Any]:
        return {"k": self.k, "n": self.n, "rate": self.value, "low95": self.low, "high95": self.high}


def beta_quantile(share: float, a: float, b: float) -> float:
    """The x at which the regularised incomplete beta function I_x(a, b) is `share`; a and b are positive."""
    low, high = 0.0, 1.0
    for _round in range(_ROUNDS):
        middle = (low + high) / 2
        if middle in (low, high):
            break
        if incomplete_beta(middle, a, b) < share:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def incomplete_beta(x: float, a: float, b: float) -> float:
    """I_x(a, b), by its continued fraction (Abramowitz and Stegun, 26.5.8) and Lentz's method (1976)."""
    if x <= 0 or x >= 1:
        return float(x >= 1)
    if x > (a + 1) / (a + b + 2):
        return 1 - incomplete_beta(1 - x, b, a)
    front = math.exp(math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)) / a
    fraction, c, d = 1.0, 1.0, 0.0
    for index in range(_ROUNDS * 50):
        m = index // 2
        if index == 0:
            step = 1.0
        elif index % 2 == 0:
            step = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        else:
            step = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        d = 1 / _away_from_zero(1 + step * d)
        c = _away_from_zero(1 + step / c)
        fraction *= c * d
        if index and abs(1 - c * d) < _CLOSE:
            break
    return front * (fraction - 1)


def _away_from_zero(value: float) -> float:
    return value if abs(value) > _TINY else _TINY


def percentile(values: list[float], share: float) -> float | None:
    """The least of `values` that `share` of them do not exceed (nearest rank); None of none."""
    if not values:
        return None
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]
