"""The same columns by the libraries of the field, in the same run: a symbol-bar each way."""

from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter
from typing import Any

import numpy as np
import pandas as pd
import ta
import talib
import talipp.indicators as tp
from talib import stream
from talipp.ohlcv import OHLCV

from bench.harness import Result, result
from outcry.features.config import FeatureSetConfig
from outcry.features.engine import FeatureEngine
from outcry.features.feature_set import build_feature_set
from outcry.market.frame import FloatArray, FrameTensor
from outcry.market.sessions import Sessions

N_STREAM_BARS = 300
N_STREAM_HISTORY = 300  # what a streaming call is given each bar, to reach the warm-up of its longest window

Bars = dict[str, FloatArray]


@dataclass(frozen=True, slots=True)
class TaLibCall:
    """A TA-Lib function: its name, the prices it reads, its windows, and the columns its outputs are here."""

    function: str
    reads: tuple[str, ...]
    windows: tuple[float, ...]
    columns: tuple[str, ...]


_C, _HL, _HLC, _HLCV, _V = (
    ("close",),
    ("high", "low"),
    ("high", "low", "close"),
    ("high", "low", "close", "volume"),
    ("volume",),
)
TALIB_CALLS: tuple[TaLibCall, ...] = (
    *(
        TaLibCall(kind.upper(), _C, (w,), (f"tech_{kind}_{w}_raw",))
        for kind in ("sma", "ema", "wma", "dema", "tema")
        for w in (5, 10, 20, 50)
    ),
    TaLibCall("KAMA", _C, (10,), ("tech_kama_10_raw",)),
    *(TaLibCall("RSI", _C, (w,), (f"tech_rsi_{w}_raw",)) for w in (7, 14, 21)),
    *(TaLibCall("ROC", _C, (w,), (f"tech_roc_{w}_raw",)) for w in (5, 10, 20, 60)),
    *(TaLibCall("MOM", _C, (w,), (f"tech_mom_{w}_raw",)) for w in (5, 10, 15, 20)),
    *(TaLibCall("CCI", _HLC, (w,), (f"tech_cci_{w}_raw",)) for w in (14, 20)),
    *(TaLibCall("ATR", _HLC, (w,), (f"tech_atr_{w}_raw",)) for w in (7, 14, 21)),
    TaLibCall("WILLR", _HLC, (14,), ("tech_willr_14_raw",)),
    TaLibCall("ULTOSC", _HLC, (7, 14, 28), ("tech_ultosc_7_14_28_raw",)),
    TaLibCall("STOCH", _HLC, (14, 3, 0, 3, 0), ("tech_stoch_14_k", "tech_stoch_14_d")),
    TaLibCall("STOCHRSI", _C, (14, 14, 3, 0), ("tech_stochrsi_14_k", "tech_stochrsi_14_d")),
    TaLibCall("MACD", _C, (12, 26, 9), ("tech_macd_12_26_line", "tech_macd_12_26_signal", "tech_macd_12_26_histogram")),
    TaLibCall("TRIX", _C, (15,), ("tech_trix_15_raw",)),
    TaLibCall("ADX", _HLC, (14,), ("tech_adx_14_raw",)),
    TaLibCall("PLUS_DI", _HLC, (14,), ("tech_di_14_plus",)),
    TaLibCall("MINUS_DI", _HLC, (14,), ("tech_di_14_minus",)),
    TaLibCall("SAR", _HL, (0.02, 0.2), ("tech_psar_raw",)),
    TaLibCall("BBANDS", _C, (20, 2.0, 2.0), ("tech_bbands_20_upper", "tech_bbands_20_middle", "tech_bbands_20_lower")),
    TaLibCall("MFI", _HLCV, (14,), ("tech_mfi_14_raw",)),
    TaLibCall("SMA", _V, (20,), ("tech_volume_20_mean",)),
)


def _adx_of(b: pd.DataFrame) -> tuple[pd.Series, ...]:
    adx = ta.trend.ADXIndicator(b.high, b.low, b.close, 14)
    return adx.adx(), adx.adx_pos(), adx.adx_neg()


