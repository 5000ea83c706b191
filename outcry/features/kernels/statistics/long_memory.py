"""Long memory and roughness: the Hurst exponent, the box-counting dimension and the regime they agree on."""

import math

from outcry.compiled import kernel
from outcry.features.kernels.statistics.sums import write_centred
from outcry.features.kernels.window import window_max, window_min
from outcry.market.frame import FloatArray

_BOX_SIDES = (1, 2, 4, 8, 16)
_REGIME_BAND = 0.05


@kernel
def hurst_exponent(x: FloatArray, end: int, window: int, scratch: FloatArray) -> float:
    """Return the Hurst exponent of the last `window` returns by detrended fluctuation analysis of order 1.

    The profile, the running sum of deviations from the mean, is cut into boxes of s bars; F(s)^2 is the mean square
    around the line through each box. The exponent is the slope of ln F on ln s, after F is divided by its exact
    expectation for independent returns, ``sqrt((s^2 - 4)/(15 s))``, and 1/2 is added: small boxes then do not make
    independent returns look persistent. The sizes are the divisors of `window` from 4 to ``window/4``, so every bar
    counts once at every size: 4, 5, 10, 20, 25 for 100 bars.

    Parameters
    ----------
    x : float64, any unit
        Log returns.
    window : int
        With two such divisors at least (50, 60, 100, 128, 252 have).
    scratch : float64 (window,)

    Returns
    -------
    float
        In [0, 1] (cut): 1/2 for independent returns, more if persistent. 1/2 for equal values.

    References
    ----------
    Peng and others, Mosaic organization of DNA nucleotides, 1994; Kantelhardt and others, Detecting long-range
    correlations with detrended fluctuation analysis, 2001 (correction at small s).
    """
    if write_centred(x, end, window, scratch) <= 0.0:
        return 0.5
    for i in range(1, window):
        scratch[i] += scratch[i - 1]
    n = a = b = aa = ab = 0.0
    for size in range(4, window // 4 + 1):
        if window % size == 0:
            left, total = _detrended_squares(scratch, window, size)
            # A profile of straight boxes leaves rounding only.
            if left > 1e-12 * total:
                log_size = math.log(size)
                log_fluctuation = 0.5 * math.log(left / window * (15.0 * size) / (size * size - 4.0))
                n += 1.0
                a += log_size
                b += log_fluctuation
                aa += log_size * log_size
                ab += log_size * log_fluctuation
    if n < 2.0:
        return 0.5
    return min(max(0.5 + (n * ab - a * b) / (n * aa - a * a), 0.0), 1.0)


@kernel
def _detrended_squares(y: FloatArray, n: int, size: int) -> tuple[float, float]:
    """Return the squares around the lines of all boxes of `size` values, and around their means."""
    middle = 0.5 * (size - 1.0)
    line = size * (size * size - 1.0) / 12.0
    left = total = 0.0
    for start in range(0, n, size):
        mean = 0.0
        for i in range(size):
            mean += y[start + i]
        mean /= size
        squares = product = 0.0
        for i in range(size):
            u = y[start + i] - mean
            squares += u * u
            product += u * (i - middle)
        total += squares
        left += max(squares - product * product / line, 0.0)
    return left, total


@kernel
def box_dimension(x: FloatArray, end: int, window: int) -> float:
    """Return the box-counting dimension of the graph of the last `window` values, joined by straight lines.

    The graph is stretched to the unit square and covered by boxes of side 1, 1/2, 1/4, 1/8, 1/16; the dimension is the
    slope of ln N on ln(1/side), N the number of boxes the graph enters.

    Parameters
    ----------
    x : float64, any unit
        Log prices, usually.
    window : int
        More than 16; 50, usually.

    Returns
    -------
    float
        In [1, 2] (cut): 1 for a line, about 1.5 for a random walk, more if the walk reverses. 1 for equal values.

    References
    ----------
    Falconer, Fractal Geometry, 1990, section 3.1.
    """
    low = window_min(x, end, window)
    height = window_max(x, end, window) - low
    if height <= 0.0:
        return 1.0
    # ln(1/side) is j ln 2, j from 0 to 4 with mean 2: the slope of a regression on it has fixed weights j - 2.
    slope = 0.0
    for j in range(len(_BOX_SIDES)):
        slope += (j - 2.0) * math.log(_count_boxes(x[end - window + 1 : end + 1], low, height, _BOX_SIDES[j]))
    return min(max(slope / (10.0 * math.log(2.0)), 1.0), 2.0)


@kernel
def _count_boxes(x: FloatArray, low: float, height: float, n_columns: int) -> int:
    """Count the boxes of a square of `n_columns` columns that the line through the points of `x` enters."""
    n_steps = len(x) - 1
    count = 0
    i = 0
    at_left = x[0]
    for column in range(1, n_columns + 1):
        right = column * n_steps / n_columns
        top = bottom = at_left
        while i < right:
            top, bottom = max(top, x[i]), min(bottom, x[i])
            i += 1
        # i is the first point that is not left of the border: the line crosses it between i - 1 and i.
        at_right = x[i] + (right - i) * (x[i] - x[i - 1])
        top, bottom = max(top, at_right), min(bottom, at_right)
        # A value that rounding moves over a line of the grid is on the line.
        upper = math.ceil((top - low) / height * n_columns - 1e-9)
        lower = math.floor((bottom - low) / height * n_columns + 1e-9)
        count += max(int(upper - lower), 1)
        at_left = at_right
    return count


@kernel
def fractal_regime(hurst: float, dimension: float) -> float:
    """Return 1 where exponent and dimension both say that moves go on, -1 where both say that they reverse, else 0.

    They say so from a distance of 0.05 to the values of a random walk, 1/2 and 3/2. For a self-affine series the
    dimension is 2 less the exponent (Mandelbrot, Self-affine fractals and fractal dimension, 1985). Of independent
    normal returns one window in ten reads as 1 and one in twelve as -1 (100 bars for the exponent, 50 for the
    dimension).
    """
    if hurst > 0.5 + _REGIME_BAND and dimension < 1.5 - _REGIME_BAND:
        return 1.0
    if hurst < 0.5 - _REGIME_BAND and dimension > 1.5 + _REGIME_BAND:
        return -1.0
    return 0.0
