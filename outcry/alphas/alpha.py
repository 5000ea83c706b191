"""What an alpha is, and the feature columns it reads."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from outcry.errors import ConfigurationError
from outcry.features.config import FeatureSetConfig
from outcry.market.frame import FloatArray


@dataclass(frozen=True, slots=True)
class Alpha:
    """A score of every symbol at one instant: more of it, more of a return is expected.

    Parameters
    ----------
    name : str
        ``alpha_{kind}_{windows}``; windows are in bars, whatever their size.
    formula : str
    source : str
    reads : tuple of str
        Feature columns.
    windows : tuple of (str, tuple of int)
        Kinds of indicators with the windows that give those columns, as in the section ``features.windows``.
    compute : callable
        From the columns of `reads`, float64 of any one shape, to the score of that shape: NaN where not known. It uses
        additions, multiplications, divisions and comparisons, each correctly rounded and of one value at a time, so a
        score has the same bits live, where a frame comes alone, and in a backtest.
    """

    name: str
    formula: str
    source: str
    reads: tuple[str, ...]
    windows: tuple[tuple[str, tuple[int, ...]], ...]
    compute: Callable[..., FloatArray]


def alpha_features(alphas: Iterable[Alpha]) -> FeatureSetConfig:
    """Return the feature set of the columns that alphas read, and no other."""
    windows: dict[str, set[tuple[int, ...]]] = {}
    columns: dict[str, None] = {}
    for alpha in alphas:
        columns |= dict.fromkeys(alpha.reads)
        for kind, window in alpha.windows:
            windows.setdefault(kind, set()).add(window)
    return FeatureSetConfig(
        windows={kind: tuple(sorted(chosen)) for kind, chosen in windows.items()}, columns=tuple(columns)
    )


def score_alphas(alphas: Sequence[Alpha], values: FloatArray, names: Sequence[str]) -> FloatArray:
    """Compute alphas of features.

    Parameters
    ----------
    alphas : sequence of Alpha
    values : float64 (..., n_symbols, n_features)
        Of one frame or of many.
    names : sequence of str
        Of the features.

    Returns
    -------
    float64 (n_alphas, ..., n_symbols)
        NaN where not known.

    Raises
    ------
    ConfigurationError
        Where a column is missing.
    """
    places = {name: place for place, name in enumerate(names)}
    scores = np.empty((len(alphas), *values.shape[:-1]))
    for score, alpha in zip(scores, alphas, strict=True):
        for column in alpha.reads:
            if column not in places:
                needed = ", ".join(f"{kind} {list(window)}" for kind, window in alpha.windows)
                raise ConfigurationError(f"features must hold {column}, which {alpha.name} reads; windows: {needed}")
        score[...] = alpha.compute(*(values[..., places[column]] for column in alpha.reads))
    return scores


def quotient(above: FloatArray, below: FloatArray) -> FloatArray:
    """Return above / below, NaN where below is not positive."""
    ratio: FloatArray = np.divide(above, below, out=np.full(np.shape(above), np.nan), where=below > 0.0)
    return ratio
