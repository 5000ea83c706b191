"""How much the selections of several folds agree."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from outcry.errors import DataValidationError
from outcry.market.frame import BoolArray, FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class Stability:
    """What `measure_stability` found.

    Attributes
    ----------
    names : tuple of str
        Of all columns there were to choose from.
    frequency_frac : float64 (n_features,)
        Part of the folds that chose the column.
    mean_rank : float64 (n_features,)
        Mean place of the column in the folds that chose it, 1 the best; NaN where none did.
    jaccard : float
        Mean over pairs of folds of the columns chosen by both over those chosen by either; in [0, 1].
    nogueira : float
        Agreement beyond chance: 1 where all folds chose the same, 0 on average where they chose at random. NaN where
        every fold chose every column: there was nothing to agree on.
    """

    names: tuple[str, ...]
    frequency_frac: FloatArray
    mean_rank: FloatArray
    jaccard: float
    nogueira: float


def measure_stability(chosen: Sequence[Sequence[str]], names: Sequence[str]) -> Stability:
    """Compare what several folds chose.

    With M folds, d columns, ``p_f`` the part of the folds that chose column f and ``k`` the mean number of columns
    chosen: ``nogueira = 1 - mean_f(M / (M - 1) p_f (1 - p_f)) / (k/d (1 - k/d))``. Where all folds choose as many
    columns, that is the mean over pairs of Kuncheva's index ``(r d - k²) / (k (d - k))``, r the number chosen by both.

    Parameters
    ----------
    chosen : sequence of sequence of str
        Of each fold, the best first; none empty, none with a name twice.
    names : sequence of str
        Of all columns there were to choose from.

    Raises
    ------
    DataValidationError
        Where there are fewer than two folds, one is empty, or a chosen name is none of `names`.

    Notes
    -----
    Training rows of an expanding window hold those of the fold before it, so folds agree more than independent samples
    would. There is no interval with the index for that reason.

    References
    ----------
    Nogueira, Sechidis & Brown, "On the stability of feature selection algorithms", Journal of Machine Learning
    Research 18, 2018, definition 4 and theorem 2.
    Kuncheva, "A stability index for feature selection", 2007.
    """
    rank = _ranks(chosen, names)
    is_chosen = ~np.isnan(rank)
    times = is_chosen.sum(axis=0)
    mean_rank = np.full(len(names), np.nan)
    np.divide(np.nansum(rank, axis=0), times, out=mean_rank, where=times > 0)
    pairs = combinations(is_chosen, 2)
    return Stability(
        names=tuple(names),
        frequency_frac=times / len(chosen),
        mean_rank=mean_rank,
        jaccard=float(np.mean([(one & other).sum() / (one | other).sum() for one, other in pairs])),
        nogueira=_nogueira(is_chosen),
    )


def _ranks(chosen: Sequence[Sequence[str]], names: Sequence[str]) -> FloatArray:
    """Return (n_folds, n_features): the place of each column in each fold, NaN where it was not chosen."""
    if len(chosen) < 2:
        raise DataValidationError(f"stability must be measured over two folds or more, was over {len(chosen)}")
    column = {name: k for k, name in enumerate(names)}
    rank = np.full((len(chosen), len(names)), np.nan)
    for fold, of_fold in enumerate(chosen):
        if not of_fold:
            raise DataValidationError(f"fold {fold + 1} must have chosen a column, chose none")
        for place, name in enumerate(of_fold, start=1):
            if name not in column:
                raise DataValidationError(f"a chosen column must be one of the {len(names)} given, was {name}")
            rank[fold, column[name]] = place
    return rank


def _nogueira(is_chosen: BoolArray) -> float:
    n_folds = len(is_chosen)
    frequency = is_chosen.mean(axis=0)
    density = frequency.mean()
    if is_chosen.all():
        return float("nan")
    variance = n_folds / (n_folds - 1) * frequency * (1.0 - frequency)
    return float(1.0 - variance.mean() / (density * (1.0 - density)))
