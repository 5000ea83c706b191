"""The whole review of a frame: a live frame and the loop of a backtest run the same machine code."""

from collections.abc import Callable
from functools import cache

from outcry.compiled import compile_entry_point, inlined_kernel, kernel
from outcry.market.frame import FloatArray, IntArray
from outcry.market.grid_kernels import to_currency
from outcry.order_rows import (
    CANCEL_ALL,
    CANCEL_WORKING,
    DELEVERAGE,
    FLATTEN,
    KEEP_EXIT,
    KEEP_OPEN,
    LOTS,
    MARGIN_CALL,
    PURPOSE,
    SIDE,
    SYMBOL,
)
from outcry.risk.kernels.admission import admit
from outcry.risk.kernels.events import Events, write_event
from outcry.risk.kernels.exposure import Book, sum_closable_gross, sum_exposure
from outcry.risk.kernels.layout import (
    ALL_SYMBOLS,
    DAILY_LOSS,
    DAILY_LOSS_FRAC,
    DRAWDOWN,
    E_FIRST,
    EQUITY,
    IS_FLATTENING,
    IS_HALTED,
    IS_SESSION_BLOCKED,
    KILL_SWITCH,
    LOT_SHARES,
    MAINTENANCE_MARGIN_FRAC,
    MARGIN,
    MONEY_SCALE,
    NO_EQUITY,
    NO_LIMIT,
    PEAK_EQUITY,
    POSITION_LIMIT,
    REDUCED,
    RUNG,
    SENT,
    SESSION_START_EQUITY,
    T_BLOCK_THRESHOLD,
    T_BLOCK_VALUE,
    T_EQUITY,
    T_EXPOSURE_FRAC,
    WAS_FLATTENING,
    WAS_HALTED,
    WAS_SESSION_BLOCKED,
)
from outcry.risk.kernels.limits import Rules
from outcry.risk.kernels.losses import exposure_frac, loss_frac, measure_losses
from outcry.risk.kernels.reduction import deleverage, flatten, keep_exits, meet_margin_call

Scratch = tuple[FloatArray, IntArray, IntArray, FloatArray, IntArray]
"""What one frame needs and the next does not: the four arrays of an `Exposure`; lots passed of each wanted row
(n_most_wanted,)."""

Results = tuple[IntArray, IntArray, FloatArray]
"""Orders (n_most_wanted + n, N_COLUMNS); events, numbers (n_most_wanted + n + 3, N_EVENT_NUMBERS) and values
(n_most_wanted + n + 3, N_EVENT_VALUES)."""

_SIGNATURE = (
    "UniTuple(i8, 3)(i8[::1], Tuple((f8[::1], f8[:,::1], i8[::1], f8[::1])), i8, i8, i8,"
    " Tuple((i8[::1], i8[::1], f8[::1], f8[::1])), i8[:,::1], i8, i8,"
    " Tuple((f8[::1], i8[::1], i8[::1], f8[::1], i8[::1])), Tuple((i8[:,::1], i8[:,::1], f8[:,::1])))"
)


@cache
def compile_review(version: str) -> Callable[..., tuple[int, int, int]]:
    """Compile `review` for Python, or load it from Numba's cache.

    Parameters
    ----------
    version : str
        Names the text of all kernels; see `outcry.compiled.source_hash`.
    """

    def review_frame(
        state: IntArray,
        rules: Rules,
        seq: int,
        session: int,
        equity: int,
        book: Book,
        wanted: IntArray,
        n_wanted: int,
        wanted_cancel: int,
        scratch: Scratch,
        results: Results,
    ) -> tuple[int, int, int]:
        len(version)
        gross = sum_closable_gross(book, False, rules[0][LOT_SHARES])
        return review(
            state, rules, seq, session, equity, gross, book, wanted, n_wanted, wanted_cancel, scratch, results
        )

    return compile_entry_point(review_frame, _SIGNATURE)


