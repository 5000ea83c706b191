"""Order statistics of the first m values of an array."""

from outcry.features.kernels.compile import kernel
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
def count_below(ascending: FloatArray, m: int, value: float) -> int:
    low, high = 0, m
    while low < high:
        centre = (low + high) // 2
        if ascending[centre] < value:
            low = centre + 1
        else:
            high = centre
    return low


@kernel
def count_up_to(ascending: FloatArray, m: int, value: float) -> int:
    """Count the values that are not above `value`."""
    low, high = 0, m
    while low < high:
        centre = (low + high) // 2
        if ascending[centre] <= value:
            low = centre + 1
        else:
            high = centre
    return low


@kernel
def middle(ascending: FloatArray, m: int) -> float:
    """Return the median of m >= 1 values."""
    left: float = ascending[(m - 1) // 2]
    right: float = ascending[m // 2]
    return 0.5 * (left + right)


@kernel
def middle_deviation(ascending: FloatArray, m: int, median: float) -> float:
    """Return the median of ``abs(x - median)``, merging the deviations on the two sides of the median."""
    right = count_below(ascending, m, median)
    left = right - 1
    before = last = 0.0
    for _ in range(m // 2 + 1):
        before = last
        if right >= m or (left >= 0 and median - ascending[left] <= ascending[right] - median):
            last = median - ascending[left]
            left -= 1
        else:
            last = ascending[right] - median
            right += 1
    return last if m % 2 == 1 else 0.5 * (before + last)


@kernel
def quantile(ascending: FloatArray, m: int, share: float) -> float:
    """Return the quantile of m >= 1 values, linear between neighbours (R. Hyndman, Y. Fan, 1996, definition 7)."""
    at = share * (m - 1)
    low = int(at)
    high = min(low + 1, m - 1)
    below: float = ascending[low]
    above: float = ascending[high]
    return below + (at - low) * (above - below)
