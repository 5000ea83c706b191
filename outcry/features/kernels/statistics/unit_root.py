"""Is the level of a series stationary: ADF, KPSS and the flag they agree on."""

import math

from outcry.compiled import kernel
from outcry.features.kernels.statistics.sums import write_centred
from outcry.features.kernels.window import product_sum
from outcry.market.frame import FloatArray

ADF_LIMIT = 100.0
"""Where the t statistic is cut: a series that the regression fits without error has none."""

KPSS_CRITICAL_5PCT = 0.463
"""Kwiatkowski, Phillips, Schmidt, Shin, 1992, table 1, level stationarity."""

_COLLINEAR = 1e-12


@kernel
def adf_statistic(x: FloatArray, end: int, window: int, n_lags: int, scratch: FloatArray) -> float:
    """Return the augmented Dickey-Fuller t statistic with a constant and `n_lags` lagged changes.

    The t ratio of b in ``dx_t = a + b x_{t-1} + c_1 dx_{t-1} + .. + c_p dx_{t-p} + e_t``, over the
    ``window - 1 - n_lags`` values of t whose terms lie in the window. Constant and lags are removed from level and
    change by Gram and Schmidt, which leaves a regression of one variable.

    Parameters
    ----------
    x : float64, any unit
        Log prices, usually.
    n_lags : int
        1, usually; ``window > 2 n_lags + 4``.
    scratch : float64 ((n_lags + 2) window,)

    Returns
    -------
    float
        In [-ADF_LIMIT, ADF_LIMIT]. 0, no evidence, where the level does not vary beside the lagged changes or the
        change does not vary.

    References
    ----------
    Said, Dickey, Testing for unit roots in ARMA models of unknown order, 1984
    (statsmodels `adfuller(maxlag=n_lags, regression="c", autolag=None)`).
    """
    n = window - 1 - n_lags
    for column in range(n_lags + 2):
        _write_regressor(x, end, column, n_lags, scratch[column * n : (column + 1) * n])
    level, change = scratch[n_lags * n : (n_lags + 1) * n], scratch[(n_lags + 1) * n : (n_lags + 2) * n]
    level_squares, change_squares = product_sum(level, level, n), product_sum(change, change, n)
    for column in range(n_lags):
        lagged = scratch[column * n : (column + 1) * n]
        for later in range(column + 1, n_lags + 2):
            _remove(lagged, scratch[later * n : (later + 1) * n], n)
    squares, left = product_sum(level, level, n), product_sum(change, change, n)
    if squares <= _COLLINEAR * level_squares or left <= _COLLINEAR * change_squares:
        return 0.0
    slope = _remove(level, change, n)
    residual = product_sum(change, change, n)
    if residual <= _COLLINEAR * left:
        return math.copysign(ADF_LIMIT, slope)
    t = slope * math.sqrt(squares * (n - n_lags - 2.0) / residual)
    return min(max(t, -ADF_LIMIT), ADF_LIMIT)


@kernel
def _write_regressor(x: FloatArray, end: int, column: int, n_lags: int, out: FloatArray) -> None:
    """Write a centred column of the regression: the lagged changes, then the level, then the change."""
    n = len(out)
    start = end - n + 1
    total = 0.0
    for i in range(n):
        t = start + i
        if column < n_lags:
            out[i] = x[t - column - 1] - x[t - column - 2]
        elif column == n_lags:
            out[i] = x[t - 1]
        else:
            out[i] = x[t] - x[t - 1]
        total += out[i]
    mean = total / n
    for i in range(n):
        out[i] -= mean


@kernel
def _remove(u: FloatArray, w: FloatArray, n: int) -> float:
    """Subtract from `w` its projection on `u`, and return the slope; 0 where `u` is."""
    squares = product_sum(u, u, n)
    slope = product_sum(u, w, n) / squares if squares > 0.0 else 0.0
    for i in range(n):
        w[i] -= slope * u[i]
    return slope


@kernel
def kpss_statistic(x: FloatArray, end: int, window: int, n_lags: int, scratch: FloatArray) -> float:
    """Return the KPSS statistic of stationarity around a level.

    ``sum_t S_t^2 / (n^2 s^2)`` with S the running sum of deviations from the mean and s^2 their long-run variance,
    with Bartlett weights ``1 - k/(n_lags + 1)``.

    Parameters
    ----------
    x : float64, any unit
        Log prices, usually.
    n_lags : int
        Schwert's ``12 (window/100)^(1/4)``, usually: 12 for 100 bars.
    scratch : float64 (window,)

    Returns
    -------
    float
        In [0, inf); 0 for equal values.

    References
    ----------
    Kwiatkowski, Phillips, Schmidt, Shin, Testing the null hypothesis of stationarity against the alternative of a unit
    root, 1992, equations 10 and 11 (statsmodels `kpss(regression="c", nlags=n_lags)`).
    """
    variance = write_centred(x, end, window, scratch)
    if variance <= 0.0:
        return 0.0
    for lag in range(1, n_lags + 1):
        weight = 1.0 - lag / (n_lags + 1.0)
        variance += 2.0 * weight * product_sum(scratch, scratch[lag:], window - lag)
    running = total = 0.0
    for i in range(window):
        running += scratch[i]
        total += running * running
    # The weights are positive definite: only rounding could bring the variance to 0.
    return total / (window * variance) if variance > 0.0 else 0.0


@kernel
def is_stationary(adf: float, kpss: float, n_observations: int) -> bool:
    """Say whether, at 5 %, ADF rejects a unit root and KPSS does not reject stationarity.

    `n_observations` are those of the ADF regression, ``window - 1 - n_lags``. The critical value is that of
    MacKinnon, Critical values for cointegration tests, 2010, table 2 (one series, constant).
    """
    u = 1.0 / n_observations
    critical = -2.86154 + u * (-2.8903 + u * (-4.234 - 40.040 * u))
    return adf < critical and kpss < KPSS_CRITICAL_5PCT
