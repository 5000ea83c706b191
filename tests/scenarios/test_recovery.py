"""Kill anything in the middle of a run: the ledger equals that of a run that was never disturbed.

The model has all the state there is: a member that reads windows, weights that follow its outcomes, and prediction sets
whose level does.
"""

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest

from actors.desk import DeskStatus
from actors.launch import Floor
from actors.replay import verify_run
from bench.random_bundle import write_random_bundle
from configs.plan import resolve_features
from configs.schema import Settings
from deployments.serving import EnsembleServer
from outcry.adapters.postgres.reader import JournalReader
from outcry.adapters.sources.load import load_market
from outcry.alphas.config import AlphasConfig
from outcry.features.feature_set import FeatureSet
from outcry.messages import InputKind
from outcry.models.combiners import build_combiner
from outcry.models.combiners.adaptive import AdaptiveSpec
from training.conformal import fit_prediction_sets

KILLED = (("feed", "portfolio"), ("shard-0", "risk"), ("desk", "journal"), ("execution", "supervisor"))
"""Two at a time, of two shards that are alike one: those that stay must cope with those that come back."""
FRAMES_BETWEEN = 20
LOOKBACK_BARS = 12

Ledger = tuple[list[object], list[object], Decimal]


@pytest.fixture(scope="module")
def features(settings: Settings) -> FeatureSet:
    market = load_market(settings.market, {})
    return resolve_features(settings.features, market.bar_ns, market.universe.symbols)


@pytest.fixture(scope="module")
def write(features: FeatureSet, settings: Settings) -> Callable[[int], Path]:
    def write_windows(lookback_bars: int) -> Path:
        rng = np.random.default_rng(0)
        return write_random_bundle(
            settings.floor.state_dir / "bundles",
            features.names[::-4],  # of both stages
            features.hash,
            n_rounds=5,
            bar_ns=features.bar_ns,
            lookback_bars=lookback_bars,
            combiner=build_combiner(AdaptiveSpec(weights_frac=(0.4, 0.3, 0.3), horizon_bars=5, temperature=0.1)),
            prediction_sets=fit_prediction_sets(rng.dirichlet((9, 9, 9), 300), rng.integers(0, 3, 300).astype(np.int8)),
        )

    return write_windows


@pytest.fixture(scope="module")
def bundle(write: Callable[[int], Path]) -> Path:
    return write(LOOKBACK_BARS)


async def ledger(database_url: str, run_id: str) -> Ledger:
    """Return orders, fills and final equity without the ids, which are hashes of the run."""
    async with JournalReader.connect(database_url, run_id) as reader:
        orders = [
            (o.intent.seq, o.intent.symbol, o.intent.side, o.intent.quantity, o.intent.purpose, o.status)
            for o in await reader.orders()
        ]
        fills = [(f.seq, f.symbol, f.side, f.quantity, f.price, f.commission, f.slippage) for f in await reader.fills()]
        curve = await reader.equity_curve()
        inputs = await reader.inputs(0, 10**6)
    assert InputKind.FORECAST_FALLBACK not in {item.kind for items in inputs.values() for item in items}, inputs
    return sorted(orders), sorted(fills), curve.equity[-1]


@pytest.fixture(scope="module")
def undisturbed() -> dict[str, Ledger]:
    return {}


async def check_equals_undisturbed(runner, undisturbed: dict[str, Ledger], run_id: str) -> None:  # type: ignore[no-untyped-def]  # a fixture of conftest
    if not undisturbed:
        undisturbed["ledger"] = await ledger(runner.database_url, await runner.trade())
        assert len(undisturbed["ledger"][1]) > 10
    assert await ledger(runner.database_url, run_id) == undisturbed["ledger"]
    found = await verify_run(runner.database_url, run_id)
    assert found.difference is None


def killing(*actors: str) -> Callable[[Floor, DeskStatus], Awaitable[None]]:
    async def kill(floor: Floor, status: DeskStatus) -> None:
        pids = await floor.supervisor.pids()
        for actor in actors:
            os.kill(pids[actor], signal.SIGKILL)

    return kill