@inlined_kernel
def review(
    state: IntArray,
    rules: Rules,
    seq: int,
    session: int,
    equity: int,
    gross: float,
    book: Book,
    wanted: IntArray,
    n_wanted: int,
    wanted_cancel: int,
    scratch: Scratch,
    results: Results,
) -> tuple[int, int, int]:
    """Decide a frame: the state after it, the rows that may be sent, what is cancelled, and the events.

    Parameters
    ----------
    state : int64 (N_STATE,)
        After the last frame and the commands of operators; changed.
    rules : Rules
    seq, session : int
        Of the frame.
    equity : int
        Money units, of the frame.
    gross : float
        Σ abs(value) of what is held, account currency.
    book : Book
        Lots held and on their way; last closes; target weights.
    wanted : int64 (n_most_wanted, N_COLUMNS)
        `n_wanted` rows of `outcry.order_rows`, unchanged. `NUMBER` tells a leg its parent.
    wanted_cancel : int
        `KEEP_OPEN`, `CANCEL_WORKING` or `CANCEL_ALL`, before anything is sent.
    scratch : Scratch
    results : Results
        Receives the rows: those of `wanted` that pass, with the lots that pass; then those of the gate itself, which
        have no `NUMBER` yet. Receives the events in the order in which they happened.

    Returns
    -------
    n_out, cancel, n_events : int
    """
    totals, lots, closable, sector_gross, passed = scratch
    exposure = (totals, lots, closable, sector_gross)
    out, numbers, values = results
    events = (numbers, values)
    config, ladder = rules[0], rules[1]
    n_events = measure_losses(state, session, config, ladder, equity, events)

    totals[T_EQUITY] = to_currency(equity, config[MONEY_SCALE])
    totals[T_EXPOSURE_FRAC] = exposure_frac(state[RUNG], ladder)
    is_flattening = state[IS_FLATTENING] == 1
    cancel = wanted_cancel
    if is_flattening:
        cancel = KEEP_OPEN if state[WAS_FLATTENING] == 1 else CANCEL_ALL
    is_new_block = state[IS_HALTED] > state[WAS_HALTED] or state[IS_SESSION_BLOCKED] > state[WAS_SESSION_BLOCKED]
    is_margin_call = not is_flattening and _is_margin_called(gross, cancel == KEEP_OPEN, config, book, totals)
    n_out = 0
    if n_wanted > 0 or state[RUNG] > 0 or is_flattening or is_new_block or is_margin_call:
        n_told = n_events
        if is_margin_call:
            value, least = totals[T_BLOCK_VALUE], totals[T_BLOCK_THRESHOLD]
            n_events = write_event(events, n_events, MARGIN, ALL_SYMBOLS, REDUCED, 0, 0, value, least)
        block = _find_block(state, config, is_margin_call, totals)
        limits = (DRAWDOWN if state[RUNG] > 0 else POSITION_LIMIT, KILL_SWITCH)
        if block != NO_LIMIT:
            limits = (block, block + 1)
        keeps_working = cancel == KEEP_OPEN
        sum_exposure(book, keeps_working, config[LOT_SHARES], rules[2], exposure)
        n_passed, n_events = admit(
            wanted, n_wanted, limits, keeps_working, rules, book, exposure, passed, out, events, n_events
        )
        n_out, place = n_passed, (seq, n_wanted)
        limit, purpose = DRAWDOWN, DELEVERAGE
        if is_flattening:
            limit, purpose = KILL_SWITCH, FLATTEN
            is_cancelling = cancel != CANCEL_ALL and _has_any(lots)
            cancel = CANCEL_ALL if is_cancelling else cancel
            n_out = flatten(is_cancelling, book, exposure, place, out, n_out)
        elif is_margin_call:
            limit, purpose, cancel = MARGIN, MARGIN_CALL, CANCEL_ALL
            n_out = meet_margin_call(keeps_working, rules, book, exposure, place, out, n_out)
            numbers[n_told, E_FIRST] = n_out - n_passed
        elif is_new_block:
            limit, purpose, cancel = block, KEEP_EXIT, max(cancel, CANCEL_WORKING)
            n_out = keep_exits(keeps_working, book, place, out, n_out)
        elif state[RUNG] > 0:
            n_out = deleverage(rules, book, exposure, place, out, n_out)
        n_events = _tell_orders(limit, purpose, state, out, n_passed, n_out, events, n_events)
    if is_flattening and n_out == 0 and not (_has_any(book[0]) or _has_any(book[1])):
        state[IS_FLATTENING] = 0
    state[WAS_SESSION_BLOCKED] = state[IS_SESSION_BLOCKED]
    state[WAS_HALTED], state[WAS_FLATTENING] = state[IS_HALTED], state[IS_FLATTENING]
    return n_out, cancel, n_events


@inlined_kernel
def _is_margin_called(held: float, keeps_working: bool, config: FloatArray, book: Book, totals: FloatArray) -> bool:
    """Say whether equity is too small a part of the positions; if it is, the totals have the numbers of the block."""
    least = config[MAINTENANCE_MARGIN_FRAC]
    if held == 0.0 or totals[T_EQUITY] / held >= least:
        return False  # what is on its way to close leaves no more
    gross = sum_closable_gross(book, keeps_working, config[LOT_SHARES])
    margin_frac: float = totals[T_EQUITY] / gross if gross > 0 else least
    totals[T_BLOCK_VALUE], totals[T_BLOCK_THRESHOLD] = margin_frac, least
    is_called: bool = margin_frac < least
    return is_called


@kernel
def _find_block(state: IntArray, config: FloatArray, is_margin_call: bool, totals: FloatArray) -> int:
    """Return what blocks all new risk, with its numbers in the totals; NO_LIMIT where nothing does.

    A margin call has put its numbers there; what comes before it takes their place.
    """
    if state[IS_HALTED] == 1:
        totals[T_BLOCK_VALUE], totals[T_BLOCK_THRESHOLD] = loss_frac(state[EQUITY], state[PEAK_EQUITY]), 0.0
        return KILL_SWITCH
    if state[IS_SESSION_BLOCKED] == 1:
        totals[T_BLOCK_VALUE] = loss_frac(state[EQUITY], state[SESSION_START_EQUITY])
        totals[T_BLOCK_THRESHOLD] = config[DAILY_LOSS_FRAC]
        return DAILY_LOSS
    if state[EQUITY] <= 0:
        totals[T_BLOCK_VALUE], totals[T_BLOCK_THRESHOLD] = totals[T_EQUITY], 0.0
        return NO_EQUITY
    return MARGIN if is_margin_call else NO_LIMIT


@kernel
def _tell_orders(
    limit: int, purpose: int, state: IntArray, out: IntArray, first: int, end: int, events: Events, n_events: int
) -> int:
    """Give the gate's own orders their purpose, and write an event for each; return the number of events.

    A margin call has told of them already.
    """
    drawdown_frac = loss_frac(state[EQUITY], state[PEAK_EQUITY])
    for k in range(first, end):
        row = out[k]
        row[PURPOSE] = purpose
        if limit != MARGIN:
            signed = row[SIDE] * row[LOTS]
            n_events = write_event(events, n_events, limit, row[SYMBOL], SENT, signed, purpose, drawdown_frac, 0.0)
    return n_events


@kernel
def _has_any(lots: IntArray) -> bool:
    for i in range(len(lots)):  # noqa: SIM110 - Numba's any needs a generator, which allocates
        if lots[i] != 0:
            return True
    return False
