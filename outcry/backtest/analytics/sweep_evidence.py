"""What a sweep of parameters says about the run that it chose."""

from dataclasses import dataclass

from outcry.backtest.analytics.deflated_sharpe import DeflatedSharpe
from outcry.backtest.analytics.overfitting import Overfitting
from outcry.backtest.analytics.sensitivity import Sensitivity


@dataclass(frozen=True, slots=True, eq=False)
class SweepEvidence:
    """Hold what is known of the trials that a run was chosen from.

    Attributes
    ----------
    n_trials : int
        Every trial that could have been chosen, failed ones included.
    deflated : DeflatedSharpe or None
    overfitting : Overfitting or None
    sensitivity : Sensitivity or None
        None where the sweep is too small for one.
    cautions : tuple of str
        Sentences of `sweep_cautions`.
    """

    n_trials: int
    deflated: DeflatedSharpe | None
    overfitting: Overfitting | None
    sensitivity: Sensitivity | None
    cautions: tuple[str, ...]
