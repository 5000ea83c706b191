"""Real quotes and trades, from a file through frames and PostgreSQL to the features, bit for bit."""

import datetime as dt
import uuid
from pathlib import Path

import asyncpg
import numpy as np
import polars as pl
import pytest

from actors.replay import verify_run
from bench.random_bundle import write_random_bundle
from configs.loader import load_settings
from configs.plan import RunPlan, resolve_features, sessions_around
from outcry.adapters.postgres.journal import PostgresJournal
from outcry.adapters.postgres.ledger import PostgresLedger
from outcry.adapters.postgres.reader import JournalReader
from outcry.adapters.postgres.runs import RunRecord, RunRegistry
from outcry.adapters.sources.load import LoadedMarket, load_market
from outcry.backtest.in_process import LocalFeatures, LocalPortfolio, LocalRisk
from outcry.desk import Desk, trade_frame
from outcry.execution.router import OrderRouter
from outcry.features.config import FeatureSetConfig
from outcry.features.engine import FeatureEngine
from outcry.features.feature_set import build_feature_set
from outcry.features.kernels.bars import BID, BUY_VOLUME
from outcry.market.frame import BAR_FIELDS, TAPE_FIELDS, FrameTensor
from outcry.market.source import SourceConfig
from outcry.models.bundle import load_bundle
from outcry.models.predictor import BundlePredictor

pytestmark = pytest.mark.realdata

N_WARMUP = 200
SYMBOLS = ("BAC", "IBM", "SPY")
DAY = dt.date(2013, 10, 7)


