"""TA-Lib is the oracle of every column that it defines too, on real bars, symbol by symbol."""

from collections.abc import Callable

import numpy as np
import pytest
import talib

from outcry.features.catalogue import FEATURE_NAMES
from outcry.features.engine import FeatureEngine
from outcry.market.frame import BAR_FIELDS, FloatArray, FrameTensor
from outcry.market.sessions import Sessions

pytestmark = pytest.mark.realdata

Bars = dict[str, FloatArray]


def _stoch(b: Bars) -> tuple[FloatArray, FloatArray]:
    return talib.STOCH(b["high"], b["low"], b["close"], 14, 3, 0, 3, 0)


def _bbands(b: Bars) -> tuple[FloatArray, FloatArray, FloatArray]:
    return talib.BBANDS(b["close"], 20, 2.0, 2.0)


def _position(b: Bars) -> FloatArray:
    upper, _, lower = _bbands(b)
    return (b["close"] - lower) / (upper - lower)


def _hlc(function: Callable[..., FloatArray], *windows: int) -> Callable[[Bars], FloatArray]:
    return lambda b: function(b["high"], b["low"], b["close"], *windows)


def _close(function: Callable[..., FloatArray], *windows: int) -> Callable[[Bars], FloatArray]:
    return lambda b: function(b["close"], *windows)


ORACLES: dict[str, Callable[[Bars], FloatArray]] = {
    **{f"tech_sma_{w}_raw": _close(talib.SMA, w) for w in (5, 10, 20, 50, 100, 200)},
    **{f"tech_ema_{w}_raw": _close(talib.EMA, w) for w in (5, 10, 12, 20, 26, 50, 100, 200)},
    **{f"tech_wma_{w}_raw": _close(talib.WMA, w) for w in (5, 10, 20, 50)},
    **{f"tech_rsi_{w}_raw": _close(talib.RSI, w) for w in (7, 14, 21)},
    **{f"tech_roc_{w}_raw": _close(talib.ROC, w) for w in (5, 10, 20, 60)},
    **{f"tech_mom_{w}_raw": _close(talib.MOM, w) for w in (5, 10, 15, 20)},
    **{f"tech_atr_{w}_raw": _hlc(talib.ATR, w) for w in (7, 14, 21)},
    **{f"tech_cci_{w}_raw": _hlc(talib.CCI, w) for w in (14, 20)},
    **{f"stat_return_{w}_close": _close(talib.ROCP, w) for w in (1, 5, 10, 15, 20, 60)},
    **{f"stat_linreg_{w}_slope": lambda b, w=w: talib.LINEARREG_SLOPE(b["close"], w) / b["close"] for w in (20, 60)},
    **{f"tech_donchian_{w}_upper": lambda b, w=w: talib.MAX(b["high"], w) for w in (20, 50)},
    **{f"tech_donchian_{w}_lower": lambda b, w=w: talib.MIN(b["low"], w) for w in (20, 50)},
    "tech_dema_20_raw": _close(talib.DEMA, 20),
    "tech_tema_20_raw": _close(talib.TEMA, 20),
    "tech_kama_10_raw": _close(talib.KAMA, 10),
    "tech_adx_14_raw": _hlc(talib.ADX, 14),
    "tech_di_14_plus": _hlc(talib.PLUS_DI, 14),
    "tech_di_14_minus": _hlc(talib.MINUS_DI, 14),
    "tech_aroon_25_up": lambda b: talib.AROON(b["high"], b["low"], 25)[1],
    "tech_aroon_25_down": lambda b: talib.AROON(b["high"], b["low"], 25)[0],
    "tech_aroon_25_oscillator": lambda b: talib.AROONOSC(b["high"], b["low"], 25),
    "tech_psar_raw": lambda b: talib.SAR(b["high"], b["low"], 0.02, 0.2),
    "tech_stoch_14_k": lambda b: _stoch(b)[0],
    "tech_stoch_14_d": lambda b: _stoch(b)[1],
    "tech_stochrsi_14_k": lambda b: talib.STOCHRSI(b["close"], 14, 14, 3, 0)[0],
    "tech_stochrsi_14_d": lambda b: talib.STOCHRSI(b["close"], 14, 14, 3, 0)[1],
    "tech_willr_14_raw": _hlc(talib.WILLR, 14),
    "tech_ultosc_7_14_28_raw": _hlc(talib.ULTOSC, 7, 14, 28),
    "tech_macd_12_26_line": lambda b: talib.MACD(b["close"], 12, 26, 9)[0],
    "tech_macd_12_26_signal": lambda b: talib.MACD(b["close"], 12, 26, 9)[1],
    "tech_macd_12_26_histogram": lambda b: talib.MACD(b["close"], 12, 26, 9)[2],
    "tech_ppo_12_26_line": _close(talib.PPO, 12, 26, 1),
    "tech_trix_15_raw": _close(talib.TRIX, 15),
    "tech_tr_1_raw": _hlc(talib.TRANGE),
    "tech_natr_14_raw": _hlc(talib.NATR, 14),
    "tech_bbands_20_upper": lambda b: _bbands(b)[0],
    "tech_bbands_20_middle": lambda b: _bbands(b)[1],
    "tech_bbands_20_lower": lambda b: _bbands(b)[2],
    "tech_bbands_20_position": _position,
    "tech_obv_raw": lambda b: talib.OBV(b["close"], b["volume"]),
    "tech_adl_raw": lambda b: talib.AD(b["high"], b["low"], b["close"], b["volume"]),
    "tech_mfi_14_raw": lambda b: talib.MFI(b["high"], b["low"], b["close"], b["volume"], 14),
    "tech_volume_20_mean": lambda b: talib.SMA(b["volume"], 20),
    "tech_volume_20_ema": lambda b: talib.EMA(b["volume"], 20),
    "tech_bar_1_power": lambda b: talib.BOP(b["open"], b["high"], b["low"], b["close"]),
}


@pytest.fixture(scope="module", params=["daily", "intraday"])
def by_symbol(request: pytest.FixtureRequest) -> list[tuple[Bars, FloatArray]]:
    """The bars that each symbol has, without gaps, and the features after each of them."""
    frames: FrameTensor = request.getfixturevalue(request.param)
    sessions: Sessions = request.getfixturevalue(f"{request.param}_sessions")
    values = FeatureEngine(frames.n_symbols, sessions, 252.0).replay(frames)
    pairs = []
    for i in range(frames.n_symbols):
        has = frames.present[:, i]
        pairs.append(({field: getattr(frames, field)[has, i] for field in BAR_FIELDS}, values[has, i]))
    return pairs


@pytest.mark.parametrize("name", sorted(ORACLES))
def test_a_column_agrees_with_talib(name: str, by_symbol: list[tuple[Bars, FloatArray]]) -> None:
    column = FEATURE_NAMES.index(name)
    for bars, values in by_symbol:
        expected = ORACLES[name](bars)
        has = ~np.isnan(expected)
        assert has.sum() > 500
        # Sums that TA-Lib carries over the whole history lose a few digits: relative to the size of the column.
        scale = np.median(np.abs(expected[has]))
        np.testing.assert_allclose(values[has, column], expected[has], rtol=1e-7, atol=1e-7 * scale)
