"""The strategy that every engine runs, and what passes between the driver and an engine's process.

The rules, for each symbol alone:

- simple moving averages of the close over `FAST_BARS` and `SLOW_BARS` bars, each by the engine's own indicator;
- at the close of a bar where both are defined: buy `SHARES` with a market order where fast is above slow and nothing
  is held, sell them where it is below and they are held;
- an order made at the close of a bar fills at the open of that symbol's next bar;
- a fill costs `FEE_FRAC` of its notional, unrounded; no slippage; `CASH` at the start; never short;
- what is still held after the last bar stays held, and is no trade.

"Above" means by more than `TIE`. The averages of prices with four decimals are equal or at least 1e-6 apart, and every
indicator here errs by less than 1e-9, so this is the comparison of the exact averages. Without it, equal averages cross
or not by the last digit of a library's way of summing: a dozen of the three thousand trades of twenty symbols move.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, TypedDict

import numpy as np
import numpy.typing as npt

FAST_BARS = 20
SLOW_BARS = 50
SHARES = 100
FEE_FRAC = 0.001
CASH = 1_000_000.0
TIE = 1e-7
BAR_NS = 300_000_000_000

PRICES = ("open", "high", "low", "close", "volume")


@dataclass(frozen=True, slots=True)
class Bars:
    """The bars of one symbol, oldest first.

    Attributes
    ----------
    symbol : str
    ts_open_ns : array of int64, shape (n_bars,)
        When each bar opens, in nanoseconds UTC; strictly increasing, with gaps.
    prices : dict of array of float64, shape (n_bars,)
        `PRICES`, in dollars and shares.
    """

    symbol: str
    ts_open_ns: npt.NDArray[np.int64]
    prices: dict[str, npt.NDArray[np.float64]]

    def __len__(self) -> int:
        return len(self.ts_open_ns)


class Trade(NamedTuple):
    """A closed position; times are when the bars opened at whose open it was filled."""

    symbol: str
    ts_entry_ns: int
    ts_exit_ns: int
    entry_price: float
    exit_price: float
    shares: float
    fees: float


class Fill(NamedTuple):
    """One execution: when the bar opened, its price, and what it cost."""

    ts_ns: int
    price: float
    shares: float
    fee: float


class Report(TypedDict):
    """What an engine's process prints: one line of JSON, the last of its output."""

    engine: str
    version: str
    seconds: list[float]
    cpu_seconds: list[float]
    load_seconds: float
    peak_mib: float
    trades: list[list[Any]]


def write_bars(path: Path, market: Sequence[Bars]) -> None:
    """Write the bars of several symbols, for `read_bars`."""
    arrays: dict[str, npt.NDArray[Any]] = {"symbols": np.array([bars.symbol for bars in market])}
    for each, bars in enumerate(market):
        arrays[f"{each}.ts_open_ns"] = bars.ts_open_ns
        arrays |= {f"{each}.{name}": bars.prices[name] for name in PRICES}
    np.savez(path, **arrays)  # type: ignore[arg-type]  # numpy's stub takes the first name for allow_pickle


def read_bars(path: Path) -> list[Bars]:
    """Read what `write_bars` wrote."""
    with np.load(path) as arrays:
        return [
            Bars(str(symbol), arrays[f"{each}.ts_open_ns"], {name: arrays[f"{each}.{name}"] for name in PRICES})
            for each, symbol in enumerate(arrays["symbols"])
        ]


def pair_fills(symbol: str, fills: Sequence[Fill]) -> list[Trade]:
    """Return the trades of buys and sells that take turns; a last buy without its sell is none."""
    return [
        Trade(symbol, buy.ts_ns, sell.ts_ns, buy.price, sell.price, buy.shares, buy.fee + sell.fee)
        for buy, sell in zip(fills[::2], fills[1::2], strict=False)
    ]
