"""From settings to a run that is ready to trade: data, the span split in two, a bundle, a plan."""

import hashlib
import json
import secrets
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from configs.features import FeaturesConfig
from configs.plan import RunPlan, resolve_features, sessions_around
from configs.schema import Settings
from configs.sectors import load_sectors
from configs.training import at_horizon
from outcry.adapters.feature_store import FeatureStore, build_store
from outcry.adapters.sources.benchmark import load_benchmark
from outcry.adapters.sources.load import LoadedMarket, load_market
from outcry.alphas.scorer import AlphaScorer
from outcry.backtest.benchmark import Benchmark
from outcry.backtest.strategy import AnyStrategy
from outcry.backtest.warm_up import DESK, LOOP, warm_up
from outcry.errors import BundleError, ConfigurationError, DataError, DataNotFoundError, DataValidationError
from outcry.features.families.volatility import VOLATILITY_COLUMN
from outcry.features.feature_set import FeatureSet
from outcry.features.universe_features import UniverseFeatures
from outcry.market.bar_size import format_bar_size
from outcry.market.frame import FrameTensor
from outcry.market.sessions import Sessions
from outcry.models.bundle import ModelBundle, load_bundle
from training.fit import fit_ensemble
from training.folds import folds_within
from training.trained import find_trained, remember_trained

KERNELS_STEP = "load kernels"
FEATURES_STEP = "compute features"
ALPHAS = "alphas"
"""What stands for a model where alphas trade without one."""

Progress = Callable[[str, float], None]


@dataclass(frozen=True, slots=True, eq=False)
class PreparedRun:
    """A plan with its verified model and its frames: `warmup` has negative `seq`, `frames` starts at 0."""

    plan: RunPlan
    model: ModelBundle
    warmup: FrameTensor
    frames: FrameTensor


def prepare_run(
    settings: Settings,
    *,
    bundle: Path | None,
    on_progress: Progress,
    run_id: str | None = None,
    on_loaded: Callable[[], None] = lambda: None,
) -> PreparedRun:
    """Load the market, split it into a training and a trading span, and make sure a bundle for it exists.

    Parameters
    ----------
    settings : Settings
    bundle : Path or None
        Trade this bundle; None trains one on the training span, or takes the one trained on the same before.
    on_progress : callable
        Called with the name of a step and its fraction done.
    run_id : str or None
        None makes a new one.
    on_loaded : callable
        Called once the market is found sound: what takes long to start may start.

    Raises
    ------
    DataNotFoundError
        Where either span is empty, or the benchmark has no price in the traded one.
    BundleError
        Where `bundle` was trained on a part of the trading span.
    """
    on_progress("load market data", 0.0)
    market = load_market(settings.market, load_sectors())
    on_progress("load market data", 1.0)
    settings = settings.model_copy(update={"training": at_horizon(settings.training, market.bar_ns)})
    first_row = first_traded_row(market.frames, settings)
    frames = market.frames.rows(first_row, len(market.frames), first_seq=0)
    benchmark = benchmark_of(settings, frames)
    features = resolve_features(settings.features, market.bar_ns, market.universe.symbols)
    first_ts_ns = int(frames.ts_close_ns[0])
    model = None if bundle is None else _load_unseeing(bundle, features, market.bar_ns, first_ts_ns)
    on_loaded()
    limit = settings.floor.warmup_frames
    n_warmup = first_row if limit is None else min(limit, first_row)
    warmup = market.frames.rows(first_row - n_warmup, first_row, first_seq=-n_warmup)
    sessions = sessions_around(market.calendar, int(market.frames.ts_close_ns[0]), int(market.frames.ts_close_ns[-1]))
    training = market.frames.rows(0, first_row, first_seq=0)
    warm_up(features, partial(on_progress, KERNELS_STEP))
    warm_up_alphas(settings, market, on_progress)
    if model is None:
        path = train_bundle(settings, market, training, sessions, on_progress)
        model = _load_unseeing(path, features, market.bar_ns, first_ts_ns)
    plan = RunPlan(
        run_id=run_id or new_run_id(),
        settings=settings,
        universe=market.universe,
        sessions=sessions,
        calendar=market.calendar.name,
        bar_ns=market.bar_ns,
        bars_per_year=market.calendar.bars_per_year(market.bar_ns),
        first_row=first_row,
        last_seq=frames.last_seq,
        fingerprint=market.fingerprint,
        bundle_path=model.path,
        bundle_version=model.version,
        lookback_bars=model.lookback_bars,
        benchmark=benchmark,
    )
    return PreparedRun(plan, model, warmup, frames)


