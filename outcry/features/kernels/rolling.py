"""Rolling statistics of one symbol.

State (float64, a row a symbol)

================  ==================================================================  ==========
indicator         slots                                                               unit
================  ==================================================================  ==========
return_quantiles  the last w log returns in ascending order                           ratio
close_quantiles   the last w closes in ascending order                                price
tail_risk         the last w log returns in ascending order                           ratio
polynomial_fit    sign of the curvature of the last bar                               1
cusum             up and down sum, 0 after they passed the threshold                  deviations
drawdown          highest close and bars since it, lowest close and bars since it     price, bars
================  ==================================================================  ==========

Loops run over slices from 0: the compiler then knows that no index is negative.
"""

import math

from outcry.compiled import inlined_kernel
from outcry.features.families.rolling import (
    CLOSE_MOMENTS,
    CLOSE_QUANTILES,
    CUSUM,
    DRAWDOWN,
    EXACT_FIT,
    POLYNOMIAL_FIT,
    PRICE_VOLUME,
    RETURN_QUANTILES,
    SEMI_DEVIATION,
    SIGN_ENTROPY,
    TAIL_RISK,
    UP_VOLUME,
    VARIANCE_RATIO,
    VARIANCE_RATIO_BARS,
    VARIANCE_RATIO_CADENCE_BARS,
)
from outcry.features.kernels.bars import CLOSE, LOG_CLOSE, LOG_RETURN, VOLUME
from outcry.features.kernels.sorted_window import (
    count_below,
    count_up_to,
    median_deviation,
    push_sorted,
    sorted_quantile,
)
from outcry.features.kernels.window import is_flat, window_moments
from outcry.market.frame import FloatArray, IntArray


