"""SciPy fits the same regression; a simulated process gives its parameters back."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import linregress

from outcry.features.kernels.statistics.mean_reversion import HALF_LIFE, MU, SIGMA, STRENGTH, THETA, THETA_MAX_PER_BAR
from outcry.market.frame import FloatArray

Statistics = dict[str, Callable[..., FloatArray]]
CAP_BARS = 250.0


def expected_of(x: FloatArray) -> list[float]:
    """Return what the formulas make of SciPy's regression, in the order of the slots."""
    fit = linregress(x[:-1], x[1:])
    n, b = len(x) - 1, fit.slope
    deviation = np.sqrt(np.sum((x[1:] - fit.intercept - b * x[:-1]) ** 2) / (n - 2))
    strength = np.clip(1.0 - b, -1.0, 2.0)
    if b >= 1.0 or np.log(2.0) / -np.log(max(b, 1e-300)) >= CAP_BARS:
        return [strength, CAP_BARS, 0.0, x.mean(), deviation]
    b = max(b, np.exp(-THETA_MAX_PER_BAR))
    theta = -np.log(b)
    return [
        strength,
        np.log(2.0) / theta,
        theta,
        fit.intercept / (1.0 - b),
        deviation * np.sqrt(2.0 * theta / (1.0 - b * b)),
    ]


@pytest.mark.realdata
def test_real_prices_agree_with_the_regression_of_scipy(statistics: Statistics, real_bars: list[Any]) -> None:
    reverting = 0
    for bars in real_bars:
        for end in bars.ends:
            result = statistics["mean_reversion"](bars.log_price, end, 60, CAP_BARS)
            # 1e-7: a slope near 1 loses digits where 1 - b and ln b are taken, in either computation
            np.testing.assert_allclose(result, expected_of(bars.log_price[end - 59 : end + 1]), rtol=1e-7)
            reverting += result[THETA] > 0.0
    assert reverting > 10


@given(seed=st.integers(0, 2**32 - 1), window=st.integers(10, 120), slope=st.floats(-1.1, 1.1))
def test_any_series_agrees_with_the_regression_of_scipy(
    statistics: Statistics, seed: int, window: int, slope: float
) -> None:
    x = np.random.default_rng(seed).normal(0.0, 1.0, window + 7)
    for t in range(1, len(x)):
        x[t] += slope * x[t - 1]
    result = statistics["mean_reversion"](x, len(x) - 4, window, CAP_BARS)
    np.testing.assert_allclose(result, expected_of(x[4:-3]), rtol=1e-7, atol=1e-9)


def test_a_simulated_process_gives_its_parameters_back(statistics: Statistics) -> None:
    theta, mu, sigma, n = 0.2, 3.0, 0.5, 20_000
    rng = np.random.default_rng(11)
    b = np.exp(-theta)
    noise = sigma * np.sqrt((1.0 - b * b) / (2.0 * theta)) * rng.normal(size=n)
    x = np.full(n, mu)
    for t in range(1, n):
        x[t] = mu + b * (x[t - 1] - mu) + noise[t]
    result = statistics["mean_reversion"](x, n - 1, n, CAP_BARS)
    assert result[THETA] == pytest.approx(theta, rel=0.05)
    assert result[HALF_LIFE] == pytest.approx(np.log(2.0) / theta, rel=0.05)
    assert result[MU] == pytest.approx(mu, rel=0.01)
    assert result[SIGMA] == pytest.approx(sigma, rel=0.02)
    assert result[STRENGTH] == pytest.approx(1.0 - b, rel=0.05)


def test_a_series_that_does_not_revert_has_the_longest_half_life(statistics: Statistics) -> None:
    result = statistics["mean_reversion"](1.05 ** np.arange(60.0), 59, 60, CAP_BARS)
    assert result[[HALF_LIFE, THETA]].tolist() == [CAP_BARS, 0.0]
    assert result[STRENGTH] == pytest.approx(-0.05)


def test_a_series_that_overshoots_has_the_shortest_half_life(statistics: Statistics) -> None:
    result = statistics["mean_reversion"](np.tile([1.0, -1.0], 30), 59, 60, CAP_BARS)
    assert result[THETA] == pytest.approx(THETA_MAX_PER_BAR)
    assert result[STRENGTH] == pytest.approx(2.0)


def test_a_step_at_the_newest_bar_is_no_reversion(statistics: Statistics) -> None:
    result = statistics["mean_reversion"](np.append(np.full(59, 0.1), 0.2), 59, 60, CAP_BARS)
    assert result[[STRENGTH, HALF_LIFE, THETA]].tolist() == [0.0, CAP_BARS, 0.0]
    assert result[SIGMA] > 0.0
