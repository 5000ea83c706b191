"""What is known of the best trial of a sweep beyond its own figures."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from outcry.backtest.analytics.deflated_sharpe import DeflatedSharpe, deflated_sharpe
from outcry.backtest.analytics.overfitting import Overfitting, backtest_overfitting
from outcry.backtest.analytics.sensitivity import Level, Sensitivity, parameter_sensitivity
from outcry.backtest.analytics.sweep_cautions import sweep_cautions
from outcry.market.frame import FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class SweepEvidence:
    """How far the best of many trials can be told from luck.

    Attributes
    ----------
    n_trials : int
        Different trials of the same strategy on the same market that are known, those of earlier sweeps included.
    deflated : DeflatedSharpe or None
    overfitting : Overfitting or None
    sensitivity : Sensitivity or None
        None where the sweep is too small for one.
    cautions : tuple of str
        Sentences, the weightiest first.
    sharpes : float64 (n_trials,)
        Sharpe ratio of one session of every known trial; NaN where it has none.
    """

    n_trials: int
    deflated: DeflatedSharpe | None
    overfitting: Overfitting | None
    sensitivity: Sensitivity | None
    cautions: tuple[str, ...]
    sharpes: FloatArray = field(default_factory=lambda: np.empty(0))

    def to_record(self) -> dict[str, Any]:
        """Return nested plain values, for JSON; of the splits their figures, not each one."""
        overfitting = self.overfitting
        return {
            "n_trials": self.n_trials,
            "deflated": None if self.deflated is None else _plain(self.deflated),
            "overfitting": None
            if overfitting is None
            else {name: value for name, value in _plain(overfitting).items() if not isinstance(value, np.ndarray)},
            "sensitivity": None if self.sensitivity is None else _plain(self.sensitivity),
            "cautions": list(self.cautions),
            "sharpes": [None if math.isnan(sharpe) else sharpe for sharpe in self.sharpes.tolist()],
        }


def weigh_sweep(
    points: Sequence[Mapping[str, Level]] | None,
    objective: FloatArray,
    returns: Mapping[int, FloatArray],
    all_sharpes: FloatArray,
    sessions_per_year: float,
) -> SweepEvidence:
    """Weigh the best trial of a sweep.

    Parameters
    ----------
    points : sequence of mapping, or None
        The values of every trial; None tells nothing of the parameters, as those of an adaptive search do not.
    objective : float64 (n_trials,)
        More is better; NaN for a trial that failed, or for which it is not defined.
    returns : mapping of int to float64 (n_sessions,)
        Session returns above the risk-free rate of every trial that was traded to its end, by its place.
    all_sharpes : float64 (n_known,)
        Sharpe ratio of one session of every trial known of this strategy and market, those of this sweep included.
    sessions_per_year : float
    """
    traded = sorted(returns)
    deflated = overfitting = None
    if np.isfinite(objective).any():
        best = int(np.nanargmax(objective))
        deflated = deflated_sharpe(returns[best], all_sharpes)
        overfitting = backtest_overfitting(np.column_stack([returns[place] for place in traded]))
    sensitivity = parameter_sensitivity(points, objective) if points else None
    inside = outside = None
    if overfitting is not None:
        annual = math.sqrt(sessions_per_year)
        inside = float(overfitting.in_sample_sharpes.mean()) * annual
        outside = float(overfitting.out_of_sample_sharpes.mean()) * annual
    cautions = tuple(sweep_cautions(deflated, overfitting, sensitivity, inside, outside))
    if points is not None and sensitivity is None:
        cautions = (*cautions, "No trial has a result; nothing can be said about the parameters.")
    return SweepEvidence(len(all_sharpes), deflated, overfitting, sensitivity, cautions, all_sharpes)


def _plain(value: Any) -> Any:
    if hasattr(value, "__dataclass_fields__"):
        return {name: _plain(getattr(value, name)) for name in value.__dataclass_fields__}
    if isinstance(value, tuple | list):
        return [_plain(each) for each in value]
    return value