@inlined_kernel
def step_rolling(
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
    close, log_return, window = history[CLOSE], history[LOG_RETURN], p[0]
    if opcode == CLOSE_MOMENTS:
        if k >= window:
            _close_moments(end, close, out, window)
    elif opcode == RETURN_QUANTILES:
        if k > 1:
            _return_quantiles(k - 1, end, log_return, s, out, window)
    elif opcode == CLOSE_QUANTILES:
        _close_quantiles(k, end, close, s, out, window)
    elif opcode == TAIL_RISK:
        if k > 1:
            _tail_risk(k - 1, end, log_return, s, out, window)
    elif opcode == SEMI_DEVIATION:
        if k > window:
            _semi_deviation(log_return[end - window + 1 : end + 1], out, window)
    elif opcode == POLYNOMIAL_FIT:
        if k >= window:
            _polynomial_fit(k, close[end - window + 1 : end + 1], s, out, window)
    elif opcode == CUSUM:
        if k > window:
            _cusum(end, log_return, s, out, window)
    elif opcode == VARIANCE_RATIO:
        if k > window and (k - window - 1) % VARIANCE_RATIO_CADENCE_BARS == 0:
            _variance_ratio(history[LOG_CLOSE, end - window : end + 1], out, window)
    elif opcode == SIGN_ENTROPY:
        if k > window:
            out[0] = _sign_entropy(log_return[end - window + 1 : end + 1], window)
    elif opcode == DRAWDOWN:
        _drawdown(k, end, close, s, out, window)
    elif opcode == UP_VOLUME:
        if k > window:
            _up_volume(log_return[end - window + 1 : end + 1], history[VOLUME, end - window + 1 : end + 1], out, window)
    elif opcode == PRICE_VOLUME and k >= window:
        _price_volume(k, end, history, out, window)


@inlined_kernel
def _close_moments(end: int, close: FloatArray, out: FloatArray, window: int) -> None:
    c = close[end]
    mean, deviation = window_moments(close, end, window, 1)
    deviation /= c
    out[0] = mean / c
    out[1] = deviation
    out[2] = deviation * deviation


@inlined_kernel
def _return_quantiles(n: int, end: int, x: FloatArray, s: FloatArray, out: FloatArray, window: int) -> None:
    push_sorted(s, n, window, x[end], x[end - window])
    if n < window:
        return
    out[0] = sorted_quantile(s, window, 0.1)
    out[1] = sorted_quantile(s, window, 0.25)
    out[2] = sorted_quantile(s, window, 0.5)
    out[3] = sorted_quantile(s, window, 0.75)
    out[4] = sorted_quantile(s, window, 0.9)
    out[5] = median_deviation(s, window, out[2])


@inlined_kernel
def _close_quantiles(k: int, end: int, close: FloatArray, s: FloatArray, out: FloatArray, window: int) -> None:
    push_sorted(s, k, window, close[end], close[end - window])
    if k < window:
        return
    c = close[end]
    low, high = sorted_quantile(s, window, 0.1), sorted_quantile(s, window, 0.9)
    out[0] = 0.5 * (count_below(s, window, c) + count_up_to(s, window, c)) / window
    out[1] = (c - low) / (high - low) if high > low else 0.5
    out[2] = (c - sorted_quantile(s, window, 0.5)) / c


@inlined_kernel
def _tail_risk(n: int, end: int, x: FloatArray, s: FloatArray, out: FloatArray, window: int) -> None:
    push_sorted(s, n, window, x[end], x[end - window])
    if n < window:
        return
    low, lowest = sorted_quantile(s, window, 0.05), sorted_quantile(s, window, 0.01)
    high = abs(sorted_quantile(s, window, 0.95))
    out[0] = max(-low, 0.0)
    out[1] = max(-lowest, 0.0)
    out[2] = max(-_mean_up_to(s, window, low), 0.0)
    out[3] = max(-_mean_up_to(s, window, lowest), 0.0)
    if high < 100.0 * abs(low):
        out[4] = high / abs(low)
    else:
        out[4] = 100.0 if high > 0.0 else 1.0
    mean, deviation = window_moments(x, end, window, 1)
    out[5] = max((s[window - 1] - mean) / deviation, 0.0) if deviation > 0.0 else 0.0
    out[6] = min((s[0] - mean) / deviation, 0.0) if deviation > 0.0 else 0.0


@inlined_kernel
def _mean_up_to(s: FloatArray, window: int, quantile: float) -> float:
    total = 0.0
    j = 0
    while j < window and s[j] <= quantile:
        total += s[j]
        j += 1
    return total / j


@inlined_kernel
def _semi_deviation(x: FloatArray, out: FloatArray, window: int) -> None:
    gain = loss = gains = losses = 0.0
    rising = falling = 0
    for i in range(window):
        up, down = max(x[i], 0.0), max(-x[i], 0.0)
        gain += up
        loss += down
        gains += up * up
        losses += down * down
        rising += x[i] > 0.0
        falling += x[i] < 0.0
    out[0] = math.sqrt(losses / window)
    out[1] = math.sqrt(gains / window)
    mean_gain, mean_loss = gain / max(rising, 1), loss / max(falling, 1)
    total = mean_gain + mean_loss
    out[2] = (mean_gain - mean_loss) / total if total > 0.0 else 0.0


@inlined_kernel
def _polynomial_fit(k: int, close: FloatArray, s: FloatArray, out: FloatArray, window: int) -> None:
    """Fit a line and a parabola by polynomials of the bar number that are orthogonal over the window."""
    n = float(window)
    c, middle, square = close[window - 1], 0.5 * (n - 1.0), (n * n - 1.0) / 12.0
    total = first = second = 0.0
    for i in range(window):
        u, y = i - middle, close[i] - c
        total += y
        first += u * y
        second += (u * u - square) * y
    norm = n * square
    mean, slope = total / n, first / norm
    curvature = second / (norm * (n * n - 4.0) / 15.0)
    squares = 0.0
    for i in range(window):
        rest = close[i] - c - mean - slope * (i - middle)
        squares += rest * rest
    error = math.sqrt(squares / (n - 2.0))
    out[0] = (-mean - slope * middle) / error if error > EXACT_FIT * c else 0.0
    out[1] = error / c
    out[2] = error / math.sqrt(norm) / c
    out[3] = (mean + slope * (middle + 1.0)) / c
    out[4] = curvature / c
    deviations = squares + slope * first
    out[5] = min(curvature * second / deviations, 1.0) if deviations > 0.0 else 0.0
    bend = curvature * middle * middle
    sign = 0.0
    if abs(bend) > EXACT_FIT * c:
        sign = 1.0 if bend > 0.0 else -1.0
    if k > window:
        out[6] = sign if sign * s[0] <= 0.0 else 0.0
    s[0] = sign


@inlined_kernel
def _cusum(end: int, x: FloatArray, s: FloatArray, out: FloatArray, window: int) -> None:
    mean, deviation = window_moments(x, end, window, 1)
    score = (x[end] - mean) / deviation if deviation > 0.0 else 0.0
    out[0] = max(s[0] + score, 0.0)
    out[1] = min(s[1] + score, 0.0)
    s[0] = out[0] if out[0] <= 1.0 else 0.0
    s[1] = out[1] if out[1] >= -1.0 else 0.0
    out[2] = 1.0 if out[0] > 1.0 else -1.0 if out[1] < -1.0 else 0.0


@inlined_kernel
def _variance_ratio(x: FloatArray, out: FloatArray, window: int) -> None:
    """Compare variances over several bars (Lo and MacKinlay, 1988, equation 12); `x` holds `window` + 1 log closes."""
    one = _overlapping_variance(x, window, 1)
    for j in range(len(VARIANCE_RATIO_BARS)):
        out[j] = _overlapping_variance(x, window, VARIANCE_RATIO_BARS[j]) / one if one > 0.0 else 1.0
    a = b = 0.0
    for j in range(window // 2):
        i = 2 * j
        a += abs(x[i + 1] - x[i])
        b += abs(x[i + 2] - x[i + 1])
    path = a + b if window % 2 == 0 else a + b + abs(x[window] - x[window - 1])
    out[len(VARIANCE_RATIO_BARS)] = min(abs(x[window] - x[0]) / path, 1.0) if path > 0.0 else 0.0


@inlined_kernel
def _overlapping_variance(x: FloatArray, window: int, bars: int) -> float:
    """Estimate the variance of the change over `bars`, a bar, without bias under a random walk with drift."""
    drift = bars * ((x[window] - x[0]) / window)
    n = window - bars + 1
    before, after = x[:n], x[bars:]
    a = b = c = d = 0.0
    for j in range(n // 4):
        i = 4 * j
        a += (after[i] - before[i] - drift) * (after[i] - before[i] - drift)
        b += (after[i + 1] - before[i + 1] - drift) * (after[i + 1] - before[i + 1] - drift)
        c += (after[i + 2] - before[i + 2] - drift) * (after[i + 2] - before[i + 2] - drift)
        d += (after[i + 3] - before[i + 3] - drift) * (after[i + 3] - before[i + 3] - drift)
    for i in range(n // 4 * 4, n):
        a += (after[i] - before[i] - drift) * (after[i] - before[i] - drift)
    return ((a + b) + (c + d)) / (bars * n * (1.0 - bars / window))


@inlined_kernel
def _sign_entropy(x: FloatArray, window: int) -> float:
    rising = falling = 0
    for i in range(window):
        rising += x[i] > 0.0
        falling += x[i] < 0.0
    entropy = 0.0
    for count in (rising, falling, window - rising - falling):
        if count > 0:
            entropy -= count / window * math.log(count / window)
    return min(entropy / math.log(3.0), 1.0)


@inlined_kernel
def _drawdown(k: int, end: int, close: FloatArray, s: FloatArray, out: FloatArray, window: int) -> None:
    """Follow the extremes; only where one leaves the window is it searched anew."""
    c = close[end]
    s[1] += 1.0
    s[3] += 1.0
    if k == 1 or c >= s[0]:
        s[0], s[1] = c, 0.0
    elif s[1] >= window:
        s[0], s[1] = c, 0.0
        for j in range(1, window):
            if close[end - j] > s[0]:
                s[0], s[1] = close[end - j], j
    if k == 1 or c <= s[2]:
        s[2], s[3] = c, 0.0
    elif s[3] >= window:
        s[2], s[3] = c, 0.0
        for j in range(1, window):
            if close[end - j] < s[2]:
                s[2], s[3] = close[end - j], j
    if k >= window:
        out[0] = 1.0 - c / s[0]
        out[1] = c / s[2] - 1.0
        out[2] = s[1]
        out[3] = s[3]


@inlined_kernel
def _up_volume(x: FloatArray, volume: FloatArray, out: FloatArray, window: int) -> None:
    up = down = rising = falling = 0.0
    for i in range(window):
        is_up, is_down = 1.0 * (x[i] > 0.0), 1.0 * (x[i] < 0.0)  # factors, as a sign cannot be predicted
        up += is_up * volume[i]
        down += is_down * volume[i]
        rising += is_up
        falling += is_down
    out[0] = up / (up + down) if up + down > 0.0 else 0.5
    up, down = up / max(rising, 1.0), down / max(falling, 1.0)
    out[1] = (up - down) / (up + down) if up + down > 0.0 else 0.0


@inlined_kernel
def _price_volume(k: int, end: int, history: FloatArray, out: FloatArray, window: int) -> None:
    start = end - window + 1
    close, volume = history[CLOSE, start : end + 1], history[VOLUME, start : end + 1]
    change = history[LOG_RETURN, start : end + 1]
    mean_close = mean_volume = mean_change = mean_size = 0.0
    for i in range(window):
        mean_close += close[i]
        mean_volume += volume[i]
        mean_change += change[i]
        mean_size += abs(change[i])
    mean_close /= window
    mean_volume /= window
    mean_change /= window
    mean_size /= window
    with_close = with_change = with_size = squares = squares_close = squares_change = squares_size = 0.0
    for i in range(window):
        w, x, y, z = volume[i] - mean_volume, close[i] - mean_close, change[i] - mean_change, abs(change[i]) - mean_size
        squares += w * w
        with_close += w * x
        squares_close += x * x
        with_change += w * y
        squares_change += y * y
        with_size += w * z
        squares_size += z * z
    is_still = is_flat(history[VOLUME], end, window)
    is_constant = is_still or is_flat(history[CLOSE], end, window)
    out[0] = 0.0 if is_constant else _ratio(with_close, squares_close, squares)
    if k > window:
        is_constant = is_still or is_flat(history[LOG_RETURN], end, window)
        out[1] = 0.0 if is_constant else _ratio(with_change, squares_change, squares)
        out[2] = 0.0 if is_constant else _ratio(with_size, squares_size, squares)


@inlined_kernel
def _ratio(product: float, squares_a: float, squares_b: float) -> float:
    scale = math.sqrt(squares_a) * math.sqrt(squares_b)
    return min(max(product / scale, -1.0), 1.0) if scale > 0.0 else 0.0
