"""Linear dependence of a series on its own past: ACF, PACF, Ljung-Box.

The three are one chain: `write_autocorrelations` reads the window, the other two read what it wrote.
"""

import math

from outcry.compiled import kernel
from outcry.features.kernels.statistics.sums import write_centred
from outcry.features.kernels.window import product_sum
from outcry.market.frame import FloatArray


@kernel
def write_autocorrelations(
    x: FloatArray, end: int, window: int, n_lags: int, scratch: FloatArray, out: FloatArray
) -> None:
    """Write the autocorrelations of lags 1 to `n_lags` of the last `window` values.

    ``r_k = sum (x_t - m)(x_{t-k} - m) / sum (x_t - m)^2``, both sums over the window with its one mean m: the biased
    form, which is positive definite.

    Parameters
    ----------
    x : float64, any unit
        Log returns, usually.
    n_lags : int
        Fewer than `window`.
    scratch : float64 (window,)
    out : float64 (n_lags,)
        In [-1, 1]; 0 for equal values.

    References
    ----------
    Box, Jenkins, Time Series Analysis: Forecasting and Control, 1970, section 2.1 (statsmodels `acf`, not adjusted).
    """
    squares = write_centred(x, end, window, scratch)
    for lag in range(1, n_lags + 1):
        product = product_sum(scratch, scratch[lag:], window - lag)
        out[lag - 1] = min(max(product / squares, -1.0), 1.0) if squares > 0.0 else 0.0


@kernel
def write_partial_autocorrelations(r: FloatArray, n_lags: int, scratch: FloatArray, out: FloatArray) -> None:
    """Write the partial autocorrelations of lags 1 to `n_lags` by the recursion of Durbin and Levinson.

    Parameters
    ----------
    r : float64 (>= n_lags,)
        Autocorrelations from lag 1, as `write_autocorrelations` writes them.
    scratch : float64 (2 n_lags,)
    out : float64 (n_lags,)
        In [-1, 1]; 0 for equal values, and from the lag on at which nothing is left to explain.

    References
    ----------
    Durbin, The fitting of time-series models, 1960 (statsmodels `pacf`, method "ldbiased").
    """
    phi, phi_tm1 = scratch[:n_lags], scratch[n_lags : 2 * n_lags]
    variance = 1.0
    for k in range(n_lags):
        if variance <= 1e-12:
            out[k:n_lags] = 0.0
            return
        explained = r[k]
        for j in range(k):
            explained -= phi_tm1[j] * r[k - 1 - j]
        phi[k] = min(max(explained / variance, -1.0), 1.0)
        for j in range(k):
            phi[j] = phi_tm1[j] - phi[k] * phi_tm1[k - 1 - j]
        variance *= 1.0 - phi[k] * phi[k]
        out[k] = phi[k]
        for j in range(k + 1):
            phi_tm1[j] = phi[j]


@kernel
def ljung_box(r: FloatArray, window: int, n_lags: int) -> tuple[float, float]:
    """Return the statistic of Ljung and Box over lags 1 to `n_lags`, and its p-value.

    ``Q = n (n + 2) sum r_k^2 / (n - k)``, chi-squared with `n_lags` degrees of freedom if the values are independent.

    Parameters
    ----------
    r : float64 (>= n_lags,)
        Autocorrelations from lag 1 of `window` values.

    Returns
    -------
    float, float
        Q >= 0, and the p-value in [0, 1]; 0 and 1 for equal values.

    References
    ----------
    Ljung, Box, On a measure of lack of fit in time series models, 1978 (statsmodels `acorr_ljungbox`).
    """
    total = 0.0
    for k in range(1, n_lags + 1):
        total += r[k - 1] * r[k - 1] / (window - k)
    q = window * (window + 2.0) * total
    return q, _chi_squared_tail(q, n_lags)


@kernel
def _chi_squared_tail(q: float, n: int) -> float:
    """Return the probability that chi-squared with `n` degrees of freedom exceeds `q`.

    The finite sums of Abramowitz, Stegun, Handbook of Mathematical Functions, 1964, 26.4.4 and 26.4.5.
    """
    if q <= 0.0:
        return 1.0
    half = 0.5 * q
    is_odd = n % 2 == 1
    tail = math.erfc(math.sqrt(half)) if is_odd else 0.0
    term = 2.0 * math.exp(-half) * math.sqrt(half / math.pi) if is_odd else math.exp(-half)
    order = 0.5 if is_odd else 0.0
    for _ in range(n // 2):
        tail += term
        order += 1.0
        term *= half / order
    return min(tail, 1.0)
