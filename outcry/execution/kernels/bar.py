"""One bar at the broker: which of the open orders trade, for how much, and what becomes of the others."""

from outcry.compiled import inlined_kernel, kernel
from outcry.execution.costs.commission import commission
from outcry.execution.costs.latency import first_price
from outcry.execution.costs.price import moved_billionths, trade_price
from outcry.execution.kernels.cover import MONTH, MONTH_LOTS, book_trade, covered_lots, mark_account
from outcry.execution.kernels.holding import book_actions, book_carry
from outcry.execution.kernels.matching import (
    AT_CLOSE,
    AT_OPEN,
    INSIDE,
    LEGS,
    is_stop,
    match_at_close,
    match_at_open,
    match_inside,
    match_leg,
    watch,
)
from outcry.execution.kernels.model import (
    ALLOW_SHORT,
    LATENCY_FRAMES,
    LOT_SHARES,
    PRICE_SCALE,
    SUB_TICKS,
    VOLUME_FRAC,
)
from outcry.execution.kernels.open_orders import N_BOOKED, N_OPEN, Broker, end, left_to_trade, release_legs
from outcry.execution.kernels.past import BAR_SPLIT, BAR_VOLUME, CLOSE, HIGH, LOW, OPEN, Bars
from outcry.market.frame import FloatArray, IntArray
from outcry.market.grid_kernels import round_against, round_down, to_price_units
from outcry.order_rows import (
    ALLOWED,
    ARRIVAL_NS,
    BEST,
    CANCELLED,
    CASH_REFUSED,
    CLS,
    DAY,
    ENTRY,
    ENTRY_SEQ,
    EXPIRED,
    F_COMMISSION,
    F_LOTS,
    F_NUMBER,
    F_PRICE,
    F_SEQ,
    F_SIDE,
    F_SLIPPAGE,
    F_SYMBOL,
    FILLED,
    FILLED_UP,
    FIRST_FILL_SEQ,
    FOK,
    FORCE,
    GROUP,
    IOC,
    KIND,
    LAST_FILL_SEQ,
    LEG_TRADED,
    LIMIT,
    LIMIT_ORDER,
    LOTS,
    MOVED,
    NOT_AT_ONCE,
    NOTHING_TO_CLOSE,
    NUMBER,
    OPENING_OVER,
    OPG,
    OTHER_TRADED,
    PARENT,
    PARENT_ENDED,
    PARTIALLY_FILLED,
    REDUCE_ONLY,
    REJECTED,
    SEQ,
    SESSION_ENDED,
    SHARES_SPLIT,
    SHORT_REFUSED,
    SIDE,
    STATUS,
    STOP_LIMIT,
    SYMBOL,
    TAKEN,
    TOUCHED,
    TRIGGERED,
    WATCH_SEQ,
)

SEQ_NOW, TS_OPEN_NS, TS_CLOSE_NS, SESSION_END_NS, IS_OPENING, MONTH_NOW, N_NIGHTS = range(7)
"""Of a frame, int64: its number; when its bars began, at the close before it or with the session; when they close; the
close of the session that orders made before it work in; whether it is the first of its session; its calendar month,
counted from any; calendar days from the session of the frame before it to its own."""
N_CLOCK = 7

Scratch = tuple[IntArray, IntArray, IntArray]
"""marks (n_symbols,), free lots (n_symbols,), and the rows of orders that may trade (capacity,)."""


