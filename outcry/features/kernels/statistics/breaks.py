"""Did the process change inside the window: the sup-F test and Bayesian online change-point detection."""

import math

from outcry.compiled import kernel
from outcry.features.kernels.statistics.sums import write_centred
from outcry.features.kernels.window import is_flat, window_mean, window_squares, window_sum
from outcry.market.frame import FloatArray

SUP_F_CRITICAL_5PCT = 8.85
"""Andrews, 1993, table 1: one parameter, 15 % trimmed at either end."""

SUP_F_LIMIT = 1000.0
"""Where the statistic is cut: a step without noise has none."""


@kernel
def sup_f(x: FloatArray, end: int, window: int) -> tuple[float, float]:
    """Return the largest F statistic of one shift of the mean, and the bars since that shift.

    ``F(tau) = (SS - SS(tau)) / (SS(tau)/(n - 2))`` compares the squares around one mean with those around a mean before
    and a mean after tau, for every tau that leaves 15 % of the window (rounded up) on either side.

    Parameters
    ----------
    x : float64, any unit
        Log returns for a break of the drift, absolute or squared ones for a break of the volatility.

    Returns
    -------
    float, float
        F in [0, SUP_F_LIMIT], and how many of the newest bars follow the shift, in [0.15 window, 0.85 window]; 0 and 0
        for equal values.

    References
    ----------
    Andrews, Tests for parameter instability and structural change with unknown change point, 1993, equation 4.1.
    """
    if is_flat(x, end, window):
        return 0.0, 0.0
    mean = window_mean(x, end, window)
    total = window_squares(x, end, window, mean)
    trim = (15 * window + 99) // 100
    start = end - window + 1
    best = running = 0.0
    age = 0
    for n_before in range(1, window - trim + 1):
        running += x[start + n_before - 1] - mean
        explained = running * running * window / (n_before * (window - n_before))
        if n_before >= trim and (explained > best or n_before == trim):
            best = explained
            age = window - n_before
    if total <= 0.0:
        return 0.0, 0.0
    left = total - best
    if left <= 1e-12 * total:
        return SUP_F_LIMIT, float(age)
    return min(best * (window - 2.0) / left, SUP_F_LIMIT), float(age)


@kernel
def change_point(
    x: FloatArray, end: int, window: int, hazard_per_bar: float, recent_bars: int, scratch: FloatArray
) -> tuple[float, float]:
    """Return the probability that a new run began within the last bars, and the expected length of the current run.

    Within a run the values, in standard deviations of the window from its mean, are normal with unknown mean and
    variance (normal-gamma prior: mean 0, kappa, alpha and beta 1), so each run predicts the next value by a Student t.
    A run ends before any bar with the probability `hazard_per_bar`; the first bar of the window begins one. A run that
    holds the newest bar alone has length 1. The recursion is exact: no run is dropped.

    Parameters
    ----------
    x : float64, any unit
        Log returns, usually.
    window : int
        At most 254; 100, usually.
    hazard_per_bar : float
        In (0, 1); 1/100, usually.
    recent_bars : int
        Fewer than `window`; 5, usually.
    scratch : float64 (7 window,)

    Returns
    -------
    float, float
        A probability in [0, 1], and bars in [1, window]; 0 and `window` for equal values.

    References
    ----------
    Adams, MacKay, Bayesian online changepoint detection, 2007, algorithm 1; Murphy, Conjugate Bayesian analysis of the
    Gaussian distribution, 2007, section 3.
    """
    z, weight = scratch[:window], scratch[window : 2 * window]
    squares = write_centred(x, end, window, z)
    if squares <= 0.0:
        return 0.0, float(window)
    scale = math.sqrt((window - 1.0) / squares)
    mean, root_beta = scratch[2 * window : 3 * window], scratch[3 * window : 4 * window]
    gain, shrink = scratch[4 * window : 5 * window], scratch[5 * window : 6 * window]
    ratio = scratch[6 * window : 7 * window]
    _write_run_constants(window, gain, shrink)
    total = 1.0
    for t in range(window):
        # The runs so far go on with the rest of the probability; their weights had the sum `total`.
        weight[t] = hazard_per_bar / (1.0 - hazard_per_bar) * total if t > 0 else 1.0
        mean[t], root_beta[t] = 0.0, 1.0
        newest = window - 1 - t
        _observe(z[t] * scale, t + 1, 1.0 / total, weight, mean, root_beta, gain[newest:], shrink[newest:], ratio)
        total = window_sum(weight, t, t + 1)
    length = 0.0
    for s in range(window):
        length += weight[s] * (window - s)
    recent = window_sum(weight, window - 1, recent_bars)
    return min(recent / total, 1.0), min(max(length / total, 1.0), float(window))


@kernel
def _write_run_constants(window: int, gain: FloatArray, shrink: FloatArray) -> None:
    """Write the parts of the prediction that depend on the length of a run alone, the longest run first.

    After n values kappa is 1 + n and alpha 1 + n/2: shrink is ``1/(kappa + 1)``, gain
    ``Gamma(alpha + 1/2)/Gamma(alpha) sqrt(kappa/(2 pi (kappa + 1)))``.
    """
    gamma_ratio = 0.5 * math.sqrt(math.pi)
    for n in range(window):
        at = window - 1 - n
        shrink[at] = 1.0 / (n + 2.0)
        gain[at] = gamma_ratio * math.sqrt((n + 1.0) * shrink[at] / (2.0 * math.pi))
        gamma_ratio = (1.0 + 0.5 * n) / gamma_ratio


@kernel
def _observe(
    z: float,
    n_runs: int,
    rescale: float,
    weight: FloatArray,
    mean: FloatArray,
    root_beta: FloatArray,
    gain: FloatArray,
    shrink: FloatArray,
    ratio: FloatArray,
) -> None:
    """Weigh every run by its prediction of `z`, then let it learn from `z`; the run at s holds n_runs - 1 - s values.

    With beta' = beta + kappa (z - mean)^2/(2 (kappa + 1)) the Student t is ``gain beta^alpha/beta'^(alpha + 1/2)``:
    2 alpha = n_runs + 1 - s is an integer, so roots and products suffice.
    """
    for s in range(n_runs):
        off = z - mean[s]
        root = root_beta[s]
        root_next = math.sqrt(root * root + 0.5 * (1.0 - shrink[s]) * off * off)
        inverse = 1.0 / root_next
        weight[s] *= rescale * gain[s] * inverse
        mean[s] += shrink[s] * off
        root_beta[s] = root_next
        ratio[s] = root * inverse
    # As many squarings for every run, in a loop of their own: the processor then takes several runs at a time.
    for s in range(n_runs):
        power, base, exponent = weight[s], ratio[s], n_runs + 1 - s
        for _ in range(8):
            power *= base if exponent & 1 else 1.0
            base *= base
            exponent >>= 1
        weight[s] = power
