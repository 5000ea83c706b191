"""A small random market and random orders, the same for the same seed."""

from dataclasses import dataclass, replace
from decimal import Decimal

import numpy as np
import pytest

from outcry.execution.config import BrokerConfig
from outcry.execution.simulated_broker import SimulatedBroker
from outcry.identity import client_order_id
from outcry.market.frame import NO_ACTION, Frame
from outcry.market.sessions import Sessions
from outcry.market.universe import Universe
from outcry.messages import (
    ALL_OPEN,
    ALL_WORKING,
    Fill,
    LedgerEvent,
    OrderIntent,
    OrderType,
    Purpose,
    Side,
    TimeInForce,
    Verdict,
)

MINUTE_NS = 60 * 10**9
BARS_A_SESSION = 3
BREAK_NS = 60 * MINUTE_NS
DAY_NS = 24 * 60 * MINUTE_NS


def close_ns(seq: int) -> int:
    """Return the close of frame `seq`: sessions of three minutes, an hour apart."""
    session, bar = divmod(seq, BARS_A_SESSION)
    return session * BREAK_NS + (bar + 1) * MINUTE_NS


@dataclass(frozen=True)
class Market:
    """A universe of three symbols over `frames`, and builders for what happens in it."""

    universe: Universe
    sessions: Sessions
    frames: tuple[Frame, ...]

    def order(self, seq, symbol, side, quantity, *, limit=None, stop=None, day=False, purpose="test") -> OrderIntent:
        return OrderIntent(
            client_order_id("run", seq, symbol, purpose),
            seq,
            symbol,
            side,
            Decimal(quantity),
            OrderType.LIMIT if limit else OrderType.STOP if stop else OrderType.MARKET,
            TimeInForce.DAY if day else TimeInForce.GTC,
            limit and Decimal(limit),
            stop and Decimal(stop),
            purpose=Purpose.REBALANCE,
        )

    def verdicts(self, seed: int) -> tuple[Verdict, ...]:
        """Return random verdicts: orders of all kinds, brackets, cancels of single orders and of many."""
        rng = np.random.default_rng(seed)
        verdicts, ids = [], []
        for frame in self.frames:
            orders = tuple(
                order for n in range(rng.integers(0, 4)) for order in self._random_orders(rng, frame, str(n))
            )
            cancels: tuple[str, ...] = tuple(rng.choice(ids, 1)) if ids and rng.random() < 0.3 else ()
            if rng.random() < 0.2:
                cancels = (ALL_OPEN, ALL_WORKING)[rng.integers(2)]
            ids += [order.client_order_id for order in orders]
            verdicts.append(Verdict(frame.seq, orders, cancels, (), False, 0.0))
        return tuple(verdicts)

    def _random_orders(self, rng, frame, name) -> list[OrderIntent]:
        symbol = str(rng.choice(self.universe.symbols))
        side = Side.BUY if rng.random() < 0.6 else Side.SELL
        kind = OrderType(rng.choice(list(OrderType)))
        at_once = [TimeInForce.IOC, TimeInForce.FOK, TimeInForce.OPG, TimeInForce.CLS]
        forces = [TimeInForce.DAY, TimeInForce.GTC, TimeInForce.GTC]
        forces += at_once if kind in (OrderType.MARKET, OrderType.LIMIT) else []

        def price() -> Decimal:
            return Decimal(str(np.round(rng.uniform(8, 12), 2)))

        trail = rng.random() < 0.5
        key = client_order_id("run", frame.seq, symbol, name)
        entry = OrderIntent(
            key,
            frame.seq,
            symbol,
            side,
            Decimal(int(rng.integers(1, 900))),
            kind,
            TimeInForce(rng.choice(forces)),
            price() if kind in (OrderType.LIMIT, OrderType.STOP_LIMIT) else None,
            price() if kind in (OrderType.STOP, OrderType.STOP_LIMIT) else None,
            trail_price=Decimal("0.20") if kind is OrderType.TRAILING_STOP and trail else None,
            trail_frac=Decimal("0.02") if kind is OrderType.TRAILING_STOP and not trail else None,
            is_reduce_only=bool(rng.random() < 0.1),
        )
        if rng.random() < 0.6:
            return [entry]
        leg = {"seq": frame.seq, "symbol": symbol, "quantity": entry.quantity, "parent_id": key, "oco_group": key}
        leg["side"] = Side.SELL if side is Side.BUY else Side.BUY
        loss = OrderIntent(key + "l", order_type=OrderType.TRAILING_STOP, trail_price=Decimal("0.30"), **leg)
        if rng.random() < 0.5:
            loss = OrderIntent(key + "l", order_type=OrderType.STOP, stop_price=price(), **leg)
        return [entry, loss, OrderIntent(key + "p", order_type=OrderType.LIMIT, limit_price=price(), **leg)]


