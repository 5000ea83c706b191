"""The window as a sum of waves: amplitudes, phases and the entropy of the spectrum.

`write_spectrum` reads the window, the other two read what it wrote.
"""

import math

import numpy as np

from outcry.compiled import kernel
from outcry.features.kernels.statistics.sums import write_centred
from outcry.market.frame import FloatArray

SPECTRUM_MAX_BARS = 512

_ANGLES = 2.0 * np.pi * np.arange(SPECTRUM_MAX_BARS // 2) / SPECTRUM_MAX_BARS
_COS, _SIN = np.cos(_ANGLES), np.sin(_ANGLES)


@kernel
def write_spectrum(x: FloatArray, end: int, window: int, out: FloatArray) -> None:
    """Write the discrete Fourier transform of the last `window` values less their mean.

    ``X_k = sum_{i=0..n-1} (x_i - m) exp(-2 pi sqrt(-1) i k/n)``, x_0 the oldest value (as `numpy.fft.fft`).

    Parameters
    ----------
    x : float64, any unit
        Log returns, usually: a price has a trend, which leaks into every wave.
    window : int
        A power of 2 up to SPECTRUM_MAX_BARS; 128, usually.
    out : float64 (2 window,)
        Real parts of X_0 .. X_{n-1}, then imaginary parts; zeros for equal values.

    References
    ----------
    Cooley, Tukey, An algorithm for the machine calculation of complex Fourier series, 1965.
    """
    real, imaginary = out[:window], out[window : 2 * window]
    write_centred(x, end, window, real)
    imaginary[:] = 0.0
    _reverse_bits(real)
    half = 1
    while half < window:
        step = SPECTRUM_MAX_BARS // (2 * half)
        for start in range(0, window, 2 * half):
            for j in range(half):
                cos, sin = _COS[j * step], _SIN[j * step]
                a, b = start + j, start + j + half
                re = cos * real[b] + sin * imaginary[b]
                im = cos * imaginary[b] - sin * real[b]
                real[b], imaginary[b] = real[a] - re, imaginary[a] - im
                real[a] += re
                imaginary[a] += im
        half *= 2


@kernel
def _reverse_bits(x: FloatArray) -> None:
    """Exchange the values whose positions read alike from either end in binary."""
    n = len(x)
    j = 0
    for i in range(1, n):
        bit = n >> 1
        while j & bit:
            j ^= bit
            bit >>= 1
        j |= bit
        if i < j:
            x[i], x[j] = x[j], x[i]


@kernel
def write_waves(spectrum: FloatArray, window: int, n_waves: int, out: FloatArray) -> None:
    """Write amplitude and phase of the waves of periods n, n/2, .. n/n_waves bars, n = `window`.

    Wave k is ``A_k cos(2 pi i k/n + phi_k)``, i = 0 at the oldest bar, with ``A_k = 2 abs(X_k)/n`` and
    ``phi_k = arg X_k``.

    Parameters
    ----------
    spectrum : float64 (2 window,)
        As `write_spectrum` writes it.
    n_waves : int
        Fewer than ``window/2``; 10, usually.
    out : float64 (2 n_waves,)
        Amplitudes in [0, inf), in the unit of the values, then phases in [-pi, pi]; 0 and 0 for equal values.
    """
    for k in range(1, n_waves + 1):
        real, imaginary = spectrum[k], spectrum[window + k]
        amplitude = 2.0 * math.sqrt(real * real + imaginary * imaginary) / window
        out[k - 1] = amplitude
        out[n_waves + k - 1] = math.atan2(imaginary, real) if amplitude > 0.0 else 0.0


@kernel
def spectral_entropy(spectrum: FloatArray, window: int) -> float:
    """Return how evenly the power spreads over the frequencies 1/n to 1/2 a bar, n = `window`.

    ``-sum p_k ln p_k / ln(n/2)``, p_k the share of ``abs(X_k)^2`` for k = 1 .. n/2.

    Parameters
    ----------
    spectrum : float64 (2 window,)
        As `write_spectrum` writes it.

    Returns
    -------
    float
        In [0, 1]: 0 for one wave, near 1 for noise. 1 for equal values, in which no wave stands out either.

    References
    ----------
    Inouye and others, Quantification of EEG irregularity by use of the entropy of the power spectrum, 1991.
    """
    n = window // 2
    total = 0.0
    for k in range(1, n + 1):
        total += spectrum[k] * spectrum[k] + spectrum[window + k] * spectrum[window + k]
    if total <= 0.0:
        return 1.0
    entropy = 0.0
    for k in range(1, n + 1):
        share = (spectrum[k] * spectrum[k] + spectrum[window + k] * spectrum[window + k]) / total
        if share > 0.0:
            entropy -= share * math.log(share)
    return min(max(entropy / math.log(n), 0.0), 1.0)
