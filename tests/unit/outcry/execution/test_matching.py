from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outcry.execution.matching import PriceRange, match_price
from outcry.messages import OrderIntent, OrderType, Side

BAR = PriceRange(Decimal(100), Decimal(104), Decimal(97))


def order(side, order_type, price=None):
    prices = {OrderType.MARKET: (None, None), OrderType.LIMIT: (price, None), OrderType.STOP: (None, price)}
    limit, stop = prices[order_type]
    return OrderIntent("id", 0, "AAA", side, Decimal(1), order_type, limit_price=limit, stop_price=stop)


@pytest.mark.parametrize(
    ("side", "order_type", "price", "expected"),
    [
        (Side.BUY, OrderType.MARKET, None, 100),
        (Side.SELL, OrderType.MARKET, None, 100),
        (Side.BUY, OrderType.LIMIT, 98, 98),  # traded through
        (Side.BUY, OrderType.LIMIT, 97, None),  # touched only: others queue before
        (Side.BUY, OrderType.LIMIT, 102, 100),  # the gap improves the price
        (Side.SELL, OrderType.LIMIT, 103, 103),
        (Side.SELL, OrderType.LIMIT, 104, None),
        (Side.SELL, OrderType.LIMIT, 99, 100),
        (Side.BUY, OrderType.STOP, 104, 104),
        (Side.BUY, OrderType.STOP, 105, None),
        (Side.BUY, OrderType.STOP, 98, 100),  # opened beyond the stop: gap risk
        (Side.SELL, OrderType.STOP, 97, 97),
        (Side.SELL, OrderType.STOP, 96, None),
        (Side.SELL, OrderType.STOP, 101, 100),
    ],
)
def test_the_price_of_each_order_type(side, order_type, price, expected):
    assert match_price(order(side, order_type, price and Decimal(price)), BAR) == expected


def test_a_triggered_stop_is_a_market_order():
    assert match_price(order(Side.BUY, OrderType.STOP, Decimal(500)), BAR, is_triggered=True) == BAR.open


@given(
    st.lists(st.integers(1, 300), min_size=4, max_size=4),
    st.sampled_from(Side),
    st.sampled_from([OrderType.MARKET, OrderType.LIMIT, OrderType.STOP]),
    st.integers(1, 300),
)
def test_a_price_lies_in_the_bar_and_honours_the_order(prices, side, order_type, level):
    low, *_, high = sorted(prices)
    bar = PriceRange(Decimal(prices[0]), Decimal(high), Decimal(low))
    price = match_price(order(side, order_type, Decimal(level)), bar)
    if price is None:
        return
    assert bar.low <= price <= bar.high
    if order_type is OrderType.LIMIT:
        assert side.sign * (level - price) >= 0
    if order_type is OrderType.STOP:
        assert side.sign * (price - level) >= 0
