"""Shape: the form of the bar, counts of new extremes, distance to the extremes of a window."""

from math import inf

from outcry.features.column import Column

DONCHIAN_WINDOWS = (20, 50)

_DONCHIAN = "R. Donchian, 1960"


def _column(
    name: str,
    formula: str,
    *,
    window_bars: int,
    unit: str,
    low: float,
    high: float,
    source: str,
    aliases: tuple[str, ...] = (),
) -> Column:
    warmup_bars = max(window_bars, 1)
    return Column(name, "shape", formula, window_bars, warmup_bars, unit, low, high, source, aliases)


SHAPE: tuple[Column, ...] = (
    _column(
        "tech_bar_1_spread",
        "(high - low)/close",
        window_bars=1,
        unit="ratio",
        low=0.0,
        high=inf,
        source="bar range",
        aliases=("high_low_spread",),
    ),
    _column(
        "tech_bar_1_body",
        "(close - open)/open",
        window_bars=1,
        unit="ratio",
        low=-1.0,
        high=inf,
        source="bar body",
        aliases=("close_open_spread",),
    ),
    _column(
        "tech_bar_1_location",
        "(2c - h - l)/(h - l); 0 where h = l",
        window_bars=1,
        unit="ratio",
        low=-1.0,
        high=1.0,
        source="close location value",
    ),
    _column(
        "tech_bar_1_power",
        "(close - open)/(high - low); 0 where h = l",
        window_bars=1,
        unit="ratio",
        low=-1.0,
        high=1.0,
        source="I. Livshin, Balance of Power, 2001; TA-Lib BOP",
    ),
    _column(
        "tech_bar_1_upper_shadow",
        "(h - max(o, c))/(h - l); 0 where h = l",
        window_bars=1,
        unit="fraction",
        low=0.0,
        high=1.0,
        source="candlestick",
    ),
    _column(
        "tech_bar_1_lower_shadow",
        "(min(o, c) - l)/(h - l); 0 where h = l",
        window_bars=1,
        unit="fraction",
        low=0.0,
        high=1.0,
        source="candlestick",
    ),
    _column(
        "tech_highs_10_count",
        "bars of the last 10 with high > high[1]",
        window_bars=11,
        unit="bars",
        low=0.0,
        high=10.0,
        source="higher highs",
        aliases=("higher_highs",),
    ),
    _column(
        "tech_lows_10_count",
        "bars of the last 10 with low < low[1]",
        window_bars=11,
        unit="bars",
        low=0.0,
        high=10.0,
        source="lower lows",
        aliases=("lower_lows",),
    ),
    _column(
        "tech_streak_up",
        "closes in a row above the one before",
        window_bars=0,
        unit="bars",
        low=0.0,
        high=inf,
        source="run length",
        aliases=("consecutive_up",),
    ),
    _column(
        "tech_streak_down",
        "closes in a row below the one before",
        window_bars=0,
        unit="bars",
        low=0.0,
        high=inf,
        source="run length",
        aliases=("consecutive_down",),
    ),
    *(
        _column(
            f"tech_donchian_{w}_upper",
            "max(high, w)",
            window_bars=w,
            unit="price",
            low=0.0,
            high=inf,
            source=_DONCHIAN,
        )
        for w in DONCHIAN_WINDOWS
    ),
    *(
        _column(
            f"tech_donchian_{w}_lower",
            "min(low, w)",
            window_bars=w,
            unit="price",
            low=0.0,
            high=inf,
            source=_DONCHIAN,
        )
        for w in DONCHIAN_WINDOWS
    ),
    *(
        _column(
            f"tech_donchian_{w}_position",
            "(close - lower)/(upper - lower); 0.5 where equal",
            window_bars=w,
            unit="fraction",
            low=0.0,
            high=1.0,
            source=_DONCHIAN,
        )
        for w in DONCHIAN_WINDOWS
    ),
    *(
        _column(
            f"tech_resistance_{w}_distance",
            "(max(high, w) - close)/close",
            window_bars=w,
            unit="ratio",
            low=0.0,
            high=inf,
            source=_DONCHIAN,
            aliases=("distance_to_resistance",) if w == 20 else (),
        )
        for w in DONCHIAN_WINDOWS
    ),
    *(
        _column(
            f"tech_support_{w}_distance",
            "(close - min(low, w))/close",
            window_bars=w,
            unit="ratio",
            low=0.0,
            high=1.0,
            source=_DONCHIAN,
            aliases=("distance_to_support",) if w == 20 else (),
        )
        for w in DONCHIAN_WINDOWS
    ),
)
