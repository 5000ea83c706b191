"""Regime: what several indicators say together, and what kind of market they describe.

Everything but the divergence and the rank of volatility reads columns of other families. `outcry.features.regimes` says
what the codes mean.
"""

from outcry.features.column import Column
from outcry.features.indicator import Family, Indicator, Input, Kind

(
    RSI_BBANDS,
    MACD_ADX,
    DIVERGENCE,
    TREND_REGIME,
    MARKET_REGIME,
    VOLATILITY_REGIME,
    RSI_ALIGNMENT,
    TREND_ALIGNMENT,
) = range(8)

TREND_ADX = 25.0
"""Above it there is a trend (Wilder)."""

TREND_EFFICIENCY = 0.3
"""The least efficiency ratio of a trend; a random walk of 10 steps has 1/sqrt(10) = 0.32 on average."""

ROUNDING = 1e-12
"""Means of equal prices differ by less, as a fraction."""

_ADX_WINDOW, _EFFICIENCY_WINDOW = 14, 10
_ADX = Input("adx", (_ADX_WINDOW,), f"tech_adx_{_ADX_WINDOW}_raw")
_EFFICIENCY = Input("kama", (_EFFICIENCY_WINDOW, 2, 30), f"tech_efficiency_{_EFFICIENCY_WINDOW}_ratio")
_TREND_WARMUP = 2 * _ADX_WINDOW
_TREND_TEXT = f"adx_{_ADX_WINDOW} > {TREND_ADX:g} and efficiency_{_EFFICIENCY_WINDOW} >= {TREND_EFFICIENCY:g}"
_RSI_TIMEFRAMES = {15: "15min", 60: "1h", 240: "4h", 1440: "1d"}
_TREND_TIMEFRAMES = {60: "1h", 240: "4h", 1440: "1d"}


def _column(
    name: str, formula: str, *, warmup: int, unit: str, low: float, high: float, source: str, window: int = 0
) -> Column:
    return Column(name, "regime", formula, window, warmup, unit, low, high, source)


def _signal(name: str, formula: str, *, warmup: int, source: str, window: int = 0) -> Column:
    return _column(name, formula, warmup=warmup, unit="flag", low=-1.0, high=1.0, source=source, window=window)


def _code(name: str, formula: str, *, warmup: int, high: float, source: str, window: int = 0) -> Column:
    return _column(name, formula, warmup=warmup, unit="index", low=0.0, high=high, source=source, window=window)


def _rsi_bbands(rsi: int, bands: int) -> Indicator:
    column = _signal(
        f"tech_rsi_bbands_{rsi}_{bands}_signal",
        f"1 where rsi_{rsi} < 30 and the close is below the lower band of {bands} bars (oversold), -1 where rsi > 70 "
        "and it is above the upper one (overbought), else 0",
        warmup=max(rsi + 1, bands),
        source="J. Bollinger, Bollinger on Bollinger Bands, 2001",
    )
    inputs = (
        Input("rsi", (rsi,), f"tech_rsi_{rsi}_raw"),
        Input("bbands", (bands, 2), f"tech_bbands_{bands}_position"),
    )
    return Indicator(RSI_BBANDS, (rsi, bands), (column,), inputs=inputs)


def _macd_adx(fast: int, slow: int, signal: int, adx: int) -> Indicator:
    column = _signal(
        f"tech_macd_adx_{fast}_{slow}_{signal}_{adx}_signal",
        f"sign of the macd histogram where adx_{adx} > {TREND_ADX:g}, else 0",
        warmup=max(slow + signal - 1, 2 * adx),
        source="J. W. Wilder, New Concepts in Technical Trading Systems, 1978",
    )
    inputs = (
        Input("macd", (fast, slow, signal), f"tech_macd_{fast}_{slow}_histogram"),
        Input("adx", (adx,), f"tech_adx_{adx}_raw"),
    )
    return Indicator(MACD_ADX, (fast, slow, signal, adx), (column,), inputs=inputs)


def _divergence(window: int) -> Indicator:
    column = _signal(
        f"tech_divergence_{window}_signal",
        f"1 where the least squares slope over {window} bars of the close is negative and that of obv is positive, -1 "
        "where they are the other way round, else 0; a slope that is all rounding is 0",
        warmup=window + 1,
        window=window + 1,
        source="J. Granville, New Key to Stock Market Profits, 1963",
    )
    return Indicator(DIVERGENCE, (window,), (column,), lookback_bars=window)


def _trend_regime() -> Indicator:
    column = _column(
        f"stat_trend_{_ADX_WINDOW}_{_EFFICIENCY_WINDOW}_regime",
        f"1 (trend) where {_TREND_TEXT}, else 0 (range)",
        warmup=_TREND_WARMUP,
        unit="flag",
        low=0.0,
        high=1.0,
        source="J. W. Wilder, 1978; P. Kaufman, Smarter Trading, 1995",
    )
    return Indicator(TREND_REGIME, (), (column,), inputs=(_ADX, _EFFICIENCY))


