"""Session columns of one symbol.

State (float64, a row a symbol): every indicator but the clock begins with HAS_SESSION (1 after the first bar inside a
session) and ID (of the session of the last such bar), then

===============  ===================================================  ========
slot             meaning                                              unit
===============  ===================================================  ========
session_prices
LAST_CLOSE       close of the last bar inside a session               price
REFERENCE        close of the session before; 0 in the first          price
GAP              first open / that close - 1                          ratio
FIRST_OPEN       of the session                                       price
DAY_HIGH, _LOW   of the session so far                                price
HIGH_AT, LOW_AT  when                                                 minutes
PRICE_VOLUME     sum of vwap volume                                   currency
DAY_VOLUME       sum of volume                                        shares
PRICE_SUM        sum of (o + h + l + c)/4                             price
N_BARS           of the session so far                                1

opening_range
RANGE_OPEN       first open of the session                            price
RANGE_HIGH, _LOW of the opening range                                 price

first_hour
HOUR_OPEN        first open of the session                            price
HOUR_CLOSE       last close of the first hour so far                  price

lunch, power_hour
BEFORE, N_BEFORE volume and number of the bars before the part        shares, 1
WITHIN, N_WITHIN of the bars in it so far                             shares, 1

session_range
SO_FAR_HIGH ..   high, low and first open of the session so far       price
RANGE_CLOSE      last close                                           price
CLOSE_BEFORE     close of the session before                          price
N_SESSIONS       number of the session                                1
ATR              Wilder average of the true ranges of the sessions    price

relative_volume
BUCKET           part of the session                                  1
SUM, N           volume and number of its bars so far                 shares, 1
N_DAYS           number of the session                                1
MEANS ..         mean volume of a bar, and number of sessions in it,  shares, 1
                 a part
===============  ===================================================  ========
"""

import math

from outcry.compiled import inlined_kernel
from outcry.features.families.session import (
    CLOCK,
    DAILY_RANGE,
    DAY_SLOTS,
    FIRST_HOUR,
    LAST_HOUR,
    OPENING,
    PART,
    PRICES,
    RELATIVE_VOLUME,
)
from outcry.features.kernels.bars import CLOSE, HIGH, LOW, OPEN, VOLUME, VWAP
from outcry.features.kernels.clock import (
    AT_MONTH,
    AT_MONTH_DAY,
    AT_TO_EXPIRY,
    AT_TO_MONTH_END,
    AT_TO_QUARTER_END,
    DAY,
    DAY_COS,
    DAY_SIN,
    FRACTION,
    HOUR,
    IS_OPEN,
    MINUTE,
    OF_DAY,
    PHASE,
    PHASE_AFTER_HOURS,
    PHASE_PREMARKET,
    SESSION,
    SHORT,
    SINCE_OPEN,
    TIME_COS,
    TIME_SIN,
    TO_CLOSE,
)
from outcry.features.kernels.window import wilder_next, within
from outcry.market.frame import FloatArray, IntArray

HAS_SESSION, ID = range(DAY_SLOTS)
LAST_CLOSE, REFERENCE, GAP, FIRST_OPEN, DAY_HIGH, DAY_LOW, HIGH_AT, LOW_AT, PRICE_VOLUME, DAY_VOLUME = range(2, 12)
PRICE_SUM, N_BARS = 12, 13
RANGE_OPEN, RANGE_HIGH, RANGE_LOW = range(2, 5)
HOUR_OPEN, HOUR_CLOSE = range(2, 4)
BEFORE, N_BEFORE, WITHIN, N_WITHIN = range(2, 6)
SO_FAR_HIGH, SO_FAR_LOW, SO_FAR_OPEN, RANGE_CLOSE, CLOSE_BEFORE, N_SESSIONS, ATR = range(2, 9)
BUCKET, SUM, N, N_DAYS, MEANS = range(2, 7)


@inlined_kernel
def step_session(
    opcode: int,
    k: int,
    end: int,
    history: FloatArray,
    clock: FloatArray,
    row: FloatArray,
    s: FloatArray,
    out: FloatArray,
    p: IntArray,
) -> None:
    """Advance one indicator; see `outcry.features.kernels.advance.Step`."""
    if opcode == CLOCK:
        _clock(clock, out)
    elif clock[IS_OPEN] == 0.0:
        if opcode in (PART, LAST_HOUR):
            out[1] = 0.0
    elif opcode == PRICES:
        _prices(end, history, clock, s, out)
    elif opcode == OPENING:
        _opening(end, history, clock, s, out, p[0])
    elif opcode == FIRST_HOUR:
        _first_hour(end, history, clock, s, out, p[0])
    elif opcode == PART:
        is_in = p[0] < clock[OF_DAY] <= p[1]
        _part(is_in, history[VOLUME, end], clock, s, out)
    elif opcode == LAST_HOUR:
        is_in = clock[TO_CLOSE] < p[0]
        _part(is_in, history[VOLUME, end], clock, s, out)
    elif opcode == DAILY_RANGE:
        _daily_range(end, history, clock, s, out, p[0])
    elif opcode == RELATIVE_VOLUME:
        _relative_volume(history[VOLUME, end], clock, s, out, p)


