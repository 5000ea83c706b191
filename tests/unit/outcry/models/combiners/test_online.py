"""Combiners that adapt find the member that is good, follow it when it changes, and draw the same again."""

from typing import Any

import numpy as np
import pytest

from outcry.market.frame import FloatArray
from outcry.models.combiners.adaptive import Adaptive, AdaptiveSpec
from outcry.models.combiners.online import OnlineCombiner, settle_labels
from outcry.models.combiners.selection import Selection, SelectionSpec
from outcry.models.combiners.thompson import Thompson, ThompsonSpec

HORIZON_BARS = 4
N_FRAMES, N_SYMBOLS = 600, 8
NOTHING = np.empty(0, dtype=np.int64)
EQUAL = (1 / 3, 1 / 3, 1 / 3)


def draw(good_member: Any, seed: int = 0, skill_frac: float = 0.5) -> tuple[FloatArray, Any]:
    """Return what three members say, of whom that of int64 (n_frames,) knows something, and the labels."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 3, (N_FRAMES, N_SYMBOLS)).astype(np.int8)
    said = rng.dirichlet((4.0, 4.0, 4.0), size=(3, N_FRAMES, N_SYMBOLS))
    for k in range(3):
        is_good = good_member == k
        said[k, is_good] = (1 - skill_frac) * said[k, is_good] + skill_frac * np.eye(3)[labels[is_good]]
    return said, labels


def weights_of(combiner: OnlineCombiner, said: FloatArray, labels: Any) -> FloatArray:
    """Return float64 (n_frames, n_members)."""
    settled, rows = settle_labels(labels, HORIZON_BARS), np.empty((N_SYMBOLS, 0))
    weights = []
    for t in range(N_FRAMES):
        combiner.update(t, said[:, t], settled[t], rows, NOTHING)
        weights.append(combiner.weights_frac[0])
    return np.array(weights)


def losses(said: FloatArray, labels: Any) -> FloatArray:
    """Return float64 (n_frames,): the mean log loss of (n_frames, n_symbols, 3)."""
    of_label = np.take_along_axis(said, labels[..., np.newaxis].astype(np.int64), axis=2)
    return -np.log(of_label).mean(axis=(1, 2))


def test_weights_are_the_textbook_ones() -> None:
    said, labels = draw(np.zeros(N_FRAMES))
    spec = AdaptiveSpec(
        weights_frac=(0.5, 0.3, 0.2),
        horizon_bars=HORIZON_BARS,
        half_life_bars=20.0,
        temperature=2.0,
        min_weight_frac=0.1,
    )
    weights = weights_of(Adaptive(spec), said, labels)
    t = 57
    of_label = np.take_along_axis(said, labels[np.newaxis, ..., np.newaxis].astype(np.int64), axis=3)[..., 0]
    scores = np.log(of_label).mean(axis=2)[:, : t - HORIZON_BARS + 1]  # (n_members, outcomes known at t)
    decayed = (scores * 0.5 ** (np.arange(scores.shape[1])[::-1] / 20.0)).sum(axis=1)
    share = np.array([0.5, 0.3, 0.2]) * np.exp(decayed / 2.0)
    np.testing.assert_allclose(weights[t], 0.1 + 0.7 * share / share.sum(), rtol=1e-12)
    np.testing.assert_allclose(
        weights[:HORIZON_BARS], np.tile(0.1 + 0.7 * np.array([0.5, 0.3, 0.2]), (HORIZON_BARS, 1))
    )


def test_a_sharpe_ratio_is_that_of_decayed_mean_and_deviation() -> None:
    said, labels = draw(np.zeros(N_FRAMES), skill_frac=0.1)
    spec = AdaptiveSpec(
        weights_frac=EQUAL,
        horizon_bars=HORIZON_BARS,
        half_life_bars=30.0,
        score="sharpe",
        temperature=0.5,
        min_weight_frac=0.0,
    )
    weights = weights_of(Adaptive(spec), said, labels)
    t = 200
    skill = ((said[..., 0] - said[..., 2]) * (1.0 - labels)).mean(axis=2)[:, : t - HORIZON_BARS + 1]
    decay = 0.5 ** (np.arange(skill.shape[1])[::-1] / 30.0)
    mean = np.average(skill, axis=1, weights=decay)
    deviation = np.sqrt(np.average((skill - mean[:, np.newaxis]) ** 2, axis=1, weights=decay))
    share = np.exp(mean / deviation / 0.5)
    np.testing.assert_allclose(weights[t], share / share.sum(), rtol=1e-9)


def test_adaptive_weights_beat_the_best_member_that_is_fixed_where_the_best_one_changes() -> None:
    good_member = np.arange(N_FRAMES) // 150 % 3
    said, labels = draw(good_member, skill_frac=0.4)
    spec = AdaptiveSpec(weights_frac=EQUAL, horizon_bars=HORIZON_BARS, half_life_bars=10.0)
    combiner = Adaptive(spec)
    answer = combiner.replay(0, said, settle_labels(labels, HORIZON_BARS), np.empty((N_FRAMES, N_SYMBOLS, 0)), NOTHING)
    adaptive = losses(answer, labels).mean()
    fixed = min(losses(member, labels).mean() for member in said)
    equal = losses(said.mean(axis=0), labels).mean()
    ideal = np.mean([losses(said[k, [t]], labels[[t]])[0] for t, k in enumerate(good_member)])
    assert adaptive < min(fixed, equal) - 0.1
    assert adaptive < ideal + 0.2


def test_against_one_good_member_the_regret_of_a_frame_vanishes() -> None:
    said, labels = draw(np.ones(N_FRAMES), skill_frac=0.3)
    spec = AdaptiveSpec(weights_frac=EQUAL, horizon_bars=HORIZON_BARS, half_life_bars=100.0, min_weight_frac=0.0)
    answer = Adaptive(spec).replay(
        0, said, settle_labels(labels, HORIZON_BARS), np.empty((N_FRAMES, N_SYMBOLS, 0)), NOTHING
    )
    regret = losses(answer, labels) - losses(said[1], labels)
    assert regret[:20].mean() > 0.05
    assert abs(regret[-200:].mean()) < 1e-6


def test_no_member_falls_below_the_floor_and_those_without_weight_stay_without() -> None:
    said, labels = draw(np.ones(N_FRAMES))
    spec = AdaptiveSpec(weights_frac=(0.5, 0.5, 0.0), horizon_bars=HORIZON_BARS, min_weight_frac=0.2)
    weights = weights_of(Adaptive(spec), said, labels)
    assert weights[:, 0].min() == pytest.approx(0.2, abs=1e-12)
    assert not weights[:, 2].any()
    np.testing.assert_allclose(weights.sum(axis=1), 1.0, rtol=0.0, atol=1e-12)


def test_selection_follows_the_best_member_and_stays_with_it_within_the_lead() -> None:
    good_member = np.where(np.arange(N_FRAMES) < 300, 0, 2)
    said, labels = draw(good_member)
    spec = SelectionSpec(weights_frac=EQUAL, horizon_bars=HORIZON_BARS, half_life_bars=10.0)
    weights = weights_of(Selection(spec), said, labels)
    assert weights[:HORIZON_BARS].tolist() == [list(EQUAL)] * HORIZON_BARS
    assert (weights[20:300].argmax(axis=1) == 0).all()
    assert (weights[340:].argmax(axis=1) == 2).all()
    stubborn = SelectionSpec(weights_frac=EQUAL, horizon_bars=HORIZON_BARS, half_life_bars=10.0, min_lead_nats=10.0)
    followed = weights_of(Selection(stubborn), said, labels)[HORIZON_BARS:].argmax(axis=1)
    assert len(set(followed)) == 1


def test_thompson_converges_to_the_best_member_and_draws_the_same_again() -> None:
    said, labels = draw(np.full(N_FRAMES, 2), skill_frac=0.2)
    spec = ThompsonSpec(weights_frac=EQUAL, horizon_bars=HORIZON_BARS, n_draws=16, seed=5)
    weights = weights_of(Thompson(spec), said, labels)
    assert weights_of(Thompson(spec), said, labels).tobytes() == weights.tobytes()
    assert 0.2 < weights[:HORIZON_BARS, 2].mean() < 0.5
    assert weights[-200:, 2].mean() > 0.9
    other = ThompsonSpec(weights_frac=EQUAL, horizon_bars=HORIZON_BARS, n_draws=16, seed=6)
    assert weights_of(Thompson(other), said, labels).tobytes() != weights.tobytes()


def test_posteriors_count_how_often_a_member_was_above_the_average() -> None:
    said, labels = draw(np.zeros(N_FRAMES))
    spec = ThompsonSpec(weights_frac=EQUAL, horizon_bars=HORIZON_BARS, half_life_bars=40.0)
    combiner = Thompson(spec)
    weights_of(combiner, said, labels)
    known = N_FRAMES - HORIZON_BARS
    of_label = np.take_along_axis(said, labels[np.newaxis, ..., np.newaxis].astype(np.int64), axis=3)[:, :known, :, 0]
    reward = (of_label > of_label.mean(axis=0)).mean(axis=2)
    decay = 0.5 ** (np.arange(known)[::-1] / 40.0)
    expected = 1.0 + np.stack(((reward * decay).sum(axis=1), ((1.0 - reward) * decay).sum(axis=1)))
    np.testing.assert_allclose(combiner.snapshot().arrays["posterior"], expected, rtol=1e-10)


def test_labels_settle_a_horizon_later() -> None:
    labels = np.array([[0], [1], [2], [0]], dtype=np.int8)
    assert settle_labels(labels, 2).ravel().tolist() == [-1, -1, 0, 1]
    assert settle_labels(labels, 9).ravel().tolist() == [-1] * 4
