"""Slippage that grows with the size of the order."""

from outcry.compiled import inlined_kernel


@inlined_kernel
def volume_slippage(base_frac: float, volume_frac: float, max_frac: float, shares: float, mean_volume: float) -> float:
    """Return ``min(base + volume_frac · shares / V̄, max)``; `max_frac` where the average volume V̄ is 0.

    Parameters
    ----------
    base_frac, volume_frac, max_frac : float
        Fractions of the price; `volume_frac` is for an order as large as the average volume of a bar.
    shares, mean_volume : float

    Notes
    -----
    What this ignores: when in the bar the volume trades, and that a volatile price slips more.
    """
    if mean_volume <= 0.0:
        return max_frac
    return min(base_frac + volume_frac * shares / mean_volume, max_frac)
