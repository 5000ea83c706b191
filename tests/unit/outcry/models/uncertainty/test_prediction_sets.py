"""Sets cover as promised, and their file brings back every bit or is refused."""

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from outcry.errors import BundleError
from outcry.models.uncertainty.prediction_sets import PredictionSets, class_scores
from outcry.models.uncertainty.ranked_scores import MOST_KEPT, RankedScores
from training.conformal import fit_prediction_sets

SCORES = ["lac", "aps", "raps"]


def _sample(seed: int, n_rows: int) -> tuple[np.ndarray, np.ndarray]:
    """Return a bad model of the classes, and what came."""
    rng = np.random.default_rng(seed)
    true = rng.dirichlet((0.6, 1.0, 0.4), n_rows)
    labels = (rng.random((n_rows, 1)) > true.cumsum(axis=1)).sum(axis=1).astype(np.int8)
    said = true**2 / (true**2).sum(axis=1, keepdims=True)
    return said, labels


@pytest.mark.parametrize("score", SCORES)
@pytest.mark.parametrize("alpha", [0.05, 0.1, 0.4])
def test_new_rows_are_covered_as_promised_within_binomial_error(score: str, alpha: float) -> None:
    """One row after each of many fits: without ties the number covered is binomial with the chance of its rank.

    The least likely class of every row has the sum 1 by ``aps`` and ``raps``: ties, and with them a larger coverage.
    """
    n_fits, n = 2_000, 59
    said, labels = _sample(1, n_fits * (n + 1))
    n_covered = 0
    for start in range(0, len(labels), n + 1):
        rows, new = slice(start, start + n), start + n
        fitted = fit_prediction_sets(said[rows], labels[rows], score=score, penalty=0.05)
        n_covered += fitted.sets(said[new : new + 1], alpha)[0, labels[new]]
    promised = math.ceil((n + 1) * (1 - alpha) - 1e-9) / (n + 1)
    low, high = binom.interval(0.999, n_fits, promised)
    assert low <= n_covered <= (high if score == "lac" else n_fits)


def test_each_class_is_covered_by_itself_where_sets_are_by_class() -> None:
    said, labels = _sample(2, 40_000)
    old, new = slice(0, 20_000), slice(20_000, None)
    pooled, by_class = (fit_prediction_sets(said[old], labels[old], is_by_class=each) for each in (False, True))
    coverage = {
        name: [fitted.sets(said[new], 0.2)[labels[new] == k, k].mean() for k in range(3)]
        for name, fitted in (("pooled", pooled), ("by_class", by_class))
    }
    np.testing.assert_allclose(coverage["by_class"], 0.8, atol=0.02)
    assert min(coverage["pooled"]) < 0.75  # the rare class pays


@given(seed=st.integers(0, 10**6), n_rows=st.integers(1, 40), score=st.sampled_from(SCORES))
def test_scores_are_those_of_their_definition_and_rows_stand_alone(seed: int, n_rows: int, score: str) -> None:
    rng = np.random.default_rng(seed)
    said = rng.choice([0.2, 0.3, 0.5, 0.4], (n_rows, 3)) if seed % 2 else rng.dirichlet((1, 1, 1), n_rows)
    found = class_scores(said, score, penalty=0.1, n_free=1)
    for row, scores in zip(said, found, strict=True):
        order = np.argsort(-row, kind="stable")
        for place, k in enumerate(order):
            total = 1 - row[k] if score == "lac" else row[order[: place + 1]].sum()
            assert scores[k] == pytest.approx(total + (0.1 * place if score == "raps" else 0.0))
    alone = [class_scores(said[i : i + 1], score, 0.1, 1)[0].tobytes() for i in range(n_rows)]
    assert alone == [scores.tobytes() for scores in found]


@given(st.lists(st.floats(0, 1), min_size=1, max_size=60), st.floats(-0.5, 1.5))
def test_the_quantile_is_the_finite_sample_one(scores: list[float], alpha: float) -> None:
    rank = math.ceil((len(scores) + 1) * (1 - alpha) - 1e-9)
    expected = -math.inf if rank < 1 else math.inf if rank > len(scores) else sorted(scores)[rank - 1]
    assert RankedScores.of(np.array(scores)).quantile(alpha) == expected


