"""The summary of a run adds up, and says in words what is wrong with it."""

import dataclasses
from collections.abc import Callable

import numpy as np
import pytest

from outcry.backtest.analytics.summary import analyse
from outcry.backtest.history import RunHistory
from outcry.errors import DataValidationError
from outcry.features.guard import ColumnQuality

Build = Callable[..., RunHistory]


def test_profit_by_symbol_sums_to_the_profit_of_the_run(build_history: Build) -> None:
    summary = analyse(build_history()).summary
    assert summary.costs.total > 0
    assert sum(profit.net for profit in summary.symbols) == pytest.approx(summary.profit, abs=1e-6)
    assert summary.costs.gross_profit == pytest.approx(summary.profit + summary.costs.total)


def test_a_losing_run_is_reported_as_losing(build_history: Build) -> None:
    summary = analyse(build_history(drift=-0.01)).summary
    assert summary.profit < 0
    assert summary.verdict.startswith("Lost ")
    assert "lost" in summary.verdict.split(";")[1]


def test_a_risk_free_rate_lowers_what_is_measured_above_it(build_history: Build) -> None:
    history = build_history()
    plain, above = (analyse(dataclasses.replace(history, risk_free_per_year=rate)).summary for rate in (0.0, 0.05))
    assert plain.returns.sharpe is not None
    assert above.returns.sharpe is not None
    assert plain.returns.volatility_per_year is not None
    lost = 0.05 / plain.returns.volatility_per_year
    assert above.returns.sharpe == pytest.approx(plain.returns.sharpe - lost)
    assert above.returns.annual_return_frac == plain.returns.annual_return_frac
    assert above.evidence.probabilistic_sharpe_frac < plain.evidence.probabilistic_sharpe_frac  # type: ignore[operator]


def test_the_same_history_gives_the_same_summary(build_history: Build) -> None:
    assert analyse(build_history()).summary == analyse(build_history()).summary


def test_a_model_trained_on_the_traded_span_is_called_in_sample(build_history: Build) -> None:
    history = build_history()
    before, inside = int(history.ts_close_ns[0]) - 1, int(history.ts_close_ns[50])
    honest, leaking = (
        analyse(dataclasses.replace(history, training_span_ns=(0, last))).summary for last in (before, inside)
    )
    assert not any("in-sample" in warning for warning in honest.warnings)
    assert any("in-sample" in warning for warning in leaking.warnings)
    assert leaking.verdict.startswith("In-sample, no performance: ")


def test_a_short_run_without_trades_warns_of_both_and_of_survivorship(build_history: Build) -> None:
    text = " ".join(analyse(build_history(n=8)).summary.warnings)
    assert "No trade was closed" in text
    assert "Only 8 of" in text
    assert "survivorship" in text


def test_forecasts_without_skill_are_said_to_have_none(build_history: Build) -> None:
    probability = np.random.default_rng(0).dirichlet((1, 1, 1), (120, 2))
    assert any("no skill" in warning for warning in analyse(build_history(probability=probability)).summary.warnings)


def test_a_feature_that_broke_is_said_and_a_constant_one_is_only_listed(build_history: Build) -> None:
    broken = ColumnQuality("tech_rsi_14_raw", 500, 3, 0, 0, is_constant=False)
    resting = ColumnQuality("time_gap_1_open", 500, 0, 0, 0, is_constant=True)
    summary = analyse(dataclasses.replace(build_history(), feature_quality=(broken, resting))).summary
    (said,) = [text for text in summary.warnings if "feature" in text]
    assert "tech_rsi_14_raw: 3 of 500 values NaN after a number" in said
    assert "time_gap_1_open" not in said
    assert summary.feature_quality == (broken, resting)


def test_arrays_of_different_length_are_refused(build_history: Build) -> None:
    history = build_history()
    with pytest.raises(DataValidationError, match=r"cash must have shape \(120,\), was \(119,\)"):
        dataclasses.replace(history, cash=history.cash[1:])
