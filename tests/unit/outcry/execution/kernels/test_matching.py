from decimal import Decimal

import numba
import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from outcry.execution.kernels.matching import match_at_close, match_at_open, match_inside, match_leg, stop_level, watch
from outcry.order_rows import (
    BEST,
    CLS,
    DAY,
    FOK,
    FORCE,
    GTC,
    IOC,
    KIND,
    LIMIT,
    LIMIT_ORDER,
    MARKET,
    N_COLUMNS,
    OPG,
    SIDE,
    STOP,
    STOP_LIMIT,
    STOP_ORDER,
    TRAIL,
    TRAIL_MICROS,
    TRAILING_STOP,
    TRIGGERED,
)

PIVOT = 1000
"""Tables are written for a buyer; a seller sees every price mirrored at this one."""
SIDES = pytest.mark.parametrize("side", [1, -1], ids=["buy", "sell"])
PRICE_COLUMNS = (LIMIT, STOP, BEST)


@numba.njit
def _trade(order, first, high, low, is_opening):
    price = match_at_open(order, first, is_opening)
    return price if price else match_inside(order, first, high, low)


@numba.njit
def _trade_leg(order, entry, high, low):
    return match_leg(order, entry, high, low)


@numba.njit
def _trade_close(order, close):
    return match_at_close(order, close)


@numba.njit
def _see(order, high, low, close, is_entry):
    watch(order, high, low, close, is_entry)
    return stop_level(order)


def mirror(price):
    return 2 * PIVOT - price if price else 0


def build_order(kind, side=1, force=GTC, **columns):
    """Return the row of a buyer's order, or of its mirror image."""
    row = np.zeros(N_COLUMNS, dtype=np.int64)
    row[KIND], row[SIDE], row[FORCE] = kind, side, force
    for name, value in columns.items():
        column = {"limit": LIMIT, "stop": STOP, "best": BEST, "trail": TRAIL, "triggered": TRIGGERED}[name]
        row[column] = mirror(value) if side < 0 and column in PRICE_COLUMNS else value
    return row


def build_bar(side, first, high, low):
    return (first, high, low) if side > 0 else (mirror(first), mirror(low), mirror(high))


def trade(order, side, first, high, low, is_opening=False):
    """Return the price in the coordinates of a buyer."""
    price = _trade(order, *build_bar(side, first, high, low), is_opening)
    return price if side > 0 else mirror(price)


