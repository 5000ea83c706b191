"""A trend goes on or turns, and there is no label without a trend."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from outcry.errors import ConfigurationError
from outcry.labels.direction import volatility_band
from outcry.labels.trend import continuation_labels, reversal_labels
from outcry.market.frame import FrameTensor


def check_against_pandas(close: np.ndarray, horizon_bars: int, window_bars: int, band_frac: float | np.ndarray) -> None:
    prices = pd.DataFrame(close)
    past = prices.pct_change(window_bars, fill_method=None).to_numpy()
    move = prices.diff(horizon_bars).shift(-horizon_bars).to_numpy()
    is_known = ((past > band_frac) | (past < np.negative(band_frac))) & ~np.isnan(move)
    goes_on = ((past > 0) & (move > 0)) | ((past < 0) & (move < 0))
    turns = ((past > 0) & (move < 0)) | ((past < 0) & (move > 0))
    found = continuation_labels(close, horizon_bars, window_bars, band_frac)
    assert found.dtype == np.int8
    np.testing.assert_array_equal(found, np.where(is_known, goes_on, -1))
    found = reversal_labels(close, horizon_bars, window_bars, band_frac)
    np.testing.assert_array_equal(found, np.where(is_known, turns, -1))


@given(
    seed=st.integers(0, 10_000),
    horizon_bars=st.integers(1, 70),
    window_bars=st.integers(1, 70),
    band_frac=st.sampled_from([0.0, 0.02]),
)
def test_walks_with_gaps_equal_pandas(
    make_market: Callable[..., FrameTensor], seed: int, horizon_bars: int, window_bars: int, band_frac: float
) -> None:
    check_against_pandas(make_market(seed).close, horizon_bars, window_bars, band_frac)


@pytest.mark.realdata
def test_real_prices_equal_pandas(real_market: FrameTensor) -> None:
    close = real_market.close
    check_against_pandas(close, 5, 20, volatility_band(close, 20, 0.5, 20))


def test_a_close_that_comes_back_neither_continues_nor_reverses() -> None:
    close = np.array([[10.0], [11.0], [12.0], [11.0], [11.0]])
    assert continuation_labels(close, 2, 1, 0.0)[:, 0].tolist() == [-1, 0, 0, -1, -1]
    assert reversal_labels(close, 2, 1, 0.0)[:, 0].tolist() == [-1, 0, 1, -1, -1]


@pytest.mark.parametrize("target", [continuation_labels, reversal_labels])
def test_values_that_break_a_rule_are_refused(target: Callable[..., np.ndarray]) -> None:
    close = np.ones((5, 1))
    with pytest.raises(ConfigurationError, match="horizon_bars must be positive, was 0"):
        target(close, 0, 1, 0.0)
    with pytest.raises(ConfigurationError, match="trend_window_bars must be positive, was 0"):
        target(close, 1, 0, 0.0)
    with pytest.raises(ConfigurationError, match=r"band_frac must not be negative, was -0\.5"):
        target(close, 1, 1, -0.5)
