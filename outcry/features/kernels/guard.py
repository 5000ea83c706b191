"""What is wrong with the values of frames, counted in one pass.

Nearly every value is in its range: a row is counted first, without a branch, and looked at one by one only where it has
a value that is not.
"""

from math import inf

from outcry.market.frame import BoolArray, FloatArray, IntArray

GUARD_SIGNATURE = (
    "void(Array(f8, 3, 'C', readonly=True), b1[:,::1], f8[::1], f8[::1], f8[:,::1], f8[::1], i8[:,::1], i8[:,::1])"
)
LOST, INFINITE, OUTSIDE = range(3)


def count_wrong(
    values: FloatArray,
    stale: BoolArray,
    low: FloatArray,
    high: FloatArray,
    last: FloatArray,
    has_changed: FloatArray,
    counts: IntArray,
    n_rows: IntArray,
) -> None:
    """Count the rows of the symbols that are not stale, and remember their numbers.

    Parameters
    ----------
    values : float64 (n_frames, n_symbols, n_columns)
    stale : bool (n_frames, n_symbols)
    low, high : float64 (n_columns,)
        Finite.
    last : float64 (n_symbols, n_columns)
        The last number of each symbol and column; NaN before the first.
    has_changed : float64 (n_columns,)
        1 where any symbol's number was another one than its last.
    counts : int64 (3, n_columns)
        NaN after a number, infinite, out of range.
    n_rows : int64 (2, n_symbols)
        Rows looked at, and those with any number.
    """
    n_columns = values.shape[2]
    for t in range(len(values)):
        for i in range(values.shape[1]):
            if stale[t, i]:
                continue
            row, before = values[t, i], last[i]
            n_sound = 0
            for j in range(n_columns):
                n_sound += (row[j] >= low[j]) & (row[j] <= high[j])
            has_any = n_sound > 0
            if n_sound < n_columns:
                for j in range(n_columns):
                    value = row[j]
                    is_number = value == value  # noqa: PLR0124 - NaN is not
                    has_any |= is_number
                    if not is_number:
                        counts[LOST, j] += before[j] == before[j]
                    elif abs(value) == inf:
                        counts[INFINITE, j] += 1
                    elif value < low[j] or value > high[j]:
                        counts[OUTSIDE, j] += 1
            for j in range(n_columns):
                value = row[j]
                is_other = (value < before[j]) | (value > before[j])  # both are numbers then
                has_changed[j] = 1.0 if is_other else has_changed[j]
                before[j] = value if value == value else before[j]  # noqa: PLR0124 - as above
            n_rows[0, i] += 1
            n_rows[1, i] += has_any
