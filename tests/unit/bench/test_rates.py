"""Rates are known within exact bounds."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lamppost.bench.rates import Rate, beta_quantile, incomplete_beta, percentile

# As scipy.stats.binomtest(k, n).proportion_ci(method='exact') has them.
KNOWN = [
    (0, 10, 0.0, 0.3084971),
    (1, 10, 0.002528579, 0.4450161),
    (5, 10, 0.187086, 0.812914),
    (10, 10, 0.6915029, 1.0),
    (3, 1000, 0.00061910, 0.00874202),
    (0, 3000, 0.0, 0.001228868),
]


@pytest.mark.parametrize(("k", "n", "low", "high"), KNOWN)
def test_bounds_are_those_of_clopper_and_pearson(k: int, n: int, low: float, high: float) -> None:
    rate = Rate(k, n)
    assert rate.low == pytest.approx(low, rel=1e-4, abs=1e-12)
    assert rate.high == pytest.approx(high, rel=1e-4)


@given(st.integers(1, 100_000), st.data())
def test_the_bounds_hold_the_rate_and_are_exact(n: int, data: st.DataObject) -> None:
    rate = Rate(data.draw(st.integers(0, n)), n)
    assert 0 <= rate.low <= rate.k / rate.n <= rate.high <= 1
    if rate.k > 0:
        assert incomplete_beta(rate.low, rate.k, rate.n - rate.k + 1) == pytest.approx(0.025, rel=1e-6)
    if rate.k < rate.n:
        assert incomplete_beta(rate.high, rate.k + 1, rate.n - rate.k) == pytest.approx(0.975, rel=1e-6)


@given(st.floats(0.001, 0.999), st.floats(0.5, 500), st.floats(0.5, 500))
def test_the_beta_function_is_that_of_scipy(x: float, a: float, b: float) -> None:
    special = pytest.importorskip("scipy.special", reason="scipy comes with the peer alone")
    assert incomplete_beta(x, a, b) == pytest.approx(float(special.betainc(a, b, x)), rel=1e-8, abs=1e-12)
    assert beta_quantile(0.3, a, b) == pytest.approx(float(special.betaincinv(a, b, 0.3)), rel=1e-6, abs=1e-12)


def test_nothing_counted_is_nothing_known() -> None:
    assert (Rate(0, 0).value, Rate(0, 0).low, Rate(0, 0).high) == (None, 0.0, 1.0)
    assert Rate(1, 4) + Rate(2, 6) == Rate(3, 10)
    with pytest.raises(ValueError, match="5 of 4"):
        Rate(5, 4)


def test_a_percentile_is_one_of_the_values() -> None:
    assert percentile([], 0.99) is None
    assert percentile([4.0, 1.0, 3.0, 2.0], 0.5) == 2.0
    assert percentile(list(map(float, range(1, 101))), 0.99) == 99.0
