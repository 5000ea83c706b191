"""Candles: patterns of one to five bars.

The words of the formulas, as TA-Lib means them; ``[j]`` is j bars ago, and an average is of the bars before the one it
is compared with:

==================  ======================================================================================
word                meaning
==================  ======================================================================================
white, black        close >= open, close < open
body, shadows       abs(close - open); high - max(open, close) and min(open, close) - low
long, short body    body > its mean of 10 bars, body < it; where named small: <= it
doji                body <= 0.1 mean(high - low) of 10 bars
no shadow           shadow < 0.1 mean(high - low) of 10 bars
long shadow         shadow > body
near, far, equal    within 0.2, by 0.6, within 0.05 mean(high - low) of 5 bars
gap, body gap       between the bars, between their bodies
==================  ======================================================================================
"""

from outcry.features.column import Column
from outcry.features.indicator import Family, Indicator, Kind

(
    DOJI,
    DRAGONFLY,
    GRAVESTONE,
    LONG_LEGGED,
    MARUBOZU,
    SPINNING_TOP,
    BELT_HOLD,
    HAMMER,
    INVERTED_HAMMER,
    HANGING_MAN,
    SHOOTING_STAR,
    ENGULFING,
    HARAMI,
    HARAMI_CROSS,
    PIERCING,
    DARK_CLOUD,
    KICKING,
    MATCHING_LOW,
    TWEEZER,
    MORNING_STAR,
    EVENING_STAR,
    MORNING_DOJI_STAR,
    EVENING_DOJI_STAR,
    ABANDONED_BABY,
    WHITE_SOLDIERS,
    BLACK_CROWS,
    THREE_INSIDE,
    THREE_OUTSIDE,
    THREE_METHODS,
) = range(29)

_NISON = "S. Nison, Japanese Candlestick Charting Techniques, 1991"
_UP, _DOWN, _BOTH = (0.0, 1.0), (-1.0, 0.0), (-1.0, 1.0)
_ALIKE = "; white 1, black -1"
_STAR = "long {0}[2]; {1}[1] after a body gap {2}; {3} that is not small, close past 0.3 of body[2]"

# In the order of the columns: name, range, warm-up in bars, formula, function of TA-Lib.
_PATTERNS = (
    ("doji", _UP, 11, "doji", "DOJI"),
    ("dragonfly_doji", _UP, 11, "doji without upper shadow, with a lower one", "DRAGONFLYDOJI"),
    ("gravestone_doji", _UP, 11, "doji without lower shadow, with an upper one", "GRAVESTONEDOJI"),
    ("long_legged_doji", _UP, 11, "doji with a long shadow", "LONGLEGGEDDOJI"),
    ("marubozu", _BOTH, 11, f"long body, no shadows{_ALIKE}", "MARUBOZU"),
    ("spinning_top", _BOTH, 11, f"short body, both shadows longer than it{_ALIKE}", "SPINNINGTOP"),
    ("belt_hold", _BOTH, 11, f"long body, no shadow beyond its open{_ALIKE}", "BELTHOLD"),
    ("hammer", _UP, 12, "short body near low[1] or below, long lower shadow, no upper", "HAMMER"),
    ("inverted_hammer", _UP, 12, "short body after a body gap down, long upper shadow, no lower", "INVERTEDHAMMER"),
    ("hanging_man", _DOWN, 12, "short body near high[1] or above, long lower shadow, no upper", "HANGINGMAN"),
    ("shooting_star", _DOWN, 12, "short body after a body gap up, long upper shadow, no lower", "SHOOTINGSTAR"),
    ("engulfing", _BOTH, 3, f"covers body[1] of the other colour, one end may be equal{_ALIKE}", "ENGULFING"),
    ("harami", _BOTH, 12, "small body within long body[1], ends may be equal; black[1] 1, white[1] -1", "HARAMI"),
    ("harami_cross", _BOTH, 12, "doji within long body[1], ends may be equal; black[1] 1, white[1] -1", "HARAMICROSS"),
    ("piercing", _UP, 12, "long black[1]; long white, open < low[1], mid body[1] < close < open[1]", "PIERCING"),
    (
        "dark_cloud_cover",
        _DOWN,
        12,
        "long white[1]; black, open > high[1], open[1] < close < mid body[1]",
        "DARKCLOUDCOVER",
    ),
    ("kicking", _BOTH, 12, f"marubozu[1]; marubozu of the other colour after a gap its way{_ALIKE}", "KICKING"),
    ("matching_low", _UP, 7, "black[1]; black, close equal to close[1]", "MATCHINGLOW"),
    ("tweezer", _BOTH, 7, "black[1], white, equal lows: 1; white[1], black, equal highs: -1; else 0", ""),
    ("morning_star", _UP, 13, _STAR.format("black", "small body", "down", "white"), "MORNINGSTAR"),
    ("evening_star", _DOWN, 13, _STAR.format("white", "small body", "up", "black"), "EVENINGSTAR"),
    ("morning_doji_star", _UP, 13, _STAR.format("black", "doji", "down", "white"), "MORNINGDOJISTAR"),
    ("evening_doji_star", _DOWN, 13, _STAR.format("white", "doji", "up", "black"), "EVENINGDOJISTAR"),
    (
        "abandoned_baby",
        _BOTH,
        13,
        f"long body[2]; doji[1] after a gap its way; after a gap back the other colour, not small, close past 0.3 of"
        f" body[2]{_ALIKE}",
        "ABANDONEDBABY",
    ),
    (
        "three_white_soldiers",
        _UP,
        13,
        "three white, no upper shadows, rising closes and opens, each open within body[1] or near, no body far below"
        " body[1], the last not small",
        "3WHITESOLDIERS",
    ),
    (
        "three_black_crows",
        _DOWN,
        14,
        "white[3]; three black, no lower shadows, falling closes, the first below high[3], each open within body[1]",
        "3BLACKCROWS",
    ),
    ("three_inside", _BOTH, 13, "small body[1] within long body[2]; turns past open[2]; black[2] 1, -1", "3INSIDE"),
    ("three_outside", _BOTH, 4, "body[1] covers body[2]; close past close[1]; white[1] 1, black[1] -1", "3OUTSIDE"),
    (
        "three_methods",
        _BOTH,
        15,
        f"long body[4]; three short bodies of the other colour that reach into bar [4], each close further back; long"
        f" body as the first, open past close[1], close past close[4]{_ALIKE}",
        "RISEFALL3METHODS",
    ),
)


def _candles() -> Indicator:
    columns = tuple(
        Column(
            f"cdl_{name}_signal",
            "candles",
            f"{formula}; else 0",
            window_bars=warmup,
            warmup_bars=warmup,
            unit="flag",
            low=low,
            high=high,
            source=f"{_NISON}; TA-Lib CDL{talib}" if talib else f"{_NISON}; averages as TA-Lib",
        )
        for name, (low, high), warmup, formula, talib in _PATTERNS
    )
    return Indicator(0, (), columns, n_slots=11, lookback_bars=11)


CANDLES = Family("candles", (Kind("candles", _candles),))
