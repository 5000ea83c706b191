"""Parameters of a sweep: neighbours by hand, effects against analysis of variance."""

import dataclasses
import math
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from outcry.backtest.analytics.sensitivity import Level, LevelMean, Sensitivity, parameter_sensitivity
from outcry.errors import ConfigurationError, DataValidationError

FAILED = math.nan


def measured(trials: list[dict[str, Level]], metric: list[float], near_frac: float = 0.2) -> Sensitivity:
    found = parameter_sensitivity(trials, np.array(metric, dtype=np.float64), near_frac)
    assert found is not None
    return found


def grid(**values: list[Level]) -> list[dict[str, Level]]:
    return [dict(zip(values, point, strict=True)) for point in product(*values.values())]


def test_neighbours_of_the_best_by_hand() -> None:
    trials = grid(window=[5, 10, 20], kind=["ewm", "flat"])
    # window       5          10          20
    metric = [0.9, 0.5, 1.0, -0.1, FAILED, 0.3]
    found = measured(trials, metric)
    assert (found.best_trial, found.best_metric, found.n_trials, found.n_failed) == (2, 1.0, 6, 1)
    assert (found.n_neighbours, found.n_failed_neighbours) == (3, 1)  # 5 ewm, 20 ewm, 10 flat
    assert found.near_frac == 0.5
    assert found.flipped_frac == 0.5
    assert found.stability_frac == 0.0  # the neighbours have 0.4 on average, the median trial 0.5
    assert found.edge_parameters == ()
    window, kind = found.effects
    assert window.levels == (LevelMean(5, 0.7, 2), LevelMean(10, 0.45, 2), LevelMean(20, 0.3, 1))
    assert [(each.level, each.n_trials) for each in kind.levels] == [("ewm", 2), ("flat", 3)]


def test_steps_of_numbers_are_those_of_the_values_tried_and_other_values_are_all_one_step_away() -> None:
    wide = measured(grid(window=[1, 10, 100, 1_000, 10_000]), [0.6, 1.0, 0.9, 0.1, 0.2])
    assert wide.n_neighbours == 2
    assert wide.stability_frac == pytest.approx(1 - (1.0 - 0.75) / (1.0 - 0.6))
    named = measured(grid(model=["a", "b", "c", None]), [0.1, 1.0, 0.8, 0.2])
    assert named.n_neighbours == 3
    assert named.near_frac == pytest.approx(1 / 3)
    assert measured(grid(is_long=[False, True]), [0.1, 1.0]).edge_parameters == ()


def smooth(trials: list[dict[str, Level]]) -> list[float]:
    return [2.0 - (float(each["x"] or 0) - 3) ** 2 / 9 - (float(each["y"] or 0) - 2) ** 2 / 9 for each in trials]


def test_a_hill_is_stable_and_a_needle_is_not() -> None:
    trials = grid(x=list(range(7)), y=list(range(5)))
    hill = measured(trials, smooth(trials))
    assert (hill.near_frac, hill.flipped_frac) == (1.0, 0.0)
    assert hill.stability_frac is not None
    assert hill.stability_frac > 0.75
    needle = np.random.default_rng(0).normal(0, 0.1, len(trials))
    needle[17] = 3.0
    spike = measured(trials, needle.tolist())
    assert spike.best_trial == 17
    assert (spike.near_frac, spike.n_neighbours) == (0.0, 4)
    assert spike.stability_frac is not None
    assert spike.stability_frac < 0.1


def test_noise_is_not_stable_on_average() -> None:
    trials = grid(x=list(range(6)), y=list(range(6)))
    rng = np.random.default_rng(1)
    found = [measured(trials, rng.normal(size=36).tolist()).stability_frac for _ in range(200)]
    # Neighbours of the best of noise are draws around the median: 0 with a deviation of 0.25, cut off below 0.
    assert np.mean([each or 0.0 for each in found]) < 0.2
    assert np.mean([(each or 0.0) < 0.5 for each in found]) > 0.9


