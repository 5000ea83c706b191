"""Trend indicators of one symbol.

State (float64, a row a symbol)

===========  ======================================================================  =======
indicator    slots                                                                   unit
===========  ======================================================================  =======
sma          running sum, where the window is long                                   price
ema          sum of closes, then the average                                         price
wma          running sum and average, where the window is long                       price
dema, tema   first, second (and third) average                                       price
vwma         sums of volume and of close volume, where the window is long; the       shares,
             largest sum of volume since they were anew                              currency
hma          running sum and average of the window, then of its half, where they     price
             are long; the last inputs of the outer average
kama         the average                                                             price
adx          sum of dx, then the average; Wilder sums of +dm, -dm and true range     index,
                                                                                     price
aroon        bars since the latest high, since the latest low                        bars
psar         next stop, extreme point, acceleration, side (+1 long, -1 short),       price, 1,
             bars since it turned                                                    bars
ichimoku     bars since the latest high of conversion, base and span B, then since   bars,
             the lows; the last span A, the last span B                              price
supertrend   Wilder average of the true range, upper band, lower band, side          price, 1
chandelier   Wilder average of the true range; bars since the latest high, the low   price,
                                                                                     bars
===========  ======================================================================  =======
"""

import math

from outcry.compiled import inlined_kernel
from outcry.features.families.trend import (
    ADX,
    AROON,
    CHANDELIER,
    DEMA,
    EMA,
    HMA,
    ICHIMOKU,
    KAMA,
    LINREG,
    PSAR,
    SMA,
    SUPERTREND,
    TEMA,
    VWMA,
    WMA,
)
from outcry.features.kernels.bars import CLOSE, HIGH, LOW, TRUE_RANGE, VOLUME
from outcry.features.kernels.window import (
    ema_next,
    product_sum,
    rolling_sum,
    wilder_next,
    window_linear,
    window_mean,
    window_path,
    window_sum,
)
from outcry.market.frame import FloatArray, IntArray

LONG_BARS = 8
"""Longer windows are running sums: they read two bars, where the history of a symbol is seldom near."""


