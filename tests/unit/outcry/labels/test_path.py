"""Statistics of the returns inside the horizon equal NumPy over every window."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from outcry.errors import ConfigurationError
from outcry.labels.path import forward_kelly, forward_sharpe, forward_volatility
from outcry.market.frame import FrameTensor


def expected_moments(close: np.ndarray, horizon_bars: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return mean, deviation and root mean square by NumPy, each window on its own."""
    returns = pd.DataFrame(close).pct_change(fill_method=None).to_numpy()
    mean, deviation, root = (np.full(close.shape, np.nan) for _ in range(3))
    for t, symbol in np.ndindex(len(close) - horizon_bars, close.shape[1]):
        window = returns[t + 1 : t + horizon_bars + 1, symbol]
        window = window[~np.isnan(window)]
        if np.isnan(close[t, symbol]) or len(window) == 0 or len(window) < horizon_bars / 2:
            continue
        root[t, symbol] = np.sqrt(np.mean(window**2))
        if len(window) > 1:
            mean[t, symbol] = window.mean()
            deviation[t, symbol] = window.std(ddof=1) if np.ptp(window) > 0.0 else np.nan
    return mean, deviation, root


def check_against_numpy(close: np.ndarray, horizon_bars: int) -> None:
    mean, deviation, root = expected_moments(close, horizon_bars)
    # the order of additions differs; a mean near 0 keeps an absolute error of returns of about 0.01
    np.testing.assert_allclose(forward_volatility(close, horizon_bars), root, rtol=1e-12)
    np.testing.assert_allclose(forward_sharpe(close, horizon_bars), mean / deviation, rtol=1e-9, atol=1e-12)
    size_frac = np.clip(mean / deviation**2, -3.0, 3.0)
    np.testing.assert_allclose(forward_kelly(close, horizon_bars, 3.0), size_frac, rtol=1e-9, atol=1e-9)


@given(seed=st.integers(0, 10_000), horizon_bars=st.integers(2, 30), absent_frac=st.sampled_from([0.0, 0.15, 0.5]))
def test_walks_with_gaps_equal_numpy(
    make_market: Callable[..., FrameTensor], seed: int, horizon_bars: int, absent_frac: float
) -> None:
    check_against_numpy(make_market(seed, 40, 2, absent_frac).close, horizon_bars)


@pytest.mark.realdata
@pytest.mark.parametrize("horizon_bars", [2, 12, 78])
def test_real_prices_equal_numpy(real_market: FrameTensor, horizon_bars: int) -> None:
    check_against_numpy(real_market.close[-900:, :4], horizon_bars)


@pytest.mark.realdata
def test_volatility_of_one_bar_is_the_size_of_its_return(daily: FrameTensor) -> None:
    returns = pd.DataFrame(daily.close).pct_change(fill_method=None).shift(-1).abs().to_numpy()
    np.testing.assert_allclose(forward_volatility(daily.close, 1), returns, rtol=1e-12)


def test_equal_returns_have_no_sharpe_ratio_and_no_size() -> None:
    close = np.column_stack([np.full(6, 20.0), 20.0 * 1.25 ** np.arange(6)])
    assert np.isnan(forward_sharpe(close, 3)).all()
    assert np.isnan(forward_kelly(close, 3, 1.0)).all()
    assert forward_volatility(close, 3)[:3].tolist() == [[0.0, 0.25]] * 3


def test_a_missing_bar_takes_two_returns_away_and_half_of_them_are_enough() -> None:
    nan = np.nan
    close = np.array([[100.0], [nan], [nan], [102.0], [103.0], [nan], [104.0], [nan], [105.0]])
    known = ~np.isnan(forward_volatility(close, 4)[:, 0])
    # of row 0 only the step from 102 to 103 is known, one of four; row 3 likewise; the others have no close
    assert not known.any()
    assert not np.isnan(forward_volatility(close, 2)[3, 0])  # one of two
    assert np.isnan(forward_sharpe(close, 2)[3, 0])


def test_the_size_is_clipped_to_its_limit_on_both_sides() -> None:
    rising = 100.0 * np.cumprod(np.array([1.0, 1.01, 1.02, 1.01, 1.02]))[:, None]
    assert forward_kelly(rising, 4, 2.0)[0, 0] == 2.0
    assert forward_kelly(rising[::-1].copy(), 4, 2.0)[0, 0] == -2.0


def test_values_that_break_a_rule_are_refused() -> None:
    close = np.ones((5, 1))
    with pytest.raises(ConfigurationError, match="horizon_bars must be positive, was 0"):
        forward_volatility(close, 0)
    with pytest.raises(ConfigurationError, match="horizon_bars must be at least 2, was 1"):
        forward_sharpe(close, 1)
    with pytest.raises(ConfigurationError, match="horizon_bars must be at least 2, was 1"):
        forward_kelly(close, 1, 1.0)
    with pytest.raises(ConfigurationError, match=r"limit_frac must be positive, was 0\.0"):
        forward_kelly(close, 2, 0.0)
