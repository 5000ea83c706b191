"""Trend: moving averages, directional movement, Aroon, trailing stops, Ichimoku, regression."""

from math import inf, isqrt

from outcry.features.column import Column
from outcry.features.indicator import Family, Indicator, Kind
from outcry.features.kernels import bars

SMA, EMA, WMA, DEMA, TEMA, VWMA, HMA, KAMA, ADX, AROON, PSAR, ICHIMOKU, SUPERTREND, CHANDELIER, LINREG = range(15)

_AVERAGE_BARS = (5, 10, 20, 50, 100, 200)

_WILDER = "J. W. Wilder, New Concepts in Technical Trading Systems, 1978; TA-Lib"
_MULLOY = "P. Mulloy, Smoothing Data with Faster Moving Averages, 1994; TA-Lib"
_KAUFMAN = "P. Kaufman, Smarter Trading, 1995; TA-Lib KAMA"
_CHANDE = "T. Chande, Aroon, 1995; TA-Lib"
_HOSODA = "G. Hosoda, Ichimoku Kinko Hyo, 1969"
_SEBAN = "O. Seban, SuperTrend, 2008; the recurrence of TradingView's ta.supertrend, with TA-Lib ATR"
_LE_BEAU = "C. Le Beau, D. Lucas, Computer Analysis of the Futures Market, 1992; TA-Lib MAX, MIN, ATR"


def _column(
    name: str,
    formula: str,
    *,
    window: int,
    warmup: int,
    unit: str,
    low: float,
    high: float,
    source: str,
    aliases: tuple[str, ...] = (),
) -> Column:
    return Column(name, "trend", formula, window, warmup, unit, low, high, source, aliases)


def _line(
    name: str,
    formula: str,
    *,
    window: int,
    warmup: int,
    source: str,
    is_positive: bool = True,
    aliases: tuple[str, ...] = (),
) -> Column:
    low = 0.0 if is_positive else -inf
    return _column(
        name, formula, window=window, warmup=warmup, unit="price", low=low, high=inf, source=source, aliases=aliases
    )


def _distance(line: Column, *, name: str = "", is_of_line: bool = False) -> Column:
    """Describe how far the close is above a line: as a fraction of the close, or of a line that is always positive."""
    return _column(
        name or f"{line.name.removesuffix('_raw')}_distance",
        f"(close - {line.name})/{line.name if is_of_line else 'close'}",
        window=line.window_bars,
        warmup=line.warmup_bars,
        unit="ratio",
        low=-1.0 if is_of_line else -inf,
        high=1.0 if line.low == 0.0 and not is_of_line else inf,
        source=f"{line.source}, rescaled",
    )


def _index(name: str, formula: str, *, window: int, warmup: int, source: str, low: float = 0.0) -> Column:
    return _column(name, formula, window=window, warmup=warmup, unit="index", low=low, high=100.0, source=source)


def _sma(window: int) -> Indicator:
    line = _line(
        f"tech_sma_{window}_raw",
        f"mean(close, {window})",
        window=window,
        warmup=window,
        source="TA-Lib SMA",
        aliases=(f"sma_{window}",),
    )
    columns = (line, _distance(line, is_of_line=True))
    return Indicator(SMA, (window,), columns, n_slots=1, lookback_bars=window + 1)


def _ema(window: int) -> Indicator:
    line = _line(
        f"tech_ema_{window}_raw",
        "ema += 2/(w+1) (close - ema); seed: mean of the first w closes",
        window=0,
        warmup=window,
        source="TA-Lib EMA",
        aliases=(f"ema_{window}",),
    )
    return Indicator(EMA, (window,), (line, _distance(line, is_of_line=True)), n_slots=1)


def _wma(window: int) -> Indicator:
    line = _line(
        f"tech_wma_{window}_raw",
        "sum((w-j) close[j], j < w)/(w(w+1)/2)",
        window=window,
        warmup=window,
        source="TA-Lib WMA",
    )
    columns = (line, _distance(line, is_of_line=True))
    return Indicator(WMA, (window,), columns, n_slots=2, lookback_bars=window + 1)


def _dema(window: int) -> Indicator:
    line = _line(
        f"tech_dema_{window}_raw",
        "2 e1 - e2, e1 = ema(close), e2 = ema(e1)",
        window=0,
        warmup=2 * window - 1,
        source=_MULLOY,
        is_positive=False,
    )
    return Indicator(DEMA, (window,), (line, _distance(line)), n_slots=2)


def _tema(window: int) -> Indicator:
    line = _line(
        f"tech_tema_{window}_raw",
        "3 e1 - 3 e2 + e3, e1 = ema(close), e2 = ema(e1), e3 = ema(e2)",
        window=0,
        warmup=3 * window - 2,
        source=_MULLOY,
        is_positive=False,
    )
    return Indicator(TEMA, (window,), (line, _distance(line)), n_slots=3)


