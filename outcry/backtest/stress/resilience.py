"""What stress leaves of a result: loss, recovery, what the run earns less, and one score."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from outcry.backtest.analytics.drawdown_metrics import drawdowns
from outcry.backtest.analytics.return_metrics import sharpe_ratio
from outcry.backtest.analytics.session_returns import session_returns, session_rows, sessions_per_year
from outcry.errors import DataValidationError
from outcry.market.frame import FloatArray, IntArray


@dataclass(frozen=True, slots=True)
class Fall:
    """The deepest drawdown of a curve, and the way out of it.

    Attributes
    ----------
    max_drawdown_frac : float
        Of the highest value so far, in [0, 1].
    recovery_sessions : int or None
        From the deepest row until the peak is reached again; 0 without a drawdown or within one session; None where it
        is not reached.
    sessions_left : int
        From the deepest row to the end of the curve.
    """

    max_drawdown_frac: float
    recovery_sessions: int | None
    sessions_left: int


@dataclass(frozen=True, slots=True)
class Resilience:
    """How a run fares under stress; every figure is from the last close before the shock to the end of the data.

    Attributes
    ----------
    shock_loss_frac : float
        Of the stressed run over the shock; positive is a loss, negative a gain.
    fall, market_fall : Fall
        Of the stressed run, and of the stressed market.
    return_frac, stressed_return_frac : float
        Total returns.
    return_lost_frac : float
        The first less the second.
    sharpe, stressed_sharpe, sharpe_lost : float or None
        Of session returns; None where they do not vary.
    retained, protection, recovery, score : float
        In [0, 1], see `measure_resilience`.
    """

    shock_loss_frac: float
    fall: Fall
    market_fall: Fall
    return_frac: float
    stressed_return_frac: float
    return_lost_frac: float
    sharpe: float | None
    stressed_sharpe: float | None
    sharpe_lost: float | None
    retained: float
    protection: float
    recovery: float
    score: float


@dataclass(frozen=True, slots=True)
class OverallResilience:
    """The mean score over scenarios, and the one it is lowest in."""

    score: float
    weakest: str
    weakest_score: float
    n_scenarios: int


def measure_resilience(
    ts_close_ns: IntArray,
    equity: FloatArray,
    stressed_equity: FloatArray,
    stressed_market: FloatArray,
    *,
    n_shock_frames: int,
    bars_per_year: float,
    risk_free_per_year: float = 0.0,
) -> Resilience:
    """Compare a run under stress with the same run without it.

    Parameters
    ----------
    ts_close_ns : int64 (n,)
        Row 0 is the last close before the shock.
    equity, stressed_equity, stressed_market : float64 (n,)
        After each frame, in any currency or multiple; positive in row 0.
    n_shock_frames : int
        Rows 1 to `n_shock_frames` are the shock, in [1, n - 1].
    bars_per_year, risk_free_per_year : float
        As `return_metrics`.

    Raises
    ------
    DataValidationError
        Where a curve has another length, is not finite, or does not begin above 0, or the shock is outside of it.

    Notes
    -----
    The score is the mean of three parts, each in [0, 1]:

    - `retained`: final equity under stress over that without, at most 1. Wealth, and not the ratio of two returns or
      Sharpe ratios, since these have no meaning where the unstressed run earns nothing.
    - `protection`: ``M / (M + D)``, D and M the largest drawdowns of run and market: 1 without a drawdown, 1/2 for
      that of the market, 1/3 for twice as deep. Deep markets excuse deep drawdowns.
    - `recovery`: ``m / (m + s)``, s and m the recoveries of run and market in sessions, likewise; 0 where the run does
      not recover. A market that does not recover counts with the sessions that were left.

    The mean, not the product: a run that is a hair below its peak as the data end should not have the score of a
    ruined one. Holding the market scores near 2/3, ruin near 0, cash 1: the score measures what stress takes away, not
    whether there is anything to take, and is read beside `return_frac`.
    """
    _check_curves(len(ts_close_ns), equity, stressed_equity, stressed_market)
    if not 1 <= n_shock_frames < len(ts_close_ns):
        raise DataValidationError(f"n_shock_frames must be in [1, {len(ts_close_ns) - 1}], was {n_shock_frames}")
    fall, market_fall = (measure_fall(ts_close_ns, curve) for curve in (stressed_equity, stressed_market))
    total, stressed_total = (float(curve[-1] / curve[0]) - 1.0 for curve in (equity, stressed_equity))
    sharpe, stressed_sharpe = (
        _sharpe(ts_close_ns, curve, bars_per_year, risk_free_per_year) for curve in (equity, stressed_equity)
    )
    parts = (_retained(total, stressed_total), _protection(fall, market_fall), _recovery(fall, market_fall))
    return Resilience(
        shock_loss_frac=1.0 - float(stressed_equity[n_shock_frames] / stressed_equity[0]),
        fall=fall,
        market_fall=market_fall,
        return_frac=total,
        stressed_return_frac=stressed_total,
        return_lost_frac=total - stressed_total,
        sharpe=sharpe,
        stressed_sharpe=stressed_sharpe,
        sharpe_lost=None if sharpe is None or stressed_sharpe is None else sharpe - stressed_sharpe,
        retained=parts[0],
        protection=parts[1],
        recovery=parts[2],
        score=sum(parts) / len(parts),
    )


def measure_fall(ts_close_ns: IntArray, curve: FloatArray) -> Fall:
    """Return the deepest drawdown of a curve, float64 (n,), that begins above 0."""
    session = np.searchsorted(session_rows(ts_close_ns), np.arange(len(curve)))
    deepest = max(drawdowns(curve, float(curve[0])), key=lambda each: each.depth_frac, default=None)
    if deepest is None:
        return Fall(0.0, 0, int(session[-1]))
    low, end = session[deepest.deepest_row], deepest.recovered_row
    recovery = None if end is None else int(session[end] - low)
    return Fall(deepest.depth_frac, recovery, int(session[-1] - low))


def overall_resilience(scenarios: Mapping[str, Resilience]) -> OverallResilience | None:
    """Return the score over all scenarios, by name; None without one.

    The mean weighs scenarios alike, as none of them has a probability. It hides a single failure, which is why the
    weakest scenario is named beside it.
    """
    if not scenarios:
        return None
    weakest = min(scenarios, key=lambda name: scenarios[name].score)
    mean = sum(each.score for each in scenarios.values()) / len(scenarios)
    return OverallResilience(mean, weakest, scenarios[weakest].score, len(scenarios))


def _check_curves(n: int, *curves: FloatArray) -> None:
    for curve in curves:
        if curve.shape != (n,):
            raise DataValidationError(f"a curve must have shape {(n,)}, was {curve.shape}")
        if not np.isfinite(curve).all() or curve[0] <= 0:
            raise DataValidationError(f"a curve must be finite and begin above 0, began with {curve[0]}")


def _sharpe(ts_close_ns: IntArray, curve: FloatArray, bars_per_year: float, risk_free_per_year: float) -> float | None:
    returns = session_returns(ts_close_ns[1:], curve[1:], float(curve[0]))
    return sharpe_ratio(returns, sessions_per_year(ts_close_ns[1:], bars_per_year), risk_free_per_year)


def _retained(total: float, stressed_total: float) -> float:
    kept, stressed = max(1.0 + total, 0.0), max(1.0 + stressed_total, 0.0)
    return 1.0 if stressed >= kept else stressed / kept


def _protection(fall: Fall, market: Fall) -> float:
    both = market.max_drawdown_frac + fall.max_drawdown_frac
    return market.max_drawdown_frac / both if both > 0 else 1.0


def _recovery(fall: Fall, market: Fall) -> float:
    if fall.recovery_sessions is None:
        return 0.0
    of_market = market.sessions_left if market.recovery_sessions is None else market.recovery_sessions
    both = of_market + fall.recovery_sessions
    return of_market / both if both else 1.0
