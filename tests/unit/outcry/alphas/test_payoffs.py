"""What became of scores is what SciPy says, also of alphas that are mapped later."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import pearsonr, rankdata

from outcry.alphas.payoffs import measure_payoff


@given(seed=st.integers(0, 10_000))
def test_payoffs_of_mapped_alphas_are_mapped_payoffs(seed: int) -> None:
    rng = np.random.default_rng(seed)
    scores, forward = rng.normal(size=(3, 15)), np.round(rng.normal(size=15), 1)
    forward[rng.random(15) < 0.2] = np.nan
    scores[rng.random(scores.shape) < 0.2] = np.nan
    matrix = rng.normal(size=(2, 3))
    payoff = measure_payoff(scores, forward)
    assert payoff is not None
    known = np.isfinite(forward)
    mapped = matrix @ np.nan_to_num(scores[:, known])
    found = payoff.mapped(matrix)
    assert found.moments == pytest.approx(np.cov(mapped, ddof=0), abs=1e-12)
    for k in range(2):
        assert found.coefficients[k] == pytest.approx(pearsonr(mapped[k], rankdata(forward[known])).statistic)
        assert found.earned[k] == pytest.approx(np.cov(mapped[k], forward[known], ddof=0)[0, 1], abs=1e-12)


def test_equal_returns_are_no_payoff_and_equal_scores_no_coefficient() -> None:
    scores = np.array([[1.0, 0.0, -1.0], [0.0, 0.0, 0.0]])
    assert measure_payoff(scores, np.full(3, 0.1)) is None
    assert measure_payoff(scores, np.array([0.1, np.nan, np.nan])) is None
    payoff = measure_payoff(scores, np.array([0.2, 0.1, 0.0]))
    assert payoff is not None
    assert payoff.coefficients[0] == pytest.approx(1.0)
    assert np.isnan(payoff.coefficients[1])
    # equal among the symbols with a return, and their mean is rounded
    payoff = measure_payoff(np.array([[0.1, 0.1, 0.1, -2.0]]), np.array([0.2, 0.1, 0.0, np.nan]))
    assert payoff is not None
    assert np.isnan(payoff.coefficients).all()
