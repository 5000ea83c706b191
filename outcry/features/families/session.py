"""Session: where the bar stands in the trading day and the calendar, and what the day did so far.

The calendar gives the session; a bar outside (open, close] leaves the columns of the day as they are. A daily bar is a
whole session: it ends 0 minutes before the close, and its session columns describe that one bar. A symbol's first
bar counts from its first one inside a session.
"""

from math import inf

from outcry.errors import ConfigurationError
from outcry.features.column import Column
from outcry.features.indicator import Family, Indicator, Kind

CLOCK, PRICES, OPENING, FIRST_HOUR, PART, LAST_HOUR, DAILY_RANGE, RELATIVE_VOLUME = range(8)

DAY_MINUTES = 1440
DAY_SLOTS = 2
"""The first slots of every indicator that follows a session: whether there was one, and which."""

_CALENDAR = "exchange calendar"
_DAY = "prices of the session so far"
_EXPIRY = "Cboe, monthly options expire on the third Friday"


def _column(
    name: str,
    formula: str,
    *,
    unit: str,
    low: float,
    high: float,
    source: str = _CALENDAR,
    window: int = 1,
    sessions: int = 1,
    alias: str = "",
) -> Column:
    return Column(
        name,
        "session",
        formula,
        window,
        1,
        unit,
        low,
        high,
        source,
        (alias,) if alias else (),
        warmup_sessions=sessions,
    )


def _minutes(name: str, formula: str, *, source: str = _CALENDAR, window: int = 1, alias: str = "") -> Column:
    return _column(
        name, formula, unit="minutes", low=0.0, high=float(DAY_MINUTES), source=source, window=window, alias=alias
    )


def _flag(name: str, formula: str, *, source: str = _CALENDAR, window: int = 1, sessions: int = 1) -> Column:
    return _column(name, formula, unit="flag", low=0.0, high=1.0, source=source, window=window, sessions=sessions)


def _calendar(
    name: str, formula: str, *, low: float = 0.0, high: float, source: str = _CALENDAR, alias: str = ""
) -> Column:
    return _column(name, formula, unit="calendar", low=low, high=high, source=source, alias=alias)


def _wave(name: str, formula: str) -> Column:
    return _column(name, formula, unit="ratio", low=-1.0, high=1.0)


def _ratio(name: str, formula: str, *, low: float = -1.0, sessions: int = 1, source: str = _DAY) -> Column:
    return _column(name, formula, unit="ratio", low=low, high=inf, source=source, window=0, sessions=sessions)


CLOCK_COLUMNS = (
    _minutes("time_session_since_open", "minutes from the open to the close of the bar, within the session"),
    _minutes(
        "time_session_to_close",
        "minutes from the close of the bar to the close of the session",
        alias="time_to_close",
    ),
    _column("time_session_fraction", "minutes since open / minutes of the session", unit="fraction", low=0.0, high=1.0),
    _column(
        "time_session_is_open",
        "1 where the bar closes in (open, close] of a session",
        unit="flag",
        low=0.0,
        high=1.0,
        alias="is_market_open",
    ),
    _flag("time_session_is_short", "1 where the session is shorter than the longest (a half day)"),
    _calendar("time_weekday_raw", "0 is Monday", high=6.0, alias="day_of_week"),
    _wave("time_weekday_sin", "sin(2 pi weekday/7)"),
    _wave("time_weekday_cos", "cos(2 pi weekday/7)"),
    _calendar("time_hour_raw", "hour of the close of the bar, exchange time", high=24.0, alias="hour"),
    _calendar(
        "time_minute_raw", "minute of the hour of the close of the bar, exchange time", high=59.0, alias="minute"
    ),
    _wave("time_day_sin", "sin(2 pi minute of the day/1440)"),
    _wave("time_day_cos", "cos(2 pi minute of the day/1440)"),
    _calendar(
        "time_session_phase",
        "0 closed; 1 before the open: the bar closes in (04:00, open] of the date of a session; 2 in (open, close];"
        " 3 after the close, up to the midnight that ends the date",
        high=3.0,
        alias="market_session",
    ),
    _column(
        "time_session_is_premarket",
        "1 where the phase is 1",
        unit="flag",
        low=0.0,
        high=1.0,
        alias="is_premarket",
    ),
    _column(
        "time_session_is_afterhours",
        "1 where the phase is 3",
        unit="flag",
        low=0.0,
        high=1.0,
        alias="is_afterhours",
    ),
    _calendar("time_month_raw", "month of the date of the session", low=1.0, high=12.0, alias="month"),
    _wave("time_month_sin", "sin(2 pi (month - 1)/12)"),
    _wave("time_month_cos", "cos(2 pi (month - 1)/12)"),
    _calendar("time_monthday_raw", "day of the month of the session", low=1.0, high=31.0),
    _calendar("time_month_to_end", "sessions after this one in its month", high=30.0),
    _flag("time_month_is_end", "1 in the last session of a month"),
    _calendar("time_quarter_to_end", "sessions after this one in its quarter", high=91.0),
    _flag("time_quarter_is_end", "1 in the last session of a quarter"),
    _calendar(
        "time_expiry_to_next",
        "sessions to the next monthly expiry of options: the third Friday, or the last session before it",
        high=34.0,
        source=_EXPIRY,
    ),
    _flag("time_expiry_is_today", "1 in the session of a monthly expiry of options", source=_EXPIRY),
)

