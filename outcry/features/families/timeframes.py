"""Timeframes: indicators on closed bars of a longer timeframe.

A timeframe divides each session from its open: bars of 60 minutes end 60, 120, ... minutes after it, the last one with
the session. 1440 minutes are a session, 10080 a calendar week from Monday. A bar belongs to the part it closes in; bars
outside a session are left out. A longer bar is closed by the bar that ends with it; where that bar is missing, by the
first bar after it. Until then nothing of it is seen. A timeframe no longer than the bars has the bars themselves.

`warmup_bars` of these columns counts closed bars of their timeframe: no number of bars is exact, for sessions and weeks
differ in length, and bars are missing. NaN before, a finite number from there on.
"""

from math import inf

from outcry.errors import ConfigurationError
from outcry.features.column import Column
from outcry.features.indicator import Family, Indicator, Kind

RSI, TREND, BBANDS, MACD, ATR, LEVELS, BAR = range(7)

DAY_MINUTES, WEEK_MINUTES = 1440, 10_080
BAR_SLOTS = 7
"""The first slots of every indicator: the longer bar that is being made."""

ROUNDING = 1e-12
"""Averages of equal prices differ by less."""


def timeframe_text(minutes: int) -> str:
    """Return the name of a timeframe.

    Examples
    --------
    >>> [timeframe_text(minutes) for minutes in (15, 60, 240, 1440, 10080)]
    ['15min', '1h', '4h', '1d', '1w']
    """
    for unit, length in (("w", WEEK_MINUTES), ("d", DAY_MINUTES), ("h", 60)):
        if minutes % length == 0:
            return f"{minutes // length}{unit}"
    return f"{minutes}min"


def _column(
    what: str,
    minutes: int,
    windows: tuple[int, ...],
    formula: str,
    *,
    warmup: int,
    unit: str,
    low: float,
    high: float,
    source: str,
) -> Column:
    if minutes > DAY_MINUTES and minutes != WEEK_MINUTES:
        raise ConfigurationError(
            f"a timeframe must be up to {DAY_MINUTES} minutes (a session) or {WEEK_MINUTES} (a week), was {minutes}"
        )
    timeframe = timeframe_text(minutes)
    name = "_".join(["mtf", what, timeframe, *(str(window) for window in windows)])
    text = f"{formula}; on closed bars of {timeframe}"
    sessions = warmup if minutes == DAY_MINUTES else 1
    return Column(
        name,
        "timeframes",
        text,
        0,
        warmup,
        unit,
        low,
        high,
        source,
        warmup_sessions=sessions,
        timeframe_minutes=minutes,
    )


def _rsi(timeframe_minutes: int, window: int) -> Indicator:
    column = _column(
        "rsi",
        timeframe_minutes,
        (window,),
        "100 gain/(gain + loss), wilder averages; 50 where both are 0",
        warmup=window + 1,
        unit="index",
        low=0.0,
        high=100.0,
        source="J. W. Wilder, 1978; TA-Lib RSI",
    )
    return Indicator(RSI, (timeframe_minutes, window), (column,), n_slots=BAR_SLOTS + 3)


def _trend(timeframe_minutes: int, fast: int, slow: int) -> Indicator:
    windows = (fast, slow)
    side = _column(
        "trend",
        timeframe_minutes,
        windows,
        f"sign(ema{fast}/ema{slow} - 1), each seeded at its own bar; 0 within {ROUNDING:g}",
        warmup=max(windows),
        unit="flag",
        low=-1.0,
        high=1.0,
        source="TA-Lib EMA",
    )
    slope = _column(
        "slope",
        timeframe_minutes,
        windows,
        f"ema{fast}/ema{fast}[1] - 1",
        warmup=fast + 1,
        unit="ratio",
        low=-1.0,
        high=inf,
        source="TA-Lib EMA",
    )
    return Indicator(TREND, (timeframe_minutes, *windows), (side, slope), n_slots=BAR_SLOTS + 2)


