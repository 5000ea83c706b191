"""Commission linear in shares and in notional, with tiers and a minimum."""

from outcry.compiled import inlined_kernel
from outcry.execution.kernels.model import COMMISSION_STEP, LOT_SHARES, MIN_COMMISSION, MONEY_SCALE, NOTIONAL_FRAC
from outcry.market.frame import FloatArray
from outcry.market.grid_kernels import round_up


@inlined_kernel
def commission(market: FloatArray, tiers: FloatArray, month_lots: int, lots: int, price: int) -> int:
    """Return ``max(minimum, Σ a_share(tier) · shares + bps / 10⁴ · notional)`` of a fill, rounded up, money units.

    Parameters
    ----------
    market : float64
        Slots of `outcry.execution.kernels.model`.
    tiers : float64 (n_tiers, 2)
        Shares traded in the month from which a tier counts, the first 0, and what a share in it costs.
    month_lots, lots : int
        Traded in the month before this fill, and by it.
    price : int
        Price units.

    Notes
    -----
    What this ignores: exchange and regulatory fees, rebates for resting orders, and that a broker takes the minimum
    once an order: an order filled in three frames pays it three times here.
    """
    lot_shares = market[LOT_SHARES]
    first, last = month_lots * lot_shares, (month_lots + lots) * lot_shares
    linear = 0.0
    for k in range(len(tiers)):
        stop = tiers[k + 1, 0] if k + 1 < len(tiers) else last
        linear += tiers[k, 1] * max(min(stop, last) - max(tiers[k, 0], first), 0.0)
    linear += market[NOTIONAL_FRAC] * (float(lots) * float(price)) / market[MONEY_SCALE]
    return round_up(max(linear, market[MIN_COMMISSION]) * market[MONEY_SCALE], int(market[COMMISSION_STEP]))
