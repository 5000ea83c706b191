"""Every figure that quantstats or empyrical defines is theirs; where a convention differs, the test says how."""

import math

import empyrical
import numpy as np
import pandas as pd
import pytest
import quantstats.stats as qs
from hypothesis import given
from hypothesis import strategies as st

from outcry.backtest.analytics.benchmark import regress
from outcry.backtest.analytics.drawdown_metrics import drawdown_metrics, drawdowns
from outcry.backtest.analytics.drawdown_ratios import drawdown_ratios
from outcry.backtest.analytics.return_metrics import ReturnMetrics, return_metrics, sharpe_ratio, sortino_ratio

DAY_NS = 86_400_000_000_000
CASH = 1_000.0
RISK_FREE = 0.02
seeds = st.integers(0, 2**32 - 1)


def daily(seed: int, n: int = 300) -> tuple[pd.Series, np.ndarray]:
    """Returns with fat tails on business days, and the equity they make of `CASH`.

    The first is a gain: quantstats does not see a drawdown that starts at once and never ends.
    """
    values = 0.0005 + 0.01 * np.random.default_rng(seed).standard_t(4, n)
    values[0] = abs(values[0])
    returns = pd.Series(np.clip(values, -0.5, 0.5), index=pd.bdate_range("2020-01-01", periods=n))
    return returns, CASH * (1.0 + returns).cumprod().to_numpy()


def measured(returns: pd.Series, equity: np.ndarray) -> ReturnMetrics:
    ts_close_ns = returns.index.to_numpy().astype("datetime64[ns]").astype(np.int64) + DAY_NS // 2
    return return_metrics(ts_close_ns, equity, CASH, 252.0)


@given(seeds)
def test_returns_and_their_distribution(seed: int) -> None:
    returns, equity = daily(seed)
    found = measured(returns, equity)
    expected = {
        "total_return_frac": qs.comp(returns),
        "annual_return_frac": empyrical.annual_return(returns),
        "volatility_per_year": qs.volatility(returns),
        "sharpe": qs.sharpe(returns),
        "sortino": qs.sortino(returns),
        "omega": empyrical.omega_ratio(returns),
        "var_95_frac": -empyrical.value_at_risk(returns, 0.05),
        "var_99_frac": -empyrical.value_at_risk(returns, 0.01),
        "skewness": qs.skew(returns),
        "excess_kurtosis": qs.kurtosis(returns),
        "tail_ratio": empyrical.tail_ratio(returns),
        "stability": empyrical.stability_of_timeseries(returns),
        "positive_sessions_frac": qs.win_rate(returns),
        "best_session_frac": qs.best(returns),
        "worst_session_frac": qs.worst(returns),
    }
    for name, value in expected.items():
        assert getattr(found, name) == pytest.approx(value, rel=1e-9, abs=1e-12), name
    # The expected loss beyond the quantile itself; quantstats takes the quantile of a normal distribution.
    beyond = returns[returns <= returns.quantile(0.01)]
    assert found.cvar_99_frac == pytest.approx(-beyond.mean())


@given(seeds)
def test_ratios_above_a_risk_free_rate(seed: int) -> None:
    returns, _ = daily(seed)
    per_session = RISK_FREE / 252  # spread evenly; quantstats compounds it
    assert sharpe_ratio(returns.to_numpy(), 252.0, RISK_FREE) == pytest.approx(qs.sharpe(returns - per_session))
    assert sortino_ratio(returns.to_numpy(), 252.0, RISK_FREE) == pytest.approx(qs.sortino(returns - per_session))


