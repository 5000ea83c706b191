"""Momentum indicators of one symbol.

State (float64, a row a symbol)

===========  ======================================================================  =======
indicator    slots                                                                   unit
===========  ======================================================================  =======
rsi          gain, loss: Wilder averages                                             price
stoch        the last fast %K, then the last slow %K                                 index
stochrsi     gain, loss; the last rsi; the last fast values                          index
macd         averages fast and slow, both seeded at the slow bar; signal             price
ppo          averages fast and slow; signal                                          price
trix         first, second and third average                                         price
tsi          long and short averages of the change, then of its size; signal         price
kst          the last lines                                                          percent
===========  ======================================================================  =======
"""

from outcry.compiled import inlined_kernel
from outcry.features.families.momentum import (
    CCI,
    COPPOCK,
    KST,
    MACD,
    MOM,
    PPO,
    ROC,
    RSI,
    STOCH,
    STOCHRSI,
    TRIX,
    TSI,
    ULTOSC,
    WILLR,
)
from outcry.features.kernels.bars import CLOSE, HIGH, LOW, TRUE_RANGE, TYPICAL
from outcry.features.kernels.window import (
    ema_next,
    is_flat,
    ring_mean,
    wilder_next,
    window_max,
    window_mean,
    window_min,
    window_sum,
    within,
)
from outcry.market.frame import FloatArray, IntArray


