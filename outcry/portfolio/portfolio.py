"""Positions and cash, exact."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal, localcontext

import numpy as np

from outcry.errors import DataValidationError, RecoveryError
from outcry.market.frame import FloatArray, Frame
from outcry.market.universe import Universe
from outcry.messages import Book, Executions, Fill
from outcry.money import EXACT, exact
from outcry.portfolio.position import ZERO, Position


@dataclass(frozen=True, slots=True, eq=False)
class PortfolioState:
    """The portfolio after frame `seq`.

    Attributes
    ----------
    seq : int
    cash, realized_pnl, commission, slippage : Decimal
        Account currency; costs positive.
    positions : tuple of Position
        One a symbol.
    price : float64 (n_symbols,)
        Last close seen; NaN before the first bar.
    """

    seq: int
    cash: Decimal
    realized_pnl: Decimal
    commission: Decimal
    slippage: Decimal
    positions: tuple[Position, ...]
    price: FloatArray


class Portfolio:
    """Settle fills exactly and mark at the close.

    Parameters
    ----------
    universe : Universe
    initial_cash : Decimal
        Account currency.

    Notes
    -----
    Accounting is decimal and exact at every frame, with ``price`` read as the shortest decimal of the close:

        equity = cash + Σ shares · price
        equity − initial_cash = realized_pnl + Σ (shares · price − basis) − commission

    Slippage is inside the prices of the fills, so inside the profit; its total is told beside it. The state after
    frame m is a function of the set of fills up to m and the last closes up to m: fills of one frame are applied in
    the order of symbol and fill id, whatever order they come in.
    """

    _seq: int
    _price: FloatArray
    _book: Book | None

    def __init__(self, universe: Universe, initial_cash: Decimal) -> None:
        self._index = {symbol: i for i, symbol in enumerate(universe.symbols)}
        self._initial_cash = initial_cash
        self.restore(self._initial_state())

    @property
    def last_seq(self) -> int:
        """The frame last settled; -1 before the first."""
        return self._seq

    def settle(self, executions: Executions, frame: Frame) -> Book:
        """Apply the fills of `frame` and return the book marked at its closes; a repeat returns the same book.

        Raises
        ------
        RecoveryError
            Where the frame is neither the next nor the last one.
        DataValidationError
            Where the executions belong to another frame.
        """
        if executions.seq != frame.seq:
            raise DataValidationError(f"executions.seq must be {frame.seq}, the frame, was {executions.seq}")
        if self._book is not None and frame.seq == self._seq:
            return self._book
        if frame.seq != self._seq + 1:
            raise RecoveryError(f"seq must be {self._seq + 1}, the frame after the last one, was {frame.seq}")
        with localcontext(EXACT):
            self._apply(executions.fills)
            np.copyto(self._price, frame.close, where=frame.present)
            self._seq = frame.seq
            self._book = self._mark(frame, executions.working)
        return self._book

    def snapshot(self) -> PortfolioState:
        """Return the state after the last frame."""
        return PortfolioState(
            self._seq,
            self._cash,
            self._realized_pnl,
            self._commission,
            self._slippage,
            tuple(self._positions),
            self._price.copy(),
        )

    def restore(self, state: PortfolioState) -> None:
        """Resume after the frame of `state`; the next frame to settle is the one after it."""
        self._seq = state.seq
        self._cash = state.cash
        self._realized_pnl = state.realized_pnl
        self._commission = state.commission
        self._slippage = state.slippage
        self._positions = list(state.positions)
        self._price = state.price.copy()
        self._quantity = np.array([float(position.shares) for position in state.positions])
        self._entry_price = np.array([position.entry_price for position in state.positions])
        self._book = None

    def restore_from_ledger(self, seq: int, fills: Sequence[Fill], last_close: FloatArray) -> None:
        """Resume after frame `seq` from what the ledger holds; fills of later frames are left out.

        Parameters
        ----------
        seq : int
            Last complete frame; -1 before the first.
        fills : sequence of Fill
            All fills of the run, in any order.
        last_close : float64 (n_symbols,)
            Last close seen up to `seq`; NaN before the first bar.
        """
        self.restore(self._initial_state())
        with localcontext(EXACT):
            self._apply([fill for fill in fills if fill.seq <= seq])
        self._price = last_close.copy()
        self._seq = seq

    def _initial_state(self) -> PortfolioState:
        n_symbols = len(self._index)
        positions = (Position(),) * n_symbols
        return PortfolioState(-1, self._initial_cash, ZERO, ZERO, ZERO, positions, np.full(n_symbols, np.nan))

    def _apply(self, fills: Sequence[Fill]) -> None:
        if not fills:
            return
        quantity, entry_price = self._quantity.copy(), self._entry_price.copy()  # books keep the old ones
        for fill in sorted(fills, key=lambda fill: (fill.seq, fill.symbol, fill.fill_id)):
            index = self._index[fill.symbol]
            shares = fill.side.sign * fill.quantity
            position, realized = self._positions[index].trade(shares, fill.price)
            self._positions[index] = position
            quantity[index], entry_price[index] = float(position.shares), position.entry_price
            self._cash -= shares * fill.price + fill.commission
            self._realized_pnl += realized
            self._commission += fill.commission
            self._slippage += fill.slippage
        self._quantity, self._entry_price = quantity, entry_price

    def _mark(self, frame: Frame, working: FloatArray) -> Book:
        held = np.flatnonzero(self._quantity).tolist()
        value = sum((self._positions[i].shares * exact(self._price[i]) for i in held), ZERO)
        return Book(
            seq=frame.seq,
            ts_close_ns=frame.ts_close_ns,
            cash=self._cash,
            equity=self._cash + value,
            realized_pnl=self._realized_pnl,
            commission=self._commission,
            slippage=self._slippage,
            quantity=self._quantity,
            working=working,
            entry_price=self._entry_price,
            price=self._price.copy(),
            stale=~frame.present,
        )
