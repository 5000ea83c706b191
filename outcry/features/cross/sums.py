"""Sums over the last frames, for all symbols at once.

The inner loops run along the symbols, each of which has its own sum from the newest frame to the oldest: they are
compiled to vector instructions, and the value of a symbol does not depend on the others. Windows are summed anew in
every frame, so nothing drifts and a value is a function of its window.
"""

import math

from outcry.compiled import kernel
from outcry.features.cross.rings import FLAT
from outcry.market.frame import FloatArray


@kernel
def sum_rows(ring: FloatArray, at: int, window: int, total: FloatArray) -> None:
    """Sum `window` rows of a ring (n_frames, n_symbols), backwards from `at`."""
    for i in range(len(total)):
        total[i] = 0.0
    for _ in range(window):
        x = ring[at]
        for i in range(len(total)):
            total[i] += x[i]
        at = at - 1 if at > 0 else ring.shape[0] - 1


@kernel
def mean_rows(ring: FloatArray, at: int, window: int, mean: FloatArray) -> None:
    sum_rows(ring, at, window, mean)
    for i in range(len(mean)):
        mean[i] /= window


@kernel
def square_rows(ring: FloatArray, at: int, window: int, mean: FloatArray, squares: FloatArray) -> None:
    """Sum the squared deviations from `mean`."""
    for i in range(len(mean)):
        squares[i] = 0.0
    for _ in range(window):
        x = ring[at]
        for i in range(len(mean)):
            squares[i] += (x[i] - mean[i]) * (x[i] - mean[i])
        at = at - 1 if at > 0 else ring.shape[0] - 1


@kernel
def multiply_rows(  # noqa: PLR0917 - compiled code takes arrays, not objects
    x_ring: FloatArray, y_ring: FloatArray, at: int, window: int, y_mean: FloatArray, products: FloatArray
) -> None:
    """Sum ``x (y - mean of y)``, symbol by symbol: the deviations of y sum to 0, so x needs no mean."""
    for i in range(len(products)):
        products[i] = 0.0
    for _ in range(window):
        x, y = x_ring[at], y_ring[at]
        for i in range(len(products)):
            products[i] += x[i] * (y[i] - y_mean[i])
        at = at - 1 if at > 0 else x_ring.shape[0] - 1


@kernel
def centre(references: FloatArray, column: int, at: int, window: int, deviations: FloatArray) -> float:
    """Write the deviations of a reference from its mean, newest first, and return the sum of their squares."""
    mean, row = 0.0, at
    for _ in range(window):
        mean += references[row, column]
        row = row - 1 if row > 0 else references.shape[0] - 1
    mean /= window
    squares, row = 0.0, at
    for j in range(window):
        deviations[j] = references[row, column] - mean
        squares += deviations[j] * deviations[j]
        row = row - 1 if row > 0 else references.shape[0] - 1
    return squares


@kernel
def project_rows(ring: FloatArray, at: int, window: int, deviations: FloatArray, products: FloatArray) -> None:
    """Sum ``deviations[j] x`` over the rows, j frames back from `at`."""
    for i in range(len(products)):
        products[i] = 0.0
    for j in range(window):
        x, d = ring[at], deviations[j]
        for i in range(len(products)):
            products[i] += x[i] * d
        at = at - 1 if at > 0 else ring.shape[0] - 1


@kernel
def correlate(products: float, x_squares: float, y_squares: float) -> float:
    """Return a correlation in [-1, 1]; 0 where a series does not move."""
    if x_squares <= FLAT or y_squares <= FLAT:
        return 0.0
    return min(max(products / math.sqrt(x_squares * y_squares), -1.0), 1.0)