def test_many_scores_are_thinned_to_the_safe_side() -> None:
    scores = np.random.default_rng(0).random(25_000)
    ranked = RankedScores.of(scores)
    assert (len(ranked.ranks), ranked.n) == (MOST_KEPT, 25_000)
    for alpha in np.linspace(0.0001, 0.9999, 500):
        exact = np.sort(scores)[math.ceil(25_001 * (1 - alpha) - 1e-9) - 1] if 25_001 * alpha >= 1 else math.inf
        assert exact <= ranked.quantile(alpha)
        assert (scores <= ranked.quantile(alpha)).mean() <= 1 - alpha + 1.1 / MOST_KEPT


def test_of_an_unknown_row_and_without_rows_nothing_is_ruled_out() -> None:
    said, labels = _sample(3, 100)
    fitted = fit_prediction_sets(said, labels)
    assert fitted.sets(np.array([[np.nan] * 3]), 0.3).all()
    for is_by_class in (False, True):
        empty = fit_prediction_sets(said[:0], labels[:0], is_by_class=is_by_class)
        assert empty.sets(said, 0.3).all()


def test_rows_without_a_label_or_a_forecast_are_left_out_of_the_fit() -> None:
    said, labels = _sample(4, 100)
    more = np.concatenate((said, said[:2], [[np.nan] * 3]))
    found = fit_prediction_sets(more, np.concatenate((labels, np.array([-1, -1, 0], dtype=np.int8))))
    assert found.to_json() == fit_prediction_sets(said, labels).to_json()


@pytest.mark.parametrize("is_by_class", [False, True])
@pytest.mark.parametrize("score", SCORES)
def test_text_form_brings_back_every_bit(score: str, is_by_class: bool) -> None:
    said, labels = _sample(5, 3_000)
    fitted = fit_prediction_sets(said, labels, score=score, is_by_class=is_by_class, penalty=1 / 3, n_free=2)
    again = PredictionSets.from_json(fitted.to_json())
    assert again.to_json() == fitted.to_json()
    assert again.thresholds(0.1).tobytes() == fitted.thresholds(0.1).tobytes()
    np.testing.assert_array_equal(again.sets(said, 0.1), fitted.sets(said, 0.1))
    assert len(fitted.to_json()) < 120_000


GOOD = {"score": "lac", "penalty": 0, "n_free": 1, "ranked": [{"n": 3, "ranks": [1, 3], "scores": [0.1, 0.2]}]}


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"score": "other"}, r"score must be one of lac, aps, raps, was 'other'"),
        ({"penalty": -1}, r"penalty must not be negative, was -1\.0"),
        ({"ranked": []}, r"ranked must hold 1 or 3, held 0"),
        ({"ranked": [{"n": 3, "ranks": [1, 2], "scores": [0.1, 0.2]}]}, r"ranks must end with n, 3, ended with 2"),
        ({"ranked": [{"n": 3, "ranks": [3, 3], "scores": [0.1, 0.2]}]}, r"ranks must be positive and increase"),
        ({"ranked": [{"n": 3, "ranks": [0, 3], "scores": [0.1, 0.2]}]}, r"ranks must be positive and increase"),
        ({"ranked": [{"n": 3, "ranks": [1, 3], "scores": [0.2, 0.1]}]}, r"scores must be finite and not decrease"),
        (
            {"ranked": [{"n": 3, "ranks": [1, 3], "scores": [0.2, None]}]},
            r"scores must be finite|ranked scores must have",
        ),
        ({"ranked": [{"n": 3, "ranks": [3], "scores": [0.1, 0.2]}]}, r"scores must have a rank each"),
        ({"ranked": [{"n": 3}]}, r"ranked scores must have n, ranks and scores"),
        ({"ranked": 3}, r"conformal must have"),
    ],
)
def test_a_file_that_breaks_a_rule_is_refused(change: dict, rule: str) -> None:
    assert PredictionSets.from_json(json.dumps(GOOD).encode()).thresholds(0.5).tolist() == [0.2] * 3
    with pytest.raises(BundleError, match=rule):
        PredictionSets.from_json(json.dumps(GOOD | change).encode())


@pytest.mark.parametrize("text", [b"", b"[]", b"{}", b"\xff", b"3"])
def test_text_that_is_no_file_is_refused(text: bytes) -> None:
    with pytest.raises(BundleError, match="conformal must have"):
        PredictionSets.from_json(text)
