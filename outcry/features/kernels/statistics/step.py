"""Statistics of a whole window, of one symbol, each at its cadence.

State (float64, a row a symbol): the last VPINs, at their number modulo `N_TOXICITIES`; all else is scratch, which a
value never depends on.
"""

from outcry.compiled import inlined_kernel, kernel
from outcry.features.families.statistics import (
    ACF,
    BREAK,
    CADENCE_BARS,
    CHANGE,
    FRACTAL,
    HALF_LIFE_CAP_WINDOWS,
    HILL,
    N_ACF_LAGS,
    N_BOX_LAGS,
    N_BUCKETS,
    N_LEVELS,
    N_PACF_LAGS,
    N_TOXICITIES,
    N_WAVES,
    REVERSION,
    SPECTRUM,
    UNIT_ROOT,
    VPIN,
    WAVELET,
)
from outcry.features.kernels.bars import LOG_CLOSE, LOG_RETURN, VOLUME
from outcry.features.kernels.statistics.breaks import SUP_F_CRITICAL_5PCT, change_point, sup_f
from outcry.features.kernels.statistics.dependence import (
    ljung_box,
    write_autocorrelations,
    write_partial_autocorrelations,
)
from outcry.features.kernels.statistics.long_memory import box_dimension, fractal_regime, hurst_exponent
from outcry.features.kernels.statistics.mean_reversion import MU, write_mean_reversion
from outcry.features.kernels.statistics.spectrum import spectral_entropy, write_spectrum, write_waves
from outcry.features.kernels.statistics.tails import hill_index
from outcry.features.kernels.statistics.toxicity import vpin
from outcry.features.kernels.statistics.unit_root import adf_statistic, is_stationary, kpss_statistic
from outcry.features.kernels.statistics.wavelet import DAUBECHIES_LOW_PASS, write_wavelet
from outcry.market.frame import FloatArray, IntArray

_DB4 = DAUBECHIES_LOW_PASS["db4"]
_HAZARD_PER_BAR = 0.01
_RECENT_BARS = 5


@inlined_kernel
def step_statistics(
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
    window = p[0]
    reads_level = opcode in (UNIT_ROOT, REVERSION)
    first = window if reads_level else window + 1
    # Kinds take turns, so that no bar pays for all of them; VPIN counts its own values, so its turns are even.
    if k < first or (k > first and (k - first) % CADENCE_BARS != opcode % CADENCE_BARS):
        return
    returns, level = history[LOG_RETURN], history[LOG_CLOSE]
    if opcode == VPIN:
        _vpin((k - first) // CADENCE_BARS, end, history, s, out, window)
    elif opcode == ACF:
        _acf(end, returns, s, out, window)
    elif opcode == UNIT_ROOT:
        _unit_root(end, level, s, out, window)
    elif opcode == FRACTAL:
        out[0] = hurst_exponent(returns, end, window, s)
        out[1] = box_dimension(level, end, p[1])
        out[2] = fractal_regime(out[0], out[1])
    elif opcode == REVERSION:
        write_mean_reversion(level, end, window, float(HALF_LIFE_CAP_WINDOWS * window), out)
        out[MU] = level[end] - out[MU]
    elif opcode == BREAK:
        out[0], out[1] = sup_f(returns, end, window)
        out[2] = 1.0 if out[0] > SUP_F_CRITICAL_5PCT else 0.0
    elif opcode == CHANGE:
        out[0], out[1] = change_point(returns, end, window, _HAZARD_PER_BAR, _RECENT_BARS, s)
    elif opcode == HILL:
        out[0] = hill_index(returns, end, window, p[1], s)
    elif opcode == WAVELET:
        write_wavelet(returns, end, window, _DB4, N_LEVELS, s, out)
    elif opcode == SPECTRUM:
        write_spectrum(returns, end, window, s)
        write_waves(s, window, N_WAVES, out)
        out[2 * N_WAVES] = spectral_entropy(s, window)


@kernel
def _vpin(n_before: int, end: int, history: FloatArray, s: FloatArray, out: FloatArray, window: int) -> None:
    value = vpin(history[LOG_RETURN], history[VOLUME], end, window, N_BUCKETS)
    s[n_before % N_TOXICITIES] = value
    out[0] = value
    if n_before + 1 >= N_TOXICITIES:
        below = 0.0
        for j in range(N_TOXICITIES):
            below += 1.0 if s[j] < value else 0.5 if s[j] == value else 0.0
        out[1] = below / N_TOXICITIES


@kernel
def _acf(end: int, returns: FloatArray, s: FloatArray, out: FloatArray, window: int) -> None:
    write_autocorrelations(returns, end, window, N_ACF_LAGS, s[:window], out[:N_ACF_LAGS])
    partial = out[N_ACF_LAGS : N_ACF_LAGS + N_PACF_LAGS]
    write_partial_autocorrelations(out[:N_ACF_LAGS], N_PACF_LAGS, s[window:], partial)
    q, p_value = ljung_box(out[:N_ACF_LAGS], window, N_BOX_LAGS)
    out[N_ACF_LAGS + N_PACF_LAGS] = q
    out[N_ACF_LAGS + N_PACF_LAGS + 1] = p_value


@kernel
def _unit_root(end: int, level: FloatArray, s: FloatArray, out: FloatArray, window: int) -> None:
    out[0] = adf_statistic(level, end, window, 1, s)
    out[1] = kpss_statistic(level, end, window, int(12.0 * (window / 100.0) ** 0.25), s)
    out[2] = 1.0 if is_stationary(out[0], out[1], window - 2) else 0.0
