"""A broker that trades orders against the next bar: the market of a backtest and of a local run."""

from collections.abc import Sequence
from decimal import Decimal, localcontext
from typing import Literal, Self

import numpy as np
from pydantic import Field, model_validator

from outcry.config import FrozenConfig
from outcry.errors import RecoveryError
from outcry.execution.account import Account
from outcry.execution.costs.fixed_slippage import FixedSlippage
from outcry.execution.costs.linear_commission import LinearCommission
from outcry.execution.lifecycle import OrderRecord, Step, created
from outcry.execution.matching import FrameBars, match_price
from outcry.execution.order_rules import check_order
from outcry.identity import fill_id
from outcry.market.frame import FloatArray, Frame
from outcry.market.sessions import Sessions
from outcry.market.universe import Universe
from outcry.messages import Fill, OrderIntent, OrderStatus, OrderType, OrderUpdated, Side, TimeInForce
from outcry.money import EXACT, exact, round_price

ALL_OPEN = "*"
SHORT_REFUSED = "sell exceeds the holding, and broker.allow_short is false"
CASH_REFUSED = "buying power is used up"
NEVER_NS = int(np.iinfo(np.int64).max)


PESSIMISTIC_SLIPPAGE, PESSIMISTIC_COMMISSION, PESSIMISTIC_VOLUME = 3.0, 2.0, 0.25


class BrokerConfig(FrozenConfig):
    """What the simulated account holds, may do and pays; section `broker`.

    ``assumptions`` bend the rest without touching it: ``optimistic`` pays nothing but the rounding to the tick and
    takes any volume, ``pessimistic`` has three times the slippage, twice the commission and a quarter of the volume. A
    result that lives on the difference between them lives on its assumptions.
    """

    assumptions: Literal["optimistic", "realistic", "pessimistic"] = "realistic"
    initial_cash: Decimal = Field(default=Decimal(100_000), gt=0)
    allow_short: bool = False
    max_leverage: float = Field(default=1.0, gt=0, le=10)
    slippage_bps: float = Field(default=5.0, ge=0, lt=10_000)
    commission_per_share: float = Field(default=0.005, ge=0)
    commission_bps: float = Field(default=0.0, ge=0, lt=10_000)
    min_commission: float = Field(default=1.0, ge=0)
    max_volume_frac: float = Field(default=0.10, gt=0, le=1)

    def assumed(self) -> "BrokerConfig":
        """Return what the assumptions make of these costs and limits."""
        if self.assumptions == "realistic":
            return self
        if self.assumptions == "optimistic":
            costs = ("slippage_bps", "commission_per_share", "commission_bps", "min_commission")
            bent = {**dict.fromkeys(costs, 0.0), "max_volume_frac": 1.0}
        else:
            factors = {
                "slippage_bps": PESSIMISTIC_SLIPPAGE,
                "commission_per_share": PESSIMISTIC_COMMISSION,
                "commission_bps": PESSIMISTIC_COMMISSION,
                "min_commission": PESSIMISTIC_COMMISSION,
                "max_volume_frac": PESSIMISTIC_VOLUME,
            }
            bent = {name: factor * getattr(self, name) for name, factor in factors.items()}
        return BrokerConfig.model_validate({**dict(self), **bent, "assumptions": "realistic"})

    @model_validator(mode="after")
    def _bent_costs_are_costs(self) -> Self:
        self.assumed()
        return self


