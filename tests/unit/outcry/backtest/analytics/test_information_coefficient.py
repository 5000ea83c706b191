"""Ranks against ranks, frame by frame; pandas is the oracle."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from outcry.backtest.analytics.information_coefficient import information_coefficient


@given(seed=st.integers(0, 999), n_symbols=st.integers(2, 9), n_levels=st.integers(1, 6))
def test_mean_of_the_rank_correlations_of_frames(seed, n_symbols, n_levels):
    rng = np.random.default_rng(seed)
    forecast = rng.integers(n_levels, size=(12, n_symbols)).astype(np.float64)  # with ties
    forward = rng.normal(size=forecast.shape)
    forecast[rng.random(forecast.shape) < 0.2] = np.nan
    forward[rng.random(forecast.shape) < 0.2] = np.nan
    rows = []
    for said, came in zip(forecast, forward, strict=True):
        both = np.isfinite(said) & np.isfinite(came)
        one, other = pd.Series(said[both]).rank(), pd.Series(came[both]).rank()
        if one.nunique() > 1 and other.nunique() > 1:
            rows.append(one.corr(other))
    found = information_coefficient(forecast, forward)
    assert found is None if not rows else found == pytest.approx(np.mean(rows))


def test_order_alone_decides():
    forward = np.array([[0.01, 0.02, -0.5], [0.3, 0.1, 0.2]])
    assert information_coefficient(np.exp(5 * forward), forward) == pytest.approx(1.0)
    assert information_coefficient(-forward, forward) == pytest.approx(-1.0)
    assert information_coefficient(np.ones((2, 3)), forward) is None
