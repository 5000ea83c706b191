"""A search for the parameters of the members, from settings to a winner that was measured once more."""

import hashlib
import json
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

from configs.plan import resolve_features, sessions_around
from configs.schema import Settings
from configs.sectors import load_sectors
from configs.training import at_horizon
from outcry.adapters.sources.load import LoadedMarket, load_market
from outcry.backtest.analytics.session_returns import sessions_per_year
from outcry.backtest.analytics.sweep_evidence import SweepEvidence, weigh_sweep
from outcry.backtest.warm_up import FOREST, LOOP, warm_up
from outcry.errors import ConfigurationError, ModelError
from outcry.market.frame import FrameTensor
from outcry.models.bundle import ModelBundle, load_bundle
from training.folds import folds_within
from training.model_sweep.market import SearchMarket, share_market
from training.model_sweep.space import settings_at, to_json
from training.model_sweep.tuner import SearchPlan, TrialReport
from training.prepare import KERNELS_STEP, Progress, first_traded_row, train_bundle
from training.retrain import shared_market

RunTrials = Callable[[SearchMarket, SearchPlan], Sequence[TrialReport]]


@dataclass(frozen=True, slots=True, eq=False)
class PreparedSearch:
    """What a search is made of, before its first trial.

    Attributes
    ----------
    sweep_id : str
        A hash of all that decides it: the same search goes on where it stopped.
    name : str
        Of what is searched: trials of the same members, horizon and market count together.
    settings : Settings
    loaded : LoadedMarket
    training : FrameTensor
        The frames of the training span.
    plan : SearchPlan
    """

    sweep_id: str
    name: str
    settings: Settings
    loaded: LoadedMarket
    training: FrameTensor
    plan: SearchPlan


@dataclass(frozen=True, slots=True, eq=False)
class FinishedSearch:
    """What came of a search.

    Attributes
    ----------
    reports : tuple of TrialReport
        Of every trial, in the order in which they ended.
    best : int
        Place of the winner among them.
    evidence : SweepEvidence
        How far the winner can be told from luck.
    bundle : ModelBundle
        Of the winner, fitted as any other: its test fold was looked at now, once, and by it alone.
    """

    reports: tuple[TrialReport, ...]
    best: int
    evidence: SweepEvidence
    bundle: ModelBundle


def prepare_search(settings: Settings, plan: SearchPlan, on_progress: Progress) -> PreparedSearch:
    """Load the market and name the search.

    Raises
    ------
    ConfigurationError, DataError
        As `training.prepare.prepare_run`; and where there are fewer than three folds: one is for the winner alone, and
        the first has no earlier one to fit its weights on. A ``hold_out`` has no more than these two.
    """
    on_progress("load market data", 0.0)
    loaded = load_market(settings.market, load_sectors())
    on_progress("load market data", 1.0)
    config = at_horizon(settings.training, loaded.bar_ns).model_copy(update={"n_threads": 1})  # trials share the cores
    settings = settings.model_copy(update={"training": config})
    training = loaded.frames.rows(0, first_traded_row(loaded.frames, settings), first_seq=0)
    kind, n_folds = config.validation.kind, len(folds_within(len(training), config).spans)
    if n_folds < 3 and kind != "hold_out":
        raise ConfigurationError(f"training must have 3 folds or more for a sweep, {kind} gives {n_folds}")
    features = resolve_features(settings.features, loaded.bar_ns, loaded.universe.symbols)
    facts = {
        "market": loaded.fingerprint,
        "n_frames": len(training),
        "features": features.hash,
        "training": config.model_dump(mode="json"),
        "sections": [getattr(settings, name).model_dump(mode="json") for name in ("broker", "portfolio", "risk")],
        "space": to_json(plan.space),
        "plan": [plan.algorithm, plan.objective, plan.max_drawdown_frac, plan.is_stopping, plan.seed],
    }
    digest = hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()
    name = f"{'+'.join(member.name for member in config.ensemble_members)} at {config.horizon_bars} bars"
    return PreparedSearch(digest[:16], name, settings, loaded, training, plan)


def search(
    prepared: PreparedSearch,
    run_trials: RunTrials,
    known_sharpes: Callable[[], Sequence[float]],
    on_progress: Progress,
) -> FinishedSearch:
    """Run the trials, weigh the best of them, and fit it.

    Parameters
    ----------
    prepared : PreparedSearch
    run_trials : callable
        Returns the report of every trial, those of earlier commands included.
    known_sharpes : callable
        Returns the Sharpe ratio of one session of every trial known, after they ran.
    on_progress : callable

    Raises
    ------
    ModelError
        Where every trial failed.
    """
    settings, loaded = prepared.settings, replace(prepared.loaded, frames=prepared.training)
    features = resolve_features(settings.features, loaded.bar_ns, loaded.universe.symbols)
    warm_up(features, partial(on_progress, KERNELS_STEP), others=(FOREST, LOOP))
    settings.floor.state_dir.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="sweep-", dir=settings.floor.state_dir) as folder:
        market, _ = shared_market(settings, loaded, Path(folder), len(prepared.training), on_progress)
        shared = share_market(market, on_progress)
        reports = tuple(run_trials(shared, prepared.plan))
        n_folds = len(shared.columns)
    judged = np.array([report.score if _is_whole(report, n_folds) else np.nan for report in reports], dtype=np.float64)
    if not np.isfinite(judged).any():
        errors = [report.error for report in reports if report.error]
        raise ModelError(f"all {len(reports)} trials failed, the first with: {errors[0] if errors else 'no figure'}")
    best = int(np.nanargmax(judged))
    close_ns = prepared.training.ts_close_ns
    evidence = weigh_sweep(
        None,
        judged,
        {place: report.returns for place, report in enumerate(reports) if _is_whole(report, n_folds)},
        np.array(known_sharpes(), dtype=np.float64),
        sessions_per_year(close_ns, market.bars_per_year),
    )
    won = settings.model_copy(update={"training": settings_at(settings.training, reports[best].point)})
    sessions = sessions_around(loaded.calendar, int(close_ns[0]), int(prepared.loaded.frames.ts_close_ns[-1]))
    path = train_bundle(won, prepared.loaded, prepared.training, sessions, on_progress)
    return FinishedSearch(reports, best, evidence, load_bundle(path, features.names, features.hash))


def _is_whole(report: TrialReport, n_folds: int) -> bool:
    return not report.error and report.n_folds == n_folds and report.score is not None
