"""Buying and holding pays its entry and nothing else."""

import numpy as np
import pytest
from scipy import stats

from outcry.backtest.analytics.benchmark import buy_and_hold, regress
from outcry.backtest.history import AssumedCosts

FREE = AssumedCosts(slippage_bps=0.0)


def test_without_costs_it_is_the_mean_of_the_price_relatives() -> None:
    closes = 50.0 * np.exp(np.cumsum(np.random.default_rng(0).normal(0, 0.01, (60, 4)), axis=0))
    np.testing.assert_allclose(buy_and_hold(closes, 1_000.0, FREE), 1_000.0 * (closes / closes[0]).mean(axis=1))


@pytest.mark.parametrize(
    "costs",
    [
        AssumedCosts(10.0),
        AssumedCosts(0.0, commission_per_share=0.05),
        AssumedCosts(0.0, 0.0, 10.0),
        AssumedCosts(0, 0, 0, 1),
    ],
)
def test_the_entry_costs_one_thousandth(costs: AssumedCosts) -> None:
    assert buy_and_hold(np.full((3, 1), 50.0), 1_000.0, costs)[-1] == pytest.approx(999.0, rel=1e-5)


def test_a_late_symbol_is_cash_before_its_first_bar_and_a_missing_bar_keeps_its_last_close() -> None:
    closes = np.array([[10.0, np.nan], [20.0, 5.0], [np.nan, 10.0]])
    np.testing.assert_allclose(buy_and_hold(closes, 200.0, FREE), [200.0, 300.0, 400.0])


def test_alpha_and_beta_are_those_of_scipy() -> None:
    rng = np.random.default_rng(6)
    held = rng.normal(0, 0.01, 100)
    returns = 0.001 + 0.5 * held + rng.normal(0, 0.005, 100)
    found, expected = regress(returns, held, 252.0), stats.linregress(held, returns)
    assert found is not None
    assert found.beta == pytest.approx(expected.slope)
    assert found.alpha_per_year == pytest.approx(expected.intercept * 252)
    assert found.r_squared == pytest.approx(expected.rvalue**2)
    assert regress(np.zeros(100), held, 252.0) is None
