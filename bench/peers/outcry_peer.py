"""outcry: features in its kernels, signals as a whole matrix, the rest in the compiled loop.

All symbols are one market and one account; each still trades its own hundred shares, and frames are the instants at
which any symbol has a bar. Prices of the file have four decimals, so the tick is a ten-thousandth, and commission is
not rounded to cents. The rules know no volume: every bar has plenty, as the other engines assume.
"""

from dataclasses import dataclass
from decimal import Decimal
from importlib.metadata import version

import numpy as np

from bench.peers.process import serve
from bench.peers.protocol import (
    BAR_NS,
    CASH,
    FAST_BARS,
    FEE_FRAC,
    SHARES,
    SLOW_BARS,
    TIE,
    Bars,
    Fill,
    Trade,
    pair_fills,
)
from configs.features import FeaturesConfig
from outcry.backtest.fast.engine import FastBacktest, FastConfig
from outcry.backtest.fast.result import FastRun
from outcry.backtest.fast.tape import MarketTape, build_tape
from outcry.execution.config import BrokerConfig
from outcry.execution.tape import frames_looked_back
from outcry.features.config import FeatureSetConfig
from outcry.features.engine import FeatureEngine
from outcry.features.feature_set import FeatureSet, build_feature_set
from outcry.market.frame import FrameTensor
from outcry.market.sessions import Sessions
from outcry.market.universe import Universe
from outcry.order_rows import F_COMMISSION, F_LOTS, F_PRICE, F_SEQ, F_SYMBOL
from outcry.portfolio.config import PortfolioConfig
from outcry.risk.config import RiskConfig

COLUMNS = (f"sma_{FAST_BARS}", f"sma_{SLOW_BARS}")
TICK = Decimal("0.0001")
DAY_NS = 86_400 * 10**9
NO_LIMIT = 1_000.0
PLENTY_SHARES = 1e9
N_THREADS = FeaturesConfig().n_threads


@dataclass(frozen=True, slots=True, eq=False)
class Market:
    """What the run reads."""

    universe: Universe
    frames: FrameTensor
    sessions: Sessions
    tape: MarketTape
    features: FeatureSet
    config: FastConfig


def load(market: list[Bars]) -> Market:
    """Return the bars as frames, and the settings."""
    ts = np.unique(np.concatenate([bars.ts_open_ns for bars in market])) + BAR_NS
    columns = {name: np.full((len(ts), len(market)), np.nan) for name in ("open", "high", "low", "close", "volume")}
    for i, bars in enumerate(market):
        rows = np.searchsorted(ts, bars.ts_open_ns + BAR_NS)
        for name, column in columns.items():
            column[rows, i] = bars.prices[name] if name != "volume" else PLENTY_SHARES
    frames = FrameTensor(0, ts, vwap=columns["close"], present=~np.isnan(columns["close"]), **columns)
    starts = np.arange(ts[0] // DAY_NS, ts[-1] // DAY_NS + 2) * DAY_NS
    sessions = Sessions(starts, starts + DAY_NS, starts, np.zeros(len(starts), dtype=np.int64))
    universe = Universe(tuple(bars.symbol for bars in market), ("Other",) * len(market), tick=TICK)
    config = FastConfig(
        BrokerConfig(
            initial_cash=Decimal(CASH) * len(market),
            slippage_bps=0.0,
            commission_per_share=0.0,
            commission_bps=FEE_FRAC * 1e4,
            min_commission=0.0,
            commission_step=Decimal(0),
            max_volume_frac=1.0,
        ),
        PortfolioConfig(rebalance_frac=NO_LIMIT),
        RiskConfig(
            max_position_frac=NO_LIMIT,
            max_gross_frac=NO_LIMIT,
            max_net_frac=NO_LIMIT,
            max_positions=len(market),
            max_sector_frac=NO_LIMIT,
            daily_loss_frac=0.999,
            drawdown_ladder=(),
        ),
    )
    tape = build_tape(frames.rows(0, 0, first_seq=0), frames, sessions, frames_looked_back(config.broker))
    features = build_feature_set(FeatureSetConfig(columns=COLUMNS), BAR_NS)
    return Market(universe, frames, sessions, tape, features, config)


def run(market: Market) -> FastRun:
    """Compute the averages, decide, and trade."""
    n_symbols = len(market.universe)
    engine = FeatureEngine(market.features, n_symbols, market.sessions, bars_per_year=1.0, n_threads=N_THREADS)
    values = engine.replay(market.frames)
    fast, slow = (values[:, :, market.features.place(name)] for name in COLUMNS)
    spread = fast - slow
    shares = np.where(spread > 0.0, float(SHARES), 0.0)
    shares[~(np.abs(spread) > TIE)] = np.nan  # a tie, or not yet known: nothing changes
    return FastBacktest("crossover", market.universe, market.config, market.tape).trade_shares(shares)


def list_trades(market: list[Bars], run: FastRun) -> list[Trade]:
    """Read the fills; each is at the open of the bar that closes with its frame."""
    grid = run.universe.grid
    fills: dict[int, list[Fill]] = {}
    for row in run.fill_rows.tolist():
        fee = float(grid.money(row[F_COMMISSION]))
        ts_open_ns = int(run.ts_close_ns[row[F_SEQ]]) - BAR_NS
        fill = Fill(ts_open_ns, float(grid.price(row[F_PRICE])), float(grid.quantity(row[F_LOTS])), fee)
        fills.setdefault(row[F_SYMBOL], []).append(fill)
    return [trade for i, bars in enumerate(market) for trade in pair_fills(bars.symbol, fills.get(i, []))]


if __name__ == "__main__":
    serve("outcry", version("outcry"), load, run, list_trades)
