"""Warnings of a sweep are there for what deserves them, and for nothing else."""

import numpy as np
import pytest

from outcry.backtest.analytics.deflated_sharpe import DeflatedSharpe, deflated_sharpe, sharpe_by_trial
from outcry.backtest.analytics.overfitting import Overfitting, backtest_overfitting
from outcry.backtest.analytics.sensitivity import Level, Sensitivity, parameter_sensitivity
from outcry.backtest.analytics.sweep_cautions import sweep_cautions

WINDOWS: list[Level] = [5, 10, 20, 40, 80]


def deflated(probability: float) -> DeflatedSharpe:
    return DeflatedSharpe(0.1, 0.12 if probability < 0.5 else 0.08, probability, 50, 50.0, None)


def overfit(pbo_frac: float) -> Overfitting:
    return Overfitting(50, 16, np.zeros(1), np.zeros(1), np.zeros(1), pbo_frac, -0.5, 0.0, 0.4)


def swept(metric: list[float]) -> Sensitivity | None:
    return parameter_sensitivity([{"window": each} for each in WINDOWS], np.array(metric))


GOOD = (deflated(0.97), overfit(0.05), swept([0.2, 0.9, 1.0, 0.95, 0.1]))


def test_a_sound_sweep_has_no_warning() -> None:
    assert not list(sweep_cautions(*GOOD, in_sample_sharpe=1.5, out_of_sample_sharpe=1.2))


@pytest.mark.parametrize(
    ("probability", "words"),
    [(0.3, "is no better than luck would make it"), (0.94, "cannot be told from what luck"), (0.96, None)],
)
def test_the_best_of_many_is_held_against_luck(probability: float, words: str | None) -> None:
    found = list(sweep_cautions(deflated(probability), *GOOD[1:]))
    assert len(found) == (words is not None)
    assert words is None or (words in found[0] and "50 trials" in found[0])


@pytest.mark.parametrize(
    ("pbo_frac", "words"), [(0.6, "drawing lots: in 60 %"), (0.3, "overfits: in 30 %"), (0.2, None)]
)
def test_a_choice_that_does_not_hold_is_named(pbo_frac: float, words: str | None) -> None:
    found = list(sweep_cautions(GOOD[0], overfit(pbo_frac), GOOD[2]))
    assert len(found) == (words is not None)
    assert words is None or words in found[0]


@pytest.mark.parametrize(
    ("inside", "outside", "n_found"),
    [(2.0, 0.9, 1), (2.0, -1.0, 1), (2.0, 1.0, 0), (-1.0, -2.0, 0), (None, 1.0, 0), (2.0, None, 0)],
)
def test_a_sharpe_ratio_that_more_than_halves_is_named(
    inside: float | None, outside: float | None, n_found: int
) -> None:
    found = list(sweep_cautions(*GOOD, in_sample_sharpe=inside, out_of_sample_sharpe=outside))
    assert len(found) == n_found
    assert all("fell from 2.00" in each for each in found)


@pytest.mark.parametrize(
    ("metric", "words"),
    [
        ([1.0, 0.95, 0.9, 0.1, 0.1], "The best window is at the edge"),
        ([0.1, 0.2, 1.0, 0.2, 0.1], "one step away 0 % is left"),
        ([0.1, 0.9, 1.0, -0.2, 0.1], "50 % of the trials one step away make nothing or lose"),
        ([0.1, np.nan, 1.0, np.nan, 0.1], "no neighbours with a result"),
        ([np.nan, 0.9, 1.0, 0.95, 0.1], "1 of 5 trials failed"),
    ],
)
def test_parameters_that_do_not_hold_are_named(metric: list[float], words: str) -> None:
    found = list(sweep_cautions(*GOOD[:2], swept(metric)))
    assert sum(words in each for each in found) == 1


def test_a_sweep_too_small_to_judge_says_so() -> None:
    assert len(list(sweep_cautions(None, None, None))) == 2


def test_a_sweep_of_noise_is_warned_about_and_one_with_skill_is_not() -> None:
    n_warned = 0
    for seed in range(40):
        returns = np.random.default_rng(seed).normal(0, 0.01, (500, 40))
        ratios = sharpe_by_trial(returns)
        best = deflated_sharpe(returns[:, ratios.argmax()], ratios)
        n_warned += bool(list(sweep_cautions(best, backtest_overfitting(returns, 8), GOOD[2])))
        returns[:, 3] += 0.004
        ratios = sharpe_by_trial(returns)
        best = deflated_sharpe(returns[:, 3], ratios)
        assert not list(sweep_cautions(best, backtest_overfitting(returns, 8), GOOD[2]))
    assert n_warned == 40
