"""Say what a limit did: events as rows of numbers."""

from outcry.compiled import inlined_kernel
from outcry.market.frame import FloatArray, IntArray
from outcry.risk.kernels.layout import E_ACTION, E_FIRST, E_LIMIT, E_SECOND, E_SYMBOL, E_THRESHOLD, E_VALUE

Events = tuple[IntArray, FloatArray]
"""Rows of `outcry.risk.kernels.layout`: numbers (n_most, N_EVENT_NUMBERS) and values (n_most, N_EVENT_VALUES)."""


@inlined_kernel
def write_event(
    events: Events,
    n_events: int,
    limit: int,
    symbol: int,
    action: int,
    first: int,
    second: int,
    value: float,
    threshold: float,
) -> int:
    """Write an event after `n_events` others; return how many there are."""
    numbers, values = events
    numbers[n_events, E_LIMIT] = limit
    numbers[n_events, E_SYMBOL] = symbol
    numbers[n_events, E_ACTION] = action
    numbers[n_events, E_FIRST] = first
    numbers[n_events, E_SECOND] = second
    values[n_events, E_VALUE] = value
    values[n_events, E_THRESHOLD] = threshold
    return n_events + 1
