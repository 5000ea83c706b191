"""The grammar of a grid: what is written comes out, and what is wrong is named."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from configs.grid import MOST_POINTS, RANGE_STEPS, Axis, SweepGrid
from configs.grid_settings import parameters_at, read_grid, settings_at
from configs.grid_text import read_axis
from configs.loader import restore_settings
from outcry.errors import ConfigurationError

SETTINGS = restore_settings({})
PARAMETERS = {"window": int, "edge": float, "side": str, "anything": object}


def values_of(text: str) -> tuple[object, ...]:
    return read_grid([text], SETTINGS, PARAMETERS).axes[0].values


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("portfolio.target_volatility_per_year=0.05..0.25/5", (0.05, 0.1, 0.15, 0.2, 0.25)),
        ("portfolio.target_volatility_per_year=0.05..0.25:0.05", (0.05, 0.1, 0.15, 0.2, 0.25)),
        ("portfolio.target_volatility_per_year=.1...3:.1", (0.1, 0.2, 0.3)),
        ("portfolio.max_positions=5..25:10", (5, 15, 25)),
        ("portfolio.max_positions=5..22:10", (5, 15)),
        ("portfolio.allow_short=true,false", (True, False)),
        ("portfolio.stop_loss_frac=null, 0.02", (None, 0.02)),
        ("risk.daily_loss_frac=1e-3,1e-2", (0.001, 0.01)),
        ("broker.slippage=fixed,spread", ("fixed", "spread")),
        ("broker.latency_ms=[[0, 0], [50, 250]]", ([0, 0], [50, 250])),
        ("param.window=10", (10,)),
        ("param.edge=-1..1/3", (-1, 0, 1)),
        ("param.side=long,both", ("long", "both")),
        ("portfolio.max_positions=5..8", (5, 6, 7, 8)),
        ("param.window=-1..1", (-1, 0, 1)),
        ("param.anything=2..4", (2, 3, 4)),
    ],
)
def test_values_are_what_was_written(text, values):
    assert values_of(text) == values


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("portfolio.max_positions", "form KEY=VALUES"),
        ("portfolio.max_positons=3", "did you mean portfolio.max_positions?"),
        ("max_positions=3", "did you mean portfolio.max_positions?"),
        ("portfolo.max_positions=3", "did you mean portfolio.max_positions?"),
        ("param.windw=3", "did you mean param.window?"),
        ("market.bars=1h,1d", "it changes the data"),
        ("features.columns=a", "it changes the features"),
        ("training.train_frac=0.5,0.6", "it changes the forecasts"),
        ("ray.num_cpus=1,2", "machinery of a run"),
        ("portfolio.entry_edge=0.1..2", "less than or equal to 1, was 2"),
        ("portfolio.entry_edge=0.5..0.1", "is empty"),
        ("param.window=0.5..3.5", "param.window must be int, was 0.5"),
        ("param.window=0..1000000", "at most"),
        ("portfolio.entry_edge=0.5..0.1:0.1", "is empty"),
        ("portfolio.entry_edge=0.5..0.5/2", "is empty"),
        ("portfolio.entry_edge=0.1..0.5:0", "step above 0"),
        ("portfolio.entry_edge=0.1..0.5/1", "from 2 to"),
        ("portfolio.entry_edge=0.1..0.5/x", "from 2 to"),
        ("portfolio.entry_edge=a..b/3", "must be a number"),
        ("portfolio.entry_edge=0..1:1e-9", "at most"),
        ("portfolio.entry_edge=0.1,,0.2", "between commas"),
        ("portfolio.entry_edge=0.1,0.1", "twice"),
        ("portfolio.entry_edge=2", "less than or equal to 1, was 2"),
        ("portfolio.max_positions=2.5", "valid integer"),
        ("portfolio.max_positions=many", "valid integer"),
        ("portfolio.allow_short=perhaps", "valid boolean"),
        ("broker.slippage=fixd", "'fixed'"),
        ("param.window=1.5", "param.window must be int, was 1.5"),
        ("param.edge=high", "param.edge must be float, was 'high'"),
        ("param.anything=.inf", "must be finite"),
        ("param.anything=[1, 2", "must be YAML"),
    ],
)
def test_mistake_is_named(text, message):
    with pytest.raises(ConfigurationError) as error:
        values_of(text)
    assert message in str(error.value)
    assert text.partition("=")[0] in str(error.value)


def test_parameter_without_a_strategy_is_refused():
    with pytest.raises(ConfigurationError, match="--strategy was not given"):
        read_grid(["param.window=1"], SETTINGS, None)


def test_key_given_twice_is_refused():
    with pytest.raises(ConfigurationError, match="given twice"):
        read_grid(["param.window=1", "param.window=2"], SETTINGS, PARAMETERS)


def test_strategy_that_takes_any_parameter_is_not_asked():
    assert read_grid(["param.new=1,2"], SETTINGS, {"**": object}).axes[0].values == (1, 2)


def test_values_that_contradict_each_other_fail_at_their_point_only():
    grid = read_grid(["portfolio.entry_edge=0.01,0.5", "portfolio.exit_edge=0.1"], SETTINGS, None)
    low, high = grid.points()
    with pytest.raises(ConfigurationError, match="exit_edge must be at most entry_edge"):
        settings_at(SETTINGS, low)
    assert settings_at(SETTINGS, high)["portfolio"].entry_edge == 0.5


AXES = st.lists(st.integers(1, 5), min_size=1, max_size=4).map(
    lambda sizes: SweepGrid(
        tuple(Axis(("param." if k % 2 else "risk.") + f"a{k}", tuple(range(n))) for k, n in enumerate(sizes))
    )
)


@given(grid=AXES)
def test_points_are_the_product(grid):
    points = [tuple(point.items()) for point in grid.points()]
    assert len(points) == grid.n_points == len(set(points))
    assert all([axis.key for axis in grid.axes] == [key for key, _ in point] for point in points)
    settled = [repr(parameters_at(dict(point))) for point in points]
    assert sum(a != b for a, b in itertools.pairwise(settled)) == len(set(settled)) - 1


@given(grid=AXES, n=st.integers(1, 50), seed=st.integers(0, 9))
def test_random_points_are_different_ones_of_the_grid_and_the_same_for_a_seed(grid, n, seed):
    drawn = grid.points(n, seed)
    everything = grid.points()
    places = [everything.index(point) for point in drawn]
    assert places == sorted(set(places))
    assert len(places) == min(n, grid.n_points)
    assert drawn == grid.points(n, seed)


def test_grid_too_large_is_refused_and_random_draws_of_it():
    grid = SweepGrid(tuple(Axis(f"param.a{k}", tuple(range(1_000))) for k in range(4)))
    with pytest.raises(ConfigurationError, match="--search random --trials N"):
        grid.points()
    assert len(grid.points(10, seed=1)) == 10


@pytest.mark.parametrize("text", ["portfolio.stop_loss_frac=0.01..0.05", "param.edge=0..1", "param.anything=0.5..2"])
def test_range_without_steps_is_everything_between_and_no_grid(text):
    grid = read_grid([text], SETTINGS, PARAMETERS)
    (axis,) = grid.axes
    first, last = axis.values
    assert (axis.level(0), axis.level(RANGE_STEPS), axis.n_levels) == (first, last, RANGE_STEPS + 1)
    assert axis.level(RANGE_STEPS // 4) == pytest.approx(first + (last - first) / 4, abs=1e-12)
    assert len(str(axis.level(3_333))) <= 8
    assert len({repr(point) for point in grid.points(50)}) == 50
    with pytest.raises(ConfigurationError, match="how many values"):
        grid.points()


def test_random_draws_of_a_space_beyond_whole_numbers_of_the_machine():
    grid = SweepGrid(tuple(Axis(f"param.a{k}", (0.0, 1.0), is_range=True) for k in range(6)))
    assert grid.n_points > 2**63
    points = grid.points(20, seed=3)
    assert points == grid.points(20, seed=3)
    assert len({repr(point) for point in points}) == 20


@given(first=st.integers(-1_000, 1_000), step=st.integers(1, 50), n=st.integers(1, 40), scale=st.sampled_from([1, 100]))
def test_steps_end_at_the_last_value_without_rounding(first, step, n, scale):
    numbers = [(first + k * step) / scale for k in range(n)]
    text = f"{numbers[0]}..{numbers[-1]}:{step / scale}"
    assert read_axis("k", text).values == tuple(numbers)


@given(
    first=st.floats(-1e6, 1e6).map(lambda x: round(x, 4)),
    width=st.floats(0.001, 1e6).map(lambda x: round(x, 4)),
    n=st.integers(2, 50),
)
def test_spaced_values_rise_from_end_to_end(first, width, n):
    last = round(first + width, 4)
    values = read_axis("k", f"{first}..{last}/{n}").values
    assert (len(values), values[0], values[-1]) == (n, first, last)
    assert all(a < b for a, b in itertools.pairwise(values))


@given(text=st.text(alphabet="0123456789.,:/-+e[]a ", min_size=1, max_size=15))
def test_any_text_is_values_or_one_error(text):
    try:
        axis = read_axis("k", text)
    except ConfigurationError:
        return
    assert 1 <= axis.n_levels <= MOST_POINTS
