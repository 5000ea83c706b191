from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from outcry.messages import Direction
from outcry.portfolio.config import PortfolioConfig

TRADABLE = np.ones(3, dtype=bool)
FLAT = np.zeros(3)


@pytest.fixture(scope="module")
def weights(size_weights):
    def size(forecast, current=FLAT, is_tradable=TRADABLE, **config):
        return size_weights(PortfolioConfig(**config), forecast, current, is_tradable)

    return size


def test_weights_are_the_target_over_breadth_and_volatility(build_forecast, weights):
    forecast = build_forecast([0.5, 0.5, 0.0], volatility=[1.0, 3.0, 1.0])
    np.testing.assert_allclose(weights(forecast), [0.15 / (2 * 1.0), 0.15 / (2 * 3.0), 0.0], rtol=1e-15)


def test_a_weight_is_capped_and_so_is_their_sum(build_forecast, weights):
    forecast = build_forecast(0.5, volatility=0.01)
    np.testing.assert_allclose(weights(forecast), 0.10)
    np.testing.assert_allclose(weights(forecast, max_gross_frac=0.15), 0.05)


def test_shorts_need_permission(build_forecast, weights):
    forecast = build_forecast([-0.5, 0.5, -0.5])
    assert list(np.sign(weights(forecast))) == [0, 1, 0]
    assert list(np.sign(weights(forecast, allow_short=True))) == [-1, 1, -1]


def test_entry_needs_a_larger_edge_than_staying(build_forecast, weights):
    forecast = build_forecast([0.3, 0.1, 0.05])
    config = {"entry_edge": 0.2, "exit_edge": 0.08}
    assert list(weights(forecast, [0.0, 0.05, 0.05], **config) > 0) == [True, True, False]
    assert list(weights(forecast, **config) > 0) == [True, False, False]


def test_a_position_whose_edge_has_turned_is_left(build_forecast, weights):
    assert list(weights(build_forecast([-0.5, 0.0, 0.5]), [0.1, 0.1, 0.1])) == [0, 0, pytest.approx(0.1)]


def test_kept_positions_keep_their_place_and_entries_fill_up_by_edge(build_forecast, weights):
    forecast = build_forecast([0.9, 0.3, 0.5])
    assert list(weights(forecast, [0.0, 0.05, 0.0], max_positions=2) > 0) == [True, True, False]


def test_there_is_no_opinion_without_forecast_or_bar_and_none_is_taken_for_flat(build_forecast, weights):
    forecast = build_forecast([0.5, np.nan, 0.5], volatility=[np.nan, 0.3, 0.3])
    assert list(np.isnan(weights(forecast, [0.1, 0.1, 0.1], np.array([True, True, False])))) == [True, True, True]
    assert weights(forecast)[0] == 0  # no entry before the volatility is known


def test_an_entry_too_small_to_matter_is_left_out(build_forecast, weights):
    assert not weights(build_forecast(0.5, volatility=1.5), min_position_frac=0.04).any()


@given(
    edge=st.lists(st.floats(-0.9, 0.9), min_size=3, max_size=3),
    volatility=st.lists(st.floats(0.001, 5) | st.just(np.nan), min_size=3, max_size=3),
    current=st.lists(st.sampled_from([0.0, 0.04, -0.04]), min_size=3, max_size=3),
    max_positions=st.integers(1, 3),
)
def test_wanted_weights_stay_inside_every_cap(build_forecast, edge, volatility, current, max_positions, size_weights):
    config = PortfolioConfig(allow_short=True, max_positions=max_positions, max_gross_frac=0.18)
    forecast = build_forecast(edge, volatility)
    wanted = size_weights(config, forecast, np.array(current), TRADABLE)
    known = wanted[np.isfinite(wanted)]
    assert np.all(np.abs(known) <= 0.10)
    assert np.abs(known).sum() <= 0.18 * (1 + 1e-12)  # the sum of three rounded products
    assert np.count_nonzero(known) <= max(max_positions, np.count_nonzero(current))
    assert np.all(known * np.array(edge)[np.isfinite(wanted)] >= 0)


def reference(config, forecast, current, is_tradable):
    """Return the wanted weights as whole columns, sums in the order of the universe."""
    p_up, p_down = forecast.probability[:, Direction.UP], forecast.probability[:, Direction.DOWN]
    is_known = is_tradable & np.isfinite(p_up) & np.isfinite(p_down)
    edge = np.where(is_known, p_up - p_down, 0.0)
    if not config.allow_short:
        edge = np.maximum(edge, 0.0)
    wanted = np.sign(edge)
    has_volatility = np.isfinite(forecast.volatility_per_year)
    held = np.sign(np.where(is_known, current, 0.0))
    is_kept = (held != 0) & (wanted == held) & (np.abs(edge) >= config.exit_edge)
    is_abstained = forecast.abstain != 0
    is_candidate = (np.abs(edge) >= config.entry_edge) & (wanted != 0) & has_volatility & ~is_kept & ~is_abstained
    is_undecided = ~is_known & (current != 0)
    n_free = max(config.max_positions - int(np.count_nonzero(is_kept | is_undecided)), 0)
    ranked = np.argsort(np.where(is_candidate, -np.abs(edge), np.inf), kind="stable")[:n_free]
    is_entered = np.zeros_like(is_candidate)
    is_entered[ranked] = is_candidate[ranked]
    is_chosen = is_kept | is_entered
    breadth = max(int(np.count_nonzero(is_chosen | is_undecided)), 1)
    volatility = np.maximum(
        np.where(has_volatility, forecast.volatility_per_year, np.inf), config.min_volatility_per_year
    )
    size = np.minimum(config.target_volatility_per_year / (breadth * volatility), config.max_position_frac)
    size = np.where(is_abstained, np.minimum(size, np.abs(current)), size)
    weight = np.where(is_chosen, wanted * size, 0.0)
    gross = sum(np.abs(weight).tolist())
    free_gross = max(config.max_gross_frac - sum(np.abs(current[is_undecided]).tolist()), 0.0)
    if gross > free_gross:
        weight *= free_gross / gross
    weight[is_entered & (np.abs(weight) < config.min_position_frac)] = 0.0
    weight[~is_known | (is_kept & ~has_volatility)] = np.nan
    weight[is_kept & is_abstained & (np.abs(weight) >= np.abs(current))] = np.nan
    return weight


