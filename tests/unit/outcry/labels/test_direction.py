"""Labels equal a loop over every bar, and the band equals pandas."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from outcry.errors import ConfigurationError
from outcry.labels.direction import UNDEFINED, direction_labels, up_labels, volatility_band
from outcry.market.frame import FrameTensor
from outcry.messages import Direction

CLOSES = hnp.arrays(
    np.float64,
    st.tuples(st.integers(1, 25), st.integers(1, 3)),
    elements=st.one_of(st.floats(1, 1000), st.just(100.0), st.just(np.nan)),
)


@given(close=CLOSES, horizon_bars=st.integers(1, 8), band_frac=st.sampled_from([0.0, 0.01, 0.5]))
def test_labels_equal_a_loop_over_every_bar(close: np.ndarray, horizon_bars: int, band_frac: float) -> None:
    found = direction_labels(close, horizon_bars, band_frac)
    assert found.dtype == np.int8
    assert found.shape == close.shape
    for t in range(close.shape[0]):
        for symbol in range(close.shape[1]):
            expected = UNDEFINED
            if t + horizon_bars < close.shape[0]:
                change = close[t + horizon_bars, symbol] / close[t, symbol] - 1.0
                if not np.isnan(change):
                    up, down = change > band_frac, change < -band_frac
                    expected = Direction.UP if up else Direction.DOWN if down else Direction.NEUTRAL
            assert found[t, symbol] == expected


def test_a_symbol_and_its_mirror_get_opposite_labels() -> None:
    close = np.array([[100.0, 100.0], [103.0, 97.0], [100.5, 99.5]])
    assert direction_labels(close, 1, 0.02)[0].tolist() == [Direction.UP, Direction.DOWN]
    assert direction_labels(close, 2, 0.02)[0].tolist() == [Direction.NEUTRAL, Direction.NEUTRAL]


def test_a_bar_whose_band_is_not_known_has_no_label() -> None:
    close = np.array([[100.0], [110.0], [120.0], [130.0]])
    band_frac = np.array([[np.nan], [0.01], [0.5], [0.01]])
    assert direction_labels(close, 1, band_frac)[:, 0].tolist() == [-1, Direction.UP, Direction.NEUTRAL, -1]


@given(seed=st.integers(0, 10_000), horizon_bars=st.integers(1, 70))
def test_up_is_one_where_the_later_close_is_higher(
    make_market: Callable[..., FrameTensor], seed: int, horizon_bars: int
) -> None:
    close = make_market(seed).close
    later = pd.DataFrame(close).shift(-horizon_bars).to_numpy()
    expected = np.where(np.isnan(close) | np.isnan(later), -1, later > close)
    found = up_labels(close, horizon_bars)
    assert found.dtype == np.int8
    np.testing.assert_array_equal(found, expected)


@settings(deadline=None)  # the first call compiles
@given(seed=st.integers(0, 1000), window_bars=st.integers(2, 12))
def test_band_is_the_rolling_deviation_that_pandas_gives(seed: int, window_bars: int) -> None:
    rng = np.random.default_rng(seed)
    close = 100 * np.exp(np.cumsum(0.02 * rng.normal(size=(60, 2)), axis=0))
    close[rng.random(close.shape) < 0.1] = np.nan
    returns = pd.DataFrame(close).pct_change(fill_method=None)
    least = max(2, -(-window_bars // 2))
    expected = returns.rolling(window_bars, min_periods=least).std().to_numpy() * 0.5 * 2.0
    expected[:window_bars] = np.nan
    # pandas updates running sums, so its own error is absolute: 1e-12 against deviations of about 0.02
    np.testing.assert_allclose(volatility_band(close, 4, 0.5, window_bars), expected, rtol=1e-9, atol=1e-12)


def test_band_does_not_know_the_future() -> None:
    close = 100 * np.exp(np.cumsum(0.02 * np.random.default_rng(1).normal(size=(50, 2)), axis=0))
    whole = volatility_band(close, 5, 0.5, 10)
    for stop in (11, 23, 49):
        assert volatility_band(close[:stop], 5, 0.5, 10).tobytes() == whole[:stop].tobytes()


def test_values_that_break_a_rule_are_refused() -> None:
    close = np.ones((5, 1))
    with pytest.raises(ConfigurationError, match="horizon_bars must be positive, was 0"):
        direction_labels(close, 0, 0.01)
    with pytest.raises(ConfigurationError, match=r"band_frac must not be negative, was -0\.1"):
        direction_labels(close, 1, -0.1)
    with pytest.raises(ConfigurationError, match="window_bars must be at least 2, was 1"):
        volatility_band(close, 1, 0.5, 1)
    with pytest.raises(ConfigurationError, match=r"multiple must not be negative, was -0\.5"):
        volatility_band(close, 1, -0.5, 5)
