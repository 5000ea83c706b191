"""How fast a level returns to its mean: AR(1), half-life and the Ornstein-Uhlenbeck process behind it.

=============  =========================================================  =================
slot of `out`  meaning                                                    unit
=============  =========================================================  =================
STRENGTH       1 - b, the part of a deviation that one bar takes back     ratio
HALF_LIFE      bars until half of a deviation is left                     bars
THETA          speed of reversion                                         1/bar
MU             the level it returns to                                    as x
SIGMA          volatility of the process                                  as x, /sqrt(bar)
=============  =========================================================  =================
"""

import math

from outcry.compiled import kernel
from outcry.features.kernels.window import is_flat, window_mean, window_squares
from outcry.market.frame import FloatArray

STRENGTH, HALF_LIFE, THETA, MU, SIGMA = range(5)
MEAN_REVERSION_SLOTS = 5

THETA_MAX_PER_BAR = 5.0
"""A level that is back within a bar has no measurable speed: ``b = exp(-5)`` stands for every smaller slope."""


@kernel
def write_mean_reversion(x: FloatArray, end: int, window: int, cap_bars: float, out: FloatArray) -> None:
    """Fit ``x_t = a + b x_{t-1} + e_t`` over the window and write what it says about mean reversion.

    ``theta = -ln b``, ``mu = a/(1 - b)``, ``sigma = s sqrt(2 theta/(1 - b^2))``, half-life ``ln 2/theta``, with s the
    residual deviation (ddof 2): the exact discretisation of ``dx = theta (mu - x) dt + sigma dW`` with dt = 1 bar.

    Parameters
    ----------
    x : float64, any unit
        Log prices, usually.
    cap_bars : float
        Longest half-life that counts as reversion. From it on, with b >= 1 too, the level does not revert: theta is 0,
        mu the mean of the window, sigma s (the limit), the half-life `cap_bars`.
    out : float64 (MEAN_REVERSION_SLOTS,)
        STRENGTH in [-1, 2] (cut), HALF_LIFE in [ln 2/THETA_MAX_PER_BAR, cap_bars], THETA in [0, THETA_MAX_PER_BAR],
        SIGMA >= 0. Equal values: 0, `cap_bars`, 0, the value, 0.

    References
    ----------
    Gillespie, Exact numerical simulation of the Ornstein-Uhlenbeck process and its integral, 1996; Chan, Algorithmic
    Trading, 2013, chapter 2 (half-life).
    """
    slope, intercept, deviation = _fit_ar1(x, end, window)
    out[STRENGTH] = min(max(1.0 - slope, -1.0), 2.0)
    if slope >= 2.0 ** (-1.0 / cap_bars):
        out[HALF_LIFE] = cap_bars
        out[THETA] = 0.0
        out[MU] = x[end] if is_flat(x, end, window) else window_mean(x, end, window)
        out[SIGMA] = deviation
        return
    slope = max(slope, math.exp(-THETA_MAX_PER_BAR))
    theta = -math.log(slope)
    out[HALF_LIFE] = math.log(2.0) / theta
    out[THETA] = theta
    out[MU] = intercept / (1.0 - slope)
    out[SIGMA] = deviation * math.sqrt(2.0 * theta / (1.0 - slope * slope))


@kernel
def _fit_ar1(x: FloatArray, end: int, window: int) -> tuple[float, float, float]:
    """Return slope, intercept and residual deviation of x_t on x_{t-1}; slope 1 where x_{t-1} does not vary."""
    n = window - 1
    if is_flat(x, end, window):
        return 1.0, 0.0, 0.0
    mean, mean_tm1 = window_mean(x, end, n), window_mean(x, end - 1, n)
    slope = 1.0
    if not is_flat(x, end - 1, n):
        product = 0.0
        for t in range(end - n + 1, end + 1):
            product += (x[t] - mean) * (x[t - 1] - mean_tm1)
        squares = window_squares(x, end - 1, n, mean_tm1)
        slope = product / squares if squares > 0.0 else 1.0
    residual_squares = 0.0
    for t in range(end - n + 1, end + 1):
        residual = (x[t] - mean) - slope * (x[t - 1] - mean_tm1)
        residual_squares += residual * residual
    return slope, mean - slope * mean_tm1, math.sqrt(residual_squares / (n - 2.0))
