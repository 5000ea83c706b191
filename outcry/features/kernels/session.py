"""Session columns of one symbol.

State (float64, a row a symbol)

=====================  ===================================================  ========
slot                   meaning                                              unit
=====================  ===================================================  ========
HAS_SESSION            1 after the first bar inside a session               flag
ID                     position of the session                              1
LAST_CLOSE             close of the last bar inside a session               price
GAP                    first open / close of the session before - 1         ratio
FIRST_OPEN             of the session                                       price
DAY_HIGH, DAY_LOW      of the session so far                                price
HIGH_AT, LOW_AT        when                                                 minutes
RANGE_HIGH, RANGE_LOW  of the opening range                                 price
PRICE_VOLUME           sum of vwap volume                                   currency
DAY_VOLUME             sum of volume                                        shares
=====================  ===================================================  ========
"""

import math

from outcry.features.column import positions
from outcry.features.columns.session import OPENING_RANGE_MINUTES
from outcry.features.columns.session import SESSION as COLUMNS
from outcry.features.kernels.bars import CLOSE, HIGH, LOW, OPEN, VOLUME, VWAP
from outcry.features.kernels.clock import (
    DAY,
    DAY_COS,
    DAY_SIN,
    FRACTION,
    HOUR,
    IS_OPEN,
    MINUTE,
    SESSION,
    SHORT,
    SINCE_OPEN,
    TIME_COS,
    TIME_SIN,
    TO_CLOSE,
)
from outcry.features.kernels.compile import kernel
from outcry.market.frame import FloatArray

_AT = positions(COLUMNS)
_SINCE_OPEN, _TO_CLOSE, _FRACTION, _IS_OPEN, _SHORT = (
    _AT[f"time_session_{n}"] for n in ("since_open", "to_close", "fraction", "is_open", "is_short")
)
_DAY, _DAY_SIN, _DAY_COS = (_AT[f"time_weekday_{n}"] for n in ("raw", "sin", "cos"))
_HOUR, _MINUTE, _TIME_SIN, _TIME_COS = (_AT[f"time_{n}"] for n in ("hour_raw", "minute_raw", "day_sin", "day_cos"))
_GAP, _VWAP, _VWAP_DISTANCE = (
    _AT[n] for n in ("time_gap_1_open", "tech_vwap_session_raw", "tech_vwap_session_distance")
)
_RETURN, _RANGE, _LOCATION, _SINCE_HIGH, _SINCE_LOW = (
    _AT[f"time_session_{n}"] for n in ("return", "range", "location", "since_high", "since_low")
)
_OPENING_HIGH, _OPENING_LOW, _OPENING_WIDTH = (_AT[f"time_opening_30_{n}"] for n in ("high", "low", "width"))

HAS_SESSION, ID, LAST_CLOSE, GAP, FIRST_OPEN, DAY_HIGH, DAY_LOW, HIGH_AT, LOW_AT, RANGE_HIGH, RANGE_LOW = range(11)
PRICE_VOLUME, DAY_VOLUME = 11, 12
SESSION_SLOTS = 13


@kernel
def step_session(end: int, ring: FloatArray, clock: FloatArray, s: FloatArray, out: FloatArray) -> None:
    """Advance the session columns by a bar of a symbol that closes at `clock`."""
    out[_SINCE_OPEN], out[_TO_CLOSE], out[_FRACTION] = clock[SINCE_OPEN], clock[TO_CLOSE], clock[FRACTION]
    out[_IS_OPEN], out[_SHORT] = clock[IS_OPEN], clock[SHORT]
    out[_DAY], out[_DAY_SIN], out[_DAY_COS] = clock[DAY], clock[DAY_SIN], clock[DAY_COS]
    out[_HOUR], out[_MINUTE] = clock[HOUR], clock[MINUTE]
    out[_TIME_SIN], out[_TIME_COS] = clock[TIME_SIN], clock[TIME_COS]
    if clock[IS_OPEN] > 0.0:
        _accumulate(end, ring, clock, s)
        _write_session(ring[CLOSE, end], clock[SINCE_OPEN], s, out)


@kernel
def _accumulate(end: int, ring: FloatArray, clock: FloatArray, s: FloatArray) -> None:
    high, low, since_open = ring[HIGH, end], ring[LOW, end], clock[SINCE_OPEN]
    is_first = s[HAS_SESSION] == 0.0 or s[ID] != clock[SESSION]
    if is_first:
        s[GAP] = ring[OPEN, end] / s[LAST_CLOSE] - 1.0 if s[HAS_SESSION] > 0.0 else math.nan
        s[HAS_SESSION] = 1.0
        s[ID] = clock[SESSION]
        s[FIRST_OPEN] = ring[OPEN, end]
        s[PRICE_VOLUME] = s[DAY_VOLUME] = 0.0
    if is_first or high > s[DAY_HIGH]:
        s[DAY_HIGH], s[HIGH_AT] = high, since_open
    if is_first or low < s[DAY_LOW]:
        s[DAY_LOW], s[LOW_AT] = low, since_open
    if is_first or since_open <= OPENING_RANGE_MINUTES:
        s[RANGE_HIGH], s[RANGE_LOW] = s[DAY_HIGH], s[DAY_LOW]
    s[PRICE_VOLUME] += ring[VWAP, end] * ring[VOLUME, end]
    s[DAY_VOLUME] += ring[VOLUME, end]
    s[LAST_CLOSE] = ring[CLOSE, end]


@kernel
def _write_session(c: float, since_open: float, s: FloatArray, out: FloatArray) -> None:
    vwap = s[PRICE_VOLUME] / s[DAY_VOLUME] if s[DAY_VOLUME] > 0.0 else c
    width = s[DAY_HIGH] - s[DAY_LOW]
    out[_GAP] = s[GAP]
    out[_VWAP] = vwap
    out[_VWAP_DISTANCE] = (c - vwap) / vwap
    out[_RETURN] = c / s[FIRST_OPEN] - 1.0
    out[_RANGE] = width / s[FIRST_OPEN]
    out[_LOCATION] = (c - s[DAY_LOW]) / width if width > 0.0 else 0.5
    out[_SINCE_HIGH] = since_open - s[HIGH_AT]
    out[_SINCE_LOW] = since_open - s[LOW_AT]
    out[_OPENING_HIGH] = c / s[RANGE_HIGH] - 1.0
    out[_OPENING_LOW] = c / s[RANGE_LOW] - 1.0
    out[_OPENING_WIDTH] = (s[RANGE_HIGH] - s[RANGE_LOW]) / s[FIRST_OPEN]
