"""The flow of a window is a line over the volume traded: its steps between buckets are the imbalances."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm, percentileofscore

from outcry.market.frame import FloatArray

Statistics = dict[str, Callable[..., FloatArray]]


def vpin_by_interpolation(change: FloatArray, volume: FloatArray, n_buckets: int) -> float:
    bought_frac = norm.cdf(change / change.std(ddof=1))
    traded = np.concatenate([[0.0], np.cumsum(volume)])
    flow = np.concatenate([[0.0], np.cumsum(volume * (2.0 * bought_frac - 1.0))])
    edges = traded[-1] * np.arange(n_buckets + 1) / n_buckets
    return float(np.abs(np.diff(np.interp(edges, traded, flow))).sum() / traded[-1])


@pytest.mark.realdata
def test_real_flow_agrees_with_interpolation(statistics: Statistics, real_bars: list[Any]) -> None:
    for bars in real_bars:
        values = []
        for end in bars.ends:
            last = slice(end - 99, end + 1)
            for n_buckets in (20, 50):
                expected = vpin_by_interpolation(bars.log_return[last], bars.volume[last], n_buckets)
                result = statistics["vpin"](bars.log_return, end, 100, bars.volume, n_buckets)[0]
                assert result == pytest.approx(expected, rel=1e-9)
            values.append(result)
        assert 0.05 < np.mean(values) < 0.8


@given(
    seed=st.integers(0, 2**32 - 1), window=st.integers(5, 120), n_buckets=st.integers(1, 60), empty=st.floats(0.0, 0.9)
)
def test_any_flow_agrees_with_interpolation(
    statistics: Statistics, seed: int, window: int, n_buckets: int, empty: float
) -> None:
    rng = np.random.default_rng(seed)
    change = rng.standard_t(3.0, window + 7)
    volume = rng.pareto(1.0, window + 7) * (rng.random(window + 7) >= empty)
    volume[4] = 1.0
    expected = vpin_by_interpolation(change[4:-3], volume[4:-3], n_buckets)
    result = statistics["vpin"](change, len(change) - 4, window, volume, n_buckets)[0]
    assert result == pytest.approx(expected, rel=1e-9)


def test_one_sided_flow_is_toxic_and_balanced_flow_is_not(statistics: Statistics) -> None:
    volume = np.full(100, 200.0)
    rising = np.tile([0.03, 0.05], 50)
    turning = np.tile([0.05, -0.05], 50)
    assert statistics["vpin"](rising, 99, 100, volume, 50)[0] > 0.99
    assert statistics["vpin"](turning, 99, 100, volume, 50)[0] == pytest.approx(0.0, abs=1e-12)


def test_flow_without_volume_or_without_moves_is_not_toxic(statistics: Statistics) -> None:
    moves = np.random.default_rng(8).normal(size=100)
    assert statistics["vpin"](moves, 99, 100, np.zeros(100), 50)[0] == 0.0
    assert statistics["vpin"](moves, 99, 100, np.append(np.zeros(99), 5e-324), 50)[0] == 0.0
    assert statistics["vpin"](np.full(100, 0.1), 99, 100, np.ones(100), 50)[0] == 0.0


@given(seed=st.integers(0, 2**32 - 1), window=st.integers(1, 120))
def test_the_rank_is_that_of_scipy(statistics: Statistics, seed: int, window: int) -> None:
    x = np.random.default_rng(seed).normal(size=window + 7).round(1)
    expected = percentileofscore(x[4:-3], x[-4], kind="mean") / 100.0
    assert statistics["percentile_rank"](x, len(x) - 4, window)[0] == pytest.approx(expected, rel=1e-12)
