"""What a run left behind, as the report reads it: from the ledger, or from a run in this process."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from actors.fast import Forecasts
from actors.in_process import LocalRun
from configs.plan import RunPlan
from outcry.adapters.postgres.reader import JournalReader
from outcry.backtest.adjusted import adjust_run
from outcry.backtest.fast.result import FastRun
from outcry.backtest.history import AssumedCosts, RunHistory
from outcry.errors import DataValidationError
from outcry.features.guard import ColumnQuality
from outcry.labels.direction import volatility_band
from outcry.market.frame import FloatArray, FrameTensor
from outcry.messages import Direction, ReasonArray
from outcry.models.explanation import explanation_path, read_explanation
from outcry.models.manifest import BundleManifest


def history_of_fast_run(  # noqa: PLR0917 - what a run is made of, and what it made
    plan: RunPlan,
    manifest: BundleManifest | None,
    warmup: FrameTensor,
    frames: FrameTensor,
    forecasts: Forecasts,
    run: FastRun,
) -> RunHistory:
    """Return the history of a run of the compiled loop."""
    n, equity, events = len(run), run.equity, run.ledger_events()
    frames = frames.rows(0, n, first_seq=0)
    adjusted = adjust_run(frames, run.fills(), events, plan.universe)
    return RunHistory(
        **_facts(plan, manifest, "backtest"),
        ts_close_ns=run.ts_close_ns,
        equity=equity,
        cash=run.cash,
        gross_exposure=run.gross / equity,
        net_exposure=run.net / equity,
        drawdown=run.drawdown,
        closes=adjusted.closes,
        volume=adjusted.volume,
        dividends=adjusted.dividends,
        probability=forecasts.probability[:n],
        abstain=None if forecasts.abstain is None else forecasts.abstain[:n],
        band_frac=0.0 if manifest is None else _band(manifest, warmup, frames),
        fills=adjusted.fills,
        ledger_events=events,
        orders_by_status=run.orders_by_status(),
        risk_events=run.risk_events,
        feature_quality=forecasts.feature_quality,
    )


def history_of_local_run(
    plan: RunPlan, manifest: BundleManifest | None, warmup: FrameTensor, frames: FrameTensor, run: LocalRun
) -> RunHistory:
    """Return the history of a run in this process."""
    outcomes = run.outcomes
    equity = np.array([float(outcome.book.equity) for outcome in outcomes])
    price = np.array([np.nan_to_num(outcome.book.price) for outcome in outcomes])
    value = np.array([outcome.book.quantity for outcome in outcomes]) * price
    adjusted = adjust_run(frames, run.ledger.fills, run.ledger.events, plan.universe)
    return RunHistory(
        **_facts(plan, manifest, "backtest"),
        ts_close_ns=np.array([outcome.ts_close_ns for outcome in outcomes], dtype=np.int64),
        equity=equity,
        cash=np.array([float(outcome.book.cash) for outcome in outcomes]),
        gross_exposure=np.abs(value).sum(axis=1) / equity,
        net_exposure=value.sum(axis=1) / equity,
        drawdown=np.array([outcome.verdict.drawdown_frac for outcome in outcomes]),
        closes=adjusted.closes,
        volume=adjusted.volume,
        dividends=adjusted.dividends,
        probability=np.array([outcome.forecast.probability for outcome in outcomes]),
        abstain=_stacked([outcome.forecast.abstain for outcome in outcomes], plan),
        band_frac=0.0 if manifest is None else _band(manifest, warmup, frames),
        fills=adjusted.fills,
        ledger_events=tuple(run.ledger.events),
        orders_by_status=Counter(record.status.value for record in run.ledger.order_records()),
        risk_events=tuple(event for outcome in outcomes for event in outcome.verdict.events),
        feature_quality=run.feature_quality,
    )


async def history_of_recorded_run(
    plan: RunPlan,
    manifest: BundleManifest,
    database_url: str,
    latency_ms: Mapping[str, FloatArray],
    feature_quality: tuple[ColumnQuality, ...],
) -> RunHistory:
    """Return the history of the complete frames of a run, from its ledger.

    Raises
    ------
    DataValidationError
        Where no frame is complete.
    """
    async with JournalReader.connect(database_url, plan.run_id) as reader:
        last_seq = await reader.last_completed_seq()
        if last_seq < 0:
            raise DataValidationError(f"run {plan.run_id} must have a complete frame to report on, has none")
        tensor = await reader.frames(min(await reader.first_seq() or 0, 0), last_seq)
        curve = await reader.equity_curve()
        predictions = await reader.predictions()
        fills, booked = await reader.fills(last_seq), await reader.ledger_events(last_seq)
        orders = await reader.orders()
        events = await reader.risk_events()
    n_warmup = -tensor.first_seq
    warmup = tensor.rows(0, n_warmup, first_seq=tensor.first_seq)
    frames = tensor.rows(n_warmup, len(tensor), first_seq=0)
    probability = np.full((len(frames), frames.n_symbols, len(Direction)), np.nan)
    probability[predictions.seq] = predictions.probability
    abstain = np.zeros(probability.shape[:2], dtype=np.int8)
    abstain[predictions.seq] = predictions.abstain
    equity = np.array([float(value) for value in curve.equity])
    adjusted = adjust_run(frames, fills, booked, plan.universe)
    return RunHistory(
        **_facts(plan, manifest, plan.settings.mode),
        ts_close_ns=curve.ts_close_ns,
        equity=equity,
        cash=np.array([float(value) for value in curve.cash]),
        gross_exposure=curve.gross_exposure / equity,
        net_exposure=curve.net_exposure / equity,
        drawdown=curve.drawdown_frac,
        closes=adjusted.closes,
        volume=adjusted.volume,
        dividends=adjusted.dividends,
        probability=probability,
        abstain=abstain if abstain.any() else None,
        band_frac=_band(manifest, warmup, frames),
        fills=adjusted.fills,
        ledger_events=booked,
        orders_by_status=Counter(order.status.value for order in orders),
        risk_events=events,
        latency_ms=latency_ms,
        feature_quality=feature_quality,
    )


def _stacked(abstain: Sequence[ReasonArray | None], plan: RunPlan) -> ReasonArray | None:
    if all(each is None for each in abstain):
        return None
    nothing = np.zeros(len(plan.universe), dtype=np.int8)
    return np.array([nothing if each is None else each for each in abstain])


def _facts(plan: RunPlan, manifest: BundleManifest | None, mode: str) -> dict[str, Any]:
    settings, broker = plan.settings, plan.settings.broker.assumed()
    return {
        "run_id": plan.run_id,
        "mode": mode,
        "source": settings.market.source,
        "model_version": plan.bundle_version,
        "universe": plan.universe,
        "bar_ns": plan.bar_ns,
        "bars_per_year": plan.bars_per_year,
        "horizon_bars": 1 if manifest is None else manifest.label.horizon_bars,
        "initial_cash": float(broker.initial_cash),
        "costs": AssumedCosts(
            slippage_bps=broker.slippage_bps,
            commission_per_share=broker.commission_per_share,
            commission_bps=broker.commission_bps,
            min_commission=broker.min_commission,
        ),
        "risk_free_per_year": settings.report.risk_free_per_year,
        "benchmark": plan.benchmark,
        "manifest": manifest,
        "explanation": None
        if manifest is None
        else read_explanation(explanation_path(settings.floor.state_dir, manifest.version)),
        "training_span_ns": None if manifest is None else (manifest.first_ts_ns, manifest.last_ts_ns),
        "settings": {
            f"{section}.{key}": str(value)
            for section in ("portfolio", "risk", "broker", *(["alphas"] if settings.alphas.trade else []))
            for key, value in getattr(settings, section).model_dump(mode="json").items()
        },
    }


def _band(manifest: BundleManifest, warmup: FrameTensor, frames: FrameTensor) -> float | FloatArray:
    """Return the neutral band of the label at every traded frame; the warm-up gives it its trailing volatility."""
    label = manifest.label
    if label.volatility_window_bars is None:
        return label.band_value
    close = np.concatenate([warmup.continuous().close, frames.continuous().close])
    band = volatility_band(close, label.horizon_bars, label.band_value, label.volatility_window_bars)
    return band[len(warmup) :]
