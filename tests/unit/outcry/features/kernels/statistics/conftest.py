"""The statistics as Python can call them, and real series to read.

A kernel has no wrapper for Python: each is compiled into a function of its own, which writes into `out` what the kernel
writes or returns.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ParamSpec, TypeVar, cast

import numba
import numpy as np
import pytest

from outcry.features.kernels.statistics import (
    breaks,
    dependence,
    long_memory,
    mean_reversion,
    spectrum,
    tails,
    toxicity,
    unit_root,
    wavelet,
)
from outcry.market.frame import FloatArray, FrameTensor
from outcry.market.sessions import Sessions

P = ParamSpec("P")
R = TypeVar("R")


def compiled(function: Callable[P, R]) -> Callable[P, R]:
    return cast(Callable[P, R], cast(Any, numba.njit)(function))


@compiled
def _acf(x: FloatArray, end: int, window: int, n_lags: int, scratch: FloatArray, out: FloatArray) -> None:
    dependence.write_autocorrelations(x, end, window, n_lags, scratch, out)


@compiled
def _pacf(x: FloatArray, end: int, window: int, n_lags: int, scratch: FloatArray, out: FloatArray) -> None:
    r = np.empty(n_lags)
    dependence.write_autocorrelations(x, end, window, n_lags, np.empty(window), r)
    dependence.write_partial_autocorrelations(r, n_lags, scratch, out)


@compiled
def _ljung_box(x: FloatArray, end: int, window: int, n_lags: int, scratch: FloatArray, out: FloatArray) -> None:
    r = np.empty(n_lags)
    dependence.write_autocorrelations(x, end, window, n_lags, scratch, r)
    out[0], out[1] = dependence.ljung_box(r, window, n_lags)


@compiled
def _adf(x: FloatArray, end: int, window: int, n_lags: int, scratch: FloatArray, out: FloatArray) -> None:
    out[0] = unit_root.adf_statistic(x, end, window, n_lags, scratch)


@compiled
def _kpss(x: FloatArray, end: int, window: int, n_lags: int, scratch: FloatArray, out: FloatArray) -> None:
    out[0] = unit_root.kpss_statistic(x, end, window, n_lags, scratch)


@compiled
def _mean_reversion(
    x: FloatArray, end: int, window: int, cap_bars: float, scratch: FloatArray, out: FloatArray
) -> None:
    mean_reversion.write_mean_reversion(x, end, window, cap_bars, out)


@compiled
def _hurst(x: FloatArray, end: int, window: int, scratch: FloatArray, out: FloatArray) -> None:
    out[0] = long_memory.hurst_exponent(x, end, window, scratch)


@compiled
def _box_dimension(x: FloatArray, end: int, window: int, scratch: FloatArray, out: FloatArray) -> None:
    out[0] = long_memory.box_dimension(x, end, window)


@compiled
def _sup_f(x: FloatArray, end: int, window: int, scratch: FloatArray, out: FloatArray) -> None:
    out[0], out[1] = breaks.sup_f(x, end, window)


@compiled
def _change_point(
    x: FloatArray, end: int, window: int, hazard_per_bar: float, recent_bars: int, scratch: FloatArray, out: FloatArray
) -> None:
    out[0], out[1] = breaks.change_point(x, end, window, hazard_per_bar, recent_bars, scratch)


@compiled
def _hill(x: FloatArray, end: int, window: int, n_extremes: int, scratch: FloatArray, out: FloatArray) -> None:
    out[0] = tails.hill_index(x, end, window, n_extremes, scratch)


@compiled
def _extreme_zscores(x: FloatArray, end: int, window: int, scratch: FloatArray, out: FloatArray) -> None:
    out[0], out[1] = tails.extreme_zscores(x, end, window)


@compiled
def _wavelet(
    x: FloatArray, end: int, window: int, low_pass: FloatArray, n_levels: int, scratch: FloatArray, out: FloatArray
) -> None:
    wavelet.write_wavelet(x, end, window, low_pass, n_levels, scratch, out)


@compiled
def _spectrum(x: FloatArray, end: int, window: int, scratch: FloatArray, out: FloatArray) -> None:
    spectrum.write_spectrum(x, end, window, out)


@compiled
def _waves(x: FloatArray, end: int, window: int, n_waves: int, scratch: FloatArray, out: FloatArray) -> None:
    spectrum.write_spectrum(x, end, window, scratch)
    spectrum.write_waves(scratch, window, n_waves, out)


@compiled
def _spectral_entropy(x: FloatArray, end: int, window: int, scratch: FloatArray, out: FloatArray) -> None:
    spectrum.write_spectrum(x, end, window, scratch)
    out[0] = spectrum.spectral_entropy(scratch, window)


@compiled
def _vpin(
    x: FloatArray, end: int, window: int, volume: FloatArray, n_buckets: int, scratch: FloatArray, out: FloatArray
) -> None:
    out[0] = toxicity.vpin(x, volume, end, window, n_buckets)


@compiled
def _percentile_rank(x: FloatArray, end: int, window: int, scratch: FloatArray, out: FloatArray) -> None:
    out[0] = toxicity.percentile_rank(x, end, window)


@dataclass(frozen=True)
class Statistic:
    """A compiled statistic, called as ``f(x, end, window, ...)``; the lengths are those that the kernel documents."""

    compute: Callable[..., None]
    n_scratch: Callable[..., int]
    n_out: Callable[..., int]

    def __call__(self, x: FloatArray, end: int, window: int, *args: object) -> FloatArray:
        """Compute into arrays of NaN, and hold the kernel to their documented length."""
        n_scratch, n_out = self.n_scratch(window, *args), self.n_out(window, *args)
        scratch, out = np.full(n_scratch + 8, np.nan), np.full(n_out + 8, np.nan)
        self.compute(x, end, window, *args, scratch[4 : n_scratch + 4], out[4 : n_out + 4])
        for margin in (scratch[:4], scratch[n_scratch + 4 :], out[:4], out[n_out + 4 :]):
            assert np.isnan(margin).all()
        return out[4 : n_out + 4].copy()


STATISTICS = {
    "acf": Statistic(_acf, lambda w, lags: w, lambda w, lags: lags),
    "pacf": Statistic(_pacf, lambda w, lags: 2 * lags, lambda w, lags: lags),
    "ljung_box": Statistic(_ljung_box, lambda w, lags: w, lambda w, lags: 2),
    "adf": Statistic(_adf, lambda w, lags: (lags + 2) * w, lambda w, lags: 1),
    "kpss": Statistic(_kpss, lambda w, lags: w, lambda w, lags: 1),
    "mean_reversion": Statistic(_mean_reversion, lambda w, cap: 0, lambda w, cap: 5),
    "hurst": Statistic(_hurst, lambda w: w, lambda w: 1),
    "box_dimension": Statistic(_box_dimension, lambda w: 0, lambda w: 1),
    "sup_f": Statistic(_sup_f, lambda w: 0, lambda w: 2),
    "change_point": Statistic(_change_point, lambda w, hazard, recent: 7 * w, lambda w, hazard, recent: 2),
    "hill": Statistic(_hill, lambda w, k: k + 1, lambda w, k: 1),
    "extreme_zscores": Statistic(_extreme_zscores, lambda w: 0, lambda w: 2),
    "wavelet": Statistic(_wavelet, lambda w, low_pass, levels: w, lambda w, low_pass, levels: 2 * levels + 1),
    "spectrum": Statistic(_spectrum, lambda w: 0, lambda w: 2 * w),
    "waves": Statistic(_waves, lambda w, n: 2 * w, lambda w, n: 2 * n),
    "spectral_entropy": Statistic(_spectral_entropy, lambda w: 2 * w, lambda w: 1),
    "vpin": Statistic(_vpin, lambda w, volume, n: 0, lambda w, volume, n: 1),
    "percentile_rank": Statistic(_percentile_rank, lambda w: 0, lambda w: 1),
}


@pytest.fixture(scope="session")
def statistics() -> dict[str, Statistic]:
    """The statistics by name."""
    return STATISTICS


@dataclass(frozen=True)
class Bars:
    """The bars of one symbol without its gaps, and some positions in them to look back from."""

    log_price: FloatArray
    log_return: FloatArray
    volume: FloatArray
    ends: list[int]


@pytest.fixture
def real_bars(real_market: tuple[FrameTensor, Sessions]) -> list[Bars]:
    """Four symbols of each market, ten windows in each."""
    frames, _ = real_market
    bars = []
    for i in range(4):
        here = frames.present[:, i]
        log_price = np.log(frames.close[here, i])
        log_return = np.diff(log_price, prepend=log_price[0])
        ends = np.linspace(150, len(log_price) - 1, 10).astype(int).tolist()
        bars.append(Bars(log_price, log_return, np.ascontiguousarray(frames.volume[here, i]), ends))
    return bars
