"""Prediction sets that follow the outcomes: their coverage holds in the long run, whatever the market does."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from outcry.errors import ConfigurationError, DataValidationError
from outcry.labels.horizon import LabelArray, check_horizon
from outcry.market.frame import BoolArray, FloatArray
from outcry.models.uncertainty.prediction_sets import PredictionSets
from outcry.models.uncertainty.ranked_scores import check_level

State = dict[str, NDArray[Any]]


class AdaptiveSets:
    """Make the prediction sets of each frame at a level that rises after too few misses and falls after too many.

    With err_t the share of the symbols whose outcome fell outside the sets that were made `horizon_bars` before t:

        α_tp1 = α_t + γ (α − err_t)

    in frames where an outcome became known; elsewhere α_t stays. An outcome that never comes is never counted.

    Parameters
    ----------
    sets : PredictionSets
    alpha : float
        The share of outcomes that may be missed, in (0, 1); also the first α_t.
    gamma : float
        How fast the level follows, positive; 0 keeps it.
    horizon_bars : int
        From a set to its outcome, in frames.
    n_symbols : int

    Notes
    -----
    Since a set at α_t ≤ 0 holds every class and one at α_t ≥ 1 none, and h = `horizon_bars` sets are under way when α_t
    leaves [0, 1], it stays within hγ of it. After T frames with outcomes the mean of err_t is thus within
    ``(max(α, 1 − α) + h γ) / (γ T)`` of α, for every sequence of outcomes; for h = 1 this is the bound of the source.
    A deterministic function of the frames: the same forecasts and outcomes give the same bits, in a replay too.

    References
    ----------
    Gibbs & Candès, "Adaptive conformal inference under distribution shift", NeurIPS 2021, equation 2 and proposition
    4.1; there an outcome is known before the next set is made.
    """

    def __init__(self, sets: PredictionSets, alpha: float, gamma: float, horizon_bars: int, n_symbols: int) -> None:
        check_level(alpha)
        check_horizon(horizon_bars)
        if not 0.0 <= gamma < np.inf:
            raise ConfigurationError(f"gamma must not be negative, was {gamma}")
        self._rule = sets
        self._alpha, self._gamma = alpha, gamma
        self._alpha_t = alpha
        self._sets: BoolArray = np.zeros((horizon_bars, n_symbols, 3), dtype=np.bool_)
        self._is_made: BoolArray = np.zeros((horizon_bars, n_symbols), dtype=np.bool_)
        self._n_frames = 0
        self._counts = 0, 0

    @property
    def alpha_t(self) -> float:
        """The level of the next sets; outside [0, 1] where even the widest or narrowest sets are not enough."""
        return self._alpha_t

    @property
    def sets(self) -> BoolArray:
        """bool (n_symbols, 3): the sets of the last frame, as of `PredictionSets.sets`."""
        sets: BoolArray = self._sets[(self._n_frames - 1) % len(self._sets)].copy()
        return sets

    @property
    def counts(self) -> tuple[int, int]:
        """How many outcomes the last frame brought that their sets held, and how many in all."""
        return self._counts

    def update(self, probability: FloatArray, outcome: LabelArray) -> None:
        """Take the outcomes that became known at the close of a frame, then make its sets.

        Parameters
        ----------
        probability : float64 (n_symbols, 3)
            Of the frame. A NaN row makes a set that is never counted.
        outcome : int8 (n_symbols,)
            Of `Direction`: what became of the frame `horizon_bars` ago; negative where it is not known.
        """
        n_symbols = self._is_made.shape[1]
        if probability.shape != (n_symbols, 3) or outcome.shape != (n_symbols,):
            raise DataValidationError(
                f"probability and outcome must have shapes {(n_symbols, 3)} and {(n_symbols,)}, "
                f"had {probability.shape} and {outcome.shape}"
            )
        place = self._n_frames % len(self._sets)
        known = np.flatnonzero(self._is_made[place] & (outcome >= 0))
        n_covered = int(np.count_nonzero(self._sets[place, known, outcome[known]]))
        self._counts = n_covered, len(known)
        if len(known):
            self._alpha_t += self._gamma * (self._alpha - (len(known) - n_covered) / len(known))
        self._sets[place] = self._rule.sets(probability, self._alpha_t)
        self._is_made[place] = ~np.isnan(probability).any(axis=1)
        self._n_frames += 1

    def snapshot(self) -> State:
        """Return the state as arrays."""
        return {
            "alpha_t": np.array([self._alpha_t]),
            "sets": self._sets.copy(),
            "is_made": self._is_made.copy(),
            "numbers": np.array([self._n_frames, *self._counts], dtype=np.int64),
        }

    def restore(self, state: State) -> None:
        """Resume after the last update before the snapshot; `DataValidationError` where it is of another shape."""
        if state["sets"].shape != self._sets.shape:
            raise DataValidationError(f"sets must have shape {self._sets.shape}, was {state['sets'].shape}")
        self._alpha_t = float(state["alpha_t"][0])
        self._sets = np.array(state["sets"], dtype=np.bool_)
        self._is_made = np.array(state["is_made"], dtype=np.bool_)
        self._n_frames, *counts = (int(number) for number in state["numbers"])
        self._counts = counts[0], counts[1]