@inlined_kernel
def step_momentum(
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
    close = history[CLOSE]
    if opcode == RSI:
        _rsi(k, end, close, s, out, p[0])
    elif opcode == STOCH:
        _stoch(k, end, history, s, out, p)
    elif opcode == STOCHRSI:
        _stochrsi(k, end, close, s, out, p)
    elif opcode == WILLR:
        _willr(k, end, history, out, p[0])
    elif opcode == CCI:
        _cci(k, end, history[TYPICAL], out, p[0])
    elif opcode == ULTOSC:
        _ultosc(k, end, history, out, p)
    elif opcode == ROC:
        if k > p[0]:
            out[0] = _roc(end, close, p[0])
    elif opcode == MOM:
        if k > p[0]:
            out[0] = close[end] - close[end - p[0]]
    elif opcode == MACD:
        _macd(k, end, close, s, out, p)
    elif opcode == PPO:
        _ppo(k, close[end], s, out, p)
    elif opcode == TRIX:
        _trix(k, close[end], s, out, p[0])
    elif opcode == TSI:
        _tsi(k, end, close, s, out, p)
    elif opcode == COPPOCK:
        _coppock(k, end, close, out, p)
    elif opcode == KST:
        _kst(k, end, close, s, out, p)


@inlined_kernel
def _roc(end: int, close: FloatArray, window: int) -> float:
    ratio: float = close[end] / close[end - window]
    return 100.0 * (ratio - 1.0)


@inlined_kernel
def _strength(k: int, end: int, close: FloatArray, s: FloatArray, window: int) -> float:
    """Advance gain and loss, in the first two slots, and return their index."""
    change = close[end] - close[end - 1]
    s[0] = wilder_next(s[0], max(change, 0.0), k - 1, window)
    s[1] = wilder_next(s[1], max(-change, 0.0), k - 1, window)
    return 100.0 * (s[0] / (s[0] + s[1])) if s[0] + s[1] > 0.0 else 50.0


@inlined_kernel
def _rsi(k: int, end: int, close: FloatArray, s: FloatArray, out: FloatArray, window: int) -> None:
    if k < 2:
        return
    strength = _strength(k, end, close, s, window)
    if k > window:
        out[0] = strength


@inlined_kernel
def _stoch(k: int, end: int, history: FloatArray, s: FloatArray, out: FloatArray, p: IntArray) -> None:
    window, slow, signal = p[0], p[1], p[2]
    if k < window:
        return
    high = window_max(history[HIGH], end, window)
    low = window_min(history[LOW], end, window)
    place = (history[CLOSE, end] - low) / (high - low) if high > low else 0.5
    s[k % slow] = 100.0 * within(place, 0.0, 1.0)
    first = window + slow - 1
    if k < first:
        return
    mean = ring_mean(s, 0, slow)
    s[slow + k % signal] = mean
    out[0] = min(mean, 100.0)
    if k >= first + signal - 1:
        out[1] = min(ring_mean(s, slow, signal), 100.0)


@inlined_kernel
def _stochrsi(k: int, end: int, close: FloatArray, s: FloatArray, out: FloatArray, p: IntArray) -> None:
    rsi_window, window, signal = p[0], p[1], p[2]
    if k < 2:
        return
    strength = _strength(k, end, close, s, rsi_window)
    if k <= rsi_window:
        return
    s[2 + k % window] = strength
    if k < rsi_window + window:
        return
    low = high = strength
    for j in range(2, 2 + window):
        low = min(low, s[j])
        high = max(high, s[j])
    fast = 100.0 * ((strength - low) / (high - low)) if high > low else 50.0
    s[2 + window + k % signal] = fast
    out[0] = fast
    if k >= rsi_window + window + signal - 1:
        out[1] = min(ring_mean(s, 2 + window, signal), 100.0)


@inlined_kernel
def _willr(k: int, end: int, history: FloatArray, out: FloatArray, window: int) -> None:
    if k < window:
        return
    high = window_max(history[HIGH], end, window)
    low = window_min(history[LOW], end, window)
    place = (high - history[CLOSE, end]) / (high - low) if high > low else 0.5
    out[0] = -100.0 * within(place, 0.0, 1.0)


@inlined_kernel
def _cci(k: int, end: int, typical: FloatArray, out: FloatArray, window: int) -> None:
    if k < window:
        return
    if is_flat(typical, end, window):
        out[0] = 0.0
        return
    mean = window_mean(typical, end, window)
    w = typical[end - window + 1 : end + 1]
    even = odd = 0.0
    i = 0
    while i + 1 < window:
        even += abs(w[i] - mean)
        odd += abs(w[i + 1] - mean)
        i += 2
    if i < window:
        even += abs(w[i] - mean)
    out[0] = (typical[end] - mean) / (0.015 * (even + odd) / window)


@inlined_kernel
def _ultosc(k: int, end: int, history: FloatArray, out: FloatArray, p: IntArray) -> None:
    if k <= p[2]:
        return
    low, close, true_range = history[LOW], history[CLOSE], history[TRUE_RANGE]
    pressure = movement = total = 0.0
    start = 0
    for part in range(3):
        for j in range(start, p[part]):
            i = end - j
            pressure += close[i] - min(low[i], close[i - 1])
            movement += true_range[i]
        start = p[part]
        weight = 4.0 if part == 0 else 2.0 if part == 1 else 1.0
        total += weight * (pressure / movement if movement > 0.0 else 0.5)
    out[0] = min(max(100.0 * total / 7.0, 0.0), 100.0)


@inlined_kernel
def _macd(k: int, end: int, close: FloatArray, s: FloatArray, out: FloatArray, p: IntArray) -> None:
    fast, slow, signal = p[0], p[1], p[2]
    c = close[end]
    s[1] = ema_next(s[1], c, k, slow)
    if k < slow:
        return
    s[0] = window_sum(close, end, fast) / fast if k == slow else ema_next(s[0], c, k, fast)
    _write_differences(k, s[0] - s[1], s, out, slow, signal)


@inlined_kernel
def _ppo(k: int, c: float, s: FloatArray, out: FloatArray, p: IntArray) -> None:
    fast, slow, signal = p[0], p[1], p[2]
    s[0] = ema_next(s[0], c, k, fast)
    s[1] = ema_next(s[1], c, k, slow)
    if k >= slow:
        _write_differences(k, 100.0 * (s[0] - s[1]) / s[1], s, out, slow, signal)


@inlined_kernel
def _write_differences(k: int, line: float, s: FloatArray, out: FloatArray, slow: int, signal: int) -> None:
    """Write line, signal and histogram; the signal is in the third slot."""
    s[2] = ema_next(s[2], line, k - slow + 1, signal)
    out[0] = line
    if k >= slow + signal - 1:
        out[1] = s[2]
        out[2] = line - s[2]


@inlined_kernel
def _trix(k: int, c: float, s: FloatArray, out: FloatArray, window: int) -> None:
    last = s[2]
    s[0] = ema_next(s[0], c, k, window)
    s[1] = ema_next(s[1], s[0], k - window + 1, window)
    s[2] = ema_next(s[2], s[1], k - 2 * (window - 1), window)
    if k >= 3 * window - 1:
        out[0] = 100.0 * (s[2] / last - 1.0)


@inlined_kernel
def _tsi(k: int, end: int, close: FloatArray, s: FloatArray, out: FloatArray, p: IntArray) -> None:
    long, short, signal = p[0], p[1], p[2]
    if k < 2:
        return
    change = close[end] - close[end - 1]
    s[0] = ema_next(s[0], change, k - 1, long)
    s[1] = ema_next(s[1], s[0], k - long, short)
    s[2] = ema_next(s[2], abs(change), k - 1, long)
    s[3] = ema_next(s[3], s[2], k - long, short)
    first = long + short
    if k < first:
        return
    out[0] = min(max(100.0 * s[1] / s[3], -100.0), 100.0) if s[3] > 0.0 else 0.0
    s[4] = ema_next(s[4], out[0], k - first + 1, signal)
    if k >= first + signal - 1:
        out[1] = s[4]


@inlined_kernel
def _coppock(k: int, end: int, close: FloatArray, out: FloatArray, p: IntArray) -> None:
    window = p[2]
    if k < max(p[0], p[1]) + window:
        return
    total = 0.0
    for j in range(window):
        total += (window - j) * (_roc(end - j, close, p[0]) + _roc(end - j, close, p[1]))
    out[0] = total / (0.5 * window * (window + 1))


@inlined_kernel
def _kst(k: int, end: int, close: FloatArray, s: FloatArray, out: FloatArray, p: IntArray) -> None:
    window, signal = p[0], p[1]
    long = 3 * window // 2
    first = max(3 * window + long, long + window)
    if k < first:
        return
    line = (
        _mean_roc(end, close, window, window)
        + 2.0 * _mean_roc(end, close, long, window)
        + 3.0 * _mean_roc(end, close, 2 * window, window)
        + 4.0 * _mean_roc(end, close, 3 * window, long)
    )
    s[k % signal] = line
    out[0] = line
    if k >= first + signal - 1:
        out[1] = ring_mean(s, 0, signal)


@inlined_kernel
def _mean_roc(end: int, close: FloatArray, window: int, n: int) -> float:
    total = 0.0
    for j in range(n):
        total += _roc(end - j, close, window)
    return total / n
