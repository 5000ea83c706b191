"""Stability is what other definitions of the same index say, and falls to zero by chance."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy.spatial.distance import pdist
from sklearn.metrics import cohen_kappa_score
from statsmodels.stats.inter_rater import fleiss_kappa

from outcry.errors import DataValidationError
from training.selection.stability import measure_stability

NAMES = tuple("abcdefgh")

folds = st.lists(st.lists(st.sampled_from(NAMES), min_size=1, unique=True), min_size=2, max_size=6)


def _matrix(chosen: list[list[str]]) -> np.ndarray:
    return np.array([[name in of_fold for name in NAMES] for of_fold in chosen])


@given(chosen=folds)
def test_the_index_is_the_kappa_of_fleiss_for_folds_that_rate_columns(chosen) -> None:
    times = _matrix(chosen).sum(axis=0)
    assume(times.sum() < len(chosen) * len(NAMES))
    expected = fleiss_kappa(np.column_stack((times, len(chosen) - times)), method="fleiss")
    assert measure_stability(chosen, NAMES).nogueira == pytest.approx(expected, abs=1e-12)


@given(data=st.data(), k=st.integers(1, 7), n_folds=st.integers(2, 5))
def test_the_index_is_that_of_kuncheva_where_folds_choose_as_many_columns(data, k, n_folds) -> None:
    chosen = [data.draw(st.permutations(NAMES))[:k] for _ in range(n_folds)]
    d = len(NAMES)
    shared = [len({*one} & {*other}) for one, other in combinations(chosen, 2)]
    kuncheva = np.mean([(r * d - k**2) / (k * (d - k)) for r in shared])
    found = measure_stability(chosen, NAMES).nogueira
    assert found == pytest.approx(kuncheva, abs=1e-12)
    pairs = [cohen_kappa_score(one, other) for one, other in combinations(_matrix(chosen), 2)]
    assert found == pytest.approx(np.mean(pairs), abs=1e-12)


@given(chosen=folds)
def test_jaccard_is_that_of_scipy(chosen) -> None:
    expected = 1.0 - pdist(_matrix(chosen), "jaccard").mean()
    assert measure_stability(chosen, NAMES).jaccard == pytest.approx(expected, abs=1e-12)


def test_folds_that_choose_at_random_agree_by_chance_alone() -> None:
    rng = np.random.default_rng(6)
    names = tuple(f"c{k}" for k in range(50))
    found = [
        measure_stability([rng.choice(names, 10 + k % 30, replace=False).tolist() for _ in range(8)], names)
        for k in range(300)
    ]
    index = np.array([stability.nogueira for stability in found])
    assert abs(index.mean()) < 3 * index.std() / np.sqrt(300)


def test_folds_that_choose_the_same_agree_in_full() -> None:
    found = measure_stability([["a", "b"], ["b", "a"], ["a", "b"]], NAMES)
    assert (found.jaccard, found.nogueira) == (1.0, 1.0)


def test_columns_carry_how_often_they_were_chosen_and_in_which_place() -> None:
    found = measure_stability([["a", "b"], ["c", "a"], ["a"], ["a", "c", "b"]], ("a", "b", "c", "d"))
    assert found.names == ("a", "b", "c", "d")
    assert found.frequency_frac.tolist() == [1.0, 0.5, 0.5, 0.0]
    np.testing.assert_array_equal(found.mean_rank, [1.25, 2.5, 1.5, np.nan])


def test_there_is_nothing_to_agree_on_where_every_fold_chose_every_column() -> None:
    found = measure_stability([["a", "b"], ["b", "a"]], ("a", "b"))
    assert found.jaccard == 1.0
    assert np.isnan(found.nogueira)


@pytest.mark.parametrize(
    ("chosen", "text"),
    [
        ([["a"]], "two folds or more, was over 1"),
        ([["a"], []], "fold 2 must have chosen a column, chose none"),
        ([["a"], ["z"]], "must be one of the 8 given, was z"),
    ],
)
def test_folds_that_cannot_be_compared_are_refused(chosen, text) -> None:
    with pytest.raises(DataValidationError, match=text):
        measure_stability(chosen, NAMES)
