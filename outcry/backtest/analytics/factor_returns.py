"""Returns of common factors, made of the bars of a run alone."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from outcry.backtest.analytics.benchmark import carry_forward
from outcry.backtest.analytics.session_returns import months_since_1970, session_rows
from outcry.backtest.history import RunHistory
from outcry.market.frame import BoolArray, FloatArray, IntArray

MIN_SYMBOLS = 6
LEG_FRAC = 0.3
MIN_LEG = 2
MONTH, QUARTER, YEAR = 21, 63, 252
"""Sessions that characteristics look back on."""


class Factor(NamedTuple):
    """A factor: its name, how many sessions it looks back on, and what it is, in words."""

    name: str
    lookback: int
    meaning: str


FACTORS = (
    Factor("market", 1, "every symbol of the universe in equal parts, above the risk-free rate"),
    Factor("momentum", YEAR, "up most over the year before the last month, less up least"),
    Factor("reversal", MONTH, "down most over the last month, less up most"),
    Factor("low volatility", QUARTER, "calmest over the last quarter, less wildest"),
    Factor("low turnover", QUARTER, "least dollars traded over the last quarter, less most"),
)


class SessionBars(NamedTuple):
    """Bars by session.

    Attributes
    ----------
    close : float64 (n_sessions, n_symbols)
        The last known; NaN before the first.
    returns : float64 (n_sessions, n_symbols)
        From the last known close; NaN where the session has no bar of the symbol, or nothing before it.
    dollars : float64 (n_sessions, n_symbols) or None
        Traded, currency.
    """

    close: FloatArray
    returns: FloatArray
    dollars: FloatArray | None


def factor_returns(history: RunHistory, risk_free_per_session: float) -> FloatArray:
    """Return the returns of `FACTORS` by session, float64 (n_sessions, n_factors); NaN where one is not known.

    Notes
    -----
    The market is the mean return of all symbols. Every other factor is long the `LEG_FRAC` of the symbols with the
    highest characteristic and short as many with the lowest, each leg in equal parts every session. Symbols are
    ranked at the last session of a month by what was known at its close, and held through the next month. With the
    close C of session t, in sessions: momentum ``C(t-21) / C(t-252) - 1``, reversal ``-(C(t) / C(t-21) - 1)``, low
    volatility minus the deviation of the last 63 returns, low turnover minus the mean dollars traded in the last 63. A
    symbol is ranked where it has a bar in t and all of the past that is asked for; fewer than `MIN_SYMBOLS` are not.

    What this ignores: costs, and whether the universe could be sold short. With few symbols the legs are small, and
    much of a factor is the luck of single names.

    References
    ----------
    Jegadeesh and Titman, Returns to Buying Winners and Selling Losers, 1993. Jegadeesh, Evidence of Predictable
    Behavior of Security Returns, 1990. Blitz and van Vliet, The Volatility Effect, 2007. Brennan, Chordia and
    Subrahmanyam, Alternative Factor Specifications, 1998: dollar volume. Fama and French, 1993: 30 % legs.
    """
    rows = session_rows(history.ts_close_ns)
    bars = session_bars(history, rows)
    found = np.full((len(rows), len(FACTORS)), np.nan)
    found[:, 0] = mean_return(bars.returns) - risk_free_per_session
    month = months_since_1970(history.ts_close_ns[rows])
    ranked_at = np.flatnonzero(np.diff(month) != 0)
    for row, stop in zip(ranked_at.tolist(), [*ranked_at[1:].tolist(), len(rows) - 1], strict=True):
        held = slice(row + 1, stop + 1)
        for place, values in enumerate(_characteristics(bars, row), start=1):
            legs = _legs(np.where(np.isfinite(bars.returns[row]), values, np.nan))
            if legs is not None:
                found[held, place] = mean_return(bars.returns[held, legs[0]]) - mean_return(bars.returns[held, legs[1]])
    return found


def session_bars(history: RunHistory, rows: IntArray) -> SessionBars:
    """Return the bars of the sessions that end at these rows."""
    close = carry_forward(history.closes)[rows]
    has_bar = _sums(np.isfinite(history.closes).astype(np.float64), rows) > 0
    before = np.vstack((np.full(close.shape[1], np.nan), close[:-1]))
    is_known = has_bar & (before > 0)
    returns = np.divide(close, before, out=np.full(close.shape, np.nan), where=is_known) - 1.0
    if history.volume is None:
        return SessionBars(close, returns, None)
    return SessionBars(close, returns, _sums(np.nan_to_num(history.closes * history.volume), rows))


def _sums(values: FloatArray, rows: IntArray) -> FloatArray:
    """Return sums over the frames of each session, float64 (n_sessions, n_symbols)."""
    return np.asarray(np.add.reduceat(values, np.concatenate(([0], rows[:-1] + 1)), axis=0))


def _characteristics(bars: SessionBars, row: int) -> Iterator[FloatArray]:
    """Yield those of every factor but the market as of a session, in the order of `FACTORS`; more is held long."""
    close, unknown = bars.close, np.full(bars.close.shape[1], np.nan)
    yield close[row - MONTH] / close[row - YEAR] - 1.0 if row >= YEAR else unknown
    yield 1.0 - close[row] / close[row - MONTH] if row >= MONTH else unknown
    last = slice(row + 1 - QUARTER, row + 1)
    yield -bars.returns[last].std(axis=0) if row >= QUARTER else unknown
    if bars.dollars is None or row < QUARTER:
        yield unknown
    else:
        dollars = bars.dollars[last].mean(axis=0)
        yield np.where(np.isfinite(close[row - QUARTER]) & (dollars > 0), -dollars, np.nan)


def _legs(values: FloatArray) -> tuple[IntArray, IntArray] | None:
    """Return the symbols with the highest values and those with the lowest; None where too few have one."""
    known = np.flatnonzero(np.isfinite(values))
    if len(known) < MIN_SYMBOLS:
        return None
    order = known[np.argsort(values[known], kind="stable")]
    n_leg = max(MIN_LEG, int(LEG_FRAC * len(known)))
    return order[-n_leg:], order[:n_leg]


def mean_return(returns: FloatArray) -> FloatArray:
    """Return the mean of what is known in each session, float64 (n_sessions,); NaN where nothing is."""
    is_known: BoolArray = np.isfinite(returns)
    count = is_known.sum(axis=1)
    total = np.where(is_known, returns, 0.0).sum(axis=1)
    return np.asarray(np.divide(total, count, out=np.full(len(returns), np.nan), where=count > 0))
