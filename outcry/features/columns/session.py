"""Session: where the bar stands in the trading day, and what the day did so far.

The calendar gives the session; a bar outside (open, close] leaves the columns of the day's prices as they are. A daily
bar is a whole session: it ends 0 minutes before the close, and its session columns describe that one bar.
"""

from math import inf

from outcry.features.column import Column

OPENING_RANGE_MINUTES = 30.0

_CALENDAR = "exchange calendar"
_DAY = "prices of the session so far"


def _column(
    name: str, formula: str, *, unit: str, low: float, high: float, source: str, aliases: tuple[str, ...] = ()
) -> Column:
    return Column(name, "session", formula, 1, 1, unit, low, high, source, aliases)


SESSION: tuple[Column, ...] = (
    _column(
        "time_session_since_open",
        "minutes from the open to the close of the bar, within the session",
        unit="minutes",
        low=0.0,
        high=1440.0,
        source=_CALENDAR,
    ),
    _column(
        "time_session_to_close",
        "minutes from the close of the bar to the close of the session",
        unit="minutes",
        low=0.0,
        high=1440.0,
        source=_CALENDAR,
        aliases=("time_to_close",),
    ),
    _column(
        "time_session_fraction",
        "minutes since open / minutes of the session",
        unit="fraction",
        low=0.0,
        high=1.0,
        source=_CALENDAR,
    ),
    _column(
        "time_session_is_open",
        "1 where the bar closes in (open, close] of a session",
        unit="flag",
        low=0.0,
        high=1.0,
        source=_CALENDAR,
        aliases=("is_market_open",),
    ),
    _column(
        "time_session_is_short",
        "1 where the session is shorter than the longest (a half day)",
        unit="flag",
        low=0.0,
        high=1.0,
        source=_CALENDAR,
    ),
    _column(
        "time_weekday_raw",
        "0 is Monday",
        unit="calendar",
        low=0.0,
        high=6.0,
        source=_CALENDAR,
        aliases=("day_of_week",),
    ),
    _column(
        "time_weekday_sin",
        "sin(2 pi weekday/7)",
        unit="ratio",
        low=-1.0,
        high=1.0,
        source=_CALENDAR,
    ),
    _column(
        "time_weekday_cos",
        "cos(2 pi weekday/7)",
        unit="ratio",
        low=-1.0,
        high=1.0,
        source=_CALENDAR,
    ),
    _column(
        "time_hour_raw",
        "hour of the close of the bar, exchange time",
        unit="calendar",
        low=0.0,
        high=24.0,
        source=_CALENDAR,
        aliases=("hour",),
    ),
    _column(
        "time_minute_raw",
        "minute of the hour of the close of the bar, exchange time",
        unit="calendar",
        low=0.0,
        high=59.0,
        source=_CALENDAR,
        aliases=("minute",),
    ),
    _column(
        "time_day_sin",
        "sin(2 pi minute of the day/1440)",
        unit="ratio",
        low=-1.0,
        high=1.0,
        source=_CALENDAR,
    ),
    _column(
        "time_day_cos",
        "cos(2 pi minute of the day/1440)",
        unit="ratio",
        low=-1.0,
        high=1.0,
        source=_CALENDAR,
    ),
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
        aliases=("vwap",),
    ),
    _column(
        "tech_vwap_session_distance",
        "(close - session vwap)/session vwap",
        unit="ratio",
        low=-1.0,
        high=inf,
        source=_DAY,
        aliases=("vwap_distance",),
    ),
    _column(
        "time_session_return",
        "close / first open - 1",
        unit="ratio",
        low=-1.0,
        high=inf,
        source=_DAY,
    ),
    _column(
        "time_session_range",
        "(session high - session low)/first open",
        unit="ratio",
        low=0.0,
        high=inf,
        source=_DAY,
    ),
    _column(
        "time_session_location",
        "(close - session low)/(session high - session low); 0.5 where equal",
        unit="fraction",
        low=0.0,
        high=1.0,
        source=_DAY,
    ),
    _column(
        "time_session_since_high",
        "minutes since the session high",
        unit="minutes",
        low=0.0,
        high=1440.0,
        source=_DAY,
    ),
    _column(
        "time_session_since_low",
        "minutes since the session low",
        unit="minutes",
        low=0.0,
        high=1440.0,
        source=_DAY,
    ),
    _column(
        "time_opening_30_high",
        "close / high of the opening range - 1; the range is that of the bars that close in the first 30 minutes"
        " (so far), or of the first bar where it is longer",
        unit="ratio",
        low=-1.0,
        high=inf,
        source=_DAY,
    ),
    _column(
        "time_opening_30_low",
        "close / low of the opening range - 1",
        unit="ratio",
        low=-1.0,
        high=inf,
        source=_DAY,
    ),
    _column(
        "time_opening_30_width",
        "(high - low)/first open of the opening range",
        unit="ratio",
        low=0.0,
        high=inf,
        source=_DAY,
    ),
)
