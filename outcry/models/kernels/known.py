"""What rows can be predicted, in one pass over what is read of them."""

import math
from collections.abc import Callable
from functools import cache

from outcry.compiled import compile_entry_point
from outcry.market.frame import BoolArray, FloatArray, IntArray


@cache
def compile_find_known() -> Callable[[FloatArray, IntArray, BoolArray], int]:
    """Compile `find_known`, or load it from Numba's cache."""
    return compile_entry_point(find_known, "i8(Array(f8, 2, 'C', readonly=True), i8[::1], b1[::1])")


def find_known(rows: FloatArray, columns: IntArray, is_known: BoolArray) -> int:
    """Return the first row with an infinite value, or -1; say of those before it whether a value is not NaN.

    Parameters
    ----------
    rows : float64 (n_rows, n_wide)
    columns : int64 (n_read,)
    is_known : bool (n_rows,)
        Receives the result.
    """
    for row in range(len(rows)):
        n_known, n_infinite = 0, 0
        for column in columns:
            value = rows[row, column]
            n_known += value == value  # noqa: PLR0124 - NaN is not
            n_infinite += abs(value) == math.inf
        if n_infinite:
            return row
        is_known[row] = n_known > 0
    return -1
