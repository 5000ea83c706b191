"""Sort the first m values of an array; `outcry.features.kernels.sorted_window` reads them then."""

from outcry.compiled import kernel
from outcry.market.frame import FloatArray


@kernel
def sort_ascending(x: FloatArray, m: int) -> None:
    """Sort in place (J. Williams, Algorithm 232: Heapsort, 1964): no worst case and no storage."""
    start, end = m // 2, m
    while end > 1:
        if start > 0:
            start -= 1
        else:
            end -= 1
            x[0], x[end] = x[end], x[0]
        _sift(x, start, end)


@kernel
def _sift(x: FloatArray, root: int, end: int) -> None:
    value = x[root]
    child = 2 * root + 1
    while child < end:
        if child + 1 < end and x[child] < x[child + 1]:
            child += 1
        if value >= x[child]:
            break
        x[root] = x[child]
        root, child = child, 2 * child + 1
    x[root] = value


@kernel
def middle(ascending: FloatArray, m: int) -> float:
    """Return the median of m >= 1 values."""
    left: float = ascending[(m - 1) // 2]
    right: float = ascending[m // 2]
    return 0.5 * (left + right)
