"""TA-Lib and pandas are the oracles of the shape columns, on real bars; the rest is worked by hand."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import talib

from outcry.features.config import FeatureSetConfig
from outcry.features.engine import FeatureEngine
from outcry.features.feature_set import build_feature_set
from outcry.market.frame import BAR_FIELDS, FloatArray, FrameTensor
from outcry.market.sessions import Sessions

BAR_NS = 3600 * 10**9
Oracle = Callable[[pd.DataFrame], "pd.Series[float]"]
Pairs = list[tuple[pd.DataFrame, pd.DataFrame]]
MakeMarket = Callable[..., FrameTensor]


def compute(frames: FrameTensor, sessions: Sessions, windows: dict[str, list[list[int]]] | None = None) -> Pairs:
    """Return of each symbol the bars that it has, without gaps, and the shape columns after each of them."""
    config = FeatureSetConfig.model_validate({"groups": ["shape"], "windows": windows or {}})
    features = build_feature_set(config, BAR_NS, [f"S{i}" for i in range(frames.n_symbols)])
    values = FeatureEngine(features, frames.n_symbols, sessions, 252.0).replay(frames)
    pairs = []
    for i in range(frames.n_symbols):
        has = frames.present[:, i]
        bars = pd.DataFrame({field: getattr(frames, field)[has, i] for field in BAR_FIELDS})
        pairs.append((bars, pd.DataFrame(values[has, i], columns=features.names)))
    return pairs


def part_of_range(part: Oracle) -> Oracle:
    return lambda b: (part(b) / (b.high - b.low)).where(b.high > b.low, 0.0)


def streak(way: int) -> Oracle:
    def count(b: pd.DataFrame) -> "pd.Series[float]":
        goes_on = np.sign(b.close.diff()) == way
        return goes_on.groupby((~goes_on).cumsum()).cumsum().astype(float)

    return count


def upper(b: pd.DataFrame, w: int) -> "pd.Series[float]":
    return talib.MAX(b.high, w)


def lower(b: pd.DataFrame, w: int) -> "pd.Series[float]":
    return talib.MIN(b.low, w)


def position(b: pd.DataFrame, w: int, lag: int) -> "pd.Series[float]":
    top, bottom = upper(b, w).shift(lag), lower(b, w).shift(lag)
    place = ((b.close - bottom) / (top - bottom)).where(top > bottom, 0.5)
    return place.where(top.notna()).clip(-1, 2)


def breakout(b: pd.DataFrame, w: int) -> "pd.Series[float]":
    top, bottom = upper(b, w).shift(), lower(b, w).shift()
    return ((b.close > top) * 1.0 - (b.close < bottom) * 1.0).where(top.notna())


WINDOWS = (20, 50)
ORACLES: dict[str, Oracle] = {
    "tech_bar_1_spread": lambda b: (b.high - b.low) / b.close,
    "tech_bar_1_body": lambda b: b.close / b.open - 1,
    "tech_bar_1_location": part_of_range(lambda b: 2 * b.close - b.high - b.low),
    "tech_bar_1_power": lambda b: talib.BOP(b.open, b.high, b.low, b.close),
    "tech_bar_1_upper_shadow": part_of_range(lambda b: b.high - b[["open", "close"]].max(axis=1)),
    "tech_bar_1_lower_shadow": part_of_range(lambda b: b[["open", "close"]].min(axis=1) - b.low),
    "tech_highs_10_count": lambda b: (b.high.diff() > 0).rolling(10).sum(),
    "tech_lows_10_count": lambda b: (b.low.diff() < 0).rolling(10).sum(),
    "tech_streak_up": streak(1),
    "tech_streak_down": streak(-1),
    **{f"tech_donchian_{w}_upper": lambda b, w=w: upper(b, w) for w in WINDOWS},
    **{f"tech_donchian_{w}_lower": lambda b, w=w: lower(b, w) for w in WINDOWS},
    **{f"tech_donchian_{w}_position": lambda b, w=w: position(b, w, 0) for w in WINDOWS},
    **{f"tech_resistance_{w}_distance": lambda b, w=w: upper(b, w) / b.close - 1 for w in WINDOWS},
    **{f"tech_support_{w}_distance": lambda b, w=w: 1 - lower(b, w) / b.close for w in WINDOWS},
    **{f"tech_channel_{w}_upper": lambda b, w=w: 1 - upper(b, w).shift() / b.close for w in WINDOWS},
    **{f"tech_channel_{w}_lower": lambda b, w=w: 1 - lower(b, w).shift() / b.close for w in WINDOWS},
    **{f"tech_channel_{w}_position": lambda b, w=w: position(b, w, 1) for w in WINDOWS},
    **{f"tech_channel_{w}_break": lambda b, w=w: breakout(b, w) for w in WINDOWS},
}


@pytest.fixture(scope="module", params=["daily", "intraday"])
def by_symbol(request: pytest.FixtureRequest) -> Pairs:
    return compute(request.getfixturevalue(request.param), request.getfixturevalue(f"{request.param}_sessions"))


@pytest.mark.realdata
@pytest.mark.parametrize("name", sorted(ORACLES))
def test_a_column_agrees_with_talib_or_pandas(name: str, by_symbol: Pairs) -> None:
    for bars, values in by_symbol:
        given, expected = values[name].to_numpy(), ORACLES[name](bars).to_numpy()
        has = ~np.isnan(expected) & ~np.isnan(given)
        assert has.sum() > 500
        np.testing.assert_allclose(given[has], expected[has], rtol=1e-9, atol=1e-12)


@pytest.mark.realdata
def test_every_shape_column_has_an_oracle(by_symbol: Pairs) -> None:
    assert set(by_symbol[0][1].columns) == set(ORACLES)


@pytest.fixture
def one_symbol(make_market: MakeMarket) -> FrameTensor:
    return make_market(0, 8, 1, absent_frac=0.0)


def with_prices(frames: FrameTensor, **prices: Sequence[float] | FloatArray) -> FrameTensor:
    return replace(frames, **{name: np.asarray(values, dtype=float).reshape(-1, 1) for name, values in prices.items()})


def test_an_extreme_that_leaves_the_window_is_forgotten(one_symbol: FrameTensor, around_the_clock: Sessions) -> None:
    high, low = [9, 12, 8, 7, 12, 6, 5, 5.5], [5, 4, 1, 3, 3, 2, 3, 4]
    frames = with_prices(one_symbol, high=high, low=low, open=low, close=low, vwap=low)
    ((_, values),) = compute(frames, around_the_clock, {"donchian": [[3]], "channel": [[3]]})
    np.testing.assert_array_equal(values["tech_donchian_3_upper"], [np.nan, np.nan, 12, 12, 12, 12, 12, 6])
    np.testing.assert_array_equal(values["tech_donchian_3_lower"], [np.nan, np.nan, 1, 1, 1, 2, 2, 2])
    # The channel of the bars before: 12 and 1, 12 and 1, 12 and 1, 12 and 2, 12 and 2.
    np.testing.assert_allclose(values["tech_channel_3_upper"][3:], 1 - 12 / np.array([3, 3, 2, 3, 4]))
    np.testing.assert_allclose(values["tech_channel_3_lower"][3:], 1 - np.array([1, 1, 1, 2, 2]) / [3, 3, 2, 3, 4])


def test_a_close_outside_the_channel_breaks_it(one_symbol: FrameTensor, around_the_clock: Sessions) -> None:
    price = [10, 11, 10, 12, 20, 10, 9, 10]
    frames = with_prices(one_symbol, high=price, low=price, open=price, close=price, vwap=price)
    ((_, values),) = compute(frames, around_the_clock, {"channel": [[3]]})
    np.testing.assert_array_equal(values["tech_channel_3_break"][3:], [1, 1, 0, -1, 0])
    np.testing.assert_allclose(values["tech_channel_3_position"][3:], [2, 2, 0, -0.1, 1 / 11])


def test_a_bar_whose_close_is_outside_its_range_keeps_the_columns_in_theirs(
    one_symbol: FrameTensor, around_the_clock: Sessions
) -> None:
    eight = np.ones(8)
    frames = with_prices(one_symbol, open=9 * eight, high=10 * eight, low=9.5 * eight, close=12 * eight)
    windows = {"donchian": [[5]], "channel": [[5]], "extremes": [[5]]}
    config = FeatureSetConfig.model_validate({"groups": ["shape"], "windows": windows})
    features = build_feature_set(config, BAR_NS, ("A",))
    row = FeatureEngine(features, 1, around_the_clock, 252.0).replay(frames)[-1, 0]
    for column, value in zip(features.columns, row, strict=True):
        assert column.low <= value <= column.high, column.name
