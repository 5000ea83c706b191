"""When a forecast asks for no new risk."""

from dataclasses import dataclass

import numpy as np

from outcry.market.frame import BoolArray, FloatArray
from outcry.messages import AbstainReason, Direction, ReasonArray
from outcry.models.uncertainty.spread import Spread


@dataclass(frozen=True, slots=True)
class AbstainRule:
    """How uncertain a forecast may be.

    Attributes
    ----------
    single_direction : bool
        Whether the prediction set must hold one class alone, and that be the direction of the edge ``p_up − p_down``,
        which the portfolio trades on.
    max_disagreement : float or None
        Of `Spread.mutual_information`, nats. None sets no limit.
    min_agreement_frac : float or None
        Of `Spread.agreement_frac`. None sets no limit.
    """

    single_direction: bool = False
    max_disagreement: float | None = None
    min_agreement_frac: float | None = None

    @property
    def wants_spread(self) -> bool:
        """Whether it sets a limit to the spread of members."""
        return self.max_disagreement is not None or self.min_agreement_frac is not None


def abstain_reasons(
    probability: FloatArray, rule: AbstainRule, sets: BoolArray | None = None, spread: Spread | None = None
) -> ReasonArray:
    """Return the first reason of each row to ask for no new risk.

    Parameters
    ----------
    probability : float64 (n_rows, 3)
        Columns in the order of `Direction`.
    rule : AbstainRule
    sets : bool (n_rows, 3), optional
        Of `outcry.models.uncertainty.prediction_sets.PredictionSets`. Absent where there are none to ask.
    spread : Spread, optional
        Absent where there is no limit, or one member.

    Returns
    -------
    int8 (n_rows,)
        Of `AbstainReason`. A NaN row has no reason: there is no forecast to withhold.
    """
    reasons: ReasonArray = np.zeros(len(probability), dtype=np.int8)
    if spread is not None and rule.min_agreement_frac is not None:
        reasons[spread.agreement_frac < rule.min_agreement_frac] = AbstainReason.AGREEMENT
    if spread is not None and rule.max_disagreement is not None:
        reasons[spread.mutual_information > rule.max_disagreement] = AbstainReason.DISAGREEMENT
    if sets is not None and rule.single_direction:
        edge = probability[:, Direction.UP] - probability[:, Direction.DOWN]
        is_up = sets[:, Direction.UP] & (edge > 0.0)
        is_down = sets[:, Direction.DOWN] & (edge < 0.0)
        reasons[(sets.sum(axis=1) != 1) | ~(is_up | is_down)] = AbstainReason.PREDICTION_SET
    reasons[np.isnan(probability).any(axis=1)] = AbstainReason.NONE
    return reasons


def count_reasons(abstain: ReasonArray | None) -> dict[str, int]:
    """Return how many forecasts abstained for each reason that there was, by its name."""
    if abstain is None:
        return {}
    counts = np.bincount(abstain.ravel(), minlength=len(AbstainReason))
    return {reason.text: int(counts[reason]) for reason in AbstainReason if reason and counts[reason]}