def _market_regime(fast: int, slow: int) -> Indicator:
    name, warmup = f"stat_market_{fast}_{slow}", max(slow, fast + 1)
    inputs = (
        Input("sma", (fast,), f"tech_sma_{fast}_raw"),
        Input("sma", (slow,), f"tech_sma_{slow}_raw"),
        _ADX,
        _EFFICIENCY,
    )
    columns = (
        _code(
            f"{name}_phase",
            f"0 accumulation, 1 markup, 2 distribution, 3 markdown: 1 or 2 where sma{fast} > sma{slow}, 2 or 3 where "
            f"sma{fast} falls (close < close[{fast}])",
            warmup=warmup,
            high=3.0,
            window=warmup,
            source="R. Wyckoff; S. Weinstein, Secrets for Profiting in Bull and Bear Markets, 1988",
        ),
        _signal(
            f"{name}_platform",
            f"1 (bull) where close and sma{fast} are above sma{slow}, -1 (bear) where both are below, else 0 (neutral)",
            warmup=warmup,
            window=warmup,
            source="outcry.features.regimes",
        ),
        _code(
            f"{name}_decision",
            "0 bullish, 1 bearish (a trend up, down), 2 sideways (neither trend nor direction), 3 mixed; direction as "
            f"platform, trend: {_TREND_TEXT}",
            warmup=max(warmup, _TREND_WARMUP),
            high=3.0,
            source="outcry.features.regimes",
        ),
    )
    return Indicator(MARKET_REGIME, (fast, slow), columns, lookback_bars=fast + 1, inputs=inputs)


def _volatility_regime(window: int, ranked: int) -> Indicator:
    name, warmup = f"stat_volatility_{window}_{ranked}", window + ranked
    columns = (
        _code(
            f"{name}_regime",
            f"0 low, 1 medium, 2 high: floor(3 r), r the share of the last {ranked} values of hv_{window} below hv",
            warmup=warmup,
            high=2.0,
            window=warmup,
            source="trailing terciles",
        ),
        _code(
            f"{name}_ensemble",
            "2 high volatility where the regime is 2, else 0 trending where there is a trend, else 3 low volatility "
            f"where the regime is 0, else 1 mean-reverting; trend: {_TREND_TEXT}",
            warmup=max(warmup, _TREND_WARMUP),
            high=3.0,
            source="outcry.features.regimes",
        ),
    )
    inputs = (Input("hv", (window,), f"tech_hv_{window}_annual"), _ADX, _EFFICIENCY)
    return Indicator(VOLATILITY_REGIME, (window, ranked), columns, n_slots=1 + ranked, inputs=inputs)


def _alignment(name: str, formula: str, *, warmup: int, source: str, timeframe_minutes: int) -> Column:
    text = f"{formula}, mean over those that are known; warm-up in closed bars of the first"
    return Column(name, "regime", text, 0, warmup, "ratio", -1.0, 1.0, source, timeframe_minutes=timeframe_minutes)


def _rsi_alignment(window: int) -> Indicator:
    column = _alignment(
        f"mtf_rsi_alignment_{window}",
        f"sign(rsi_{window} - 50) on closed bars of {', '.join(_RSI_TIMEFRAMES.values())}",
        warmup=window + 1,
        source="J. W. Wilder, 1978",
        timeframe_minutes=min(_RSI_TIMEFRAMES),
    )
    inputs = tuple(
        Input("mtf_rsi", (minutes, window), f"mtf_rsi_{text}_{window}") for minutes, text in _RSI_TIMEFRAMES.items()
    )
    return Indicator(RSI_ALIGNMENT, (window,), (column,), inputs=inputs)


def _trend_alignment(fast: int, slow: int) -> Indicator:
    column = _alignment(
        f"mtf_trend_alignment_{fast}_{slow}",
        f"sign(ema{fast} - ema{slow}) on closed bars of {', '.join(_TREND_TIMEFRAMES.values())}",
        warmup=max(fast, slow),
        source="A. Elder, Trading for a Living, 1993",
        timeframe_minutes=min(_TREND_TIMEFRAMES),
    )
    inputs = tuple(
        Input("mtf_trend", (minutes, fast, slow), f"mtf_trend_{text}_{fast}_{slow}")
        for minutes, text in _TREND_TIMEFRAMES.items()
    )
    return Indicator(TREND_ALIGNMENT, (fast, slow), (column,), inputs=inputs)


REGIME = Family(
    "regime",
    (
        Kind("rsi_bbands", _rsi_bbands, ((14, 20),)),
        Kind("macd_adx", _macd_adx, ((12, 26, 9, 14),)),
        Kind("divergence", _divergence, ((20,),)),
        Kind("trend_regime", _trend_regime),
        Kind("market_regime", _market_regime, ((50, 200),)),
        Kind("volatility_regime", _volatility_regime, ((20, 252),)),
        Kind("mtf_rsi_alignment", _rsi_alignment, ((14,),)),
        Kind("mtf_trend_alignment", _trend_alignment, ((20, 50),)),
    ),
)