def build_frame(seq, open_, high=None, low=None, close=None, volume=1e6, present=True, actions=None) -> Frame:
    """Return a frame of three symbols; numbers are spread over all of them, `actions` is a row for the first."""
    full = {name: np.broadcast_to(np.asarray(value, float), 3).copy() for name, value in (
        ("open", open_), ("high", open_ if high is None else high), ("low", open_ if low is None else low),
        ("close", open_ if close is None else close), ("volume", volume),
    )}  # fmt: skip
    there = np.broadcast_to(np.asarray(present), 3).copy()
    for column in full.values():
        column[~there] = np.nan
    rows = None if actions is None else np.array([actions, NO_ACTION, NO_ACTION])
    return Frame(seq=seq, ts_close_ns=close_ns(seq), vwap=full["close"], present=there, actions=rows, **full)


def random_frames(seed: int, n_frames: int) -> tuple[Frame, ...]:
    """Return frames that start near 10, with gaps, absent symbols, and bars of little or no volume."""
    rng = np.random.default_rng(seed)
    close, factor = np.full(3, 10.0), np.ones(3)
    frames = []
    for seq in range(n_frames):
        open_ = np.maximum(np.round(close * np.exp(rng.normal(0, 0.03, 3)), 2), 1.0)
        close = np.maximum(np.round(open_ * np.exp(rng.normal(0, 0.03, 3)), 2), 1.0)
        spread = np.round(rng.uniform(0, 0.3, (2, 3)), 2)
        high, low = np.maximum(open_, close) + spread[0], np.minimum(open_, close) - spread[1]
        volume = rng.choice([0.0, 900.0, 5e3, 1e6], 3)
        frame = build_frame(seq, open_, high, low, close, volume, rng.random(3) < 0.85)
        actions = np.tile(NO_ACTION, (3, 1))
        actions[:, 0] = rng.choice([1.0, 2.0, 0.3], 3, p=[0.9, 0.05, 0.05])
        actions[:, 1] = rng.choice([0.0, 0.13], 3, p=[0.9, 0.1])
        actions[~frame.present] = NO_ACTION
        factor = factor * actions[:, 0]
        actions[:, 2] = np.where(frame.present, factor, 1.0)
        frames.append(replace(frame, actions=actions))
    return tuple(frames)


