"""Router, portfolio and risk gate together, over real daily bars and arbitrary forecasts."""

from decimal import Decimal
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from outcry.execution.config import BrokerConfig
from outcry.execution.memory_ledger import MemoryLedger
from outcry.execution.router import OrderRouter
from outcry.execution.simulated_broker import SimulatedBroker
from outcry.market.frame import FrameTensor
from outcry.market.sessions import Sessions
from outcry.market.universe import Universe
from outcry.messages import Forecast, Input, InputKind
from outcry.portfolio.config import PortfolioConfig
from outcry.portfolio.construction import PortfolioConstruction
from outcry.portfolio.portfolio import Portfolio
from outcry.risk.config import RiskConfig
from outcry.risk.gate import RiskGate

pytestmark = pytest.mark.realdata
N_FRAMES = 250
N_SYMBOLS = 30
BROKER = BrokerConfig(initial_cash=Decimal(200_000), allow_short=True)
PORTFOLIO = PortfolioConfig(allow_short=True, order_type="limit", rebalance_frac=0.01)
RISK = RiskConfig(max_positions=15)
DAY_NS = 24 * 3600 * 10**9
COLUMNS = ("open", "high", "low", "close", "volume")


@pytest.fixture(scope="module")
def frames(market_data_dir: Path) -> FrameTensor:
    """Return the first year of 30 symbols of the S&P 500; missing rows stay absent."""
    rows = pl.read_parquet(market_data_dir / "sp500_daily_2013_2018.parquet").drop_nulls()
    symbols = sorted(rows["symbol"].unique())[:N_SYMBOLS]
    rows = rows.filter(pl.col("symbol").is_in(symbols))
    tables = {c: rows.pivot(on="symbol", index="ts", values=c).sort("ts").head(N_FRAMES) for c in COLUMNS}
    arrays = {c: table.select(symbols).to_numpy().astype(float) for c, table in tables.items()}
    close_ns = tables["close"]["ts"].cast(pl.Int64).to_numpy() * 1000 + DAY_NS // 4
    return FrameTensor(0, close_ns, vwap=arrays["close"], present=np.isfinite(arrays["close"]), **arrays)


class Floor:
    """A router, a portfolio and a gate over one ledger, restartable after any frame."""

    def __init__(self, frames: FrameTensor, seed: int) -> None:
        self.frames, self.seed = frames, seed
        names = tuple(f"S{i:02d}" for i in range(N_SYMBOLS))
        self.universe = Universe(names, tuple("ABC"[i % 3] for i in range(N_SYMBOLS)))
        midnight = frames.ts_close_ns - DAY_NS // 2
        self.sessions = Sessions(frames.ts_close_ns - 1, frames.ts_close_ns, midnight, np.zeros(N_FRAMES, np.int64))
        self.ledger = MemoryLedger()
        self.verdicts, self.books = [], []
        self.start()

    def start(self) -> None:
        """Build everything anew after the last complete frame, as a restarted process does."""
        complete = len(self.verdicts) - 1
        broker = SimulatedBroker(self.universe, BROKER, self.sessions)
        self.router = OrderRouter(broker, self.ledger)
        self.portfolio = Portfolio(self.universe, BROKER.initial_cash)
        self.construction = PortfolioConstruction("run", self.universe, PORTFOLIO)
        self.gate = RiskGate("run", self.universe, RISK, self.sessions)
        if complete >= 0:
            price = self.books[-1].price
            past = self.frames.rows(0, complete + 1, first_seq=0)
            broker.restore(past, price, self.ledger.order_records(), self.ledger.fills, self.ledger.events)
            self.router.restore(complete, self.ledger.executions(complete + 1))
            self.portfolio.restore_from_ledger(complete, self.ledger.fills, price, self.ledger.events)
            self.gate.restore(self.verdicts[-1].risk_state)

    def forecast(self, seq: int) -> Forecast:
        """Return an arbitrary forecast: the same in every run."""
        rng = np.random.default_rng((self.seed, seq // 5))
        probability = rng.dirichlet((2.0, 0.5, 2.0), N_SYMBOLS)
        confidence = (probability.max(axis=1) - 1 / 3) * 1.5
        return Forecast(seq, probability, confidence, rng.uniform(0.1, 0.5, N_SYMBOLS), "model")

    async def trade(self, seq: int) -> None:
        frame = self.frames.frame(seq)
        inputs = {100: (Input(100, InputKind.HALT, {"flatten": "true"}),), 120: (Input(120, InputKind.RESUME),)}
        executions = await self.router.advance(frame)
        book = self.portfolio.settle(executions, frame)
        wanted = self.construction.propose(self.forecast(seq), book)
        verdict = self.gate.review(wanted, book, inputs.get(seq, ()))
        self.ledger.record_answers(await self.router.submit(verdict))
        self.books.append(book)
        self.verdicts.append(verdict)


async def test_a_floor_restarted_again_and_again_trades_as_one_that_never_stopped(frames):
    undisturbed, restarted = Floor(frames, 1), Floor(frames, 1)
    for seq in range(N_FRAMES):
        await undisturbed.trade(seq)
        if seq % 7 == 3:
            restarted.start()
        await restarted.trade(seq)
    assert len(undisturbed.ledger.fills) > 200
    assert restarted.ledger.orders == undisturbed.ledger.orders
    assert restarted.ledger.fills == undisturbed.ledger.fills
    assert restarted.ledger.events == undisturbed.ledger.events
    assert restarted.ledger.updates == undisturbed.ledger.updates
    assert restarted.verdicts == undisturbed.verdicts
    assert restarted.books[-1].equity == undisturbed.books[-1].equity


async def test_the_books_add_up_and_stay_inside_the_limits(frames):
    floor = Floor(frames, 2)
    for seq in range(N_FRAMES):
        await floor.trade(seq)
        book = floor.books[-1]
        closes = [Decimal(repr(float(p))) if np.isfinite(p) else Decimal(0) for p in book.price]
        value = [Decimal(repr(float(q))) * close for q, close in zip(book.quantity, closes, strict=True)]
        assert book.cash + sum(value) == book.equity
        assert np.count_nonzero(book.quantity) <= RISK.max_positions
        assert sum(map(abs, value)) <= book.equity * Decimal("1.15")  # limits hold at entry; prices move after it
    assert not floor.books[119].quantity.any()  # flattened by the operator
    assert floor.books[-1].quantity.any()  # and resumed
    ends = {record.status for record in floor.ledger.order_records()}
    assert {"filled", "expired"} <= ends
