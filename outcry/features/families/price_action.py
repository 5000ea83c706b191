"""Price action: the levels of the session before, the last swings, and the chart patterns they form.

A swing high is a bar whose high is above those of the `span` bars before it and not below those of the `span` bars
after it: it is known `span` bars late, and nothing here uses it earlier. Swing lows mirror it. The zigzag is the swings
in turn, high and low: of swings on one side in a row it keeps the furthest, the first of equals.
"""

from math import inf

from outcry.features.column import Column
from outcry.features.indicator import Family, Indicator, Kind
from outcry.features.kernels import bars

SESSION_PIVOTS, SWINGS = range(2)

N_POINTS = 6
"""Turns of the zigzag that are kept: head and shoulders has five, and may have one after it."""

SWING_SLOTS = 6 + 2 * N_POINTS

_STANDARD = (
    ("pivot_session_p", "p = (h + l + c)/3"),
    ("pivot_session_r1", "2 p - l"),
    ("pivot_session_r2", "p + (h - l)"),
    ("pivot_session_s1", "2 p - h"),
    ("pivot_session_s2", "p - (h - l)"),
)
_FIBONACCI = (
    ("fibonacci_session_r1", "p + 0.382 (h - l), p = (h + l + c)/3"),
    ("fibonacci_session_r2", "p + 0.618 (h - l), p = (h + l + c)/3"),
    ("fibonacci_session_s1", "p - 0.382 (h - l), p = (h + l + c)/3"),
    ("fibonacci_session_s2", "p - 0.618 (h - l), p = (h + l + c)/3"),
)
_CAMARILLA = tuple(
    (f"camarilla_session_{side}{n}", f"c {sign} 1.1 (h - l)/{divisor}")
    for side, sign in (("r", "+"), ("s", "-"))
    for n, divisor in ((1, 12), (2, 6), (3, 4), (4, 2))
)
_SYSTEMS = (
    (_STANDARD, "floor traders' pivot points; T. DeMark, The New Science of Technical Analysis, 1994"),
    (_FIBONACCI, "Fibonacci ratios of the range of the session before"),
    (_CAMARILLA, "N. Stott, Camarilla equation, 1989"),
)

_SWINGS = "swings as B. Williams, Trading Chaos, 1995, with a wider span"
_PATTERNS = "R. Edwards, J. Magee, Technical Analysis of Stock Trends, 1948"


def _session_pivots() -> Indicator:
    columns = tuple(
        Column(
            f"tech_{name}",
            "price_action",
            f"(close - level)/close, level = {level} of the last session before with a bar",
            window_bars=0,
            warmup_bars=2,
            unit="ratio",
            low=-inf,
            high=inf,
            source=source,
            warmup_sessions=2,
        )
        for levels, source in _SYSTEMS
        for name, level in levels
    )
    return Indicator(SESSION_PIVOTS, (), columns, n_slots=8)


def _swings(span: int, lookback: int, atr: int) -> Indicator:
    first = max(span + lookback + 1, atr + 1)
    name = f"{span}_{lookback}"
    since = tuple(
        Column(
            f"tech_swing_{name}_since_{side}",
            "price_action",
            f"bars since the last swing {side} of span {span}; {lookback} where there is none in so many",
            window_bars=first,
            warmup_bars=first,
            unit="bars",
            low=float(min(span, lookback)),
            high=float(lookback),
            source=_SWINGS,
        )
        for side in ("high", "low")
    )
    distance = tuple(
        Column(
            f"tech_swing_{name}_{side}",
            "price_action",
            f"(close - level)/close, level = price of the last swing {side} of span {span}; 0 where there is none in"
            f" {lookback} bars",
            window_bars=first,
            warmup_bars=first,
            unit="ratio",
            low=-inf,
            high=1.0,
            source=_SWINGS,
        )
        for side in ("high", "low")
    )
    patterns = tuple(
        Column(
            f"tech_{pattern}_{name}_{part}",
            "price_action",
            f"{formula}; e = 0.5 atr{atr}; H1, L1 .. are turns of the zigzag of span {span}, not older than {lookback}"
            " bars; else 0",
            window_bars=0,
            warmup_bars=first,
            unit="flag",
            low=low,
            high=1.0,
            source=_PATTERNS,
        )
        for pattern, part, low, formula in _FORMULAS
    )
    return Indicator(
        SWINGS,
        (span, lookback, atr),
        (*since, *distance, *patterns),
        n_slots=SWING_SLOTS,
        lookback_bars=2 * span + 1,
    )


# In the order of the columns: pattern, part, low, formula.
_FORMULAS = (
    ("double", "top", 0.0, "1 with H1 L H2 the last highs: abs(H1 - H2) <= e, L < min(H) - 2 e, close <= max(H) + e"),
    ("double", "bottom", 0.0, "1 with L1 H L2 the last lows: abs(L1 - L2) <= e, H > max(L) + 2 e, close >= min(L) - e"),
    ("double", "signal", -1.0, "-1 with a double top and close < L, 1 with a double bottom and close > H"),
    (
        "shoulders",
        "top",
        0.0,
        "1 with H1 L1 H2 L2 H3 the last highs: H2 > max(H1, H3) + e, abs(H1 - H3) <= e, max(L) < min(H), close <= H2",
    ),
    (
        "shoulders",
        "bottom",
        0.0,
        "1 with L1 H1 L2 H2 L3 the last lows: L2 < min(L1, L3) - e, abs(L1 - L3) <= e, min(H) > max(L), close >= L2",
    ),
    (
        "shoulders",
        "signal",
        -1.0,
        "-1 with a top and close below the line of L1 L2, 1 with a bottom and close above that of H1 H2, 0 with both",
    ),
    ("triangle", "ascending", 0.0, "1 with the last H1 H2, L1 L2: abs(H2 - H1) <= e, L2 > L1 + e, lines not yet met"),
    ("triangle", "descending", 0.0, "1 with the last H1 H2, L1 L2: H2 < H1 - e, abs(L2 - L1) <= e, lines not yet met"),
    ("triangle", "symmetric", 0.0, "1 with the last H1 H2, L1 L2: H2 < H1 - e, L2 > L1 + e, lines not yet met"),
    (
        "triangle",
        "signal",
        -1.0,
        "in a triangle: 1 with close above the line of H1 H2, -1 below that of L1 L2",
    ),
)

PRICE_ACTION = Family(
    "price_action",
    (
        Kind("session_pivots", _session_pivots, reads_clock=True),
        Kind("swings", _swings, ((5, 60, 14),), rows=(bars.TRUE_RANGE,)),
    ),
)
