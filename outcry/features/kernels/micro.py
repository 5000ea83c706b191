"""Microstructure indicators of one symbol.

State (float64, a row a symbol)

===============  ==============================================================================  ============
indicator        slots                                                                           unit
===============  ==============================================================================  ============
bulk_imbalance   the last signed volumes, at k mod long                                          shares
amihud_rank      the last values at k mod past; the same in ascending order                      1/currency
corwin_schultz   the last spreads of pairs of bars, at k mod w                                   ratio
abdi_ranaldo     the last spreads of pairs of bars, at k mod w; mid-range of the last bar (log)  ratio
pin              see `HAS_SESSION` .. `TOTALS`; imbalances and volumes of the last sessions      shares
===============  ==============================================================================  ============
"""

import math

from outcry.compiled import inlined_kernel
from outcry.features.families.micro import (
    ABDI_RANALDO,
    AMIHUD,
    AMIHUD_RANK,
    AMIHUD_RANK_CADENCE_BARS,
    BULK_IMBALANCE,
    CORWIN_SCHULTZ,
    KYLE,
    PIN,
    QUOTE,
    QUOTE_MEANS,
    ROLL_SPREAD,
    SURPRISE_LIMIT,
    TRADE_FLOW,
    UNUSUAL_DEVIATIONS,
    UNUSUAL_VOLUME,
    VOLUME_ACCELERATION,
    VOLUME_MOMENTUM,
)
from outcry.features.kernels.bars import (
    ASK,
    ASK_SIZE,
    BID,
    BID_SIZE,
    BUY_VOLUME,
    CLOSE,
    HIGH,
    ILLIQUIDITY,
    LOG_CLOSE,
    LOG_RETURN,
    LOW,
    RANGE_SQ,
    TRADES,
    VOLUME,
)
from outcry.features.kernels.clock import IS_OPEN, SESSION
from outcry.features.kernels.sorted_window import count_up_to, push_sorted
from outcry.features.kernels.window import ring_mean, window_mean, window_moments, window_sum
from outcry.market.frame import FloatArray, IntArray

HAS_SESSION, ID, N_SESSIONS, IMBALANCE, TOTAL, TOTALS = range(6)
"""Slots of pin: a session was seen, its position, sessions that are over, its signed volume and its volume so far."""
PIN_DEVIATION_BARS = 60
_PAIR = 3.0 - 2.0 * math.sqrt(2.0)


