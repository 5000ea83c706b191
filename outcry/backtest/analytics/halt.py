"""How much of a run was not traded, because a limit or an operator had halted it."""

from dataclasses import dataclass

import numpy as np

from outcry.backtest.history import RunHistory
from outcry.risk.kill_switch import NAME as OPERATOR


@dataclass(frozen=True, slots=True)
class Halt:
    """The time that a run stood still.

    Attributes
    ----------
    first_ts_ns : int
        Close of the frame at which it was halted for the first time, nanoseconds UTC.
    is_by_operator : bool
        The first time; otherwise by the last step of the drawdown ladder.
    drawdown_frac : float
        That of the account then.
    halted_frac : float
        Share of the frames of the run that came after a halt, and before it was resumed.
    """

    first_ts_ns: int
    is_by_operator: bool
    drawdown_frac: float
    halted_frac: float


def find_halt(history: RunHistory) -> Halt | None:
    """Return when and for how much of its frames a run was halted; None for one that never was."""
    n = len(history.ts_close_ns)
    is_halted = np.zeros(n, dtype=np.bool_)
    first = None
    for event in history.risk_events:
        if "halted" in event.action:
            first = first or event
            is_halted[event.seq + 1 :] = True
        elif event.action == "resumed":
            is_halted[event.seq + 1 :] = False
    if first is None:
        return None
    return Halt(
        first_ts_ns=int(history.ts_close_ns[min(first.seq, n - 1)]),
        is_by_operator=first.limit == OPERATOR,
        drawdown_frac=first.value,
        halted_frac=float(is_halted.mean()),
    )
