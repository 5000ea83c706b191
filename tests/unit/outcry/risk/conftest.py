"""Books, proposals and a gate, from the numbers that matter."""

from decimal import Decimal

import numpy as np
import pytest

from outcry.identity import client_order_id
from outcry.market.sessions import Sessions
from outcry.market.universe import Universe
from outcry.messages import Book, OrderIntent, OrderType, Proposal, Purpose, Side
from outcry.risk.config import RiskConfig
from outcry.risk.gate import RiskGate

UNIVERSE = Universe(("AAA", "BBB", "CCC", "DDD"), ("Tech", "Tech", "Energy", "Other"))
BARS_A_SESSION = 3


def spread(values, dtype=float):
    return np.broadcast_to(np.asarray(values, dtype), len(UNIVERSE)).copy()


@pytest.fixture(scope="session")
def universe():
    return UNIVERSE


@pytest.fixture(scope="session")
def build_book():
    """Return a function to a book at price 100; frame `seq` closes at hour `seq`, three hours a session."""

    def build(seq=0, quantity=0.0, working=0.0, equity=100_000, price=100.0) -> Book:
        zero = Decimal(0)
        return Book(
            seq, seq + 1, Decimal(equity), Decimal(equity), zero, zero, zero, spread(quantity), spread(working),
            spread(price), spread(price), spread(False, bool),
        )  # fmt: skip

    return build


@pytest.fixture(scope="session")
def build_proposal():
    """Return a function from signed shares by symbol to a proposal."""

    def build(seq=0, shares=None, target_weight=np.nan, cancels=(), inputs=()) -> Proposal:
        orders = tuple(
            OrderIntent(
                client_order_id("run", seq, symbol, "test"),
                seq,
                symbol,
                Side.BUY if signed > 0 else Side.SELL,
                Decimal(abs(signed)),
                purpose=Purpose.REBALANCE,
            )
            for symbol, signed in (shares or {}).items()
        )
        return Proposal(seq, orders, cancels, spread(target_weight), inputs)

    return build


@pytest.fixture(scope="session")
def build_leg():
    """Return a function from an order to a stop that protects what it opens."""

    def build(parent, lots, name="stop") -> OrderIntent:
        return OrderIntent(
            f"{parent.client_order_id} {name}",
            parent.seq,
            parent.symbol,
            Side.SELL if parent.side is Side.BUY else Side.BUY,
            Decimal(lots),
            OrderType.STOP,
            stop_price=Decimal(90),
            parent_id=parent.client_order_id,
            oco_group=parent.client_order_id,
            is_reduce_only=True,
            purpose=Purpose.STOP_LOSS,
        )

    return build


@pytest.fixture(scope="session")
def build_gate():
    """Return a function from changes of the configuration to a gate."""

    def build(universe=UNIVERSE, **changes) -> RiskGate:
        starts = np.arange(40, dtype=np.int64) * BARS_A_SESSION
        sessions = Sessions(starts, starts + BARS_A_SESSION, starts, np.zeros(40, dtype=np.int64))
        return RiskGate("run", universe, RiskConfig(**changes), sessions)

    return build


@pytest.fixture(scope="session")
def wishes():
    """Return a function from orders to signed shares by symbol."""
    return lambda orders: [(order.symbol, order.side.sign * int(order.quantity)) for order in orders]
