"""Impact by the square root of the participation."""

import math

from outcry.compiled import inlined_kernel


@inlined_kernel
def square_root_impact(factor: float, volatility: float, shares: float, mean_volume: float) -> float:
    """Return ``Y σ √(Q / V̄)``, a fraction of the price; 0 where the average volume is 0.

    σ and V̄ are of one bar; since σ grows with the square root of time and V̄ with time, bars of any size give the same.

    Notes
    -----
    What this ignores: how the impact decays, other traders on the same side, and the time the order takes.

    References
    ----------
    Tóth et al., "Anomalous price impact and the critical nature of liquidity in financial markets", Physical Review X 1
    (2011), eq. 1; Y is of order one.
    """
    if mean_volume <= 0.0:
        return 0.0
    return factor * volatility * math.sqrt(shares / mean_volume)
