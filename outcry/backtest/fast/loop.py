# ruff: noqa: PLR0917 - compiled code takes arrays, not objects
"""The life of a frame as compiled code: what `outcry.desk.trade_frame` does, step by step, with the same kernels.

`market_step` is the broker's part and the book after it, `decision_step` what the portfolio wants, what the gate lets
pass and what the broker then holds. A run alternates them; a strategy that is asked frame by frame is asked between.
"""

import math
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from outcry.compiled import compile_entry_point, inlined_kernel, source_hash
from outcry.execution.kernels.bar import (
    SEQ_NOW,
    TS_CLOSE_NS,
    advance_bar,
)
from outcry.execution.kernels.bar import Scratch as MarketScratch
from outcry.execution.kernels.entry import BROKER, SCRATCH
from outcry.execution.kernels.open_orders import (
    N_BOOKED,
    N_OPEN,
    Broker,
    accept,
    cancel_open,
    drop_closed,
    sum_working,
)
from outcry.execution.kernels.past import BAR_VOLUME, CLOSE, OPEN, Bars
from outcry.features.kernels.prefetch import LINE_VALUES, prefetch
from outcry.market.frame import BoolArray, FloatArray, IntArray
from outcry.market.grid_kernels import to_currency
from outcry.order_rows import CANCEL_ALL, FILLED, GROUP, KEEP_OPEN, NUMBER, PARENT, POSITION, REASON, STATUS, TOUCHED
from outcry.portfolio.kernels.orders import OrderRules
from outcry.portfolio.kernels.positions import CASH, EQUITY, FITS, mark, settle_frames
from outcry.portfolio.kernels.proposal import Scratch as ProposalScratch
from outcry.portfolio.kernels.proposal import propose
from outcry.portfolio.kernels.rebalancing import RULES_TYPE, STEPS_TYPE, Steps, write_orders
from outcry.risk.kernels.layout import EQUITY as STATE_EQUITY
from outcry.risk.kernels.layout import IS_HALTED, PEAK_EQUITY
from outcry.risk.kernels.limits import Rules
from outcry.risk.kernels.losses import loss_frac
from outcry.risk.kernels.review import Results, review
from outcry.risk.kernels.review import Scratch as GateScratch

WHOLE, MARKET_HALF, DECISION_HALF = range(3)
"""What of a frame is traded."""

N_ORDERS, N_FILLS, N_EVENTS, N_LEDGER_EVENTS, FAILURE, IN_SHARES = range(6)
"""Counters of a run: orders, fills, events of the limits and ledger events logged; what would have become too large,
`FITS` where nothing; whether given targets are shares, not weights."""
N_COUNTERS = 6

Tape = tuple[Bars, IntArray, IntArray, BoolArray, int]
"""bars (n_past + n_frames, n_symbols); clock (n_frames, N_CLOCK); sessions (n_frames,); presence (n_frames, n_symbols);
n_past, the rows of the bars before the first frame."""
Market = tuple[Broker, FloatArray, FloatArray, MarketScratch]
"""The broker, what its market assumes, tiers of commission, scratch."""
Ledger = tuple[IntArray, IntArray, IntArray, IntArray, IntArray]
"""Account, lots and basis of the portfolio; signed lots on their way; scratch, as many as there can be fills."""
Rulebook = tuple[FloatArray, OrderRules, Steps, Rules]
"""Sizing, rules of orders, the grid, limits."""
Decisions = tuple[IntArray, FloatArray, IntArray, ProposalScratch, GateScratch, Results, IntArray]
"""State of the gate; target weights; wanted rows; scratch of the proposal and of the gate; results of the gate; numbers
that the wanted rows get."""
Views = tuple[FloatArray, FloatArray, FloatArray, BoolArray]
"""What decides: weights (n_frames, n_symbols), without rows where a forecast does; probability (n_frames, n_symbols,
3); volatility a year, and whether the forecast abstains (n_frames, n_symbols)."""
Logs = tuple[IntArray, IntArray, IntArray, FloatArray, IntArray, FloatArray, IntArray, IntArray]
"""Orders (capacity, N_COLUMNS), row k that of number k; fills; events, numbers and values; seqs of the events; curves
(4, n_frames): gross and net exposure in account currency, drawdown, halted; cash and equity (2, n_frames) in money
units; ledger events."""
GROSS, NET, DRAWDOWN, HALTED = range(4)
CASH_CURVE, EQUITY_CURVE = range(2)

