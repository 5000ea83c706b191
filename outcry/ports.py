"""Every protocol of outcry: what the desk asks of its collaborators, and what they ask of the outside.

In process these are plain objects; across the cluster they are typed clients of actors. Both are held to the same
conformance checks.
"""

from collections.abc import Sequence
from typing import Protocol

from outcry.market.frame import FloatArray, Frame
from outcry.messages import (
    Book,
    Executions,
    FeatureFrame,
    Forecast,
    FrameOutcome,
    Input,
    MarketAnswer,
    OrderIntent,
    OrderUpdated,
    Proposal,
    Submission,
    Verdict,
)


class Features(Protocol):
    """Keep the feature state of every symbol."""

    async def update(self, frame: Frame) -> FeatureFrame:
        """Advance by one frame and return its features; a repeated frame returns the same answer."""
        ...


class Predictor(Protocol):
    """Forecast the whole universe in one call."""

    async def predict(self, features: FeatureFrame) -> Forecast:
        """Return the forecast; past the deadline, a fallback that asks for no new risk."""
        ...


class PortfolioBook(Protocol):
    """Own positions, cash and the wish for new ones."""

    async def settle(self, executions: Executions, frame: Frame) -> Book:
        """Apply ledger events and fills, mark at the closes of the frame, return the book."""
        ...

    async def propose(self, forecast: Forecast, book: Book) -> Proposal:
        """Return the orders that move the book towards its targets. Depends on its arguments only."""
        ...


class RiskReview(Protocol):
    """Decide which orders may be sent."""

    async def review(self, wanted: Proposal, book: Book, inputs: tuple[Input, ...]) -> Verdict:
        """Apply operator inputs, then the limits; an order that reduces risk is never refused."""
        ...


class Router(Protocol):
    """Own the orders and the session with the broker."""

    async def advance(self, frame: Frame) -> Executions:
        """Return what the broker did up to the close of this frame; committed before it is returned."""
        ...

    async def submit(self, verdict: Verdict) -> Submission:
        """Commit the orders, then send them; what the broker answers is recorded with the frame."""
        ...


class FrameJournal(Protocol):
    """Make frames durable, and say what outside input takes effect at each."""

    async def append(self, frame: Frame) -> tuple[Input, ...]:
        """Commit the frame; return the inputs that take effect at its boundary, committed with it."""
        ...

    async def record(self, outcome: FrameOutcome) -> None:
        """Commit what happened in the frame, the broker's answers included; it is complete and never traded again."""
        ...


class OrderLedger(Protocol):
    """Make orders and fills durable before anybody relies on them."""

    async def commit_executions(self, executions: Executions) -> None:
        """Commit fills, updates and ledger events of one frame in one transaction; a repeat changes nothing."""
        ...

    async def commit_orders(self, verdict: Verdict) -> tuple[OrderIntent, ...]:
        """Commit the orders, cancels and inputs of one frame in one transaction, before they are sent.

        Returns the orders that stand in the ledger for this frame: on a repeat, the ones committed first.
        """
        ...


class Broker(Protocol):
    """A session with a broker; simulated or real."""

    @property
    def working(self) -> FloatArray:
        """Signed shares on their way, float64 (n_symbols,): open orders without stops that have not triggered."""
        ...

    async def submit(self, orders: Sequence[OrderIntent]) -> tuple[OrderUpdated, ...]:
        """Send orders; one with a known `client_order_id` is answered with its present state, not sent again."""
        ...

    async def cancel(self, client_order_ids: Sequence[str], seq: int) -> tuple[OrderUpdated, ...]:
        """Cancel open orders, ``"*"`` all of them; one that is not open is left out of the answer."""
        ...

    async def advance(self, frame: Frame) -> MarketAnswer:
        """Match open orders that were submitted before this frame against its bars."""
        ...


class Clock(Protocol):
    """The only source of wall time."""

    def now_ns(self) -> int:
        """Nanoseconds UTC."""
        ...

    async def sleep_until_ns(self, ts_ns: int) -> None:
        """Return at or after the instant."""
        ...
