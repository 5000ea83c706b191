"""The way of an order: into the ledger, then to the broker."""

from asyncio import Lock

from outcry.errors import RecoveryError
from outcry.market.frame import Frame
from outcry.messages import Executions, Fill, LedgerEvent, OrderUpdated, Submission, Verdict
from outcry.ports import Broker, OrderLedger


class OrderRouter:
    """`outcry.ports.Router` over a broker and a ledger.

    Parameters
    ----------
    broker : Broker
    ledger : OrderLedger

    Notes
    -----
    Every step may be the last one before a crash. An order is committed before it is sent, a fill before anybody is
    told of it; ids are deterministic, so a step taken twice changes nothing. A call to the ledger that would carry
    nothing is left out. Calls take turns: a repeated one waits for the first and gets its answer.
    """

    def __init__(self, broker: Broker, ledger: OrderLedger) -> None:
        self._broker = broker
        self._ledger = ledger
        self._lock = Lock()
        self._last_seq = -1
        self._executions: Executions | None = None
        self._submission: Submission | None = None
        self._committed: Executions | None = None

    @property
    def last_seq(self) -> int:
        """The frame last advanced to; -1 before the first."""
        return self._last_seq

    def restore(self, seq: int, committed: Executions | None = None) -> None:
        """Resume after the complete frame `seq`, with a broker restored to the same frame.

        Parameters
        ----------
        seq : int
        committed : Executions, optional
            What the ledger holds of frame ``seq + 1``, if anything; the broker must answer the same.
        """
        self._last_seq = seq
        self._executions = self._submission = None
        self._committed = committed

    async def advance(self, frame: Frame) -> Executions:
        """Return what the broker did up to the close of `frame`, committed.

        Raises
        ------
        RecoveryError
            Where the frame is neither the next nor the last one, or where the broker contradicts the ledger.
        """
        async with self._lock:
            if self._executions is not None and frame.seq == self._executions.seq:
                return self._executions
            if frame.seq != self._last_seq + 1:
                raise RecoveryError(f"seq must be {self._last_seq + 1}, the frame after the last, was {frame.seq}")
            answer = await self._broker.advance(frame)
            executions = Executions(frame.seq, answer.fills, answer.updates, self._broker.working, answer.events)
            if self._committed is not None and self._committed.seq == frame.seq:
                _check_equal(executions, self._committed)
            elif any(answer):
                await self._ledger.commit_executions(executions)
            self._last_seq, self._executions = frame.seq, executions
            return executions

    async def submit(self, verdict: Verdict) -> Submission:
        """Commit the orders of `verdict`, cancel what it cancels, send its orders, return the answers.

        Raises
        ------
        RecoveryError
            Where the verdict is not of the frame of the last `advance`.
        """
        async with self._lock:
            if self._submission is not None and verdict.seq == self._submission.seq:
                return self._submission
            if self._executions is None or verdict.seq != self._executions.seq:
                raise RecoveryError(f"seq must be {self._last_seq}, the frame last advanced to, was {verdict.seq}")
            orders = verdict.orders
            if orders or verdict.cancels or verdict.inputs:
                orders = await self._ledger.commit_orders(verdict)
            updates = await self._broker.cancel(verdict.cancels, verdict.seq) if verdict.cancels else ()
            updates += await self._broker.submit(orders) if orders else ()
            self._submission = Submission(verdict.seq, orders, updates)
            return self._submission


def _check_equal(answer: Executions, committed: Executions) -> None:
    if _contents(answer) != _contents(committed):
        raise RecoveryError(
            f"executions of frame {answer.seq} must equal the {len(committed.fills)} fills, {len(committed.updates)} "
            f"updates and {len(committed.events)} events in the ledger, were {len(answer.fills)}, "
            f"{len(answer.updates)} and {len(answer.events)}: was the run resumed with another configuration?"
        )


def _contents(executions: Executions) -> tuple[list[Fill], list[OrderUpdated], list[LedgerEvent]]:
    fills = sorted(executions.fills, key=lambda fill: fill.fill_id)
    updates = sorted(executions.updates, key=lambda update: update.client_order_id)
    return fills, updates, sorted(executions.events, key=lambda event: (event.kind, event.symbol))