BOOK = "UniTuple(i8[::1], 5)"
# Market and views are only read, and of arrays that many processes share nothing else is allowed.
TAPE = (
    "Tuple((UniTuple(Array(f8, 2, 'C', readonly=True), 9), Array(i8, 2, 'C', readonly=True),"
    " Array(i8, 1, 'C', readonly=True), Array(b1, 2, 'C', readonly=True), i8))"
)
MARKET = f"Tuple(({BROKER}, f8[::1], f8[:,::1], {SCRATCH}))"
RULEBOOK = f"Tuple((f8[::1], {RULES_TYPE}, {STEPS_TYPE}, Tuple((f8[::1], f8[:,::1], i8[::1], f8[::1]))))"
DECISIONS = (
    "Tuple((i8[::1], f8[::1], i8[:,::1], Tuple((f8[:,::1], i8[:,::1])),"
    " Tuple((f8[::1], i8[::1], i8[::1], f8[::1], i8[::1])), Tuple((i8[:,::1], i8[:,::1], f8[:,::1])), i8[::1]))"
)
VIEWS = (
    "Tuple((Array(f8, 2, 'C', readonly=True), Array(f8, 3, 'C', readonly=True), Array(f8, 2, 'C', readonly=True),"
    " Array(b1, 2, 'C', readonly=True)))"
)
LOGS = "Tuple((i8[:,::1], i8[:,::1], i8[:,::1], f8[:,::1], i8[::1], f8[:,::1], i8[:,::1], i8[:,::1]))"
COUNTERS = "i8[::1]"


@inlined_kernel
def fetch_frame(k: int, tape: Tape, views: Views) -> None:
    """Fetch what will be read of every symbol in frame k, which need not exist."""
    bars, row = tape[0], tape[4] + k
    for i in range(0, bars[CLOSE].shape[1], LINE_VALUES):
        prefetch(bars[OPEN], row, i)
        prefetch(bars[CLOSE], row, i)
        prefetch(bars[BAR_VOLUME], row, i)
        prefetch(views[0], k, i)


@inlined_kernel
def market_step(
    k: int, tape: Tape, market: Market, ledger: Ledger, steps: Steps, logs: Logs, counters: IntArray
) -> bool:
    """Match the open orders at frame k, settle their fills and mark the book; return whether every amount fits."""
    bars, clock, _, _, n_past = tape
    broker, assumed, tiers, scratch = market
    account, lots, basis, working, places = ledger
    n_before, n_booked_before = counters[N_FILLS], counters[N_LEDGER_EVENTS]
    n_fills = advance_bar(
        broker, assumed, tiers, bars, n_past + k, clock[k], scratch, logs[1][n_before:], logs[7][n_booked_before:]
    )
    n_booked = broker[3][N_BOOKED]
    counters[N_FILLS] += n_fills
    counters[N_LEDGER_EVENTS] += n_booked
    note_statuses(broker, logs[0])
    drop_closed(broker[2], broker[3])
    sum_working(broker, working)
    fills = logs[1][n_before : n_before + n_fills]
    code = FITS
    if n_fills or n_booked:
        code = settle_frames(account, lots, basis, fills, places, logs[7][n_booked_before : n_booked_before + n_booked])
    if code == FITS:
        code, logs[5][GROSS, k], logs[5][NET, k] = mark(account, lots, broker[5], steps[0], steps[2])
    counters[FAILURE] = code
    logs[6][CASH_CURVE, k], logs[6][EQUITY_CURVE, k] = account[CASH], account[EQUITY]
    return bool(code == FITS)


@inlined_kernel
def note_statuses(broker: Broker, log: IntArray) -> None:
    """Copy what became of the orders that changed into the log."""
    orders, counts = broker[2], broker[3]
    for k in range(counts[N_OPEN]):
        order = orders[k]
        if order[TOUCHED]:
            row = log[order[NUMBER]]
            row[STATUS], row[REASON], row[FILLED] = order[STATUS], order[REASON], order[FILLED]


@inlined_kernel
def decision_step(
    k: int,
    tape: Tape,
    market: Market,
    ledger: Ledger,
    rulebook: Rulebook,
    decisions: Decisions,
    views: Views,
    logs: Logs,
    counters: IntArray,
) -> None:
    """Propose, review and submit the orders of frame k."""
    _, clock, sessions, present, _ = tape
    broker = market[0]
    account, lots, _, working, _ = ledger
    sizing, order_rules, steps, limits = rulebook
    state, target, wanted, scratch, gate_scratch, results, _ = decisions
    given, probability, volatility, is_abstained = views
    seq, close = clock[k, SEQ_NOW], broker[5]
    if len(given):
        write_target(given[k], present[k], close, account[EQUITY], steps, counters[IN_SHARES] != 0, target)
        n_wanted, cancel = write_orders(
            seq, account[EQUITY], lots, working, close, target, order_rules, steps, scratch[1][1], wanted
        )
    else:
        n_wanted, cancel = propose(
            seq, account[EQUITY], lots, working, close, present[k], probability[k], volatility[k], is_abstained[k],
            sizing, order_rules, steps, scratch, target, wanted,
        )  # fmt: skip
    n_out, cancel, n_events = review(
        state, limits, seq, sessions[k], account[EQUITY], logs[5][GROSS, k], (lots, working, close, target), wanted,
        n_wanted, cancel, gate_scratch, results,
    )  # fmt: skip
    if cancel != KEEP_OPEN:
        cancel_open(broker, cancel == CANCEL_ALL)
        note_statuses(broker, logs[0])
        drop_closed(broker[2], broker[3])
    submit_rows(k, n_out, clock, market, decisions, logs, counters)
    for e in range(n_events):
        place = counters[N_EVENTS] + e
        copy_row(results[1][e], logs[2][place])
        copy_row(results[2][e], logs[3][place])
        logs[4][place] = seq
    counters[N_EVENTS] += n_events
    logs[5][DRAWDOWN, k] = loss_frac(state[STATE_EQUITY], state[PEAK_EQUITY])
    logs[5][HALTED, k] = state[IS_HALTED]


