"""What it costs to make a frame durable, and how fast bars go in and come out."""

import asyncio
import shutil
import tempfile
import time
from collections.abc import Awaitable, Callable
from decimal import Decimal
from pathlib import Path

import asyncpg
import numpy as np

from bench.harness import Result, result
from outcry.adapters.postgres.journal import PostgresJournal
from outcry.adapters.postgres.ledger import PostgresLedger
from outcry.adapters.postgres.reader import JournalReader
from outcry.adapters.postgres.runs import RunRecord, RunRegistry
from outcry.adapters.redis_cache import FloorCache
from outcry.adapters.services import Services
from outcry.market.frame import BAR_FIELDS, FrameTensor
from outcry.market.universe import Universe
from outcry.messages import (
    Book,
    Executions,
    FeatureFrame,
    Fill,
    Forecast,
    FrameOutcome,
    OrderIntent,
    OrderStatus,
    OrderUpdated,
    Side,
    Submission,
    Verdict,
)

N_SYMBOLS, N_FEATURES, N_ORDERS, N_FRAMES = 100, 100, 10, 500
N_WARMUP = 3000
UNIVERSE = Universe(tuple(f"S{i:03d}" for i in range(N_SYMBOLS)), ("Other",) * N_SYMBOLS)
HOW = f"embedded servers, commits wait for the disk, {N_SYMBOLS} symbols, {N_ORDERS} orders a frame, {N_FRAMES} frames"


def run() -> list[Result]:
    """Return one row a figure; the servers are embedded and wait for the disk."""
    directory = Path(tempfile.mkdtemp(prefix="outcry-bench-"))
    try:
        with Services(directory) as services:
            return asyncio.run(_measure(services))
    finally:
        shutil.rmtree(directory)


async def _measure(services: Services) -> list[Result]:
    run = RunRecord("bench", {}, UNIVERSE, "XNYS", "5min", 300 * 10**9, "bench", N_FRAMES, "", "", "")
    async with RunRegistry.connect(services.database_url) as registry:
        await registry.create(run)
    journal = await PostgresJournal.open(services.database_url, run.run_id, UNIVERSE)
    ledger = await PostgresLedger.open(services.database_url, run.run_id)
    try:
        rows = await _bars(journal, services.database_url)
        rows += await _commits(journal, ledger, services.database_url)
    finally:
        await journal.close()
        await ledger.close()
    return rows + await _cache(services.redis_url)


async def _bars(journal: PostgresJournal, url: str) -> list[Result]:
    warmup = _frames(N_WARMUP, first_seq=-N_WARMUP)
    n_bars = N_WARMUP * N_SYMBOLS
    started = time.perf_counter()
    await journal.append_warmup(warmup)
    written_s = time.perf_counter() - started
    async with JournalReader.connect(url, "bench") as reader:
        started = time.perf_counter()
        await reader.frames(-N_WARMUP, -1)
        read_s = time.perf_counter() - started
        started = time.perf_counter()
        await reader.last_closes(-1)
        closes_s = time.perf_counter() - started
    return [
        result("storage.copy_bars", n_bars / written_s, "bars/s", HOW, at_least=200_000),
        result("storage.read_bars", n_bars / read_s, "bars/s", HOW),
        result("storage.last_closes", closes_s * 1e3, "ms", HOW),
    ]


async def _commits(journal: PostgresJournal, ledger: PostgresLedger, url: str) -> list[Result]:
    frames = _frames(N_FRAMES, first_seq=0)
    outcomes = [_outcome(seq) for seq in range(N_FRAMES)]
    connection = await asyncpg.connect(url)
    await connection.execute("CREATE TABLE probe (a bigint)")
    rows = await _timed("storage.smallest_commit", lambda seq: connection.execute("INSERT INTO probe VALUES ($1)", seq))
    await connection.close()
    steps: dict[str, Callable[[int], Awaitable[object]]] = {
        "storage.append_frame": lambda seq: journal.append(frames.frame(seq)),
        "storage.commit_executions": lambda seq: ledger.commit_executions(outcomes[seq].executions),
        "storage.commit_orders": lambda seq: ledger.commit_orders(outcomes[seq].verdict),
        "storage.record_frame": lambda seq: journal.record(outcomes[seq]),
    }
    return rows + await _timed_together(steps)


