"""Momentum: what rose goes on to rise."""

from outcry.alphas.alpha import Alpha, quotient
from outcry.errors import ConfigurationError


def momentum(lookback_bars: int, skip_bars: int = 0) -> Alpha:
    """Return the alpha of the return from `lookback_bars` ago to `skip_bars` ago.

    The newest month is left out because it reverses: 252 and 21 daily bars are "12-1". A skip of 0 takes it in.

    Raises
    ------
    ConfigurationError
        Where nothing is left between the two.
    """
    if skip_bars >= lookback_bars:
        raise ConfigurationError(f"skip_bars must be below lookback_bars {lookback_bars}, was {skip_bars}")
    whole = f"stat_return_{lookback_bars}_close"
    if skip_bars == 0:
        return Alpha(
            name=f"alpha_momentum_{lookback_bars}",
            formula=f"close/close[{lookback_bars}] - 1",
            source="N. Jegadeesh, S. Titman, Returns to Buying Winners and Selling Losers, 1993",
            reads=(whole,),
            windows=(("return", (lookback_bars,)),),
            compute=lambda change: change,
        )
    return Alpha(
        name=f"alpha_momentum_{lookback_bars}_{skip_bars}",
        formula=f"close[{skip_bars}]/close[{lookback_bars}] - 1",
        source="N. Jegadeesh, S. Titman, Returns to Buying Winners and Selling Losers, 1993; one month skipped",
        reads=(whole, f"stat_return_{skip_bars}_close"),
        windows=(("return", (lookback_bars,)), ("return", (skip_bars,))),
        compute=lambda change, newest: quotient(1.0 + change, 1.0 + newest) - 1.0,
    )


def trend(lookback_bars: int, volatility_bars: int) -> Alpha:
    """Return the alpha of time-series momentum: the return of a symbol in units of its own volatility a year."""
    return Alpha(
        name=f"alpha_trend_{lookback_bars}_{volatility_bars}",
        formula=f"(close/close[{lookback_bars}] - 1)/tech_hv_{volatility_bars}_annual",
        source="T. Moskowitz, Y. H. Ooi, L. H. Pedersen, Time Series Momentum, 2012, equation 5, without the sign",
        reads=(f"stat_return_{lookback_bars}_close", f"tech_hv_{volatility_bars}_annual"),
        windows=(("return", (lookback_bars,)), ("hv", (volatility_bars,))),
        compute=quotient,
    )


def high(lookback_bars: int) -> Alpha:
    """Return the alpha of the nearness to the highest price; of 252 daily bars, the 52-week high."""
    return Alpha(
        name=f"alpha_high_{lookback_bars}",
        formula=f"close/max(high, {lookback_bars})",
        source="T. George, C.-Y. Hwang, The 52-Week High and Momentum Investing, 2004",
        reads=(f"tech_resistance_{lookback_bars}_distance",),
        windows=(("donchian", (lookback_bars,)),),
        compute=lambda distance: 1.0 / (1.0 + distance),  # the distance is max(high)/close - 1, at least 0
    )
