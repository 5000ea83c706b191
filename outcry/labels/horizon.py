"""How far a label looks ahead: from a span of time to rows, and the last row each label depends on."""

import numpy as np
from numpy.typing import NDArray

from outcry.errors import ConfigurationError
from outcry.market.bar_size import DAY_NS, SECOND_NS, format_bar_size
from outcry.market.frame import BoolArray, IntArray

HORIZON_MINUTES = {"1m": 1, "5m": 5, "15m": 15, "1h": 60, "4h": 240, "1d": 390, "7d": 5 * 390, "1M": 21 * 390}
"""Minutes of trading in each named horizon.

A day is a regular session of the New York exchanges, seven days hold five of them and a month about 21.
"""

UNDEFINED = -1
"""What an integer label holds where it cannot be known."""

LabelArray = NDArray[np.int8]
"""Classes, or `UNDEFINED`."""


def check_horizon(horizon_bars: int, least: int = 1) -> None:
    """Raise `ConfigurationError` where `horizon_bars` is less than `least`."""
    if horizon_bars < least:
        rule = "positive" if least == 1 else f"at least {least}"
        raise ConfigurationError(f"horizon_bars must be {rule}, was {horizon_bars}")


def bars_of_horizon(horizon: str, bar_ns: int) -> int:
    """Return how many bars of the size in use span a named horizon.

    Parameters
    ----------
    horizon : str
        A key of `HORIZON_MINUTES`.
    bar_ns : int
        Size of a bar, nanoseconds; a bar of a day spans one session.

    Raises
    ------
    ConfigurationError
        Where the name is not known, or the horizon is not a whole number of bars.

    Examples
    --------
    >>> bars_of_horizon("1h", 5 * 60 * 1_000_000_000)
    12
    """
    if horizon not in HORIZON_MINUTES:
        raise ConfigurationError(f"horizon must be one of {', '.join(HORIZON_MINUTES)}, was {horizon!r}")
    minute_ns = 60 * SECOND_NS
    traded_ns = HORIZON_MINUTES["1d"] * minute_ns if bar_ns == DAY_NS else bar_ns
    n_bars, rest_ns = divmod(HORIZON_MINUTES[horizon] * minute_ns, traded_ns)
    if n_bars < 1 or rest_ns:
        raise ConfigurationError(f"horizon must be a whole number of {format_bar_size(bar_ns)} bars, was {horizon}")
    return n_bars


def last_rows(is_known: BoolArray, n_bars: int | IntArray) -> IntArray:
    """Return the last row that each label depends on, for the purging of training rows.

    Parameters
    ----------
    is_known : bool (n_frames, n_symbols)
        The label is defined.
    n_bars : int or int64 (n_frames, n_symbols)
        From the row of a label to the last row it depends on: the horizon, or the bars to the exit of a barrier label.

    Returns
    -------
    int64 (n_frames, n_symbols)
        `UNDEFINED` (-1) where the label is not known.

    References
    ----------
    López de Prado, "Advances in Financial Machine Learning", 2018, section 7.4.1: the ``t1`` of a label.
    """
    rows = np.arange(len(is_known), dtype=np.int64)[:, None]
    return np.where(is_known, rows + n_bars, UNDEFINED)
