"""The band of average true ranges equals TA-Lib and pandas, and a large move is one that leaves it."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
import talib
from hypothesis import given
from hypothesis import strategies as st

from outcry.errors import ConfigurationError
from outcry.labels.direction import direction_labels
from outcry.labels.large_move import atr_band, event_labels
from outcry.market.frame import FrameTensor
from outcry.messages import Direction


@given(seed=st.integers(0, 10_000), window_bars=st.integers(1, 20), absent_frac=st.sampled_from([0.0, 0.15, 0.5]))
def test_band_equals_the_rolling_mean_of_pandas(
    make_market: Callable[..., FrameTensor], seed: int, window_bars: int, absent_frac: float
) -> None:
    market = make_market(seed, 60, 2, absent_frac)
    before = pd.DataFrame(market.close).shift()
    high, low = pd.DataFrame(market.high), pd.DataFrame(market.low)
    true_range = np.maximum.reduce([high - low, (high - before).abs(), (low - before).abs()])
    least = max(1, -(-window_bars // 2))
    mean = pd.DataFrame(true_range).rolling(window_bars, min_periods=least).mean()
    mean[:window_bars] = np.nan
    found = atr_band(market.high, market.low, market.close, 1.5, window_bars)
    # pandas updates running sums: an absolute error of 1e-13 or so against bands of about 0.02
    np.testing.assert_allclose(found, 1.5 * mean / market.close, rtol=1e-9, atol=1e-12)


@pytest.mark.realdata
def test_band_of_real_prices_equals_ta_lib(daily: FrameTensor) -> None:
    found = atr_band(daily.high, daily.low, daily.close, 2.0, 14)
    n_checked = 0
    for symbol in np.flatnonzero(daily.present.all(axis=0) & ~np.isnan(daily.high + daily.low).any(axis=0)):
        high, low, close = (np.ascontiguousarray(x[:, symbol]) for x in (daily.high, daily.low, daily.close))
        mean = talib.SMA(talib.TRANGE(high, low, close)[1:], 14)
        # TA-Lib keeps a running sum over the whole series
        np.testing.assert_allclose(found[1:, symbol], 2.0 * mean / close[1:], rtol=1e-9)
        n_checked += 1
    assert n_checked >= 5


@pytest.mark.realdata
def test_a_large_move_is_one_of_more_than_so_many_average_true_ranges(real_market: FrameTensor) -> None:
    high, low, close = real_market.high, real_market.low, real_market.close
    labels = direction_labels(close, 5, atr_band(high, low, close, 1.0, 14))
    move = pd.DataFrame(close).diff(5).shift(-5).to_numpy()
    atr = atr_band(high, low, close, 1.0, 14) * close
    is_known = labels >= 0
    excess = (np.abs(move) / atr - 1.0)[is_known]
    is_clear = np.abs(excess) > 1e-9  # a move of exactly one average true range may round to either side
    assert is_clear.mean() > 0.99
    events = event_labels(labels)
    assert ((events[is_known] == 1) == (excess > 0.0))[is_clear].all()
    assert (np.sign(move[labels == Direction.UP]) == 1).all()
    assert (np.sign(move[labels == Direction.DOWN]) == -1).all()
    assert ((events == -1) == ~is_known).all()
    assert 0.1 < events[is_known].mean() < 0.9


def test_where_nothing_moved_any_move_is_large() -> None:
    close = np.array([[10.0], [10.0], [10.0], [10.0], [10.1], [10.1]])
    labels = direction_labels(close, 1, atr_band(close, close, close, 1.0, 2))
    assert labels[:, 0].tolist() == [-1, -1, Direction.NEUTRAL, Direction.UP, Direction.NEUTRAL, -1]
    assert event_labels(labels)[:, 0].tolist() == [-1, -1, 0, 1, 0, -1]


def test_values_that_break_a_rule_are_refused() -> None:
    x = np.ones((5, 1))
    with pytest.raises(ConfigurationError, match="window_bars must be positive, was 0"):
        atr_band(x, x, x, 1.0, 0)
    with pytest.raises(ConfigurationError, match=r"multiple must not be negative, was -1\.0"):
        atr_band(x, x, x, -1.0, 5)
