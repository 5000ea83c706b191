"""What a limit did, in words."""

from collections.abc import Sequence

from outcry.market.frame import FloatArray
from outcry.market.universe import Universe
from outcry.messages import RiskEvent, Side
from outcry.order_rows import PURPOSES
from outcry.risk.kernels.layout import (
    CLIPPED,
    FLATTENED,
    LIMIT_NAMES,
    NEW_RISK_REFUSED,
    REDUCED,
    REFUSED,
    SCALED,
    SENT,
    SESSION_BLOCKED,
)

_PLAIN = {
    REFUSED: "refused",
    SESSION_BLOCKED: "new risk blocked until the next session",
    FLATTENED: "flattened and halted",
}


def to_risk_event(
    seq: int, numbers: Sequence[int], values: Sequence[float], universe: Universe, ladder: FloatArray
) -> RiskEvent:
    """Return an event of the kernels as a message.

    Parameters
    ----------
    seq : int
        The frame.
    numbers, values : sequences of int and float
        One row of `outcry.risk.kernels.layout`, each.
    universe : Universe
    ladder : float64 (n_steps, 2)
        Drawdown and exposure of each step.
    """
    limit, symbol, action, first, second = numbers
    value, threshold = values
    name = universe.symbols[symbol] if symbol >= 0 else ""
    return RiskEvent(seq, LIMIT_NAMES[limit], name, value, threshold, _words(action, first, second, universe, ladder))


def halt_reason(values: Sequence[float]) -> str:
    """Return why the last step of the ladder halted, from the values of its event."""
    value, threshold = values
    return f"drawdown {value:.4f} reached {threshold}"


def _words(action: int, first: int, second: int, universe: Universe, ladder: FloatArray) -> str:
    if action == CLIPPED:
        return f"clipped to {first * universe.lot} of {second * universe.lot}"
    if action == SENT:
        side = Side.BUY if first > 0 else Side.SELL
        return f"{PURPOSES[second]}: {side} {abs(first) * universe.lot}"
    if action == SCALED:
        return f"exposure scaled to {ladder[first - 1, 1] if first else 1.0:g}"
    if action == NEW_RISK_REFUSED:
        return f"new risk refused in {first} orders"
    if action == REDUCED:
        return f"positions reduced in {first} orders"
    return _PLAIN[action]