def _load_unseeing(path: Path, features: FeatureSet, bar_ns: int, first_ts_ns: int) -> ModelBundle:
    """Read a bundle of these bars and features, of data that ends before the first traded frame."""
    model = load_bundle(path, features.names, features.hash)
    facts = model.manifest
    if facts.bar_ns != bar_ns:
        raise BundleError(
            f"bundle {path} must be trained on bars of {format_bar_size(bar_ns)}, "
            f"was on bars of {format_bar_size(facts.bar_ns)}"
        )
    if facts.last_ts_ns >= first_ts_ns:
        raise BundleError(
            f"bundle {path} must be trained on frames before the first traded one at "
            f"{np.datetime64(first_ts_ns, 'ns')}, its data ends at "
            f"{np.datetime64(facts.last_ts_ns, 'ns')}; in-sample results are not reported"
        )
    return model


def warm_up_alphas(settings: Settings, market: LoadedMarket, on_progress: Progress) -> None:
    """Have the kernels of alphas ready, where they are traded; `ConfigurationError` where a column is unknown."""
    if settings.alphas.trade:
        scorer = AlphaScorer(settings.alphas, market.universe, market.bar_ns)
        warm_up(scorer.features, partial(on_progress, KERNELS_STEP), others=())


def prepare_strategy(
    settings: Settings, strategy: AnyStrategy | None, on_progress: Progress
) -> tuple[RunPlan, FrameTensor]:
    """Load the market for a strategy, or for alphas, that ask no model: every frame is traded, and nothing is fitted.

    Raises
    ------
    DataNotFoundError
        Where there is no frame, or the benchmark has no price in their span.
    ConfigurationError
        Where a column of the strategy is unknown.
    """
    on_progress("load market data", 0.0)
    market = load_market(settings.market, load_sectors())
    on_progress("load market data", 1.0)
    chosen = settings.features.model_dump(exclude={"set", "groups", "columns", "exclude", "windows"})
    windows: dict[str, Any] = dict(settings.features.windows)
    columns: tuple[str, ...] = (VOLATILITY_COLUMN,)
    if strategy is not None:
        windows |= {kind: [*w] for kind, w in strategy.windows.items()}
        columns = strategy.columns or columns
    features = FeaturesConfig(**chosen, columns=columns, windows=windows)
    settings = settings.model_copy(update={"features": features})
    close_ns = market.frames.ts_close_ns
    plan = RunPlan(
        run_id=new_run_id(),
        settings=settings,
        universe=market.universe,
        sessions=sessions_around(market.calendar, int(close_ns[0]), int(close_ns[-1])),
        calendar=market.calendar.name,
        bar_ns=market.bar_ns,
        bars_per_year=market.calendar.bars_per_year(market.bar_ns),
        first_row=0,
        last_seq=len(market.frames) - 1,
        fingerprint=market.fingerprint,
        bundle_path=Path(),
        bundle_version=ALPHAS if strategy is None else type(strategy).__name__,
        benchmark=benchmark_of(settings, market.frames),
    )
    warm_up(plan.feature_set, partial(on_progress, KERNELS_STEP), others=(*DESK, LOOP))
    if strategy is None:
        warm_up_alphas(settings, market, on_progress)
    return plan, market.frames.rows(0, len(market.frames), first_seq=0)


def prepare_backtest(
    settings: Settings, strategy: AnyStrategy | None, bundle: Path | None, on_progress: Progress
) -> tuple[RunPlan, ModelBundle | None, FrameTensor, FrameTensor]:
    """Return plan, model, warm-up and frames of a backtest: by `prepare_run`, or `prepare_strategy` without a model.

    The compiled loop is ready, too. Alphas without the forecast of a model need no model either.

    Raises
    ------
    ConfigurationError
        Where a strategy and alphas are both to be traded.
    """
    alphas = settings.alphas
    if strategy is not None and alphas.trade:
        raise ConfigurationError(f"alphas.trade must be false where strategy {type(strategy).__name__} decides")
    needs_model = strategy.needs_forecast if strategy is not None else alphas.forecast or not alphas.trade
    if not needs_model:
        plan, frames = prepare_strategy(settings, strategy, on_progress)
        return plan, None, frames.rows(0, 0, first_seq=0), frames
    prepared = prepare_run(settings, bundle=bundle, on_progress=on_progress)
    warm_up(prepared.plan.feature_set, partial(on_progress, KERNELS_STEP), others=(LOOP,))
    return prepared.plan, prepared.model, prepared.warmup, prepared.frames


