import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from outcry.portfolio.config import PortfolioConfig
from outcry.portfolio.sizing import VolatilityTargetSizing

TRADABLE = np.ones(3, dtype=bool)
FLAT = np.zeros(3)


def weights(forecast, current=FLAT, is_tradable=TRADABLE, **config):
    return VolatilityTargetSizing(PortfolioConfig(**config)).weights(forecast, np.array(current, float), is_tradable)


def test_weights_are_the_target_over_breadth_and_volatility(build_forecast):
    forecast = build_forecast([0.5, 0.5, 0.0], volatility=[1.0, 3.0, 1.0])
    np.testing.assert_allclose(weights(forecast), [0.15 / (2 * 1.0), 0.15 / (2 * 3.0), 0.0], rtol=1e-15)


def test_a_weight_is_capped_and_so_is_their_sum(build_forecast):
    forecast = build_forecast(0.5, volatility=0.01)
    np.testing.assert_allclose(weights(forecast), 0.10)
    np.testing.assert_allclose(weights(forecast, max_gross_frac=0.15), 0.05)


def test_shorts_need_permission(build_forecast):
    forecast = build_forecast([-0.5, 0.5, -0.5])
    assert list(np.sign(weights(forecast))) == [0, 1, 0]
    assert list(np.sign(weights(forecast, allow_short=True))) == [-1, 1, -1]


def test_entry_needs_a_larger_edge_than_staying(build_forecast):
    forecast = build_forecast([0.3, 0.1, 0.05])
    config = {"entry_edge": 0.2, "exit_edge": 0.08}
    assert list(weights(forecast, [0.0, 0.05, 0.05], **config) > 0) == [True, True, False]
    assert list(weights(forecast, **config) > 0) == [True, False, False]


def test_a_position_whose_edge_has_turned_is_left(build_forecast):
    assert list(weights(build_forecast([-0.5, 0.0, 0.5]), [0.1, 0.1, 0.1])) == [0, 0, pytest.approx(0.1)]


def test_kept_positions_keep_their_place_and_entries_fill_up_by_edge(build_forecast):
    forecast = build_forecast([0.9, 0.3, 0.5])
    assert list(weights(forecast, [0.0, 0.05, 0.0], max_positions=2) > 0) == [True, True, False]


def test_there_is_no_opinion_without_forecast_or_bar_and_none_is_taken_for_flat(build_forecast):
    forecast = build_forecast([0.5, np.nan, 0.5], volatility=[np.nan, 0.3, 0.3])
    assert list(np.isnan(weights(forecast, [0.1, 0.1, 0.1], np.array([True, True, False])))) == [True, True, True]
    assert weights(forecast)[0] == 0  # no entry before the volatility is known


def test_an_entry_too_small_to_matter_is_left_out(build_forecast):
    assert not weights(build_forecast(0.5, volatility=1.5), min_position_frac=0.04).any()


@given(
    edge=st.lists(st.floats(-0.9, 0.9), min_size=3, max_size=3),
    volatility=st.lists(st.floats(0.001, 5) | st.just(np.nan), min_size=3, max_size=3),
    current=st.lists(st.sampled_from([0.0, 0.04, -0.04]), min_size=3, max_size=3),
    max_positions=st.integers(1, 3),
)
def test_wanted_weights_stay_inside_every_cap(build_forecast, edge, volatility, current, max_positions):
    config = PortfolioConfig(allow_short=True, max_positions=max_positions, max_gross_frac=0.18)
    forecast = build_forecast(edge, volatility)
    wanted = VolatilityTargetSizing(config).weights(forecast, np.array(current), TRADABLE)
    known = wanted[np.isfinite(wanted)]
    assert np.all(np.abs(known) <= 0.10)
    assert np.abs(known).sum() <= 0.18 * (1 + 1e-12)  # the sum of three rounded products
    assert np.count_nonzero(known) <= max(max_positions, np.count_nonzero(current))
    assert np.all(known * np.array(edge)[np.isfinite(wanted)] >= 0)
