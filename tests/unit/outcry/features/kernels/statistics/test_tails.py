"""NumPy sorts the sizes that the index is made of; a Pareto sample gives its exponent back."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import zscore

from outcry.features.kernels.statistics.tails import HILL_LIMIT
from outcry.market.frame import FloatArray

Statistics = dict[str, Callable[..., FloatArray]]


def check(statistics: Statistics, x: FloatArray, end: int, window: int, n_extremes: int) -> None:
    last = x[end - window + 1 : end + 1]
    sizes = np.sort(np.abs(last))[::-1]
    mean_log = np.log(sizes[:n_extremes] / sizes[n_extremes]).mean()
    expected = HILL_LIMIT if mean_log * HILL_LIMIT <= 1.0 else 1.0 / mean_log
    assert statistics["hill"](x, end, window, n_extremes)[0] == pytest.approx(expected, rel=1e-9)
    z = zscore(last, ddof=1)
    assert statistics["extreme_zscores"](x, end, window).tolist() == pytest.approx([z.max(), z.min()], rel=1e-9)


@pytest.mark.realdata
def test_real_returns_agree_with_numpy(statistics: Statistics, real_bars: list[Any]) -> None:
    for bars in real_bars:
        for end in bars.ends:
            for n_extremes in (5, 10):
                check(statistics, bars.log_return, end, 100, n_extremes)


@given(seed=st.integers(0, 2**32 - 1), window=st.integers(6, 120), n_extremes=st.integers(1, 5))
def test_any_series_agrees_with_numpy(statistics: Statistics, seed: int, window: int, n_extremes: int) -> None:
    x = np.random.default_rng(seed).standard_t(3.0, window + 7).round(1) + 0.01
    check(statistics, x, len(x) - 4, window, n_extremes)


def test_a_pareto_sample_gives_its_exponent_back(statistics: Statistics) -> None:
    x = np.random.default_rng(4).pareto(3.0, 100_000) + 1.0
    assert statistics["hill"](x, len(x) - 1, len(x), 5000)[0] == pytest.approx(3.0, rel=0.05)


@pytest.mark.parametrize(
    ("x", "expected"),
    [
        (np.zeros(20), HILL_LIMIT),
        (np.full(20, -0.1), HILL_LIMIT),
        (np.append(np.zeros(16), [1.0, 2.0, 3.0, 4.0]), 0.0),
    ],
    ids=["no move", "moves of one size", "fewer moves than extremes"],
)
def test_a_sample_without_a_tail_has_a_defined_index(statistics: Statistics, x: FloatArray, expected: float) -> None:
    assert statistics["hill"](x, 19, 20, 5)[0] == expected
