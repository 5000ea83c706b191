"""What the market knew of a symbol before a bar: average volume, volatility and spread over the bars before it.

Rows are frames, columns symbols; a row without a bar of the symbol is NaN and left out. Nothing is kept between bars:
a few hundred numbers are read again where an order trades, so a broker that was restarted needs the bars and no more.
"""

import math

from outcry.compiled import inlined_kernel, kernel
from outcry.market.frame import FloatArray

Bars = tuple[FloatArray, FloatArray, FloatArray, FloatArray, FloatArray, FloatArray, FloatArray, FloatArray, FloatArray]
"""open, high, low, close, volume (n_frames, n_symbols); the quoted spread as a fraction of the price, NaN where not
known; split ratio, dividend and split factor of `outcry.market.frame.Frame`, or no rows where nothing ever happened."""
OPEN, HIGH, LOW, CLOSE, BAR_VOLUME, QUOTED_SPREAD, BAR_SPLIT, BAR_DIVIDEND, BAR_FACTOR = range(9)
N_BAR_COLUMNS = 9

SQRT_2 = math.sqrt(2.0)
CORWIN_SCHULTZ = 3.0 - 2.0 * SQRT_2
LONG_WINDOWS = 5
"""Average volatility is taken over so many windows."""


@inlined_kernel
def factor_of(bars: Bars, row: int, i: int) -> float:
    """Return what prices of a row are multiplied by, and volumes divided by, so that they go on across splits."""
    return bars[BAR_FACTOR][row, i] if len(bars[BAR_FACTOR]) else 1.0


@kernel
def mean_volume(bars: Bars, t: int, i: int, window: int) -> float:
    """Return the mean volume of the last `window` bars of symbol i before row t, shares of row t; 0 where none is."""
    total, n = 0.0, 0
    for row in range(max(t - window, 0), t):
        volume = bars[BAR_VOLUME][row, i]
        if not math.isnan(volume):
            total += volume / factor_of(bars, row, i)
            n += 1
    return total / n * factor_of(bars, t, i) if n else 0.0


@kernel
def bar_volatility(bars: Bars, t: int, i: int, window: int) -> float:
    """Return the root mean square of the log returns of a symbol over `window` rows before row t; 0 without two closes.

    Around zero, not the mean: over a few bars a mean is noise.
    """
    total, n, last = 0.0, 0, math.nan
    for row in range(max(t - window - 1, 0), t):
        close = bars[CLOSE][row, i] * factor_of(bars, row, i)
        if math.isnan(close):
            continue
        if not math.isnan(last):
            step = math.log(close / last)
            total += step * step
            n += 1
        last = close
    return math.sqrt(total / n) if n else 0.0


@kernel
def half_spread(bars: Bars, t: int, i: int, window: int) -> float:
    """Return half of the spread before row t, a fraction of the price: as quoted last, else an estimate; 0 if none.

    References
    ----------
    Corwin & Schultz, "A simple way to estimate bid-ask spreads from daily high and low prices", Journal of Finance 67
    (2012), eq. 14 and 18: ``S = 2 (e^α − 1) / (1 + e^α)``, ``α = (√(2β) − √β) / (3 − 2√2) − √(γ / (3 − 2√2))``, with β
    the sum of squared log ranges of two bars and γ that of the range over both. Negative estimates count as 0, and the
    mean is taken over the window.
    """
    quoted = bars[QUOTED_SPREAD][t - 1, i] if t > 0 else math.nan
    if not math.isnan(quoted):
        return max(quoted, 0.0) / 2.0
    total, n = 0.0, 0
    last_high, last_low = math.nan, math.nan
    for row in range(max(t - window - 1, 0), t):
        factor = factor_of(bars, row, i)
        high, low = bars[HIGH][row, i] * factor, bars[LOW][row, i] * factor
        if math.isnan(high):
            continue
        if not math.isnan(last_high):
            one, two = math.log(high / low), math.log(last_high / last_low)
            both = math.log(max(high, last_high) / min(low, last_low))
            beta, gamma = one * one + two * two, both * both
            alpha = (SQRT_2 - 1.0) * math.sqrt(beta) / CORWIN_SCHULTZ - math.sqrt(gamma / CORWIN_SCHULTZ)
            total += max(2.0 * (math.exp(alpha) - 1.0) / (1.0 + math.exp(alpha)), 0.0)
            n += 1
        last_high, last_low = high, low
    return total / n / 2.0 if n else 0.0