LIMITED, STOPPED = {"limit": 1000}, {"stop": 1000}
BOTH, LOW_LIMIT = {"stop": 1000, "limit": 1005}, {"stop": 1000, "limit": 995}
TRAILED = {"best": 980, "trail": 20}
SEEN = {"triggered": 1}
# kind, prices, (first, high, low), price of the trade or 0, whether the stop is reached if it did not trade
CASES = {
    "market takes the open": (MARKET, {}, (1003, 1010, 990), 1003, 0),
    "limit, opens before it, never there": (LIMIT_ORDER, LIMITED, (1010, 1020, 1001), 0, 0),
    "limit, opens before it, touched": (LIMIT_ORDER, LIMITED, (1010, 1020, 1000), 0, 0),
    "limit, opens before it, passed": (LIMIT_ORDER, LIMITED, (1010, 1020, 999), 1000, 0),
    "limit, opens at it": (LIMIT_ORDER, LIMITED, (1000, 1020, 1000), 1000, 0),
    "limit, opens beyond it": (LIMIT_ORDER, LIMITED, (990, 1020, 980), 990, 0),
    "stop, opens before it, never there": (STOP_ORDER, STOPPED, (990, 999, 980), 0, 0),
    "stop, opens before it, touched": (STOP_ORDER, STOPPED, (990, 1000, 980), 1000, 1),
    "stop, opens before it, passed": (STOP_ORDER, STOPPED, (990, 1010, 980), 1000, 1),
    "stop, opens at it": (STOP_ORDER, STOPPED, (1000, 1000, 980), 1000, 1),
    "stop, opens beyond it": (STOP_ORDER, STOPPED, (1010, 1020, 1005), 1010, 1),
    "stop, reached before": (STOP_ORDER, STOPPED | SEEN, (990, 995, 980), 990, 1),
    "stop-limit, opens before it, never there": (STOP_LIMIT, BOTH, (990, 999, 980), 0, 0),
    "stop-limit, opens before it, touched": (STOP_LIMIT, BOTH, (990, 1000, 980), 1000, 1),
    "stop-limit, opens before it, passed": (STOP_LIMIT, BOTH, (990, 1020, 980), 1000, 1),
    "stop-limit, opens at it": (STOP_LIMIT, BOTH, (1000, 1020, 980), 1000, 1),
    "stop-limit, opens between": (STOP_LIMIT, BOTH, (1003, 1020, 1002), 1003, 1),
    "stop-limit, opens at the limit": (STOP_LIMIT, BOTH, (1005, 1020, 1005), 1005, 1),
    "stop-limit, opens beyond the limit": (STOP_LIMIT, BOTH, (1010, 1020, 1006), 0, 1),
    "stop-limit, opens beyond the limit, touches it": (STOP_LIMIT, BOTH, (1010, 1020, 1005), 0, 1),
    "stop-limit, opens beyond the limit, comes back": (STOP_LIMIT, BOTH, (1010, 1020, 1004), 1005, 1),
    "stop-limit, limit before the stop, reached": (STOP_LIMIT, LOW_LIMIT, (990, 1001, 980), 0, 1),
    "stop-limit, limit before the stop, at the stop": (STOP_LIMIT, LOW_LIMIT, (1000, 1001, 996), 0, 1),
    "stop-limit, reached before, opens within": (STOP_LIMIT, LOW_LIMIT | SEEN, (990, 1001, 980), 990, 1),
    "stop-limit, reached before, touches": (STOP_LIMIT, LOW_LIMIT | SEEN, (999, 999, 995), 0, 1),
    "stop-limit, reached before, passes": (STOP_LIMIT, LOW_LIMIT | SEEN, (999, 999, 994), 995, 1),
    "trailing, opens before it, never there": (TRAILING_STOP, TRAILED, (990, 999, 985), 0, 0),
    "trailing, opens before it, touched": (TRAILING_STOP, TRAILED, (990, 1000, 985), 1000, 1),
    "trailing, moved and passed by one bar": (TRAILING_STOP, TRAILED, (975, 999, 950), 0, 0),
    "trailing, opens at it": (TRAILING_STOP, TRAILED, (1000, 1020, 985), 1000, 1),
    "trailing, opens beyond it": (TRAILING_STOP, TRAILED, (1010, 1020, 985), 1010, 1),
    "trailing, reached before": (TRAILING_STOP, TRAILED | SEEN, (990, 995, 985), 990, 1),
}  # fmt: skip


@SIDES
@pytest.mark.parametrize(("kind", "prices", "bar", "price", "reached"), CASES.values(), ids=CASES)
def test_an_order_trades_where_its_type_says(kind, prices, bar, price, reached, side):
    order = build_order(kind, side, **prices)
    assert trade(order, side, *bar) == price
    _, high, low = build_bar(side, *bar)
    _see(order, high, low, high, False)
    assert order[TRIGGERED] == reached


@pytest.mark.parametrize(
    ("side", "level"), [(1, 1_020_000), (-1, 980_000)], ids=["buy above the best", "sell below the best"]
)
def test_a_trailing_stop_by_a_fraction_stays_that_part_of_the_best_price_behind(side, level):
    order = build_order(TRAILING_STOP)
    order[SIDE], order[BEST], order[TRAIL_MICROS] = side, 1_000_000, 20_000
    before, beyond = level - 5 * side, level + 5 * side

    def bar(first, worst):
        return _trade(order, first, max(first, worst), min(first, worst), False)

    assert bar(before, level - side) == 0
    assert bar(before, level) == bar(before, beyond) == bar(level, beyond) == level
    assert bar(beyond, beyond) == beyond


