"""Impact in two parts: one that passes with the trade, one that stays for the rest of the order."""

from outcry.compiled import inlined_kernel


@inlined_kernel
def temporary_impact(factor: float, volatility: float, shares: float, mean_volume: float) -> float:
    """Return ``η σ Q / V̄``, a fraction of the price that this trade pays; 0 where the average volume is 0.

    Together with slippage it is ``h(v) = ε + η v`` for the trading rate v = Q / V̄, in units of the volatility of a bar.
    """
    return factor * volatility * shares / mean_volume if mean_volume > 0.0 else 0.0


@inlined_kernel
def permanent_impact(factor: float, volatility: float, shares: float, mean_volume: float) -> float:
    """Return ``γ σ Q / V̄``, a fraction by which later trades of the same order find the price moved.

    Notes
    -----
    What this ignores: the recorded bars do not move with the order, so a position is valued at prices without its own
    impact, and the next order of the symbol starts from the recorded price.

    References
    ----------
    Almgren & Chriss, "Optimal execution of portfolio transactions", Journal of Risk 3 (2001), eq. 2.1 to 2.4: trade k
    pays the temporary impact of itself and the permanent impact of the trades before it.
    """
    return factor * volatility * shares / mean_volume if mean_volume > 0.0 else 0.0