@inlined_kernel
def _clock(clock: FloatArray, out: FloatArray) -> None:
    out[0], out[1], out[2] = clock[SINCE_OPEN], clock[TO_CLOSE], clock[FRACTION]
    out[3], out[4] = clock[IS_OPEN], clock[SHORT]
    out[5], out[6], out[7] = clock[DAY], clock[DAY_SIN], clock[DAY_COS]
    out[8], out[9] = clock[HOUR], clock[MINUTE]
    out[10], out[11] = clock[TIME_SIN], clock[TIME_COS]
    out[12] = clock[PHASE]
    out[13] = 1.0 if clock[PHASE] == PHASE_PREMARKET else 0.0
    out[14] = 1.0 if clock[PHASE] == PHASE_AFTER_HOURS else 0.0
    out[15] = clock[AT_MONTH]
    out[16] = math.sin(2.0 * math.pi * (clock[AT_MONTH] - 1.0) / 12.0)
    out[17] = math.cos(2.0 * math.pi * (clock[AT_MONTH] - 1.0) / 12.0)
    out[18] = clock[AT_MONTH_DAY]
    _count_down(clock[AT_TO_MONTH_END], out[19:21])
    _count_down(clock[AT_TO_QUARTER_END], out[21:23])
    _count_down(clock[AT_TO_EXPIRY], out[23:25])


@inlined_kernel
def _count_down(sessions: float, out: FloatArray) -> None:
    out[0] = sessions
    out[1] = 1.0 if sessions == 0.0 else 0.0


@inlined_kernel
def _begins(clock: FloatArray, s: FloatArray) -> bool:
    """Say whether this bar is the first of a session, and remember which."""
    is_first: bool = s[HAS_SESSION] == 0.0 or s[ID] != clock[SESSION]
    s[HAS_SESSION] = 1.0
    s[ID] = clock[SESSION]
    return is_first


@inlined_kernel
def _prices(end: int, history: FloatArray, clock: FloatArray, s: FloatArray, out: FloatArray) -> None:
    o, high, low, c = history[OPEN, end], history[HIGH, end], history[LOW, end], history[CLOSE, end]
    has_last = s[HAS_SESSION] > 0.0
    is_first = _begins(clock, s)
    if is_first:
        s[REFERENCE] = s[LAST_CLOSE] if has_last else 0.0
        s[GAP] = o / s[LAST_CLOSE] - 1.0 if has_last else math.nan
        s[FIRST_OPEN] = o
        s[PRICE_VOLUME] = s[DAY_VOLUME] = s[PRICE_SUM] = s[N_BARS] = 0.0
    if is_first or high > s[DAY_HIGH]:
        s[DAY_HIGH], s[HIGH_AT] = high, clock[SINCE_OPEN]
    if is_first or low < s[DAY_LOW]:
        s[DAY_LOW], s[LOW_AT] = low, clock[SINCE_OPEN]
    s[PRICE_VOLUME] += history[VWAP, end] * history[VOLUME, end]
    s[DAY_VOLUME] += history[VOLUME, end]
    s[PRICE_SUM] += 0.25 * ((o + high) + (low + c))
    s[N_BARS] += 1.0
    s[LAST_CLOSE] = c
    _write_prices(c, clock[SINCE_OPEN], s, out)


@inlined_kernel
def _write_prices(c: float, since_open: float, s: FloatArray, out: FloatArray) -> None:
    vwap = s[PRICE_VOLUME] / s[DAY_VOLUME] if s[DAY_VOLUME] > 0.0 else c
    width = s[DAY_HIGH] - s[DAY_LOW]
    out[0] = s[GAP]
    out[1] = vwap
    out[2] = (c - vwap) / vwap
    out[3] = c / s[FIRST_OPEN] - 1.0
    out[4] = width / s[FIRST_OPEN]
    out[5] = within((c - s[DAY_LOW]) / width, 0.0, 1.0) if width > 0.0 else 0.5
    out[6] = since_open - s[HIGH_AT]
    out[7] = since_open - s[LOW_AT]
    out[8] = c / (s[PRICE_SUM] / s[N_BARS]) - 1.0
    if s[REFERENCE] > 0.0:
        out[9] = c / s[REFERENCE] - 1.0
        out[10] = 1.0 if s[DAY_LOW] <= s[REFERENCE] <= s[DAY_HIGH] else 0.0


