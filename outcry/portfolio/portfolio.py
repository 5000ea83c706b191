"""Positions and cash, exact."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

import numpy as np

from outcry.errors import ConfigurationError, DataValidationError, RecoveryError
from outcry.market.frame import FloatArray, Frame, IntArray
from outcry.market.grid import LARGEST_UNITS
from outcry.market.universe import Universe
from outcry.messages import ZERO, Book, Executions, Fill, LedgerEvent
from outcry.order_rows import (
    E_CASH,
    E_KIND,
    E_LOTS,
    E_SEQ,
    E_SYMBOL,
    EVENT_KINDS,
    F_COMMISSION,
    F_LOTS,
    F_PRICE,
    F_SEQ,
    F_SIDE,
    F_SLIPPAGE,
    F_SYMBOL,
    N_EVENT_COLUMNS,
    N_FILL_COLUMNS,
)
from outcry.portfolio.kernels.positions import (
    AMOUNT_NAMES,
    CARRY,
    CASH,
    COMMISSION,
    DIVIDENDS,
    EQUITY,
    FITS,
    LOTS,
    N_ACCOUNT_SLOTS,
    REALIZED,
    SLIPPAGE,
    compile_settle,
)
from outcry.portfolio.kernels.version import kernels_version
from outcry.portfolio.position import Position

_NO_HOLDINGS = np.empty(0), np.empty(0)


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
    dividends, carry : Decimal
        As of a `Book`.
    """

    seq: int
    cash: Decimal
    realized_pnl: Decimal
    commission: Decimal
    slippage: Decimal
    positions: tuple[Position, ...]
    price: FloatArray
    dividends: Decimal = ZERO
    carry: Decimal = ZERO


