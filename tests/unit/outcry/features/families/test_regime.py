"""Regimes: TA-Lib and pandas compute the facts, `outcry.features.regimes` names them."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
import talib

from outcry.features.config import FeatureSetConfig
from outcry.features.engine import FeatureEngine
from outcry.features.feature_set import FeatureSet, build_feature_set
from outcry.features.regimes import DECISION_OF, ENSEMBLE_OF, MarketPhase, PlatformRegime, VolatilityRegime
from outcry.market.frame import BAR_FIELDS, FrameTensor
from outcry.market.sessions import Sessions

MINUTE_NS = 60_000_000_000
DAY_MINUTES = 1440

Bars = pd.DataFrame
Oracle = Callable[[Bars], np.ndarray]


def build(bar_minutes: int, *groups: str, **windows: list[object]) -> FeatureSet:
    config = FeatureSetConfig.model_validate({"groups": ["regime", *groups], "windows": windows})
    return build_feature_set(config, bar_minutes * MINUTE_NS, ("A",))


def _known(values: np.ndarray, *inputs: np.ndarray) -> np.ndarray:
    """Return `values` where every input is defined, NaN elsewhere."""
    return np.where(np.isnan(inputs).any(axis=0), np.nan, values)


def _rsi_bbands(b: Bars) -> np.ndarray:
    close = b.close.to_numpy()
    rsi = talib.RSI(close, 14)
    upper, _, lower = talib.BBANDS(close, 20, 2.0, 2.0)
    signal = 1.0 * ((rsi < 30) & (close < lower)) - 1.0 * ((rsi > 70) & (close > upper))
    return _known(signal, rsi, upper)


def _adx(b: Bars) -> np.ndarray:
    return talib.ADX(b.high.to_numpy(), b.low.to_numpy(), b.close.to_numpy(), 14)


def _macd_adx(b: Bars) -> np.ndarray:
    histogram = talib.MACD(b.close.to_numpy(), 12, 26, 9)[2]
    return _known(np.sign(histogram) * (_adx(b) > 25), histogram, _adx(b))


def _divergence(b: Bars) -> np.ndarray:
    price = talib.LINEARREG_SLOPE(b.close.to_numpy(), 20)
    price[np.abs(price) < 1e-9 * b.close.to_numpy()] = 0.0  # of ticks, a slope is 0 or far larger
    flow = talib.LINEARREG_SLOPE(talib.OBV(b.close.to_numpy(), b.volume.to_numpy()), 20)
    signal = 1.0 * ((price < 0) & (flow > 0)) - 1.0 * ((price > 0) & (flow < 0))
    signal[:20] = np.nan  # obv has a change from the second bar on
    return signal


def _is_trending(b: Bars) -> np.ndarray:
    path = b.close.diff().abs().rolling(10).sum()
    efficiency = (b.close.diff(10).abs() / path).where(path > 1e-9, 0.0).to_numpy()
    return _known((_adx(b) > 25) & (efficiency >= 0.3), _adx(b))


def _phase(b: Bars) -> np.ndarray:
    fast, slow = (talib.SMA(b.close.to_numpy(), window) for window in (50, 200))
    falls = b.close.diff(50).to_numpy() < 0
    above = np.where(falls, MarketPhase.DISTRIBUTION, MarketPhase.MARKUP)
    below = np.where(falls, MarketPhase.MARKDOWN, MarketPhase.ACCUMULATION)
    return _known(np.where(fast > slow, above, below), slow)


def _platform(b: Bars) -> np.ndarray:
    close = b.close.to_numpy()
    fast, slow = (talib.SMA(close, window) for window in (50, 200))
    direction = 1.0 * ((fast > slow) & (close > slow)) - 1.0 * ((fast < slow) & (close < slow))
    return _known(direction, slow)


def _volatility(b: Bars) -> np.ndarray:
    deviation = np.log(b.close / b.close.shift()).rolling(20).std()
    n_below = deviation.rolling(252).rank(method="min") - 1
    return np.floor(3 * n_below / 252).to_numpy()


def _decision(b: Bars) -> np.ndarray:
    facts = zip(_platform(b), _is_trending(b), strict=True)
    words = [DECISION_OF[PlatformRegime(int(d)), bool(t)] if not np.isnan(d) else np.nan for d, t in facts]
    return np.array(words, dtype=float)


def _ensemble(b: Bars) -> np.ndarray:
    facts = zip(_is_trending(b), _volatility(b), strict=True)
    words = [ENSEMBLE_OF[bool(t), VolatilityRegime(int(v))] if not np.isnan(v) else np.nan for t, v in facts]
    return np.array(words, dtype=float)


ORACLES: dict[str, Oracle] = {
    "tech_rsi_bbands_14_20_signal": _rsi_bbands,
    "tech_macd_adx_12_26_9_14_signal": _macd_adx,
    "tech_divergence_20_signal": _divergence,
    "stat_trend_14_10_regime": _is_trending,
    "stat_market_50_200_phase": _phase,
    "stat_market_50_200_platform": _platform,
    "stat_market_50_200_decision": _decision,
    "stat_volatility_20_252_regime": _volatility,
    "stat_volatility_20_252_ensemble": _ensemble,
}


@pytest.fixture(scope="module", params=["daily", "intraday"])
def by_symbol(request: pytest.FixtureRequest) -> list[tuple[Bars, pd.DataFrame]]:
    """The bars that each symbol has, and the columns after each of them."""
    frames: FrameTensor = request.getfixturevalue(request.param)
    sessions: Sessions = request.getfixturevalue(f"{request.param}_sessions")
    features = build(DAY_MINUTES if request.param == "daily" else 5, "timeframes")
    engine = FeatureEngine(features, frames.n_symbols, sessions, 252.0)
    values = engine.replay(frames)
    pairs = []
    for i in range(frames.n_symbols):
        has = frames.present[:, i]
        bars = pd.DataFrame({field: getattr(frames, field)[has, i] for field in BAR_FIELDS})
        pairs.append((bars, pd.DataFrame(values[has, i], columns=engine.names)))
    return pairs


@pytest.mark.realdata
@pytest.mark.parametrize("name", sorted(ORACLES))
def test_a_column_agrees_with_talib_and_pandas(name: str, by_symbol: list[tuple[Bars, pd.DataFrame]]) -> None:
    seen: set[float] = set()
    n_all = 0
    for bars, values in by_symbol:
        expected = ORACLES[name](bars)
        np.testing.assert_array_equal(values[name], expected)
        seen |= set(expected[~np.isnan(expected)])
        n_all += int((~np.isnan(expected)).sum())
    assert n_all > 4000
    assert len(seen) == int(max(seen) - min(seen)) + 1  # every code is met


@pytest.mark.realdata
@pytest.mark.parametrize("by_symbol", ["intraday"], indirect=True)
def test_alignments_are_the_mean_sign_of_the_timeframes_that_are_known(
    by_symbol: list[tuple[Bars, pd.DataFrame]],
) -> None:
    for _, values in by_symbol:
        rsi = np.sign(values[[f"mtf_rsi_{text}_14" for text in ("15min", "1h", "4h", "1d")]] - 50)
        trend = values[[f"mtf_trend_{text}_20_50" for text in ("1h", "4h", "1d")]]
        assert rsi.isna().any(axis=None)
        pd.testing.assert_series_equal(values["mtf_rsi_alignment_14"], rsi.mean(axis=1), check_names=False)
        pd.testing.assert_series_equal(values["mtf_trend_alignment_20_50"], trend.mean(axis=1), check_names=False)


@pytest.mark.realdata
def test_timeframes_no_longer_than_the_bars_are_the_bars(daily: FrameTensor, daily_sessions: Sessions) -> None:
    engine = FeatureEngine(build(DAY_MINUTES), daily.n_symbols, daily_sessions, 252.0)
    column = engine.replay(daily)[..., engine.names.index("mtf_rsi_alignment_14")]
    for i in range(daily.n_symbols):
        has = daily.present[:, i]
        rsi = talib.RSI(daily.close[has, i], 14)
        np.testing.assert_array_equal(column[has, i], np.sign(rsi - 50))


def test_equal_prices_are_sideways_and_calm(
    make_market: Callable[..., FrameTensor], around_the_clock: Sessions
) -> None:
    walk = make_market(0, 400, 1, absent_frac=0.0)
    price = np.full(walk.present.shape, 12.34)
    still = FrameTensor(0, walk.ts_close_ns, price, price, price, price, 0.0 * price, price, walk.present)
    engine = FeatureEngine(build(60), 1, around_the_clock, 8766.0)
    row = dict(zip(engine.names, engine.replay(still)[-1, 0], strict=True))
    signals = [value for name, value in row.items() if name.endswith(("_signal", "_platform", "_14_10_regime"))]
    assert signals == [0.0] * 5
    assert row["stat_market_50_200_phase"] == MarketPhase.ACCUMULATION
    assert row["stat_market_50_200_decision"] == DECISION_OF[PlatformRegime.NEUTRAL, False]
    assert row["stat_volatility_20_252_ensemble"] == ENSEMBLE_OF[False, VolatilityRegime.LOW]
    assert (row["mtf_rsi_alignment_14"], row["mtf_trend_alignment_20_50"]) == (0.0, 0.0)


def test_other_windows_read_other_columns() -> None:
    features = build(5, rsi_bbands=[[7, 50]], market_regime=[[20, 100]], volatility_regime=[[10, 60]])
    assert {"tech_rsi_bbands_7_50_signal", "stat_market_20_100_phase", "stat_volatility_10_60_regime"} <= set(
        features.names
    )
    computed = {column.name for column in features.computed}
    assert {"tech_rsi_7_raw", "tech_bbands_50_position", "tech_sma_100_raw", "tech_hv_10_annual"} <= computed
