from decimal import Decimal

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from outcry.market.universe import Universe
from outcry.messages import OrderType, Side, TimeInForce
from outcry.portfolio.config import PortfolioConfig
from outcry.portfolio.rebalance import Rebalancing

UNIVERSE = Universe(("AAA", "BBB", "CCC"), ("Tech", "Tech", "Energy"))
NOTHING = np.nan


def orders_of(book, target_weight, **config):
    return Rebalancing("run", UNIVERSE, PortfolioConfig(**config)).orders(book, np.array(target_weight, float))


def wishes(orders):
    return [(order.symbol, order.side.sign * int(order.quantity), order.purpose) for order in orders]


def test_targets_become_whole_lots_rounded_down(build_book):
    orders, cancels = orders_of(build_book(price=[3000.0, 70.0, 100.0]), [0.1, 0.1, -0.1])
    assert wishes(orders) == [("AAA", 3, "enter"), ("BBB", 142, "enter"), ("CCC", -100, "enter")]
    assert cancels == ()


def test_what_is_on_its_way_is_not_ordered_again(build_book):
    book = build_book(quantity=[0, 40, 100], working=[100, 60, -100])
    assert orders_of(book, [0.1, 0.1, 0.0]) == ((), ())


def test_a_small_resize_waits_but_an_exit_and_a_change_of_side_do_not(build_book):
    book = build_book(quantity=[100, 10, 10])
    orders, _ = orders_of(book, [0.06, 0.0, -0.01])
    assert wishes(orders) == [("BBB", -10, "exit"), ("CCC", -20, "enter")]
    assert wishes(orders_of(book, [0.05, NOTHING, NOTHING])[0]) == [("AAA", -50, "resize")]


def test_an_order_on_its_way_that_is_no_longer_wanted_is_cancelled_and_the_others_are_made_anew(build_book):
    book = build_book(quantity=[0, 0, 50], working=[100, 100, -50])
    orders, cancels = orders_of(book, [0.0, 0.1, NOTHING])
    assert cancels == ("*",)
    assert wishes(orders) == [("BBB", 100, "enter"), ("CCC", -50, "exit")]


def test_limit_orders_open_positions_and_market_orders_close_them(build_book):
    book = build_book(quantity=[100, 0, 0], price=99.99)
    orders, _ = orders_of(book, [0.0, 0.1, -0.1], order_type="limit", limit_offset_bps=10.0)
    exit_, buy, sell = orders
    assert exit_.order_type is OrderType.MARKET
    assert (buy.limit_price, sell.limit_price) == (Decimal("99.89"), Decimal("100.09"))
    assert {buy.time_in_force, sell.time_in_force} == {TimeInForce.DAY}


LOTS = st.lists(st.integers(-300, 300), min_size=3, max_size=3)
WEIGHTS = st.lists(st.floats(-0.2, 0.2) | st.just(np.nan), min_size=3, max_size=3)


@given(quantity=LOTS, working=LOTS, weight=WEIGHTS)
def test_once_everything_on_its_way_has_filled_the_target_is_reached_to_the_lot(build_book, quantity, working, weight):
    book = build_book(quantity=quantity, working=working)
    orders, cancels = orders_of(book, weight, rebalance_frac=0.0)
    end = np.array(quantity) + (0 if cancels else np.array(working))
    for order in orders:
        end[UNIVERSE.index(order.symbol)] += order.side.sign * int(order.quantity)
        assert order.side in Side
    for i in range(3):
        wanted = (
            quantity[i] + working[i] if np.isnan(weight[i]) else np.trunc(weight[i] * 1000 + np.sign(weight[i]) * 1e-9)
        )
        assert end[i] == wanted
    assert (orders, cancels) == orders_of(book, weight, rebalance_frac=0.0)
