"""What a method answers: the columns it chose, and its score of every column it looked at."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from outcry.errors import DataValidationError
from outcry.market.frame import BoolArray, FloatArray


@dataclass(frozen=True, slots=True)
class Selection:
    """The answer of one method.

    Attributes
    ----------
    method : str
    names : tuple of str
        The chosen columns, the best first; of equal scores the first in the rows.
    scores : dict of str to float
        Of every column the method looked at, in the order of the rows; more is better. The unit is that of the method.
    """

    method: str
    names: tuple[str, ...]
    scores: dict[str, float]


def keep_marked(
    method: str, names: Sequence[str], scores: FloatArray, is_kept: BoolArray, *, or_all: bool = False
) -> Selection:
    """Choose the marked columns.

    Parameters
    ----------
    method : str
    names : sequence of str
        Of the columns.
    scores : float64 (n_features,)
        Finite.
    is_kept : bool (n_features,)
    or_all : bool
        All of them where none is marked: the method has found nothing to choose by, as trees of too few rows to split.

    Raises
    ------
    DataValidationError
        Where no column is marked, without `or_all`: no model can be trained on none.
    """
    if or_all and not is_kept.any():
        is_kept = np.ones_like(is_kept)
    if not is_kept.any():
        raise DataValidationError(f"{method} must keep a column, kept none of {len(names)}")
    best_first = np.argsort(-scores, kind="stable")
    return Selection(
        method,
        tuple(names[k] for k in best_first if is_kept[k]),
        {name: float(score) for name, score in zip(names, scores, strict=True)},
    )


def keep_best(method: str, names: Sequence[str], scores: FloatArray, n_columns: int | None) -> Selection:
    """Choose the `n_columns` best of the columns whose score is positive; None chooses all of those.

    A score of zero or less is, for every method that calls this, that of a column that says nothing; where none says
    anything all are kept. Shapes are those of `keep_marked`.
    """
    is_kept = np.zeros(len(scores), dtype=bool)
    is_kept[np.argsort(-scores, kind="stable")[:n_columns]] = True
    return keep_marked(method, names, scores, is_kept & (scores > 0.0), or_all=True)
