"""What windows made, and the cautions that follow from it."""

import numpy as np
import pytest

from outcry.backtest.history import TradedWindow
from outcry.backtest.walk_forward import measure_stability, measure_window
from outcry.backtest.windows import Window

DAY_NS = 86_400 * 10**9


def traded(total_return: float, inside: float | None = 1.0, outside: float | None = 1.0) -> TradedWindow:
    return TradedWindow(
        train_span_ns=(0, 1),
        test_span_ns=(2, 3),
        model_version="m",
        in_sample_sharpe=inside,
        out_of_sample_sharpe=outside,
        total_return=total_return,
        max_drawdown=0.0,
        n_trades=1,
    )


def test_a_window_is_measured_from_the_equity_before_it():
    equity = np.array([100.0, 110.0, 99.0, 121.0, 110.0])
    found = measure_window(
        Window(1, 2, 8, 12, 15),
        np.arange(1, 21, dtype=np.int64) * DAY_NS,
        equity,
        (),
        first_row=10,
        initial_cash=100.0,
        bars_per_year=252.0,
        risk_free_per_year=0.0,
        model_version="m",
        in_sample_sharpe=2.0,
    )
    assert found.total_return == pytest.approx(0.0)
    assert found.max_drawdown == pytest.approx(0.1)
    assert found.train_span_ns == (3 * DAY_NS, 8 * DAY_NS)
    assert found.test_span_ns == (13 * DAY_NS, 15 * DAY_NS)
    returns = np.array([99 / 110, 121 / 99, 110 / 121]) - 1
    assert found.out_of_sample_sharpe == pytest.approx(returns.mean() / returns.std(ddof=1) * np.sqrt(252))


def test_efficiency_is_the_ratio_of_mean_sharpe_ratios():
    found = measure_stability([traded(0.1, 2.0, 1.5), traded(-0.05, 4.0, 0.5), traded(0.02, None, None)])
    assert found.efficiency == pytest.approx(1.0 / 3.0)
    assert found.sharpe_deviation == pytest.approx(np.sqrt(0.5))
    assert (found.winning_frac, found.best_return, found.worst_return) == (2 / 3, 0.1, -0.05)


def test_no_efficiency_where_nothing_was_made_in_sample():
    assert measure_stability([traded(0.1, -1.0, 1.0)] * 2).efficiency is None


@pytest.mark.parametrize(
    ("windows", "caution"),
    [
        ([traded(0.01, 5.0, 1.0)] * 8, "In-sample far above out-of-sample: a mean Sharpe ratio of 5.00"),
        ([traded(0.01, None, None)] * 8, "did not trade enough"),
        ([traded(0.01)] * 3 + [traded(-0.01)] * 5, "Only 3 of 8 windows made money."),
        ([traded(0.5)] + [traded(-0.01)] * 7, "One window made it all: without its +50.0 %"),
        ([traded(0.01)] * 3, "3 windows are few"),
    ],
)
def test_a_reason_for_caution_is_told(windows: list[TradedWindow], caution: str):
    assert any(caution in each for each in measure_stability(windows).cautions)


def test_even_windows_that_keep_their_sharpe_ratio_need_no_caution():
    assert measure_stability([traded(0.01)] * 8).cautions == ()