class Portfolio:
    """Settle ledger events and fills exactly and mark at the close.

    Parameters
    ----------
    universe : Universe
    initial_cash : Decimal
        Account currency.

    Raises
    ------
    ConfigurationError
        Where the cash is too much for the grid of the universe.

    Notes
    -----
    Accounting is in whole money units (`outcry.market.grid.Grid`) and exact at every frame. With ``price`` the close
    on the grid, to a ten-thousandth of a tick:

        equity = cash + Σ shares · price
        equity − initial_cash = realized_pnl + Σ (shares · price − basis) − commission + dividends − carry

    Slippage is inside the prices of the fills, so inside the profit; its total is told beside it. The state after
    frame m is a function of the sets of events and fills up to m and the last closes up to m, whatever order they come
    in: `outcry.portfolio.kernels.positions.settle_frames` says why and how.
    """

    _seq: int
    _account: IntArray
    _lots: IntArray
    _basis: IntArray
    _price: FloatArray
    _holdings: tuple[FloatArray, FloatArray] | None
    _book: Book | None

    def __init__(self, universe: Universe, initial_cash: Decimal) -> None:
        self._index = {symbol: i for i, symbol in enumerate(universe.symbols)}
        self._grid = universe.grid
        limit = self._grid.money(LARGEST_UNITS)
        if initial_cash >= limit:
            raise ConfigurationError(f"initial_cash must be below {limit}, was {initial_cash}")
        numerator, denominator = universe.lot.as_integer_ratio()
        self._lot = float(numerator), float(denominator)
        self._initial_cash = initial_cash
        self._settle = compile_settle(kernels_version())
        self.restore(self._initial_state())

    @property
    def last_seq(self) -> int:
        """The frame last settled; -1 before the first."""
        return self._seq

    def settle(self, executions: Executions, frame: Frame) -> Book:
        """Apply what happened in `frame` and return the book marked at its closes; a repeat returns the same book.

        Raises
        ------
        RecoveryError
            Where the frame is neither the next nor the last one.
        DataValidationError
            Where the executions belong to another frame, or an amount is too large for the grid of the universe; the
            portfolio is then as it was.
        """
        if executions.seq != frame.seq:
            raise DataValidationError(f"executions.seq must be {frame.seq}, the frame, was {executions.seq}")
        if self._book is not None and frame.seq == self._seq:
            return self._book
        if frame.seq != self._seq + 1:
            raise RecoveryError(f"seq must be {self._seq + 1}, the frame after the last one, was {frame.seq}")
        price = np.where(frame.present, frame.close, self._price)
        quantity, entry_price = self._apply(executions.fills, executions.events, price)
        self._seq = frame.seq
        self._book = self._show(frame, quantity, executions.working, entry_price)
        return self._book

    def snapshot(self) -> PortfolioState:
        """Return the state after the last frame."""
        grid, account = self._grid, self._account
        return PortfolioState(
            self._seq,
            grid.money(account[CASH]),
            grid.money(account[REALIZED]),
            grid.money(account[COMMISSION]),
            grid.money(account[SLIPPAGE]),
            tuple(
                Position(grid.quantity(lots), grid.money(basis)) if lots else Position()
                for lots, basis in zip(self._lots.tolist(), self._basis.tolist(), strict=True)
            ),
            self._price.copy(),
            grid.money(account[DIVIDENDS]),
            grid.money(account[CARRY]),
        )

    def restore(self, state: PortfolioState) -> None:
        """Resume after the frame of `state`; the next frame to settle is the one after it."""
        grid = self._grid
        self._seq = state.seq
        self._account = np.zeros(N_ACCOUNT_SLOTS, dtype=np.int64)
        self._account[CASH] = grid.money_units(state.cash)
        self._account[REALIZED] = grid.money_units(state.realized_pnl)
        self._account[COMMISSION] = grid.money_units(state.commission)
        self._account[SLIPPAGE] = grid.money_units(state.slippage)
        self._account[DIVIDENDS] = grid.money_units(state.dividends)
        self._account[CARRY] = grid.money_units(state.carry)
        self._lots = np.array([grid.lots(position.shares) for position in state.positions], dtype=np.int64)
        self._basis = np.array([grid.money_units(position.basis) for position in state.positions], dtype=np.int64)
        self._price = state.price.copy()
        self._holdings = self._book = None

    def restore_from_ledger(
        self, seq: int, fills: Sequence[Fill], last_close: FloatArray, events: Sequence[LedgerEvent]
    ) -> None:
        """Resume after frame `seq` from what the ledger holds; what is of later frames is left out.

        Parameters
        ----------
        seq : int
            Last complete frame; -1 before the first.
        fills : sequence of Fill
            All fills of the run, in any order.
        last_close : float64 (n_symbols,)
            Last close seen up to `seq`; NaN before the first bar.
        events : sequence of LedgerEvent
            All of the run, in any order.

        Raises
        ------
        DataValidationError
            As `settle`.
        """
        self.restore(self._initial_state())
        past = sorted((fill for fill in fills if fill.seq <= seq), key=lambda fill: fill.seq)
        booked = sorted((event for event in events if event.seq <= seq), key=lambda event: event.seq)
        self._apply(past, booked, np.array(last_close, dtype=np.float64))
        self._seq = seq

    def _initial_state(self) -> PortfolioState:
        n_symbols = len(self._index)
        positions = (Position(),) * n_symbols
        return PortfolioState(-1, self._initial_cash, ZERO, ZERO, ZERO, positions, np.full(n_symbols, np.nan))

    def _apply(
        self, fills: Sequence[Fill], events: Sequence[LedgerEvent], price: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """Settle, mark at `price`, and return shares and entry prices; where that is impossible, change nothing.

        Books keep what they were given: holdings that change are new arrays.
        """
        account, lots, basis = self._account.copy(), self._lots.copy(), self._basis.copy()
        rows, order = self._rows(fills), np.empty(len(fills), dtype=np.int64)
        known = None if fills or events else self._holdings
        written = _NO_HOLDINGS if known else (np.empty(len(lots)), np.empty(len(lots)))
        scale = self._grid.price_scale
        code = self._settle(
            account, lots, basis, rows, order, self._event_rows(events), price, scale, self._lot, written
        )
        if code != FITS:
            self._refuse(code, fills, lots, price)
        self._account, self._lots, self._basis, self._price = account, lots, basis, price
        self._holdings = known or written
        return self._holdings

    def _rows(self, fills: Sequence[Fill]) -> IntArray:
        grid, rows = self._grid, np.zeros((len(fills), N_FILL_COLUMNS), dtype=np.int64)
        for row, fill in zip(rows, fills, strict=True):
            row[F_SEQ], row[F_SYMBOL], row[F_SIDE] = fill.seq, self._index[fill.symbol], fill.side.sign
            try:
                row[F_LOTS], row[F_PRICE] = grid.lots(fill.quantity), grid.price_units(fill.price)
                row[F_COMMISSION], row[F_SLIPPAGE] = grid.money_units(fill.commission), grid.money_units(fill.slippage)
            except OverflowError:
                raise DataValidationError(
                    f"fill {fill.fill_id} must fit the grid of the universe, was {fill.quantity} at {fill.price}"
                ) from None
        return rows

    def _event_rows(self, events: Sequence[LedgerEvent]) -> IntArray:
        grid, rows = self._grid, np.zeros((len(events), N_EVENT_COLUMNS), dtype=np.int64)
        for row, event in zip(rows, events, strict=True):
            row[E_SEQ], row[E_KIND] = event.seq, EVENT_KINDS.index(event.kind)
            row[E_SYMBOL] = self._index[event.symbol] if event.symbol else -1
            try:
                row[E_LOTS], row[E_CASH] = grid.lots(event.quantity), grid.money_units(event.amount)
            except OverflowError:
                raise DataValidationError(
                    f"{event.kind} must fit the grid of the universe, was {event.quantity} and {event.amount}"
                ) from None
        return rows

    def _refuse(self, code: int, fills: Sequence[Fill], lots: IntArray, price: FloatArray) -> None:
        """Say which amount is too large for the grid, and what made it so."""
        limit = self._grid.quantity(LARGEST_UNITS) if code == LOTS else self._grid.money(LARGEST_UNITS)
        if code == EQUITY:
            held = np.flatnonzero(lots)
            value = float(np.abs(lots[held] * self._grid.lot_shares * price[held]).sum())
            raise DataValidationError(f"the value of all positions must be below {limit}, with the cash, was {value}")
        largest = max((fill.quantity * fill.price for fill in fills), default=ZERO)
        raise DataValidationError(
            f"{AMOUNT_NAMES[code]} must be below {limit}, was more: the largest fill was of {largest}"
        )

    def _show(self, frame: Frame, quantity: FloatArray, working: FloatArray, entry_price: FloatArray) -> Book:
        grid, account = self._grid, self._account.tolist()
        return Book(
            seq=frame.seq,
            ts_close_ns=frame.ts_close_ns,
            cash=grid.money(account[CASH]),
            equity=grid.money(account[EQUITY]),
            realized_pnl=grid.money(account[REALIZED]),
            commission=grid.money(account[COMMISSION]),
            slippage=grid.money(account[SLIPPAGE]),
            quantity=quantity,
            working=working,
            entry_price=entry_price,
            price=self._price.copy(),
            stale=~frame.present,
            dividends=grid.money(account[DIVIDENDS]),
            carry=grid.money(account[CARRY]),
        )