@inlined_kernel
def _opening(end: int, history: FloatArray, clock: FloatArray, s: FloatArray, out: FloatArray, minutes: int) -> None:
    high, low, c = history[HIGH, end], history[LOW, end], history[CLOSE, end]
    if _begins(clock, s):
        s[RANGE_OPEN], s[RANGE_HIGH], s[RANGE_LOW] = history[OPEN, end], high, low
    elif clock[SINCE_OPEN] <= minutes:
        s[RANGE_HIGH] = max(s[RANGE_HIGH], high)
        s[RANGE_LOW] = min(s[RANGE_LOW], low)
    out[0] = c / s[RANGE_HIGH] - 1.0
    out[1] = c / s[RANGE_LOW] - 1.0
    out[2] = (s[RANGE_HIGH] - s[RANGE_LOW]) / s[RANGE_OPEN]
    out[3] = 1.0 if c > s[RANGE_HIGH] else -1.0 if c < s[RANGE_LOW] else 0.0


@inlined_kernel
def _first_hour(end: int, history: FloatArray, clock: FloatArray, s: FloatArray, out: FloatArray, minutes: int) -> None:
    c = history[CLOSE, end]
    is_first = _begins(clock, s)
    if is_first:
        s[HOUR_OPEN] = history[OPEN, end]
    if is_first or clock[SINCE_OPEN] <= minutes:
        s[HOUR_CLOSE] = c
    out[0] = s[HOUR_CLOSE] / s[HOUR_OPEN] - 1.0
    out[1] = c / s[HOUR_CLOSE] - 1.0


@inlined_kernel
def _part(is_in: bool, volume: float, clock: FloatArray, s: FloatArray, out: FloatArray) -> None:
    if _begins(clock, s):
        s[BEFORE] = s[N_BEFORE] = s[WITHIN] = s[N_WITHIN] = 0.0
    if is_in:
        s[WITHIN] += volume
        s[N_WITHIN] += 1.0
    elif s[N_WITHIN] == 0.0:
        s[BEFORE] += volume
        s[N_BEFORE] += 1.0
    is_known = s[N_WITHIN] > 0.0 and s[BEFORE] > 0.0
    out[0] = (s[WITHIN] / s[N_WITHIN]) / (s[BEFORE] / s[N_BEFORE]) if is_known else 1.0
    out[1] = 1.0 if is_in else 0.0


@inlined_kernel
def _daily_range(end: int, history: FloatArray, clock: FloatArray, s: FloatArray, out: FloatArray, window: int) -> None:
    high, low = history[HIGH, end], history[LOW, end]
    if _begins(clock, s):
        if s[N_SESSIONS] > 1.0:
            true_range = max(s[SO_FAR_HIGH], s[CLOSE_BEFORE]) - min(s[SO_FAR_LOW], s[CLOSE_BEFORE])
            s[ATR] = wilder_next(s[ATR], true_range, int(s[N_SESSIONS]) - 1, window)
        s[CLOSE_BEFORE] = s[RANGE_CLOSE]
        s[N_SESSIONS] += 1.0
        s[SO_FAR_HIGH], s[SO_FAR_LOW], s[SO_FAR_OPEN] = high, low, history[OPEN, end]
    s[SO_FAR_HIGH] = max(s[SO_FAR_HIGH], high)
    s[SO_FAR_LOW] = min(s[SO_FAR_LOW], low)
    s[RANGE_CLOSE] = history[CLOSE, end]
    if s[N_SESSIONS] > window + 1.0:
        atr = s[ATR]
        out[0] = (s[SO_FAR_HIGH] - s[SO_FAR_LOW]) / atr if atr > 0.0 else 0.0
        out[1] = (s[SO_FAR_OPEN] - s[CLOSE_BEFORE]) / atr if atr > 0.0 else 0.0


@inlined_kernel
def _relative_volume(volume: float, clock: FloatArray, s: FloatArray, out: FloatArray, p: IntArray) -> None:
    n_buckets = (len(s) - MEANS) // 2
    bucket = min(math.ceil(clock[SINCE_OPEN] / p[0]) - 1, n_buckets - 1)
    is_first = _begins(clock, s)
    if is_first or bucket != s[BUCKET]:
        if s[N] > 0.0:
            at = MEANS + 2 * int(s[BUCKET])
            s[at + 1] = min(s[at + 1] + 1.0, p[1])
            s[at] += (s[SUM] / s[N] - s[at]) / s[at + 1]
        s[BUCKET] = bucket
        s[SUM] = s[N] = 0.0
    s[N_DAYS] += 1.0 if is_first else 0.0
    s[SUM] += volume
    s[N] += 1.0
    if s[N_DAYS] > 1.0:
        mean = s[MEANS + 2 * bucket]
        out[0] = volume / mean if mean > 0.0 else 1.0
