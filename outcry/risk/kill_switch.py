"""Halt and resume, by an operator or by the drawdown ladder."""

from collections.abc import Sequence
from dataclasses import replace

from outcry.messages import Input, InputKind, RiskEvent
from outcry.risk.state import RiskState

NAME = "kill_switch"


def halted(state: RiskState, reason: str, *, is_flattening: bool) -> RiskState:
    """Return the state in which no new risk is taken and, if asked, positions are closed."""
    return replace(state, is_halted=True, is_flattening=state.is_flattening or is_flattening, halt_reason=reason)


def resumed(state: RiskState) -> RiskState:
    """Return the state in which trading goes on, measured from here.

    The peak and the start of the session become the equity of the last frame and the ladder is left: an operator who
    resumes after a drawdown accepts it, and the limits count from the new base.
    """
    return replace(
        state,
        peak_equity=state.equity,
        session_start_equity=state.equity,
        is_session_blocked=False,
        rung=0,
        is_halted=False,
        is_flattening=False,
        halt_reason="",
    )


def apply_commands(state: RiskState, seq: int, inputs: Sequence[Input]) -> tuple[RiskState, list[RiskEvent]]:
    """Apply halts and resumes in their order; other inputs are not for the gate.

    A halt carries ``reason`` and ``flatten`` (``"true"`` or ``"false"``; absent means false).
    """
    events = []
    for command in inputs:
        if command.kind is InputKind.HALT:
            reason = command.payload.get("reason", "")
            is_flattening = command.payload.get("flatten", "false").lower() == "true"
            state = halted(state, reason, is_flattening=is_flattening)
            action = "halted and flattening" if is_flattening else "halted"
        elif command.kind is InputKind.RESUME:
            state, action = resumed(state), "resumed"
        else:
            continue
        events.append(RiskEvent(seq, NAME, "", state.drawdown_frac, 0.0, action))
    return state, events
