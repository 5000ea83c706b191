"""A learner over the real journal of a run: what it adopts trades, replays, and is not decided twice."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from actors.replay import verify_run
from bench.random_bundle import write_random_bundle
from cli import follow_run
from cli.follow_run import FollowedUpdate, RunFollower
from cli.recent import read_recent
from cli.session import record_run
from configs.loader import load_settings
from configs.plan import resolve_features
from configs.schema import Settings
from deployments.served import SwapOutcome
from outcry.adapters.postgres.decisions import DecisionLog
from outcry.adapters.postgres.journal import PostgresJournal
from outcry.adapters.postgres.ledger import PostgresLedger
from outcry.adapters.postgres.reader import JournalReader
from outcry.backtest.in_process import LocalFeatures, LocalPortfolio, LocalRisk
from outcry.desk import Desk, trade_frame
from outcry.errors import DataValidationError
from outcry.execution.router import OrderRouter
from outcry.market.bar_size import DAY_NS
from outcry.messages import FeatureFrame, Forecast
from outcry.models.bundle import ModelBundle, load_bundle
from outcry.models.forecast import ForecastBuilder
from outcry.models.predictor import predict_rows
from training.prepare import PreparedRun, prepare_run

SYMBOLS = ("AAPL", "IBM")
COLUMNS = ("tech_rsi_14_raw", "tech_stochrsi_14_k", "tech_hv_20_annual")


@pytest.fixture(scope="module")
def settings(postgres_url: str, redis_url: str, session_dir: Path) -> Settings:
    chosen = {
        "market.symbols": json.dumps(SYMBOLS),
        "market.start": "2010-01-01",
        "market.end": "2011-06-30",
        "features.columns": json.dumps(COLUMNS),
        "training.train_frac": "0.6",
        "online.update_every_rows": "50",
        "online.min_score_frac": "0.5",  # so that what is tested here does not hang on what noise learns
        "storage.database_url": postgres_url,
        "storage.redis_url": redis_url,
        "floor.state_dir": session_dir / "learn",
    }
    return load_settings(assignments=[f"{key}={value}" for key, value in chosen.items()])


@pytest.fixture(scope="module")
def prepared(settings: Settings) -> PreparedRun:
    features_hash = resolve_features(settings.features, DAY_NS, SYMBOLS).hash
    folder = settings.floor.state_dir / "bundles"
    bundle = write_random_bundle(folder, COLUMNS, features_hash, n_rounds=2, bar_ns=DAY_NS)
    return prepare_run(settings, bundle=bundle, on_progress=lambda step, done: None)


class Served:
    """`outcry.ports.Predictor` of one model, that is given another as the replicas of a floor are."""

    def __init__(self, bundle: ModelBundle, names: tuple[str, ...]) -> None:
        self.bundle, self._names = bundle, names
        self._builder = ForecastBuilder(names)
        self.refusal = ""

    async def predict(self, features: FeatureFrame) -> Forecast:
        probability = predict_rows(self.bundle, features.values, self._names)
        return self._builder.build(features, self.bundle.version, probability)

    def swap(self, settings: Settings, run_id: str, path: Path) -> SwapOutcome:
        if not self.refusal:
            self.bundle = load_bundle(path)
        return SwapOutcome(self.bundle.version, self.refusal)


@asynccontextmanager
async def trading(prepared: PreparedRun, url: str, served: Served) -> AsyncIterator[Desk]:
    """A desk of plain objects that keeps its ledger in the real journal."""
    plan = prepared.plan
    await record_run(SimpleNamespace(database_url=url), prepared)
    features, broker = plan.build_features(), plan.build_broker()
    features.replay(prepared.warmup)
    broker.warm_up(prepared.warmup)
    journal = await PostgresJournal.open(url, plan.run_id, plan.universe)
    ledger = await PostgresLedger.open(url, plan.run_id)
    try:
        yield Desk(
            journal=journal,
            router=OrderRouter(broker, ledger),
            portfolio=LocalPortfolio(plan.build_portfolio(), plan.build_construction()),
            features=LocalFeatures(features),
            predictor=served,
            risk=LocalRisk(plan.build_gate()),
        )
    finally:
        await journal.close()
        await ledger.close()


async def test_what_a_learner_adopts_trades_and_replays(settings, prepared, postgres_url, monkeypatch) -> None:
    prepared = replace(prepared, plan=replace(prepared.plan, run_id="learnt"))
    first, names = prepared.model, prepared.plan.feature_set.names
    served = Served(first, names)
    monkeypatch.setattr(follow_run, "swap_served_of_run", served.swap)
    monkeypatch.setattr(follow_run, "is_installed", lambda: False)  # MLflow has tests of its own

    async def learn(*, once: bool = False) -> list[FollowedUpdate]:
        made: list[FollowedUpdate] = []
        follower = RunFollower(SimpleNamespace(database_url=postgres_url), settings, None, made.append)
        await follower.follow("learnt", once=once)
        return made

    async with trading(prepared, postgres_url, served) as desk:
        frames = list(prepared.frames)
        for frame in frames[:10]:
            await trade_frame(frame, desk)
        with pytest.raises(DataValidationError, match=r"an update must have .* new frames, had"):
            await learn(once=True)
        for frame in frames[10:40]:
            await trade_frame(frame, desk)
        served.refusal = "not today"
        (refused,) = await learn(once=True)
        assert (refused.outcome, refused.served, refused.update.parent_version) == ("refused", False, first.version)
        assert refused.reason == "the served ensemble refused it: not today"
        served.refusal = ""
        for frame in frames[40:80]:
            await trade_frame(frame, desk)
        (adopted,) = await learn(once=True)
        assert (adopted.outcome, adopted.served, adopted.update.parent_version) == ("accepted", True, first.version)
        assert (adopted.update.seq, adopted.update.verdict.families) == (79, ("xgboost", "lightgbm"))
        for frame in frames[80:110]:
            await trade_frame(frame, desk)
        served.bundle = first  # an operator rolls back
        for frame in frames[110:]:
            await trade_frame(frame, desk)

    assert (await verify_run(postgres_url, "learnt")).difference is None
    later = await learn()
    parents = {made.update.seq: made.update.parent_version for made in later}
    assert all(seq > 79 for seq in parents)  # what was decided is not decided again
    assert parents[min(parents)] == adopted.update.bundle.version
    assert first.version in [parent for seq, parent in parents.items() if seq >= 110]
    assert await learn() == []
    async with DecisionLog.connect(postgres_url) as log:
        found = await log.updates_of("learnt")
    assert [each.outcome for each in found] == ["refused", "accepted", *(made.outcome for made in later)]
    assert {each.action for each in found} == {"update"}
    assert found[1].figures["n_held_out"] == adopted.update.verdict.n_held_out


async def test_the_last_days_of_a_run_are_measured_from_its_journal(prepared, postgres_url) -> None:
    """Seven days before the last of 30 daily bars: five frames, and the outcomes of those five bars before them."""
    prepared = replace(prepared, plan=replace(prepared.plan, run_id="recent"))
    served = Served(prepared.model, prepared.plan.feature_set.names)
    async with trading(prepared, postgres_url, served) as desk:
        for frame in list(prepared.frames)[:30]:
            await trade_frame(frame, desk)
    async with JournalReader.connect(postgres_url, "recent") as reader:
        found = await read_recent(reader)
        assert found is not None
        assert found.shadows == ()
        traded = await reader.predictions()
        journal = await PostgresJournal.open(postgres_url, "recent", prepared.plan.universe)
        try:
            for seq, probability in zip(traded.seq.tolist(), traded.probability, strict=True):
                same = Forecast(seq, probability, probability[:, 0], probability[:, 0], "same")
                await journal.record_shadow(same)
                if seq == 24:  # its outcome comes with the last frame
                    await journal.record_shadow(
                        replace(same, probability=np.full_like(probability, 1 / 3), model_version="even")
                    )
        finally:
            await journal.close()
        same, even = (await read_recent(reader)).shadows
    grades = found.accuracy, found.log_loss, found.ece_frac
    assert (same.model_version, same.n_graded) == ("same", found.n_graded)
    assert (same.accuracy, same.log_loss, same.ece_frac) == grades
    assert (same.traded_accuracy, same.traded_log_loss, same.traded_ece_frac) == grades
    assert (even.model_version, even.n_graded) == ("even", len(SYMBOLS))
    assert even.log_loss == pytest.approx(np.log(3.0))
    assert even.traded_log_loss != even.log_loss
    closes_ns = prepared.frames.ts_close_ns[:30]
    assert found.n_frames == int((closes_ns > closes_ns[-1] - 7 * DAY_NS).sum())
    assert found.n_graded == found.n_frames * len(SYMBOLS)
    assert found.latency_p50_ms is not None
    assert 0.0 < found.latency_p50_ms <= found.latency_p99_ms
