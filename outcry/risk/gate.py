"""The risk gate: nothing is sent without its verdict."""

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np

from outcry import order_rows
from outcry.compiled import source_hash
from outcry.errors import DataValidationError, RecoveryError
from outcry.identity import client_order_id
from outcry.market import grid_kernels
from outcry.market.frame import FloatArray, IntArray
from outcry.market.sessions import Sessions
from outcry.market.universe import Universe
from outcry.messages import ALL_OPEN, ALL_WORKING, Book, Input, OrderIntent, Proposal, RiskEvent, Verdict
from outcry.order_rows import (
    CANCEL_ALL,
    CANCEL_WORKING,
    KEEP_OPEN,
    LOTS,
    NUMBER,
    PARENT,
    PURPOSE,
    PURPOSES,
    SYMBOL,
    to_order,
    to_row,
)
from outcry.risk.arrays import build_results, build_rules, build_scratch, to_array, to_state
from outcry.risk.config import RiskConfig
from outcry.risk.events import halt_reason, to_risk_event
from outcry.risk.kernels.layout import E_ACTION, FLATTENED
from outcry.risk.kernels.review import compile_review
from outcry.risk.kill_switch import apply_commands
from outcry.risk.state import RiskState

FEWEST_WANTED = 16
"""Orders for which there is room from the start."""
CANCEL_CODES: dict[tuple[str, ...], int] = {ALL_OPEN: CANCEL_ALL, ALL_WORKING: CANCEL_WORKING}


@cache
def kernel_hash() -> str:
    """Return the hash of the source of everything that `outcry.risk.kernels.review` compiles."""
    kernels = Path(__file__).parent / "kernels"
    return source_hash(kernels, Path(grid_kernels.__file__), Path(order_rows.__file__))


