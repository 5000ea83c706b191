"""One entry of the feature catalogue."""

import math
from dataclasses import dataclass

SCALE_BOUND_UNITS = frozenset({"price", "shares", "currency", "per_currency"})
"""Units whose values cannot be compared between symbols."""

UNITS = SCALE_BOUND_UNITS | {
    "ratio",
    "percent",
    "index",
    "deviations",
    "fraction",
    "per_year_sqrt",
    "minutes",
    "bars",
    "flag",
    "calendar",
    "radians",
}


@dataclass(frozen=True, slots=True)
class Column:
    """Describe a column of the feature matrix; the catalogue is its documentation.

    Attributes
    ----------
    name : str
        ``{prefix}_{indicator}_{window}_{aggregation}``, for example ``tech_rsi_14_raw``.
    category : str
        Family of indicators.
    formula : str
        In the notation of `source`; names the value where a denominator is zero. ``[j]`` is j bars ago, ``w`` the
        window.
    window_bars : int
        Bars the formula looks at; 0 where it looks at the whole past.
    warmup_bars : int
        The first bar of a symbol, counted from 1, with a value. NaN before it, a finite number from it on.
    unit : str
        One of `UNITS`.
    low, high : float
        The closed range of the values; infinite where open.
    source : str
        Author, title, year; TA-Lib where its conventions (seeds, smoothing) are followed.
    aliases : tuple of str
        Short names.
    warmup_sessions : int
        The first session of a symbol, counted from 1, with a value.
    needs : str
        What a frame must carry besides bars: ``quotes``, ``trades`` or nothing. Without it the column is NaN.
    cadence_bars : int
        It is computed every so many bars of a symbol, and kept in between.
    timeframe_minutes : int
        Its bars are those of this timeframe, made of the symbol's as they close; `window_bars` and `warmup_bars` count
        them. 0 where they are the symbol's own.
    """

    name: str
    category: str
    formula: str
    window_bars: int
    warmup_bars: int
    unit: str
    low: float
    high: float
    source: str
    aliases: tuple[str, ...] = ()
    warmup_sessions: int = 1
    needs: str = ""
    cadence_bars: int = 1
    timeframe_minutes: int = 0

    @property
    def is_scale_free(self) -> bool:
        """Whether values can be compared between symbols, so that one model may learn from all of them."""
        return self.unit not in SCALE_BOUND_UNITS

    @property
    def is_bounded(self) -> bool:
        return math.isfinite(self.low) and math.isfinite(self.high)
