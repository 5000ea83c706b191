"""Whether the profit of a run comes from one year, one symbol or one state of the market."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from outcry.backtest.analytics.regimes import RegimeReturn, log_growth
from outcry.backtest.analytics.trade_metrics import SymbolProfit
from outcry.market.frame import FloatArray, IntArray

MIN_PARTS = 3
LARGE_FRAC = 0.8
"""Without its best part, less than a fifth of the profit is left: what remains is no strategy."""
USUAL_FRAC = 0.5
"""A part that is more than half of the time is the run, not a stretch of it."""


@dataclass(frozen=True, slots=True)
class Concentration:
    """The best of the parts that a profit is made of.

    Attributes
    ----------
    kind : str
        year, symbol or regime.
    name : str
    share_frac : float
        Of the profit; above 1 where the other parts lost. By symbol in currency, otherwise in log growth.
    time_frac : float or None
        Of the sessions; None for a symbol.
    """

    kind: str
    name: str
    share_frac: float
    time_frac: float | None

    @property
    def is_single(self) -> bool:
        """Whether this part alone makes the profit."""
        return self.share_frac > LARGE_FRAC and (self.time_frac is None or self.time_frac <= USUAL_FRAC)


def concentrations(
    session_close_ns: IntArray,
    returns: FloatArray,
    symbols: Sequence[SymbolProfit],
    regimes: Sequence[RegimeReturn],
) -> tuple[Concentration, ...]:
    """Return the best year, symbol and regime, of those of which there are `MIN_PARTS` and whose sum is a profit.

    Parameters
    ----------
    session_close_ns : int64 (n_sessions,)
        The year is that in UTC.
    returns : float64 (n_sessions,)
        Of the run.
    symbols : sequence of SymbolProfit
        Those that were traded count.
    regimes : sequence of RegimeReturn
    """
    return tuple(_find(session_close_ns, returns, symbols, regimes))


def _find(
    session_close_ns: IntArray,
    returns: FloatArray,
    symbols: Sequence[SymbolProfit],
    regimes: Sequence[RegimeReturn],
) -> Iterator[Concentration]:
    years = (session_close_ns - 1).astype("datetime64[ns]").astype("datetime64[Y]").astype(np.int64) + 1970
    growth = log_growth(returns)
    by_year = {str(year): float(growth[years == year].sum()) for year in np.unique(years)}
    yield from _best("year", by_year, {name: float((years == int(name)).mean()) for name in by_year})
    yield from _best("symbol", {each.symbol: each.net for each in symbols if each.traded_value > 0}, {})
    n_sessions = sum(each.n_sessions for each in regimes)
    seen = [each for each in regimes if each.n_sessions]
    by_regime = {each.regime: each.growth for each in seen}
    yield from _best("regime", by_regime, {each.regime: each.n_sessions / n_sessions for each in seen})


def _best(kind: str, parts: Mapping[str, float], time_fracs: Mapping[str, float]) -> Iterator[Concentration]:
    total = sum(parts.values())
    if len(parts) >= MIN_PARTS and total > 0:
        name = max(parts, key=lambda key: parts[key])
        yield Concentration(kind, name, parts[name] / total, time_fracs.get(name))
