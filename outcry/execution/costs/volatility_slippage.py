"""Slippage that grows with the volatility of the moment."""

from outcry.compiled import inlined_kernel


@inlined_kernel
def volatility_slippage(base_frac: float, max_frac: float, volatility: float, mean_volatility: float) -> float:
    """Return ``min(base · σ / σ̄, max)``; ``base`` where the average volatility σ̄ is 0.

    Parameters
    ----------
    base_frac, max_frac : float
        Fractions of the price.
    volatility, mean_volatility : float
        Of a bar, over the window and over five of them.

    Notes
    -----
    What this ignores: the size of the order, and volatility that begins in the bar of the trade.
    """
    if mean_volatility <= 0.0:
        return base_frac
    return min(base_frac * volatility / mean_volatility, max_frac)
