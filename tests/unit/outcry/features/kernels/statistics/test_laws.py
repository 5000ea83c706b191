"""What holds for every statistic: it sees its window alone, stays in its range, and knows no unit."""

from collections.abc import Callable
from math import inf, pi, sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from outcry.features.kernels.statistics.breaks import SUP_F_LIMIT
from outcry.features.kernels.statistics.mean_reversion import MU, SIGMA, THETA_MAX_PER_BAR
from outcry.features.kernels.statistics.tails import HILL_LIMIT
from outcry.features.kernels.statistics.unit_root import ADF_LIMIT
from outcry.features.kernels.statistics.wavelet import DAUBECHIES_LOW_PASS
from outcry.market.frame import FloatArray

Statistics = dict[str, Callable[..., FloatArray]]

N = 128
DB4 = DAUBECHIES_LOW_PASS["db4"]
VOLUME = np.random.default_rng(0).integers(0, 1000, N + 20).astype(np.float64)

# name: window, further arguments, lowest and highest values, value of a window of ones
CASES: dict[str, tuple[int, tuple[object, ...], list[float], list[float], list[float]]] = {
    "acf": (100, (20,), [-1.0] * 20, [1.0] * 20, [0.0] * 20),
    "pacf": (100, (5,), [-1.0] * 5, [1.0] * 5, [0.0] * 5),
    "ljung_box": (100, (10,), [0.0, 0.0], [inf, 1.0], [0.0, 1.0]),
    "adf": (100, (1,), [-ADF_LIMIT], [ADF_LIMIT], [0.0]),
    "kpss": (100, (12,), [0.0], [inf], [0.0]),
    "mean_reversion": (
        60,
        (250.0,),
        [-1.0, np.log(2.0) / THETA_MAX_PER_BAR, 0.0, -inf, 0.0],
        [2.0, 250.0, THETA_MAX_PER_BAR, inf, inf],
        [0.0, 250.0, 0.0, 1.0, 0.0],
    ),
    "hurst": (100, (), [0.0], [1.0], [0.5]),
    "box_dimension": (50, (), [1.0], [2.0], [1.0]),
    "sup_f": (100, (), [0.0, 0.0], [SUP_F_LIMIT, 85.0], [0.0, 0.0]),
    "change_point": (100, (0.01, 5), [0.0, 1.0], [1.0, 100.0], [0.0, 100.0]),
    "hill": (100, (10,), [0.0], [HILL_LIMIT], [HILL_LIMIT]),
    "extreme_zscores": (100, (), [0.0, -99.0 / sqrt(100.0)], [99.0 / sqrt(100.0), 0.0], [0.0, 0.0]),
    "wavelet": (128, (DB4, 3), [0.0] * 4 + [-inf] * 3, [1.0] * 4 + [inf] * 3, [0.0] * 3 + [1.0] + [0.0] * 3),
    "waves": (128, (10,), [0.0] * 10 + [-pi] * 10, [inf] * 10 + [pi] * 10, [0.0] * 20),
    "spectral_entropy": (128, (), [0.0], [1.0], [1.0]),
    "vpin": (100, (VOLUME, 50), [0.0], [1.0], [0.0]),
    "percentile_rank": (100, (), [0.0], [1.0], [0.5]),
}

UNIT_OF_THE_SERIES = {"mean_reversion": [MU, SIGMA], "wavelet": [4, 5, 6], "waves": list(range(10))}
"""Outputs that are multiplied when the series is; all others stay as they are."""

MOVES_WITH_THE_LEVEL = {"hill", "wavelet", "vpin"}
"""Statistics of changes, to which a shift of the series is a drift."""

names = pytest.mark.parametrize("name", CASES)


def walk(seed: int) -> FloatArray:
    """Return a walk on a grid of eighths, whose sums are exact."""
    return np.random.default_rng(seed).integers(-20, 21, N).cumsum() / 8.0


