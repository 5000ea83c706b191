"""What is wrong with the values of a frame, counted in one pass: a third of the time of array operations."""

from math import isinf, isnan

from outcry.market.frame import BoolArray, FloatArray, IntArray

GUARD_SIGNATURE = "void(f8[:,::1], b1[::1], f8[::1], f8[::1], f8[:,::1], b1[:,::1], b1[::1], i8[:,::1], i8[::1])"
VALUES, LOST, INFINITE, OUTSIDE = range(4)


def count_wrong(
    values: FloatArray,
    stale: BoolArray,
    low: FloatArray,
    high: FloatArray,
    last: FloatArray,
    is_known: BoolArray,
    has_changed: BoolArray,
    counts: IntArray,
    n_rows: IntArray,
) -> None:
    """Count the rows of the symbols that are not stale, and remember their numbers.

    Parameters
    ----------
    values : float64 (n_symbols, n_columns)
    stale : bool (n_symbols,)
    low, high : float64 (n_columns,)
    last, is_known : float64, bool (n_symbols, n_columns)
        The last number of each symbol and column, and whether there was one.
    has_changed : bool (n_columns,)
        Any symbol's number was another one than its last.
    counts : int64 (4, n_columns)
        Values looked at, NaN after a number, infinite, out of range.
    n_rows : int64 (n_symbols,)
        Rows with any number.
    """
    for i in range(len(values)):
        if stale[i]:
            continue
        has_any = False
        for j in range(values.shape[1]):
            value = values[i, j]
            counts[VALUES, j] += 1
            if isnan(value):
                counts[LOST, j] += is_known[i, j]
                continue
            has_any = True
            if isinf(value):
                counts[INFINITE, j] += 1
            elif value < low[j] or value > high[j]:
                counts[OUTSIDE, j] += 1
            has_changed[j] |= is_known[i, j] and value != last[i, j]
            last[i, j] = value
            is_known[i, j] = True
        n_rows[i] += has_any