@inlined_kernel
def write_target(
    given: FloatArray,
    present: BoolArray,
    close: FloatArray,
    equity: int,
    steps: Steps,
    is_in_shares: bool,
    target: FloatArray,
) -> None:
    """Write given targets as weights; a symbol without a bar is left as it is, and without equity all are flat."""
    for i in range(len(target)):
        target[i] = given[i] if present[i] else math.nan
        if is_in_shares and equity > 0:
            target[i] *= close[i] / to_currency(equity, steps[1])


@inlined_kernel
def submit_rows(
    k: int, n_out: int, clock: IntArray, market: Market, decisions: Decisions, logs: Logs, counters: IntArray
) -> None:
    """Number the rows that passed, tie legs to their parents, log them and hand them to the broker."""
    rows, number_of = decisions[5][0], decisions[6]
    for r in range(n_out):
        row, number = rows[r], counters[N_ORDERS]
        if row[NUMBER] >= 0:
            number_of[row[NUMBER]] = number
        if row[PARENT] >= 0:
            row[PARENT] = number_of[row[PARENT]]
            row[GROUP] = row[PARENT] + 1
        row[NUMBER], row[POSITION] = number, r
        accept(market[0], row, market[1], clock[k, TS_CLOSE_NS])
        copy_row(market[0][2][market[0][3][N_OPEN] - 1], logs[0][number])
        counters[N_ORDERS] += 1


@inlined_kernel
def copy_row(row: NDArray[Any], target: NDArray[Any]) -> None:
    """Copy a row; an assignment of slices would allocate."""
    for column in range(len(row)):
        target[column] = row[column]


@inlined_kernel
def has_room(n_symbols: int, market: Market, logs: Logs, counters: IntArray) -> bool:
    """Say whether tables and logs hold whatever the next frame can bring: four rows a symbol, and as many events."""
    orders, counts = market[0][2], market[0][3]
    n_rows, n_open = 4 * n_symbols, counts[N_OPEN]
    return bool(
        n_open + n_rows <= len(orders)
        and counters[N_ORDERS] + n_rows <= len(logs[0])
        and counters[N_FILLS] + n_open <= len(logs[1])
        and counters[N_EVENTS] + n_rows + 4 <= len(logs[2])
        and counters[N_LEDGER_EVENTS] + n_rows <= len(logs[7])
    )


@cache
def loop_version() -> str:
    """Return a hash of the source of all that the loop calls."""
    outcry = Path(__file__).parents[2]
    folders = [outcry / package / "kernels" for package in ("portfolio", "risk", "execution")]
    files = [outcry / "execution" / "costs", outcry / "market" / "grid_kernels.py", outcry / "order_rows.py"]
    files.append(outcry / "features" / "kernels" / "prefetch.py")
    return source_hash(Path(__file__).parent, *folders, *files)


@cache
def compile_run() -> Callable[..., int]:
    """Return the loop over frames ``first`` to ``stop``; it gives the first frame that it did not trade.

    That is `stop`, or a frame for which there is no room, or one at which an amount became too large. `halves` says
    whether a frame is traded as a whole, or the market's half of it, or the half of the decision.
    """
    version = loop_version()

    def run(
        first: int,
        stop: int,
        halves: int,
        tape: Tape,
        market: Market,
        ledger: Ledger,
        rulebook: Rulebook,
        decisions: Decisions,
        views: Views,
        logs: Logs,
        counters: IntArray,
    ) -> int:
        len(version)
        for k in range(first, stop):
            if halves != DECISION_HALF:
                fetch_frame(k + 1, tape, views)
                if not has_room(len(ledger[1]), market, logs, counters):
                    return k
                if not market_step(k, tape, market, ledger, rulebook[2], logs, counters):
                    return k
            if halves != MARKET_HALF:
                decision_step(k, tape, market, ledger, rulebook, decisions, views, logs, counters)
        return stop

    arguments = f"{TAPE}, {MARKET}, {BOOK}, {RULEBOOK}, {DECISIONS}, {VIEWS}, {LOGS}, {COUNTERS}"
    return compile_entry_point(run, f"i8(i8, i8, i8, {arguments})")
