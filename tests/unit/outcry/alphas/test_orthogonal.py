"""Mapped alphas are uncorrelated on the past that they were fitted on, and nothing else is known."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.linalg import sqrtm
from sklearn.decomposition import PCA

from outcry.alphas.orthogonal import apply_map, gram_schmidt, keep_distinct, principal, second_moments, symmetric
from outcry.errors import ConfigurationError, DataValidationError
from outcry.market.frame import FloatArray


def make_scores(seed: int, n_alphas: int = 4) -> FloatArray:
    """Return correlated scores (n_alphas, 30, 12), with some not known."""
    rng = np.random.default_rng(seed)
    scores = np.tensordot(rng.normal(size=(n_alphas, n_alphas)), rng.normal(size=(n_alphas, 30, 12)), axes=1)
    scores[:, rng.random((30, 12)) < 0.1] = np.nan
    return scores


MAPS: dict[str, Callable[[FloatArray], FloatArray]] = {
    "gram_schmidt": gram_schmidt,
    "symmetric": symmetric,
    "principal": lambda moments: principal(moments, 4),
}
every_map = pytest.mark.parametrize("fit", MAPS.values(), ids=MAPS.keys())


@every_map
@given(seed=st.integers(0, 10_000))
def test_mapped_alphas_are_uncorrelated_with_variance_one(fit: Callable[[FloatArray], FloatArray], seed: int) -> None:
    scores = make_scores(seed)
    mapped = apply_map(fit(second_moments(scores)), scores)
    assert second_moments(mapped) == pytest.approx(np.eye(4), abs=1e-6)


@given(seed=st.integers(0, 10_000))
def test_gram_schmidt_is_the_inverse_of_cholesky(seed: int) -> None:
    moments = second_moments(make_scores(seed))
    assert gram_schmidt(moments) == pytest.approx(np.linalg.inv(np.linalg.cholesky(moments)), rel=1e-5, abs=1e-7)


@given(seed=st.integers(0, 10_000))
def test_the_symmetric_map_is_the_inverse_root_of_scipy_and_the_nearest(seed: int) -> None:
    scores = make_scores(seed)
    moments = second_moments(scores)
    matrix = symmetric(moments)
    assert matrix == pytest.approx(np.linalg.inv(sqrtm(moments)).real, rel=1e-4, abs=1e-6)

    def distance(other: FloatArray) -> float:
        return float(np.nansum((apply_map(other, scores) - scores) ** 2))

    rotation = np.linalg.qr(np.random.default_rng(seed).normal(size=(4, 4)))[0]
    assert distance(matrix) <= distance(rotation @ matrix) * (1 + 1e-9)


@given(seed=st.integers(0, 10_000))
def test_components_are_those_of_scikit_learn(seed: int) -> None:
    scores = make_scores(seed)
    mapped = apply_map(principal(second_moments(scores), 2), scores).reshape(2, -1)
    rows = scores.reshape(4, -1).T
    rows = rows[np.isfinite(rows).all(axis=1)]
    both_signs = np.concatenate((rows, -rows))  # of mean 0, as the moments take the scores to be
    theirs = PCA(2, whiten=True).fit(both_signs).transform(rows).T
    for ours, other in zip(mapped[:, np.isfinite(mapped[0])], theirs, strict=True):
        assert abs(np.corrcoef(ours, other)[0, 1]) == pytest.approx(1.0, abs=1e-6)


def test_an_alpha_that_says_nothing_new_is_dropped() -> None:
    scores = make_scores(3, 3)
    scores = np.concatenate((scores, scores[:1] - 2.0 * scores[1:2]))
    moments = second_moments(scores)
    assert not gram_schmidt(moments)[3].any()
    assert len(principal(moments, 4)) == 3
    mapped = second_moments(apply_map(symmetric(moments), scores))
    assert np.linalg.eigvalsh(mapped) == pytest.approx([0, 1, 1, 1], abs=1e-6)


def test_of_two_alphas_alike_the_first_is_kept() -> None:
    moments = np.array([[1.0, 0.9, 0.1, 0.0], [0.9, 1.0, -0.7, 0.0], [0.1, -0.7, 1.0, 0.0], [0.0, 0.0, 0.0, 0.0]])
    assert keep_distinct(moments, 0.8).tolist() == np.eye(4)[[0, 2]].tolist()
    assert keep_distinct(moments, 0.95).tolist() == np.eye(4)[[0, 1, 2]].tolist()
    assert keep_distinct(moments[1:3, 1:3], 0.5).tolist() == [[1.0, 0.0]]  # the sign does not matter


@given(seed=st.integers(0, 10_000))
def test_a_frame_has_the_same_bits_alone(seed: int) -> None:
    scores = make_scores(seed)
    matrix = symmetric(second_moments(scores))
    together = apply_map(matrix, scores)
    for t in range(scores.shape[1]):
        assert apply_map(matrix, scores[:, t]).tobytes() == np.ascontiguousarray(together[:, t]).tobytes()


def test_values_that_break_a_rule_are_refused() -> None:
    with pytest.raises(DataValidationError, match="scores must be known at one place at least"):
        second_moments(np.full((2, 3, 4), np.nan))
    with pytest.raises(DataValidationError, match="moments must be finite"):
        symmetric(np.full((2, 2), np.nan))
    with pytest.raises(DataValidationError, match="must have a direction with variance"):
        principal(np.zeros((2, 2)), 1)
    with pytest.raises(ConfigurationError, match="n_components must be at least 1, was 0"):
        principal(np.eye(2), 0)
    with pytest.raises(ConfigurationError, match=r"max_abs_correlation must be in \(0, 1\], was 1\.2"):
        keep_distinct(np.eye(2), 1.2)
