"""A broker that trades orders against the next bar: the market of a backtest and of a local run."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

import numpy as np

from outcry.errors import ConfigurationError, RecoveryError
from outcry.execution.config import BrokerConfig
from outcry.execution.kernels import cover, entry
from outcry.execution.kernels.model import assumed_market, commission_tiers
from outcry.execution.kernels.open_orders import (
    N_BOOKED,
    N_OPEN,
    N_UPDATE_COLUMNS,
    U_FILLED,
    U_NUMBER,
    U_REASON,
    U_STATUS,
)
from outcry.execution.lifecycle import OrderRecord, Step, created
from outcry.execution.order_rules import check_order
from outcry.execution.resume import Past, as_of, resume_orders
from outcry.execution.session_clock import read_clock
from outcry.execution.tape import RecentBars, frames_looked_back
from outcry.identity import fill_id
from outcry.market.frame import FloatArray, Frame, FrameTensor, IntArray
from outcry.market.grid import LARGEST_UNITS
from outcry.market.sessions import Sessions
from outcry.market.universe import Universe
from outcry.messages import (
    ALL_OPEN,
    ALL_WORKING,
    Fill,
    LedgerEvent,
    MarketAnswer,
    OrderIntent,
    OrderType,
    OrderUpdated,
    Side,
)
from outcry.order_rows import (
    CANCEL_ALL,
    CANCEL_WORKING,
    F_COMMISSION,
    F_LOTS,
    F_NUMBER,
    F_PRICE,
    F_SLIPPAGE,
    F_SYMBOL,
    GROUP,
    KEEP_OPEN,
    N_COLUMNS,
    N_EVENT_COLUMNS,
    N_FILL_COLUMNS,
    NUMBER,
    PARENT,
    POSITION,
    REASONS,
    REDUCE_ONLY,
    STATUSES,
    to_ledger_event,
    to_row,
)

FIRST_CAPACITY = 64


class SimulatedBroker:
    """`outcry.ports.Broker` over recorded bars.

    Parameters
    ----------
    universe : Universe
    config : BrokerConfig
    sessions : Sessions
        When orders for the day expire, and which bars open and close a session.

    Raises
    ------
    ConfigurationError
        Where the cash is too much to be counted in the money units of the universe.

    Notes
    -----
    The rules are those of `outcry.execution.kernels.bar.advance_bar`; this class translates between orders and rows.
    At most one update an order comes from one `advance`: its state after the bar.
    """

    def __init__(self, universe: Universe, config: BrokerConfig, sessions: Sessions) -> None:
        config = config.assumed()
        self._universe = universe
        self._grid = universe.grid
        self._initial_cash = self._grid.money_units(config.initial_cash)
        if self._initial_cash * config.max_leverage * 100 > LARGEST_UNITS:
            largest = self._grid.money(int(LARGEST_UNITS / config.max_leverage / 100))
            raise ConfigurationError(
                f"broker.initial_cash must be at most {largest:.0f} with lots of {universe.lot}, "
                f"was {config.initial_cash}"
            )
        self._sessions = sessions
        self._index = {symbol: i for i, symbol in enumerate(universe.symbols)}
        self._market = assumed_market(config, self._grid)
        self._tiers = commission_tiers(config)
        self._n_past = frames_looked_back(config)
        self._reset(-1, 0)

    def _reset(self, seq: int, ts_close_ns: int) -> None:
        n_symbols = len(self._universe)
        self._account = np.zeros(cover.N_SLOTS, dtype=np.int64)
        self._account[cover.CASH] = self._initial_cash
        self._lots = np.zeros(n_symbols, dtype=np.int64)
        self._counts = np.zeros(2, dtype=np.int64)
        self._events = np.zeros((3 * n_symbols + 1, N_EVENT_COLUMNS), dtype=np.int64)
        self._last_units = np.zeros(n_symbols, dtype=np.int64)
        self._last_close = np.full(n_symbols, np.nan)
        self._working = np.zeros(n_symbols, dtype=np.int64)
        self._recent = RecentBars(n_symbols, self._n_past)
        self._make_tables(FIRST_CAPACITY)
        self._last_seq = seq
        self._last_ts_ns = ts_close_ns
        self._records: list[OrderRecord] = []
        self._number: dict[str, int] = {}
        self._groups: dict[str, int] = {}
        self._made = (-1, 0)  # the last frame that made orders, and how many
        self._answer: MarketAnswer | None = None

    def _make_tables(self, capacity: int) -> None:
        self._orders = np.zeros((capacity, N_COLUMNS), dtype=np.int64)
        self._fills = np.zeros((capacity, N_FILL_COLUMNS), dtype=np.int64)
        self._updates = np.zeros((capacity, N_UPDATE_COLUMNS), dtype=np.int64)
        n_symbols = len(self._universe)
        marks, free = np.zeros(n_symbols, dtype=np.int64), np.zeros(n_symbols, dtype=np.int64)
        self._scratch = (marks, free, np.zeros(capacity, dtype=np.int64))

    @property
    def _broker(self) -> tuple[IntArray, IntArray, IntArray, IntArray, IntArray, FloatArray]:
        return self._account, self._lots, self._orders, self._counts, self._last_units, self._last_close

    @property
    def cash(self) -> Decimal:
        """Account currency."""
        return self._grid.money(self._account[cover.CASH])

    @property
    def holdings(self) -> dict[str, Decimal]:
        """Signed shares by symbol, without the flat ones."""
        return {symbol: self._grid.quantity(self._lots[i]) for symbol, i in self._index.items() if self._lots[i]}

    @property
    def working(self) -> FloatArray:
        """Signed shares on their way, float64 (n_symbols,): open orders, without what only protects a position."""
        return np.multiply(self._working, self._grid.lot_shares, dtype=np.float64)

    def warm_up(self, frames: FrameTensor) -> None:
        """Show the market the frames before the first traded one: it knows volume and volatility from them."""
        for seq in range(max(frames.first_seq, frames.last_seq + 1 - self._n_past), frames.last_seq + 1):
            self._recent.push(frames.frame(seq))

    def first_frame_needed(self, seq: int, orders: Sequence[OrderRecord]) -> int:
        """Return the first frame that `restore` must be given to resume after `seq`; there may be none so early."""
        made = (order.intent.seq for order in orders if order.is_open or order.updated_seq > seq)
        return min(min(made, default=seq), seq) - self._n_past

    async def submit(self, orders: Sequence[OrderIntent]) -> tuple[OrderUpdated, ...]:
        """Accept or reject each order; one with a known id is answered with its present state."""
        rows: list[IntArray] = []
        for order in orders:
            if order.client_order_id not in self._number:
                self._admit(order, rows)
        if rows:
            n_needed = int(self._counts[N_OPEN]) + len(rows)
            if n_needed > len(self._orders):
                kept = self._orders[: self._counts[N_OPEN]]
                self._make_tables(2 * n_needed)
                self._orders[: len(kept)] = kept
            table = np.array(rows)
            entry.compile_accept()(self._broker, table, self._market, self._last_ts_ns, self._working)
        return tuple(self._records[self._number[order.client_order_id]].update() for order in orders)

    async def cancel(self, client_order_ids: Sequence[str], seq: int) -> tuple[OrderUpdated, ...]:
        """Cancel open orders, ``"*"`` all and ``"*working"`` those on their way; others are left out of the answer."""
        codes = {ALL_OPEN[0]: CANCEL_ALL, ALL_WORKING[0]: CANCEL_WORKING}
        code = max((codes.get(key, KEEP_OPEN) for key in client_order_ids), default=KEEP_OPEN)
        numbers = [self._number[key] for key in client_order_ids if key in self._number]
        n_updates = entry.compile_cancel()(
            self._broker, code, np.array(numbers, dtype=np.int64), self._updates, self._working
        )
        return self._take_updates(n_updates, seq)

    async def advance(self, frame: Frame) -> MarketAnswer:
        """Match the orders of earlier frames against the bars; a repeated frame gives the same answer.

        Raises
        ------
        RecoveryError
            Where the frame is neither the next one nor the last one answered.
        """
        if frame.seq == self._last_seq and self._answer is not None:
            return self._answer
        if frame.seq != self._last_seq + 1:
            raise RecoveryError(f"seq must be {self._last_seq + 1}, the frame after the last one, was {frame.seq}")
        self._recent.push(frame)
        clock = read_clock(self._sessions, frame.seq, np.array([frame.ts_close_ns]), self._last_ts_ns)[0]
        n_fills, n_updates = entry.compile_advance()(
            self._broker, self._market, self._tiers, self._recent.bars, self._recent.row, clock, self._scratch,
            self._fills, self._events, self._updates, self._working,
        )  # fmt: skip
        self._last_seq, self._last_ts_ns = frame.seq, frame.ts_close_ns
        fills = tuple(self._read_fill(self._fills[k], frame) for k in range(n_fills))
        events = tuple(
            to_ledger_event(row, frame.ts_close_ns, self._universe)
            for row in self._events[: self._counts[N_BOOKED]].tolist()
        )
        self._answer = MarketAnswer(fills, self._take_updates(n_updates, frame.seq), events)
        return self._answer

    def restore(
        self,
        frames: FrameTensor,
        last_close: FloatArray,
        orders: Sequence[OrderRecord],
        fills: Sequence[Fill],
        events: Sequence[LedgerEvent],
    ) -> None:
        """Resume after the last of `frames`, whatever the ledger holds of later ones: those are computed again, equal.

        Parameters
        ----------
        frames : FrameTensor
            Up to the last complete frame, from `first_frame_needed` on: what the market knows, and what stops have
            seen.
        last_close : float64 (n_symbols,)
            Last close seen up to then, NaN before the first bar.
        orders : sequence of OrderRecord
            Every order of the run, as they were made; `updated_seq` tells whether its end came later.
        fills, events : sequence of Fill, sequence of LedgerEvent
            All of the run.

        Raises
        ------
        RecoveryError
            Where the frames begin too late.

        Notes
        -----
        A DAY order open after a frame always expires with the first session that ends later: nothing else of it needs
        to be known.
        """
        seq = frames.last_seq
        self._reset(seq, int(frames.ts_close_ns[-1]))
        known = ~np.isnan(last_close)
        self._last_close[known] = last_close[known]
        self._last_units[known] = np.rint(last_close[known] * self._grid.price_scale).astype(np.int64)
        fills_of: dict[str, list[Fill]] = {}
        for fill in fills:
            if fill.seq <= seq:
                fills_of.setdefault(fill.client_order_id, []).append(fill)
        made = [order for order in orders if order.intent.seq <= seq]
        self._records = [as_of(order, seq, fills_of.get(order.intent.client_order_id, ())) for order in made]
        self._number = {order.intent.client_order_id: n for n, order in enumerate(made)}
        last = made[-1].intent.seq if made else -1
        self._made = last, sum(order.intent.seq == last for order in made)
        for n, order in enumerate(made):
            if order.intent.oco_group:
                self._groups.setdefault(order.intent.oco_group, n + 1)
        self.warm_up(frames)
        fills_so_far = [fill for group in fills_of.values() for fill in group]
        self._resume_account(fills_so_far, [event for event in events if event.seq <= seq])
        past = Past(self._universe, self._market, self._sessions, self._records, fills_of, frames)
        rows = resume_orders(past, self._groups)
        self._make_tables(max(FIRST_CAPACITY, 2 * len(rows)))
        self._orders[: len(rows)] = rows
        self._counts[N_OPEN] = len(rows)
        entry.compile_cancel()(self._broker, KEEP_OPEN, np.empty(0, dtype=np.int64), self._updates, self._working)

    def _resume_account(self, fills: Sequence[Fill], events: Sequence[LedgerEvent]) -> None:
        account, grid = self._account, self._grid
        month = np.datetime64(self._last_ts_ns, "ns").astype("datetime64[M]")
        account[cover.MONTH] = month.astype(np.int64)
        for fill in fills:
            lots, sign = grid.lots(fill.quantity), fill.side.sign
            self._lots[self._index[fill.symbol]] += sign * lots
            account[cover.CASH] -= sign * lots * grid.price_units(fill.price) + grid.money_units(fill.commission)
            if np.datetime64(fill.ts_ns, "ns").astype("datetime64[M]") == month:
                account[cover.MONTH_LOTS] += lots
        for event in events:
            account[cover.CASH] += grid.money_units(event.amount)
            if event.quantity:
                self._lots[self._index[event.symbol]] += grid.lots(event.quantity)

    def _admit(self, order: OrderIntent, rows: list[IntArray]) -> None:
        number = len(self._records)
        reason = check_order(order, self._universe) or self._check_open(order)
        self._number[order.client_order_id] = number
        seq, n_made = self._made
        position = n_made if seq == order.seq else 0
        self._made = order.seq, position + 1
        if reason:
            self._records.append(created(order).take(Step.REJECT, order.seq, reason))
            return
        self._records.append(created(order).take(Step.SUBMIT, order.seq).take(Step.ACCEPT, order.seq))
        row = to_row(order, self._index[order.symbol], self._grid)
        row[NUMBER], row[POSITION] = number, position
        if order.parent_id:
            row[PARENT], row[REDUCE_ONLY] = self._number[order.parent_id], 1
        if order.oco_group:
            row[GROUP] = self._groups.setdefault(order.oco_group, number + 1)
        rows.append(row)

    def _check_open(self, order: OrderIntent) -> str:
        """Return what is wrong with an order beside the other orders and the market; an empty text if nothing is."""
        if order.parent_id:
            parent = self._number.get(order.parent_id)
            if parent is None or not self._records[parent].is_open:
                return f"parent_id must name an open order, was {order.parent_id}"
            entry_order = self._records[parent].intent
            if entry_order.seq != order.seq:
                return f"seq must be {entry_order.seq}, that of the parent, was {order.seq}"
            if entry_order.symbol != order.symbol or entry_order.side is order.side:
                opposite = Side.SELL if entry_order.side is Side.BUY else Side.BUY
                return f"side must be {opposite} {entry_order.symbol} for a leg, was {order.side} {order.symbol}"
        if order.order_type is OrderType.TRAILING_STOP and not self._last_units[self._index[order.symbol]]:
            return f"order_type must be another while {order.symbol} has no price to trail, was {order.order_type}"
        return ""

    def _take_updates(self, n_updates: int, seq: int) -> tuple[OrderUpdated, ...]:
        updates = []
        for update in self._updates[:n_updates].tolist():
            number = update[U_NUMBER]
            record = replace(
                self._records[number],
                status=STATUSES[update[U_STATUS]],
                filled_quantity=self._grid.quantity(update[U_FILLED]),
                updated_seq=seq,
                reason=REASONS[update[U_REASON]],
            )
            self._records[number] = record
            updates.append(record.update())
        return tuple(updates)

    def _read_fill(self, fill: IntArray, frame: Frame) -> Fill:
        grid, intent = self._grid, self._records[fill[F_NUMBER]].intent
        key = intent.client_order_id
        return Fill(
            fill_id(key, frame.seq), key, frame.seq, frame.ts_close_ns, self._universe.symbols[fill[F_SYMBOL]],
            intent.side, grid.quantity(fill[F_LOTS]), grid.price(fill[F_PRICE]), grid.money(fill[F_COMMISSION]),
            grid.money(fill[F_SLIPPAGE]),
        )  # fmt: skip
