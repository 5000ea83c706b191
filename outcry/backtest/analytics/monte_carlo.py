"""What else the same run could have been: its returns, and its trades, drawn again and again."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from outcry.backtest.analytics.bootstrap import MIN_RETURNS, optimal_mean_block, stationary_indices
from outcry.backtest.analytics.drawdown_metrics import underwater
from outcry.backtest.analytics.round_trips import Trade
from outcry.market.frame import FloatArray

N_PATHS = 1_000
LEVELS = (0.05, 0.25, 0.50, 0.75, 0.95)
DEPTHS = (0.05, 0.10, 0.20, 0.30, 0.50)
MIN_TRADES = 10


@dataclass(frozen=True, slots=True)
class MonteCarlo:
    """Resampled paths of the same length as the run.

    Attributes
    ----------
    n_paths : int
    total_return_fracs : tuple of float
        Quantiles at `LEVELS` of the total return.
    max_drawdown_fracs : tuple of float
        Quantiles at `LEVELS` of the largest drawdown.
    loss_probability : float
        Share of the paths that end below the initial cash.
    depth_probabilities : tuple of float
        Share of the paths whose largest drawdown reaches each of `DEPTHS`.
    """

    n_paths: int
    total_return_fracs: tuple[float, ...]
    max_drawdown_fracs: tuple[float, ...]
    loss_probability: float
    depth_probabilities: tuple[float, ...]


def resample_returns(returns: FloatArray, rng: np.random.Generator, n_paths: int = N_PATHS) -> FloatArray | None:
    """Return equity paths in multiples of the initial cash, float64 (n_paths, n); None below `MIN_RETURNS`.

    Parameters
    ----------
    returns : float64 (n,)
        Simple returns of equal periods.

    Notes
    -----
    The stationary bootstrap of `outcry.backtest.analytics.bootstrap`: blocks keep what follows what, as long as the
    dependence of the returns lasts. A path that loses everything stays at 0.
    """
    if len(returns) < MIN_RETURNS:
        return None
    indices = stationary_indices(len(returns), n_paths, optimal_mean_block(returns), rng)
    return np.asarray(np.maximum(1.0 + returns[indices], 0.0).cumprod(axis=1))


def resample_trades(
    trades: Sequence[Trade], initial_cash: float, rng: np.random.Generator, n_paths: int = N_PATHS
) -> FloatArray | None:
    """Return equity paths of as many trades, drawn with replacement, in multiples of the cash, float64 (n_paths, n).

    None below `MIN_TRADES`. A trade earns what it earned, whatever the equity of the path: the size of positions is
    that of the run. What this leaves out: trades that overlap, and that one follows another for a reason.
    """
    if len(trades) < MIN_TRADES:
        return None
    pnl = np.array([trade.pnl for trade in trades]) / initial_cash
    paths = 1.0 + pnl[rng.integers(0, len(pnl), size=(n_paths, len(pnl)))].cumsum(axis=1)
    is_ruined = np.logical_or.accumulate(paths <= 0.0, axis=1)
    return np.where(is_ruined, 0.0, paths)


def summarise_paths(paths: FloatArray) -> MonteCarlo:
    """Measure equity paths, float64 (n_paths, n), multiples of the initial cash."""
    depth = underwater(paths, 1.0).max(axis=1).clip(min=0.0)
    return MonteCarlo(
        n_paths=len(paths),
        total_return_fracs=tuple(np.quantile(paths[:, -1] - 1.0, LEVELS).tolist()),
        max_drawdown_fracs=tuple(np.quantile(depth, LEVELS).tolist()),
        loss_probability=float((paths[:, -1] < 1.0).mean()),
        depth_probabilities=tuple(float((depth >= each).mean()) for each in DEPTHS),
    )
