"""Factors know only the past, the regression is that of statsmodels, and contributions sum to what was earned."""

import dataclasses
import math
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from hypothesis import given
from hypothesis import strategies as st

from outcry.backtest.analytics.factor_attribution import (
    factor_attribution,
    newey_west,
    newey_west_lags,
)
from outcry.backtest.analytics.factor_returns import FACTORS, factor_returns
from outcry.backtest.analytics.session_returns import session_returns
from outcry.backtest.analytics.summary import analyse
from outcry.backtest.history import RunHistory
from outcry.backtest.report.page import render_page

Build = Callable[..., RunHistory]
SYMBOLS = tuple(f"S{number:02d}" for number in range(12))
RISK_FREE = 0.02 / 252


@pytest.fixture
def history(build_history: Build) -> RunHistory:
    history = build_history(n=700, symbols=SYMBOLS, risk_free_per_year=0.02)
    volume = np.exp(np.random.default_rng(8).normal(12.0, 1.0, history.closes.shape) + np.arange(len(SYMBOLS)))
    return dataclasses.replace(history, volume=volume)


@given(st.integers(0, 2**32 - 1), st.integers(30, 200), st.integers(0, 8))
def test_coefficients_and_deviations_are_those_of_statsmodels(seed: int, n: int, n_lags: int) -> None:
    rng = np.random.default_rng(seed)
    x = np.column_stack((np.ones(n), rng.normal(size=(n, 3))))
    noise = np.convolve(rng.standard_t(5, n + 4), np.ones(5), "valid")  # with a memory
    y = x @ rng.normal(size=4) + noise
    theirs = sm.OLS(y, x).fit(cov_type="HAC", cov_kwds={"maxlags": n_lags, "use_correction": True})
    beta, deviation = newey_west(x, y, n_lags)
    np.testing.assert_allclose(beta, theirs.params, rtol=1e-8)
    np.testing.assert_allclose(deviation, theirs.bse, rtol=1e-7)


def test_the_attribution_is_a_regression_of_statsmodels_and_sums_to_the_return(history: RunHistory) -> None:
    returns = session_returns(history.ts_close_ns, history.equity, history.initial_cash)
    found = factor_attribution(history, returns, 252.0)
    factors = factor_returns(history, RISK_FREE)
    rows = np.isfinite(factors).all(axis=1)
    theirs = sm.OLS(returns[rows] - RISK_FREE, sm.add_constant(factors[rows])).fit(
        cov_type="HAC", cov_kwds={"maxlags": found.n_lags, "use_correction": True}, use_t=True
    )
    assert found.n_sessions == rows.sum() > 400
    assert found.n_lags == newey_west_lags(found.n_sessions) == 5
    np.testing.assert_allclose([each.beta.value for each in found.loadings], theirs.params[1:])
    np.testing.assert_allclose([each.beta.t_statistic for each in found.loadings], theirs.tvalues[1:])
    np.testing.assert_allclose([each.beta.p_value for each in found.loadings], theirs.pvalues[1:], atol=1e-12)
    assert found.alpha_per_year is not None
    assert found.alpha_per_year.value == pytest.approx(theirs.params[0] * 252)
    assert found.r_squared == pytest.approx(theirs.rsquared)
    total = found.alpha_per_year.value + sum(each.contribution_per_year for each in found.loadings)
    assert total == pytest.approx(found.excess_per_year)
    assert found.excess_per_year == pytest.approx((returns[rows] - RISK_FREE).mean() * 252)


def test_a_run_that_is_a_factor_is_told_by_it(history: RunHistory) -> None:
    factors = np.nan_to_num(factor_returns(history, RISK_FREE))
    returns = 0.5 * factors[:, 0] + 2.0 * factors[:, 1] + RISK_FREE
    returns += np.random.default_rng(0).normal(0.0, 1e-5, len(returns))
    found = factor_attribution(history, returns, 252.0)
    betas = {each.factor: each.beta.value for each in found.loadings}
    assert betas["market"] == pytest.approx(0.5, abs=0.01)
    assert betas["momentum"] == pytest.approx(2.0, abs=0.01)
    assert all(abs(betas[name]) < 0.01 for name in ("reversal", "low volatility", "low turnover"))
    assert found.r_squared == pytest.approx(1.0, abs=1e-4)


def test_momentum_is_what_pandas_makes_of_its_definition(history: RunHistory) -> None:
    close = pd.DataFrame(history.closes, index=pd.to_datetime(history.ts_close_ns - 1))
    strength, returns = close.shift(21) / close.shift(252) - 1.0, close.pct_change()
    month = close.index.to_period("M")
    expected = pd.Series(np.nan, index=close.index)
    for before, now in zip(month.unique()[:-1], month.unique()[1:], strict=True):
        ranks = strength[month == before].iloc[-1].rank()
        if ranks.notna().all():
            held = returns[month == now]
            expected[month == now] = held.loc[:, ranks > 9].mean(axis=1) - held.loc[:, ranks <= 3].mean(axis=1)
    np.testing.assert_allclose(factor_returns(history, 0.0)[:, 1], expected, atol=1e-12)
    np.testing.assert_allclose(factor_returns(history, 0.0)[1:, 0], returns.mean(axis=1)[1:], atol=1e-12)


