"""The length of a bar: as text, as nanoseconds, and found in data."""

import re

import numpy as np

from outcry.errors import ConfigurationError, DataValidationError
from outcry.market.frame import IntArray

SECOND_NS = 1_000_000_000
DAY_NS = 86_400 * SECOND_NS

_UNIT_NS = {"s": SECOND_NS, "min": 60 * SECOND_NS, "h": 3_600 * SECOND_NS, "d": DAY_NS}
_LONGEST_INTRADAY_NS = 20 * 3_600 * SECOND_NS
_LONGEST_DAILY_NS = 26 * 3_600 * SECOND_NS
_ENOUGH_SPACINGS = 20


def parse_bar_size(text: str) -> int:
    """Return the nanoseconds of a bar size such as ``30s``, ``5min``, ``1h`` or ``1d``.

    Raises
    ------
    ConfigurationError
        Where the text has another form, or the bar is longer than a day.
    """
    match = re.fullmatch(r"([1-9]\d*)(s|min|h|d)", text.strip())
    if match is None:
        raise ConfigurationError(f"bars must be a count and s, min, h or d (as 5min), was {text!r}")
    bar_ns = int(match[1]) * _UNIT_NS[match[2]]
    if bar_ns > DAY_NS:
        raise ConfigurationError(f"bars must be at most 1d, was {text}")
    return bar_ns


def format_bar_size(bar_ns: int) -> str:
    """Return the text of a bar size; the inverse of `parse_bar_size`.

    Examples
    --------
    >>> format_bar_size(300_000_000_000)
    '5min'
    """
    for unit in ("d", "h", "min", "s"):
        if bar_ns % _UNIT_NS[unit] == 0:
            return f"{bar_ns // _UNIT_NS[unit]}{unit}"
    return f"{bar_ns}ns"


def infer_bar_ns(codes: IntArray, ts_ns: IntArray, symbols: tuple[str, ...]) -> int:
    """Return the bar size of a table: the most frequent distance between neighbouring bars of one symbol.

    The most frequent distance, and not the median, because a symbol that trades in one minute of five still has more
    neighbours one minute apart than any other distance.

    Parameters
    ----------
    codes : int64 (n_bars,)
        Position of the symbol of each bar in `symbols`, ascending.
    ts_ns : int64 (n_bars,)
        Opens, nanoseconds UTC, ascending within a symbol.
    symbols : tuple of str

    Returns
    -------
    int
        Nanoseconds. Distances of 20 to 26 hours are a day: daily bars shift by an hour with daylight saving time.

    Raises
    ------
    DataValidationError
        Where no symbol has two bars, a bar is longer than a day, or symbols have bars of different sizes.
    """
    step_ns = np.diff(ts_ns)
    neighbours = (np.diff(codes) == 0) & (step_ns > 0)
    step_ns, owner = step_ns[neighbours], codes[1:][neighbours]
    if not step_ns.size:
        raise DataValidationError("bar size must be known, no symbol has two bars to infer it from")
    values, counts = np.unique(step_ns, return_counts=True)
    bar_ns = int(values[np.argmax(counts)])
    if bar_ns > _LONGEST_DAILY_NS:
        raise DataValidationError(f"bar size must be at most 1d, most bars are {format_bar_size(bar_ns)} apart")
    if bar_ns >= _LONGEST_INTRADAY_NS:
        step_ns = np.where(step_ns >= _LONGEST_INTRADAY_NS, np.maximum(step_ns, DAY_NS), step_ns)
        bar_ns = DAY_NS
    shortest_ns = np.full(len(symbols), np.iinfo(np.int64).max)
    np.minimum.at(shortest_ns, owner, step_ns)
    n_steps = np.bincount(owner, minlength=len(symbols))
    mixed = np.flatnonzero((shortest_ns < bar_ns) | ((n_steps >= _ENOUGH_SPACINGS) & (shortest_ns > bar_ns)))
    if mixed.size:
        raise DataValidationError(
            f"bar size must be the same for all bars, most are {format_bar_size(bar_ns)}, "
            f"{symbols[mixed[0]]} has bars {format_bar_size(int(shortest_ns[mixed[0]]))} apart"
        )
    return bar_ns
