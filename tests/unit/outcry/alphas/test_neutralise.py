"""What is left is the residual of statsmodels, frame by frame."""

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given
from hypothesis import strategies as st

from outcry.alphas.neutralise import neutralise
from outcry.errors import DataValidationError
from outcry.market.frame import FloatArray, IntArray

N_SYMBOLS = 24


def make_frames(seed: int, n_frames: int, n_factors: int) -> tuple[FloatArray, list[FloatArray], IntArray]:
    """Return scores that depend on sector and factors, some unknown, with the factors and sectors."""
    rng = np.random.default_rng(seed)
    sectors = rng.integers(0, 4, N_SYMBOLS)
    exposures = [rng.normal(1.0, 1.0, (n_frames, N_SYMBOLS)) for _ in range(n_factors)]
    scores = rng.normal(size=(n_frames, N_SYMBOLS)) + 3.0 * sectors + sum(2.0 * x for x in exposures)
    scores[rng.random(scores.shape) < 0.1] = np.nan
    for exposure in exposures:
        exposure[rng.random(scores.shape) < 0.05] = np.nan
    return scores, exposures, sectors


@given(seed=st.integers(0, 10_000), n_factors=st.integers(0, 3), by_sector=st.booleans())
def test_residuals_are_those_of_statsmodels(seed: int, n_factors: int, by_sector: bool) -> None:
    scores, exposures, sectors = make_frames(seed, 3, n_factors)
    found = neutralise(scores, exposures, sectors if by_sector else None)
    for t in range(3):
        columns = [np.equal.outer(np.arange(4), sectors).astype(float)] if by_sector else [np.ones((1, N_SYMBOLS))]
        regressors = np.vstack([*columns, *(x[t][None] for x in exposures)])
        is_known = np.isfinite(scores[t]) & np.isfinite(regressors).all(axis=0)
        assert (np.isfinite(found[t]) == is_known).all()
        columns_there = regressors[:, is_known]
        fitted = sm.OLS(scores[t][is_known], columns_there[columns_there.any(axis=1)].T).fit()
        assert found[t][is_known] == pytest.approx(fitted.resid, abs=1e-9)


@given(seed=st.integers(0, 10_000))
def test_what_is_left_is_uncorrelated_with_what_was_taken_out_and_stays_as_it_is(seed: int) -> None:
    scores, exposures, sectors = make_frames(seed, 2, 2)
    left = neutralise(scores, exposures, sectors)
    for t in range(2):
        known = np.isfinite(left[t])
        assert np.bincount(sectors[known], left[t][known]) == pytest.approx(0.0, abs=1e-9)
        for exposure in exposures:
            assert left[t][known] @ exposure[t][known] == pytest.approx(0.0, abs=1e-9)
    again = neutralise(left, exposures, sectors)
    np.testing.assert_allclose(again, left, atol=1e-9)


def test_an_exposure_that_says_nothing_new_changes_nothing() -> None:
    scores, exposures, sectors = make_frames(5, 4, 2)
    doubled = [*exposures, exposures[0] - 2.0 * exposures[1], np.where(np.isfinite(scores), 7.0, np.nan)]
    np.testing.assert_allclose(neutralise(scores, doubled, sectors), neutralise(scores, exposures, sectors), atol=1e-9)


def test_nothing_is_left_of_a_score_that_is_all_explained() -> None:
    rng = np.random.default_rng(1)
    beta = rng.normal(size=(3, 30))
    assert (neutralise(0.3 + 1.7 * beta, [beta]) == 0.0).all()
    assert (neutralise(np.full((2, 5), 0.1)) == 0.0).all()
    # two symbols a sector and two betas leave no degree of freedom
    scores = rng.normal(size=(500, 4))
    assert (neutralise(scores, list(rng.normal(size=(2, 500, 4))), np.array([0, 0, 1, 1])) == 0.0).all()
    assert (neutralise(scores, sectors=np.arange(4)) == 0.0).all()


@given(seed=st.integers(0, 10_000))
def test_a_frame_has_the_same_bits_alone(seed: int) -> None:
    scores, exposures, sectors = make_frames(seed, 5, 2)
    together = neutralise(scores, exposures, sectors)
    for t in range(5):
        alone = neutralise(scores[t], [x[t] for x in exposures], sectors)
        assert alone.tobytes() == together[t].tobytes()


def test_values_that_break_a_rule_are_refused() -> None:
    scores = np.ones((3, 4))
    with pytest.raises(DataValidationError, match=r"exposure 1 must have shape \(3, 4\), was \(3, 5\)"):
        neutralise(scores, [scores, np.ones((3, 5))])
    with pytest.raises(DataValidationError, match=r"sectors must be 4 codes from 0, was \[0, -1, 0, 0\]"):
        neutralise(scores, sectors=np.array([0, -1, 0, 0]))
