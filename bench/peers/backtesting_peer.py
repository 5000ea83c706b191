"""backtesting.py: a `Backtest` for each symbol, over a frame.

A market order fills at the next open as it is (`trade_on_close=False`). `Backtest.run` computes its statistics too; it
has no way without.

The library calls `next` from the second bar on which every indicator is a number, so an order at the close of the first
would come a bar late. Here the indicator is the difference of its two averages, and zero before there is one: `next`
is called on every bar but the first, and zero is no signal.
"""

import backtesting
import numpy as np
import numpy.typing as npt
import pandas as pd
from backtesting import Backtest, Strategy
from backtesting.test import SMA

from bench.peers.process import serve
from bench.peers.protocol import CASH, FAST_BARS, FEE_FRAC, PRICES, SHARES, SLOW_BARS, TIE, Bars, Trade


class Crossover(Strategy):  # type: ignore[misc]  # the library is not in this environment
    """The strategy of `bench.peers.protocol`."""

    def init(self) -> None:
        """Compute how far the fast average is above the slow one."""
        self.spread = self.I(_spread, self.data.Close)

    def next(self) -> None:
        """Order at the close of a bar."""
        spread = self.spread[-1]
        if not self.position and spread > TIE:
            self.buy(size=SHARES)
        elif self.position and spread < -TIE:
            self.position.close()


def _spread(close: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    spread: npt.NDArray[np.float64] = np.nan_to_num(SMA(close, FAST_BARS) - SMA(close, SLOW_BARS))
    return spread


def load(market: list[Bars]) -> list[pd.DataFrame]:
    """Return a frame a symbol, with the capitals that the library wants."""
    return [
        pd.DataFrame({name.title(): bars.prices[name] for name in PRICES}, index=pd.to_datetime(bars.ts_open_ns))
        for bars in market
    ]


def run(frames: list[pd.DataFrame]) -> list[pd.DataFrame]:
    """Run each symbol by itself; return its table of trades."""
    return [
        Backtest(frame, Crossover, cash=CASH, commission=FEE_FRAC, trade_on_close=False).run()["_trades"]
        for frame in frames
    ]


def list_trades(market: list[Bars], ran: list[pd.DataFrame]) -> list[Trade]:
    """Read the tables; `EntryBar` and `ExitBar` are row numbers."""
    return [
        Trade(
            bars.symbol,
            int(bars.ts_open_ns[row.EntryBar]),
            int(bars.ts_open_ns[row.ExitBar]),
            row.EntryPrice,
            row.ExitPrice,
            float(row.Size),
            row.Commission,
        )
        for bars, table in zip(market, ran, strict=True)
        for row in table.itertuples()
    ]


if __name__ == "__main__":
    serve("backtesting.py", backtesting.__version__, load, run, list_trades)
