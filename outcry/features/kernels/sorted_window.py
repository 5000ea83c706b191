"""The last values of a symbol in ascending order: quantiles, ranks and deviations from the median.

A sorted window stands in the slots of an indicator. Each bar one value is moved out and one in, so it holds the values
themselves and nothing drifts.
"""

from outcry.compiled import inlined_kernel
from outcry.market.frame import FloatArray


@inlined_kernel
def push_sorted(s: FloatArray, n: int, window: int, value: float, leaving: float) -> None:
    """Move the n-th value (from 1) into the first `window` slots, and the one it displaces out.

    Parameters
    ----------
    s : float64 (>= window,)
        The last ``min(n - 1, window)`` values in ascending order.
    value, leaving : float
        The n-th value, and the one `window` before it; the latter is not read while n <= window.
    """
    if n <= window:
        at = n - 1
    else:
        at = count_below(s, window, leaving)
        last = window - 1
        while at < last and s[at + 1] < value:
            s[at] = s[at + 1]
            at += 1
    while at > 0 and s[at - 1] > value:
        s[at] = s[at - 1]
        at -= 1
    s[at] = value


@inlined_kernel
def count_below(s: FloatArray, n: int, value: float) -> int:
    """Count the values of the sorted window below `value`: the place of the first that is not."""
    low, high = 0, n
    while low < high:
        middle = (low + high) // 2
        if s[middle] < value:
            low = middle + 1
        else:
            high = middle
    return low


@inlined_kernel
def count_up_to(s: FloatArray, n: int, value: float) -> int:
    """Count the values of the sorted window up to and with `value`."""
    low, high = 0, n
    while low < high:
        middle = (low + high) // 2
        if s[middle] <= value:
            low = middle + 1
        else:
            high = middle
    return low


@inlined_kernel
def sorted_quantile(s: FloatArray, n: int, probability: float) -> float:
    """Interpolate linearly between the two values of the sorted window next to the quantile.

    References
    ----------
    R. Hyndman, Y. Fan, Sample quantiles in statistical packages, 1996, definition 7 (NumPy's default).
    """
    place = (n - 1) * probability
    below = min(int(place), n - 1)
    above = min(below + 1, n - 1)
    value: float = s[below] + (place - below) * (s[above] - s[below])
    return value


@inlined_kernel
def median_deviation(s: FloatArray, n: int, median: float) -> float:
    """Return the median of the distances of the values of the sorted window from `median`."""
    outer = _nearest_radius(s, n, median, n // 2 + 1)
    if n % 2 == 1:
        return outer
    return 0.5 * (_nearest_radius(s, n, median, n // 2) + outer)


@inlined_kernel
def _nearest_radius(s: FloatArray, n: int, centre: float, count: int) -> float:
    """Return the largest distance from `centre` among the `count` nearest values: they stand beside each other."""
    low, high = 0, n - count
    while low < high:
        middle = (low + high) // 2
        if centre - s[middle] > s[middle + count] - centre:
            low = middle + 1
        else:
            high = middle
    radius: float = max(centre - s[low], s[low + count - 1] - centre)
    return radius