@SIDES
@pytest.mark.parametrize(
    ("force", "at_better_open", "at_opening", "on_the_way", "at_close"),
    [
        (DAY, 990, 990, 1000, 0),
        (GTC, 990, 990, 1000, 0),
        (IOC, 990, 990, 0, 0),
        (FOK, 990, 990, 0, 0),
        (OPG, 0, 990, 0, 0),
        (CLS, 0, 0, 0, 990),
    ],
    ids=["day", "gtc", "ioc", "fok", "opg", "cls"],
)
def test_time_in_force_says_at_which_moments_a_limit_order_trades(
    force, at_better_open, at_opening, on_the_way, at_close, side
):
    order = build_order(LIMIT_ORDER, side, force, limit=1000)
    assert trade(order, side, 990, 1020, 980) == at_better_open
    assert trade(order, side, 990, 1020, 980, is_opening=True) == at_opening
    assert trade(order, side, 1010, 1020, 980, is_opening=True) == on_the_way
    close = 990 if side > 0 else mirror(990)
    assert _trade_close(order, close) == (close if at_close else 0)


@SIDES
def test_an_order_for_the_close_takes_the_close_if_its_limit_allows(side):
    for close, price in ((999, 999), (1000, 1000), (1001, 0)):
        there = close if side > 0 else mirror(close)
        assert _trade_close(build_order(LIMIT_ORDER, side, CLS, limit=1000), there) == (there if price else 0)
        assert _trade_close(build_order(MARKET, side, CLS), there) == there


LEGS = {  # kind, prices, entry, (high, low), price or 0; of a leg that buys
    "stop, never there": (STOP_ORDER, STOPPED, 950, (999, 940), 0),
    "stop, touched": (STOP_ORDER, STOPPED, 950, (1000, 940), 1000),
    "stop, passed": (STOP_ORDER, STOPPED, 950, (1010, 940), 1000),
    "stop, entered beyond it": (STOP_ORDER, STOPPED, 1003, (1010, 990), 1003),
    "stop-limit, passed": (STOP_LIMIT, BOTH, 950, (1010, 940), 1000),
    "stop-limit, entered beyond the limit": (STOP_LIMIT, BOTH, 1007, (1010, 940), 0),
    "stop-limit, limit before the stop": (STOP_LIMIT, LOW_LIMIT, 950, (1010, 940), 0),
    "trailing, never there": (TRAILING_STOP, {"best": 980, "trail": 20}, 980, (999, 900), 0),
    "trailing, touched": (TRAILING_STOP, {"best": 980, "trail": 20}, 980, (1000, 900), 1000),
    "limit, passed": (LIMIT_ORDER, LIMITED, 1050, (1060, 900), 0),
    "market": (MARKET, {}, 950, (1060, 900), 0),
}


@SIDES
@pytest.mark.parametrize(("kind", "prices", "entry", "bar", "price"), LEGS.values(), ids=LEGS)
def test_in_the_bar_of_the_entry_a_leg_trades_only_to_its_loss(kind, prices, entry, bar, price, side):
    order = build_order(kind, side, **prices)
    high, low = bar if side > 0 else (mirror(bar[1]), mirror(bar[0]))
    found = _trade_leg(order, entry if side > 0 else mirror(entry), high, low)
    assert (found if side > 0 else mirror(found)) == price


@SIDES
@pytest.mark.parametrize(
    ("is_entry", "bar", "best"),
    [
        (False, (995, 970, 975), 970),
        (False, (995, 985, 990), 980),
        (False, (1000, 900, 900), 980),  # reached: it no longer moves
        (True, (995, 970, 975), 975),
        (True, (995, 970, 990), 980),
    ],
    ids=["ratchets", "never loosens", "reached", "entry: to the close", "entry: never loosens"],
)
def test_a_trailing_stop_moves_with_the_best_price_after_the_bar(is_entry, bar, best, side):
    order = build_order(TRAILING_STOP, side, best=980, trail=20)
    high, low, close = bar if side > 0 else (mirror(bar[1]), mirror(bar[0]), mirror(bar[2]))
    _see(order, high, low, close, is_entry)
    assert (order[BEST] if side > 0 else mirror(order[BEST])) == best