class Desk:
    """A broker, bar after bar; cash and holdings are followed from the fills alone and compared after each one.

    Attributes
    ----------
    statuses, reasons, filled : dict
        Of every order by its name, as last told.
    """

    def __init__(self, market: Market, **changes) -> None:
        free = {"slippage_bps": 0.0, "commission_per_share": 0.0, "min_commission": 0.0}
        free |= {"borrow_bps_per_year": 0.0, "financing_bps_per_year": 0.0}
        self.config = BrokerConfig.model_validate(free | changes)
        self.market = market
        self.broker = SimulatedBroker(market.universe, self.config, market.sessions)
        self.seq = -1
        self.cash, self.lots = self.config.initial_cash, dict.fromkeys(market.universe.symbols, Decimal(0))
        self.all_fills: list[Fill] = []
        self.all_events: list[LedgerEvent] = []
        self.statuses: dict[str, str] = {}
        self.reasons: dict[str, str] = {}
        self.filled: dict[str, Decimal] = {}

    frame = staticmethod(build_frame)

    def order(self, name, signed_quantity, symbol="AAA", *, trail=None, trail_frac=None, **fields) -> OrderIntent:
        """Return an order made now; its type is the one that takes these prices."""
        limit, stop = fields.pop("limit", None), fields.pop("stop", None)
        kind = {(False, False): OrderType.MARKET, (True, False): OrderType.LIMIT, (False, True): OrderType.STOP}.get(
            (limit is not None, stop is not None), OrderType.STOP_LIMIT
        )
        given = {"limit_price": limit, "stop_price": stop, "trail_price": trail, "trail_frac": trail_frac}
        quantity = Decimal(signed_quantity)
        return OrderIntent(
            name,
            self.seq,
            symbol,
            Side.BUY if quantity > 0 else Side.SELL,
            abs(quantity),
            OrderType.TRAILING_STOP if trail or trail_frac else kind,
            **{field: Decimal(price) for field, price in given.items() if price is not None},
            **fields,
        )

    async def submit(self, *orders: OrderIntent) -> None:
        """Send orders to the broker."""
        self._note(await self.broker.submit(orders))

    async def cancel(self, *keys: str) -> None:
        """Cancel orders by name or by a code."""
        self._note(await self.broker.cancel(keys, self.seq))

    async def bar(self, open_, high=None, low=None, close=None, **fields) -> list[str]:
        """Advance by a bar; return the fills as texts of name, signed quantity and price: ``a +100 @ 10.00``."""
        fills = await self.take(self.frame(self.seq + 1, open_, high, low, close, **fields))
        return [f"{f.client_order_id} {f.side.sign * f.quantity:+} @ {f.price:.2f}" for f in fills]

    async def take(self, frame: Frame) -> tuple[Fill, ...]:
        """Advance by a frame; return the fills."""
        self.seq += 1
        fills, updates, events = await self.broker.advance(frame)
        self._note(updates)
        self.all_events += events
        for event in events:
            self.cash += event.amount
            if event.symbol:
                self.lots[event.symbol] += event.quantity
        for fill in fills:
            self.cash -= fill.side.sign * fill.quantity * fill.price + fill.commission
            self.lots[fill.symbol] += fill.side.sign * fill.quantity
            assert min(fill.commission, fill.slippage) >= 0
        self.all_fills += fills
        assert self.broker.cash == self.cash
        assert self.broker.holdings == {symbol: lots for symbol, lots in self.lots.items() if lots}
        return fills

    def _note(self, updates) -> None:
        for update in updates:
            key = update.client_order_id
            self.statuses[key], self.reasons[key] = update.status.value, update.reason
            self.filled[key] = update.filled_quantity


@pytest.fixture(scope="session")
def build_market():
    """Return a function from a seed to a `Market`; without one, its frames are to be given."""

    def build(seed: int = 0, n_frames: int = 10, frames: tuple[Frame, ...] | None = None) -> Market:
        starts = np.arange(20, dtype=np.int64) * BREAK_NS
        ends = starts + BARS_A_SESSION * MINUTE_NS
        midnights = np.arange(20, dtype=np.int64) * DAY_NS  # a night between any two, however short
        sessions = Sessions(starts, ends, midnights, np.zeros(20, dtype=np.int64))
        universe = Universe(("AAA", "BBB", "CCC"), ("Tech", "Tech", "Energy"))
        return Market(universe, sessions, random_frames(seed, n_frames) if frames is None else frames)

    return build


@pytest.fixture(scope="session")
def frame():
    return build_frame


@pytest.fixture(scope="session")
def build_desk(build_market):
    """Return a function from changes of a free and liquid `BrokerConfig` to a `Desk`."""
    market = build_market()
    return lambda **changes: Desk(market, **changes)
