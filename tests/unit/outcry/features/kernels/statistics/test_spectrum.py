"""NumPy is the oracle of the transform, SciPy of the entropy."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import entropy

from outcry.market.frame import FloatArray

Statistics = dict[str, Callable[..., FloatArray]]


def check(statistics: Statistics, x: FloatArray, end: int, window: int, n_waves: int) -> None:
    last = x[end - window + 1 : end + 1]
    expected = np.fft.fft(last - last.mean())
    result = statistics["spectrum"](x, end, window)
    # the mean of a price is rounded to the digits of the price, and X_0 is window times what is lost
    lost = 1e-15 * window * np.abs(last).max()
    scale = np.abs(expected).max()
    np.testing.assert_allclose(result[:window], expected.real, rtol=1e-9, atol=1e-13 * scale + lost)
    np.testing.assert_allclose(result[window:], expected.imag, rtol=1e-9, atol=1e-13 * scale)
    waves = statistics["waves"](x, end, window, n_waves)
    np.testing.assert_allclose(
        waves[:n_waves] * np.exp(1j * waves[n_waves:]),
        2.0 / window * expected[1 : n_waves + 1],
        rtol=1e-9,
        atol=1e-13 * scale,
    )
    power = np.abs(expected[1 : window // 2 + 1]) ** 2
    share = statistics["spectral_entropy"](x, end, window)[0]
    assert share == pytest.approx(entropy(power, base=window // 2), rel=1e-9, abs=1e-12)


@pytest.mark.realdata
def test_real_returns_and_prices_agree_with_numpy(statistics: Statistics, real_bars: list[Any]) -> None:
    for bars in real_bars:
        for end in bars.ends:
            check(statistics, bars.log_return, end, 128, 10)
            check(statistics, bars.log_price, end, 64, 10)


@given(seed=st.integers(0, 2**32 - 1), window=st.sampled_from([4, 8, 32, 128, 512]))
def test_any_series_agrees_with_numpy(statistics: Statistics, seed: int, window: int) -> None:
    x = np.random.default_rng(seed).normal(0.0, 1.0, window + 7).round(1)
    check(statistics, x, len(x) - 4, window, window // 2 - 1)


def test_a_wave_has_its_amplitude_and_phase_and_no_entropy(statistics: Statistics) -> None:
    x = 5.0 + 0.3 * np.cos(2.0 * np.pi * 4.0 * np.arange(128) / 128.0 + 1.2)
    waves = statistics["waves"](x, 127, 128, 10)
    assert waves[3] == pytest.approx(0.3)
    assert waves[13] == pytest.approx(1.2)
    assert statistics["spectral_entropy"](x, 127, 128)[0] == pytest.approx(0.0, abs=1e-9)


def test_noise_has_nearly_all_the_entropy(statistics: Statistics) -> None:
    noise = np.random.default_rng(6).normal(size=128)
    assert statistics["spectral_entropy"](noise, 127, 128)[0] > 0.85
    assert statistics["spectral_entropy"](noise.cumsum(), 127, 128)[0] < 0.6
