"""TA-Lib and pandas are the oracles of the trend columns, on real bars; the rest is worked by hand."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import talib

from outcry.features.config import FeatureSetConfig
from outcry.features.engine import FeatureEngine
from outcry.features.feature_set import build_feature_set
from outcry.market.frame import BAR_FIELDS, FrameTensor
from outcry.market.sessions import Sessions

MINUTE_NS = 60_000_000_000
BAR_NS = {"daily": 1440 * MINUTE_NS, "intraday": 5 * MINUTE_NS}
AVERAGE_BARS = (5, 10, 20, 50, 100, 200)

Oracle = Callable[[pd.DataFrame], "pd.Series[float]"]
Pairs = list[tuple[pd.DataFrame, pd.DataFrame]]
MakeMarket = Callable[..., FrameTensor]


def compute(
    frames: FrameTensor, sessions: Sessions, bar_ns: int, windows: dict[str, list[list[int]]] | None = None
) -> Pairs:
    """Return of each symbol the bars that it has, without gaps, and the trend columns after each of them."""
    config = FeatureSetConfig(groups=("trend",), windows=windows or {})
    features = build_feature_set(config, bar_ns, [f"S{i}" for i in range(frames.n_symbols)])
    values = FeatureEngine(features, frames.n_symbols, sessions, 252.0).replay(frames)
    pairs = []
    for i in range(frames.n_symbols):
        has = frames.present[:, i]
        bars = pd.DataFrame({field: getattr(frames, field)[has, i] for field in BAR_FIELDS})
        pairs.append((bars, pd.DataFrame(values[has, i], columns=features.names)))
    return pairs


def of(function: Callable[..., "pd.Series[float]"], *fields: str, args: tuple[float, ...] = ()) -> Oracle:
    return lambda b: function(*(b[field] for field in fields), *args)


def close(function: Callable[..., "pd.Series[float]"], *args: float) -> Oracle:
    return of(function, "close", args=args)


def hlc(function: Callable[..., "pd.Series[float]"], *args: float) -> Oracle:
    return of(function, "high", "low", "close", args=args)


def over_average(line: Oracle) -> Oracle:
    return lambda b: b.close / line(b) - 1


def over_close(line: Oracle) -> Oracle:
    return lambda b: 1 - line(b) / b.close


def middle(b: pd.DataFrame, window: int) -> "pd.Series[float]":
    return talib.MIDPRICE(b.high, b.low, window)


AVERAGES: dict[str, Oracle] = {
    **{f"tech_{n}_{w}": close(getattr(talib, n.upper()), w) for n in ("sma", "ema", "wma") for w in AVERAGE_BARS},
    **{f"tech_ema_{w}": close(talib.EMA, w) for w in (12, 26)},
    **{f"tech_kama_{w}": close(talib.KAMA, w) for w in (10, 20, 50)},
}
LINES: dict[str, Oracle] = {
    **{f"tech_{n}_{w}": close(getattr(talib, n.upper()), w) for n in ("dema", "tema") for w in AVERAGE_BARS},
}
ICHIMOKU: dict[str, Oracle] = {
    "conversion": lambda b: middle(b, 9),
    "base": lambda b: middle(b, 26),
    "span_a": lambda b: (0.5 * (middle(b, 9) + middle(b, 26))).shift(26),
    "span_b": lambda b: middle(b, 52).shift(26),
}
CHANDELIER: dict[str, Oracle] = {
    "long": lambda b: talib.MAX(b.high, 22) - 3 * talib.ATR(b.high, b.low, b.close, 22),
    "short": lambda b: talib.MIN(b.low, 22) + 3 * talib.ATR(b.high, b.low, b.close, 22),
}


def side_of_stop(b: pd.DataFrame) -> "pd.Series[float]":
    """A stop is beyond the bar, or at its far end where it turned."""
    return np.sign(0.5 * (b.high + b.low) - talib.SAR(b.high, b.low, 0.02, 0.2))


def turn_of_stop(b: pd.DataFrame) -> "pd.Series[float]":
    return (side_of_stop(b).diff().abs() / 2).where(side_of_stop(b).shift().notna())


def age_of_stop(b: pd.DataFrame) -> "pd.Series[float]":
    turns = turn_of_stop(b).fillna(0.0).cumsum()
    return turns.groupby(turns).cumcount().where(turns > 0).astype(float)


TALIB: dict[str, Oracle] = {
    **{f"{name}_raw": line for name, line in (AVERAGES | LINES).items()},
    **{f"{name}_distance": over_average(line) for name, line in AVERAGES.items()},
    **{f"{name}_distance": over_close(line) for name, line in LINES.items()},
    **{f"stat_linreg_{w}_slope": lambda b, w=w: talib.LINEARREG_SLOPE(b.close, w) / b.close for w in (20, 60)},
    **{f"tech_ichimoku_9_26_52_{part}": line for part, line in ICHIMOKU.items()},
    **{f"tech_ichimoku_9_26_52_{part}_distance": over_close(line) for part, line in ICHIMOKU.items()},
    "tech_ichimoku_9_26_52_lagging": close(talib.ROCP, 26),
    **{f"tech_chandelier_22_{part}": line for part, line in CHANDELIER.items()},
    **{f"tech_chandelier_22_{part}_distance": over_close(line) for part, line in CHANDELIER.items()},
    "tech_adx_14_raw": hlc(talib.ADX, 14),
    "tech_di_14_plus": hlc(talib.PLUS_DI, 14),
    "tech_di_14_minus": hlc(talib.MINUS_DI, 14),
    "tech_aroon_25_up": lambda b: talib.AROON(b.high, b.low, 25)[1],
    "tech_aroon_25_down": lambda b: talib.AROON(b.high, b.low, 25)[0],
    "tech_aroon_25_oscillator": of(talib.AROONOSC, "high", "low", args=(25,)),
    "tech_psar_raw": of(talib.SAR, "high", "low", args=(0.02, 0.2)),
    "tech_psar_direction": side_of_stop,
    "tech_psar_distance": over_close(of(talib.SAR, "high", "low", args=(0.02, 0.2))),
    "tech_psar_flip": turn_of_stop,
    "tech_psar_flip_age": age_of_stop,
}


def weighted(x: "pd.Series[float]", w: int) -> "pd.Series[float]":
    weights = np.arange(1, w + 1) / (0.5 * w * (w + 1))
    return x.rolling(w).apply(lambda window: window @ weights, raw=True)


def hull(w: int) -> Oracle:
    return lambda b: weighted(2 * weighted(b.close, w // 2) - weighted(b.close, w), int(np.sqrt(w)))


def by_volume(w: int) -> Oracle:
    def average(b: pd.DataFrame) -> "pd.Series[float]":
        traded = b.volume.rolling(w).apply(np.sum, raw=True)
        value = (b.close * b.volume).rolling(w).apply(np.sum, raw=True)
        return (value / traded).where(traded > 0, b.close.rolling(w).mean())

    return average


def efficiency(w: int) -> Oracle:
    return lambda b: b.close.diff(w).abs() / b.close.diff().abs().rolling(w).apply(np.sum, raw=True)


def r2(w: int) -> Oracle:
    return lambda b: b.close.rolling(w).apply(lambda x: np.corrcoef(x, np.arange(w))[0, 1] ** 2, raw=True)


PANDAS: dict[str, Oracle] = {
    **{f"tech_vwma_{w}_raw": by_volume(w) for w in AVERAGE_BARS},
    **{f"tech_vwma_{w}_distance": over_average(by_volume(w)) for w in AVERAGE_BARS},
    **{f"tech_hma_{w}_raw": hull(w) for w in AVERAGE_BARS},
    **{f"tech_hma_{w}_distance": over_close(hull(w)) for w in AVERAGE_BARS},
    **{f"tech_efficiency_{w}_ratio": efficiency(w) for w in (10, 20, 50)},
    **{f"stat_linreg_{w}_r2": r2(w) for w in (20, 60)},
}


def super_trend(b: pd.DataFrame, window: int, multiple: float) -> pd.DataFrame:
    """Follow the lines of ta.supertrend (TradingView, Pine Script reference), bar by bar."""
    high, low, close = b.high.to_numpy(), b.low.to_numpy(), b.close.to_numpy()
    reach = multiple * talib.ATR(high, low, close, window)
    rows = []
    upper = lower = line = direction = np.nan
    for t in range(len(b)):
        basic_upper = (high[t] + low[t]) / 2 + reach[t]
        basic_lower = (high[t] + low[t]) / 2 - reach[t]
        last_upper, last_lower, last_line = upper, lower, line
        if np.isnan(reach[t]):
            rows.append((np.nan, np.nan))
            continue
        upper, lower = basic_upper, basic_lower
        if not np.isnan(last_upper):
            lower = basic_lower if basic_lower > last_lower or close[t - 1] < last_lower else last_lower
            upper = basic_upper if basic_upper < last_upper or close[t - 1] > last_upper else last_upper
        if np.isnan(last_line) or last_line == last_upper:
            direction = 1.0 if close[t] > upper else -1.0
        else:
            direction = -1.0 if close[t] < lower else 1.0
        line = lower if direction > 0 else upper
        rows.append((line, direction))
    return pd.DataFrame(rows, columns=["line", "direction"])


SUPERTREND: dict[str, Oracle] = {
    "tech_supertrend_10_raw": lambda b: super_trend(b, 10, 3.0).line,
    "tech_supertrend_10_direction": lambda b: super_trend(b, 10, 3.0).direction,
    "tech_supertrend_10_distance": over_close(lambda b: super_trend(b, 10, 3.0).line),
}
ORACLES = TALIB | PANDAS | SUPERTREND


@pytest.fixture(scope="module", params=["daily", "intraday"])
def by_symbol(request: pytest.FixtureRequest) -> Pairs:
    frames: FrameTensor = request.getfixturevalue(request.param)
    sessions: Sessions = request.getfixturevalue(f"{request.param}_sessions")
    return compute(frames.select(np.arange(4)), sessions, BAR_NS[request.param])


@pytest.mark.realdata
@pytest.mark.parametrize("name", sorted(ORACLES))
def test_a_column_agrees_with_its_oracle_at_every_bar(name: str, by_symbol: Pairs) -> None:
    for bars, values in by_symbol:
        expected = ORACLES[name](bars)
        has = expected.notna()
        assert has.sum() > 500
        # A distance is 0 where the close crosses the line: digits are those of the typical size.
        scale = float(expected[has].abs().median())
        np.testing.assert_allclose(values.loc[has, name], expected[has], rtol=1e-9, atol=1e-9 * scale)


@pytest.mark.realdata
def test_every_column_has_an_oracle(by_symbol: Pairs) -> None:
    _, values = by_symbol[0]
    assert set(ORACLES) == set(values.columns)


@pytest.fixture
def still(make_market: MakeMarket) -> FrameTensor:
    """Bars of one price, without volume."""
    market = make_market(3, 700, 1, absent_frac=0.0)
    price = np.full(market.present.shape, 12.34)
    return replace(market, open=price, high=price, low=price, close=price, vwap=price, volume=0.0 * price)


def test_where_nothing_moves_averages_are_the_price_and_strength_is_zero(
    still: FrameTensor, around_the_clock: Sessions
) -> None:
    _, values = compute(still, around_the_clock, 60 * MINUTE_NS)[0]
    last = values.iloc[-1]
    for kind in ("sma", "ema", "wma", "dema", "tema", "vwma", "hma"):
        for w in AVERAGE_BARS:
            assert last[f"tech_{kind}_{w}_raw"] == pytest.approx(12.34, rel=1e-12)
    for name in ("adx_14_raw", "di_14_plus", "di_14_minus", "efficiency_10_ratio", "kama_10_distance"):
        assert last[f"tech_{name}"] == 0.0
    assert last["stat_linreg_60_slope"] == last["stat_linreg_60_r2"] == 0.0
    assert last["tech_aroon_25_up"] == last["tech_aroon_25_down"] == 100.0


def test_a_long_volume_average_forgets_the_huge_volumes_that_left_its_window(
    make_market: MakeMarket, around_the_clock: Sessions
) -> None:
    market = make_market(4, 700, 1, absent_frac=0.0)
    volume = market.volume.copy()
    volume[:250] = 1e15 / 3
    volume[250:500] = 0.0
    volume[600:, 0] = 1e-3 / np.arange(1, 101)
    bars, values = compute(replace(market, volume=volume), around_the_clock, 60 * MINUTE_NS)[0]
    for w in (100, 200):
        expected = by_volume(w)(bars)
        np.testing.assert_allclose(values[f"tech_vwma_{w}_raw"], expected, rtol=1e-12)


def test_an_extreme_is_found_again_where_the_last_one_leaves_the_window_and_ties_count_from_the_latest(
    make_market: MakeMarket, around_the_clock: Sessions
) -> None:
    for seed in range(5):
        market = make_market(seed, 900, 1, absent_frac=0.0)
        bars, values = compute(market, around_the_clock, 60 * MINUTE_NS, {"aroon": [[3], [7]]})[0]
        for w in (3, 7):
            down, up = talib.AROON(bars.high, bars.low, w)
            np.testing.assert_allclose(values[f"tech_aroon_{w}_up"], up, rtol=1e-15)
            np.testing.assert_allclose(values[f"tech_aroon_{w}_down"], down, rtol=1e-15)


def test_the_cloud_of_a_bar_was_computed_a_base_window_before_it(
    make_market: MakeMarket, around_the_clock: Sessions
) -> None:
    _, values = compute(make_market(5, 300, 1, absent_frac=0.0), around_the_clock, 60 * MINUTE_NS)[0]
    name = "tech_ichimoku_9_26_52"
    before = (0.5 * (values[f"{name}_conversion"] + values[f"{name}_base"])).shift(26)
    pd.testing.assert_series_equal(values[f"{name}_span_a"], before, check_names=False)


def test_super_trend_rises_with_the_lower_band_and_turns_where_the_close_leaves_it(
    make_market: MakeMarket, around_the_clock: Sessions
) -> None:
    """Every bar spans 2, opens and closes at its middle: with windows of 1 and a factor of 1 the reach is its range."""
    middles = np.array([10.0, 10.0, 13.0, 14.0, 13.5, 10.0, 11.0])
    market = make_market(6, len(middles), 1, absent_frac=0.0)
    price = middles[:, np.newaxis]
    bars = replace(market, open=price, high=price + 1, low=price - 1, close=price, vwap=price)
    _, values = compute(bars, around_the_clock, 60 * MINUTE_NS, {"supertrend": [[1, 1]]})[0]
    # true range:   2     4     2     2      4.5    2
    # upper:        12    12    16    15.5   14.5   13   (16 is 14 + 2: the close before was above 12)
    # lower:        8     9     12    12     12     9    (8 to 9 to 12 as it rises; 9 as the close before was below 12)
    expected = [np.nan, 12.0, 9.0, 12.0, 12.0, 14.5, 13.0]
    np.testing.assert_allclose(values["tech_supertrend_1_raw"], expected)
    np.testing.assert_array_equal(values["tech_supertrend_1_direction"], [np.nan, -1, 1, 1, 1, -1, -1])


def test_the_stop_counts_bars_from_its_turn(make_market: MakeMarket, around_the_clock: Sessions) -> None:
    price = np.array([10.0, 11.0, 12.0, 13.0, 9.0, 8.0, 7.0, 16.0])[:, np.newaxis]
    market = make_market(7, len(price), 1, absent_frac=0.0)
    bars = replace(market, open=price, high=price + 0.5, low=price - 0.5, close=price, vwap=price)
    _, values = compute(bars, around_the_clock, 60 * MINUTE_NS)[0]
    np.testing.assert_array_equal(values["tech_psar_direction"], [np.nan, 1, 1, 1, -1, -1, -1, 1])
    np.testing.assert_array_equal(values["tech_psar_flip"], [np.nan, 0, 0, 0, 1, 0, 0, 1])
    np.testing.assert_array_equal(values["tech_psar_flip_age"], [np.nan, 0, 1, 2, 0, 1, 2, 0])


def test_other_windows_are_other_columns_of_the_same_code(make_market: MakeMarket, around_the_clock: Sessions) -> None:
    windows = {"wma": [[1], [61], [130]], "hma": [[1], [3], [125], [251]], "kama": [[7, 3, 40]], "psar": [[3, 9]]}
    bars, values = compute(make_market(8, 900, 1, absent_frac=0.0), around_the_clock, 60 * MINUTE_NS, windows)[0]
    for w in (61, 130):
        np.testing.assert_allclose(values[f"tech_wma_{w}_raw"], weighted(bars.close, w), rtol=1e-12)
    for w in (3, 125, 251):
        np.testing.assert_allclose(values[f"tech_hma_{w}_raw"], hull(w)(bars), rtol=1e-12)
    np.testing.assert_array_equal(values["tech_wma_1_raw"], bars.close)
    np.testing.assert_allclose(values["tech_hma_1_raw"], bars.close, rtol=1e-15)
    np.testing.assert_allclose(values["tech_psar_raw"], talib.SAR(bars.high, bars.low, 0.03, 0.09), rtol=1e-12)