PRICE_COLUMNS = (
    Column(
        "time_gap_1_open",
        "session",
        "first open of the session / last close of the session before - 1",
        window_bars=0,
        warmup_bars=2,
        unit="ratio",
        low=-1.0,
        high=inf,
        source=_DAY,
        warmup_sessions=2,
    ),
    _column(
        "tech_vwap_session_raw",
        "sum(vwap volume)/sum(volume); the close without volume",
        unit="price",
        low=0.0,
        high=inf,
        source=_DAY,
        window=0,
        alias="vwap",
    ),
    _column(
        "tech_vwap_session_distance",
        "(close - session vwap)/session vwap",
        unit="ratio",
        low=-1.0,
        high=inf,
        source=_DAY,
        window=0,
        alias="vwap_distance",
    ),
    _ratio("time_session_return", "close / first open - 1"),
    _ratio("time_session_range", "(session high - session low)/first open", low=0.0),
    _column(
        "time_session_location",
        "(close - session low)/(session high - session low); 0.5 where equal",
        unit="fraction",
        low=0.0,
        high=1.0,
        source=_DAY,
        window=0,
    ),
    _minutes("time_session_since_high", "minutes since the session high", source=_DAY, window=0),
    _minutes("time_session_since_low", "minutes since the session low", source=_DAY, window=0),
    _ratio("tech_twap_session_distance", "close / mean(o + h + l + c)/4 of the bars of the session so far - 1"),
    _ratio("time_gap_1_distance", "close / last close of the session before - 1", sessions=2),
    _flag(
        "time_gap_1_filled",
        "1 from where the session has traded at the last close of the session before:"
        " session low <= close <= session high",
        source=_DAY,
        window=0,
        sessions=2,
    ),
)


def _clock() -> Indicator:
    return Indicator(CLOCK, (), CLOCK_COLUMNS)


def _prices() -> Indicator:
    return Indicator(PRICES, (), PRICE_COLUMNS, n_slots=DAY_SLOTS + 12)


def _opening(minutes: int) -> Indicator:
    name = f"time_opening_{minutes}"
    columns = (
        _ratio(
            f"{name}_high",
            "close / high of the opening range - 1; the range is that of the bars that close in the first"
            f" {minutes} minutes (so far), or of the first bar where it is longer",
        ),
        _ratio(f"{name}_low", "close / low of the opening range - 1"),
        _ratio(f"{name}_width", "(high - low)/first open of the opening range", low=0.0),
        _column(
            f"{name}_breakout",
            "1 where the close is above the opening range, -1 below, 0 inside it or while it is made",
            unit="flag",
            low=-1.0,
            high=1.0,
            source="T. Crabel, Day Trading with Short Term Price Patterns and Opening Range Breakout, 1990",
            window=0,
        ),
    )
    return Indicator(OPENING, (minutes,), columns, n_slots=DAY_SLOTS + 3)


