"""Coefficients are those of SciPy, frame by frame."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import pearsonr, spearmanr

from outcry.alphas.information import information_coefficients, rank_information_coefficients


@given(seed=st.integers(0, 10_000), n_ties=st.integers(2, 9))
def test_coefficients_are_those_of_scipy(seed: int, n_ties: int) -> None:
    rng = np.random.default_rng(seed)
    scores = rng.integers(0, n_ties, (5, 11)).astype(float)
    forward = rng.integers(0, n_ties, (5, 11)) / 7.0
    for values in (scores, forward):
        values[rng.random(values.shape) < 0.2] = np.nan
    ranked, straight = rank_information_coefficients(scores, forward), information_coefficients(scores, forward)
    for t in range(5):
        known = np.isfinite(scores[t]) & np.isfinite(forward[t])
        said, came = scores[t][known], forward[t][known]
        if len(np.unique(said)) < 2 or len(np.unique(came)) < 2:
            assert np.isnan([ranked[t], straight[t]]).all()
        else:
            assert ranked[t] == pytest.approx(spearmanr(said, came).statistic, abs=1e-12)
            assert straight[t] == pytest.approx(pearsonr(said, came).statistic, abs=1e-12)


def test_equal_scores_have_no_coefficient_though_their_mean_is_rounded() -> None:
    scores, forward = np.full((1, 3), 0.1), np.array([[1.0, 2.0, 3.0]])
    assert np.isnan(information_coefficients(scores, forward)).all()
    assert np.isnan(rank_information_coefficients(scores, forward)).all()