@inlined_kernel
def advance_bar(
    broker: Broker,
    market: FloatArray,
    tiers: FloatArray,
    bars: Bars,
    t: int,
    clock: IntArray,
    scratch: Scratch,
    fills: IntArray,
    events: IntArray,
) -> int:
    """Match the open orders of earlier frames against the bars of row t; return the number of fills.

    Parameters
    ----------
    broker : Broker
    market, tiers : float64
    bars : Bars
        Earlier rows are read for average volume, volatility and spread.
    t : int
    clock : int64 (N_CLOCK,)
    scratch : Scratch
    fills : int64 (capacity, N_FILL_COLUMNS)
    events : int64 (capacity, N_EVENT_COLUMNS)
        Ledger events; room for three a symbol and one more. Both are written from the first row on.

    Notes
    -----
    1. An order of frame t trades on frame t + 1 at the earliest, once it has arrived. A symbol without a bar, or a bar
       without volume, leaves its orders as they are, but for those that were to trade at once.
    2. First what trades at the open, then what trades on the way, then the legs of orders that traded in this bar, then
       what trades at the close. In each: first what closes a holding; on the way stops before limits; then in the order
       in which orders came. An order trades at most once a bar.
    3. Slippage and impact move the price against the trader, except for a limit order. All prices lie on the tick,
       rounded against the trader.
    4. All orders of a symbol together trade at most a part of the volume of the bar, in whole lots; the rest stays
       open, unless the order was to be filled at once.
    5. What the account does not cover is refused: the order trades the covered part and ends.
    6. An order for the day works in the session that follows the instant it was made at, and expires with it.
    7. Before anything trades, what is held is charged for the nights since the last frame, split, and paid its
       dividends. A split cancels the open orders of its symbol: their prices and quantities mean something else now.

    Rows that changed have `TOUCHED`, `STATUS` and `REASON` set; `drop_closed` takes those that ended out of the table.
    """
    account, lots, orders, counts, last_units, last_close = broker
    marks, free, candidates = scratch
    n_open, n_fills = counts[N_OPEN], 0
    if clock[MONTH_NOW] != account[MONTH]:
        account[MONTH], account[MONTH_LOTS] = clock[MONTH_NOW], 0
    counts[N_BOOKED] = 0
    if clock[N_NIGHTS]:
        counts[N_BOOKED] = book_carry(account, lots, last_units, market, clock[N_NIGHTS], clock[SEQ_NOW], events)
    if len(bars[BAR_SPLIT]):
        n_carried = counts[N_BOOKED]
        counts[N_BOOKED] += book_actions(account, lots, last_units, market, bars, t, clock[SEQ_NOW], events[n_carried:])
    if n_open:
        for k in range(n_open):
            orders[k, TOUCHED] = 0
        if len(bars[BAR_SPLIT]):
            cancel_split(orders, n_open, bars, t)
        if clock[TS_CLOSE_NS] > clock[SESSION_END_NS]:
            expire(orders, n_open)
        n_may = collect(broker, market, bars, t, clock, marks, free, candidates)
        if n_may:
            mark_account(account, lots, marks)
            for moment in (AT_OPEN, INSIDE, LEGS, AT_CLOSE):
                if moment == AT_CLOSE and clock[TS_CLOSE_NS] != clock[SESSION_END_NS]:
                    continue
                for turn in range(4):
                    if turn % 2 and moment != INSIDE:
                        continue  # only on the way do stops go before limits
                    for c in range(n_may):
                        order = orders[candidates[c]]
                        if not has_turn(order, lots[order[SYMBOL]], moment, turn, clock[SEQ_NOW]):
                            continue
                        n_fills += try_trade(
                            broker, market, tiers, bars, t, clock, marks, free, order, moment, fills[n_fills]
                        )
        finish(broker, bars, t, clock, market)
    for i in range(len(last_close)):
        close = bars[CLOSE][t, i]
        if close == close:  # noqa: PLR0124 - not NaN
            last_close[i] = close
            last_units[i] = to_price_units(close, market[PRICE_SCALE])
    return n_fills


@kernel
def expire(orders: IntArray, n_open: int) -> None:
    """Expire what works for one session only."""
    for k in range(n_open):
        force = orders[k, FORCE]
        if force in (DAY, CLS, OPG):
            end(orders, n_open, orders[k], EXPIRED, SESSION_ENDED)


@kernel
def cancel_split(orders: IntArray, n_open: int, bars: Bars, t: int) -> None:
    """Cancel the orders of symbols that are split in row t."""
    for k in range(n_open):
        if bars[BAR_SPLIT][t, orders[k, SYMBOL]] != 1.0:
            end(orders, n_open, orders[k], CANCELLED, SHARES_SPLIT)


@inlined_kernel
def collect(
    broker: Broker,
    market: FloatArray,
    bars: Bars,
    t: int,
    clock: IntArray,
    marks: IntArray,
    free: IntArray,
    candidates: IntArray,
) -> int:
    """Find the orders whose symbol has a bar with volume, the marks and free lots; return how many there are."""
    _, _, orders, counts, last_units, _ = broker
    n_may = 0
    for k in range(counts[N_OPEN]):
        order = orders[k]
        volume = bars[BAR_VOLUME][t, order[SYMBOL]]
        if order[STATUS] <= PARTIALLY_FILLED and has_arrived(order, market, clock) and volume > 0.0:
            candidates[n_may] = k
            n_may += 1
            free[order[SYMBOL]] = round_down(volume * market[VOLUME_FRAC] / market[LOT_SHARES], 1)
    if n_may:
        for i in range(len(marks)):
            price = bars[OPEN][t, i]
            marks[i] = to_price_units(price, market[PRICE_SCALE]) if price == price else last_units[i]  # noqa: PLR0124
    return n_may