def _macd_of(b: pd.DataFrame) -> tuple[pd.Series, ...]:
    macd = ta.trend.MACD(b.close)
    return macd.macd(), macd.macd_signal(), macd.macd_diff()


def _bands_of(b: pd.DataFrame) -> tuple[pd.Series, ...]:
    bands = ta.volatility.BollingerBands(b.close)
    return bands.bollinger_hband(), bands.bollinger_mavg(), bands.bollinger_lband()


_TA: dict[tuple[str, ...], Callable[[pd.DataFrame], Any]] = {
    **{
        (f"tech_rsi_{w}_raw",): lambda b, w=w: ta.momentum.RSIIndicator(b.close, w).rsi()  # type: ignore[misc]
        for w in (7, 14, 21)
    },
    **{
        (f"tech_sma_{w}_raw",): lambda b, w=w: ta.trend.SMAIndicator(b.close, w).sma_indicator()  # type: ignore[misc]
        for w in (5, 10, 20, 50)
    },
    **{
        (f"tech_ema_{w}_raw",): lambda b, w=w: ta.trend.EMAIndicator(b.close, w).ema_indicator()  # type: ignore[misc]
        for w in (5, 10, 20, 50)
    },
    **{
        (f"tech_roc_{w}_raw",): lambda b, w=w: ta.momentum.ROCIndicator(b.close, w).roc()  # type: ignore[misc]
        for w in (5, 10, 20, 60)
    },
    ("tech_atr_14_raw",): lambda b: ta.volatility.AverageTrueRange(b.high, b.low, b.close, 14).average_true_range(),
    ("tech_cci_20_raw",): lambda b: ta.trend.CCIIndicator(b.high, b.low, b.close, 20).cci(),
    ("tech_willr_14_raw",): lambda b: ta.momentum.WilliamsRIndicator(b.high, b.low, b.close, 14).williams_r(),
    ("tech_ultosc_7_14_28_raw",): lambda b: ta.momentum.UltimateOscillator(
        b.high, b.low, b.close
    ).ultimate_oscillator(),
    ("tech_adx_14_raw", "tech_di_14_plus", "tech_di_14_minus"): _adx_of,
    ("tech_macd_12_26_line", "tech_macd_12_26_signal", "tech_macd_12_26_histogram"): _macd_of,
    ("tech_bbands_20_upper", "tech_bbands_20_middle", "tech_bbands_20_lower"): _bands_of,
    ("tech_mfi_14_raw",): lambda b: ta.volume.MFIIndicator(b.high, b.low, b.close, b.volume, 14).money_flow_index(),
    ("tech_psar_raw",): lambda b: ta.trend.PSARIndicator(b.high, b.low, b.close).psar(),
}

_TALIPP: dict[tuple[str, ...], Callable[[], Any]] = {
    **{(f"tech_rsi_{w}_raw",): lambda w=w: tp.RSI(w) for w in (7, 14, 21)},  # type: ignore[misc]
    **{(f"tech_sma_{w}_raw",): lambda w=w: tp.SMA(w) for w in (5, 10, 20, 50)},  # type: ignore[misc]
    **{(f"tech_ema_{w}_raw",): lambda w=w: tp.EMA(w) for w in (5, 10, 20, 50)},  # type: ignore[misc]
    **{(f"tech_wma_{w}_raw",): lambda w=w: tp.WMA(w) for w in (5, 10, 20, 50)},  # type: ignore[misc]
    **{(f"tech_roc_{w}_raw",): lambda w=w: tp.ROC(w) for w in (5, 10, 20, 60)},  # type: ignore[misc]
    **{(f"tech_atr_{w}_raw",): lambda w=w: tp.ATR(w) for w in (7, 14, 21)},  # type: ignore[misc]
    ("tech_cci_20_raw",): lambda: tp.CCI(20),
    ("tech_macd_12_26_line", "tech_macd_12_26_signal", "tech_macd_12_26_histogram"): lambda: tp.MACD(12, 26, 9),
    ("tech_bbands_20_upper", "tech_bbands_20_middle", "tech_bbands_20_lower"): lambda: tp.BB(20, 2.0),
    ("tech_adx_14_raw", "tech_di_14_plus", "tech_di_14_minus"): lambda: tp.ADX(14, 14),
    ("tech_stoch_14_k", "tech_stoch_14_d"): lambda: tp.Stoch(14, 3),
    ("tech_ultosc_7_14_28_raw",): lambda: tp.UO(7, 14, 28),
    ("tech_trix_15_raw",): lambda: tp.TRIX(15),
}
_OF_BARS = {"tech_atr", "tech_cci", "tech_adx", "tech_stoch", "tech_ultosc"}


