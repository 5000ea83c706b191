"""How far the values of a column have moved from where they were."""

import numpy as np

from outcry.market.frame import FloatArray, IntArray

N_BINS = 10


def stability_index(before: FloatArray, after: FloatArray) -> FloatArray:
    """Return the population stability index of each column, float64 (n_features,).

    ``Σ_b (a_b − e_b) ln(a_b / e_b)`` over bins that hold equal parts of the known values before, and a bin for values
    that are not known; e_b and a_b are the fractions of the rows before and after in bin b, each counted with half a
    row more. 0 where nothing has moved; by a rule of thumb of the credit trade, below 0.1 is little and above 0.25
    much.

    Parameters
    ----------
    before, after : float64 (n_rows, n_features)
        At least one row each.

    Notes
    -----
    A column that is the same for all symbols has as many values as there are frames: with few of them its index is
    large by chance.

    References
    ----------
    Siddiqi, "Credit risk scorecards", 2006, chapter 9.
    Yurdakul, "Statistical properties of population stability index", 2018.
    """
    return np.array([_index(before[:, column], after[:, column]) for column in range(before.shape[1])])


def _index(before: FloatArray, after: FloatArray) -> float:
    known = before[~np.isnan(before)]
    places = np.arange(1, N_BINS) / N_BINS
    edges = np.unique(np.quantile(known, places, method="inverted_cdf")) if known.size else known
    expected, actual = (_fractions(values, edges) for values in (before, after))
    return float(((actual - expected) * np.log(actual / expected)).sum())


def _fractions(values: FloatArray, edges: FloatArray) -> FloatArray:
    bins: IntArray = np.searchsorted(edges, values)
    bins[np.isnan(values)] = len(edges) + 1
    counts = np.bincount(bins, minlength=len(edges) + 2) + 0.5
    fractions: FloatArray = counts / counts.sum()
    return fractions
