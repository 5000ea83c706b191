"""Votes and averages are those of scikit-learn, SciPy and the vote that was there before."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import trim_mean
from sklearn.ensemble import VotingClassifier
from sklearn.linear_model import LogisticRegression

from outcry.market.frame import FloatArray
from outcry.models.combiners.combiner import Combiner
from outcry.models.combiners.hard_vote import HardVote, HardVoteSpec
from outcry.models.combiners.multi_horizon import MultiHorizon, MultiHorizonSpec
from outcry.models.combiners.regime_thresholds import RegimeAxis, RegimeThresholds, RegimeThresholdsSpec
from outcry.models.combiners.soft_vote import SoftVote, SoftVoteSpec
from outcry.models.combiners.trimmed_mean import TrimmedMean, TrimmedMeanSpec

NOTHING = np.empty(0, dtype=np.int64)
seeds = st.integers(0, 2**32 - 1)


def ask(combiner: Combiner, probability: FloatArray) -> FloatArray:
    return combiner.combine(probability, np.empty((probability.shape[1], 0)), NOTHING)


def draw(seed: int, n_members: int, n_rows: int = 40) -> FloatArray:
    return np.random.default_rng(seed).dirichlet((1.0, 1.0, 1.0), size=(n_members, n_rows))


@pytest.mark.parametrize("voting", ["soft", "hard"])
@given(seed=seeds)
def test_votes_are_those_of_scikit_learn(voting: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    x, y = rng.normal(size=(60, 3)), np.tile([0, 1, 2], 20)
    weights_frac = rng.dirichlet((2.0, 2.0, 2.0))
    fitted = [LogisticRegression(C=c).fit(x, rng.permutation(y)) for c in (0.1, 1.0, 10.0)]
    oracle = VotingClassifier([(str(k), each) for k, each in enumerate(fitted)], voting=voting, weights=weights_frac)
    oracle.estimators_, oracle.le_, oracle.classes_ = fitted, _Identity(), np.arange(3)
    probability = np.stack([each.predict_proba(x) for each in fitted])
    if voting == "soft":
        answer = ask(SoftVote(SoftVoteSpec(weights_frac=tuple(weights_frac))), probability)
        np.testing.assert_allclose(answer, oracle.predict_proba(x), rtol=0.0, atol=1e-14)
    else:
        answer = ask(HardVote(HardVoteSpec(weights_frac=tuple(weights_frac))), probability)
        assert np.array_equal(answer.argmax(axis=1), oracle.predict(x))


class _Identity:
    def inverse_transform(self, labels: FloatArray) -> FloatArray:
        return labels


@given(seed=seeds, n_members=st.integers(1, 6))
def test_a_soft_vote_has_the_bits_of_the_sum_in_order(seed: int, n_members: int) -> None:
    probability = draw(seed, n_members)
    weights_frac = np.random.default_rng(seed).dirichlet(np.ones(n_members))
    vote = np.zeros((40, 3))
    for weight_frac, member in zip(weights_frac, probability, strict=True):
        vote += weight_frac * member
    assert ask(SoftVote(SoftVoteSpec(weights_frac=tuple(weights_frac))), probability).tobytes() == vote.tobytes()


@given(seed=seeds, n_members=st.integers(1, 7), trim_frac=st.sampled_from([0.0, 0.1, 0.25, 0.34, 0.5]))
def test_trimmed_means_are_those_of_scipy_and_blind_to_the_order(seed: int, n_members: int, trim_frac: float) -> None:
    probability = draw(seed, n_members)
    answer = ask(TrimmedMean(TrimmedMeanSpec(trim_frac=trim_frac)), probability)
    expected = np.median(probability, axis=0) if trim_frac == 0.5 else trim_mean(probability, trim_frac, axis=0)
    np.testing.assert_allclose(answer, expected / expected.sum(axis=1, keepdims=True), rtol=0.0, atol=1e-14)
    shuffled = np.random.default_rng(seed).permutation(probability)
    assert ask(TrimmedMean(TrimmedMeanSpec(trim_frac=trim_frac)), shuffled).tobytes() == answer.tobytes()


def test_a_median_that_is_zero_everywhere_is_the_mean() -> None:
    certain = np.eye(3)[:, np.newaxis]
    assert ask(TrimmedMean(TrimmedMeanSpec(trim_frac=0.5)), certain).tolist() == [[1 / 3, 1 / 3, 1 / 3]]


def test_a_member_without_a_voice_leaves_its_weight_to_the_others() -> None:
    probability = np.array([[[0.2, 0.3, 0.5]], [[np.nan] * 3], [[0.6, 0.2, 0.2]]])
    expected = (0.5 * probability[0] + 0.2 * probability[2]) / 0.7
    np.testing.assert_allclose(ask(SoftVote(SoftVoteSpec(weights_frac=(0.5, 0.3, 0.2))), probability), expected)
    half = ask(TrimmedMean(TrimmedMeanSpec()), probability)
    np.testing.assert_allclose(half, (probability[0] + probability[2]) / 2)


def test_equal_weights_of_the_classes_are_a_plain_vote_and_others_are_not() -> None:
    probability = draw(1, 3)
    plain = ask(SoftVote(SoftVoteSpec(weights_frac=(0.5, 0.3, 0.2))), probability)
    same = SoftVoteSpec(weights_frac=(1.0, 0.0, 0.0), class_weights_frac=((0.5,) * 3, (0.3,) * 3, (0.2,) * 3))
    np.testing.assert_allclose(ask(SoftVote(same), probability), plain, rtol=0.0, atol=1e-15)
    own = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))
    raw = probability[[0, 1, 2], :, [0, 1, 2]].T
    answer = ask(SoftVote(SoftVoteSpec(weights_frac=(1.0, 0.0, 0.0), class_weights_frac=own)), probability)
    np.testing.assert_allclose(answer, raw / raw.sum(axis=1, keepdims=True), rtol=0.0, atol=1e-15)


def test_a_tie_is_split_and_too_little_agreement_says_nothing() -> None:
    up, down, either = [0.6, 0.3, 0.1], [0.1, 0.3, 0.6], [0.4, 0.2, 0.4]
    probability = np.array([[up, up], [up, down], [either, down]])
    votes = HardVoteSpec(weights_frac=(0.5, 0.25, 0.25))
    assert ask(HardVote(votes), probability).tolist() == [[0.875, 0.0, 0.125], [0.5, 0.0, 0.5]]
    # of row 0, two and a half of three members hold up most likely
    for least, is_said in ((0.8, True), (0.84, False)):
        held = HardVoteSpec(weights_frac=(0.5, 0.25, 0.25), min_agreement_frac=least)
        answer = ask(HardVote(held), probability)[0].tolist()
        assert answer == ([0.875, 0.0, 0.125] if is_said else [1 / 3, 1 / 3, 1 / 3])


def test_horizons_agree_on_a_side_whatever_class_they_hold_most_likely() -> None:
    short, long = [0.5, 0.4, 0.1], [0.3, 0.6, 0.1]
    against = [0.1, 0.7, 0.2]
    probability = np.array([[short, short], [long, against]])
    spec = MultiHorizonSpec(weights_frac=(0.6, 0.4), horizons_bars=(5, 20), min_agreement_frac=0.7)
    answer = ask(MultiHorizon(spec), probability)
    np.testing.assert_allclose(answer, [[0.42, 0.48, 0.1], [1 / 3] * 3])


def test_a_regime_begins_at_its_threshold_and_an_unknown_one_has_weights_of_its_own() -> None:
    axes = (RegimeAxis(feature="a", thresholds=(0.0,)), RegimeAxis(feature="b", thresholds=(1.0, 2.0)))
    alone = [tuple(float(k == regime) for k in range(7)) for regime in range(7)]
    spec = RegimeThresholdsSpec(weights_frac=alone[6], axes=axes, regime_weights_frac=tuple(alone[:6]))
    probability = np.repeat(np.random.default_rng(0).dirichlet((1.0, 1.0, 1.0), size=(7, 1)), 8, axis=1)
    rows = np.array([[-1, 0], [-1, 1], [-1, 2], [0, 0], [0, 1.5], [9, 9], [np.nan, 0], [0, np.nan]], dtype=np.float64)
    answer = RegimeThresholds(spec).combine(probability, rows, np.array([0, 1]))
    assert answer.tobytes() == probability[[0, 1, 2, 3, 4, 5, 6, 6], 0].tobytes()
