"""How deep under its peak the equity was, and for how long."""

from dataclasses import dataclass

import numpy as np

from outcry.market.frame import FloatArray


@dataclass(frozen=True, slots=True)
class DrawdownMetrics:
    """Figures of the underwater curve.

    Attributes
    ----------
    max_frac, average_frac : float
        Fractions of the peak in [0, 1]; the average is over all frames.
    longest_bars : int
        Longest stretch of frames under a peak, the unfinished last one included.
    recovery_bars : int or None
        Frames from the deepest point back to its peak; None where it was not reached again.
    """

    max_frac: float
    average_frac: float
    longest_bars: int
    recovery_bars: int | None


def underwater(equity: FloatArray, initial_cash: float) -> FloatArray:
    """Return ``1 - E_t / max(E_0..E_t)``, float64 (n,), where the start counts as a peak; at most 1."""
    peak = np.maximum(np.maximum.accumulate(equity), initial_cash)
    return np.minimum(1.0 - equity / peak, 1.0)


def drawdown_metrics(equity: FloatArray, initial_cash: float) -> DrawdownMetrics:
    """Measure the drawdowns of an equity curve, float64 (n,), currency."""
    depth = underwater(equity, initial_cash)
    at_peak = np.flatnonzero(depth <= 0.0)
    edges = np.concatenate(([-1], at_peak, [len(depth)]))
    deepest = int(depth.argmax())
    recovered = at_peak[at_peak > deepest]
    recovery = 0 if depth[deepest] <= 0.0 else (int(recovered[0]) - deepest if recovered.size else None)
    return DrawdownMetrics(
        max_frac=float(depth[deepest]) if depth[deepest] > 0 else 0.0,
        average_frac=float(np.maximum(depth, 0.0).mean()),
        longest_bars=int(np.diff(edges).max()) - 1,
        recovery_bars=recovery,
    )