def benchmark_of(settings: Settings, traded: FrameTensor) -> Benchmark | None:
    """Return what the settings measure a run of these frames against; see `load_benchmark`."""
    span_ns = int(traded.ts_close_ns[0]), int(traded.ts_close_ns[-1])
    return load_benchmark(settings.report.benchmark, settings.market, span_ns, settings.report.risk_free_per_year)


def new_run_id() -> str:
    """Return a name for a run: short and random."""
    return secrets.token_hex(5)


def train_bundle(
    settings: Settings, market: LoadedMarket, training: FrameTensor, sessions: Sessions, on_progress: Progress
) -> Path:
    """Fit an ensemble on these frames, or return the bundle that the same fit wrote before."""
    directory = settings.floor.state_dir / "bundles"
    feature_set = resolve_features(settings.features, market.bar_ns, market.universe.symbols)
    key = _training_key(settings, market, training, feature_set.hash)
    found = find_trained(directory, key)
    if found is not None:
        return found
    folds = folds_within(len(training), settings.training)  # before what takes minutes, to refuse what cannot be cut
    store = build_features(settings, market, training, sessions, on_progress=on_progress)
    path = fit_ensemble(
        training,
        lambda rows, columns: store.at(training.ts_close_ns[rows], columns),
        feature_set.names,
        settings.training,
        units={column.name: column.unit for column in feature_set.columns},
        features_hash=feature_set.hash,
        symbols=market.universe.symbols,
        bar_ns=market.bar_ns,
        directory=directory,
        folds=folds,
        on_progress=on_progress,
    )
    remember_trained(directory, key, path)
    return path


def build_features(
    settings: Settings,
    market: LoadedMarket,
    frames: FrameTensor,
    sessions: Sessions,
    *,
    on_progress: Progress,
    folder: Path | None = None,
) -> FeatureStore:
    """Bring a feature store up to the last of these frames, and open it.

    Parameters
    ----------
    settings : Settings
    market : LoadedMarket
    frames : FrameTensor
        The market's, from its first frame on.
    sessions : Sessions
    on_progress : callable
    folder : Path, optional
        None takes the one of the state folder that belongs to this market and feature set.

    Raises
    ------
    DataValidationError
        Where the store in `folder` is of something else. In the state folder it is then built anew.
    DataError
        Where it cannot be written. What it holds by then stays, and is gone on with.
    """
    features = resolve_features(settings.features, market.bar_ns, market.universe.symbols)

    def build(path: Path) -> FeatureStore:
        pipeline = UniverseFeatures(
            features,
            market.universe,
            sessions,
            market.calendar.bars_per_year(market.bar_ns),
            n_threads=settings.features.n_threads,
        )
        on_progress(FEATURES_STEP, 0.0)
        try:
            build_store(path, pipeline, market.universe.symbols, frames, partial(on_progress, FEATURES_STEP))
        except OSError as error:
            raise DataError(f"features must be written to {path}: {error}") from error
        return FeatureStore(path)

    if folder is not None:
        return build(folder)
    facts = [features.hash, settings.market.source, market.universe.symbols, int(frames.ts_close_ns[0])]
    own = settings.floor.state_dir / "features" / hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:16]
    try:
        return build(own)
    except DataValidationError:  # the source has rewritten its past
        shutil.rmtree(own)
        return build(own)


def first_traded_row(frames: FrameTensor, settings: Settings) -> int:
    """Return the row of the first traded frame: the training span is everything before it."""
    first_row = int(len(frames) * settings.training.train_frac)
    if first_row == 0 or first_row >= len(frames):
        raise DataNotFoundError(
            f"training.train_frac {settings.training.train_frac:g} of {len(frames)} frames must leave frames to train "
            f"on and frames to trade, leaves {first_row} and {len(frames) - first_row}"
        )
    return first_row


def _training_key(settings: Settings, market: LoadedMarket, training: FrameTensor, features_hash: str) -> str:
    facts = {
        "market": market.fingerprint,
        "n_frames": len(training),
        "training": settings.training.model_dump(mode="json"),
        "features": features_hash,
    }
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:32]
