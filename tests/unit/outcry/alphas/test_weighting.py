"""Weights follow the past of each alpha, and none is turned round."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from outcry.alphas.weighting import equal_weights, ic_weights, inverse_volatility_weights, sharpe_weights
from outcry.errors import DataValidationError
from outcry.market.frame import FloatArray

NAN = np.nan
every_weighting = pytest.mark.parametrize("weigh", [ic_weights, sharpe_weights, inverse_volatility_weights])


def test_weights_by_hand() -> None:
    outcomes = np.array([[0.1, 0.3, -0.1, NAN], [0.3, 0.3, -0.3, NAN], [NAN, 0.9, -0.1, NAN]])
    assert ic_weights(outcomes) == pytest.approx([0.2 / 0.7, 0.5 / 0.7, 0.0, 0.0])
    deviations = [np.sqrt(0.02), np.sqrt(0.12), np.sqrt(0.04 / 3)]
    merits = np.array([0.2 / deviations[0], 0.5 / deviations[1], 0.0, 0.0])
    assert sharpe_weights(outcomes) == pytest.approx(merits / merits.sum())
    calm = np.array([*(1.0 / np.array(deviations)), 0.0])
    assert inverse_volatility_weights(outcomes) == pytest.approx(calm / calm.sum())
    assert equal_weights(4).tolist() == [0.25] * 4


@every_weighting
@given(seed=st.integers(0, 10_000), n_alphas=st.integers(1, 6), scale=st.floats(0.01, 100.0))
def test_weights_are_shares_whatever_the_unit(
    weigh: Callable[[FloatArray], FloatArray], seed: int, n_alphas: int, scale: float
) -> None:
    outcomes = np.random.default_rng(seed).normal(0.02, 0.1, (30, n_alphas))
    weights = weigh(outcomes)
    assert weights.sum() == pytest.approx(1.0)
    assert (weights >= 0.0).all()
    assert weigh(scale * outcomes) == pytest.approx(weights)
    shuffled = np.random.default_rng(seed + 1).permutation(n_alphas)
    assert weigh(outcomes[:, shuffled]) == pytest.approx(weights[shuffled])


@every_weighting
def test_where_no_alpha_has_merit_all_weights_are_equal(weigh: Callable[[FloatArray], FloatArray]) -> None:
    assert weigh(np.full((5, 4), -0.1)).tolist() == [0.25] * 4
    assert weigh(np.full((5, 4), NAN)).tolist() == [0.25] * 4


def test_no_alphas_are_refused() -> None:
    with pytest.raises(DataValidationError, match="n_alphas must be at least 1, was 0"):
        equal_weights(0)
