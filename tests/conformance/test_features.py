"""Every column, found in the catalogue, is held to the same checks."""

import numpy as np
import pytest
from bokeh_sampledata import stocks  # real daily bars, carried by a wheel

from outcry.features.catalogue import CATALOGUE, FEATURE_NAMES
from outcry.features.column import Column
from outcry.features.engine import FeatureEngine
from outcry.market.frame import FloatArray, FrameTensor
from outcry.market.sessions import Sessions

DAY_NS = 86_400 * 10**9
NAMES = ("AAPL", "GOOG", "IBM", "MSFT")


@pytest.fixture(scope="module")
def frames() -> FrameTensor:
    """The 2,000 latest daily bars of four stocks; the second joins 700 bars late and misses one bar in five."""
    columns = {
        field: np.array([getattr(stocks, name)[field][-2000:] for name in NAMES], dtype=float).T
        for field in ("open", "high", "low", "close", "volume")
    }
    high = np.maximum(columns["high"], np.maximum(columns["open"], columns["close"]))  # two bars are contradictory
    low = np.minimum(columns["low"], np.minimum(columns["open"], columns["close"]))
    columns |= {"high": high, "low": low, "vwap": (high + low + columns["close"]) / 3}
    present = np.ones((2000, len(NAMES)), dtype=bool)
    present[:700, 1] = False
    present[700::5, 1] = False
    ts_close_ns = np.array(stocks.AAPL["date"][-2000:], dtype="datetime64[ns]").astype(np.int64) + 21 * 3600 * 10**9
    return FrameTensor(first_seq=0, ts_close_ns=ts_close_ns, present=present, **columns)


@pytest.fixture(scope="module")
def by_symbol(frames: FrameTensor) -> list[FloatArray]:
    """The values after each bar that a symbol has, float64 (n_bars, n_features)."""
    close = frames.ts_close_ns
    midnight = close - 16 * 3600 * 10**9
    sessions = Sessions(close - 390 * 60 * 10**9, close, midnight, (midnight // DAY_NS + 3) % 7)
    values = FeatureEngine(frames.n_symbols, sessions, 252.0).replay(frames)
    return [values[frames.present[:, i], i] for i in range(frames.n_symbols)]


@pytest.mark.parametrize("column", CATALOGUE, ids=FEATURE_NAMES)
def test_a_column_is_nan_up_to_its_warm_up_and_finite_from_there(column: Column, by_symbol: list[FloatArray]) -> None:
    for values in by_symbol:
        series = values[:, FEATURE_NAMES.index(column.name)]
        first = max(column.warmup_bars, column.warmup_sessions) - 1  # a bar is a session
        assert np.isnan(series[:first]).all()
        assert np.isfinite(series[first:]).all()


@pytest.mark.parametrize("column", CATALOGUE, ids=FEATURE_NAMES)
def test_a_column_stays_in_its_range(column: Column, by_symbol: list[FloatArray]) -> None:
    for values in by_symbol:
        series = values[:, FEATURE_NAMES.index(column.name)]
        assert np.nanmin(series) >= column.low
        assert np.nanmax(series) <= column.high


@pytest.mark.parametrize("column", CATALOGUE, ids=FEATURE_NAMES)
def test_a_column_looks_no_further_back_than_its_window(
    column: Column, frames: FrameTensor, by_symbol: list[FloatArray]
) -> None:
    if column.window_bars == 0:  # the whole past
        return
    start = 1000
    close = frames.ts_close_ns
    midnight = close - 16 * 3600 * 10**9
    sessions = Sessions(close - 390 * 60 * 10**9, close, midnight, (midnight // DAY_NS + 3) % 7)
    late = FeatureEngine(1, sessions, 252.0).replay(
        frames.select(np.array([0])).rows(start, start + column.window_bars, first_seq=0)
    )
    position = FEATURE_NAMES.index(column.name)
    expected = by_symbol[0][start + column.window_bars - 1, position]
    # The long averages are running sums that were begun elsewhere.
    np.testing.assert_allclose(late[-1, 0, position], expected, rtol=1e-10, atol=1e-12)
