"""What was held after each frame, told from the fills."""

import numpy as np

from outcry.backtest.history import RunHistory
from outcry.market.frame import FloatArray


def holdings(history: RunHistory) -> FloatArray:
    """Return signed shares after the fills of each frame, float64 (n, n_symbols)."""
    change = np.zeros((len(history.ts_close_ns), len(history.universe)))
    for fill in history.fills:
        row = min(int(np.searchsorted(history.ts_close_ns, fill.ts_ns)), len(change) - 1)
        change[row, history.universe.index(fill.symbol)] += fill.side.sign * float(fill.quantity)
    held: FloatArray = change.cumsum(axis=0)
    held[np.abs(held) < 1e-9] = 0.0  # what decimals of shares leave in binary
    return held