async def _cache(url: str) -> list[Result]:
    cache = FloorCache(url, UNIVERSE.symbols, [f"feature_{i}" for i in range(N_FEATURES)])
    frames, outcomes = _frames(N_FRAMES, first_seq=0), [_outcome(seq) for seq in range(N_FRAMES)]
    try:
        rows = await _timed("storage.publish_frame", lambda seq: cache.publish(frames.frame(seq), [outcomes[seq]]))
        rows += await _timed("storage.latest_features", lambda _: cache.latest_features(UNIVERSE.symbols))
    finally:
        await cache.close()
    return rows


async def _timed(name: str, call: Callable[[int], Awaitable[object]]) -> list[Result]:
    return await _timed_together({name: call})


async def _timed_together(steps: dict[str, Callable[[int], Awaitable[object]]]) -> list[Result]:
    """Run the steps of each frame in turn, as a run does, and time each."""
    spent_ms = {name: np.empty(N_FRAMES) for name in steps}
    for seq in range(N_FRAMES):
        for name, call in steps.items():
            started = time.perf_counter()
            await call(seq)
            spent_ms[name][seq] = (time.perf_counter() - started) * 1e3
    return [
        result(f"{name}_p{q}", float(np.percentile(samples, q)), "ms", HOW)
        for name, samples in spent_ms.items()
        for q in (50, 99)
    ]


def _frames(n_frames: int, *, first_seq: int) -> FrameTensor:
    rng = np.random.default_rng(11)
    shape = (n_frames, N_SYMBOLS)
    ts_close_ns = 1_700_000_000 * 10**9 + 300 * 10**9 * np.arange(first_seq, first_seq + n_frames, dtype=np.int64)
    columns = {name: rng.uniform(10, 500, shape) for name in BAR_FIELDS}
    return FrameTensor(first_seq=first_seq, ts_close_ns=ts_close_ns, present=np.ones(shape, dtype=np.bool_), **columns)


def _outcome(seq: int) -> FrameOutcome:
    """A frame in which ten orders of the frame before it were filled and ten are sent."""
    rng = np.random.default_rng(seq)
    zeros, nothing, money = np.zeros(N_SYMBOLS), np.zeros(N_SYMBOLS, dtype=np.bool_), Decimal("1000000.10")
    orders = tuple(
        OrderIntent(f"{seq:08d}-{symbol}", seq, symbol, Side.BUY, Decimal(100))
        for symbol in UNIVERSE.symbols[:N_ORDERS]
    )
    filled = [f"{seq - 1:08d}-{order.symbol}" for order in orders] if seq else []
    fills = tuple(
        Fill(f"{name}-1", name, seq, seq * 10**9, order.symbol, Side.BUY, Decimal(100), *(Decimal("1.01"),) * 3)
        for name, order in zip(filled, orders, strict=False)
    )
    done = tuple(OrderUpdated(name, seq, OrderStatus.FILLED, Decimal(100)) for name in filled)
    accepted = tuple(OrderUpdated(order.client_order_id, seq, OrderStatus.ACCEPTED, Decimal(0)) for order in orders)
    verdict = Verdict(seq, orders, (), (), is_halted=False, drawdown_frac=0.0, risk_state={"peak_equity": "1000000.10"})
    return FrameOutcome(
        seq,
        seq * 10**9,
        Executions(seq, fills, done, zeros),
        Book(seq, seq * 10**9, *(money,) * 5, zeros, zeros, zeros, zeros, nothing),
        Forecast(seq, rng.dirichlet((1.0, 1.0, 1.0), N_SYMBOLS), zeros, zeros, "model-1"),
        verdict,
        Submission(seq, orders, accepted),
        FeatureFrame(seq, seq * 10**9, rng.normal(size=(N_SYMBOLS, N_FEATURES)), nothing),
    )


if __name__ == "__main__":
    for figure in run():
        print(f"{figure['name']:36} {figure['value']:12.3f} {figure['unit']}")