@pytest.fixture(scope="module")
def quoted_minutes(market_data_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Minutes of three stocks with the best quote at their close, and the trades of two of them by the tick rule."""
    key = ["symbol", "ts"]
    bars = pl.read_parquet(market_data_dir / "us_equities_1min_lean.parquet")
    quotes = pl.read_parquet(market_data_dir / "us_equities_1min_quotes_lean.parquet")
    ticks = pl.read_parquet(market_data_dir / "us_equities_trades_lean.parquet").filter(pl.col("symbol") != "IBM")
    step = pl.col("price").diff().over("symbol").replace(0.0, None).forward_fill().over("symbol")
    # The ticks of a minute hold trades that its published bar leaves out: the part of the buys is what is used.
    bought = ticks.group_by("symbol", pl.col("ts").dt.truncate("1m")).agg(
        trades=pl.len(), buy_frac=pl.col("size").filter(step > 0).sum() / pl.col("size").sum()
    )
    wanted = pl.col("symbol").is_in(SYMBOLS) & (pl.col("ts").dt.date() == DAY)
    path = tmp_path_factory.mktemp("tape") / "minutes.parquet"
    joined = bars.filter(wanted).join(quotes, on=key, how="left").join(bought, on=key, how="left")
    joined.select(
        *key,
        "open",
        "high",
        "low",
        "close",
        "volume",
        "bid_size",
        "ask_size",
        "trades",
        bid="bid_close",
        ask="ask_close",
        buy_volume=pl.col("volume") * pl.col("buy_frac"),
    ).write_parquet(path)
    return path


async def record(postgres_url: str, market: LoadedMarket) -> str:
    """Write the market as a run does: the warm-up by COPY, then frame after frame; return the run."""
    run_id = f"run-{uuid.uuid4().hex[:12]}"
    record = RunRecord(
        run_id, {}, market.universe, "XNYS", "1min", market.bar_ns, "parquet", 99, market.fingerprint, "/b", "v1"
    )
    async with RunRegistry.connect(postgres_url) as registry:
        await registry.create(record)
    journal = await PostgresJournal.open(postgres_url, run_id, market.universe)
    frames = market.frames
    await journal.append_warmup(frames.rows(0, N_WARMUP, first_seq=-N_WARMUP))
    for frame in frames.rows(N_WARMUP, len(frames), first_seq=0):
        await journal.append(frame)
    await journal.close()
    return run_id


async def read(postgres_url: str, run_id: str, first_seq: int, last_seq: int) -> FrameTensor:
    async with JournalReader.connect(postgres_url, run_id) as reader:
        return await reader.frames(first_seq, last_seq)


@pytest.mark.parametrize("has_tape", [True, False])
async def test_a_loaded_market_comes_back_from_the_journal_and_gives_the_same_features(
    postgres_url: str, quoted_minutes: Path, tmp_path: Path, has_tape: bool
) -> None:
    source = quoted_minutes
    if not has_tape:
        source = tmp_path / "bars.parquet"
        table = pl.read_parquet(quoted_minutes)
        table.select("symbol", "ts", "open", "high", "low", "close", "volume").write_parquet(source)
    market = load_market(SourceConfig(source=str(source)))
    assert (market.frames.tape is not None) == has_tape
    run_id = await record(postgres_url, market)
    last_seq = market.frames.last_seq - N_WARMUP
    found = await read(postgres_url, run_id, -N_WARMUP, last_seq)
    expected = market.frames.rows(0, len(market.frames), first_seq=-N_WARMUP)
    for name in ("ts_close_ns", *BAR_FIELDS, "present"):
        assert getattr(found, name).tobytes() == getattr(expected, name).tobytes(), name
    if expected.tape is None:
        assert found.tape is None
    else:
        assert found.tape is not None
        assert found.tape.tobytes() == expected.tape.tobytes()
        known = ~np.isnan(expected.tape)
        assert known.any(axis=(0, 1)).all()
        assert not known[:, SYMBOLS.index("IBM"), 4:].any()

    # The live run saw frame after frame; a shard that resumes gets its symbols of the journal in one piece.
    features = build_feature_set(FeatureSetConfig(groups=("momentum", "micro")), market.bar_ns, market.universe.symbols)
    day_ns = 86_400 * 10**9
    sessions = market.calendar.sessions(
        int(expected.ts_close_ns[0]) - 9 * day_ns, int(expected.ts_close_ns[-1]) + 9 * day_ns
    )
    live, resumed = (FeatureEngine(features, n, sessions, 98_280.0) for n in (3, 2))
    for frame in expected:
        live.update(frame)
    resumed.replay(found.select(np.array([0, 2])))
    one, other = live.snapshot().arrays["history"][[0, 2]], resumed.snapshot().arrays["history"]
    assert one.tobytes() == other.tobytes()
    assert np.isnan(other[:, BID : BUY_VOLUME + 1]).all() == (not has_tape)


@pytest.fixture
def plan(quoted_minutes: Path, tmp_path: Path) -> RunPlan:
    """A run whose forecasts rest on quotes and trades alone; the volatility is what positions are sized by."""
    settings = load_settings(
        assignments=[
            f"market.source={quoted_minutes}",
            "features.columns=[micro_quote_*, micro_trade_*, tech_hv_20_annual]",
            "portfolio.entry_edge=0.0",
            "portfolio.exit_edge=0.0",
            "portfolio.rebalance_frac=0.001",
            "broker.min_commission=0.0",
        ]
    )
    market = load_market(settings.market)
    ts_close_ns = market.frames.ts_close_ns
    features = resolve_features(settings.features, market.bar_ns, market.universe.symbols)
    # The label of a random bundle follows its first column: one that takes every value from -1 to 1.
    read = sorted(
        (name for name in features.names if name.startswith("micro")), key=lambda name: "imbalance" not in name
    )
    bundle = write_random_bundle(tmp_path, read, features.hash, n_rounds=20)
    return RunPlan(
        run_id=f"run-{uuid.uuid4().hex[:12]}",
        settings=settings,
        universe=market.universe,
        sessions=sessions_around(market.calendar, int(ts_close_ns[0]), int(ts_close_ns[-1])),
        calendar="XNYS",
        bar_ns=market.bar_ns,
        bars_per_year=market.calendar.bars_per_year(market.bar_ns),
        first_row=N_WARMUP,
        last_seq=market.frames.last_seq - N_WARMUP,
        fingerprint=market.fingerprint,
        bundle_path=bundle,
        bundle_version=load_bundle(bundle, features.names, features.hash).version,
    )


async def trade(postgres_url: str, plan: RunPlan, frames: FrameTensor) -> None:
    """Trade frames into the journal of the run, through the desk with everything else in this process."""
    journal = await PostgresJournal.open(postgres_url, plan.run_id, plan.universe)
    ledger = await PostgresLedger.open(postgres_url, plan.run_id)
    features = plan.build_features()
    warmup = frames.rows(0, N_WARMUP, first_seq=-N_WARMUP)
    await journal.append_warmup(warmup)
    features.replay(warmup)
    names = plan.feature_set.names
    desk = Desk(
        journal=journal,
        router=OrderRouter(plan.build_broker(), ledger),
        portfolio=LocalPortfolio(plan.build_portfolio(), plan.build_construction()),
        features=LocalFeatures(features),
        predictor=BundlePredictor(load_bundle(plan.bundle_path, names, plan.feature_set.hash), feature_names=names),
        risk=LocalRisk(plan.build_gate()),
    )
    for frame in frames.rows(N_WARMUP, len(frames), first_seq=0):
        await trade_frame(frame, desk)
    await journal.close()
    await ledger.close()


async def test_a_run_recorded_with_a_tape_replays_to_the_same_orders_and_without_it_would_not(
    postgres_url: str, plan: RunPlan
) -> None:
    record = RunRecord(
        plan.run_id,
        plan.settings.public(),
        plan.universe,
        plan.calendar,
        "1min",
        plan.bar_ns,
        plan.settings.market.source,
        plan.last_seq,
        plan.fingerprint,
        str(plan.bundle_path),
        plan.bundle_version,
    )
    async with RunRegistry.connect(postgres_url) as registry:
        await registry.create(record)
    await trade(postgres_url, plan, load_market(plan.settings.market).frames)
    verified = await verify_run(postgres_url, plan.run_id)
    assert verified.difference is None
    assert verified.n_frames == 190
    assert verified.n_fills > 20

    connection = await asyncpg.connect(postgres_url)
    nothing = ", ".join(f"{name} = NULL" for name in TAPE_FIELDS)
    await connection.execute(f"UPDATE ohlcv_bars SET {nothing} WHERE run_id = $1", plan.run_id)  # noqa: S608 - names
    await connection.close()
    assert (await verify_run(postgres_url, plan.run_id)).difference is not None
