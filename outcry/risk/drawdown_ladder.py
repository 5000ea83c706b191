"""Hold less the deeper the drawdown, and nothing at the bottom."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from outcry.market.frame import FloatArray
from outcry.messages import RiskEvent
from outcry.risk.config import DrawdownStep
from outcry.risk.exposure import Exposure
from outcry.risk.kill_switch import halted
from outcry.risk.state import RiskState


class DrawdownLadder:
    """Scale wanted exposure by the drawdown from the peak; `DrawdownCap` holds orders to it.

    Parameters
    ----------
    steps : sequence of DrawdownStep
        Rising drawdown, falling exposure; an exposure of 0 flattens and halts.
    recovery_frac : float
        A step is left again once the drawdown is below this fraction of its threshold.

    Notes
    -----
    A step in force caps each position at ``exposure_frac`` times its target weight, or times the limit of one
    position where the portfolio has no opinion. The cap follows the target, not the position, so a step reduces
    once and does not shrink a position frame by frame.
    """

    name = "drawdown"

    def __init__(self, steps: Sequence[DrawdownStep], recovery_frac: float) -> None:
        self._steps = tuple(steps)
        self._recovery_frac = recovery_frac

    def update(self, state: RiskState, seq: int) -> tuple[RiskState, list[RiskEvent]]:
        """Return the state with the peak and the rung that follow from its equity."""
        state = replace(state, peak_equity=max(state.peak_equity, state.equity))
        drawdown_frac = state.drawdown_frac
        reached = sum(drawdown_frac >= step.drawdown_frac for step in self._steps)
        kept = sum(drawdown_frac >= self._recovery_frac * step.drawdown_frac for step in self._steps)
        rung = max(reached, min(state.rung, kept))
        if rung == state.rung:
            return state, []
        step = self._steps[max(rung, state.rung) - 1]
        exposure_frac = self.exposure_frac(rung)
        action = f"exposure scaled to {exposure_frac:g}" if exposure_frac else "flattened and halted"
        event = RiskEvent(seq, self.name, "", drawdown_frac, step.drawdown_frac, action)
        state = replace(state, rung=rung)
        if exposure_frac == 0:
            reason = f"drawdown {drawdown_frac:.4f} reached {step.drawdown_frac}"
            state = halted(state, reason, is_flattening=True)
        return state, [event]

    def exposure_frac(self, rung: int) -> float:
        """Return the part of wanted exposure that may be held with `rung` steps in force."""
        return self._steps[rung - 1].exposure_frac if rung else 1.0


class DrawdownCap:
    """Hold at most a scaled part of each target weight: an `ExposureLimit` while a step of the ladder is in force.

    Parameters
    ----------
    exposure_frac : float
        Of the step.
    target_weight : float64 (n_symbols,)
        What the portfolio wants; NaN where it has no opinion, which allows the scaled limit of one position.
    max_position_frac : float
        The limit of one position.
    """

    name = DrawdownLadder.name

    def __init__(self, exposure_frac: float, target_weight: FloatArray, max_position_frac: float) -> None:
        wanted = np.where(np.isnan(target_weight), max_position_frac, np.abs(target_weight))
        self._max_fracs = exposure_frac * wanted

    def threshold(self, exposure: Exposure, index: int) -> float:
        """Return the largest fraction of equity."""
        return float(self._max_fracs[index])

    def measure(self, exposure: Exposure, index: int, sign: int, value: float) -> float:
        """Return |value| of the symbol after the trade, as a fraction of equity."""
        return abs(exposure.value(index) + sign * value) / exposure.equity

    def room(self, exposure: Exposure, index: int, sign: int) -> float:
        """Return the value that may still trade in direction `sign`; negative by what is held too much."""
        return self.threshold(exposure, index) * exposure.equity - sign * exposure.value(index)
