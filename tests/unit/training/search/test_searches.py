"""A search that learns beats a draw, asks for no point twice, and asks the same whenever it is told the same."""

import math

import numpy as np
import pytest

from configs.grid import Axis, SweepGrid
from outcry.errors import ConfigurationError
from tests.unit.training.search.landscapes import LANDSCAPES, axes, make_search, run_to_end

ADAPTIVE = [("bayes", "ei"), ("bayes", "ucb"), ("genetic", None)]
IDS = ["ei", "ucb", "genetic"]


def median_best(name: str, acquisition: str | None, landscape: str, n_seeds: int) -> float:
    grid, function, n = LANDSCAPES[landscape]
    found = [run_to_end(make_search(name, grid, n, seed, acquisition), function)[1] for seed in range(n_seeds)]
    assert {len(values) for values in found} == {n}
    return float(np.median([max(values) for values in found]))


@pytest.mark.parametrize("landscape", LANDSCAPES)
def test_genetic_beats_random_in_the_median(landscape):
    assert median_best("genetic", None, landscape, 31) > median_best("random", None, landscape, 31)


@pytest.mark.parametrize(
    ("landscape", "acquisition"), [("branin", "ei"), ("noisy", "ucb"), ("stepped", "ei"), ("mixed", "ucb")]
)
def test_bayes_beats_random_and_genetic_in_the_median(landscape, acquisition):
    grid, function, n = LANDSCAPES[landscape]
    bayes = [max(run_to_end(make_search("bayes", grid, n // 2, k, acquisition), function)[1]) for k in range(3)]
    assert np.median(bayes) > median_best("random", None, landscape, 31)  # of twice as many points
    assert np.median(bayes) > median_best("genetic", None, landscape, 31)


@pytest.mark.parametrize(("name", "acquisition"), ADAPTIVE, ids=IDS)
@pytest.mark.parametrize("landscape", ["stepped", "mixed"])
def test_same_values_give_the_same_points_and_none_twice(name, acquisition, landscape):
    grid, function, _ = LANDSCAPES[landscape]
    points, _ = run_to_end(make_search(name, grid, 20, 5, acquisition), function)
    assert run_to_end(make_search(name, grid, 20, 5, acquisition), function)[0] == points
    assert len({repr(point) for point in points}) == 20
    assert run_to_end(make_search(name, grid, 12, 6, acquisition), function)[0] != points[:12]


@pytest.mark.parametrize(("name", "acquisition"), ADAPTIVE, ids=IDS)
def test_more_points_of_a_search_begin_with_the_same_points(name, acquisition):
    grid, function, _ = LANDSCAPES["stepped"]
    few = run_to_end(make_search(name, grid, 17, 1, acquisition), function)[0]
    assert run_to_end(make_search(name, grid, 26, 1, acquisition), function)[0][:17] == few


@pytest.mark.parametrize(("name", "acquisition"), ADAPTIVE, ids=IDS)
def test_space_smaller_than_the_trials_is_traded_whole(name, acquisition):
    grid = axes(kind=("a", "b", None), window=(10, 20, 50), is_long=(True, False))
    points, _ = run_to_end(
        make_search(name, grid, 100, 0, acquisition, n_initial=4), lambda point: point["param.window"] / 10
    )
    assert sorted(map(repr, points)) == sorted(repr(grid.point(k)) for k in range(grid.n_points))


@pytest.mark.parametrize(("name", "acquisition"), ADAPTIVE, ids=IDS)
def test_failed_trials_are_lived_with(name, acquisition):
    grid, function, _ = LANDSCAPES["branin"]

    def half(point):
        return math.nan if point["param.x"] < 2.5 else function(point)

    _, values = run_to_end(make_search(name, grid, 40, 3, acquisition), half)
    is_failed = np.isnan(values)
    assert is_failed[:12].any()
    assert is_failed[20:].mean() < 0.5
    assert np.nanmax(values) > -3.0
    nothing = run_to_end(make_search(name, grid, 40, 3, acquisition), lambda point: math.nan)[0]
    assert len({repr(point) for point in nothing}) == 40


@pytest.mark.parametrize(("name", "acquisition"), ADAPTIVE, ids=IDS)
def test_values_that_never_differ_end_too(name, acquisition):
    grid, _, _ = LANDSCAPES["mixed"]
    points, _ = run_to_end(make_search(name, grid, 30, 0, acquisition), lambda point: 1.5)
    assert len({repr(point) for point in points}) == 30


@pytest.mark.parametrize(("name", "acquisition"), ADAPTIVE, ids=IDS)
def test_unit_of_the_objective_does_not_matter(name, acquisition):
    grid, function, _ = LANDSCAPES["stepped"]
    points = run_to_end(make_search(name, grid, 20, 2, acquisition), function)[0]
    scaled = run_to_end(make_search(name, grid, 20, 2, acquisition), lambda point: 1024.0 * function(point))[0]
    assert scaled == points


def test_first_batch_of_bayes_covers_every_axis_and_later_ones_are_of_the_batch():
    grid, function, _ = LANDSCAPES["branin"]
    search = make_search("bayes", grid, 30, 0, "ei", batch=3, n_initial=10)
    sizes = []
    while points := search.ask():
        sizes.append(len(points))
        if len(sizes) == 1:
            assert sorted(int((p["param.x"] + 5) / 1.5) for p in points) == list(range(10))
        search.tell(np.array([function(point) for point in points]))
    assert sizes == [10, 3, 3, 3, 3, 3, 3, 2]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"name": "grid", "n_trials": 5}, "--trials must go with --search random"),
        ({"name": "bayes", "n_trials": None}, "--trials must be at least 1 with --search bayes, was not given"),
        ({"name": "random", "n_trials": 0}, "--trials must be at least 1 with --search random, was 0"),
        ({"name": "genetic", "n_trials": -3}, "was -3"),
        ({"name": "bayes", "n_trials": 1_001}, "at most 1,000"),
        ({"name": "genetic", "n_trials": 5, "acquisition": "ei"}, "--acquisition must go with --search bayes"),
        ({"name": "grid", "n_trials": None}, "must say how many values"),
    ],
)
def test_request_that_makes_no_sense_is_named(arguments, message):
    with pytest.raises(ConfigurationError, match=message):
        make_search(grid=LANDSCAPES["branin"][0], **arguments)


@pytest.mark.parametrize("name", ["random", "bayes", "genetic"])
def test_one_point_is_nothing_to_search(name):
    with pytest.raises(ConfigurationError, match="at least two points"):
        make_search(name, SweepGrid((Axis("param.x", (1,)),)), 5)


def test_values_told_are_one_a_point_and_finite():
    search = make_search("genetic", LANDSCAPES["branin"][0], 30)
    n = len(search.ask())
    for values in (np.zeros(n - 1), np.full(n, np.inf)):
        with pytest.raises(ValueError, match="finite or NaN"):
            search.tell(values)
