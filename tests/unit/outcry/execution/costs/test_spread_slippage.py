from pathlib import Path

import numba
import numpy as np
import pandas as pd
import polars as pl
import pytest

from outcry.execution.kernels.past import half_spread

T, WINDOW = 60, 20
MODEL = {"slippage": "spread", "window_bars": WINDOW, "slippage_bps": 1.0, "max_slippage_bps": 400.0}


@numba.njit
def _half_spread(bars, t, i, window):
    return half_spread(bars, t, i, window)


def corwin_schultz(high: pd.Series, low: pd.Series) -> pd.Series:
    """Return the spread estimated from each bar and the one before it, a fraction of the price."""
    squared_range = np.log(high / low) ** 2
    beta = squared_range + squared_range.shift(1)
    gamma = np.log(high.rolling(2).max() / low.rolling(2).min()) ** 2
    divisor = 3 - 2 * np.sqrt(2)
    alpha = (np.sqrt(2 * beta) - np.sqrt(beta)) / divisor - np.sqrt(gamma / divisor)
    return (2 * (np.exp(alpha) - 1) / (1 + np.exp(alpha))).clip(lower=0)


def estimate(past, t):
    """Return half of the mean estimate over the window before row t, without the missing bars in it."""
    rows = slice(t - WINDOW - 1, t)
    high, low = (pd.Series(past.bars[column][rows, 0]).dropna() for column in (1, 2))
    return corwin_schultz(high, low).mean() / 2


@pytest.mark.parametrize("sign", [1, -1], ids=["buy", "sell"])
def test_half_of_the_spread_quoted_before_the_bar_is_paid(past, rounded, reference, sign):
    quoted = past.quoted(0.0030, T - 1).quoted(0.02, T)
    assert quoted.price(T, sign=sign, **MODEL) == rounded(reference * (1 + sign * 0.0015), sign)


@pytest.mark.parametrize(("spread", "frac"), [(0.00001, 0.0001), (-0.01, 0.0001), (0.2, 0.04)])
def test_the_base_is_the_least_and_the_most_the_most(past, rounded, reference, spread, frac):
    assert past.quoted(spread, T - 1).price(T, **MODEL) == rounded(reference * (1 + frac), 1)


@pytest.mark.parametrize("sign", [1, -1], ids=["buy", "sell"])
@pytest.mark.parametrize("t", [30, 60, 119])
def test_without_a_quote_the_estimate_from_ranges_is_paid(past, rounded, reference, t, sign):
    frac = estimate(past, t)
    assert 0.0001 < frac < 0.04
    assert past.price(t, sign=sign, **MODEL) == rounded(reference * (1 + sign * frac), sign)


@pytest.mark.parametrize("t", [0, 1])
def test_without_two_bars_the_base_is_paid(past, rounded, reference, t):
    assert past.price(t, **MODEL) == rounded(reference * 1.0001, 1)


def test_missing_bars_are_left_out_of_the_estimate(past, rounded, reference):
    gaps = past.without(T - 1, T - 7, T - 8)
    assert estimate(gaps, T) != pytest.approx(estimate(past, T))
    assert gaps.price(T, **MODEL) == rounded(reference * (1 + estimate(gaps, T)), 1)


def test_the_window_ends_before_the_bar_and_begins_with_the_bar_before_it(past):
    price = past.price(T, **MODEL)
    assert past.spoiled_from(T).price(T, **MODEL) == price
    assert past.without(*range(T - WINDOW - 1)).price(T, **MODEL) == price
    assert past.without(T - WINDOW - 1).price(T, **MODEL) != price


@pytest.mark.realdata
def test_the_estimate_on_real_daily_bars_is_that_of_a_plain_computation(market_data_dir: Path):
    rows = pl.read_parquet(market_data_dir / "sp500_daily_2013_2018.parquet").drop_nulls()
    symbols = ["AAPL", "GE", "XOM", "NVDA", "T"]
    tables = {
        name: rows.filter(pl.col("symbol").is_in(symbols)).pivot(on="symbol", index="ts", values=name).sort("ts")
        for name in ("open", "high", "low", "close", "volume")
    }
    columns = [np.ascontiguousarray(table.select(symbols).to_numpy().astype(float)) for table in tables.values()]
    bars = (*columns, np.full_like(columns[0], np.nan), *[np.empty((0, len(symbols)))] * 3)
    for i in range(len(symbols)):
        high, low = (pd.Series(columns[c][:, i]) for c in (1, 2))
        assert not high.isna().any()
        expected = (corwin_schultz(high, low).rolling(WINDOW).mean() / 2).shift(1).to_numpy()
        found = [_half_spread(bars, t, i, WINDOW) for t in range(len(high))]
        np.testing.assert_allclose(found[WINDOW + 1 :], expected[WINDOW + 1 :], rtol=1e-9)
        assert 0.0002 < np.median(found) < 0.01