def _first_hour(minutes: int) -> Indicator:
    source = "L. Gao, Y. Han, S. Z. Li, G. Zhou, Market Intraday Momentum, 2018"
    columns = (
        _ratio(
            f"time_firsthour_{minutes}_return",
            f"close of the last bar that closes in the first {minutes} minutes (so far) / first open - 1, kept for"
            " the rest of the session; of the first bar where it is longer",
            source=source,
        ),
        _ratio(f"time_firsthour_{minutes}_since", "close / close of that bar - 1", source=source),
    )
    return Indicator(FIRST_HOUR, (minutes,), columns, n_slots=DAY_SLOTS + 2)


def _activity_columns(name: str, part: str) -> tuple[Column, ...]:
    return (
        _ratio(
            f"{name}_activity",
            f"mean volume of the bars of {part} so far / mean volume of the bars of the session before them;"
            " 1 until then and where there is no volume before, and kept after",
            low=0.0,
            source="volume of the session so far",
        ),
        _flag(f"{name}_is_now", f"1 where the bar closes in {part}"),
    )


def _part(start_minute: int, end_minute: int) -> Indicator:
    if not start_minute < end_minute <= DAY_MINUTES:
        raise ConfigurationError(
            f"windows.lunch: end_minute must be in ({start_minute}, {DAY_MINUTES}], was {end_minute}"
        )
    start, end = (f"{minute // 60:02d}:{minute % 60:02d}" for minute in (start_minute, end_minute))
    columns = _activity_columns(f"time_lunch_{start_minute}_{end_minute}", f"({start}, {end}] exchange time")
    return Indicator(PART, (start_minute, end_minute), columns, n_slots=DAY_SLOTS + 4)


def _last_hour(minutes: int) -> Indicator:
    columns = _activity_columns(f"time_powerhour_{minutes}", f"the last {minutes} minutes of the session")
    return Indicator(LAST_HOUR, (minutes,), columns, n_slots=DAY_SLOTS + 4)


def _daily_range(sessions: int) -> Indicator:
    atr = f"atr, the wilder average over {sessions} of the true ranges of the sessions before (TA-Lib ATR)"
    columns = (
        _ratio(
            f"time_session_{sessions}_usage",
            f"(session high - session low)/{atr}; 0 where the atr is 0",
            low=0.0,
            sessions=sessions + 2,
            source="J. W. Wilder, New Concepts in Technical Trading Systems, 1978",
        ),
        _ratio(
            f"time_gap_{sessions}_atr",
            f"(first open - last close of the session before)/{atr}; 0 where the atr is 0",
            low=-inf,
            sessions=sessions + 2,
            source="J. W. Wilder, New Concepts in Technical Trading Systems, 1978",
        ),
    )
    return Indicator(DAILY_RANGE, (sessions,), columns, n_slots=DAY_SLOTS + 7)


def _relative_volume(minutes: int, sessions: int) -> Indicator:
    if minutes > DAY_MINUTES:
        raise ConfigurationError(f"windows.relative_volume: minutes must be at most {DAY_MINUTES}, was {minutes}")
    column = _ratio(
        f"time_volume_{minutes}_{sessions}_relative",
        f"volume / mean volume of a bar in these {minutes} minutes of the session, over sessions before: the plain mean"
        f" of up to {sessions}, then mean += (x - mean)/{sessions}; 1 where none traded then, or without volume",
        low=0.0,
        sessions=2,
        source="volume of the sessions before",
    )
    n_parts = -(-DAY_MINUTES // minutes)
    return Indicator(RELATIVE_VOLUME, (minutes, sessions), (column,), n_slots=DAY_SLOTS + 4 + 2 * n_parts)


SESSION = Family(
    "session",
    (
        Kind("session_clock", _clock, reads_clock=True),
        Kind("session_prices", _prices, reads_clock=True),
        Kind("opening_range", _opening, ((30,),), reads_clock=True),
        Kind("first_hour", _first_hour, ((60,),), reads_clock=True),
        Kind("lunch", _part, ((720, 810),), reads_clock=True),
        Kind("power_hour", _last_hour, ((60,),), reads_clock=True),
        Kind("session_range", _daily_range, ((14,),), reads_clock=True),
        Kind("relative_volume", _relative_volume, ((30, 20),), reads_clock=True),
    ),
)
