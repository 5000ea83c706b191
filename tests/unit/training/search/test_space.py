"""Rows of levels are the points of the grid: every one, once, and near where their values are near."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from configs.grid import Axis, SweepGrid
from training.search.space import SearchSpace, as_set

AXIS = st.one_of(
    st.lists(st.integers(-50, 50), min_size=1, max_size=6, unique=True),
    st.lists(st.sampled_from(["a", "b", "c", None, True]), min_size=1, max_size=4, unique=True),
)
SPACES = st.lists(AXIS, min_size=1, max_size=4).map(
    lambda lists: SearchSpace(SweepGrid(tuple(Axis(f"param.a{k}", tuple(v)) for k, v in enumerate(lists))))
)


@given(space=SPACES)
def test_rows_are_the_points_of_the_grid(space):
    points = [repr(space.point(row)) for row in space.everything()]
    assert sorted(points) == sorted(repr(space.grid.point(k)) for k in range(space.n_points))


@given(space=SPACES, n=st.integers(1, 40), seed=st.integers(0, 9))
def test_spread_points_differ_and_are_of_the_space(space, n, seed):
    rows = space.spread(n, np.random.default_rng(seed))
    assert len(rows) == len(as_set(rows)) == min(n, space.n_points)
    assert ((rows >= 0) & (rows < space.n_levels)).all()


@given(space=SPACES, seed=st.integers(0, 9))
def test_new_points_are_those_that_are_left(space, seed):
    rng = np.random.default_rng(seed)
    taken = as_set(space.spread(3, rng))
    left = as_set(space.draw_new(space.n_points, taken, rng))
    assert not left & taken
    assert len(left) == space.n_points - len(taken)


def test_numbers_are_in_rising_order_and_choices_equally_far():
    space = SearchSpace(SweepGrid((Axis("param.n", (100, 1, 10)), Axis("param.kind", ("a", "b", "c")))))
    assert [space.point(np.array([level, 0]))["param.n"] for level in range(3)] == [1, 10, 100]
    kinds = space.features(np.array([[0, 0], [0, 1], [0, 2]]))
    numbers = space.features(np.array([[0, 0], [1, 0], [2, 0]]))
    apart = np.linalg.norm(kinds[:, None] - kinds, axis=2)
    assert np.allclose(apart[~np.eye(3, dtype=bool)], 1.0)
    assert np.allclose(np.linalg.norm(np.diff(numbers, axis=0), axis=1), 0.5)


@given(
    axis=st.sampled_from([Axis("param.x", (0.1, 0.9), is_range=True), Axis("param.x", (1, 3, 7, 20))]),
    seed=st.integers(0, 99),
)
def test_level_nearest_to_its_own_place_is_itself(axis, seed):
    space = SearchSpace(SweepGrid((axis,)))
    levels = np.random.default_rng(seed).integers(space.n_levels, size=(20, 1))
    assert (space.nearest(space.units(levels)) == levels).all()


def test_draws_from_a_space_too_large_to_list_are_even():
    space = SearchSpace(SweepGrid(tuple(Axis(f"param.a{k}", (0.0, 1.0), is_range=True) for k in range(3))))
    rows = space.draw_new(2_000, set(), np.random.default_rng(0))
    assert len(as_set(rows)) == 2_000
    assert np.abs(space.units(rows).mean(axis=0) - 0.5).max() < 0.03


def test_probes_show_every_parameter_with_every_other_and_each_setting():
    grid = SweepGrid(
        (
            Axis("param.fast", (5, 10)),
            Axis("param.slow", (20, 50, 100)),
            Axis("param.edge", (0.0, 0.5), is_range=True),
            Axis("broker.window_bars", (10, 20)),
        )
    )
    probes = SearchSpace(grid).probes()
    parameters = {(p["param.fast"], p["param.slow"], p["param.edge"]) for p in probes}
    assert len(parameters) == 2 * 3 * 2
    assert {p["broker.window_bars"] for p in probes if "broker.window_bars" in p} == {10, 20}
