"""A broker that sends nothing: every order is journalled and ends there."""

from collections.abc import Sequence
from decimal import Decimal

import numpy as np

from outcry.execution.lifecycle import OrderRecord
from outcry.market.frame import FloatArray, Frame, FrameTensor
from outcry.messages import Fill, LedgerEvent, MarketAnswer, OrderIntent, OrderStatus, OrderUpdated

NOT_SENT = "dry run: no order is sent"


class DryBroker:
    """`outcry.ports.Broker` of the mode ``dry``: it rejects every order and never holds anything."""

    def __init__(self, n_symbols: int) -> None:
        self._n_symbols = n_symbols

    @property
    def working(self) -> FloatArray:
        return np.zeros(self._n_symbols)

    async def submit(self, orders: Sequence[OrderIntent]) -> tuple[OrderUpdated, ...]:
        return tuple(
            OrderUpdated(order.client_order_id, order.seq, OrderStatus.REJECTED, Decimal(0), NOT_SENT)
            for order in orders
        )

    async def cancel(self, client_order_ids: Sequence[str], seq: int) -> tuple[OrderUpdated, ...]:
        return ()

    async def advance(self, frame: Frame) -> MarketAnswer:
        return MarketAnswer()

    def first_frame_needed(self, seq: int, orders: Sequence[OrderRecord]) -> int:
        """Return the first frame that `restore` must be given."""
        return seq

    def restore(
        self,
        frames: FrameTensor,
        last_close: FloatArray,
        orders: Sequence[OrderRecord],
        fills: Sequence[Fill],
        events: Sequence[LedgerEvent],
    ) -> None:
        """Resume; there is nothing to take up."""

    def warm_up(self, frames: FrameTensor) -> None:
        """Show the broker the frames before the first traded one; it does not look."""