class SimulatedBroker:
    """`outcry.ports.Broker` over recorded bars.

    Parameters
    ----------
    universe : Universe
    config : BrokerConfig
    sessions : Sessions
        When DAY orders expire.

    Notes
    -----
    Order of a bar: what only reduces a holding first, then by the frame that made the order, then by id. Of each order:

    1. An order of frame t trades on frame t+1 at the earliest; a symbol without a bar, or a bar without volume, leaves
       its orders as they are.
    2. `match_price` gives the price; slippage moves it against the trader, except for a limit order. All prices lie on
       the tick, rounded against the trader.
    3. All orders of a symbol together trade at most ``max_volume_frac`` of the volume of the bar, in whole lots; the
       rest stays open. A stop that traded in part has become a market order.
    4. What the account does not cover (`Account`) is refused: the order trades the covered part and ends there,
       REJECTED where that is nothing, CANCELLED with a reason otherwise.
    5. A DAY order works in the session that follows the instant it was made at, and expires with it.

    At most one update an order comes from one `advance`: its state after the bar.
    """

    def __init__(self, universe: Universe, config: BrokerConfig, sessions: Sessions) -> None:
        config = config.assumed()
        self._universe = universe
        self._config = config
        self._sessions = sessions
        self._index = {symbol: i for i, symbol in enumerate(universe.symbols)}
        self._slippage = FixedSlippage(config.slippage_bps, universe.tick)
        self._commission = LinearCommission(config.commission_per_share, config.commission_bps, config.min_commission)
        self._volume_frac = exact(config.max_volume_frac)
        self._reset(-1, 0, np.full(len(universe), np.nan))

    def _reset(self, seq: int, ts_close_ns: int, last_close: FloatArray) -> None:
        self._account = Account(
            self._config.initial_cash,
            allow_short=self._config.allow_short,
            max_leverage=self._config.max_leverage,
        )
        self._last_seq = seq
        self._last_ts_ns = ts_close_ns
        self._last_close = last_close.copy()
        self._open: dict[str, OrderRecord] = {}
        self._closed: dict[str, OrderRecord] = {}
        self._answer: tuple[tuple[Fill, ...], tuple[OrderUpdated, ...]] | None = None

    @property
    def cash(self) -> Decimal:
        """Account currency."""
        return self._account.cash

    @property
    def holdings(self) -> dict[str, Decimal]:
        """Signed shares by symbol, without the flat ones."""
        shares = ((symbol, self._account.holding(i)) for symbol, i in self._index.items())
        return {symbol: held for symbol, held in shares if held}

    @property
    def working(self) -> FloatArray:
        """Signed shares on their way, float64 (n_symbols,): open orders without stops that have not triggered."""
        shares = np.zeros(len(self._universe))
        for order in self._open_in_order():
            if order.intent.order_type is not OrderType.STOP or order.filled_quantity:
                shares[self._index[order.intent.symbol]] += order.intent.side.sign * float(order.remaining)
        return shares

    async def submit(self, orders: Sequence[OrderIntent]) -> tuple[OrderUpdated, ...]:
        """Accept or reject each order; one with a known id is answered with its present state."""
        return tuple(self._submit(order).update() for order in orders)

    async def cancel(self, client_order_ids: Sequence[str], seq: int) -> tuple[OrderUpdated, ...]:
        """Cancel open orders, ``"*"`` all of them; one that is not open is left out of the answer."""
        orders = [self._open[key] for key in client_order_ids if key in self._open]
        if ALL_OPEN in client_order_ids:
            orders = self._open_in_order()
        return tuple(self._keep(order.take(Step.CANCEL, seq, "requested")).update() for order in orders)

    async def advance(self, frame: Frame) -> tuple[tuple[Fill, ...], tuple[OrderUpdated, ...]]:
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
        with localcontext(EXACT):
            self._answer = self._match(frame) if self._open else ((), ())
        self._last_seq, self._last_ts_ns = frame.seq, frame.ts_close_ns
        np.copyto(self._last_close, frame.close, where=frame.present)
        return self._answer

    def restore(
        self,
        seq: int,
        ts_close_ns: int,
        last_close: FloatArray,
        orders: Sequence[OrderRecord],
        fills: Sequence[Fill],
    ) -> None:
        """Resume after frame `seq`, whatever the ledger holds of later frames: those are computed again, equal.

        Parameters
        ----------
        seq, ts_close_ns : int
            Of the last complete frame.
        last_close : float64 (n_symbols,)
            Last close seen up to it, NaN before the first bar.
        orders : sequence of OrderRecord
            Every order of the run; `updated_seq` tells whether its end came later than `seq`.
        fills : sequence of Fill
            Every fill of the run.

        Notes
        -----
        A DAY order open after frame `seq` always expires with the first session that ends later: nothing else of it
        needs to be known.
        """
        self._reset(seq, ts_close_ns, last_close)
        filled: dict[str, Decimal] = {}
        with localcontext(EXACT):
            for fill in fills:
                if fill.seq <= seq:
                    filled[fill.client_order_id] = filled.get(fill.client_order_id, Decimal(0)) + fill.quantity
                    shares = fill.side.sign * fill.quantity
                    self._account.trade(self._index[fill.symbol], shares, fill.price, fill.commission, fill.price)
        for order in orders:
            if order.intent.seq <= seq:
                self._keep(_as_of(order, seq, filled.get(order.intent.client_order_id, Decimal(0))))

    def _submit(self, order: OrderIntent) -> OrderRecord:
        known = self._open.get(order.client_order_id) or self._closed.get(order.client_order_id)
        if known:
            return known
        reason = check_order(order, self._universe)
        if reason:
            return self._keep(created(order).take(Step.REJECT, order.seq, reason))
        return self._keep(created(order).take(Step.SUBMIT, order.seq).take(Step.ACCEPT, order.seq))

    def _open_in_order(self) -> list[OrderRecord]:
        """Return the open orders in an order that does not depend on how they came here."""
        return sorted(self._open.values(), key=lambda order: (order.intent.seq, order.intent.client_order_id))

    def _keep(self, order: OrderRecord) -> OrderRecord:
        key = order.intent.client_order_id
        if order.is_open:
            self._open[key] = order
        else:
            self._open.pop(key, None)
            self._closed[key] = order
        return order

    def _match(self, frame: Frame) -> tuple[tuple[Fill, ...], tuple[OrderUpdated, ...]]:
        session_end_ns = self._session_end_ns()
        touched: dict[str, OrderRecord] = {}
        fills: list[Fill] = []
        if frame.ts_close_ns > session_end_ns:
            self._expire(frame, touched)
        bars = FrameBars(frame, self._volume_frac, self._universe.lot)
        self._account.mark(np.where(frame.present, frame.open, self._last_close))
        for order in sorted(self._open.values(), key=self._rank):
            index = self._index[order.intent.symbol]
            if order.intent.seq < frame.seq and bars.tradable(index) > 0:
                after, fill = self._trade(order, index, bars, frame)
                if after is not order:
                    touched[order.intent.client_order_id] = self._keep(after)
                if fill:
                    fills.append(fill)
        if frame.ts_close_ns == session_end_ns:
            self._expire(frame, touched)
        return tuple(fills), tuple(order.update() for order in touched.values())

    def _rank(self, order: OrderRecord) -> tuple[bool, int, str]:
        held = self._account.holding(self._index[order.intent.symbol])
        is_opening = order.remaining > -order.intent.side.sign * held
        return is_opening, order.intent.seq, order.intent.client_order_id

    def _session_end_ns(self) -> int:
        close_ns = self._sessions.close_ns
        row = int(np.searchsorted(close_ns, self._last_ts_ns, side="right"))
        return int(close_ns[row]) if row < len(close_ns) else NEVER_NS

    def _expire(self, frame: Frame, touched: dict[str, OrderRecord]) -> None:
        for order in self._open_in_order():
            if order.intent.time_in_force is TimeInForce.DAY:
                touched[order.intent.client_order_id] = self._keep(order.take(Step.EXPIRE, frame.seq, "session ended"))

    def _trade(self, order: OrderRecord, index: int, bars: FrameBars, frame: Frame) -> tuple[OrderRecord, Fill | None]:
        intent, side = order.intent, order.intent.side
        bar = bars.prices(index)
        reference = match_price(intent, bar, is_triggered=bool(order.filled_quantity))
        if reference is None:
            return order, None
        is_limit = intent.order_type is OrderType.LIMIT
        tick = self._universe.tick
        price = round_price(reference, tick, side) if is_limit else self._slippage.price(reference, side)

        def cost(traded: Decimal) -> tuple[Decimal, Decimal]:
            away = side.sign * (price - bar.open)
            return traded * away + self._commission.charge(traded, price), bar.open

        possible = min(order.remaining, bars.tradable(index))
        quantity = self._account.covered(index, side, possible, self._universe.lot, cost)
        fill = None
        after = order
        if quantity:
            commission = self._commission.charge(quantity, price)
            self._account.trade(index, side.sign * quantity, price, commission, bar.open)
            bars.take(index, quantity)
            after = order.fill(quantity, frame.seq)
            slippage = abs(price - reference) * quantity
            key = intent.client_order_id
            fill = Fill(
                fill_id(key, frame.seq), key, frame.seq, frame.ts_close_ns, intent.symbol, side, quantity, price,
                commission, slippage,
            )  # fmt: skip
        if quantity < possible:
            is_short = side is Side.SELL and not self._config.allow_short
            reason = SHORT_REFUSED if is_short else CASH_REFUSED
            after = after.take(Step.CANCEL if after.filled_quantity else Step.REJECT, frame.seq, reason)
        return after, fill


def _as_of(order: OrderRecord, seq: int, filled: Decimal) -> OrderRecord:
    """Return `order` as it was after frame `seq`: an end that came later is undone."""
    if order.updated_seq <= seq and not order.is_open:
        return order
    status = OrderStatus.PARTIALLY_FILLED if filled else OrderStatus.ACCEPTED
    return OrderRecord(order.intent, status, filled, min(order.updated_seq, seq))
