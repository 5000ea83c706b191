"""What was lost: since the session started, and from the peak."""

from outcry.compiled import inlined_kernel
from outcry.market.frame import FloatArray, IntArray
from outcry.risk.kernels.events import Events, write_event
from outcry.risk.kernels.layout import (
    ALL_SYMBOLS,
    DAILY_LOSS,
    DAILY_LOSS_FRAC,
    DRAWDOWN,
    EQUITY,
    FLATTENED,
    IS_FLATTENING,
    IS_HALTED,
    IS_SESSION_BLOCKED,
    LADDER_RECOVERY_FRAC,
    PEAK_EQUITY,
    RUNG,
    SCALED,
    SESSION,
    SESSION_BLOCKED,
    SESSION_START_EQUITY,
)

DRAWDOWN_FRAC, EXPOSURE_FRAC = range(2)
"""Columns of the ladder."""


@inlined_kernel
def loss_frac(equity: int, start: int) -> float:
    """Return the loss since `start`, both in money units, in [0, 1]."""
    return min(max((start - equity) / start, 0.0), 1.0) if start > 0 else 0.0


@inlined_kernel
def exposure_frac(rung: int, ladder: FloatArray) -> float:
    """Return the part of wanted exposure that may be held with `rung` steps in force."""
    return ladder[rung - 1, EXPOSURE_FRAC] if rung > 0 else 1.0


@inlined_kernel
def measure_losses(
    state: IntArray, session: int, config: FloatArray, ladder: FloatArray, equity: int, events: Events
) -> int:
    """Put the equity of a frame into the state, with what follows from it; return the number of events.

    Parameters
    ----------
    session : int
        Of the frame.
    config, ladder : float64 (N_CONFIG,), (n_steps, 2)
        Each step of the ladder is a drawdown and the part of exposure it leaves; 0 flattens and halts.
    equity : int
        Money units.

    Notes
    -----
    A session starts with the equity of the last frame before it: the gap of the opening counts, and with daily bars
    the loss of a session is that of its one bar. A session that has reached the limit stays blocked if it recovers.

    A step of the ladder is left again once the drawdown is below ``ladder_recovery_frac`` of its threshold.
    """
    if session != state[SESSION]:
        state[SESSION_START_EQUITY] = equity if state[SESSION] < 0 else state[EQUITY]
        state[SESSION] = session
        state[IS_SESSION_BLOCKED] = 0
    state[EQUITY] = equity
    n_events = 0
    lost_frac = loss_frac(equity, state[SESSION_START_EQUITY])
    largest = config[DAILY_LOSS_FRAC]
    if state[IS_SESSION_BLOCKED] == 0 and lost_frac >= largest:
        state[IS_SESSION_BLOCKED] = 1
        n_events = write_event(events, n_events, DAILY_LOSS, ALL_SYMBOLS, SESSION_BLOCKED, 0, 0, lost_frac, largest)

    state[PEAK_EQUITY] = max(state[PEAK_EQUITY], equity)
    drawdown_frac = loss_frac(equity, state[PEAK_EQUITY])
    reached = kept = 0
    for step in range(len(ladder)):
        reached += drawdown_frac >= ladder[step, DRAWDOWN_FRAC]
        kept += drawdown_frac >= config[LADDER_RECOVERY_FRAC] * ladder[step, DRAWDOWN_FRAC]
    before = min(state[RUNG], len(ladder))
    rung = max(reached, min(before, kept))
    state[RUNG] = rung
    if rung != before:
        threshold = ladder[max(rung, before) - 1, DRAWDOWN_FRAC]
        action = SCALED
        if exposure_frac(rung, ladder) == 0:
            action = FLATTENED
            state[IS_HALTED] = state[IS_FLATTENING] = 1
        n_events = write_event(events, n_events, DRAWDOWN, ALL_SYMBOLS, action, rung, 0, drawdown_frac, threshold)
    return n_events
