"""How deep under its peak the equity was, and for how long."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from outcry.market.frame import FloatArray

N_DEEPEST = 5


@dataclass(frozen=True, slots=True)
class Drawdown:
    """One stretch under a peak.

    Attributes
    ----------
    depth_frac : float
        At its deepest, a fraction of the peak.
    first_row, deepest_row : int
        Rows of the equity curve: the first one under the peak, the deepest one.
    recovered_row : int or None
        The first row that is back at the peak; None where the curve ends before.
    """

    depth_frac: float
    first_row: int
    deepest_row: int
    recovered_row: int | None


@dataclass(frozen=True, slots=True)
class DrawdownMetrics:
    """Figures of the underwater curve.

    Attributes
    ----------
    max_frac, average_frac : float
        Fractions of the peak in [0, 1]; the average is over all frames (pain index).
    ulcer_index_frac : float
        Root of the mean square of the underwater curve.
    n_drawdowns : int
        Stretches under a peak, the unfinished last one included.
    average_depth_frac, average_bars : float
        Of these stretches: the mean of their depths and of their lengths in frames; 0 without one.
    longest_bars : int
        The longest of them.
    recovery_bars : int or None
        Frames from the deepest point back to its peak; None where it was not reached again.
    deepest : tuple of Drawdown
        The `N_DEEPEST` deepest, deepest first.

    References
    ----------
    Martin and McCann, The Investor's Guide to Fidelity Funds, 1989: the ulcer index.
    """

    max_frac: float
    average_frac: float
    ulcer_index_frac: float
    n_drawdowns: int
    average_depth_frac: float
    average_bars: float
    longest_bars: int
    recovery_bars: int | None
    deepest: tuple[Drawdown, ...]


def underwater(equity: FloatArray, initial_cash: float) -> FloatArray:
    """Return ``1 - E_t / max(E_0..E_t)``, float64 (..., n), where the start counts as a peak; at most 1."""
    peak = np.maximum(np.maximum.accumulate(equity, axis=-1), initial_cash)
    return np.minimum(1.0 - equity / peak, 1.0)


def drawdowns(equity: FloatArray, initial_cash: float) -> list[Drawdown]:
    """Return every stretch under a peak, in order."""
    depth = underwater(equity, initial_cash)
    is_under = np.concatenate(([False], depth > 0.0, [False]))
    edges = np.flatnonzero(np.diff(is_under))
    found = []
    for first, end in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
        deepest = first + int(depth[first:end].argmax())
        found.append(Drawdown(float(depth[deepest]), first, deepest, end if end < len(depth) else None))
    return found


def drawdown_metrics(
    equity: FloatArray, initial_cash: float, found: Sequence[Drawdown] | None = None
) -> DrawdownMetrics:
    """Measure the drawdowns of an equity curve, float64 (n,), currency; `found` are those of `drawdowns`, if known."""
    depth = np.maximum(underwater(equity, initial_cash), 0.0)
    found = drawdowns(equity, initial_cash) if found is None else found
    lengths = [(len(equity) if each.recovered_row is None else each.recovered_row) - each.first_row for each in found]
    deepest = tuple(sorted(found, key=lambda each: -each.depth_frac)[:N_DEEPEST])
    recovery: int | None = 0
    if deepest:
        end = deepest[0].recovered_row
        recovery = None if end is None else end - deepest[0].deepest_row
    return DrawdownMetrics(
        max_frac=float(depth.max()),
        average_frac=float(depth.mean()),
        ulcer_index_frac=math.sqrt(float(np.mean(depth**2))),
        n_drawdowns=len(found),
        average_depth_frac=float(np.mean([each.depth_frac for each in found])) if found else 0.0,
        average_bars=float(np.mean(lengths)) if found else 0.0,
        longest_bars=max(lengths, default=0),
        recovery_bars=recovery,
        deepest=deepest,
    )
