"""Every row is the Sharpe ratio of its own window."""

import numpy as np
import pytest

from outcry.backtest.analytics.return_metrics import sharpe_ratio
from outcry.backtest.analytics.rolling_sharpe import rolling_sharpe, rolling_window
from outcry.errors import ConfigurationError


def test_each_row_is_the_ratio_of_the_sessions_before_it() -> None:
    returns = np.random.default_rng(3).normal(0.001, 0.01, 60)
    ratios = rolling_sharpe(returns, 21, 252.0, 0.02)
    assert np.isnan(ratios[:20]).all()
    expected = [sharpe_ratio(returns[t - 20 : t + 1], 252.0, 0.02) for t in range(20, 60)]
    np.testing.assert_allclose(ratios[20:], np.array(expected, dtype=np.float64), rtol=1e-12)


def test_a_window_that_does_not_vary_has_no_ratio() -> None:
    assert np.isnan(rolling_sharpe(np.zeros(40), 21, 252.0)).all()
    assert np.isnan(rolling_sharpe(np.zeros(4), 21, 252.0)).all()


@pytest.mark.parametrize(("n", "window"), [(10, None), (41, None), (42, 21), (126, 63), (252, 126)])
def test_the_window_fits_twice(n: int, window: int | None) -> None:
    assert rolling_window(n) == window


def test_a_window_of_one_session_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="window_sessions must be at least 2, was 1"):
        rolling_sharpe(np.zeros(4), 1, 252.0)
