"""Figures of curves that can be checked by hand; the score keeps to its range."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from outcry.backtest.stress.resilience import Fall, Resilience, measure_fall, measure_resilience, overall_resilience
from outcry.errors import DataValidationError
from outcry.market.frame import FloatArray, IntArray

DAY_NS = 86_400_000_000_000
CALM = np.array([100.0, 102, 101, 104, 106, 108, 110, 112])
STRESSED = np.array([100.0, 90, 80, 85, 95, 100, 104, 98])
MARKET = np.array([1.0, 0.8, 0.6, 0.7, 0.8, 0.9, 1.0, 1.1])


def daily(n: int) -> IntArray:
    return np.arange(1, n + 1) * DAY_NS


def measure(calm: FloatArray, stressed: FloatArray, market: FloatArray, n_shock: int = 2) -> Resilience:
    return measure_resilience(daily(len(calm)), calm, stressed, market, n_shock_frames=n_shock, bars_per_year=252.0)


def test_every_figure_is_the_one_worked_out_by_hand() -> None:
    found = measure(CALM, STRESSED, MARKET)
    assert found.shock_loss_frac == pytest.approx(0.2)
    assert found.fall == Fall(pytest.approx(0.2), 3, 5)
    assert found.market_fall == Fall(pytest.approx(0.4), 4, 5)
    assert found.return_frac == pytest.approx(0.12)
    assert found.stressed_return_frac == pytest.approx(-0.02)
    assert found.return_lost_frac == pytest.approx(0.14)
    returns = np.diff(STRESSED) / STRESSED[:-1]
    assert found.stressed_sharpe == pytest.approx(returns.mean() / returns.std(ddof=1) * np.sqrt(252))
    assert found.sharpe is not None
    assert found.stressed_sharpe is not None
    assert found.sharpe_lost == pytest.approx(found.sharpe - found.stressed_sharpe)
    assert found.retained == pytest.approx(98 / 112)
    assert found.protection == pytest.approx(0.4 / 0.6)
    assert found.recovery == pytest.approx(4 / 7)
    assert found.score == pytest.approx((98 / 112 + 2 / 3 + 4 / 7) / 3)


def test_holding_the_market_that_recovers_scores_two_thirds() -> None:
    found = measure(MARKET, MARKET, MARKET)
    assert (found.retained, found.protection, found.recovery) == (1.0, 0.5, 0.5)
    assert found.return_lost_frac == 0.0


def test_cash_scores_one_and_ruin_next_to_nothing() -> None:
    cash = measure(np.ones(8), np.ones(8), MARKET)
    assert cash.score == 1.0
    assert cash.sharpe is None
    assert cash.sharpe_lost is None
    ruin = measure(CALM, np.array([100.0, 40, -5, 0, 0, 0, 0, 0]), MARKET)
    assert ruin.fall == Fall(1.0, None, 5)
    assert (ruin.retained, ruin.recovery) == (0.0, 0.0)
    assert ruin.score == pytest.approx(0.4 / 1.4 / 3)


def test_a_market_that_never_recovers_counts_with_the_sessions_left() -> None:
    found = measure(CALM, STRESSED, np.array([1.0, 0.8, 0.6, 0.7, 0.7, 0.7, 0.7, 0.7]))
    assert found.market_fall.recovery_sessions is None
    assert found.recovery == pytest.approx(5 / 8)


def test_recovery_is_counted_in_sessions_not_in_frames() -> None:
    ts_close_ns = np.array([1, 2, 3, 1 + 2 * DAY_NS, 2 + 2 * DAY_NS, 1 + 3 * DAY_NS])
    assert measure_fall(ts_close_ns, np.array([10.0, 8, 9, 9, 10, 11])) == Fall(pytest.approx(0.2), 1, 2)
    assert measure_fall(ts_close_ns, np.array([10.0, 8, 10, 11, 12, 13])) == Fall(pytest.approx(0.2), 0, 2)


@given(
    st.lists(st.floats(-0.4, 0.4), min_size=3, max_size=40),
    st.lists(st.floats(-0.4, 0.4), min_size=40, max_size=40),
    st.lists(st.floats(-0.4, 0.4), min_size=40, max_size=40),
)
def test_the_score_keeps_to_its_range_and_more_stress_never_raises_what_is_retained(
    calm: list[float], stressed: list[float], market: list[float]
) -> None:
    n = len(calm)
    curves = [np.cumprod(np.concatenate(([1.0], 1.0 + np.array(each[:n])))) for each in (calm, stressed, market)]
    found = measure(*curves)
    assert all(0.0 <= part <= 1.0 for part in (found.retained, found.protection, found.recovery, found.score))
    worse = measure(curves[0], np.concatenate((curves[1][:-1], curves[1][-1:] * 0.9)), curves[2])
    assert worse.retained <= found.retained
    assert worse.protection <= found.protection + 1e-12


def test_the_overall_score_is_the_mean_and_names_the_weakest() -> None:
    good, bad = measure(CALM, CALM, MARKET), measure(CALM, STRESSED, MARKET)
    overall = overall_resilience({"mild": good, "crash": bad})
    assert overall is not None
    assert overall.score == pytest.approx((good.score + bad.score) / 2)
    assert (overall.weakest, overall.weakest_score, overall.n_scenarios) == ("crash", bad.score, 2)
    assert overall_resilience({}) is None


def test_curves_that_cannot_be_compared_are_refused() -> None:
    with pytest.raises(DataValidationError, match="shape"):
        measure(CALM, STRESSED[:-1], MARKET)
    with pytest.raises(DataValidationError, match="finite"):
        measure(CALM, np.where(STRESSED == 85, np.nan, STRESSED), MARKET)
    with pytest.raises(DataValidationError, match="begin above 0"):
        measure(CALM, STRESSED - 100.0, MARKET)
    for n_shock in (0, 8):
        with pytest.raises(DataValidationError, match="n_shock_frames"):
            measure(CALM, STRESSED, MARKET, n_shock)