def _vwma(window: int) -> Indicator:
    line = _line(
        f"tech_vwma_{window}_raw",
        "sum(close volume)/sum(volume); the mean close without volume",
        window=window,
        warmup=window,
        source="B. Buff",
    )
    columns = (line, _distance(line, is_of_line=True))
    return Indicator(VWMA, (window,), columns, n_slots=3, lookback_bars=window + 1)


def _hma(window: int) -> Indicator:
    half, root = max(window // 2, 1), isqrt(window)
    last = window + root - 1
    line = _line(
        f"tech_hma_{window}_raw",
        f"wma(2 wma(close, {half}) - wma(close, {window}), {root})",
        window=last,
        warmup=last,
        source="A. Hull, Hull Moving Average, 2005",
        is_positive=False,
    )
    columns = (line, _distance(line))
    return Indicator(HMA, (window,), columns, n_slots=6 + root, lookback_bars=window + 1)


def _kama(window: int, fast: int, slow: int) -> Indicator:
    line = _line(
        f"tech_kama_{window}_raw",
        f"kama += (er (2/{fast + 1} - 2/{slow + 1}) + 2/{slow + 1})^2 (close - kama), er = efficiency; "
        f"begins at close {window}",
        window=0,
        warmup=window + 1,
        source=_KAUFMAN,
    )
    efficiency = _column(
        f"tech_efficiency_{window}_ratio",
        f"abs(close - close[{window}])/sum(abs(change), {window}); 0 where no close changed",
        window=window + 1,
        warmup=window + 1,
        unit="fraction",
        low=0.0,
        high=1.0,
        source="P. Kaufman, Smarter Trading, 1995",
    )
    columns = (line, _distance(line, is_of_line=True), efficiency)
    return Indicator(KAMA, (window, fast, slow), columns, n_slots=1, lookback_bars=window + 1)


def _adx(window: int) -> Indicator:
    adx = _index(
        f"tech_adx_{window}_raw",
        "wilder(dx), dx = 100 abs(+di - -di)/(+di + -di); unchanged where 0/0",
        window=0,
        warmup=2 * window,
        source=_WILDER,
    )
    plus, minus = (
        _index(
            f"tech_di_{window}_{name}",
            f"100 wilder({sign}dm)/wilder(tr); 0 where tr is 0",
            window=0,
            warmup=window + 1,
            source=_WILDER,
        )
        for name, sign in (("plus", "+"), ("minus", "-"))
    )
    return Indicator(ADX, (window,), (adx, plus, minus), n_slots=4, lookback_bars=2)


def _aroon(window: int) -> Indicator:
    first = window + 1
    up, down = (
        _index(
            f"tech_aroon_{window}_{name}",
            f"100 ({window} - bars since the latest {extreme} of {first} bars)/{window}",
            window=first,
            warmup=first,
            source=_CHANDE,
        )
        for name, extreme in (("up", "high"), ("down", "low"))
    )
    oscillator = _index(
        f"tech_aroon_{window}_oscillator", "up - down", window=first, warmup=first, source=_CHANDE, low=-100.0
    )
    return Indicator(AROON, (window,), (up, down, oscillator), n_slots=2, lookback_bars=first)


def _psar(step_percent: int, limit_percent: int) -> Indicator:
    step, limit = step_percent / 100, limit_percent / 100
    line = _line(
        "tech_psar_raw",
        f"sar += af (ep - sar), af from {step:g} by {step:g} to {limit:g}; turns when crossed",
        window=0,
        warmup=2,
        source=_WILDER,
    )
    direction, flip = (
        _column(name, formula, window=0, warmup=2, unit="flag", low=low, high=1.0, source=_WILDER)
        for name, formula, low in (
            ("tech_psar_direction", "+1 while the stop is below, -1 above", -1.0),
            ("tech_psar_flip", "1 on the bar where the stop turns, else 0", 0.0),
        )
    )
    age = _column(
        "tech_psar_flip_age",
        "bars since the stop turned; since bar 2 before it does",
        window=0,
        warmup=2,
        unit="bars",
        low=0.0,
        high=inf,
        source=_WILDER,
    )
    columns = (line, direction, _distance(line), flip, age)
    return Indicator(PSAR, (step_percent, limit_percent), columns, n_slots=5, lookback_bars=2)


def _ichimoku(conversion: int, base: int, long: int) -> Indicator:
    name = f"tech_ichimoku_{conversion}_{base}_{long}"
    middle = "(highest high + lowest low)/2 of {} bars"
    shown = f"computed {base} bars ago: the cloud of this bar"
    both = max(conversion, base)
    lines = tuple(
        _line(f"{name}_{part}", formula, window=window, warmup=window, source=_HOSODA)
        for part, formula, window in (
            ("conversion", middle.format(conversion), conversion),
            ("base", middle.format(base), base),
            ("span_a", f"(conversion + base)/2, {shown}", both + base),
            ("span_b", f"{middle.format(long)}, {shown}", long + base),
        )
    )
    lagging = _column(
        f"{name}_lagging",
        f"close/close[{base}] - 1: the lagging span is the close, beside the price of {base} bars ago",
        window=base + 1,
        warmup=base + 1,
        unit="ratio",
        low=-1.0,
        high=inf,
        source=_HOSODA,
    )
    return Indicator(
        ICHIMOKU,
        (conversion, base, long),
        (*lines, lagging, *(_distance(line) for line in lines)),
        n_slots=6 + 2 * base,
        lookback_bars=max(conversion, base + 1, long),
    )


def _supertrend(window: int, multiple: int) -> Indicator:
    line = _line(
        f"tech_supertrend_{window}_raw",
        f"the band (high + low)/2 -/+ {multiple} atr{window} that the close keeps to; the lower only rises, the upper "
        "only falls, until crossed; begins short",
        window=0,
        warmup=window + 1,
        source=_SEBAN,
        is_positive=False,
    )
    direction = _column(
        f"tech_supertrend_{window}_direction",
        "+1 while the line is the lower band, -1 the upper",
        window=0,
        warmup=window + 1,
        unit="flag",
        low=-1.0,
        high=1.0,
        source=_SEBAN,
    )
    columns = (line, direction, _distance(line))
    return Indicator(SUPERTREND, (window, multiple), columns, n_slots=4, lookback_bars=2)


def _chandelier(window: int, multiple: int) -> Indicator:
    long, short = (
        _line(
            f"tech_chandelier_{window}_{name}",
            formula,
            window=0,
            warmup=window + 1,
            source=_LE_BEAU,
            is_positive=name == "short",
        )
        for name, formula in (
            ("long", f"highest high of {window} bars - {multiple} atr{window}"),
            ("short", f"lowest low of {window} bars + {multiple} atr{window}"),
        )
    )
    columns = (long, short, _distance(long), _distance(short))
    return Indicator(CHANDELIER, (window, multiple), columns, n_slots=3, lookback_bars=window)


def _linreg(window: int) -> Indicator:
    slope = _column(
        f"stat_linreg_{window}_slope",
        "least-squares slope a bar of close/close; 0 where close is constant",
        window=window,
        warmup=window,
        unit="ratio",
        low=-inf,
        high=inf,
        source="TA-Lib LINEARREG_SLOPE, divided by close",
    )
    r2 = _column(
        f"stat_linreg_{window}_r2",
        "squared correlation of close with time; 0 where close is constant",
        window=window,
        warmup=window,
        unit="fraction",
        low=0.0,
        high=1.0,
        source="least squares",
    )
    return Indicator(LINREG, (window,), (slope, r2), lookback_bars=window)


_OVER_ALL = tuple((window,) for window in _AVERAGE_BARS)

TREND = Family(
    "trend",
    (
        Kind("sma", _sma, _OVER_ALL, rows=(bars.CLOSE,)),
        Kind("ema", _ema, ((5,), (10,), (12,), (20,), (26,), (50,), (100,), (200,)), rows=(bars.CLOSE,)),
        Kind("wma", _wma, _OVER_ALL, rows=(bars.CLOSE,)),
        Kind("dema", _dema, _OVER_ALL, rows=(bars.CLOSE,)),
        Kind("tema", _tema, _OVER_ALL, rows=(bars.CLOSE,)),
        Kind("vwma", _vwma, _OVER_ALL),
        Kind("hma", _hma, _OVER_ALL, rows=(bars.CLOSE,)),
        Kind("kama", _kama, ((10, 2, 30), (20, 2, 30), (50, 2, 30)), rows=(bars.CLOSE,)),
        Kind("adx", _adx, ((14,),), rows=(bars.TRUE_RANGE,)),
        Kind("aroon", _aroon, ((25,),)),
        Kind("psar", _psar, ((2, 20),)),
        Kind("ichimoku", _ichimoku, ((9, 26, 52),)),
        Kind("supertrend", _supertrend, ((10, 3),), rows=(bars.TRUE_RANGE,)),
        Kind("chandelier", _chandelier, ((22, 3),), rows=(bars.TRUE_RANGE,)),
        Kind("linreg", _linreg, ((20,), (60,)), rows=(bars.CLOSE,)),
    ),
)
