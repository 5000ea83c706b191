"""Whether the forecasts of a run ask for new risk, frame by frame: what a desk, a backtest and a replay share."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from outcry.labels.horizon import LabelArray
from outcry.market.frame import BoolArray, FloatArray
from outcry.messages import CoverageReport, ReasonArray
from outcry.models.uncertainty.abstain import AbstainRule, abstain_reasons
from outcry.models.uncertainty.adaptive_sets import AdaptiveSets
from outcry.models.uncertainty.coverage import CoverageMonitor
from outcry.models.uncertainty.spread import Spread

State = dict[str, NDArray[Any]]


class Abstention:
    """Judge the forecasts of each frame by prediction sets that learn from what became of earlier ones.

    Parameters
    ----------
    rule : AbstainRule
    sets : AdaptiveSets, optional
        Of the bundle in service; with a gamma of 0 their level stays. Absent where it has none.
    monitor : CoverageMonitor, optional
        Of the sets.

    Notes
    -----
    A deterministic function of forecasts and outcomes: fed with the same frames it gives the same bits. A frame without
    a forecast is fed with NaN.
    """

    def __init__(
        self, rule: AbstainRule, sets: AdaptiveSets | None = None, monitor: CoverageMonitor | None = None
    ) -> None:
        self.rule = rule
        self._sets = sets
        self._monitor = monitor

    @property
    def sets(self) -> BoolArray | None:
        """bool (n_symbols, 3): the prediction sets of the last frame; None where there are none."""
        return None if self._sets is None else self._sets.sets

    @property
    def coverage(self) -> CoverageReport | None:
        """What the last frames say of the coverage; None while they are too few."""
        return None if self._monitor is None else self._monitor.report

    def update(self, probability: FloatArray, settled: LabelArray, spread: Spread | None = None) -> ReasonArray:
        """Learn what became of the frame a horizon ago, then judge the forecasts of this one.

        Parameters
        ----------
        probability : float64 (n_symbols, 3)
            Of the frame; NaN rows where there is no forecast.
        settled : int8 (n_symbols,)
            The labels of the frame a horizon ago; negative where they are not known.
        spread : Spread, optional
            Of the members, where there are several.

        Returns
        -------
        int8 (n_symbols,)
            Of `AbstainReason`.
        """
        reasons: ReasonArray = self.replay(probability[np.newaxis], settled[np.newaxis], spread)[0]
        return reasons

    def replay(self, probability: FloatArray, settled: LabelArray, spread: Spread | None = None) -> ReasonArray:
        """Update with frame after frame, and return the reasons of each, int8 (n_frames, n_symbols).

        Parameters
        ----------
        probability : float64 (n_frames, n_symbols, 3)
        settled : int8 (n_frames, n_symbols)
        spread : Spread, optional
            Of n_frames * n_symbols rows.
        """
        sets: BoolArray | None = None
        if self._sets is not None:
            sets = np.empty(probability.shape, dtype=np.bool_)
            for t in range(len(probability)):
                self._sets.update(probability[t], settled[t])
                if self._monitor is not None:
                    self._monitor.update(*self._sets.counts)
                sets[t] = self._sets.sets
            sets = sets.reshape(-1, probability.shape[2])
        rows = probability.reshape(-1, probability.shape[2])
        return abstain_reasons(rows, self.rule, sets, spread).reshape(settled.shape)

    def snapshot(self) -> State:
        """Return the state as arrays."""
        state: State = {}
        if self._sets is not None:
            state |= {f"sets_{name}": array for name, array in self._sets.snapshot().items()}
        if self._monitor is not None:
            state["coverage"] = self._monitor.snapshot()
        return state

    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Resume after the last update before the snapshot."""
        if self._sets is not None:
            self._sets.restore(_part(state, "sets_"))
        if self._monitor is not None:
            self._monitor.restore(state["coverage"])


def _part(state: Mapping[str, NDArray[Any]], prefix: str) -> State:
    return {name.removeprefix(prefix): array for name, array in state.items() if name.startswith(prefix)}