async def test_actors_killed_now_and_then_change_nothing(runner, undisturbed) -> None:  # type: ignore[no-untyped-def]
    run_id = await runner.trade([(FRAMES_BETWEEN * (n + 1), killing(*actors)) for n, actors in enumerate(KILLED)])
    await check_equals_undisturbed(runner, undisturbed, run_id)


async def test_everything_killed_at_once_changes_nothing(runner, undisturbed, server: EnsembleServer) -> None:  # type: ignore[no-untyped-def]
    async def kill(floor: Floor, status: DeskStatus) -> None:
        replicas = [replica.pid for replica in await asyncio.to_thread(server.status)]
        for pid in (*(await floor.supervisor.pids()).values(), *replicas):
            os.kill(pid, signal.SIGKILL)

    run_id = await runner.trade([(30, kill)])
    await check_equals_undisturbed(runner, undisturbed, run_id)


async def test_a_swap_from_rows_to_windows_and_a_killed_desk_are_traded_by_alphas_and_verified(  # type: ignore[no-untyped-def]
    runner, server: EnsembleServer, features: FeatureSet, settings: Settings, bundle: Path
) -> None:
    alphas = AlphasConfig(
        trade=True, names=("momentum_60_5", "reversal_5"), refit_frames=7, min_payoffs=20, regime="volatility"
    )
    trees = write_random_bundle(
        settings.floor.state_dir / "bundles", features.names[3:40:3], features.hash, n_rounds=5, bar_ns=features.bar_ns
    )

    async def swap(floor: Floor, status: DeskStatus) -> None:
        assert (await asyncio.to_thread(server.swap, bundle)).refusal == ""

    assert (await asyncio.to_thread(server.swap, trees)).refusal == ""
    run_id = await runner.with_sections(alphas=alphas).trade([(20, swap), (40, killing("desk"))])
    async with JournalReader.connect(runner.database_url, run_id) as reader:
        inputs = await reader.inputs(0, 10**6)
    found = [(item.kind, item.payload["model_version"]) for items in inputs.values() for item in items]
    assert found == [(InputKind.MODEL_SWAPPED, path.name) for path in (trees, bundle)]
    verified = await verify_run(runner.database_url, run_id)
    assert verified.difference is None
    assert verified.n_fills > 10


async def test_a_shadow_that_reads_windows_says_of_each_frame_what_it_would_as_champion(  # type: ignore[no-untyped-def]
    runner, server: EnsembleServer, features: FeatureSet, settings: Settings, bundle: Path
) -> None:
    """A frame whose windows came too late is missed, and never answered with those of another."""
    bundles = settings.floor.state_dir / "bundles"
    both = write_random_bundle(
        bundles, features.names[::-4], features.hash, n_rounds=5, bar_ns=features.bar_ns, lookback_bars=LOOKBACK_BARS
    )
    try:
        assert (await asyncio.to_thread(server.swap, both)).refusal == ""
        assert (await asyncio.to_thread(server.set_shadow, both)).refusal == ""
        run_id = await runner.trade([(50, killing("desk"))])
    finally:
        await asyncio.to_thread(server.set_shadow, None)
        await asyncio.to_thread(server.swap, bundle)
    async with JournalReader.connect(runner.database_url, run_id) as reader:
        traded, (said,) = await reader.predictions(), await reader.shadow_predictions()
    assert said.model_version == both.name
    assert len(said.seq) > 10
    np.testing.assert_array_equal(said.probability, traded.probability[np.isin(traded.seq, said.seq)])
    assert (await verify_run(runner.database_url, run_id)).difference is None


def test_a_longer_window_than_is_kept_is_refused_and_the_old_model_serves_on(
    server: EnsembleServer, write: Callable[[int], Path], bundle: Path, settings: Settings
) -> None:
    most = settings.floor.window_bars
    assert server.swap(bundle).refusal == ""
    outcome = server.swap(write(most + 1))
    assert f"lookback_bars must be at most {most}" in outcome.refusal
    assert outcome.model_version == bundle.name
    assert server.swap(write(most)).refusal == ""
