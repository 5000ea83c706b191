"""The life of an order: which step leads from which state to which.

CREATED ── submit ──► SUBMITTED ── accept ──► ACCEPTED ──► PARTIALLY_FILLED ──► FILLED
   │                      │                      │                │
   └────── reject ────────┴─────── reject        ├─ cancel, expire┘
                                                 └─ reject (at the moment of the fill)
"""

from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum

from outcry.errors import ExecutionError, IllegalTransitionError
from outcry.messages import OrderIntent, OrderStatus, OrderUpdated


class Step(StrEnum):
    """What can happen to an order."""

    SUBMIT = "submit"
    ACCEPT = "accept"
    FILL_PART = "fill_part"
    FILL_REST = "fill_rest"
    REJECT = "reject"
    CANCEL = "cancel"
    EXPIRE = "expire"


_ENDS = {Step.CANCEL: OrderStatus.CANCELLED, Step.EXPIRE: OrderStatus.EXPIRED}
_FILLS = {Step.FILL_PART: OrderStatus.PARTIALLY_FILLED, Step.FILL_REST: OrderStatus.FILLED}
_REFUSAL = {Step.REJECT: OrderStatus.REJECTED}
TRANSITIONS: dict[OrderStatus, dict[Step, OrderStatus]] = {
    OrderStatus.CREATED: {Step.SUBMIT: OrderStatus.SUBMITTED} | _REFUSAL,
    OrderStatus.SUBMITTED: {Step.ACCEPT: OrderStatus.ACCEPTED} | _REFUSAL | _ENDS,
    OrderStatus.ACCEPTED: _FILLS | _ENDS | _REFUSAL,
    OrderStatus.PARTIALLY_FILLED: _FILLS | _ENDS,
    OrderStatus.FILLED: {},
    OrderStatus.REJECTED: {},
    OrderStatus.CANCELLED: {},
    OrderStatus.EXPIRED: {},
}
OPEN_STATUSES = frozenset(status for status, steps in TRANSITIONS.items() if steps)


def next_status(status: OrderStatus, step: Step) -> OrderStatus:
    """Return the state after `step`; raise `IllegalTransitionError` where the step does not exist."""
    try:
        return TRANSITIONS[status][step]
    except KeyError:
        allowed = ", ".join(TRANSITIONS[status]) or "none"
        raise IllegalTransitionError(f"step must be one of ({allowed}) from {status}, was {step}") from None


@dataclass(frozen=True, slots=True)
class OrderRecord:
    """An order and how far it has come.

    Attributes
    ----------
    intent : OrderIntent
    status : OrderStatus
    filled_quantity : Decimal
        Shares, unsigned.
    updated_seq : int
        The frame of the last change.
    reason : str
        Why it was rejected, cancelled or expired.
    """

    intent: OrderIntent
    status: OrderStatus
    filled_quantity: Decimal
    updated_seq: int
    reason: str = ""

    @property
    def remaining(self) -> Decimal:
        return self.intent.quantity - self.filled_quantity

    @property
    def is_open(self) -> bool:
        return self.status in OPEN_STATUSES

    def fill(self, quantity: Decimal, seq: int) -> "OrderRecord":
        """Return the record after `quantity` shares traded in frame `seq`."""
        filled = self.filled_quantity + quantity
        if quantity <= 0 or filled > self.intent.quantity:
            raise ExecutionError(f"quantity must be in (0, {self.remaining}], was {quantity}")
        step = Step.FILL_REST if filled == self.intent.quantity else Step.FILL_PART
        return replace(self, status=next_status(self.status, step), filled_quantity=filled, updated_seq=seq)

    def take(self, step: Step, seq: int, reason: str = "") -> "OrderRecord":
        """Return the record after a step that trades nothing."""
        if step in _FILLS:
            raise ExecutionError(f"step must not be a fill without a quantity, was {step}")
        return replace(self, status=next_status(self.status, step), updated_seq=seq, reason=reason)

    def update(self) -> OrderUpdated:
        """Return the message that tells the present state."""
        return OrderUpdated(
            self.intent.client_order_id, self.updated_seq, self.status, self.filled_quantity, self.reason
        )


def created(intent: OrderIntent) -> OrderRecord:
    """Return the record of an order that nobody has sent yet."""
    return OrderRecord(intent, OrderStatus.CREATED, Decimal(0), intent.seq)
