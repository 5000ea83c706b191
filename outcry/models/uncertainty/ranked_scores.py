"""Nonconformity scores of rows whose outcome is known, as the quantiles that a stated coverage asks for."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from outcry.errors import BundleError
from outcry.market.frame import FloatArray, IntArray

MOST_KEPT = 1_000
"""Of more scores only so many are kept, evenly over the ranks: a quantile is then too high by a thousandth at most."""
_ROUNDING = 1e-9  # (n + 1) (1 − alpha) is whole where the exact product is


@dataclass(frozen=True, slots=True, eq=False)
class RankedScores:
    """Scores of n rows in ascending order, or some of them.

    Parameters
    ----------
    n : int
        How many rows there were.
    ranks : int64 (n_kept,)
        Which of them are kept, increasing, from 1 to n; the last one is n.
    scores : float64 (n_kept,)
        Their scores, finite and not decreasing.

    Raises
    ------
    BundleError
        Where they break one of these rules.
    """

    n: int
    ranks: IntArray
    scores: FloatArray

    def __post_init__(self) -> None:
        ranks, scores = self.ranks, self.scores
        if ranks.ndim != 1 or ranks.shape != scores.shape:
            raise BundleError(f"scores must have a rank each, had shapes {ranks.shape} and {scores.shape}")
        if self.n != (ranks[-1] if len(ranks) else 0):
            raise BundleError(f"ranks must end with n, {self.n}, ended with {ranks[-1] if len(ranks) else None}")
        if len(ranks) and not (ranks[0] >= 1 and (np.diff(ranks) > 0).all()):
            raise BundleError("ranks must be positive and increase")
        if not (np.isfinite(scores).all() and (np.diff(scores) >= 0).all()):
            raise BundleError("scores must be finite and not decrease")

    @classmethod
    def of(cls, scores: FloatArray) -> "RankedScores":
        """Return the scores of all rows, float64 (n,), thinned to `MOST_KEPT`."""
        ordered = np.sort(scores)
        ranks = np.unique(np.ceil(np.linspace(0, len(ordered), MOST_KEPT + 1)[1:]).astype(np.int64))
        ranks = ranks[ranks > 0]
        return cls(len(ordered), ranks, ordered[ranks - 1])

    def quantile(self, alpha: float) -> float:
        """Return the least threshold that a new, exchangeable row exceeds with probability `alpha` at most.

        The score of rank ``ceil((n + 1) (1 − alpha))``, or the next one that is kept: infinity where n is too small for
        that rank, and minus infinity where `alpha` is 1 or more.

        References
        ----------
        Vovk, Gammerman & Shafer, "Algorithmic learning in a random world", 2005, proposition 4.1; the form used here:
        Angelopoulos & Bates, "A gentle introduction to conformal prediction", 2021, equation 1 and theorem 1.
        """
        rank = math.ceil((self.n + 1) * (1.0 - alpha) - _ROUNDING)
        if rank > self.n:
            return math.inf
        return float(self.scores[np.searchsorted(self.ranks, rank)]) if rank >= 1 else -math.inf

    def to_content(self) -> dict[str, Any]:
        """Return what `from_content` reads, as values of JSON."""
        return {"n": self.n, "ranks": self.ranks.tolist(), "scores": self.scores.tolist()}

    @classmethod
    def from_content(cls, content: Any) -> "RankedScores":
        """Read what `to_content` wrote; `BundleError` where it is anything else."""
        try:
            n, ranks, scores = int(content["n"]), content["ranks"], content["scores"]
            return cls(n, np.array(ranks, dtype=np.int64), np.array(scores, dtype=np.float64))
        except (ValueError, TypeError, KeyError, OverflowError) as error:
            raise BundleError(f"ranked scores must have n, ranks and scores: {error!r}") from None


def check_level(alpha: float) -> None:
    """Raise `BundleError` where `alpha`, the share of outcomes that may be missed, is not in (0, 1)."""
    if not 0.0 < alpha < 1.0:
        raise BundleError(f"alpha must be in (0, 1), was {alpha}")


def parse_all(content: Sequence[Any]) -> tuple[RankedScores, ...]:
    """Read a list of ranked scores."""
    return tuple(RankedScores.from_content(each) for each in content)
