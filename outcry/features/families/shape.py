"""Shape: the form of the bar, counts of new extremes, channels of the last bars and the distance to their edges."""

from math import inf

from outcry.features.column import Column
from outcry.features.indicator import Family, Indicator, Kind
from outcry.features.kernels import bars

BAR, EXTREMES, STREAK, DONCHIAN, CHANNEL = range(5)

_CANDLE = "S. Nison, Japanese Candlestick Charting Techniques, 1991"
_DONCHIAN = "R. Donchian, 1960"
_CHANNEL = "R. Donchian, 1960; of the bars before the newest, so that a close can leave it"


def _column(
    name: str,
    formula: str,
    *,
    window: int,
    unit: str,
    low: float,
    high: float,
    source: str,
    aliases: tuple[str, ...] = (),
) -> Column:
    return Column(name, "shape", formula, window, max(window, 1), unit, low, high, source, aliases)


def _bar() -> Indicator:
    spread = _column(
        "tech_bar_1_spread",
        "(high - low)/close",
        window=1,
        unit="ratio",
        low=0.0,
        high=inf,
        source="bar range",
        aliases=("high_low_spread",),
    )
    body = _column(
        "tech_bar_1_body",
        "(close - open)/open",
        window=1,
        unit="ratio",
        low=-1.0,
        high=inf,
        source="bar body",
        aliases=("close_open_spread",),
    )
    parts = (
        ("location", "(2c - h - l)/(h - l); 0 where h = l", "ratio", -1.0, "close location value"),
        (
            "power",
            "(close - open)/(high - low); 0 where h = l",
            "ratio",
            -1.0,
            "I. Livshin, Balance of Power, 2001; TA-Lib BOP",
        ),
        ("upper_shadow", "(h - max(o, c))/(h - l); 0 where h = l", "fraction", 0.0, _CANDLE),
        ("lower_shadow", "(min(o, c) - l)/(h - l); 0 where h = l", "fraction", 0.0, _CANDLE),
    )
    rest = (
        _column(f"tech_bar_1_{part}", formula, window=1, unit=unit, low=low, high=1.0, source=source)
        for part, formula, unit, low, source in parts
    )
    return Indicator(BAR, (), (spread, body, *rest))


def _extremes(window: int) -> Indicator:
    columns = tuple(
        _column(
            f"tech_{side}s_{window}_count",
            f"bars of the last {window} with {side} {sign} {side}[1]",
            window=window + 1,
            unit="bars",
            low=0.0,
            high=float(window),
            source=f"{word} {side}s",
            aliases=(f"{word}_{side}s",) if window == 10 else (),
        )
        for side, sign, word in (("high", ">", "higher"), ("low", "<", "lower"))
    )
    return Indicator(EXTREMES, (window,), columns, n_slots=2, lookback_bars=window + 2)


def _streak() -> Indicator:
    columns = tuple(
        _column(
            f"tech_streak_{way}",
            f"closes in a row {side} the one before",
            window=0,
            unit="bars",
            low=0.0,
            high=inf,
            source="run length",
            aliases=(f"consecutive_{way}",),
        )
        for way, side in (("up", "above"), ("down", "below"))
    )
    return Indicator(STREAK, (), columns, lookback_bars=2)


def _donchian(window: int) -> Indicator:
    def column(name: str, formula: str, unit: str, high: float, aliases: tuple[str, ...] = ()) -> Column:
        return _column(
            f"tech_{name}", formula, window=window, unit=unit, low=0.0, high=high, source=_DONCHIAN, aliases=aliases
        )

    resistance, support = (
        (f"distance_to_{level}",) if window == 20 else () for level in ("resistance", "support")
    )  # the names of the windows that are meant where none is given
    columns = (
        column(f"donchian_{window}_upper", "max(high, w)", "price", inf),
        column(f"donchian_{window}_lower", "min(low, w)", "price", inf),
        column(f"donchian_{window}_position", "(close - lower)/(upper - lower); 0.5 where equal", "fraction", 1.0),
        column(f"resistance_{window}_distance", "(max(high, w) - close)/close", "ratio", inf, resistance),
        column(f"support_{window}_distance", "(close - min(low, w))/close", "ratio", 1.0, support),
    )
    return Indicator(DONCHIAN, (window,), columns, n_slots=4, lookback_bars=window)


def _channel(window: int) -> Indicator:
    def column(part: str, formula: str, unit: str, low: float, high: float) -> Column:
        name, bars = f"tech_channel_{window}_{part}", window + 1
        return _column(name, formula, window=bars, unit=unit, low=low, high=high, source=_CHANNEL)

    columns = (
        column("upper", f"(close - upper)/close, upper = max(high[1], {window})", "ratio", -inf, 1.0),
        column("lower", f"(close - lower)/close, lower = min(low[1], {window})", "ratio", -inf, 1.0),
        column(
            "position", "(close - lower)/(upper - lower), held within -1 .. 2; 0.5 where equal", "fraction", -1.0, 2.0
        ),
        column("break", "1 where close > upper, -1 where close < lower, else 0", "flag", -1.0, 1.0),
    )
    return Indicator(CHANNEL, (window,), columns, n_slots=4, lookback_bars=window + 1)


SHAPE = Family(
    "shape",
    (
        Kind("bar", _bar),
        Kind("extremes", _extremes, ((10,),)),
        Kind("streak", _streak, rows=(bars.CLOSE,)),
        Kind("donchian", _donchian, ((20,), (50,))),
        Kind("channel", _channel, ((20,), (50,))),
    ),
)
