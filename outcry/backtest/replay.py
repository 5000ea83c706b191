"""Hold a replayed run against the recorded one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from decimal import Decimal
from itertools import zip_longest

from outcry.messages import Fill, LedgerEvent, OrderIntent

Recorded = OrderIntent | Fill | LedgerEvent


@dataclass(frozen=True, slots=True)
class RunLedger:
    """What two runs are compared by: orders, fills and ledger events, and the equity at every frame."""

    orders: tuple[OrderIntent, ...]
    fills: tuple[Fill, ...]
    equity: Mapping[int, Decimal]
    events: tuple[LedgerEvent, ...] = ()


@dataclass(frozen=True, slots=True)
class Difference:
    """The first thing in which two runs differ; a side is None where it lacks the thing."""

    seq: int
    what: str
    recorded: str | None
    replayed: str | None


def first_difference(recorded: RunLedger, replayed: RunLedger) -> Difference | None:
    """Return the earliest difference between two ledgers, or None where they are identical in every field."""
    found = [
        *_compare("order", _sorted(recorded.orders), _sorted(replayed.orders)),
        *_compare("fill", _sorted(recorded.fills), _sorted(replayed.fills)),
        *_compare("ledger event", _sorted(recorded.events), _sorted(replayed.events)),
        *(
            Difference(seq, "equity", _text(recorded.equity.get(seq)), _text(replayed.equity.get(seq)))
            for seq in sorted(recorded.equity.keys() | replayed.equity.keys())
            if recorded.equity.get(seq) != replayed.equity.get(seq)
        ),
    ]
    return min(found, key=lambda difference: difference.seq, default=None)


def _compare(what: str, recorded: Sequence[Recorded], replayed: Sequence[Recorded]) -> list[Difference]:
    for ours, theirs in zip_longest(recorded, replayed):
        if ours != theirs:
            seq = min(side.seq for side in (ours, theirs) if side is not None)
            return [Difference(seq, what, _describe(ours, theirs), _describe(theirs, ours))]
    return []


def _sorted(events: Sequence[Recorded]) -> list[Recorded]:
    return sorted(events, key=lambda event: (event.seq, _key(event)))


def _key(event: Recorded) -> str:
    return f"{event.kind} {event.symbol}" if isinstance(event, LedgerEvent) else event.client_order_id


def _describe(event: Recorded | None, other: Recorded | None) -> str | None:
    """Name the event, and the fields in which it differs from the other."""
    if event is None:
        return None
    differing = [
        f"{field.name} {getattr(event, field.name)}"
        for field in fields(event)
        if other is not None and getattr(event, field.name) != getattr(other, field.name)
    ]
    what = event.kind if isinstance(event, LedgerEvent) else event.side
    return f"{what} {event.quantity} {event.symbol} ({', '.join(differing) or _key(event)})"


def _text(value: Decimal | None) -> str | None:
    return None if value is None else str(value)
