"""Trade a recorded run again in this process and hold the ledgers against each other."""

from dataclasses import dataclass, replace
from pathlib import Path

from actors.in_process import run_in_process
from configs.loader import restore_settings
from configs.plan import RunPlan, sessions_around
from outcry.adapters.postgres.reader import JournalReader
from outcry.adapters.postgres.runs import RunRecord
from outcry.backtest.replay import Difference, RunLedger, first_difference
from outcry.errors import BundleError, RecoveryError
from outcry.market.calendar import TradingCalendar
from outcry.messages import InputKind
from outcry.models.bundle import ModelBundle, load_bundle
from outcry.models.predictor import BundlePredictor


@dataclass(frozen=True, slots=True)
class Verification:
    """What a replay found: `difference` is None where every order, fill and equity mark is identical."""

    run_id: str
    n_frames: int
    n_orders: int
    n_fills: int
    n_events: int
    difference: Difference | None


async def verify_run(database_url: str, run_id: str) -> Verification:
    """Replay the complete frames of a run from its journal and compare.

    Raises
    ------
    RecoveryError
        Where the run does not exist or has no complete frame.
    BundleError
        Where a model it used is gone or reads other features.
    """
    async with JournalReader.connect(database_url, run_id) as reader:
        record = await reader.run()
        last_seq = await reader.last_completed_seq()
        if last_seq < 0:
            raise RecoveryError(f"run {run_id} must have a complete frame to verify, has none")
        first_seq = await reader.first_seq()
        tensor = await reader.frames(min(first_seq or 0, 0), last_seq)
        inputs = await reader.inputs(0, last_seq)
        curve = await reader.equity_curve()
        orders = tuple(order.intent for order in await reader.orders() if order.intent.seq <= last_seq)
        recorded = RunLedger(
            orders=orders,
            fills=await reader.fills(last_seq),
            equity=dict(zip(curve.seq.tolist(), curve.equity, strict=True)),
            events=await reader.ledger_events(last_seq),
        )
    n_warmup = -tensor.first_seq
    warmup = tensor.rows(0, n_warmup, first_seq=tensor.first_seq)
    frames = tensor.rows(n_warmup, len(tensor), first_seq=0)
    flat_inputs = [item for items in inputs.values() for item in items]
    versions = [item.payload["model_version"] for item in flat_inputs if item.kind is InputKind.MODEL_SWAPPED]
    plan = plan_of(record, int(tensor.ts_close_ns[0]), int(tensor.ts_close_ns[-1]), last_seq)
    bundles = _load_bundles(plan, versions)
    plan = replace(plan, lookback_bars=max(bundle.lookback_bars for bundle in bundles))
    predictor = BundlePredictor(
        *bundles,
        feature_names=plan.feature_set.names,
        build_abstention=plan.settings.uncertainty.build_abstention,
        recorded=flat_inputs,
    )
    run = await run_in_process(plan, warmup, frames, predictor, inputs=inputs)
    replayed = RunLedger(
        orders=tuple(run.ledger.orders),
        fills=tuple(run.ledger.fills),
        equity={outcome.seq: outcome.book.equity for outcome in run.outcomes},
        events=tuple(run.ledger.events),
    )
    return Verification(
        run_id,
        len(frames),
        len(orders),
        len(recorded.fills),
        len(recorded.events),
        first_difference(recorded, replayed),
    )


def plan_of(record: RunRecord, first_ts_ns: int, last_ts_ns: int, last_seq: int) -> RunPlan:
    """Return the plan of a recorded run, for frames that close between two instants."""
    calendar = TradingCalendar(record.calendar)
    return RunPlan(
        run_id=record.run_id,
        settings=restore_settings(record.config),
        universe=record.universe,
        sessions=sessions_around(calendar, first_ts_ns, last_ts_ns),
        calendar=record.calendar,
        bar_ns=record.bar_ns,
        bars_per_year=calendar.bars_per_year(record.bar_ns),
        first_row=0,
        last_seq=last_seq,
        fingerprint=record.fingerprint,
        bundle_path=Path(record.bundle_path),
        bundle_version=record.bundle_version,
    )


def _load_bundles(plan: RunPlan, versions: list[str]) -> list[ModelBundle]:
    """Return the bundle the run started with and every one it was swapped to, from the same folder."""
    first = plan.bundle_path
    later = (first.parent / version for version in versions if version != plan.bundle_version)
    paths = dict.fromkeys([first, *later])
    missing = [path for path in paths if not path.is_dir()]
    if missing:
        raise BundleError(f"bundle {missing[0]} of run {plan.run_id} must be there to replay it, is gone")
    features = plan.feature_set
    return [load_bundle(path, features.names, features.hash) for path in paths]
