"""backtrader: a Cerebro for each symbol, with a frame in memory as its feed.

A market order made in `next` fills at the next open as it is. Its dates are days as floating point, good to some ten
microseconds, so a fill is dated by the number of the bar it happened on.
"""

import backtrader as bt
import pandas as pd

from bench.peers.process import serve
from bench.peers.protocol import (
    CASH,
    FAST_BARS,
    FEE_FRAC,
    PRICES,
    SHARES,
    SLOW_BARS,
    TIE,
    Bars,
    Fill,
    Trade,
    pair_fills,
)


class Crossover(bt.Strategy):  # type: ignore[misc]  # the library is not in this environment
    """The strategy of `bench.peers.protocol`; `fills` are dated by the number of the bar."""

    def __init__(self) -> None:
        self.fast = bt.indicators.SimpleMovingAverage(self.data.close, period=FAST_BARS)
        self.slow = bt.indicators.SimpleMovingAverage(self.data.close, period=SLOW_BARS)
        self.fills: list[Fill] = []

    def next(self) -> None:
        """Order at the close of a bar."""
        spread = self.fast[0] - self.slow[0]
        if not self.position and spread > TIE:
            self.buy(size=SHARES)
        elif self.position and spread < -TIE:
            self.close()

    def notify_order(self, order: bt.Order) -> None:
        """Note what was executed on this bar."""
        if order.status == order.Completed:
            done = order.executed
            self.fills.append(Fill(len(self) - 1, done.price, abs(done.size), done.comm))


def load(market: list[Bars]) -> list[pd.DataFrame]:
    """Return a frame a symbol, with the columns that `PandasData` reads."""
    return [pd.DataFrame(bars.prices, index=pd.to_datetime(bars.ts_open_ns), columns=PRICES) for bars in market]


def run(frames: list[pd.DataFrame]) -> list[list[Fill]]:
    """Run each symbol by itself."""
    return [_run_one(frame) for frame in frames]


def _run_one(frame: pd.DataFrame) -> list[Fill]:
    cerebro = bt.Cerebro(stdstats=False)
    cerebro.broker.set_cash(CASH)
    cerebro.broker.setcommission(commission=FEE_FRAC)
    cerebro.adddata(bt.feeds.PandasData(dataname=frame))
    cerebro.addstrategy(Crossover)
    (strategy,) = cerebro.run()
    fills: list[Fill] = strategy.fills
    return fills


def list_trades(market: list[Bars], ran: list[list[Fill]]) -> list[Trade]:
    """Date the fills by the bars, and pair them."""
    return [
        trade
        for bars, fills in zip(market, ran, strict=True)
        for trade in pair_fills(bars.symbol, [fill._replace(ts_ns=int(bars.ts_open_ns[fill.ts_ns])) for fill in fills])
    ]


if __name__ == "__main__":
    serve("backtrader", bt.__version__, load, run, list_trades)
