"""statsmodels is the oracle of autocorrelations and of the test on them."""

from collections.abc import Callable
from typing import Any, cast

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.diagnostic import acorr_ljungbox
from statsmodels.tsa.stattools import acf, pacf

from outcry.features.kernels.statistics import dependence
from outcry.market.frame import FloatArray

Statistics = dict[str, Callable[..., FloatArray]]


def check_against_statsmodels(statistics: Statistics, x: FloatArray, end: int, window: int, n_lags: int) -> None:
    last = x[end - window + 1 : end + 1]
    r = statistics["acf"](x, end, window, n_lags)
    np.testing.assert_allclose(r, acf(last, nlags=n_lags, fft=False)[1:], rtol=1e-9, atol=1e-12)
    partial = statistics["pacf"](x, end, window, n_lags)
    np.testing.assert_allclose(partial, pacf(last, nlags=n_lags, method="ldbiased")[1:], rtol=1e-9, atol=1e-12)
    q, p_value = statistics["ljung_box"](x, end, window, n_lags)
    expected = acorr_ljungbox(last, lags=[n_lags])
    assert q == pytest.approx(expected["lb_stat"].iloc[0], rel=1e-9)
    assert p_value == pytest.approx(expected["lb_pvalue"].iloc[0], rel=1e-9)


@pytest.mark.realdata
def test_real_returns_and_prices_agree_with_statsmodels(statistics: Statistics, real_bars: list[Any]) -> None:
    for bars in real_bars:
        for end in bars.ends:
            for n_lags in (5, 10, 20):
                check_against_statsmodels(statistics, bars.log_return, end, 100, n_lags)
            check_against_statsmodels(statistics, bars.log_price, end, 100, 10)


@given(
    seed=st.integers(0, 2**32 - 1), window=st.integers(24, 120), n_lags=st.integers(1, 11), slope=st.floats(-1.2, 1.2)
)
def test_any_series_agrees_with_statsmodels(
    statistics: Statistics, seed: int, window: int, n_lags: int, slope: float
) -> None:
    x = np.random.default_rng(seed).normal(0.0, 1.0, window + 7).round(1)
    for t in range(1, len(x)):
        x[t] += np.clip(slope * x[t - 1], -5.0, 5.0)
    check_against_statsmodels(statistics, x, len(x) - 3, window, n_lags)


def test_partial_autocorrelations_end_where_nothing_is_left_to_explain() -> None:
    out = np.full(4, np.nan)
    cast(Any, dependence.write_partial_autocorrelations).py_func(np.array([-1.0, 1.0, -1.0, 1.0]), 4, np.empty(8), out)
    assert out.tolist() == [-1.0, 0.0, 0.0, 0.0]