PRICES = st.integers(901, 1099)
BARS = st.tuples(st.lists(PRICES, min_size=3, max_size=3).map(sorted), PRICES).map(
    lambda drawn: (drawn[0][1], drawn[0][2], drawn[0][0], max(min(drawn[1], drawn[0][2]), drawn[0][0]))
)
"""first, high, low, close"""
ORDERS = st.builds(
    lambda kind, force, limit, stop, best, trail, triggered: {
        "kind": kind,
        "force": force,
        "limit": limit if kind in (LIMIT_ORDER, STOP_LIMIT) else 0,
        "stop": stop if kind in (STOP_ORDER, STOP_LIMIT) else 0,
        "best": best,
        "trail": trail if kind == TRAILING_STOP else 0,
        "triggered": triggered if kind not in (MARKET, LIMIT_ORDER) else 0,
    },
    kind=st.sampled_from([MARKET, LIMIT_ORDER, STOP_ORDER, STOP_LIMIT, TRAILING_STOP]),
    force=st.sampled_from([DAY, GTC, IOC, FOK, OPG]),
    limit=PRICES,
    stop=PRICES,
    best=PRICES,
    trail=st.integers(1, 50),
    triggered=st.integers(0, 1),
)


@given(ORDERS, BARS, st.sampled_from([1, -1]), st.booleans())
def test_a_price_lies_in_the_bar_and_honours_limit_and_stop(fields, bar, side, is_opening):
    order = build_order(side=side, **fields)
    first, high, low, _ = bar
    price = _trade(order, first, high, low, is_opening)
    assume(price)
    assert low <= price <= high
    assert not order[LIMIT] or side * price <= side * order[LIMIT]
    if order[KIND] in (STOP_ORDER, TRAILING_STOP) and not order[TRIGGERED]:
        level = order[STOP] or order[BEST] + side * order[TRAIL]
        assert side * price >= side * level
    if order[KIND] != MARKET and price != first:
        assert price in (order[LIMIT], order[STOP], order[BEST] + side * order[TRAIL])


@given(ORDERS, BARS, st.booleans(), st.booleans())
def test_a_seller_is_a_buyer_in_the_mirror(fields, bar, is_opening, is_entry):
    buyer, seller = build_order(**fields), build_order(side=-1, **fields)
    first, high, low, close = bar
    assert trade(buyer, 1, first, high, low, is_opening) == trade(seller, -1, first, high, low, is_opening)
    assert _trade_leg(buyer, first, high, low) == mirror(_trade_leg(seller, mirror(first), mirror(low), mirror(high)))
    level = _see(buyer, high, low, close, is_entry)
    assert level == mirror(_see(seller, mirror(low), mirror(high), mirror(close), is_entry))
    assert (buyer[TRIGGERED], buyer[BEST]) == (seller[TRIGGERED], mirror(seller[BEST]))


@given(st.lists(BARS, min_size=1, max_size=8), st.sampled_from([1, -1]), st.booleans())
def test_a_trailing_stop_never_loosens(bars, side, is_fraction):
    order = build_order(TRAILING_STOP, side, best=1000, trail=30)
    if is_fraction:
        order[TRAIL], order[TRAIL_MICROS] = 0, 30_000
    levels = [_see(order, high, low, close, False) for _, high, low, close in bars]
    assert levels == sorted(levels, reverse=side > 0)


def trades_at(kind: int, side: int, wanted: Decimal, first: Decimal, high: Decimal, low: Decimal) -> Decimal | None:
    """Return where a market, limit or stop order trades in a bar: the rules again, in decimals."""
    if kind == MARKET:
        return first
    is_buy = side > 0
    if kind == LIMIT_ORDER:
        if first <= wanted if is_buy else first >= wanted:
            return first
        return wanted if (low < wanted if is_buy else high > wanted) else None
    if first >= wanted if is_buy else first <= wanted:
        return first
    return wanted if (high >= wanted if is_buy else low <= wanted) else None


@given(st.sampled_from([MARKET, LIMIT_ORDER, STOP_ORDER]), st.sampled_from([1, -1]), PRICES, BARS)
def test_market_limit_and_stop_trade_where_a_plain_model_says(kind, side, wanted, bar):
    order = build_order(kind)
    order[SIDE], order[{LIMIT_ORDER: LIMIT, STOP_ORDER: STOP}.get(kind, LIMIT)] = side, wanted if kind else 0
    first, high, low, _ = bar
    expected = trades_at(kind, side, *(Decimal(price) / 100 for price in (wanted, first, high, low)))
    assert _trade(order, first, high, low, False) == (0 if expected is None else expected * 100)
