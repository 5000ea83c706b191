import pickle
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from outcry.errors import DataValidationError
from outcry.market.universe import Universe
from outcry.portfolio.config import PortfolioConfig
from outcry.portfolio.construction import PortfolioConstruction
from outcry.portfolio.rebalance import Rebalancing

UNIVERSE = Universe(("AAA", "BBB", "CCC"), ("Tech", "Tech", "Energy"))


def test_a_fallback_forecast_asks_for_nothing_and_its_inputs_are_passed_on(build_book, build_forecast):
    construction = PortfolioConstruction("run", UNIVERSE, PortfolioConfig())
    forecast = build_forecast(np.nan)
    proposal = construction.propose(forecast, build_book(quantity=[100, 0, 0]))
    assert (proposal.orders, proposal.cancels, proposal.inputs) == ((), (), forecast.inputs)


def test_a_stale_symbol_is_left_alone(build_book, build_forecast):
    construction = PortfolioConstruction("run", UNIVERSE, PortfolioConfig())
    book = build_book(quantity=[100, 0, 0], stale=[True, True, False])
    assert [order.symbol for order in construction.propose(build_forecast([-0.5, 0.5, 0.5]), book).orders] == ["CCC"]


def test_a_forecast_of_another_frame_is_refused(build_book, build_forecast):
    construction = PortfolioConstruction("run", UNIVERSE, PortfolioConfig())
    with pytest.raises(DataValidationError, match=r"forecast\.seq must be 4.*was 3"):
        construction.propose(build_forecast(0.5, seq=3), build_book(seq=4))


def test_nothing_is_wanted_without_equity(build_book, build_forecast):
    construction = PortfolioConstruction("run", UNIVERSE, PortfolioConfig())
    proposal = construction.propose(build_forecast(0.5), build_book(equity=0))
    assert (proposal.orders, proposal.cancels) == ((), ())
    assert np.isnan(proposal.target_weight).all()


EDGES = st.lists(st.floats(-0.9, 0.9) | st.just(np.nan), min_size=3, max_size=3)
LOTS = st.lists(st.integers(-300, 300), min_size=3, max_size=3)


@given(edge=EDGES, quantity=LOTS, working=LOTS, stale=st.lists(st.booleans(), min_size=3, max_size=3))
def test_a_proposal_is_sizing_and_then_rebalancing(
    build_book, build_forecast, edge, quantity, working, stale, size_weights
):
    config = PortfolioConfig(allow_short=True, order_type="stop_limit", stop_loss_frac=0.1, take_profit_frac=0.2)
    forecast, book = build_forecast(edge), build_book(quantity, working, price=99.99, stale=stale)
    proposal = PortfolioConstruction("run", UNIVERSE, config).propose(forecast, book)
    current = (book.quantity + book.working) * book.price / float(book.equity)
    weights = size_weights(config, forecast, current, ~book.stale)
    np.testing.assert_array_equal(proposal.target_weight, weights)
    assert (proposal.orders, proposal.cancels) == Rebalancing("run", UNIVERSE, config).orders(book, weights)


@given(edge=EDGES, quantity=LOTS, working=LOTS, abstain=st.lists(st.integers(0, 3), min_size=3, max_size=3))
def test_orders_of_a_symbol_abstained_on_only_take_risk_away(
    build_book, build_forecast, edge, quantity, working, abstain
):
    config = PortfolioConfig(allow_short=True, rebalance_frac=0.0)
    forecast = replace(build_forecast(edge), abstain=np.array(abstain, dtype=np.int8))
    book = build_book(quantity, working, price=99.99)
    proposal = PortfolioConstruction("run", UNIVERSE, config).propose(forecast, book)
    expected = book.quantity if proposal.cancels else book.quantity + book.working
    for order in proposal.orders:
        i = UNIVERSE.index(order.symbol)
        before, after = book.quantity[i] + book.working[i], expected[i] + order.side.sign * float(order.quantity)
        if abstain[i] != 0:
            assert abs(after) <= abs(before)
            assert after * before >= 0


def test_what_an_actor_gets_proposes_alike(build_book, build_forecast):
    here = PortfolioConstruction("run", UNIVERSE, PortfolioConfig())
    buffers: list[pickle.PickleBuffer] = []
    sent = pickle.dumps((here, build_forecast(0.5), build_book()), protocol=5, buffer_callback=buffers.append)
    there, forecast, book = pickle.loads(sent, buffers=[bytes(buffer.raw()) for buffer in buffers])  # noqa: S301
    assert not book.price.flags.writeable
    assert there.propose(forecast, book).orders == here.propose(build_forecast(0.5), build_book()).orders