def _bbands(timeframe_minutes: int, window: int) -> Indicator:
    column = _column(
        "bbands",
        timeframe_minutes,
        (window,),
        "(close - lower)/(upper - lower), mean -+ 2 population deviations; 0.5 where they are 0",
        warmup=window,
        unit="ratio",
        low=-inf,
        high=inf,
        source="J. Bollinger, Bollinger on Bollinger Bands, 2001; TA-Lib BBANDS",
    )
    return Indicator(BBANDS, (timeframe_minutes, window), (column,), n_slots=BAR_SLOTS + window)


def _macd(timeframe_minutes: int, fast: int, slow: int, signal: int) -> Indicator:
    if fast > slow:
        raise ConfigurationError(f"windows.mtf_macd: fast must be at most slow {slow}, was {fast}")
    column = _column(
        "macd",
        timeframe_minutes,
        (fast, slow, signal),
        f"histogram/close: line = ema{fast} - ema{slow}, both seeded at bar {slow}; line - ema{signal}(line)",
        warmup=slow + signal - 1,
        unit="ratio",
        low=-inf,
        high=inf,
        source="G. Appel, The Moving Average Convergence-Divergence Method, 1979; TA-Lib MACD",
    )
    return Indicator(MACD, (timeframe_minutes, fast, slow, signal), (column,), n_slots=BAR_SLOTS + 3)


def _atr(timeframe_minutes: int, window: int) -> Indicator:
    column = _column(
        "atr",
        timeframe_minutes,
        (window,),
        "wilder average of the true range / close",
        warmup=window + 1,
        unit="ratio",
        low=0.0,
        high=inf,
        source="J. W. Wilder, 1978; TA-Lib ATR",
    )
    return Indicator(ATR, (timeframe_minutes, window), (column,), n_slots=BAR_SLOTS + 2)


def _levels(timeframe_minutes: int, window: int) -> Indicator:
    resistance, support = (
        _column(
            what,
            timeframe_minutes,
            (window,),
            f"{extreme}/close - 1, the close of the newest bar inside a session",
            warmup=window,
            unit="ratio",
            low=-1.0,
            high=inf,
            source="R. Donchian, 1960",
        )
        for what, extreme in (("resistance", f"highest high of {window}"), ("support", f"lowest low of {window}"))
    )
    return Indicator(LEVELS, (timeframe_minutes, window), (resistance, support), n_slots=BAR_SLOTS + 2 + 2 * window)


def _bar(timeframe_minutes: int) -> Indicator:
    change = _column(
        "return",
        timeframe_minutes,
        (1,),
        "close/close[1] - 1",
        warmup=2,
        unit="ratio",
        low=-1.0,
        high=inf,
        source="prices of the timeframe",
    )
    position = _column(
        "position",
        timeframe_minutes,
        (1,),
        "(c - low)/(high - low), c the close of the newest bar inside a session; 0.5 where high = low",
        warmup=1,
        unit="ratio",
        low=-inf,
        high=inf,
        source="prices of the timeframe",
    )
    return Indicator(BAR, (timeframe_minutes,), (change, position), n_slots=BAR_SLOTS + 3)


TIMEFRAMES = Family(
    "timeframes",
    (
        Kind("mtf_rsi", _rsi, ((14,),), is_of_timeframe=True, reads_clock=True),
        Kind("mtf_trend", _trend, ((20, 50),), is_of_timeframe=True, reads_clock=True),
        Kind("mtf_bbands", _bbands, ((20,),), is_of_timeframe=True, reads_clock=True),
        Kind("mtf_macd", _macd, ((12, 26, 9),), is_of_timeframe=True, reads_clock=True),
        Kind("mtf_atr", _atr, ((14,),), is_of_timeframe=True, reads_clock=True),
        Kind("mtf_levels", _levels, ((20,),), is_of_timeframe=True, reads_clock=True),
        Kind("mtf_bar", _bar, ((),), is_of_timeframe=True, reads_clock=True),
    ),
)