@given(seeds)
def test_drawdowns(seed: int) -> None:
    returns, equity = daily(seed)
    found = drawdown_metrics(equity, CASH)
    under = qs.to_drawdown_series(returns)
    assert found.max_frac == pytest.approx(-qs.max_drawdown(returns))
    assert found.max_frac == pytest.approx(-empyrical.max_drawdown(returns))
    assert found.average_frac == pytest.approx(-under.mean())
    # Martin divides by the number of sessions, quantstats by one less.
    n = len(returns)
    assert found.ulcer_index_frac == pytest.approx(qs.ulcer_index(returns) * math.sqrt((n - 1) / n))
    details = qs.drawdown_details(under)
    stretches = drawdowns(equity, CASH)
    assert found.n_drawdowns == len(stretches) == len(details)
    np.testing.assert_allclose([each.depth_frac for each in stretches], -details["max drawdown"] / 100, rtol=1e-9)
    assert [str(returns.index[each.first_row].date()) for each in stretches] == [
        str(day)[:10] for day in details["start"]
    ]
    assert [str(returns.index[each.deepest_row].date()) for each in stretches] == [
        str(day)[:10] for day in details["valley"]
    ]


@given(seeds)
def test_ratios_of_return_and_drawdown(seed: int) -> None:
    returns, equity = daily(seed)
    metrics, found = measured(returns, equity), drawdown_metrics(equity, CASH)
    ratios = drawdown_ratios(metrics.annual_return_frac, found, drawdowns(equity, CASH), RISK_FREE)
    annual = empyrical.annual_return(returns)
    assert ratios.calmar == pytest.approx(empyrical.calmar_ratio(returns))
    # The ulcer performance index of quantstats has the total return in place of the annual one.
    n = len(returns)
    upi = qs.ulcer_performance_index(returns, RISK_FREE) / (qs.comp(returns) - RISK_FREE) * (annual - RISK_FREE)
    assert ratios.martin == pytest.approx(upi / math.sqrt((n - 1) / n))
    under = -qs.to_drawdown_series(returns)
    assert ratios.pain == pytest.approx((annual - RISK_FREE) / under.mean())
    depths = np.sort(-qs.drawdown_details(-under)["max drawdown"].to_numpy() / 100)[::-1]
    assert ratios.burke == pytest.approx((annual - RISK_FREE) / np.sqrt((depths**2).sum()))
    assert ratios.sterling == pytest.approx(annual / (depths[:5].mean() + 0.1))


@given(seeds)
def test_a_run_beside_its_benchmark(seed: int) -> None:
    held, _ = daily(seed)
    noise, _ = daily(seed // 2 + 1)
    returns = 0.6 * held + 0.5 * noise
    found = regress(returns.to_numpy(), held.to_numpy(), 252.0)
    assert found is not None
    greeks = qs.greeks(returns, held)
    assert found.beta == pytest.approx(greeks["beta"])
    assert found.beta == pytest.approx(empyrical.beta(returns, held))
    assert found.alpha_per_year == pytest.approx(greeks["alpha"])
    assert found.r_squared == pytest.approx(qs.r_squared(returns, held))
    assert found.information_ratio == pytest.approx(qs.information_ratio(returns, held) * math.sqrt(252))
    assert found.tracking_error_per_year == pytest.approx(qs.volatility(returns - held))
    assert found.active_per_year == pytest.approx(252 * (returns - held).mean())
    # Treynor's ratio of quantstats has the total return in place of the mean a year.
    treynor = qs.treynor_ratio(returns, held) / qs.comp(returns) * returns.mean() * 252
    assert found.treynor == pytest.approx(treynor)


def test_a_ruined_account_and_one_that_never_moves_have_figures_or_none_but_no_infinity() -> None:
    for equity in (np.full(60, CASH), np.concatenate((np.full(30, CASH), np.full(30, 0.0)))):
        ts_close_ns = DAY_NS * np.arange(1, 61)
        metrics = return_metrics(ts_close_ns, equity, CASH, 252.0)
        found = drawdown_metrics(equity, CASH)
        ratios = drawdown_ratios(metrics.annual_return_frac, found, drawdowns(equity, CASH))
        values = [*vars_of(metrics), *vars_of(ratios), found.max_frac, found.ulcer_index_frac]
        assert all(value is None or math.isfinite(value) for value in values)


def vars_of(record: object) -> list[float | None]:
    return [getattr(record, name) for name in record.__slots__]  # type: ignore[attr-defined]
