"""A model over what the members say: logarithms of their odds, and some features, in; class probabilities out."""

import math
from collections.abc import Callable
from functools import cache

from outcry.compiled import compile_entry_point, kernel
from outcry.market.frame import FloatArray, IntArray

LEAST_PROBABILITY = 1e-6
"""What a member says is taken to be at least this, or its odds could be infinite."""


@kernel
def _log(probability: float) -> float:
    return math.log(LEAST_PROBABILITY if probability < LEAST_PROBABILITY else probability)


@cache
def compile_read_inputs() -> Callable[[FloatArray, FloatArray, IntArray, FloatArray, FloatArray], None]:
    """Compile `read_inputs`, or load it from Numba's cache."""
    return compile_entry_point(
        read_inputs,
        "void(Array(f8, 3, 'C', readonly=True), Array(f8, 2, 'C', readonly=True), i8[::1], f8[:,::1], f8[:,::1])",
    )


def read_inputs(
    probability: FloatArray, rows: FloatArray, columns: IntArray, spread: FloatArray, inputs: FloatArray
) -> None:
    """Write ``ln(p_up / p_neutral)``, ``ln(p_down / p_neutral)`` of every member, then the features.

    Parameters
    ----------
    probability : float64 (n_members, n_rows, 3)
        At least `LEAST_PROBABILITY` is taken; a NaN makes its inputs NaN.
    rows : float64 (n_rows, n_wide)
    columns : int64 (n_features,)
    spread : float64 (n_features, 2)
        Mean and deviation of each feature; one that is NaN counts as its mean.
    inputs : float64 (n_rows, 2 n_members + n_features)
        Receives the result; features as multiples of their deviation from their mean.
    """
    n_members = len(probability)
    for row in range(len(inputs)):
        for k in range(n_members):
            neutral = _log(probability[k, row, 1])
            inputs[row, 2 * k] = _log(probability[k, row, 0]) - neutral
            inputs[row, 2 * k + 1] = _log(probability[k, row, 2]) - neutral
        for j in range(len(columns)):
            value = rows[row, columns[j]]
            known = 0.0 if math.isnan(value) else (value - spread[j, 0]) / spread[j, 1]
            inputs[row, 2 * n_members + j] = known


@cache
def compile_answer() -> Callable[[FloatArray, FloatArray, FloatArray, bool, FloatArray], None]:
    """Compile `answer`, or load it from Numba's cache."""
    matrix = "Array(f8, 2, 'C', readonly=True)"
    return compile_entry_point(answer, f"void({matrix}, {matrix}, Array(f8, 1, 'C', readonly=True), b1, f8[:,::1])")


def answer(
    inputs: FloatArray, coefficients: FloatArray, intercepts: FloatArray, is_softmax: bool, out: FloatArray
) -> None:
    """Apply the model: ``s_c = b_c + sum_j w_cj x_j``, then a softmax, or a clip at `LEAST_PROBABILITY` and a division.

    Parameters
    ----------
    inputs : float64 (n_rows, n_inputs)
    coefficients : float64 (3, n_inputs)
    intercepts : float64 (3,)
    is_softmax : bool
        False for a model that was fitted to the indicators of the classes themselves.
    out : float64 (n_rows, 3)
        Receives the result; NaN where an input with a coefficient is.
    """
    for row in range(len(out)):
        largest = -math.inf
        for c in range(3):
            score = intercepts[c]
            for j in range(inputs.shape[1]):
                if coefficients[c, j] != 0.0:
                    score += coefficients[c, j] * inputs[row, j]
            out[row, c] = score
            largest = max(largest, score)
        if math.isnan(out[row, 0] + out[row, 1] + out[row, 2]):
            for c in range(3):
                out[row, c] = math.nan
            continue
        total = 0.0
        for c in range(3):
            if is_softmax:
                out[row, c] = math.exp(out[row, c] - largest)
            elif out[row, c] < LEAST_PROBABILITY:
                out[row, c] = LEAST_PROBABILITY
            total += out[row, c]
        for c in range(3):
            out[row, c] /= total
