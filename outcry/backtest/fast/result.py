"""What a fast backtest leaves behind: rows of whole numbers, and orders and fills where somebody asks for them."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

import numpy as np

from outcry.backtest.replay import RunLedger
from outcry.identity import client_order_id, fill_id
from outcry.market.frame import BoolArray, FloatArray, IntArray
from outcry.market.universe import Universe
from outcry.messages import Fill, LedgerEvent, OrderIntent, RiskEvent, Side
from outcry.order_rows import (
    E_SEQ,
    F_COMMISSION,
    F_LOTS,
    F_NUMBER,
    F_PRICE,
    F_SEQ,
    F_SIDE,
    F_SLIPPAGE,
    F_SYMBOL,
    PARENT,
    PURPOSE,
    PURPOSES,
    SEQ,
    STATUS,
    STATUSES,
    SYMBOL,
    to_ledger_event,
    to_order,
)
from outcry.risk.events import to_risk_event


@dataclass(frozen=True, slots=True, eq=False)
class FastRun:
    """Hold a run, whole or as far as it came.

    Attributes
    ----------
    run_id : str
        Part of every order id.
    universe : Universe
    first_seq : int
    ts_close_ns : int64 (n_frames,)
        Closes of the frames that were traded.
    order_rows : int64 (n_orders, N_COLUMNS)
        Every order, as it stands at the end; see `outcry.order_rows`.
    fill_rows : int64 (n_fills, N_FILL_COLUMNS)
    ledger_rows : int64 (n, N_EVENT_COLUMNS)
    event_rows : tuple of int64 (n_events, N_EVENT_NUMBERS), float64 (n_events, N_EVENT_VALUES), int64 (n_events,)
        What the limits did: numbers, values and frame; see `outcry.risk.kernels.layout`.
    ladder : float64 (n_steps, 2)
        Drawdown and exposure of each step of the limits.
    cash_units, equity_units : int64 (n_frames,)
        Money units, at the closes.
    gross, net : float64 (n_frames,)
        Σ |value| and Σ value, account currency.
    drawdown : float64 (n_frames,)
        In [0, 1].
    is_halted : bool (n_frames,)
    """

    run_id: str
    universe: Universe
    first_seq: int
    ts_close_ns: IntArray
    order_rows: IntArray
    fill_rows: IntArray
    ledger_rows: IntArray
    event_rows: tuple[IntArray, FloatArray, IntArray]
    ladder: FloatArray
    cash_units: IntArray
    equity_units: IntArray
    gross: FloatArray
    net: FloatArray
    drawdown: FloatArray
    is_halted: BoolArray

    def __len__(self) -> int:
        return len(self.ts_close_ns)

    @property
    def equity(self) -> FloatArray:
        """Account currency, float64 (n_frames,)."""
        return np.divide(self.equity_units, self.universe.grid.money_scale, dtype=np.float64)

    @property
    def cash(self) -> FloatArray:
        """Account currency, float64 (n_frames,)."""
        return np.divide(self.cash_units, self.universe.grid.money_scale, dtype=np.float64)

    @property
    def risk_events(self) -> tuple[RiskEvent, ...]:
        """What the limits did, in words, made anew for each who asks."""
        numbers, values, seqs = (rows.tolist() for rows in self.event_rows)
        return tuple(
            to_risk_event(seq, number, value, self.universe, self.ladder)
            for seq, number, value in zip(seqs, numbers, values, strict=True)
        )

    def orders(self) -> tuple[OrderIntent, ...]:
        """Return every order as it was made."""
        ids = self._order_ids()
        symbols, grid = self.universe.symbols, self.universe.grid
        return tuple(
            to_order(row, ids[n], symbols[row[SYMBOL]], grid, parent_id=ids[parent] if parent >= 0 else "")
            for n, (row, parent) in enumerate(zip(self.order_rows, self.order_rows[:, PARENT].tolist(), strict=True))
        )

    def fills(self) -> tuple[Fill, ...]:
        """Return every fill, in the order in which they happened."""
        ids, grid = self._order_ids(), self.universe.grid
        return tuple(
            Fill(
                fill_id=fill_id(ids[row[F_NUMBER]], row[F_SEQ]),
                client_order_id=ids[row[F_NUMBER]],
                seq=row[F_SEQ],
                ts_ns=int(self.ts_close_ns[row[F_SEQ] - self.first_seq]),
                symbol=self.universe.symbols[row[F_SYMBOL]],
                side=Side.BUY if row[F_SIDE] > 0 else Side.SELL,
                quantity=grid.quantity(row[F_LOTS]),
                price=grid.price(row[F_PRICE]),
                commission=grid.money(row[F_COMMISSION]),
                slippage=grid.money(row[F_SLIPPAGE]),
            )
            for row in self.fill_rows.tolist()
        )

    def ledger_events(self) -> tuple[LedgerEvent, ...]:
        """Return what was booked without a trade, in the order in which it happened."""
        closes = self.ts_close_ns
        return tuple(
            to_ledger_event(row, int(closes[row[E_SEQ] - self.first_seq]), self.universe)
            for row in self.ledger_rows.tolist()
        )

    def orders_by_status(self) -> Mapping[str, int]:
        """Return how many orders ended, or stand, in each state."""
        return Counter(STATUSES[status].value for status in self.order_rows[:, STATUS].tolist())

    def ledger(self) -> RunLedger:
        """Return what the run is held against another by."""
        grid = self.universe.grid
        equity: dict[int, Decimal] = {
            self.first_seq + k: grid.money(units) for k, units in enumerate(self.equity_units.tolist())
        }
        return RunLedger(self.orders(), self.fills(), equity, self.ledger_events())

    def _order_ids(self) -> list[str]:
        symbols = self.universe.symbols
        columns = (self.order_rows[:, column].tolist() for column in (SEQ, SYMBOL, PURPOSE))
        return [
            client_order_id(self.run_id, seq, symbols[symbol], PURPOSES[purpose])
            for seq, symbol, purpose in zip(*columns, strict=True)
        ]
