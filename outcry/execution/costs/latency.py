"""The time an order takes to reach the market."""

from outcry.compiled import kernel
from outcry.execution.kernels.model import LATENCY_MAX_NS, LATENCY_MIN_NS
from outcry.market.frame import FloatArray

_MULTIPLIER = 6_364_136_223_846_793_005
_MASK_BITS = 1 << 53


@kernel
def latency_ns(market: FloatArray, seq: int, symbol: int, position: int) -> int:
    """Return the latency of an order, uniform between the least and the most and always the same for the same order.

    Notes
    -----
    What this ignores: that latency comes in bursts, and is worst when everybody trades.

    References
    ----------
    Knuth, The Art of Computer Programming 2 (1997), section 3.3.4: the multiplier of the congruential generator whose
    high bits mix frame, symbol and place.
    """
    least, most = market[LATENCY_MIN_NS], market[LATENCY_MAX_NS]
    if most <= least:
        return int(least)
    mixed = ((seq * _MULTIPLIER + symbol + 1) * _MULTIPLIER + position + 1) * _MULTIPLIER
    share = ((mixed >> 10) & (_MASK_BITS - 1)) / _MASK_BITS
    return int(least + share * (most - least))


@kernel
def first_price(open_price: float, close_price: float, arrival_ns: int, ts_before_ns: int, ts_close_ns: int) -> float:
    """Return the first price after an order has arrived: the open, or where it arrives later a price between.

    Parameters
    ----------
    open_price, close_price : float
    arrival_ns, ts_before_ns, ts_close_ns : int
        Of the order; the closes of the frame before the bar and of the bar. The order arrives before the latter.

    Returns
    -------
    float
        On the straight line from open to close, at the part of the time between the closes that has passed.

    Notes
    -----
    What this ignores: the path of the price, and the low and high before the arrival: an order that waits for a price
    sees the range of the whole bar. After a night the time between closes is long, and latency is nothing of it.
    """
    late = (arrival_ns - ts_before_ns) / (ts_close_ns - ts_before_ns)
    return open_price + (close_price - open_price) * late if late > 0.0 else open_price
