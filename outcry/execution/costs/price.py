"""The price of a trade: where the order was matched, moved against the trader by slippage and impact, on the tick."""

from outcry.compiled import inlined_kernel
from outcry.execution.costs.almgren_chriss import permanent_impact, temporary_impact
from outcry.execution.costs.fixed_slippage import fixed_slippage
from outcry.execution.costs.spread_slippage import spread_slippage
from outcry.execution.costs.square_root_impact import square_root_impact
from outcry.execution.costs.volatility_slippage import volatility_slippage
from outcry.execution.costs.volume_slippage import volume_slippage
from outcry.execution.kernels.model import (
    ALMGREN_CHRISS,
    FIXED,
    IMPACT_FACTOR,
    IMPACT_KIND,
    LOT_SHARES,
    MAX_SLIPPAGE_FRAC,
    NONE,
    PERMANENT_FACTOR,
    SLIPPAGE_FRAC,
    SLIPPAGE_KIND,
    SLIPPAGE_VOLUME_FRAC,
    SPREAD_FACTOR,
    SUB_TICKS,
    VOLATILITY,
    VOLUME,
    WINDOW_BARS,
)
from outcry.execution.kernels.past import LONG_WINDOWS, Bars, bar_volatility, half_spread, mean_volume
from outcry.market.frame import FloatArray
from outcry.market.grid_kernels import round_against

BILLION = 1_000_000_000


@inlined_kernel
def slippage_frac(market: FloatArray, bars: Bars, t: int, i: int, lots: int) -> float:
    """Return the slippage of a trade of symbol i in row t, a fraction of the price."""
    kind, base, most = market[SLIPPAGE_KIND], market[SLIPPAGE_FRAC], market[MAX_SLIPPAGE_FRAC]
    if kind == FIXED:
        return fixed_slippage(base)
    window = int(market[WINDOW_BARS])
    if kind == VOLUME:
        shares = lots * market[LOT_SHARES]
        return volume_slippage(base, market[SLIPPAGE_VOLUME_FRAC], most, shares, mean_volume(bars, t, i, window))
    if kind == VOLATILITY:
        usual = bar_volatility(bars, t, i, LONG_WINDOWS * window)
        return volatility_slippage(base, most, bar_volatility(bars, t, i, window), usual)
    return spread_slippage(base, most, market[SPREAD_FACTOR] * half_spread(bars, t, i, window))


@inlined_kernel
def impact_frac(market: FloatArray, bars: Bars, t: int, i: int, lots: int) -> float:
    """Return the impact that a trade pays itself, a fraction of the price."""
    if market[IMPACT_KIND] == NONE:
        return 0.0
    window, shares = int(market[WINDOW_BARS]), lots * market[LOT_SHARES]
    volatility, volume = bar_volatility(bars, t, i, window), mean_volume(bars, t, i, window)
    if market[IMPACT_KIND] == ALMGREN_CHRISS:
        return temporary_impact(market[IMPACT_FACTOR], volatility, shares, volume)
    return square_root_impact(market[IMPACT_FACTOR], volatility, shares, volume)


@inlined_kernel
def moved_billionths(market: FloatArray, bars: Bars, t: int, i: int, lots: int) -> int:
    """Return by how much a trade moves the price for the rest of its order, billionths of it."""
    if market[IMPACT_KIND] != ALMGREN_CHRISS:
        return 0
    window = int(market[WINDOW_BARS])
    volatility, volume = bar_volatility(bars, t, i, window), mean_volume(bars, t, i, window)
    shares = lots * market[LOT_SHARES]
    return int(BILLION * permanent_impact(market[PERMANENT_FACTOR], volatility, shares, volume))


@inlined_kernel
def trade_price(
    market: FloatArray, bars: Bars, t: int, i: int, sign: int, lots: int, reference: int, moved: int
) -> int:
    """Return the price of a trade that takes what it gets, price units.

    Parameters
    ----------
    market : float64
        Slots of `outcry.execution.kernels.model`.
    bars : Bars
    t, i : int
        Row and symbol of the trade; only rows before t are read.
    sign : int
        1 buys, -1 sells.
    lots : int
    reference : int
        Price units, before costs.
    moved : int
        Billionths of the price by which earlier trades of the order have moved it.
    """
    frac = slippage_frac(market, bars, t, i, lots) + impact_frac(market, bars, t, i, lots) + moved / BILLION
    return round_against(reference * (1.0 + sign * frac), int(market[SUB_TICKS]), sign)
