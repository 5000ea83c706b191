"""NumPy fits the lines of the fluctuation analysis; the boxes are counted on a fine line, one by one."""

from collections.abc import Callable
from typing import Any, cast

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from outcry.features.kernels.statistics import long_memory
from outcry.market.frame import FloatArray

Statistics = dict[str, Callable[..., FloatArray]]


def expected_fluctuation_squared(size: int) -> float:
    """Return the mean square around its line of a random walk of `size` steps, from its covariance min(i, j)."""
    i = np.arange(1.0, size + 1.0)
    line = np.column_stack([np.ones(size), i])
    residual = np.eye(size) - line @ np.linalg.pinv(line)
    return float(np.trace(residual @ np.minimum.outer(i, i))) / size


def hurst_by_numpy(x: FloatArray) -> float:
    n = len(x)
    profile = np.cumsum(x - x.mean())
    sizes = [size for size in range(4, n // 4 + 1) if n % size == 0]
    ratios = []
    for size in sizes:
        i = np.arange(size)
        boxes = profile.reshape(-1, size)
        residuals = [box - np.polyval(np.polyfit(i, box, 1), i) for box in boxes]
        ratios.append(np.mean(np.square(residuals)) / expected_fluctuation_squared(size))
    slope = np.polyfit(np.log(sizes), 0.5 * np.log(ratios), 1)[0]
    return float(np.clip(0.5 + slope, 0.0, 1.0))


def box_dimension_by_marking(x: FloatArray) -> float:
    """Mark the boxes entered by each straight piece inside each column, and fit the slope."""
    x = (x - x.min()) / np.ptp(x)
    t = np.linspace(0.0, 1.0, len(x))
    counts = []
    for m in (1, 2, 4, 8, 16):
        marked = np.zeros((m, m), dtype=bool)
        knots = np.unique(np.concatenate([t, np.arange(m + 1) / m]).round(12))
        heights = np.interp(knots, t, x) * m
        for left, right, a, b in zip(knots[:-1], knots[1:], heights[:-1], heights[1:], strict=True):
            column = min(int((left + right) / 2.0 * m), m - 1)
            low, high = min(a, b), max(a, b)
            for row in range(m):
                marked[column, row] |= high > row + 1e-9 and low < row + 1 - 1e-9
        # a column whose line lies on the grid enters one box
        counts.append(np.maximum(marked.sum(axis=1), 1).sum())
    return float(np.clip(np.polyfit(np.log([1, 2, 4, 8, 16]), np.log(counts), 1)[0], 1.0, 2.0))


@pytest.mark.realdata
def test_real_series_agree_with_numpy(statistics: Statistics, real_bars: list[Any]) -> None:
    for bars in real_bars:
        for end in bars.ends:
            for window in (50, 100, 128):
                expected = hurst_by_numpy(bars.log_return[end - window + 1 : end + 1])
                assert statistics["hurst"](bars.log_return, end, window)[0] == pytest.approx(expected, rel=1e-9)
            expected = box_dimension_by_marking(bars.log_price[end - 49 : end + 1])
            assert statistics["box_dimension"](bars.log_price, end, 50)[0] == pytest.approx(expected, rel=1e-9)


@given(seed=st.integers(0, 2**32 - 1), window=st.sampled_from([32, 36, 50, 60, 100]), decimals=st.integers(0, 3))
def test_any_series_agrees_with_numpy(statistics: Statistics, seed: int, window: int, decimals: int) -> None:
    x = np.random.default_rng(seed).normal(0.0, 1.0, window + 7).round(decimals)
    assert statistics["hurst"](x, len(x) - 4, window)[0] == pytest.approx(hurst_by_numpy(x[4:-3]), rel=1e-9)
    path = x.cumsum()
    expected = box_dimension_by_marking(path[4:-3])
    assert statistics["box_dimension"](path, len(x) - 4, window)[0] == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize(("slope", "low", "high"), [(-0.4, 0.2, 0.4), (0.0, 0.47, 0.52), (0.4, 0.63, 0.85)])
def test_the_exponent_tells_reversing_independent_and_persistent_returns_apart(
    statistics: Statistics, slope: float, low: float, high: float
) -> None:
    x = np.random.default_rng(3).normal(size=(300, 100))
    for t in range(1, 100):
        x[:, t] += slope * x[:, t - 1]
    assert low < np.mean([statistics["hurst"](row, 99, 100)[0] for row in x]) < high


def test_dimensions_of_known_graphs(statistics: Statistics) -> None:
    walks = np.random.default_rng(5).normal(size=(300, 50)).cumsum(axis=1)
    noise = np.random.default_rng(5).normal(size=(300, 50))
    assert statistics["box_dimension"](np.arange(50.0), 49, 50)[0] == pytest.approx(1.0)
    assert statistics["box_dimension"](-np.arange(50.0), 49, 50)[0] == pytest.approx(1.0)
    assert np.mean([statistics["box_dimension"](row, 49, 50)[0] for row in walks]) == pytest.approx(1.5, abs=0.04)
    assert np.mean([statistics["box_dimension"](row, 49, 50)[0] for row in noise]) > 1.7


def test_a_profile_of_straight_boxes_has_no_exponent(statistics: Statistics) -> None:
    """The return changes at bar 20, between two boxes of 4, 5, 10 and 20 bars: one size is left, no slope."""
    assert statistics["hurst"](np.repeat([0.1, 0.3], [20, 80]), 99, 100)[0] == 0.5


def test_a_regime_is_rarely_read_into_independent_returns(statistics: Statistics) -> None:
    fractal_regime = cast(Any, long_memory.fractal_regime).py_func
    regimes = []
    for returns in np.random.default_rng(12).normal(size=(2000, 100)):
        hurst = statistics["hurst"](returns, 99, 100)[0]
        regimes.append(fractal_regime(hurst, statistics["box_dimension"](returns.cumsum(), 99, 50)[0]))
    assert np.mean(np.array(regimes) == 1.0) == pytest.approx(0.106, abs=0.02)
    assert np.mean(np.array(regimes) == -1.0) == pytest.approx(0.080, abs=0.02)


def test_a_regime_needs_both_measures() -> None:
    fractal_regime = cast(Any, long_memory.fractal_regime).py_func
    assert fractal_regime(0.6, 1.4) == 1.0
    assert fractal_regime(0.4, 1.6) == -1.0
    assert fractal_regime(0.6, 1.6) == fractal_regime(0.4, 1.4) == fractal_regime(0.5, 1.4) == 0.0
    assert fractal_regime(0.5, 1.5) == 0.0