def test_low_volatility_and_low_turnover_hold_what_they_say(history: RunHistory) -> None:
    rng = np.random.default_rng(1)
    calm = np.linspace(0.005, 0.03, len(SYMBOLS))
    steps = rng.normal(0.0, 1.0, history.closes.shape) * calm
    closes = 50.0 * np.exp(np.cumsum(steps, axis=0))
    volume = np.ones_like(closes) * 10.0 ** np.arange(len(SYMBOLS)) / closes
    found = factor_returns(dataclasses.replace(history, closes=closes, volume=volume), 0.0)
    returns = closes[1:] / closes[:-1] - 1.0
    expected = returns[:, :3].mean(axis=1) - returns[:, -3:].mean(axis=1)
    known = np.isfinite(found[1:, 4])
    assert known.sum() > 600
    np.testing.assert_allclose(found[1:, 4][known], expected[known], atol=1e-12)  # the first three trade least
    np.testing.assert_allclose(found[1:, 3][known].std(), expected[known].std(), rtol=0.1)  # and are calmest


def test_no_factor_changes_with_its_future(history: RunHistory) -> None:
    whole = factor_returns(history, RISK_FREE)
    for n in (300, 421, 650):
        columns = ("ts_close_ns", "equity", "cash", "gross_exposure", "net_exposure", "drawdown", "closes", "volume")
        cut = {name: getattr(history, name)[:n] for name in (*columns, "probability")}
        np.testing.assert_array_equal(factor_returns(dataclasses.replace(history, **cut), RISK_FREE), whole[:n])


def test_what_happens_after_a_ranking_does_not_change_it(history: RunHistory) -> None:
    month = pd.to_datetime(history.ts_close_ns - 1).to_period("M")
    ends = np.flatnonzero(month[1:] != month[:-1])
    row, stop = ends[18], ends[19]
    whole = factor_returns(history, RISK_FREE)[row + 3 : stop + 1]
    n_moved = 0
    for symbol in range(len(SYMBOLS)):
        closes, volume = history.closes.copy(), history.volume.copy()
        closes[row + 1, symbol] *= 3.0  # and back the day after
        volume[row + 1, symbol] *= 1e6
        changed = factor_returns(dataclasses.replace(history, closes=closes, volume=volume), RISK_FREE)
        np.testing.assert_array_equal(changed[row + 3 : stop + 1], whole)
        closes[row, symbol] *= 3.0
        changed = factor_returns(dataclasses.replace(history, closes=closes, volume=volume), RISK_FREE)
        n_moved += (changed[row + 3 : stop + 1] != whole).any()
    assert n_moved > len(SYMBOLS) / 2  # what happened before it does, where the symbol was not in that leg already


def test_hours_make_the_factors_of_their_sessions(history: RunHistory) -> None:
    hours = (history.ts_close_ns[:, np.newaxis] - 3_600_000_000_000 * np.array([1, 0])).ravel()
    columns = ("equity", "cash", "gross_exposure", "net_exposure", "drawdown", "probability")
    doubled = {name: np.repeat(getattr(history, name), 2, axis=0) for name in columns}
    closes, volume = np.repeat(history.closes, 2, axis=0), np.repeat(history.volume, 2, axis=0)
    closes[::4] = np.nan
    volume[::4] = np.nan
    volume[2::4] = 0.0
    hourly = dataclasses.replace(history, ts_close_ns=hours, closes=closes, volume=volume, **doubled)
    np.testing.assert_array_equal(factor_returns(hourly, RISK_FREE), factor_returns(history, RISK_FREE))


def test_what_is_missing_is_said(build_history: Build, history: RunHistory) -> None:
    few = analyse(build_history()).summary.factors
    assert few.loadings == ()
    assert few.left_out == ("Factors need a universe of at least 6 symbols to rank, this one has 2.",)
    short = analyse(build_history(n=120, symbols=SYMBOLS)).summary.factors
    assert [each.factor for each in short.loadings] == ["market", "reversal"]
    assert len(short.left_out) == 3
    assert short.left_out[0].startswith("momentum is known in 0 of 120 sessions: it looks back 252")
    shortest = analyse(build_history(n=40, symbols=SYMBOLS)).summary.factors
    assert shortest.left_out == ("Factors need at least 60 sessions in which they are known, there are 39.",)
    flat = factor_attribution(history, np.zeros(700), 252.0)
    assert flat.left_out == ("The returns of the run do not vary: there is nothing to explain.",)
    exact = factor_attribution(
        dataclasses.replace(history, risk_free_per_year=0.0), np.nan_to_num(factor_returns(history, 0.0)[:, 0]), 252.0
    )
    assert all(math.isfinite(each.beta.t_statistic) for each in exact.loadings)
    one = np.repeat(history.closes[:, :1], len(SYMBOLS), axis=1)
    same = factor_attribution(dataclasses.replace(history, closes=one), np.diff(history.equity, prepend=1e5), 252.0)
    assert same.left_out[0].startswith("The factors of this universe cannot be told apart")


def test_the_page_shows_every_factor_with_its_t(history: RunHistory) -> None:
    analysis = analyse(history)
    page = render_page(history, analysis)
    assert "<h2>What explains its returns</h2>" in page
    for factor in FACTORS:
        assert f"{factor.name.capitalize()}: {factor.meaning}." in page
    assert "t by Newey and West, 5 lags." in page
