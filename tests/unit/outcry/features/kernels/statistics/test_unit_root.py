"""statsmodels is the oracle of the unit-root tests."""

import warnings
from collections.abc import Callable
from typing import Any, cast

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.tsa.stattools import adfuller, kpss

from outcry.features.kernels.statistics import unit_root
from outcry.features.kernels.statistics.unit_root import ADF_LIMIT, KPSS_CRITICAL_5PCT
from outcry.market.frame import FloatArray

Statistics = dict[str, Callable[..., FloatArray]]


def statsmodels_adf(x: FloatArray, n_lags: int) -> Any:
    return adfuller(x, maxlag=n_lags, regression="c", autolag=None, result_object=True)


def statsmodels_kpss(x: FloatArray, n_lags: int | str) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its table of p-values ends where the statistic does not
        return kpss(x, regression="c", nlags=n_lags, result_object=True)


@pytest.mark.realdata
def test_real_prices_and_returns_agree_with_statsmodels(statistics: Statistics, real_bars: list[Any]) -> None:
    for bars in real_bars:
        for x in (bars.log_price, np.exp(bars.log_price), bars.log_return):
            for end in bars.ends:
                last = x[end - 99 : end + 1]
                for n_lags in (0, 1, 4):
                    expected = statsmodels_adf(last, n_lags).statistic
                    assert statistics["adf"](x, end, 100, n_lags)[0] == pytest.approx(expected, rel=1e-9, abs=1e-9)
                assert statistics["kpss"](x, end, 100, 12)[0] == pytest.approx(
                    statsmodels_kpss(last, "legacy").statistic, rel=1e-9
                )


@given(
    seed=st.integers(0, 2**32 - 1), window=st.integers(20, 120), n_lags=st.integers(0, 5), slope=st.floats(-0.9, 1.02)
)
def test_any_series_agrees_with_statsmodels(
    statistics: Statistics, seed: int, window: int, n_lags: int, slope: float
) -> None:
    x = np.random.default_rng(seed).normal(0.0, 1.0, window + 7)
    for t in range(1, len(x)):
        x[t] += slope * x[t - 1]
    last = x[4:-3]
    expected = statsmodels_adf(last, n_lags).statistic
    assert statistics["adf"](x, len(x) - 4, window, n_lags)[0] == pytest.approx(expected, rel=1e-9, abs=1e-9)
    assert statistics["kpss"](x, len(x) - 4, window, n_lags)[0] == pytest.approx(
        statsmodels_kpss(last, n_lags).statistic, rel=1e-9
    )


@pytest.mark.parametrize(
    ("x", "expected"),
    [
        (np.arange(40.0), 0.0),
        (np.tile([1.0, -1.0], 20), 0.0),
        (np.eye(1, 40)[0], 0.0),
        (0.5 ** np.arange(40.0), -ADF_LIMIT),
        (1.5 ** np.arange(40.0), ADF_LIMIT),
    ],
    ids=["a line", "level and change are one", "one step at the oldest bar", "a decay", "a growth"],
)
def test_a_series_without_noise_has_a_defined_t_statistic(
    statistics: Statistics, x: FloatArray, expected: float
) -> None:
    n_lags = 0 if abs(expected) == ADF_LIMIT else 1
    assert statistics["adf"](x, 39, 40, n_lags)[0] == expected


@pytest.mark.parametrize("window", [30, 100, 250])
def test_the_flag_turns_at_the_critical_value_of_statsmodels(window: int) -> None:
    x = np.random.default_rng(7).normal(size=window).cumsum()
    critical = statsmodels_adf(x, 1).critical_values["5%"]
    is_stationary = cast(Any, unit_root.is_stationary).py_func
    assert is_stationary(critical - 1e-9, 0.1, window - 2)
    assert not is_stationary(critical + 1e-9, 0.1, window - 2)
    assert not is_stationary(critical - 1.0, KPSS_CRITICAL_5PCT, window - 2)


def test_the_kpss_critical_value_is_that_of_statsmodels() -> None:
    x = np.random.default_rng(7).normal(size=100)
    assert statsmodels_kpss(x, 12).critical_values["5%"] == KPSS_CRITICAL_5PCT
