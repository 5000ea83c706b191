"""Class probabilities of linear models, a row at a time and a column after the other."""

import math
from collections.abc import Callable
from functools import cache

from outcry.compiled import compile_entry_point
from outcry.market.frame import FloatArray, IntArray

LOW, HIGH, MEAN, INVERSE_DEVIATION = range(4)
"""Columns of `scale`: bounds of what is taken for a value, and what standardises it."""


@cache
def compile_predict_linear() -> Callable[..., None]:
    """Compile `predict_linear`, or load it from Numba's cache."""
    return compile_entry_point(
        predict_linear,
        "void(Array(f8, 2, 'C', readonly=True), i8[::1], f8[:,::1], f8[:,::1], f8[::1], f8, f8[:,::1])",
    )


def predict_linear(
    rows: FloatArray,
    columns: IntArray,
    scale: FloatArray,
    coefficients: FloatArray,
    intercepts: FloatArray,
    least_probability: float,
    probability: FloatArray,
) -> None:
    """Weigh the standardised columns, NaN standing at the mean, and turn the three sums into probabilities.

    Parameters
    ----------
    rows : float64 (n_rows, n_wide)
    columns : int64 (n_read,)
    scale : float64 (n_read, 4)
        See `LOW`.
    coefficients : float64 (n_read, n_classes)
    intercepts : float64 (n_classes,)
        -inf for a class that cannot be.
    least_probability : float
        NaN where the sums are margins, of which the softmax is taken. Otherwise they are probabilities themselves, but
        may lie outside [0, 1]: what is less becomes this, and they are divided by what they add up to.
    probability : float64 (n_rows, n_classes)
        Receives the result.
    """
    n_classes = len(intercepts)
    is_softmax = math.isnan(least_probability)
    for row in range(len(rows)):
        of_row = probability[row]
        for k in range(n_classes):
            of_row[k] = intercepts[k]
        for j in range(len(columns)):
            value = rows[row, columns[j]]
            if value == value:  # noqa: PLR0124 - NaN is not
                value = min(max(value, scale[j, LOW]), scale[j, HIGH])
                standardised = (value - scale[j, MEAN]) * scale[j, INVERSE_DEVIATION]
                for k in range(n_classes):
                    of_row[k] += coefficients[j, k] * standardised
        largest, total = -math.inf, 0.0
        for k in range(n_classes):
            largest = max(largest, of_row[k])
        for k in range(n_classes):
            of_row[k] = math.exp(of_row[k] - largest) if is_softmax else max(of_row[k], least_probability)
            total += of_row[k]
        for k in range(n_classes):
            of_row[k] /= total
