"""Prediction sets: the classes that cannot be ruled out, with a stated coverage (split conformal prediction).

A class stands in the set of a row where its score, how ill it fits the forecast, is no larger than that of most rows
whose outcome is known. The set then holds the class that comes with probability 1 − alpha or more, whatever the model,
as long as old and new rows are exchangeable: prices are not, which is why `AdaptiveSets` follows the outcomes.

References
----------
Vovk, Gammerman & Shafer, "Algorithmic learning in a random world", 2005, sections 4.1 (split) and 4.5 (Mondrian).
Sadinle, Lei & Wasserman, "Least ambiguous set-valued classifiers with bounded error levels", JASA 114 (2019): ``lac``.
Romano, Sesia & Candès, "Classification with valid and adaptive coverage", NeurIPS 2020, equation 7, here without
randomisation, which makes sets larger and repeatable: ``aps``.
Angelopoulos et al., "Uncertainty sets for image classifiers using conformal prediction", ICLR 2021, equation 4: the
penalty of ``raps``.
"""

import json
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from outcry.errors import BundleError
from outcry.market.frame import BoolArray, FloatArray
from outcry.messages import Direction
from outcry.models.uncertainty.ranked_scores import RankedScores, parse_all

ScoreName = Literal["lac", "aps", "raps"]


def class_scores(probability: FloatArray, score: ScoreName, penalty: float = 0.0, n_free: int = 1) -> FloatArray:
    """Return how ill each class fits the forecast.

    ``lac``: ``1 − p_k``. ``aps``: the probability of the classes that are at least as likely, k included. ``raps``:
    that, and `penalty` for each place beyond `n_free` that k has among the classes.

    Parameters
    ----------
    probability : float64 (n_rows, 3)
    score : str
    penalty : float
    n_free : int

    Returns
    -------
    float64 (n_rows, 3)
        NaN where the row is. Of equal probabilities the first in the order of `Direction` counts as the larger one.

    Notes
    -----
    Additions and comparisons only, in a fixed order: a row gets the same bits whatever rows stand beside it.
    """
    if score == "lac":
        return 1.0 - probability
    scores = np.empty_like(probability)
    for k in range(probability.shape[1]):
        total, place = probability[:, k].copy(), np.ones(len(probability))
        for other in range(probability.shape[1]):
            if other == k:
                continue
            goes_first = probability[:, other] >= probability[:, k]
            if other > k:
                goes_first = probability[:, other] > probability[:, k]
            total += np.where(goes_first, probability[:, other], 0.0)
            place += goes_first
        scores[:, k] = total + penalty * np.maximum(place - n_free, 0.0) if score == "raps" else total
    return scores


@dataclass(frozen=True, slots=True, eq=False)
class PredictionSets:
    """What a bundle knows to make prediction sets: ``conformal.json``.

    Parameters
    ----------
    score : str
        See `class_scores`.
    ranked : tuple of RankedScores
        One for all rows; or one for the rows of each class, in the order of `Direction` (Mondrian): each class is then
        covered by itself, a rare one as well as a common one.
    penalty : float
    n_free : int

    Raises
    ------
    BundleError
        Where they break one of these rules.
    """

    score: ScoreName
    ranked: tuple[RankedScores, ...]
    penalty: float = 0.0
    n_free: int = 1

    def __post_init__(self) -> None:
        if self.score not in get_args(ScoreName):
            raise BundleError(f"score must be one of {', '.join(get_args(ScoreName))}, was {self.score!r}")
        if len(self.ranked) not in (1, len(Direction)):
            raise BundleError(f"ranked must hold 1 or {len(Direction)}, held {len(self.ranked)}")
        if not 0.0 <= self.penalty < np.inf:
            raise BundleError(f"penalty must not be negative, was {self.penalty}")

    def thresholds(self, alpha: float) -> FloatArray:
        """Return the largest score that keeps each class in a set, float64 (3,); 1 - `alpha` is the coverage."""
        quantiles = [ranked.quantile(alpha) for ranked in self.ranked]
        return np.full(len(Direction), quantiles[0]) if len(quantiles) == 1 else np.array(quantiles)

    def sets(self, probability: FloatArray, alpha: float) -> BoolArray:
        """Return which classes the set of each row holds.

        Parameters
        ----------
        probability : float64 (n_rows, 3)
        alpha : float
            The share of outcomes that may be missed; any number, see `RankedScores.quantile`.

        Returns
        -------
        bool (n_rows, 3)
            All of them for a NaN row, of which nothing can be ruled out.
        """
        scores = class_scores(probability, self.score, self.penalty, self.n_free)
        is_out: BoolArray = scores > self.thresholds(alpha)
        return ~is_out

    def to_json(self) -> bytes:
        content = {
            "score": self.score,
            "penalty": self.penalty,
            "n_free": self.n_free,
            "ranked": [ranked.to_content() for ranked in self.ranked],
        }
        return (json.dumps(content) + "\n").encode()

    @classmethod
    def from_json(cls, text: bytes) -> "PredictionSets":
        """Read what `to_json` wrote; `BundleError` where it is anything else."""
        try:
            content = json.loads(text)
            penalty, n_free = float(content["penalty"]), int(content["n_free"])
            return cls(content["score"], parse_all(content["ranked"]), penalty, n_free)
        except (ValueError, TypeError, KeyError) as error:
            raise BundleError(f"conformal must have score, penalty, n_free and ranked: {error!r}") from None
