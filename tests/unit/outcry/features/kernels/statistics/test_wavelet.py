"""PyWavelets is the oracle of the transform."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import pywt
from hypothesis import given
from hypothesis import strategies as st

from outcry.features.kernels.statistics.wavelet import DAUBECHIES_LOW_PASS
from outcry.market.frame import FloatArray

Statistics = dict[str, Callable[..., FloatArray]]
N_LEVELS = 3


def expected_shares(x: FloatArray, name: str) -> list[float]:
    """Return the energy shares; PyWavelets wraps around half a filter later, which a rotation undoes."""
    energies = []
    shift = pywt.Wavelet(name).dec_len // 2 - 1
    for _ in range(N_LEVELS):
        x, detail = pywt.dwt(np.roll(x, shift), name, mode="periodization")
        energies.append(np.sum(detail**2))
    energies.append(np.sum(x**2))
    return [energy / sum(energies) for energy in energies]


def expected_newest(x: FloatArray, name: str) -> list[float]:
    """Return the newest detail that no extension of the window touches, the same for every mode of PyWavelets."""
    n = len(x)
    details = pywt.wavedec(x, name, mode="symmetric", level=N_LEVELS)[:0:-1]
    return [detail[n // 2 ** (level + 1) - 1] for level, detail in enumerate(details)]


def check(statistics: Statistics, x: FloatArray, end: int, window: int, name: str) -> None:
    last = x[end - window + 1 : end + 1]
    result = statistics["wavelet"](x, end, window, DAUBECHIES_LOW_PASS[name], N_LEVELS)
    np.testing.assert_allclose(result[: N_LEVELS + 1], expected_shares(last, name), rtol=1e-9, atol=1e-15)
    np.testing.assert_allclose(result[N_LEVELS + 1 :], expected_newest(last, name), rtol=1e-9, atol=1e-13)
    assert result[: N_LEVELS + 1].sum() == pytest.approx(1.0, rel=1e-12)


@pytest.mark.parametrize("name", DAUBECHIES_LOW_PASS)
def test_filters_are_those_of_pywavelets(name: str) -> None:
    np.testing.assert_allclose(DAUBECHIES_LOW_PASS[name], pywt.Wavelet(name).dec_lo, rtol=1e-14)


@pytest.mark.realdata
@pytest.mark.parametrize("name", DAUBECHIES_LOW_PASS)
def test_real_returns_agree_with_pywavelets(statistics: Statistics, real_bars: list[Any], name: str) -> None:
    for bars in real_bars:
        for end in bars.ends:
            check(statistics, bars.log_return, end, 128, name)


@given(
    seed=st.integers(0, 2**32 - 1),
    window=st.sampled_from([64, 72, 128, 200]),
    name=st.sampled_from(sorted(DAUBECHIES_LOW_PASS)),
)
def test_any_series_agrees_with_pywavelets(statistics: Statistics, seed: int, window: int, name: str) -> None:
    x = np.random.default_rng(seed).normal(0.0, 1.0, window + 7)
    check(statistics, x, len(x) - 4, window, name)


def test_newest_details_do_not_see_the_oldest_half(statistics: Statistics) -> None:
    x = np.random.default_rng(9).normal(size=128)
    other = x.copy()
    other[:64] = 100.0
    low_pass = DAUBECHIES_LOW_PASS["db4"]
    newest = statistics["wavelet"](x, 127, 128, low_pass, N_LEVELS)[N_LEVELS + 1 :]
    assert statistics["wavelet"](other, 127, 128, low_pass, N_LEVELS)[N_LEVELS + 1 :].tolist() == newest.tolist()


@pytest.mark.parametrize(("period_bars", "level"), [(3, 0), (6, 1), (12, 2), (60, 3)])
def test_a_wave_stands_on_the_level_of_its_period(statistics: Statistics, period_bars: int, level: int) -> None:
    x = np.cos(2.0 * np.pi * np.arange(128) / period_bars)
    shares = statistics["wavelet"](x, 127, 128, DAUBECHIES_LOW_PASS["db4"], N_LEVELS)[: N_LEVELS + 1]
    assert shares[level] > 0.7
