"""Wavelet decomposition of the window: how its variation spreads over scales, and the newest detail of each.

With `n_levels` levels, ``out`` holds

====================  ==============================================================  =========
slots                 meaning                                                         unit
====================  ==============================================================  =========
0 .. n - 1            share of the energy in the details of level 1 (2 to 4 bars),    fraction
                      2 (4 to 8 bars), ..
n                     share of what the details leave, the approximation              fraction
n + 1 .. 2 n          newest detail coefficient of level 1, 2, ..                     as x
====================  ==============================================================  =========
"""

import math

import numpy as np

from outcry.compiled import kernel
from outcry.market.frame import FloatArray

DAUBECHIES_LOW_PASS: dict[str, FloatArray] = {
    "db1": np.array([math.sqrt(0.5), math.sqrt(0.5)]),
    "db2": np.array([1 - math.sqrt(3), 3 - math.sqrt(3), 3 + math.sqrt(3), 1 + math.sqrt(3)]) / math.sqrt(32),
    "db4": np.array(
        [
            -0.010597401785069032,
            0.0328830116668852,
            0.030841381835560764,
            -0.18703481171909309,
            -0.027983769416859854,
            0.6308807679298589,
            0.7148465705529157,
            0.2303778133088965,
        ]
    ),
}
"""Low-pass filters by name, in the order of PyWavelets: the first tap meets the newest value."""


@kernel
def write_wavelet(
    x: FloatArray, end: int, window: int, low_pass: FloatArray, n_levels: int, scratch: FloatArray, out: FloatArray
) -> None:
    """Write energy shares and newest details of the discrete wavelet transform of the last `window` values.

    A level turns n values into n/2 approximations ``a_k = sum_j g_j x_{(2k + 1 - j) mod n}`` and n/2 details ``d_k``,
    the same with the high-pass filter ``h_j = (-1)^(j+1) g_{L-1-j}``; the next level takes the approximations. The
    transform is orthonormal, so energies add up. It wraps around at the oldest values: the newest coefficients of every
    level stem from the newest values alone.

    Parameters
    ----------
    x : float64, any unit
        Log returns, usually: a trend would make a step where the window wraps.
    window : int
        A multiple of ``2^n_levels``; 128, usually.
    low_pass : float64 (L,)
        Filter g, one of `DAUBECHIES_LOW_PASS`; db4, usually.
    n_levels : int
        3, usually; ``window/2^(n_levels - 1) >= L``.
    scratch : float64 (window,)
    out : float64 (2 n_levels + 1,)
        Shares in [0, 1] with sum 1. If all values are 0 the approximation has the whole share.

    References
    ----------
    Mallat, A theory for multiresolution signal decomposition, 1989; Daubechies, Ten Lectures on Wavelets, 1992, table
    6.1 (filters); Percival, Walden, Wavelet Methods for Time Series Analysis, 2000, section 4.4 (indices).
    """
    n = window
    source = x[end - window + 1 : end + 1]
    at = 0
    total = 0.0
    for level in range(n_levels):
        n //= 2
        approximation = scratch[at : at + n]
        energy, newest = _split(source, low_pass, approximation)
        out[level] = energy
        out[n_levels + 1 + level] = newest
        total += energy
        source = approximation
        at += n
    energy = 0.0
    for i in range(n):
        energy += source[i] * source[i]
    total += energy
    out[n_levels] = energy / total if total > 0.0 else 1.0
    for level in range(n_levels):
        out[level] = out[level] / total if total > 0.0 else 0.0


@kernel
def _split(x: FloatArray, low_pass: FloatArray, approximation: FloatArray) -> tuple[float, float]:
    """Write the approximations of `x`; return the energy of its details and the newest detail."""
    n, n_taps = len(x), len(low_pass)
    energy = detail = 0.0
    for k in range(n // 2):
        low = detail = 0.0
        for j in range(n_taps):
            i = 2 * k + 1 - j
            value = x[i] if i >= 0 else x[i + n]
            low += low_pass[j] * value
            mirrored = low_pass[n_taps - 1 - j] * value
            detail += mirrored if j % 2 == 1 else -mirrored
        approximation[k] = low
        energy += detail * detail
    return energy, detail