@pytest.mark.parametrize(("peak", "edges"), [(0, ("x",)), (2, ()), (4, ("x",))])
def test_the_edge_of_the_values_tried_is_named(peak: int, edges: tuple[str, ...]) -> None:
    trials = grid(x=[0.1, 0.2, 0.3, 0.4, 0.5], y=[1, 2])
    metric = [-abs(row // 2 - peak) - 0.1 * (row % 2) for row in range(10)]
    assert measured(trials, metric).edge_parameters == edges


def test_an_edge_where_everything_failed_moves_inwards() -> None:
    assert measured(grid(x=[1, 2, 3, 4]), [FAILED, 1.0, 0.5, 0.2]).edge_parameters == ("x",)


@given(st.integers(0, 2**32 - 1), st.integers(2, 5), st.integers(2, 5))
def test_effects_are_those_of_an_analysis_of_variance(seed: int, n_x: int, n_y: int) -> None:
    trials = grid(x=list(range(n_x)), y=[f"kind {each}" for each in range(n_y)])
    metric = np.random.default_rng(seed).normal(size=len(trials))
    x, y = measured(trials, metric.tolist()).effects
    rows = metric.reshape(n_x, n_y)
    assert x.effect_frac == pytest.approx(rows.mean(axis=1).var() / metric.var())
    assert y.effect_frac == pytest.approx(rows.mean(axis=0).var() / metric.var())
    if len(trials) > n_x and x.effect_frac is not None:
        f = stats.f_oneway(*rows).statistic
        odds = f * (n_x - 1) / (len(trials) - n_x)
        assert x.effect_frac == pytest.approx(odds / (1 + odds))


def test_by_chance_an_effect_is_as_large_as_it_says() -> None:
    trials = grid(x=[1, 2, 3, 4], y=[1, 2, 3, 4, 5])
    rng = np.random.default_rng(2)
    effects = [measured(trials, rng.normal(size=20).tolist()).effects[0] for _ in range(400)]
    assert effects[0].chance_frac == pytest.approx(3 / 19)
    # One effect deviates by 0.11, the mean of 400 by 0.006.
    assert np.mean([each.effect_frac for each in effects if each.effect_frac is not None]) == pytest.approx(
        3 / 19, abs=0.02
    )


@given(st.lists(st.one_of(st.floats(-10, 10), st.just(FAILED)), min_size=12, max_size=12))
def test_every_figure_is_finite_and_in_range_whatever_failed(metric: list[float]) -> None:
    trials = grid(x=[1, 2, 3], y=["a", "b"], z=[True, False])
    found = parameter_sensitivity(trials, np.array(metric))
    if found is None:
        assert np.isnan(metric).all()
        return
    shares = [found.near_frac, found.flipped_frac, found.stability_frac]
    shares += [each.effect_frac for each in found.effects]
    assert all(share is None or 0 <= share <= 1 for share in shares)
    assert found.best_metric == np.nanmax(metric)
    assert all(math.isfinite(value) for value in dataclasses.astuple(found)[:4])


def test_a_sweep_of_one_a_flat_one_and_a_random_one_have_what_is_defined() -> None:
    one = measured(grid(x=[1]), [0.5])
    assert (one.n_neighbours, one.near_frac, one.stability_frac, one.edge_parameters) == (0, None, None, ())
    assert one.effects[0].effect_frac is None
    flat = measured(grid(x=[1, 2, 3]), [0.5] * 3)
    assert (flat.near_frac, flat.stability_frac, flat.effects[0].effect_frac) == (1.0, 1.0, None)
    rng = np.random.default_rng(3)
    drawn = [{"x": float(rng.random()), "y": float(rng.random())} for _ in range(20)]
    random = measured([dict(each) for each in drawn], rng.normal(size=20).tolist())
    assert (random.n_neighbours, random.effects[0].effect_frac) == (0, None)
    losing = measured(grid(x=[1, 2, 3]), [-3.0, -1.0, -1.1])
    assert (losing.flipped_frac, losing.near_frac) == (None, 0.5)
    assert parameter_sensitivity([], np.array([])) is None
    assert parameter_sensitivity(grid(x=[1, 2]), np.array([FAILED, FAILED])) is None


def test_tables_that_contradict_themselves_are_refused() -> None:
    with pytest.raises(DataValidationError, match="shape"):
        parameter_sensitivity(grid(x=[1, 2]), np.zeros(3))
    with pytest.raises(DataValidationError, match="trial 1"):
        parameter_sensitivity(grid(x=[1, 2]), np.array([0.0, np.inf]))
    with pytest.raises(DataValidationError, match="trial 1 must have the parameters"):
        parameter_sensitivity([{"x": 1}, {"y": 1}], np.zeros(2))
    with pytest.raises(ConfigurationError, match="near_frac"):
        parameter_sensitivity(grid(x=[1, 2]), np.zeros(2), -0.1)
