"""Figures of the last days: what is graded, and nothing where there is nothing."""

import numpy as np
import pytest

from outcry.backtest.analytics.recent_performance import recent_performance


def test_forecasts_are_graded_where_their_outcome_is_known() -> None:
    probability = np.array([[[0.7, 0.2, 0.1], [0.1, 0.2, 0.7]], [[0.6, 0.3, 0.1], [np.nan] * 3]])
    labels = np.array([[0, 0], [-1, 2]], dtype=np.int8)
    found = recent_performance(np.array([100.0, 101.0, 100.0]), probability, labels, np.array([1.0, 3.0]), 252.0)
    assert (found.n_frames, found.n_graded, found.accuracy) == (2, 2, 0.5)
    assert found.log_loss == pytest.approx(-(np.log(0.7) + np.log(0.1)) / 2)
    assert found.sharpe is None
    assert (found.latency_p50_ms, found.latency_p99_ms) == (2.0, pytest.approx(2.98))


def test_a_sharpe_ratio_is_told_from_ten_returns_on() -> None:
    equity = np.array([100.0, 101.0, 100.0, 102.0, 101.0, 103.0, 103.0, 104.0, 102.0, 103.0, 104.0])
    nothing = np.empty((0, 1, 3)), np.empty((0, 1), dtype=np.int8), np.empty(0)
    returns = np.diff(equity) / equity[:-1]
    found = recent_performance(equity, *nothing, 252.0)
    assert found.sharpe == pytest.approx(returns.mean() / returns.std(ddof=1) * np.sqrt(252.0))
    assert recent_performance(equity[1:], *nothing, 252.0).sharpe is None


def test_a_shadow_is_graded_beside_what_was_traded_on_the_outcomes_of_both() -> None:
    traded = np.array([[[0.7, 0.2, 0.1], [0.1, 0.2, 0.7]], [[0.6, 0.3, 0.1], [np.nan] * 3]])
    said = np.array([[[0.2, 0.2, 0.6], [np.nan] * 3], [[0.1, 0.8, 0.1], [0.3, 0.3, 0.4]]])
    labels = np.array([[0, 0], [1, 2]], dtype=np.int8)
    none = np.full_like(said, np.nan)
    found = recent_performance(
        np.array([100.0, 101.0]), traded, labels, np.empty(0), 252.0, shadows={"new": said, "late": none}
    )
    assert found.n_graded == 3
    new, late = found.shadows
    assert (new.model_version, new.n_graded, new.accuracy, new.traded_accuracy) == ("new", 2, 0.5, 0.5)
    assert new.log_loss == pytest.approx(-(np.log(0.2) + np.log(0.8)) / 2)
    assert new.traded_log_loss == pytest.approx(-(np.log(0.7) + np.log(0.3)) / 2)
    assert (late.n_graded, late.log_loss, late.traded_log_loss) == (0, None, None)


def test_a_window_without_outcomes_has_no_figures() -> None:
    found = recent_performance(
        np.array([100.0, 100.0]), np.empty((0, 2, 3)), np.empty((0, 2), dtype=np.int8), np.empty(0), 252.0
    )
    assert (found.n_frames, found.n_graded) == (1, 0)
    assert {found.accuracy, found.log_loss, found.ece_frac, found.sharpe, found.latency_p50_ms} == {None}
