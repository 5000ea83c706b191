"""Mean reversion: what moved far comes back."""

from outcry.alphas.alpha import Alpha


def reversal(lookback_bars: int) -> Alpha:
    """Return the alpha of the return of the last bars, with the sign turned round."""
    return Alpha(
        name=f"alpha_reversal_{lookback_bars}",
        formula=f"1 - close/close[{lookback_bars}]",
        source="B. Lehmann, Fads, Martingales, and Market Efficiency, 1990; N. Jegadeesh, 1990, for a month",
        reads=(f"stat_return_{lookback_bars}_close",),
        windows=(("return", (lookback_bars,)),),
        compute=lambda change: -change,
    )


def average_distance(window_bars: int) -> Alpha:
    """Return the alpha of the distance below the moving average, in deviations of the close."""
    return Alpha(
        name=f"alpha_average_{window_bars}",
        formula=f"(mean - close)/std(ddof 1) of {window_bars} closes",
        source="J. Bollinger, Bollinger on Bollinger Bands, 2001: distance from the middle band",
        reads=(f"stat_zscore_{window_bars}_close",),
        windows=(("zscore", (window_bars,)),),
        compute=lambda zscore: -zscore,
    )


def oscillator(window_bars: int) -> Alpha:
    """Return the alpha of a short relative strength index: 1 where it is 0, -1 where it is 100."""
    return Alpha(
        name=f"alpha_rsi_{window_bars}",
        formula=f"1 - rsi_{window_bars}/50",
        source="L. Connors, C. Alvarez, Short Term Trading Strategies That Work, 2008: RSI-2",
        reads=(f"tech_rsi_{window_bars}_raw",),
        windows=(("rsi", (window_bars,)),),
        compute=lambda rsi: 1.0 - rsi / 50.0,
    )
