"""What Python calls of the simulated market, compiled."""

from collections.abc import Callable
from functools import cache
from pathlib import Path

from outcry.compiled import compile_entry_point, source_hash
from outcry.execution.costs.price import moved_billionths
from outcry.execution.kernels.bar import (
    SEQ_NOW,
    Scratch,
    advance_bar,
    has_arrived,
)
from outcry.execution.kernels.matching import watch
from outcry.execution.kernels.model import PRICE_SCALE
from outcry.execution.kernels.open_orders import (
    N_OPEN,
    Broker,
    accept,
    cancel_open,
    drop_closed,
    end,
    sum_working,
    write_updates,
)
from outcry.execution.kernels.past import BAR_VOLUME, CLOSE, HIGH, LOW, N_BAR_COLUMNS, Bars
from outcry.market.frame import FloatArray, IntArray
from outcry.market.grid_kernels import to_price_units
from outcry.order_rows import (
    ALLOWED,
    CANCEL_ALL,
    CANCEL_WORKING,
    CANCELLED,
    FIRST_FILL_SEQ,
    MOVED,
    NUMBER,
    PARENT,
    REQUESTED,
    SYMBOL,
    TOUCHED,
    WATCH_SEQ,
)

BROKER = "Tuple((i8[::1], i8[::1], i8[:,::1], i8[::1], i8[::1], f8[::1]))"
BARS = f"UniTuple(f8[:,::1], {N_BAR_COLUMNS})"
SCRATCH = "UniTuple(i8[::1], 3)"


@cache
def kernels_version() -> str:
    """Return a hash of the source of all that the entry points call."""
    here = Path(__file__).parent
    root = here.parents[1]
    return source_hash(here, here.parent / "costs", root / "market" / "grid_kernels.py", root / "order_rows.py")


@cache
def compile_advance() -> Callable[..., tuple[int, int]]:
    """Return the step of a bar; it gives the numbers of fills and of updates that it wrote."""
    version = kernels_version()

    def advance(
        broker: Broker,
        market: FloatArray,
        tiers: FloatArray,
        bars: Bars,
        t: int,
        clock: IntArray,
        scratch: Scratch,
        fills: IntArray,
        events: IntArray,
        updates: IntArray,
        working: IntArray,
    ) -> tuple[int, int]:
        len(version)
        n_fills = advance_bar(broker, market, tiers, bars, t, clock, scratch, fills, events)
        n_updates = write_updates(broker[2], broker[3], updates)
        drop_closed(broker[2], broker[3])
        sum_working(broker, working)
        return n_fills, n_updates

    answers = "i8[:,::1], i8[:,::1], i8[:,::1], i8[::1]"
    signature = f"UniTuple(i8, 2)({BROKER}, f8[::1], f8[:,::1], {BARS}, i8, i8[::1], {SCRATCH}, {answers})"
    return compile_entry_point(advance, signature)


@cache
def compile_accept() -> Callable[..., None]:
    """Return what adds orders, int64 (n, N_COLUMNS), to the open ones."""
    version = kernels_version()

    def accept_all(broker: Broker, rows: IntArray, market: FloatArray, made_ts_ns: int, working: IntArray) -> None:
        len(version)
        for k in range(len(rows)):
            accept(broker, rows[k], market, made_ts_ns)
        sum_working(broker, working)

    return compile_entry_point(accept_all, f"void({BROKER}, i8[:,::1], f8[::1], i8, i8[::1])")


@cache
def compile_cancel() -> Callable[..., int]:
    """Return what cancels orders by number, or by code; it gives the number of updates that it wrote."""
    version = kernels_version()

    def cancel(broker: Broker, code: int, numbers: IntArray, updates: IntArray, working: IntArray) -> int:
        len(version)
        orders, counts = broker[2], broker[3]
        for k in range(counts[N_OPEN]):
            orders[k, TOUCHED] = 0
        if code in (CANCEL_ALL, CANCEL_WORKING):
            cancel_open(broker, code == CANCEL_ALL)
        for number in numbers:
            for k in range(counts[N_OPEN]):
                if orders[k, NUMBER] == number:
                    end(orders, counts[N_OPEN], orders[k], CANCELLED, REQUESTED)
        n_updates = write_updates(orders, counts, updates)
        drop_closed(orders, counts)
        sum_working(broker, working)
        return n_updates

    return compile_entry_point(cancel, f"i8({BROKER}, i8, i8[::1], i8[:,::1], i8[::1])")


@cache
def compile_watch() -> Callable[..., None]:
    """Return what lets an open order see bars that have passed: of a broker that resumes."""
    version = kernels_version()

    def watch_past(
        order: IntArray, market: FloatArray, bars: Bars, clocks: IntArray, first: int, trades: IntArray
    ) -> None:
        """Let `order` see the rows from `first` on, and what its trades, int64 (n, 2) of row and lots, have moved.

        The rows of `clocks`, int64 (n, N_CLOCK), and of `bars` are the same frames.
        """
        len(version)
        i, scale = order[SYMBOL], market[PRICE_SCALE]
        for t in range(first, len(clocks)):
            clock = clocks[t]
            is_new_leg = order[PARENT] != -1 and order[FIRST_FILL_SEQ] == clock[SEQ_NOW]
            has_begun = order[WATCH_SEQ] <= clock[SEQ_NOW]
            if order[ALLOWED] and has_begun and has_arrived(order, market, clock) and bars[BAR_VOLUME][t, i] > 0.0:
                high, low = to_price_units(bars[HIGH][t, i], scale), to_price_units(bars[LOW][t, i], scale)
                watch(order, high, low, to_price_units(bars[CLOSE][t, i], scale), is_new_leg)
        for trade in trades:
            order[MOVED] += moved_billionths(market, bars, trade[0], i, trade[1])

    return compile_entry_point(watch_past, f"void(i8[::1], f8[::1], {BARS}, i8[:,::1], i8, i8[:,::1])")
