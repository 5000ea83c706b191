"""At what price an order trades in a bar, if it does: a pure function of both.

A bar has three moments in which orders trade: its open, the way from there through its high and low, and its close. A
fourth one, `LEGS`, is for the protective orders of an order that has only just traded in this bar.
"""

from outcry.compiled import inlined_kernel, kernel
from outcry.market.frame import IntArray
from outcry.order_rows import (
    BEST,
    CLS,
    FOK,
    FORCE,
    IOC,
    KIND,
    LIMIT,
    LIMIT_ORDER,
    MARKET,
    OPG,
    SIDE,
    STOP,
    STOP_LIMIT,
    TRAIL,
    TRAIL_MICROS,
    TRAILING_STOP,
    TRIGGERED,
)

AT_OPEN, INSIDE, LEGS, AT_CLOSE = range(4)
MILLION = 1_000_000


@inlined_kernel
def is_stop(order: IntArray) -> bool:
    """Say whether an order waits for the price to get worse."""
    return bool(order[KIND] != MARKET and order[KIND] != LIMIT_ORDER)


@inlined_kernel
def stop_level(order: IntArray) -> int:
    """Return the price at which a stop is reached, price units; one that trails stays behind the best price so far."""
    if order[KIND] != TRAILING_STOP:
        return int(order[STOP])
    behind = order[TRAIL] if order[TRAIL] else int(order[BEST] * (order[TRAIL_MICROS] / MILLION))
    return int(order[BEST] + order[SIDE] * behind)


@inlined_kernel
def is_within_limit(order: IntArray, price: int) -> bool:
    """Say whether `price` is at the limit or better."""
    return bool(order[SIDE] * (order[LIMIT] - price) >= 0)


@inlined_kernel
def is_reached(order: IntArray, price: int) -> bool:
    """Say whether `price` is at the stop or beyond."""
    return bool(order[SIDE] * (price - stop_level(order)) >= 0)


@kernel
def match_at_open(order: IntArray, first: int, is_opening: bool) -> int:
    """Return the price at which an order trades at the first price it meets, price units; 0 where it does not.

    Notes
    -----
    A market order and a stop that was reached before take the price; so does a stop that the price is beyond (gap
    risk). A limit order takes it where it is at the limit or better: a gap improves the price. An order for the opening
    trades here or not at all, one for the close does not.
    """
    if order[FORCE] == CLS or (order[FORCE] == OPG and not is_opening):
        return 0
    if order[KIND] == MARKET:
        return first
    if is_stop(order) and not (order[TRIGGERED] or is_reached(order, first)):
        return 0
    has_limit = order[KIND] == LIMIT_ORDER or order[KIND] == STOP_LIMIT
    return first if not has_limit or is_within_limit(order, first) else 0


@kernel
def match_inside(order: IntArray, first: int, high: int, low: int) -> int:
    """Return the price at which an order trades on the way through the bar, price units; 0 where it does not.

    Notes
    -----
    - A limit order trades at its limit where the bar trades *through* it; a touch is not enough, since others queue at
      the same price.
    - A stop trades at its price where the bar touches it. With a limit it then trades there if the limit allows, and
      rests as a limit order from then on.
    - An order that wants to trade at once has had its chance at the open; so has a limit order whose limit the open was
      within.

    What this ignores: the path inside the bar. Where a bar touches a limit and a stop, both trade.
    """
    if order[FORCE] in (IOC, FOK, OPG, CLS) or order[KIND] == MARKET:
        return 0
    best, worst = (low, high) if order[SIDE] > 0 else (high, low)
    is_limit = order[KIND] == LIMIT_ORDER
    if is_stop(order) and not order[TRIGGERED] and not is_reached(order, first):
        if not is_reached(order, worst):
            return 0
        level = stop_level(order)
        return level if order[KIND] != STOP_LIMIT or is_within_limit(order, level) else 0
    if (is_limit or order[KIND] == STOP_LIMIT) and not is_within_limit(order, first):
        return order[LIMIT] if order[SIDE] * (order[LIMIT] - best) > 0 else 0
    return 0


@kernel
def match_leg(order: IntArray, entry: int, high: int, low: int) -> int:
    """Return the price at which a leg trades in the bar in which its parent did, price units; 0 where it does not.

    Parameters
    ----------
    order : int64 (N_COLUMNS,)
    entry : int
        Where its parent was matched, price units.
    high, low : int

    Notes
    -----
    Nobody knows whether the bar went up or down first after the entry. The worse is assumed: a stop that the bar
    touches has traded, at its price or, where the entry was beyond it, at the price of the entry; a limit has not.
    """
    worst = high if order[SIDE] > 0 else low
    if not is_stop(order) or not is_reached(order, worst):
        return 0
    level = max(stop_level(order), entry) if order[SIDE] > 0 else min(stop_level(order), entry)
    return level if order[KIND] != STOP_LIMIT or is_within_limit(order, level) else 0


@kernel
def match_at_close(order: IntArray, close: int) -> int:
    """Return the price at which an order for the close trades, price units; 0 where it does not."""
    if order[FORCE] != CLS or (order[KIND] == LIMIT_ORDER and not is_within_limit(order, close)):
        return 0
    return close


@kernel
def watch(order: IntArray, high: int, low: int, close: int, is_entry: bool) -> None:
    """Note what a stop has seen in a bar: that it was reached, or the best price.

    Notes
    -----
    A trailing stop moves after the bar, with its best price; in the bar of the entry with its close, as the best price
    may have come before the entry. So a bar never moves a stop and then reaches it.
    """
    worst, best = (high, low) if order[SIDE] > 0 else (low, high)
    if not is_stop(order) or order[TRIGGERED]:
        return
    if is_reached(order, worst):
        order[TRIGGERED] = 1
    elif order[KIND] == TRAILING_STOP:
        seen = close if is_entry else best
        order[BEST] = min(order[BEST], seen) if order[SIDE] > 0 else max(order[BEST], seen)
