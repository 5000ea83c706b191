"""Forward returns equal pandas, on real prices and on walks with gaps."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from outcry.errors import ConfigurationError
from outcry.labels.direction import up_labels, volatility_band
from outcry.labels.forward import bar_returns, forward_returns, risk_adjusted_returns
from outcry.market.frame import FrameTensor


@given(seed=st.integers(0, 10_000), horizon_bars=st.integers(1, 70))
def test_forward_returns_equal_pandas(make_market: Callable[..., FrameTensor], seed: int, horizon_bars: int) -> None:
    close = make_market(seed).close
    expected = pd.DataFrame(close).pct_change(horizon_bars, fill_method=None).shift(-horizon_bars).to_numpy()
    np.testing.assert_array_equal(forward_returns(close, horizon_bars), expected)
    np.testing.assert_array_equal(bar_returns(close), pd.DataFrame(close).pct_change(fill_method=None).to_numpy())


@pytest.mark.realdata
@pytest.mark.parametrize("horizon_bars", [1, 5, 10])
def test_forward_returns_of_real_prices_equal_pandas(real_market: FrameTensor, horizon_bars: int) -> None:
    expected = pd.DataFrame(real_market.close).pct_change(horizon_bars, fill_method=None).shift(-horizon_bars)
    found = forward_returns(real_market.close, horizon_bars)
    np.testing.assert_array_equal(found, expected.to_numpy())
    assert np.isfinite(found).mean() > 0.5


@given(seed=st.integers(0, 10_000), horizon_bars=st.integers(1, 20))
def test_a_risk_adjusted_return_times_its_volatility_is_the_return(
    make_market: Callable[..., FrameTensor], seed: int, horizon_bars: int
) -> None:
    close = make_market(seed).close
    deviation = volatility_band(close, horizon_bars, 1.0, 8)
    found = risk_adjusted_returns(close, horizon_bars, deviation)
    expected = np.where(deviation > 0.0, forward_returns(close, horizon_bars), np.nan)
    np.testing.assert_allclose(found * deviation, expected, rtol=1e-12)


def test_a_price_that_is_not_positive_counts_as_none() -> None:
    close = np.array([[10.0], [0.0], [12.0], [-1.0], [15.0]])
    np.testing.assert_array_equal(forward_returns(close, 1), np.full((5, 1), np.nan))
    np.testing.assert_array_equal(
        forward_returns(close, 2), [[12.0 / 10.0 - 1.0], [np.nan], [0.25], [np.nan], [np.nan]]
    )
    assert up_labels(close, 2)[:, 0].tolist() == [1, -1, 1, -1, -1]


def test_a_flat_past_gives_no_risk_adjusted_return() -> None:
    close = np.array([[10.0], [10.0], [10.0], [10.0], [11.0]])
    found = risk_adjusted_returns(close, 1, volatility_band(close, 1, 1.0, 2))
    assert np.isnan(found).all()


@pytest.mark.parametrize("target", [forward_returns, up_labels])
def test_a_horizon_that_is_not_positive_is_refused(target: Callable[..., np.ndarray]) -> None:
    with pytest.raises(ConfigurationError, match="horizon_bars must be positive, was -1"):
        target(np.ones((5, 1)), -1)