class RiskGate:
    """Apply operator commands, measure losses, and pass, clip or refuse orders.

    Parameters
    ----------
    run_id : str
        Part of the ids of the orders the gate makes itself.
    universe : Universe
    config : RiskConfig
    sessions : Sessions
        When a daily loss starts anew.

    Notes
    -----
    Of a frame, in this order:

    1. halts and resumes of operators;
    2. the equity of the book: the daily loss, then the peak and the drawdown ladder, whose last step halts;
    3. the margin: where equity is too small a part of the positions, what is on its way to close them counted as
       closed, every open order is cancelled, no new risk is taken, and every position is reduced pro rata;
    4. the wanted orders: those that only close come first, then the others in the order wanted, each on the book
       after what is on its way and the ones before it, then the legs, each as far as its parent passed;
    5. a step of the ladder reduces positions above their scaled target;
    6. a halt or a daily loss, when it begins, cancels what is on its way, and what was on its way to close a position
       is sent again; orders that only protect a position stay;
    7. flattening cancels every open order once, then keeps a market order on its way for every position until all
       are closed, whatever stands in the way of a fill; orders are cancelled and made anew where what is on its way
       does not match what is held.

    An order, or the part of one, that closes what is held passes in every state, and so does an order that is reduce
    only. Equity is marked at the last closes: the gate acts on the frame after the loss.

    Decisions are made by `outcry.risk.kernels.review`, which a compiled backtest calls too; here orders become rows,
    and rows orders.
    """

    def __init__(self, run_id: str, universe: Universe, config: RiskConfig, sessions: Sessions) -> None:
        self._run_id = run_id
        self._universe = universe
        self._grid = universe.grid
        self._index = {symbol: i for i, symbol in enumerate(universe.symbols)}
        self._sessions = sessions
        self._rules = build_rules(config, universe)
        self._review = compile_review(kernel_hash())
        self._make_room(FEWEST_WANTED)
        self._state = RiskState()
        self._verdict: Verdict | None = None

    @property
    def last_seq(self) -> int:
        """The frame last reviewed; -1 before the first."""
        return self._state.seq

    def review(self, wanted: Proposal, book: Book, inputs: tuple[Input, ...] = ()) -> Verdict:
        """Return what may be sent of `wanted`; a repeated frame returns the same verdict.

        Parameters
        ----------
        wanted : Proposal
        book : Book
            Of the same frame.
        inputs : tuple of Input
            What operators asked for at the boundary of this frame. The inputs of the proposal go into the verdict;
            these do not: they are committed already.

        Raises
        ------
        RecoveryError
            Where the frame is neither the next nor the last one.
        DataValidationError
            Where proposal and book belong to different frames.
        """
        if wanted.seq != book.seq:
            raise DataValidationError(f"wanted.seq must be {book.seq}, the frame of the book, was {wanted.seq}")
        if self._verdict is not None and wanted.seq == self._verdict.seq:
            return self._verdict
        if wanted.seq != self._state.seq + 1:
            raise RecoveryError(f"seq must be {self._state.seq + 1}, the frame after the last, was {wanted.seq}")
        rows = self._to_rows(wanted.orders)
        commanded, events = apply_commands(self._state, book.seq, inputs)
        state = to_array(commanded, self._state, self._grid)
        wanted_cancel = CANCEL_CODES.get(wanted.cancels, KEEP_OPEN)
        n_orders, cancel, n_events = self._review(
            state,
            self._rules,
            wanted.seq,
            self._sessions.locate(book.ts_close_ns),
            self._grid.money_units(book.equity),
            self._to_lots(wanted, book),
            rows,
            len(wanted.orders),
            wanted_cancel,
            self._scratch,
            self._results,
        )
        told, reason = self._to_events(wanted.seq, n_events)
        self._state = to_state(state, wanted.seq, reason or commanded.halt_reason, self._grid)
        self._verdict = Verdict(
            seq=wanted.seq,
            orders=self._to_orders(wanted, rows, n_orders),
            cancels=_cancels(wanted.cancels, cancel, drops_wanted=commanded.is_flattening or bool(reason)),
            events=(*events, *told),
            is_halted=self._state.is_halted,
            drawdown_frac=self._state.drawdown_frac,
            risk_state=self._state.as_text(),
            inputs=wanted.inputs,
        )
        return self._verdict

    def snapshot(self) -> RiskState:
        """Return the state after the last frame."""
        return self._state

    def restore(self, state: RiskState | Mapping[str, str]) -> None:
        """Resume after the frame of `state`, or of the `Verdict.risk_state` that was recorded with it."""
        self._state = state if isinstance(state, RiskState) else RiskState.from_text(state)
        self._verdict = None

    def _make_room(self, n_most_wanted: int) -> None:
        """Provide memory for a frame with so many wanted orders."""
        n_symbols, n_sectors = len(self._universe), len(self._rules[3])
        self._scratch = build_scratch(n_symbols, n_sectors, n_most_wanted)
        self._results = build_results(n_symbols, n_most_wanted)

    def _to_rows(self, orders: tuple[OrderIntent, ...]) -> IntArray:
        """Return the wanted orders as rows, numbered from 0; a parent that is not among them has the next number."""
        if len(orders) > len(self._scratch[-1]):
            self._make_room(2 * len(orders))
        rows = np.zeros((len(orders), order_rows.N_COLUMNS), dtype=np.int64)
        numbers = {order.client_order_id: number for number, order in enumerate(orders)}
        for number, order in enumerate(orders):
            rows[number] = to_row(order, self._index[order.symbol], self._grid)
            rows[number, NUMBER] = number
            if order.parent_id:
                rows[number, PARENT] = numbers.get(order.parent_id, len(orders))
        return rows

    def _to_lots(self, wanted: Proposal, book: Book) -> tuple[IntArray, IntArray, FloatArray, FloatArray]:
        """Return the book of the kernels; copies, as what was received may be read-only."""
        held, working = (np.rint(x / self._grid.lot_shares).astype(np.int64) for x in (book.quantity, book.working))
        return held, working, book.price.copy(), wanted.target_weight.copy()

    def _to_events(self, seq: int, n_events: int) -> tuple[list[RiskEvent], str]:
        """Return what the kernels told, and why they halted, if they did."""
        numbers, values = (rows[:n_events].tolist() for rows in self._results[1:])
        reason = "".join(halt_reason(v) for n, v in zip(numbers, values, strict=True) if n[E_ACTION] == FLATTENED)
        events = [
            to_risk_event(seq, n, v, self._universe, self._rules[1]) for n, v in zip(numbers, values, strict=True)
        ]
        return events, reason

    def _to_orders(self, wanted: Proposal, rows: IntArray, n_orders: int) -> tuple[OrderIntent, ...]:
        """Return the orders that may be sent: those wanted, as they are or with what passed of them, and our own."""
        orders = []
        for row in self._results[0][:n_orders]:
            number = int(row[NUMBER])
            if number < 0:
                symbol = self._universe.symbols[row[SYMBOL]]
                order_id = client_order_id(self._run_id, wanted.seq, symbol, PURPOSES[row[PURPOSE]])
                orders.append(to_order(row, order_id, symbol, self._grid))
                continue
            order = wanted.orders[number]
            if row[LOTS] != rows[number, LOTS]:
                order = replace(order, quantity=self._grid.quantity(row[LOTS]))
            if order.parent_id and not order.is_reduce_only:
                order = replace(order, is_reduce_only=True)
            orders.append(order)
        return tuple(orders)


def _cancels(wanted: tuple[str, ...], cancel: int, *, drops_wanted: bool) -> tuple[str, ...]:
    """Return what is cancelled, where the kernels decided so; ids wanted go through, but while flattening."""
    if cancel == CANCEL_ALL:
        return ALL_OPEN
    ids = () if drops_wanted or wanted in CANCEL_CODES else wanted
    return (*ALL_WORKING, *ids) if cancel == CANCEL_WORKING else ids
