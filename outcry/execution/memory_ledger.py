"""An order ledger in memory: what a backtest writes to."""

from dataclasses import replace

from outcry.execution.lifecycle import OrderRecord, created
from outcry.messages import Executions, Fill, Input, LedgerEvent, OrderIntent, OrderUpdated, Submission, Verdict


class MemoryLedger:
    """`outcry.ports.OrderLedger` that keeps everything in lists, in the order it was committed.

    Attributes
    ----------
    orders : list of OrderIntent
    fills : list of Fill
    events : list of LedgerEvent
    updates : list of OrderUpdated
    inputs : list of Input
    """

    def __init__(self) -> None:
        self.orders: list[OrderIntent] = []
        self.fills: list[Fill] = []
        self.events: list[LedgerEvent] = []
        self.updates: list[OrderUpdated] = []
        self.inputs: list[Input] = []
        self._executions: dict[int, Executions] = {}
        self._orders: dict[int, tuple[OrderIntent, ...]] = {}

    async def commit_executions(self, executions: Executions) -> None:
        """Commit fills, updates and ledger events of one frame; a repeat changes nothing."""
        if executions.seq not in self._executions:
            self._executions[executions.seq] = executions
            self.fills.extend(executions.fills)
            self.events.extend(executions.events)
            self.updates.extend(executions.updates)

    async def commit_orders(self, verdict: Verdict) -> tuple[OrderIntent, ...]:
        """Commit the orders and inputs of one frame; return the orders that were committed first for it."""
        if verdict.seq not in self._orders:
            self._orders[verdict.seq] = verdict.orders
            self.orders.extend(verdict.orders)
            self.inputs.extend(verdict.inputs)
        return self._orders[verdict.seq]

    def record_answers(self, submission: Submission) -> None:
        """Keep what the broker answered to the orders of a frame; a frame is recorded once."""
        self.updates.extend(submission.updates)

    def executions(self, seq: int) -> Executions | None:
        """Return what was committed of frame `seq` before its orders; None where nothing was."""
        return self._executions.get(seq)

    def order_records(self) -> list[OrderRecord]:
        """Return every order in its present state, in the order of commit."""
        records = {order.client_order_id: created(order) for order in self.orders}
        for update in self.updates:
            records[update.client_order_id] = replace(
                records[update.client_order_id],
                status=update.status,
                filled_quantity=update.filled_quantity,
                updated_seq=update.seq,
                reason=update.reason,
            )
        return list(records.values())