@inlined_kernel
def step_micro(
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
    volume, window = history[VOLUME], p[0]
    if opcode == BULK_IMBALANCE:
        _bulk_imbalance(k, end, history, s, out, p)
    elif opcode == TRADE_FLOW:
        if k >= window:
            _trade_flow(k, end, history, out, window)
    elif opcode == VOLUME_ACCELERATION:
        _volume_acceleration(k, end, volume, out, p)
    elif opcode == UNUSUAL_VOLUME:
        if k > window:
            _unusual_volume(end, volume, out, window)
    elif opcode == VOLUME_MOMENTUM:
        if k >= 2 * window:
            now, before = window_sum(volume, end, window), window_sum(volume, end - window, window)
            out[0] = (now - before) / (now + before) if now + before > 0.0 else 0.0
    elif opcode == KYLE:
        if k > window:
            _kyle(end, history, out, window)
    elif opcode == AMIHUD:
        if k > window:
            out[0] = window_mean(history[ILLIQUIDITY], end, window)
    elif opcode == AMIHUD_RANK:
        if k > window:
            _amihud_rank(k - window, window_mean(history[ILLIQUIDITY], end, window), s, out, p[1])
    elif opcode == ROLL_SPREAD:
        if k >= window + 2:
            out[0] = _roll_spread(end, history[CLOSE], window)
    elif opcode == CORWIN_SCHULTZ:
        if k > 1:
            s[k % window] = _high_low_spread(end, history)
            if k > window:
                out[0] = min(ring_mean(s, 0, window), 2.0)
    elif opcode == ABDI_RANALDO:
        _abdi_ranaldo(k, end, history, s, out, window)
    elif opcode == QUOTE:
        _quote(end, history, out)
    elif opcode == QUOTE_MEANS:
        if k >= window:
            _quote_means(end, history, out, window)
    elif opcode == PIN and clock[IS_OPEN] > 0.0:
        _pin(k, end, history, clock, s, out, window)


@inlined_kernel
def _bulk_share(end: int, x: FloatArray, window: int) -> float:
    """Return bought less sold as a share of the volume: 2 N(r/s) - 1 = erf(r/(s sqrt 2)); 0 where s is 0."""
    _, deviation = window_moments(x, end, window, 1)
    return math.erf(x[end] / (deviation * math.sqrt(2.0))) if deviation > 0.0 else 0.0


@inlined_kernel
def _bulk_imbalance(k: int, end: int, history: FloatArray, s: FloatArray, out: FloatArray, p: IntArray) -> None:
    short, long = p[0], p[1]
    if k <= long:
        return
    s[k % long] = history[VOLUME, end] * _bulk_share(end, history[LOG_RETURN], long)
    if k >= long + short:
        signed = 0.0
        at = k % long
        for _ in range(short):
            signed += s[at]
            at = at - 1 if at > 0 else long - 1
        out[0] = _share(signed, window_sum(history[VOLUME], end, short))
    if k >= 2 * long:
        out[1] = _share(window_sum(s, long - 1, long), window_sum(history[VOLUME], end, long))


@inlined_kernel
def _share(signed: float, total: float) -> float:
    return min(max(signed / total, -1.0), 1.0) if total > 0.0 else 0.0


@inlined_kernel
def _trade_flow(k: int, end: int, history: FloatArray, out: FloatArray, window: int) -> None:
    signed = known = traded = trades = product = squares = 0.0
    n_signed = n_traded = 0
    for i in range(end - window + 1, end + 1):
        v, buy, n, r = history[VOLUME, i], history[BUY_VOLUME, i], history[TRADES, i], history[LOG_RETURN, i]
        if not math.isnan(buy):
            flow = 2.0 * buy - v
            n_signed += 1
            signed += flow
            known += v
            product += r * flow
            squares += flow * flow
        if not math.isnan(n):
            n_traded += 1
            traded += v
            trades += n
    out[0] = _share(signed, known) if n_signed > 0 else math.nan
    mean_size = traded / trades if trades > 0.0 else 0.0
    out[1] = mean_size if n_traded > 0 else math.nan
    out[2] = math.nan
    n = history[TRADES, end]
    if not math.isnan(n):
        size = history[VOLUME, end] / n if n > 0.0 else 0.0
        out[2] = size / mean_size if size > 0.0 and mean_size > 0.0 else 1.0
    if k > window:
        impact = product / squares * (known / max(n_signed, 1)) if squares > 0.0 else 0.0
        out[3] = impact if n_signed > 0 else math.nan


@inlined_kernel
def _volume_acceleration(k: int, end: int, volume: FloatArray, out: FloatArray, p: IntArray) -> None:
    short, long = p[0], p[1]
    if k < max(3 * short, long):
        return
    mean = window_mean(volume, end, long)
    now, before = window_mean(volume, end, short), window_mean(volume, end - short, short)
    first = window_mean(volume, end - 2 * short, short)
    out[0] = ((now - before) - (before - first)) / mean if mean > 0.0 else 0.0


@inlined_kernel
def _unusual_volume(end: int, volume: FloatArray, out: FloatArray, window: int) -> None:
    v = volume[end]
    mean, deviation = window_moments(volume, end - 1, window, 1)
    if deviation > 0.0:
        out[0] = min(max((v - mean) / deviation, -SURPRISE_LIMIT), SURPRISE_LIMIT)
    elif v == volume[end - 1]:
        out[0] = 0.0
    else:
        out[0] = SURPRISE_LIMIT if v > volume[end - 1] else -SURPRISE_LIMIT
    out[1] = 1.0 if out[0] > UNUSUAL_DEVIATIONS else 0.0


@inlined_kernel
def _kyle(end: int, history: FloatArray, out: FloatArray, window: int) -> None:
    log_return, volume = history[LOG_RETURN, end - window + 1 : end + 1], history[VOLUME, end - window + 1 : end + 1]
    product = squares = total = 0.0
    for i in range(window):
        v = volume[i]
        is_signed = 1.0 * (log_return[i] != 0.0)  # a factor, as a tick cannot be predicted
        product += abs(log_return[i]) * v
        squares += is_signed * v * v
        total += v
    out[0] = product / squares * (total / window) if squares > 0.0 else 0.0


@inlined_kernel
def _amihud_rank(n: int, value: float, s: FloatArray, out: FloatArray, past: int) -> None:
    at = n % past
    ordered = s[past:]
    push_sorted(ordered, n, past, value, s[at])
    s[at] = value
    if n < past or (n - past) % AMIHUD_RANK_CADENCE_BARS != 0:
        return
    out[1] = count_up_to(ordered, past, value) / past
    centre = ordered[past // 2]
    if ordered[0] == ordered[past - 1]:
        out[0] = 0.0
        return
    # Around the median nothing is lost by taking sum and squares in one pass.
    a = b = squares_a = squares_b = 0.0
    for j in range(past // 2):
        u, v = ordered[2 * j] - centre, ordered[2 * j + 1] - centre
        a += u
        b += v
        squares_a += u * u
        squares_b += v * v
    if past % 2 == 1:
        a += ordered[past - 1] - centre
        squares_a += (ordered[past - 1] - centre) * (ordered[past - 1] - centre)
    mean = (a + b) / past
    variance = ((squares_a + squares_b) - past * mean * mean) / (past - 1)
    bound = math.sqrt(past)
    out[0] = min(max((value - centre - mean) / math.sqrt(variance), -bound), bound) if variance > 0.0 else 0.0


@inlined_kernel
def _roll_spread(end: int, close: FloatArray, window: int) -> float:
    now = before = product = 0.0
    for i in range(end - window + 1, end + 1):
        change, change_tm1 = close[i] - close[i - 1], close[i - 1] - close[i - 2]
        now += change
        before += change_tm1
        product += change * change_tm1
    covariance = (product - now * before / window) / (window - 1.0)
    return 2.0 * math.sqrt(-covariance) / close[end] if covariance < 0.0 else 0.0


@inlined_kernel
def _high_low_spread(end: int, history: FloatArray) -> float:
    """Estimate the spread from the ranges of two bars (Corwin and Schultz, 2012, equations 14 and 18)."""
    high, low, last = history[HIGH, end], history[LOW, end], history[CLOSE, end - 1]
    gap = last - high if last > high else last - low if last < low else 0.0
    high, low = high + gap, low + gap
    one = math.log(high / low)
    beta = one * one + history[RANGE_SQ, end - 1]
    gamma = math.log(max(high, history[HIGH, end - 1]) / min(low, history[LOW, end - 1]))
    alpha = (math.sqrt(2.0 * beta) - math.sqrt(beta)) / _PAIR - gamma / math.sqrt(_PAIR)
    return 2.0 * math.tanh(0.5 * alpha) if alpha > 0.0 else 0.0  # (e^a - 1)/(e^a + 1) = tanh(a/2)


@inlined_kernel
def _abdi_ranaldo(k: int, end: int, history: FloatArray, s: FloatArray, out: FloatArray, window: int) -> None:
    middle = 0.5 * math.log(history[HIGH, end] * history[LOW, end])
    if k > 1:
        c = history[LOG_CLOSE, end - 1]
        s[k % window] = math.sqrt(max(4.0 * (c - s[window]) * (c - middle), 0.0))
        if k > window:
            out[0] = ring_mean(s, 0, window)
    s[window] = middle


@inlined_kernel
def _is_quoted(history: FloatArray, i: int) -> bool:
    """Say whether the bar has both sides, not crossed; comparisons with NaN are false."""
    is_quoted: bool = 0.0 < history[BID, i] <= history[ASK, i] < math.inf
    return is_quoted


@inlined_kernel
def _depth(history: FloatArray, i: int) -> float:
    """Add the sizes of both sides; NaN without one of them or without a quote."""
    bid_size, ask_size = history[BID_SIZE, i], history[ASK_SIZE, i]
    if _is_quoted(history, i) and 0.0 <= bid_size < math.inf and 0.0 <= ask_size < math.inf:
        depth: float = bid_size + ask_size
        return depth
    return math.nan


@inlined_kernel
def _quote(end: int, history: FloatArray, out: FloatArray) -> None:
    for j in range(5):
        out[j] = math.nan
    if not _is_quoted(history, end):
        return
    bid, ask, c = history[BID, end], history[ASK, end], history[CLOSE, end]
    mid = 0.5 * (bid + ask)
    out[0] = (ask - bid) / mid
    out[1] = (c - mid) / mid
    out[2] = 2.0 * abs(c - mid) / mid
    depth = _depth(history, end)
    if depth > 0.0:
        bid_size, ask_size = history[BID_SIZE, end], history[ASK_SIZE, end]
        out[3] = (bid_size - ask_size) / depth
        out[4] = 0.5 * (ask - bid) * out[3] / mid  # the weighted mid less the mid
    elif depth == 0.0:
        out[3] = out[4] = 0.0


@inlined_kernel
def _quote_means(end: int, history: FloatArray, out: FloatArray, window: int) -> None:
    spread = effective = depth = 0.0
    n_quotes = n_books = 0
    for i in range(end - window + 1, end + 1):
        if _is_quoted(history, i):
            bid, ask = history[BID, i], history[ASK, i]
            mid = 0.5 * (bid + ask)
            spread += (ask - bid) / mid
            effective += 2.0 * abs(history[CLOSE, i] - mid) / mid
            n_quotes += 1
            size = _depth(history, i)
            if size >= 0.0:
                depth += size
                n_books += 1
    out[0] = min(spread / n_quotes, 2.0) if n_quotes > 0 else math.nan
    out[1] = effective / n_quotes if n_quotes > 0 else math.nan
    out[2] = _depth(history, end)
    if out[2] >= 0.0:
        out[2] = min(out[2] / (depth / n_books), float(window)) if depth > 0.0 else 1.0


@inlined_kernel
def _pin(
    k: int, end: int, history: FloatArray, clock: FloatArray, s: FloatArray, out: FloatArray, sessions: int
) -> None:
    if s[HAS_SESSION] > 0.0 and s[ID] != clock[SESSION]:
        _end_session(s, out, sessions)
    s[HAS_SESSION], s[ID] = 1.0, clock[SESSION]
    v, buy = history[VOLUME, end], history[BUY_VOLUME, end]
    s[TOTAL] += v
    if not math.isnan(buy):
        s[IMBALANCE] += 2.0 * buy - v
    elif k > 2:
        s[IMBALANCE] += v * _bulk_share(end, history[LOG_RETURN], min(k - 1, PIN_DEVIATION_BARS))


@inlined_kernel
def _end_session(s: FloatArray, out: FloatArray, sessions: int) -> None:
    imbalances, totals = s[TOTALS : TOTALS + sessions], s[TOTALS + sessions :]
    at = int(s[N_SESSIONS]) % sessions
    imbalances[at] = abs(s[IMBALANCE])
    totals[at] = s[TOTAL]
    s[N_SESSIONS] += 1.0
    s[IMBALANCE] = s[TOTAL] = 0.0
    if s[N_SESSIONS] >= sessions:
        total = window_sum(totals, sessions - 1, sessions)
        out[0] = _share(window_sum(imbalances, sessions - 1, sessions), total)