def run_peers(frames: FrameTensor, sessions: Sessions, bars_per_year: float) -> list[Result]:
    """Time each library on the bars of one symbol, and the engine on the same columns.

    Parameters
    ----------
    frames : FrameTensor
        Of one symbol, without gaps.
    sessions : Sessions
    bars_per_year : float
    """
    bars = {name: np.ascontiguousarray(getattr(frames, name)[:, 0]) for name in ("high", "low", "close", "volume")}
    talib_columns = tuple(name for call in TALIB_CALLS for name in call.columns)
    ta_columns = tuple(name for names in _TA for name in names)
    talipp_columns = tuple(name for names in _TALIPP for name in names)

    def engine(columns: tuple[str, ...]) -> float:
        features = build_feature_set(FeatureSetConfig(columns=columns), 300 * 10**9)
        return min(_time(lambda: FeatureEngine(features, 1, sessions, bars_per_year).replay(frames)) for _ in range(3))

    n = len(frames)
    rows: list[Result] = []
    for name, columns, seconds, n_bars in (
        ("TA-Lib batch", talib_columns, min(_time(lambda: _talib_batch(bars)) for _ in range(3)), n),
        ("TA-Lib stream", talib_columns, _time(lambda: _talib_stream(bars)), N_STREAM_BARS),
        ("ta (pandas)", ta_columns, _time(lambda: _ta_batch(bars)), n),
        ("talipp", talipp_columns, _time(lambda: _talipp_stream(bars)), n),
    ):
        ours = engine(columns) / n * 1e6
        peer = seconds / n_bars * 1e6
        how = f"{len(columns)} columns both have, {n_bars:,} bars of one symbol; here {ours:.2f} us: x{peer / ours:.1f}"
        rows.append(result(f"features.peer.{name}", peer, "us/symbol-bar", how))
    return rows


def _time(function: Callable[[], object]) -> float:
    started = perf_counter()
    function()
    return perf_counter() - started


def _talib_batch(bars: Bars) -> None:
    for call in TALIB_CALLS:
        getattr(talib, call.function)(*(bars[name] for name in call.reads), *call.windows)


def _talib_stream(bars: Bars) -> None:
    n = len(bars["close"])
    for end in range(n - N_STREAM_BARS + 1, n + 1):
        window = {name: values[end - N_STREAM_HISTORY : end] for name, values in bars.items()}
        for call in TALIB_CALLS:
            getattr(stream, call.function)(*(window[name] for name in call.reads), *call.windows)


def _ta_batch(bars: Bars) -> None:
    table = pd.DataFrame(bars)
    for compute in _TA.values():
        compute(table)


def _talipp_stream(bars: Bars) -> None:
    indicators = [
        (make(), any(name.startswith(prefix) for prefix in _OF_BARS for name in names[:1]))
        for names, make in _TALIPP.items()
    ]
    opens = np.concatenate([bars["close"][:1], bars["close"][:-1]])
    columns = (opens, bars["high"], bars["low"], bars["close"], bars["volume"])
    for bar in map(OHLCV, *(values.tolist() for values in columns)):
        for indicator, reads_bars in indicators:
            indicator.add(bar if reads_bars else bar.close)