@inlined_kernel
def has_arrived(order: IntArray, market: FloatArray, clock: IntArray) -> bool:
    """Say whether the market has the order before the bar ends."""
    has_waited = order[SEQ] + market[LATENCY_FRAMES] < clock[SEQ_NOW]
    return bool(has_waited and order[ARRIVAL_NS] < clock[TS_CLOSE_NS])


@inlined_kernel
def has_turn(order: IntArray, held: int, moment: int, turn: int, seq: int) -> bool:
    """Say whether an order is tried in this turn of a moment.

    Turns: 0 closes a holding and is a stop, 1 closes and is a limit, 2 and 3 the same for all others. Where a moment
    makes no difference of stops and limits, turns 0 and 2 take both. An order that has traded or ended is over.
    """
    if order[STATUS] > PARTIALLY_FILLED or order[LAST_FILL_SEQ] == seq or order[ALLOWED] == 0:
        return False
    is_new_leg = order[ENTRY_SEQ] == seq
    if is_new_leg != (moment == LEGS):
        return False
    if moment == INSIDE and is_stop(order) == (turn % 2 == 1):
        return False
    left = left_to_trade(order, held)
    return left > 0 and (turn >= 2 or left <= -order[SIDE] * held)


@inlined_kernel
def match(order: IntArray, market: FloatArray, bars: Bars, t: int, clock: IntArray, moment: int) -> int:
    """Return the price at which an order trades at a moment of the bar, price units; 0 where it does not."""
    i, scale = order[SYMBOL], market[PRICE_SCALE]
    close = bars[CLOSE][t, i]
    if moment == AT_CLOSE:
        return match_at_close(order, to_price_units(close, scale))
    price, is_late = bars[OPEN][t, i], order[ARRIVAL_NS] > clock[TS_OPEN_NS]
    if is_late:  # what was before the arrival is not for this order
        price = first_price(price, close, order[ARRIVAL_NS], clock[TS_OPEN_NS], clock[TS_CLOSE_NS])
    first = to_price_units(price, scale)
    if moment == AT_OPEN:
        return match_at_open(order, first, clock[IS_OPENING] != 0)
    high, low = bars[HIGH][t, i], bars[LOW][t, i]
    if moment == LEGS:
        return match_leg(order, order[ENTRY], to_price_units(high, scale), to_price_units(low, scale))
    if is_late:
        high, low = max(price, close), min(price, close)
    return match_inside(order, first, to_price_units(high, scale), to_price_units(low, scale))


@inlined_kernel
def try_trade(
    broker: Broker,
    market: FloatArray,
    tiers: FloatArray,
    bars: Bars,
    t: int,
    clock: IntArray,
    marks: IntArray,
    free: IntArray,
    order: IntArray,
    moment: int,
    fill: IntArray,
) -> int:
    """Trade an order at a moment of the bar where it does; return 1 for a fill, written to `fill`, else 0."""
    account, lots, orders, counts, _, _ = broker
    i, sign = order[SYMBOL], order[SIDE]
    reference = match(order, market, bars, t, clock, moment)
    if reference == 0:
        return 0
    left = left_to_trade(order, lots[i])
    possible = min(left, free[i])
    if possible == 0 or (order[FORCE] == FOK and possible < order[LOTS] - order[FILLED] - order[TAKEN]):
        return 0
    price = limited_price(market, bars, t, order, possible, reference)
    traded = covered_lots(account, lots[i], sign, possible, price, marks[i], market, tiers)
    if traded < possible and order[FORCE] == FOK:
        traded = 0
    if traded:
        if traded < possible:
            price = limited_price(market, bars, t, order, traded, reference)
        cost = commission(market, tiers, account[MONTH_LOTS], traded, price)
        book_trade(account, lots, i, sign, traded, price, cost, marks[i])
        free[i] -= traded
        order[MOVED] += moved_billionths(market, bars, t, i, traded)
        fill[F_NUMBER], fill[F_SYMBOL], fill[F_SIDE], fill[F_LOTS] = order[NUMBER], i, sign, traded
        fill[F_PRICE], fill[F_COMMISSION], fill[F_SEQ] = price, cost, clock[SEQ_NOW]
        fill[F_SLIPPAGE] = abs(price - reference) * traded
        note_trade(orders, counts[N_OPEN], order, traded, reference, clock[SEQ_NOW], moment)
    if traded < possible:  # what the account does not cover; one that never traded is rejected
        is_short = sign < 0 and not market[ALLOW_SHORT]
        status = CANCELLED if order[FILLED] else REJECTED
        end(orders, counts[N_OPEN], order, status, SHORT_REFUSED if is_short else CASH_REFUSED)
    return 1 if traded else 0