@names
def test_a_value_depends_on_its_window_alone(statistics: Statistics, name: str) -> None:
    window, args, *_ = CASES[name]
    x = walk(1)
    expected = statistics[name](x, N - 1, window, *args)
    for before, after in ((0, 1), (1, 0), (3, 5), (8, 12)):
        long = np.concatenate([np.full(before, np.nan), x[N - window :], np.full(after, np.nan)])
        moved = tuple(
            np.concatenate([np.full(before, np.nan), a[N - window : N], np.full(after, np.nan)]) if a is VOLUME else a
            for a in args
        )
        result = statistics[name](long, before + window - 1, window, *moved)
        assert result.tobytes() == expected.tobytes()


@names
def test_equal_values_give_the_documented_value(statistics: Statistics, name: str) -> None:
    window, args, _, _, expected = CASES[name]
    for value in (1.0, 0.1, -1e-9, 1e9):
        result = statistics[name](np.full(N, value), N - 1, window, *args)
        if name == "mean_reversion":
            assert result[MU] == value
            result[MU] = 1.0
        assert result.tolist() == pytest.approx(expected, abs=1e-12 * max(abs(value), 1.0))


@names
@given(
    x=arrays(np.float64, N, elements=st.floats(-1e6, 1e6)),
    tick=st.sampled_from([0.0, 0.01, 1.0, 1e5]),
    is_walk=st.booleans(),
)
def test_every_series_gives_finite_values_in_range(
    statistics: Statistics, name: str, x: FloatArray, tick: float, is_walk: bool
) -> None:
    window, args, low, high, _ = CASES[name]
    if tick > 0.0:
        x = np.round(x / tick) * tick
    if is_walk:
        x = x.cumsum()
    result = statistics[name](x, N - 1, window, *args)
    assert np.isfinite(result).all()
    # A bound of a real number may be passed by the rounding of its last digits.
    assert (result >= np.array(low) - 1e-12).all()
    assert (result <= np.array(high) + 1e-12).all()


@names
@pytest.mark.parametrize("unit", [1e-150, 1e-161, 1e-162, 1e-170, 5e-324])
def test_values_too_small_to_square_give_finite_values_in_range(statistics: Statistics, name: str, unit: float) -> None:
    window, args, low, high, _ = CASES[name]
    for x in (walk(1), walk(2).round(), np.eye(1, N, N - 40)[0], np.eye(1, N, N - 1)[0]):
        result = statistics[name](x * unit, N - 1, window, *args)
        assert np.isfinite(result).all()
        assert (result >= np.array(low) - 1e-12).all()
        assert (result <= np.array(high) + 1e-12).all()


@names
@given(seed=st.integers(0, 2**32 - 1), exponent=st.integers(-20, 20))
def test_the_unit_of_the_series_does_not_matter(statistics: Statistics, name: str, seed: int, exponent: int) -> None:
    """A power of 2 is multiplied without rounding: the values are the same to the last bit, but for logarithms."""
    window, args, *_ = CASES[name]
    x, factor = walk(seed), 2.0**exponent
    expected = statistics[name](x, N - 1, window, *args)
    if name in UNIT_OF_THE_SERIES:
        expected[UNIT_OF_THE_SERIES[name]] *= factor
    result = statistics[name](x * factor, N - 1, window, *args)
    if name == "hurst":
        assert result.tolist() == pytest.approx(expected.tolist(), rel=1e-12)
    else:
        assert result.tolist() == expected.tolist()


@names
@given(seed=st.integers(0, 2**32 - 1), shift=st.integers(-100, 100))
def test_the_level_of_the_series_does_not_matter(statistics: Statistics, name: str, seed: int, shift: int) -> None:
    if name in MOVES_WITH_THE_LEVEL:
        return
    window, args, *_ = CASES[name]
    x = walk(seed)
    expected = statistics[name](x, N - 1, window, *args)
    if name == "mean_reversion":
        expected[MU] += shift
    if name == "waves":
        # the phase of a wave without amplitude is any
        expected = expected[:10]
    result = statistics[name](x + shift, N - 1, window, *args)[: len(expected)]
    # Rounding of the mean, 1e-14, is magnified where a slope near 1 is taken from 1.
    assert result.tolist() == pytest.approx(expected.tolist(), rel=1e-7, abs=1e-9)
