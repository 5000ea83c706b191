"""Slippage as a fixed fraction of the price."""

from outcry.compiled import inlined_kernel


@inlined_kernel
def fixed_slippage(base_frac: float) -> float:
    """Return ``base``.

    Notes
    -----
    What this ignores: the size of the order against the volume of the bar, the spread and how it widens at the open
    and in a volatile market, and that the price may end outside the range of the bar. The participation cap of the
    broker bounds the first of these.
    """
    return base_frac