@inlined_kernel
def step_trend(
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
    if opcode == SMA:
        _sma(k, end, close, s, out, p[0])
    elif opcode == EMA:
        s[0] = ema_next(s[0], close[end], k, p[0])
        if k >= p[0]:
            _write_average(close[end], s[0], out)
    elif opcode == WMA:
        if k >= p[0]:
            _write_average(close[end], linear_next(k, end, close, s, p[0]), out)
    elif opcode == DEMA:
        _dema(k, close[end], s, out, p[0])
    elif opcode == TEMA:
        _tema(k, close[end], s, out, p[0])
    elif opcode == VWMA:
        _vwma(k, end, history, s, out, p[0])
    elif opcode == HMA:
        _hma(k, end, close, s, out, p[0])
    elif opcode == KAMA:
        _kama(k, end, close, s, out, p)
    elif opcode == ADX:
        _adx(k, end, history, s, out, p[0])
    elif opcode == AROON:
        _aroon(k, end, history, s, out, p[0])
    elif opcode == PSAR:
        _psar(k, end, history, s, out, p)
    elif opcode == ICHIMOKU:
        _ichimoku(k, end, history, s, out, p)
    elif opcode == SUPERTREND:
        _supertrend(k, end, history, s, out, p)
    elif opcode == CHANDELIER:
        _chandelier(k, end, history, s, out, p)
    elif opcode == LINREG:
        _linreg(k, end, close, out, p[0])


@inlined_kernel
def _write_average(c: float, average: float, out: FloatArray) -> None:
    out[0] = average
    out[1] = (c - average) / average


@inlined_kernel
def _write_line(c: float, line: float, out: FloatArray) -> None:
    """Write a line that may cross 0."""
    out[0] = line
    out[1] = (c - line) / c


@inlined_kernel
def _sma(k: int, end: int, close: FloatArray, s: FloatArray, out: FloatArray, window: int) -> None:
    if window > LONG_BARS:
        s[0] = rolling_sum(s[0], close, end, k, window)
    if k >= window:
        total = s[0] if window > LONG_BARS else window_sum(close, end, window)
        _write_average(close[end], total / window, out)


@inlined_kernel
def linear_next(k: int, end: int, x: FloatArray, s: FloatArray, window: int) -> float:
    """Average the last `window` values with weights 1 (oldest) to `window` (newest); for every k from `window` on.

    A long window is a recurrence, wma += 2/(w + 1) (x - sma[1]), with the sum and the average in the first two slots;
    once a window it is anew.
    """
    if window <= LONG_BARS:
        return window_linear(x, end, window)
    if k % window == 0:
        s[1] = window_linear(x, end, window)
    else:
        s[1] += 2.0 / (window + 1.0) * (x[end] - s[0] / window)
    s[0] = rolling_sum(s[0], x, end, k, window)
    average: float = s[1]
    return average


@inlined_kernel
def _dema(k: int, c: float, s: FloatArray, out: FloatArray, window: int) -> None:
    s[0] = ema_next(s[0], c, k, window)
    s[1] = ema_next(s[1], s[0], k - window + 1, window)
    if k >= 2 * window - 1:
        _write_line(c, 2.0 * s[0] - s[1], out)


@inlined_kernel
def _tema(k: int, c: float, s: FloatArray, out: FloatArray, window: int) -> None:
    s[0] = ema_next(s[0], c, k, window)
    s[1] = ema_next(s[1], s[0], k - window + 1, window)
    s[2] = ema_next(s[2], s[1], k - 2 * (window - 1), window)
    if k >= 3 * window - 2:
        _write_line(c, 3.0 * s[0] - 3.0 * s[1] + s[2], out)


@inlined_kernel
def _vwma(k: int, end: int, history: FloatArray, s: FloatArray, out: FloatArray, window: int) -> None:
    close, volume = history[CLOSE], history[VOLUME]
    if window <= LONG_BARS:
        if k >= window:
            traded = window_sum(volume, end, window)
            _write_weighted(end, close, traded, _traded_value(end, volume, close, window), out, window)
        return
    if k > window:
        last = end - window
        s[0] += volume[end] - volume[last]
        s[1] += volume[end] * close[end] - volume[last] * close[last]
    # What rounding leaves of a sum is as large as its largest term was: small against the peak, it is summed anew.
    if k % window == 0 or (k > window and s[0] < 0.01 * s[2]):
        s[0] = s[2] = window_sum(volume, end, window)
        s[1] = _traded_value(end, volume, close, window)
    s[2] = max(s[2], s[0])
    if k >= window:
        _write_weighted(end, close, s[0], s[1], out, window)


@inlined_kernel
def _traded_value(end: int, volume: FloatArray, close: FloatArray, window: int) -> float:
    start = end - window + 1
    return product_sum(volume[start : end + 1], close[start : end + 1], window)


@inlined_kernel
def _write_weighted(end: int, close: FloatArray, traded: float, value: float, out: FloatArray, window: int) -> None:
    _write_average(close[end], value / traded if traded > 0.0 else window_mean(close, end, window), out)


@inlined_kernel
def _hma(k: int, end: int, close: FloatArray, s: FloatArray, out: FloatArray, window: int) -> None:
    half, root = max(window // 2, 1), int(math.sqrt(window))
    if k < half:
        return
    fast = linear_next(k, end, close, s[2:4], half)
    if k < window:
        return
    raw = 2.0 * fast - linear_next(k, end, close, s[0:2], window)
    if _smooth(k - window + 1, raw, s[4:6], s[6:], root):
        _write_line(close[end], s[5], out)


@inlined_kernel
def _smooth(n: int, x: float, s: FloatArray, ring: FloatArray, window: int) -> bool:
    """Advance a linear average by its n-th input, in the second slot, and say whether it is defined; as `linear_next`.

    The last `window` inputs stand in the ring at n mod window.
    """
    slot = n % window
    leaving = ring[slot]
    ring[slot] = x
    if slot == 0:
        total = weighted = 0.0
        for j in range(1, window):
            total += ring[j]
            weighted += j * ring[j]
        s[0] = total + x
        s[1] = (weighted + window * x) / (0.5 * window * (window + 1))
    elif n > window:
        s[1] += 2.0 / (window + 1.0) * (x - s[0] / window)
        s[0] += x - leaving
    return n >= window


@inlined_kernel
def _kama(k: int, end: int, close: FloatArray, s: FloatArray, out: FloatArray, p: IntArray) -> None:
    window, fastest, slowest = p[0], 2.0 / (p[1] + 1.0), 2.0 / (p[2] + 1.0)
    if k <= window:
        s[0] = close[end]
        return
    path = window_path(close, end, window)
    distance = close[end] - close[end - window]
    # TA-Lib compares the signed distance; only a rounded path can be shorter than it.
    ratio = 1.0 if path <= distance or path <= 0.0 else abs(distance / path)
    smoothing = ratio * (fastest - slowest) + slowest
    s[0] += smoothing * smoothing * (close[end] - s[0])
    _write_average(close[end], s[0], out)
    out[2] = min(abs(distance) / path, 1.0) if path > 0.0 else 0.0


@inlined_kernel
def _adx(k: int, end: int, history: FloatArray, s: FloatArray, out: FloatArray, window: int) -> None:
    n = k - 1
    if n < 1:
        return
    up = history[HIGH, end] - history[HIGH, end - 1]
    down = history[LOW, end - 1] - history[LOW, end]
    decay = 1.0 / window if n >= window else 0.0
    s[1] += (up if up > 0.0 and up > down else 0.0) - s[1] * decay
    s[2] += (down if down > 0.0 and down > up else 0.0) - s[2] * decay
    s[3] += history[TRUE_RANGE, end] - s[3] * decay
    if n < window:
        return
    plus = minus = 0.0
    if s[3] > 0.0:
        plus = min(100.0 * s[1] / s[3], 100.0)
        minus = min(100.0 * s[2] / s[3], 100.0)
    out[1] = plus
    out[2] = minus
    is_defined = plus + minus > 0.0
    dx = 100.0 * abs(plus - minus) / (plus + minus) if is_defined else 0.0
    last = 2 * window - 1
    if n < last:
        s[0] += dx
    elif n == last:
        s[0] = (s[0] + dx) / window
    elif is_defined:
        s[0] = (s[0] * (window - 1.0) + dx) / window
    if n >= last:
        out[0] = min(s[0], 100.0)


@inlined_kernel
def since_high(k: int, end: int, x: FloatArray, last: float, window: int) -> float:
    """Advance the bars since the latest highest of the last `window` values; it is sought anew where it drops out."""
    since = int(last) + 1
    if k == 1:
        return 0.0
    if since < window:
        return 0.0 if x[end] >= x[end - since] else 1.0 * since
    at = end
    for i in range(end - 1, end - window, -1):
        if x[i] > x[at]:
            at = i
    return 1.0 * (end - at)


@inlined_kernel
def since_low(k: int, end: int, x: FloatArray, last: float, window: int) -> float:
    """As `since_high`, of the lowest."""
    since = int(last) + 1
    if k == 1:
        return 0.0
    if since < window:
        return 0.0 if x[end] <= x[end - since] else 1.0 * since
    at = end
    for i in range(end - 1, end - window, -1):
        if x[i] < x[at]:
            at = i
    return 1.0 * (end - at)


@inlined_kernel
def _aroon(k: int, end: int, history: FloatArray, s: FloatArray, out: FloatArray, window: int) -> None:
    s[0] = since_high(k, end, history[HIGH], s[0], window + 1)
    s[1] = since_low(k, end, history[LOW], s[1], window + 1)
    if k <= window:
        return
    out[0] = 100.0 * (window - s[0]) / window
    out[1] = 100.0 * (window - s[1]) / window
    out[2] = out[0] - out[1]


@inlined_kernel
def _psar(k: int, end: int, history: FloatArray, s: FloatArray, out: FloatArray, p: IntArray) -> None:
    if k < 2:
        return
    step, limit = p[0] / 100.0, p[1] / 100.0
    high, low = history[HIGH, end], history[LOW, end]
    high_tm1, low_tm1 = history[HIGH, end - 1], history[LOW, end - 1]
    if k == 2:
        down = low_tm1 - low
        is_long = not (down > 0.0 and down > high - high_tm1)
        s[0] = low_tm1 if is_long else high_tm1
        s[1] = high if is_long else low
        s[2] = min(step, limit)
        s[3] = 1.0 if is_long else -1.0
        s[4] = -1.0
        high_tm1, low_tm1 = high, low
    # The short side is the long side of the mirrored prices.
    side = s[3]
    inner, inner_tm1, outer, outer_tm1 = low, low_tm1, high, high_tm1
    if side < 0.0:
        inner, inner_tm1, outer, outer_tm1 = -high, -high_tm1, -low, -low_tm1
    stop, point = side * s[0], side * s[1]
    flip = inner <= stop
    if flip:
        side = -side
        stop = max(point, outer_tm1, outer)
        shown = stop
        s[2] = min(step, limit)
        point = inner
        stop = max(stop + s[2] * (point - stop), outer_tm1, outer)
        stop, point, shown = -stop, -point, -shown
    else:
        shown = stop
        if outer > point:
            point = outer
            s[2] = min(s[2] + step, limit)
        stop = min(stop + s[2] * (point - stop), inner_tm1, inner)
    s[0], s[1], s[3] = side * stop, side * point, side
    s[4] = 0.0 if flip else s[4] + 1.0
    out[0] = side * shown
    out[1] = side
    out[2] = (history[CLOSE, end] - side * shown) / history[CLOSE, end]
    out[3] = 1.0 if flip else 0.0
    out[4] = s[4]


@inlined_kernel
def _ichimoku(k: int, end: int, history: FloatArray, s: FloatArray, out: FloatArray, p: IntArray) -> None:
    high, low, close = history[HIGH], history[LOW], history[CLOSE]
    conversion, base, long = p[0], p[1], p[2]
    for j in range(3):
        s[j] = since_high(k, end, high, s[j], p[j])
        s[3 + j] = since_low(k, end, low, s[3 + j], p[j])
    spans_a, spans_b = s[6 : 6 + base], s[6 + base :]
    slot = k % base
    span_a, span_b = spans_a[slot], spans_b[slot]  # of `base` bars ago
    middle = _middle(end, high, low, s, 0)
    base_line = _middle(end, high, low, s, 1)
    spans_a[slot] = 0.5 * (middle + base_line)
    spans_b[slot] = _middle(end, high, low, s, 2)
    c = close[end]
    if k >= conversion:
        out[0] = middle
        out[5] = (c - middle) / c
    if k >= base:
        out[1] = base_line
        out[6] = (c - base_line) / c
    if k >= max(conversion, base) + base:
        out[2] = span_a
        out[7] = (c - span_a) / c
    if k >= long + base:
        out[3] = span_b
        out[8] = (c - span_b) / c
    if k > base:
        out[4] = c / close[end - base] - 1.0


@inlined_kernel
def _middle(end: int, high: FloatArray, low: FloatArray, s: FloatArray, j: int) -> float:
    middle: float = 0.5 * (high[end - int(s[j])] + low[end - int(s[3 + j])])
    return middle


@inlined_kernel
def _supertrend(k: int, end: int, history: FloatArray, s: FloatArray, out: FloatArray, p: IntArray) -> None:
    window, multiple = p[0], p[1]
    s[0] = wilder_next(s[0], history[TRUE_RANGE, end], k - 1, window)
    if k <= window:
        return
    c, c_tm1 = history[CLOSE, end], history[CLOSE, end - 1]
    middle = 0.5 * (history[HIGH, end] + history[LOW, end])
    upper, lower = middle + multiple * s[0], middle - multiple * s[0]
    if k == window + 1:
        s[3] = -1.0
    else:
        upper = upper if c_tm1 > s[1] else min(upper, s[1])
        lower = lower if c_tm1 < s[2] else max(lower, s[2])
    if s[3] < 0.0 and c > upper:
        s[3] = 1.0
    elif s[3] > 0.0 and c < lower:
        s[3] = -1.0
    s[1], s[2] = upper, lower
    line = lower if s[3] > 0.0 else upper
    out[0] = line
    out[1] = s[3]
    out[2] = (c - line) / c


@inlined_kernel
def _chandelier(k: int, end: int, history: FloatArray, s: FloatArray, out: FloatArray, p: IntArray) -> None:
    window, multiple = p[0], p[1]
    s[0] = wilder_next(s[0], history[TRUE_RANGE, end], k - 1, window)
    s[1] = since_high(k, end, history[HIGH], s[1], window)
    s[2] = since_low(k, end, history[LOW], s[2], window)
    if k <= window:
        return
    c = history[CLOSE, end]
    long = history[HIGH, end - int(s[1])] - multiple * s[0]
    short = history[LOW, end - int(s[2])] + multiple * s[0]
    out[0] = long
    out[1] = short
    out[2] = (c - long) / c
    out[3] = (c - short) / c


@inlined_kernel
def _linreg(k: int, end: int, close: FloatArray, out: FloatArray, window: int) -> None:
    if k < window:
        return
    w, newest = close[end - window + 1 : end + 1], close[end]
    middle = 0.5 * (window - 1)
    total = total_odd = squares = squares_odd = covariance = covariance_odd = 0.0
    u = -middle
    i = 0
    while i + 1 < window:
        y, z = w[i] - newest, w[i + 1] - newest
        total += y
        total_odd += z
        squares += y * y
        squares_odd += z * z
        covariance += u * y
        covariance_odd += (u + 1.0) * z
        u += 2.0
        i += 2
    # The newest value differs from itself by 0: an odd one left over adds nothing.
    total += total_odd
    squares = squares + squares_odd - total * (total / window)
    covariance += covariance_odd
    times = window * (window * window - 1.0) / 12.0
    out[0] = covariance / times / newest
    out[1] = min(covariance * covariance / (times * squares), 1.0) if squares > 0.0 else 0.0
