"""Shapley values of the log-odds of a forecast, for any model that can be asked.

The *log-odds* of class k are ``m_k = ln p_k − (ln p_up + ln p_neutral + ln p_down) / 3``, in nats: what goes into a
softmax, less the part that it forgets. ``m_k − m_l = ln(p_k / p_l)`` for any two classes. What columns contribute to
a row adds up, with the base, to the log-odds of that row.

References
----------
Shapley, "A value for n-person games", 1953.
Štrumbelj & Kononenko, "Explaining prediction models and individual predictions with feature contributions",
Knowledge and Information Systems 41, 2014, algorithm 2 (drawn orders).
Mitchell, Cooper, Frank & Holmes, "Sampling permutations for Shapley value estimation", JMLR 23, 2022, section 4.1
(an order and its reverse).
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from outcry.market.frame import BoolArray, FloatArray
from outcry.messages import Direction
from training.explain.sample import Sample

LEAST_PROBABILITY = 1e-6
"""Of an estimate by asking: what is less likely counts as this, for its logarithm has to be finite."""

Predict = Callable[[Sample], FloatArray]
"""From rows to class probabilities, float64 (n_rows, 3)."""


@dataclass(frozen=True, slots=True, eq=False)
class Shapley:
    """What each column adds to the log-odds of each row.

    Attributes
    ----------
    base : float64 (3,)
        Log-odds before any column has spoken; NaN for a class that the model does not know.
    values : float64 (n_rows, 3, n_features)
        0 for such a class.
    """

    base: FloatArray
    values: FloatArray


def log_odds(probability: FloatArray) -> FloatArray:
    """Return float64 (n_rows, 3) for class probabilities; see the module. A row of NaN says nothing: 0 for all."""
    said = np.nan_to_num(probability, nan=1.0 / len(Direction))
    logarithm = np.log(np.maximum(said, LEAST_PROBABILITY))
    centred: FloatArray = logarithm - logarithm.mean(axis=1, keepdims=True)
    return centred


def centred(margins: FloatArray) -> Shapley:
    """Return contributions to log-odds from those to sums before a softmax.

    Parameters
    ----------
    margins : float64 (n_rows, 3, n_features + 1)
        What each column adds, and at the end what all begin with, the same in every row. NaN throughout for a class
        that the model does not know.
    """
    is_known: BoolArray = np.asarray(~np.isnan(margins[:, :, -1]).any(axis=0))
    margins = margins - margins[:, is_known].mean(axis=1, keepdims=True)
    base = margins[:, :, -1].mean(axis=0)
    return Shapley(base, np.where(is_known[:, np.newaxis], margins[:, :, :-1], 0.0))


def sample_shapley(
    predict: Predict,
    sample: Sample,
    background: Sample,
    rng: np.random.Generator,
    report: Callable[[float], None] = lambda _fraction: None,
) -> Shapley:
    """Ask a model what it says as the columns of a row take the place of those of another row, one after the other.

    Parameters
    ----------
    predict : callable
    sample : Sample
        To explain.
    background : Sample
        Other rows, n of them: each gives way in a drawn order of the columns and in its reverse. The base is the mean
        of their log-odds.
    rng : numpy.random.Generator
    report : callable
        Called with the fraction that is done.

    Notes
    -----
    A column that the model does not read contributes exactly 0. Of a window, a column is the values of all its bars.
    It asks for ``2 n n_features n_rows`` forecasts. Contributions add up whatever n is; their error falls as
    ``1 / sqrt(n)``.
    """
    n_rows, n_features = sample.rows.shape
    values, base = np.zeros((n_rows, len(Direction), n_features)), np.zeros(len(Direction))
    for number in range(len(background)):
        begin = background.take(np.full(n_rows, number))
        before = log_odds(predict(begin))
        base += before[0]
        order = rng.permutation(n_features)
        for columns in (order, order[::-1]):
            rows = begin.rows.copy()
            windows = None if begin.windows is None or sample.windows is None else begin.windows.copy()
            said = before
            for column in columns:
                rows[:, column] = sample.rows[:, column]
                if windows is not None and sample.windows is not None:
                    windows[:, :, column] = sample.windows[:, :, column]
                now = log_odds(predict(Sample(rows, windows, sample.frame, sample.labels)))
                values[:, :, column] += now - said
                said = now
        report((number + 1) / len(background))
    return Shapley(base / len(background), values / (2 * len(background)))
