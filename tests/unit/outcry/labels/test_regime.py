"""The path decides whether a move was a trend."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from outcry.errors import ConfigurationError
from outcry.labels.direction import direction_labels
from outcry.labels.regime import forward_efficiency, regime_labels
from outcry.market.frame import FrameTensor
from outcry.messages import Direction


def expected_efficiency(close: np.ndarray, horizon_bars: int) -> np.ndarray:
    """Return the efficiency from the known closes of each window, picked by NumPy."""
    out = np.full(close.shape, np.nan)
    for t, symbol in np.ndindex(len(close) - horizon_bars, close.shape[1]):
        window = close[t : t + horizon_bars + 1, symbol]
        if np.isnan(window[0] + window[-1]) or np.isfinite(window[1:]).sum() < horizon_bars / 2:
            continue
        length = np.abs(np.diff(window[np.isfinite(window)])).sum()
        out[t, symbol] = abs(window[-1] - window[0]) / length if length else 0.0
    return out


@given(seed=st.integers(0, 10_000), horizon_bars=st.integers(1, 30), absent_frac=st.sampled_from([0.0, 0.15, 0.5]))
def test_efficiency_of_walks_with_gaps_equals_numpy(
    make_market: Callable[..., FrameTensor], seed: int, horizon_bars: int, absent_frac: float
) -> None:
    close = make_market(seed, 50, 2, absent_frac).close
    found = forward_efficiency(close, horizon_bars)
    np.testing.assert_allclose(found, expected_efficiency(close, horizon_bars), rtol=1e-9)
    known = found[~np.isnan(found)]
    assert ((known >= 0.0) & (known <= 1.0)).all()


@pytest.mark.realdata
def test_efficiency_of_real_prices_equals_pandas(daily: FrameTensor) -> None:
    prices = pd.DataFrame(daily.close)
    expected = prices.diff(10).abs() / prices.diff().abs().rolling(10).sum()
    is_whole = expected.notna().to_numpy()
    found = np.vstack([np.full((10, daily.n_symbols), np.nan), forward_efficiency(daily.close, 10)[:-10]])
    np.testing.assert_allclose(found[is_whole], expected.to_numpy()[is_whole], rtol=1e-9)
    assert is_whole.mean() > 0.9


@pytest.mark.realdata
def test_a_regime_is_a_direction_reached_on_a_straight_path(real_market: FrameTensor) -> None:
    close = real_market.close
    found = regime_labels(close, 12, 0.002, 0.3)
    direction, efficiency = direction_labels(close, 12, 0.002), forward_efficiency(close, 12)
    is_known = (direction >= 0) & ~np.isnan(efficiency)
    expected = np.where(efficiency >= 0.3, direction, Direction.NEUTRAL)
    np.testing.assert_array_equal(found, np.where(is_known, expected, -1))
    assert (np.bincount(found[is_known], minlength=3) > 0.05 * is_known.sum()).all()


def test_the_same_move_is_a_bull_market_when_straight_and_neutral_when_it_swings() -> None:
    straight = np.array([100.0, 101.0, 102.0, 103.0, 104.0])
    swinging = np.array([100.0, 110.0, 95.0, 112.0, 104.0])
    close = np.column_stack([straight, swinging, straight[::-1]])
    labels = regime_labels(close, 4, 0.01, 0.5)[0]
    assert labels.tolist() == [Direction.UP, Direction.NEUTRAL, Direction.DOWN]


def test_a_flat_horizon_is_neutral() -> None:
    close = np.full((4, 1), 10.0)
    assert forward_efficiency(close, 2)[:2, 0].tolist() == [0.0, 0.0]
    assert regime_labels(close, 2, 0.0, 0.0)[:, 0].tolist() == [Direction.NEUTRAL, Direction.NEUTRAL, -1, -1]


def test_values_that_break_a_rule_are_refused() -> None:
    close = np.ones((5, 1))
    with pytest.raises(ConfigurationError, match="horizon_bars must be positive, was 0"):
        forward_efficiency(close, 0)
    with pytest.raises(ConfigurationError, match=r"min_efficiency_frac must be in \[0, 1\], was 1\.5"):
        regime_labels(close, 1, 0.0, 1.5)
