"""SciPy's F test at every date is the oracle of sup-F; the change points are found by the paper's own indices."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import f_oneway
from scipy.stats import t as student_t

from outcry.features.kernels.statistics.breaks import SUP_F_CRITICAL_5PCT, SUP_F_LIMIT
from outcry.market.frame import FloatArray

Statistics = dict[str, Callable[..., FloatArray]]


def sup_f_by_scipy(x: FloatArray) -> tuple[float, int]:
    n = len(x)
    trim = -(-15 * n // 100)
    values = {n - before: f_oneway(x[:before], x[before:]).statistic for before in range(trim, n - trim + 1)}
    age = max(values, key=lambda a: values[a])
    return values[age], age


def run_lengths_of_the_paper(x: FloatArray, hazard: float) -> FloatArray:
    """Return P(r_t) of Adams and MacKay after the last value, r = 0 if a run begins after it.

    The predictions are SciPy's Student t with the parameters of Murphy, 2007, equations 86 to 89 and 100.
    """
    z = (x - x.mean()) / x.std(ddof=1)
    joint = np.array([1.0])
    mean, kappa, alpha, beta = (np.array([v]) for v in (0.0, 1.0, 1.0, 1.0))
    for value in z:
        scale = np.sqrt(beta * (kappa + 1.0) / (alpha * kappa))
        likelihood = student_t.pdf(value, df=2.0 * alpha, loc=mean, scale=scale)
        joint = np.concatenate([[np.sum(joint * likelihood * hazard)], joint * likelihood * (1.0 - hazard)])
        joint /= joint.sum()
        beta = np.concatenate([[1.0], beta + kappa * (value - mean) ** 2 / (2.0 * (kappa + 1.0))])
        mean = np.concatenate([[0.0], (kappa * mean + value) / (kappa + 1.0)])
        kappa = np.concatenate([[1.0], kappa + 1.0])
        alpha = np.concatenate([[1.0], alpha + 0.5])
    return joint


def change_point_by_the_paper(x: FloatArray, hazard: float, recent_bars: int) -> tuple[float, float]:
    """Leave out r = 0, which always has the probability of the hazard."""
    runs = run_lengths_of_the_paper(x, hazard)
    assert runs[0] == pytest.approx(hazard)
    runs = runs[1:] / runs[1:].sum()
    return float(runs[:recent_bars].sum()), float(runs @ np.arange(1, len(runs) + 1))


@pytest.mark.realdata
def test_real_returns_agree_with_the_oracles(statistics: Statistics, real_bars: list[Any]) -> None:
    for bars in real_bars:
        for end in bars.ends[::3]:
            last = bars.log_return[end - 99 : end + 1]
            for x, window in ((bars.log_return, last), (np.abs(bars.log_return), np.abs(last))):
                expected = sup_f_by_scipy(window)
                assert statistics["sup_f"](x, end, 100).tolist() == pytest.approx(expected, rel=1e-9)
            result = statistics["change_point"](bars.log_return, end, 100, 0.01, 5)
            assert result.tolist() == pytest.approx(change_point_by_the_paper(last, 0.01, 5), rel=1e-9)


@given(seed=st.integers(0, 2**32 - 1), window=st.integers(10, 140), shift=st.floats(-3.0, 3.0))
def test_sup_f_of_any_series_is_that_of_scipy(statistics: Statistics, seed: int, window: int, shift: float) -> None:
    x = np.random.default_rng(seed).normal(0.0, 1.0, window + 7)
    x[window // 2 :] += shift
    assert statistics["sup_f"](x, len(x) - 4, window).tolist() == pytest.approx(sup_f_by_scipy(x[4:-3]), rel=1e-9)


@settings(max_examples=30)
@given(
    seed=st.integers(0, 2**32 - 1),
    window=st.integers(6, 254),
    hazard=st.floats(0.001, 0.5),
    recent_bars=st.integers(1, 5),
    ratio=st.floats(0.1, 10.0),
)
def test_change_points_of_any_series_are_those_of_the_paper(
    statistics: Statistics, seed: int, window: int, hazard: float, recent_bars: int, ratio: float
) -> None:
    x = np.random.default_rng(seed).standard_t(2.0, window + 7)
    x[window // 2 :] *= ratio
    result = statistics["change_point"](x, len(x) - 4, window, hazard, recent_bars)
    assert result.tolist() == pytest.approx(change_point_by_the_paper(x[4:-3], hazard, recent_bars), rel=1e-9)


def test_one_window_in_twenty_without_a_break_exceeds_the_critical_value(statistics: Statistics) -> None:
    """The table is asymptotic: at 100 bars the share is near, not at, 5 %."""
    x = np.random.default_rng(1).normal(size=(4000, 100))
    share = np.mean([statistics["sup_f"](row, 99, 100)[0] > SUP_F_CRITICAL_5PCT for row in x])
    assert 0.03 < share < 0.07


def test_a_step_without_noise_is_dated_and_cut(statistics: Statistics) -> None:
    x = np.repeat([0.1, 0.3], [63, 37])
    assert statistics["sup_f"](x, 99, 100).tolist() == [SUP_F_LIMIT, 37.0]


def test_a_jump_of_the_volatility_is_noticed_within_five_bars(statistics: Statistics) -> None:
    rng = np.random.default_rng(2)
    calm = rng.normal(0.0, 0.01, 100)
    shaken = np.concatenate([calm[4:], rng.normal(0.0, 0.08, 4)])
    probability, run_bars = statistics["change_point"](calm, 99, 100, 0.01, 5)
    assert probability < 0.1
    assert run_bars > 70.0
    probability, run_bars = statistics["change_point"](shaken, 99, 100, 0.01, 5)
    assert probability > 0.9
    assert run_bars < 20.0
