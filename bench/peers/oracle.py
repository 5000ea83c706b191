"""The trades of the crossover by whole numbers, so that no rounding has a say in what is a signal."""

import numpy as np
import numpy.typing as npt

from bench.peers.protocol import FAST_BARS, FEE_FRAC, SHARES, SLOW_BARS, Bars, Trade

PRICE_UNITS = 10_000  # a dollar; the prices of the data have four decimals at most


def find_trades(bars: Bars) -> list[Trade]:
    """Return the closed trades of one symbol.

    Parameters
    ----------
    bars : Bars

    Returns
    -------
    list of Trade
        In time.

    Raises
    ------
    ValueError
        If a close has more than four decimals.
    """
    units = np.rint(bars.prices["close"] * PRICE_UNITS).astype(np.int64)
    if not np.array_equal(units / PRICE_UNITS, bars.prices["close"]):
        raise ValueError(f"closes must have four decimals at most, those of {bars.symbol} have more")
    # Both averages times FAST_BARS * SLOW_BARS are whole, and only their order matters.
    spread = _sums(units, FAST_BARS) * SLOW_BARS - _sums(units, SLOW_BARS) * FAST_BARS
    trades: list[Trade] = []
    entry: int | None = None
    for t in range(SLOW_BARS - 1, len(bars) - 1):
        if entry is None and spread[t] > 0:
            entry = t + 1
        elif entry is not None and spread[t] < 0:
            trades.append(_trade(bars, entry, t + 1))
            entry = None
    return trades


def _sums(units: npt.NDArray[np.int64], window: int) -> npt.NDArray[np.int64]:
    """Return the sum of each bar and the `window` - 1 before it; those of fewer are not defined, and not read."""
    total = np.cumsum(units)
    total[window:] -= total[:-window].copy()
    return total


def _trade(bars: Bars, entry: int, leave: int) -> Trade:
    bought, sold = (float(bars.prices["open"][each]) for each in (entry, leave))
    times = int(bars.ts_open_ns[entry]), int(bars.ts_open_ns[leave])
    return Trade(bars.symbol, *times, bought, sold, SHARES, FEE_FRAC * SHARES * (bought + sold))
