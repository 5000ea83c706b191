"""vectorbt, the free one: one wide frame with a column a symbol, simulated at once.

A column holds its symbol's bars by number and ends in NaN where there are fewer. By time, a bar that one symbol has and
another has not would be a NaN inside the window of an average, and the signals of the second would change. Signals of
a close are moved to the next row and filled at its open.

The library is installed with its Rust engine and left to choose: it takes Rust where a call can, and Numba elsewhere.
"""

import pandas as pd
import vectorbt as vbt

from bench.peers.process import serve
from bench.peers.protocol import CASH, FAST_BARS, FEE_FRAC, SHARES, SLOW_BARS, TIE, Bars, Trade

Frames = tuple[pd.DataFrame, pd.DataFrame]


def load(market: list[Bars]) -> Frames:
    """Return the opens and the closes, a column a symbol."""
    opens, closes = (
        pd.DataFrame({bars.symbol: pd.Series(bars.prices[name]) for bars in market}) for name in ("open", "close")
    )
    return opens, closes


def run(frames: Frames) -> pd.DataFrame:
    """Simulate all columns and return the records of their trades."""
    opens, closes = frames
    fast = vbt.MA.run(closes, FAST_BARS).ma.to_numpy()
    slow = vbt.MA.run(closes, SLOW_BARS).ma.to_numpy()
    spread = pd.DataFrame(fast - slow, index=closes.index, columns=closes.columns)
    portfolio = vbt.Portfolio.from_signals(
        closes,
        (spread > TIE).vbt.signals.fshift(1),
        (spread < -TIE).vbt.signals.fshift(1),
        price=opens,
        size=SHARES,
        fees=FEE_FRAC,
        init_cash=CASH,
        direction="longonly",
    )
    return portfolio.trades.records


def list_trades(market: list[Bars], records: pd.DataFrame) -> list[Trade]:
    """Read the records; indices are row numbers, and status 1 is closed."""
    trades = []
    for row in records[records["status"] == 1].itertuples():
        bars = market[row.col]
        times = int(bars.ts_open_ns[row.entry_idx]), int(bars.ts_open_ns[row.exit_idx])
        fees = row.entry_fees + row.exit_fees
        trades.append(Trade(bars.symbol, *times, row.entry_price, row.exit_price, row.size, fees))
    return trades


if __name__ == "__main__":
    serve("vectorbt", vbt.__version__, load, run, list_trades)
