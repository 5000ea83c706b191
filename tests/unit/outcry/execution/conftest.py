"""A small random market and random orders, the same for the same seed."""

from dataclasses import dataclass
from decimal import Decimal

import numpy as np
import pytest

from outcry.identity import client_order_id
from outcry.market.frame import Frame
from outcry.market.sessions import Sessions
from outcry.market.universe import Universe
from outcry.messages import OrderIntent, OrderType, Purpose, Side, TimeInForce, Verdict

MINUTE_NS = 60 * 10**9
BARS_A_SESSION = 3
BREAK_NS = 60 * MINUTE_NS


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
        """Return random verdicts: orders of all types, cancels of single orders and of all."""
        rng = np.random.default_rng(seed)
        verdicts, ids = [], []
        for frame in self.frames:
            orders = tuple(self._random_order(rng, frame, n) for n in range(rng.integers(0, 4)))
            cancels = ("*",) if rng.random() < 0.1 else tuple(rng.choice(ids, 1)) if ids and rng.random() < 0.3 else ()
            ids += [order.client_order_id for order in orders]
            verdicts.append(Verdict(frame.seq, orders, cancels, (), False, 0.0))
        return tuple(verdicts)

    def _random_order(self, rng, frame, n) -> OrderIntent:
        symbol = str(rng.choice(self.universe.symbols))
        side = Side.BUY if rng.random() < 0.6 else Side.SELL
        price = str(np.round(rng.uniform(8, 12), 2))
        kind = rng.integers(0, 3)
        return self.order(
            frame.seq,
            symbol,
            side,
            int(rng.integers(1, 900)),
            limit=price if kind == 1 else None,
            stop=price if kind == 2 else None,
            day=bool(rng.random() < 0.5),
            purpose=str(n),
        )


def build_frame(seq, open_, high=None, low=None, close=None, volume=1e6, present=True) -> Frame:
    """Return a frame of three symbols; numbers are spread over all of them."""
    full = {name: np.broadcast_to(np.asarray(value, float), 3).copy() for name, value in (
        ("open", open_), ("high", open_ if high is None else high), ("low", open_ if low is None else low),
        ("close", open_ if close is None else close), ("volume", volume),
    )}  # fmt: skip
    there = np.broadcast_to(np.asarray(present), 3).copy()
    for column in full.values():
        column[~there] = np.nan
    return Frame(seq=seq, ts_close_ns=close_ns(seq), vwap=full["close"], present=there, **full)


def random_frames(seed: int, n_frames: int) -> tuple[Frame, ...]:
    """Return frames that start near 10, with gaps, absent symbols, and bars of little or no volume."""
    rng = np.random.default_rng(seed)
    close = np.full(3, 10.0)
    frames = []
    for seq in range(n_frames):
        open_ = np.maximum(np.round(close * np.exp(rng.normal(0, 0.03, 3)), 2), 1.0)
        close = np.maximum(np.round(open_ * np.exp(rng.normal(0, 0.03, 3)), 2), 1.0)
        spread = np.round(rng.uniform(0, 0.3, (2, 3)), 2)
        high, low = np.maximum(open_, close) + spread[0], np.minimum(open_, close) - spread[1]
        volume = rng.choice([0.0, 900.0, 5e3, 1e6], 3)
        frames.append(build_frame(seq, open_, high, low, close, volume, rng.random(3) < 0.85))
    return tuple(frames)


@pytest.fixture(scope="session")
def build_market():
    """Return a function from a seed to a `Market`; without one, its frames are to be given."""

    def build(seed: int = 0, n_frames: int = 10, frames: tuple[Frame, ...] | None = None) -> Market:
        starts = np.arange(20, dtype=np.int64) * BREAK_NS
        ends = starts + BARS_A_SESSION * MINUTE_NS
        sessions = Sessions(starts, ends, starts, np.zeros(20, dtype=np.int64))
        universe = Universe(("AAA", "BBB", "CCC"), ("Tech", "Tech", "Energy"))
        return Market(universe, sessions, random_frames(seed, n_frames) if frames is None else frames)

    return build


@pytest.fixture(scope="session")
def frame():
    return build_frame
