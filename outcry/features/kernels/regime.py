"""Combinations and regimes of one symbol.

The inputs of an indicator stand among all columns of the symbol; their places follow its windows.

State (float64, a row a symbol)

==================  ==========================================  ==========
indicator           slots                                       unit
==================  ==========================================  ==========
volatility_regime   values known, then the last of them         1, 1/sqrt(year)
==================  ==========================================  ==========
"""

import math

import numpy as np

from outcry.compiled import inlined_kernel
from outcry.features.families.regime import (
    DIVERGENCE,
    MACD_ADX,
    MARKET_REGIME,
    ROUNDING,
    RSI_ALIGNMENT,
    RSI_BBANDS,
    TREND_ADX,
    TREND_ALIGNMENT,
    TREND_EFFICIENCY,
    TREND_REGIME,
    VOLATILITY_REGIME,
)
from outcry.features.kernels.bars import CLOSE, VOLUME
from outcry.features.regimes import DECISION_OF, ENSEMBLE_OF, MarketPhase, PlatformRegime, VolatilityRegime
from outcry.market.frame import FloatArray, IntArray

_DECISION = np.array(
    [[DECISION_OF[direction, is_trending] for is_trending in (False, True)] for direction in PlatformRegime]
)
_ENSEMBLE = np.array(
    [[ENSEMBLE_OF[is_trending, volatility] for volatility in VolatilityRegime] for is_trending in (False, True)]
)
_ACCUMULATION, _MARKUP, _DISTRIBUTION, _MARKDOWN = (float(phase) for phase in MarketPhase)


@inlined_kernel
def step_regime(
    opcode: int,
    k: int,
    end: int,
    history: FloatArray,
    clock: FloatArray,
    row: FloatArray,
    s: FloatArray,
    out: FloatArray,
    p: IntArray,
) -> None:
    """Advance one indicator; see `outcry.features.kernels.advance.Step`."""
    if opcode == RSI_BBANDS:
        _rsi_bbands(row[p[2]], row[p[3]], out)
    elif opcode == MACD_ADX:
        _macd_adx(row[p[4]], row[p[5]], out)
    elif opcode == DIVERGENCE:
        if k > p[0]:
            _divergence(end, history, out, p[0])
    elif opcode == TREND_REGIME:
        if not math.isnan(row[p[0]]) and not math.isnan(row[p[1]]):
            out[0] = _is_trending(row[p[0]], row[p[1]])
    elif opcode == MARKET_REGIME:
        if k >= max(p[1], p[0] + 1):
            _market_regime(end, history[CLOSE], row, out, p)
    elif opcode == VOLATILITY_REGIME:
        _volatility_regime(row, s, out, p)
    elif opcode == RSI_ALIGNMENT:
        _alignment(50.0, row, out, p[1:5])
    elif opcode == TREND_ALIGNMENT:
        _alignment(0.0, row, out, p[2:5])


@inlined_kernel
def _sign(x: float) -> float:
    return 1.0 if x > 0.0 else -1.0 if x < 0.0 else 0.0


@inlined_kernel
def _is_trending(adx: float, efficiency: float) -> int:
    return 1 if adx > TREND_ADX and efficiency >= TREND_EFFICIENCY else 0


@inlined_kernel
def _rsi_bbands(rsi: float, position: float, out: FloatArray) -> None:
    if math.isnan(rsi) or math.isnan(position):
        return
    is_oversold = rsi < 30.0 and position < 0.0
    is_overbought = rsi > 70.0 and position > 1.0
    out[0] = 1.0 if is_oversold else -1.0 if is_overbought else 0.0


@inlined_kernel
def _macd_adx(histogram: float, adx: float, out: FloatArray) -> None:
    if not math.isnan(histogram) and not math.isnan(adx):
        out[0] = _sign(histogram) if adx > TREND_ADX else 0.0


@inlined_kernel
def _divergence(end: int, history: FloatArray, out: FloatArray, window: int) -> None:
    """Compare the signs of the slopes of close and obv; both count from the first bar of the window."""
    close, volume = history[CLOSE], history[VOLUME]
    first = end - window + 1
    middle = 0.5 * (window - 1)
    of_price = of_flow = balance = traded = 0.0
    for j in range(1, window):
        change = close[first + j] - close[first + j - 1]
        balance += volume[first + j] * _sign(change)
        traded += volume[first + j]
        of_price += (j - middle) * (close[first + j] - close[first])
        of_flow += (j - middle) * balance
    rounding = ROUNDING * window * window
    price, flow = _sign_beyond(of_price, rounding * close[end]), _sign_beyond(of_flow, rounding * traded)
    out[0] = flow if price * flow < 0.0 else 0.0


@inlined_kernel
def _sign_beyond(x: float, rounding: float) -> float:
    return _sign(x) if abs(x) > rounding else 0.0


@inlined_kernel
def _market_regime(end: int, close: FloatArray, row: FloatArray, out: FloatArray, p: IntArray) -> None:
    fast, slow = row[p[2]], row[p[3]]
    above, below = slow * (1.0 + ROUNDING), slow * (1.0 - ROUNDING)
    falls = close[end] < close[end - p[0]]
    if fast > above:
        out[0] = _DISTRIBUTION if falls else _MARKUP
    else:
        out[0] = _MARKDOWN if falls else _ACCUMULATION
    direction = 0
    if fast > above and close[end] > above:
        direction = 1
    elif fast < below and close[end] < below:
        direction = -1
    out[1] = direction
    if not math.isnan(row[p[4]]) and not math.isnan(row[p[5]]):
        out[2] = _DECISION[direction + 1, _is_trending(row[p[4]], row[p[5]])]


@inlined_kernel
def _volatility_regime(row: FloatArray, s: FloatArray, out: FloatArray, p: IntArray) -> None:
    volatility, ranked = row[p[2]], p[1]
    if math.isnan(volatility):
        return
    s[1 + int(s[0]) % ranked] = volatility
    s[0] += 1.0
    if s[0] < ranked:
        return
    n_below = 0
    for j in range(1, 1 + ranked):
        n_below += 1 if s[j] < volatility else 0
    third = 3 * n_below // ranked
    out[0] = third
    if not math.isnan(row[p[3]]) and not math.isnan(row[p[4]]):
        out[1] = _ENSEMBLE[_is_trending(row[p[3]], row[p[4]]), third]


@inlined_kernel
def _alignment(middle: float, row: FloatArray, out: FloatArray, places: IntArray) -> None:
    total = 0.0
    n = 0
    for place in places:
        if not math.isnan(row[place]):
            total += _sign(row[place] - middle)
            n += 1
    if n > 0:
        out[0] = total / n
