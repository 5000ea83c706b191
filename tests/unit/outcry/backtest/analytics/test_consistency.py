"""Consistency across months and quarters, held against empyrical and pandas."""

import math

import empyrical
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outcry.backtest.analytics.consistency import Consistency, consistency

DAY_NS = 86_400_000_000_000
CASH = 1_000.0
seeds = st.integers(0, 2**32 - 1)


def daily(seed: int, n: int = 300, mean: float = 0.0005) -> pd.Series:
    values = mean + 0.01 * np.random.default_rng(seed).standard_t(4, n)
    return pd.Series(np.clip(values, -0.5, 0.5), index=pd.bdate_range("2020-01-20", periods=n))


def measured(returns: pd.Series, risk_free_per_year: float = 0.0) -> Consistency:
    ts_close_ns = returns.index.to_numpy().astype("datetime64[ns]").astype(np.int64) + DAY_NS // 2
    equity = CASH * (1.0 + returns).cumprod().to_numpy()
    return consistency(ts_close_ns, equity, CASH, 252.0, risk_free_per_year)


@settings(max_examples=30)
@given(seeds)
def test_winning_periods_and_stability_are_those_of_empyrical(seed: int) -> None:
    returns = daily(seed)
    found = measured(returns)
    for period, name in ((found.months, "monthly"), (found.quarters, "quarterly")):
        expected = empyrical.aggregate_returns(returns, name)
        assert period.n_periods == len(expected)
        assert period.winning_frac == (expected > 0).mean()
    assert found.stability == pytest.approx(empyrical.stability_of_timeseries(returns), rel=1e-9, abs=1e-12)


@settings(max_examples=30)
@given(seeds, st.sampled_from([0.0, 0.03]))
def test_the_deviation_of_sharpe_ratios_is_that_of_pandas(seed: int, risk_free_per_year: float) -> None:
    returns = daily(seed)
    excess = returns - risk_free_per_year / 252
    found = measured(returns, risk_free_per_year)
    for period, frequency in ((found.months, "M"), (found.quarters, "Q")):
        parts = [part for _, part in excess.groupby(excess.index.to_period(frequency)) if len(part) >= 10]
        ratios = pd.Series([part.mean() / part.std() * math.sqrt(252) for part in parts])
        assert period.n_sharpes == len(ratios)
        assert period.sharpe_deviation == pytest.approx(ratios.std())


def test_skill_that_never_changes_deviates_as_much_as_chance_says() -> None:
    found = [measured(daily(seed, 504, mean=0.001)).quarters for seed in range(100)]
    ours = np.mean([each.sharpe_deviation for each in found if each.sharpe_deviation is not None])
    chance = np.mean([each.chance_sharpe_deviation for each in found if each.chance_sharpe_deviation is not None])
    # Eight quarters: one deviation has an error of a quarter, the mean of 100 of 3 %, and its bias is -3 %.
    assert ours == pytest.approx(chance, rel=0.1)


def test_a_run_that_earned_in_one_stretch_deviates_more() -> None:
    returns = daily(0, 504, mean=0.0)
    returns.iloc[130:190] += 0.01
    found = measured(returns).quarters
    assert found.sharpe_deviation is not None
    assert found.chance_sharpe_deviation is not None
    assert found.sharpe_deviation > 1.5 * found.chance_sharpe_deviation


def test_months_by_hand() -> None:
    days = pd.to_datetime(["2024-01-30", "2024-01-31", "2024-02-01", "2024-02-29", "2024-04-01"])
    found = measured(pd.Series([0.01, 0.01, -0.02, 0.01, 0.05], index=days))
    assert (found.months.n_periods, found.months.winning_frac) == (3, pytest.approx(2 / 3))
    assert (found.quarters.n_periods, found.quarters.winning_frac) == (2, 1.0)
    assert found.months.n_sharpes == 0
    assert found.months.sharpe_deviation is None
    assert found.stability is None


@pytest.mark.parametrize("equity", [[1_000.0], [1_000.0] * 80, [500.0] * 30 + [0.0] * 50])
def test_what_is_not_defined_is_none_and_never_infinite(equity: list[float]) -> None:
    found = consistency(DAY_NS * np.arange(1, len(equity) + 1), np.array(equity), CASH, 252.0)
    assert found.stability is None
    for period in (found.months, found.quarters):
        assert period.winning_frac == 0.0
        assert period.sharpe_deviation is None or math.isfinite(period.sharpe_deviation)
