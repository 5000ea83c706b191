"""Slippage as half of the spread: buy at the ask, sell at the bid."""

from outcry.compiled import inlined_kernel


@inlined_kernel
def spread_slippage(base_frac: float, max_frac: float, half_spread: float) -> float:
    """Return ``min(max(spread / 2, base), max)``: the spread that was quoted last, or else is estimated from ranges.

    Notes
    -----
    What this ignores: how the spread changes within the bar, and the depth behind the quote. An estimate from ranges
    widens with volatility and over the day only as far as its window follows.
    """
    return min(max(half_spread, base_frac), max_frac)
