"""The spread of members is that of its formulas, to the same bits for a row alone."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import entropy

from outcry.errors import PredictionError
from outcry.models.uncertainty.spread import measure_spread

FIELDS = ("mean", "std", "variance", "entropy", "mutual_information", "vote_entropy", "agreement_frac")


def _members(seed: int, n_members: int, n_rows: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return rng.dirichlet((1.0, 1.0, 1.0), (n_members, n_rows)), rng.dirichlet(np.ones(n_members))


@given(seed=st.integers(0, 10**6), n_members=st.integers(1, 8), n_rows=st.integers(1, 30))
def test_every_measure_is_that_of_its_formula(seed: int, n_members: int, n_rows: int) -> None:
    members, weights = _members(seed, n_members, n_rows)
    found = measure_spread(members, weights)
    mean = np.einsum("m,mrk->rk", weights, members)
    variance = np.einsum("m,mrk->rk", weights, (members - mean) ** 2)
    votes = np.einsum("m,mrk->rk", weights, np.eye(3)[members.argmax(axis=2)])
    expected = {
        "mean": mean,
        "std": np.sqrt(variance),
        "variance": variance.sum(axis=1),
        "entropy": entropy(mean, axis=1),
        "mutual_information": entropy(mean, axis=1) - weights @ entropy(members, axis=2),
        "vote_entropy": entropy(votes, axis=1),
        "agreement_frac": votes.max(axis=1),
    }
    for name in FIELDS:
        np.testing.assert_allclose(getattr(found, name), expected[name], rtol=1e-9, atol=1e-12, err_msg=name)
    assert found.variance.max() <= 2 / 3
    assert (found.mutual_information >= 0).all()
    assert found.mutual_information.max() <= found.entropy.max() <= np.log(3) + 1e-12


@settings(max_examples=20)
@given(seed=st.integers(0, 10**6), n_members=st.integers(1, 8), n_rows=st.integers(1, 70))
def test_every_row_gets_the_same_bits_alone(seed: int, n_members: int, n_rows: int) -> None:
    members, weights = _members(seed, n_members, n_rows)
    members[0, 0, 0] = 0.0
    together = measure_spread(members, weights)
    for row in range(n_rows):
        alone = measure_spread(members[:, row : row + 1], weights)
        for name in FIELDS:
            assert getattr(alone, name)[0].tobytes() == getattr(together, name)[row].tobytes()


def test_members_that_agree_have_no_spread_and_those_that_do_not_have_the_largest() -> None:
    same, apart = np.tile([0.2, 0.3, 0.5], (4, 1)), np.eye(3)
    found = measure_spread(same[:, np.newaxis])
    assert (found.variance[0], found.mutual_information[0], found.agreement_frac[0]) == pytest.approx((0.0, 0.0, 1.0))
    found = measure_spread(apart[:, np.newaxis])
    assert found.variance[0] == pytest.approx(2 / 3)
    assert found.mutual_information[0] == found.vote_entropy[0] == pytest.approx(np.log(3))
    assert found.agreement_frac[0] == pytest.approx(1 / 3)


def test_samples_of_dropout_are_members_of_equal_weight() -> None:
    samples, _ = _members(3, 100, 5)
    found = measure_spread(samples)
    np.testing.assert_allclose(found.mean, samples.mean(axis=0))
    np.testing.assert_allclose(found.std, samples.std(axis=0))


def test_a_row_that_one_member_does_not_know_is_unknown() -> None:
    members, _ = _members(4, 3, 4)
    members[1, 2] = np.nan
    found = measure_spread(members)
    for name in FIELDS:
        is_nan = np.isnan(getattr(found, name)).reshape(4, -1)
        assert is_nan[2].all()
        assert not np.delete(is_nan, 2, axis=0).any()


@pytest.mark.parametrize(
    ("shape", "weights", "rule"),
    [
        ((0, 4, 3), None, r"probability must have shape"),
        ((4, 3), None, r"probability must have shape"),
        ((2, 4, 3), [1.0], r"weights_frac must be 2 numbers that sum to 1, was \[1\.0\]"),
        ((2, 4, 3), [0.7, 0.7], r"that sum to 1"),
        ((2, 4, 3), [-1.0, 2.0], r"that sum to 1"),
        ((2, 4, 3), [np.nan, 1.0], r"that sum to 1"),
    ],
)
def test_what_is_no_vote_is_refused(shape, weights, rule) -> None:
    with pytest.raises(PredictionError, match=rule):
        measure_spread(np.full(shape, 1 / 3), None if weights is None else np.array(weights))