CONFIGS = st.builds(
    PortfolioConfig,
    allow_short=st.booleans(),
    max_positions=st.integers(1, 9),
    max_gross_frac=st.sampled_from([0.05, 0.3, 1.0]),
    max_position_frac=st.sampled_from([0.04, 0.1]),
    min_position_frac=st.sampled_from([0.0, 0.03]),
    entry_edge=st.sampled_from([0.0, 0.2, 0.3]),
    exit_edge=st.just(0.0),
)


@given(config=CONFIGS, seed=st.integers(0, 2**32 - 1), n_symbols=st.integers(1, 12))
def test_weights_are_those_of_the_rules_written_as_columns(build_forecast, config, seed, n_symbols, size_weights):
    rng = np.random.default_rng(seed)
    edge = rng.choice([-0.5, -0.3, -0.2, 0.0, 0.2, 0.3, 0.5, np.nan], n_symbols)  # many are equal
    up = (1 + edge) / 2
    forecast = replace(
        build_forecast(0.0),
        probability=np.stack([up, np.zeros(n_symbols), 1 - up], axis=1),
        volatility_per_year=rng.choice([0.001, 0.2, 0.7, 3.0, np.nan, np.inf], n_symbols),
        abstain=rng.choice([0, 0, 1, 2], n_symbols).astype(np.int8),
    )
    current = rng.choice([0.0, 0.02, 0.07, -0.05], n_symbols)
    is_tradable = rng.random(n_symbols) < 0.8
    found = size_weights(config, forecast, current, is_tradable)
    np.testing.assert_array_equal(found, reference(config, forecast, current, is_tradable))


def abstaining(forecast, *reasons):
    return replace(forecast, abstain=np.array(reasons, dtype=np.int8))


def test_where_the_forecast_abstains_nothing_is_entered_enlarged_or_turned(build_forecast, weights):
    forecast = abstaining(build_forecast([0.5, 0.5, -0.5]), 1, 2, 3)
    assert not weights(forecast, allow_short=True).any()
    turned = weights(forecast, [0.01, 0.02, 0.05], allow_short=True)
    np.testing.assert_array_equal(turned, [np.nan, np.nan, 0.0])  # as they are, as they are, closed


def test_where_the_forecast_abstains_positions_are_still_reduced_and_left(build_forecast, weights):
    forecast = abstaining(build_forecast([0.5, 0.01, 0.5], volatility=[3.0, 0.3, 0.3]), 1, 1, 0)
    wanted = weights(forecast, [0.09, 0.09, 0.0])
    np.testing.assert_allclose(wanted, [0.15 / (2 * 3.0), 0.0, 0.10])


def test_where_the_forecast_abstains_a_position_takes_no_more_of_the_gross_than_it_holds(build_forecast, weights):
    forecast = abstaining(build_forecast([0.5, 0.5, 0.0], volatility=0.1), 1, 0, 0)
    wanted = weights(forecast, [0.02, 0.05, 0.0], max_gross_frac=0.1)
    np.testing.assert_allclose(wanted, [0.02 * 0.1 / 0.12, 0.1 * 0.1 / 0.12, 0.0])


@given(
    config=st.builds(
        PortfolioConfig,
        allow_short=st.booleans(),
        max_positions=st.integers(1, 9),
        max_gross_frac=st.sampled_from([0.05, 0.3, 1.0]),
    ),
    seed=st.integers(0, 2**32 - 1),
    n_symbols=st.integers(1, 12),
)
def test_no_weight_that_is_abstained_on_is_larger_than_what_is_held(
    build_forecast, config, seed, n_symbols, size_weights
):
    rng = np.random.default_rng(seed)
    edge = rng.uniform(-1, 1, n_symbols)
    forecast = replace(
        build_forecast(0.0),
        probability=np.stack([(1 + edge) / 2, np.zeros(n_symbols), (1 - edge) / 2], axis=1),
        volatility_per_year=rng.uniform(0.01, 2.0, n_symbols),
        abstain=rng.integers(0, 2, n_symbols).astype(np.int8),
    )
    current = rng.choice([0.0, 0.02, 0.07, -0.05], n_symbols)
    wanted = size_weights(config, forecast, current, np.ones(n_symbols, dtype=bool))
    is_moved = (forecast.abstain != 0) & np.isfinite(wanted)
    assert np.all(wanted[is_moved] * current[is_moved] >= 0)
    assert np.all((np.abs(wanted[is_moved]) < np.abs(current[is_moved])) | (wanted[is_moved] == 0))


def test_arrays_of_another_process_may_not_be_written_and_need_not_be(build_forecast, weights):
    forecast = build_forecast(0.5)
    forecast.probability.flags.writeable = forecast.volatility_per_year.flags.writeable = False
    assert weights(forecast).all()