@inlined_kernel
def limited_price(market: FloatArray, bars: Bars, t: int, order: IntArray, traded: int, reference: int) -> int:
    """Return the price of a trade, price units: slipped, but not beyond a limit; one that waited has its price.

    A stop-limit order takes what it gets at the moment it is reached, and waits afterwards.
    """
    sign, sub_ticks = order[SIDE], int(market[SUB_TICKS])
    is_taking = order[KIND] == STOP_LIMIT and not order[TRIGGERED]
    if order[KIND] == LIMIT_ORDER or (order[KIND] == STOP_LIMIT and not is_taking):
        return round_against(float(reference), sub_ticks, sign)
    price = trade_price(market, bars, t, order[SYMBOL], sign, traded, reference, order[MOVED])
    if is_taking:
        price = min(price, order[LIMIT]) if sign > 0 else max(price, order[LIMIT])
    return price


@inlined_kernel
def note_trade(
    orders: IntArray, n_open: int, order: IntArray, traded: int, reference: int, seq: int, moment: int
) -> None:
    """Count a trade for its order, for the legs that wait for it, and against the others of its group.

    A leg that trades ends what is left of its parent: a position that is being closed is not opened further.
    """
    if order[FILLED] == 0 and order[PARENT] == -1:
        order[FIRST_FILL_SEQ] = seq
    order[FILLED] += traded
    order[LAST_FILL_SEQ] = seq
    order[TOUCHED] = 1
    order[STATUS] = FILLED_UP if order[FILLED] == order[LOTS] else PARTIALLY_FILLED
    for k in range(n_open):
        other = orders[k]
        if other[PARENT] == order[NUMBER]:
            if other[ALLOWED] == 0:
                other[FIRST_FILL_SEQ], other[BEST] = seq, reference
                other[WATCH_SEQ] = seq + (moment == AT_CLOSE)
            other[ALLOWED] = min(other[ALLOWED] + traded, other[LOTS])
            other[ENTRY], other[ENTRY_SEQ] = reference, seq
        elif order[GROUP] and other[GROUP] == order[GROUP] and other[NUMBER] != order[NUMBER]:
            other[TAKEN] += traded
    if order[PARENT] >= 0:
        for k in range(n_open):
            if orders[k, NUMBER] == order[PARENT]:
                end(orders, n_open, orders[k], CANCELLED, LEG_TRADED)
    if order[STATUS] == FILLED_UP:
        release_legs(orders, n_open, order[NUMBER])


@inlined_kernel
def finish(broker: Broker, bars: Bars, t: int, clock: IntArray, market: FloatArray) -> None:
    """End what has had its time, and let the stops that stay open see the bar."""
    _, lots, orders, counts, _, _ = broker
    n_open, scale = counts[N_OPEN], market[PRICE_SCALE]
    is_session_end = clock[TS_CLOSE_NS] == clock[SESSION_END_NS]
    for k in range(n_open):
        order = orders[k]
        i, force = order[SYMBOL], order[FORCE]
        if order[STATUS] > PARTIALLY_FILLED:
            continue
        has_worked = order[SEQ] < clock[SEQ_NOW] and has_arrived(order, market, clock)
        if has_worked and force in (IOC, FOK):
            end(orders, n_open, order, CANCELLED, NOT_AT_ONCE)
        elif has_worked and force == OPG and clock[IS_OPENING]:
            end(orders, n_open, order, EXPIRED, OPENING_OVER)
        elif is_session_end and order[SEQ] < clock[SEQ_NOW] and force in (DAY, CLS, OPG):
            end(orders, n_open, order, EXPIRED, SESSION_ENDED)
        elif order[ALLOWED] <= order[FILLED] + order[TAKEN] and order[PARENT] < 0:
            end(orders, n_open, order, CANCELLED, OTHER_TRADED if order[TAKEN] else PARENT_ENDED)
        elif order[REDUCE_ONLY] and has_worked and order[PARENT] < 0 and order[SIDE] * lots[i] >= 0:
            end(orders, n_open, order, CANCELLED, NOTHING_TO_CLOSE)
        elif order[ALLOWED] and has_worked and order[WATCH_SEQ] <= clock[SEQ_NOW] and bars[BAR_VOLUME][t, i] > 0.0:
            is_entry = order[PARENT] != -1 and order[FIRST_FILL_SEQ] == clock[SEQ_NOW]
            high, low = to_price_units(bars[HIGH][t, i], scale), to_price_units(bars[LOW][t, i], scale)
            watch(order, high, low, to_price_units(bars[CLOSE][t, i], scale), is_entry)
