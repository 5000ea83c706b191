"""Two runs are told apart where they differ, and not where they do not."""

import numpy as np
import pytest

from outcry.backtest.analytics.paired_test import paired_test
from outcry.errors import DataValidationError


def rng() -> np.random.Generator:
    return np.random.default_rng(7)


def test_a_small_steady_lead_on_a_shared_market_is_found() -> None:
    market = rng().normal(0.0, 0.02, 500)
    lead = np.random.default_rng(8).normal(0.0005, 0.001, 500)
    found = paired_test(market + lead, market, 252.0, rng())
    assert found is not None
    assert found.mean_per_year.value == pytest.approx(252 * lead.mean())
    assert found.mean_per_year.low > 0
    assert found.mean_per_year.p_value < 0.01
    assert found.sharpe is not None
    assert found.sharpe.p_value < 0.01
    assert found.correlation is not None
    assert found.correlation > 0.99
    assert found.n_sessions == 500


def test_noise_is_called_different_about_as_often_as_promised() -> None:
    draws = np.random.default_rng(9)
    p_values = []
    for _ in range(100):
        first, second = draws.normal(0.0, 0.01, (2, 250))
        found = paired_test(first, second, 252.0, draws, n_resamples=300)
        assert found is not None
        p_values.append(found.mean_per_year.p_value)
    assert 0.0 < np.mean(np.array(p_values) < 0.1) < 0.25


def test_the_same_returns_differ_by_nothing() -> None:
    returns = rng().normal(0.0, 0.01, 100)
    found = paired_test(returns, returns, 252.0, rng(), n_resamples=50)
    assert found is not None
    assert (found.mean_per_year.value, found.mean_per_year.p_value) == (0.0, 1.0)


def test_swapped_runs_change_the_sign_only() -> None:
    first, second = rng().normal(0.0, 0.01, (2, 80))
    ahead, behind = (paired_test(*pair, 252.0, rng(), n_resamples=200) for pair in ((first, second), (second, first)))
    assert ahead is not None
    assert behind is not None
    assert ahead.mean_per_year.value == -behind.mean_per_year.value
    assert ahead.mean_per_year.p_value == behind.mean_per_year.p_value


def test_returns_that_never_vary_have_no_sharpe_difference() -> None:
    found = paired_test(np.zeros(50), rng().normal(0.0, 0.01, 50), 252.0, rng(), n_resamples=50)
    assert found is not None
    assert found.sharpe is None
    assert found.correlation is None


def test_too_few_sessions_have_no_test() -> None:
    assert paired_test(np.zeros(9), np.ones(9), 252.0, rng()) is None


def test_returns_of_other_sessions_are_refused() -> None:
    with pytest.raises(DataValidationError, match="returns must be of the same sessions, had 3 and 4"):
        paired_test(np.zeros(3), np.zeros(4), 252.0, rng())
