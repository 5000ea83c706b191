"""A walk-forward: models retrained window after window, their forecasts stitched, one run that trades them."""

import hashlib
import json
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

from actors.fast import Forecasts, decide, make_tape, trade_forecasts
from actors.history import history_of_fast_run
from configs.plan import RunPlan, resolve_features, sessions_around
from configs.schema import Settings
from configs.sectors import load_sectors
from configs.training import at_horizon
from outcry.adapters.sources.load import LoadedMarket, load_market
from outcry.backtest.analytics.round_trips import round_trips
from outcry.backtest.benchmark import Benchmark
from outcry.backtest.history import RunHistory
from outcry.backtest.walk_forward import Stability, measure_stability, measure_window
from outcry.backtest.warm_up import FOREST, LOOP, warm_up
from outcry.backtest.windows import Window, cut_windows, window_of_rows
from outcry.errors import ConfigurationError
from outcry.features.column import SCALE_BOUND_UNITS
from outcry.features.families.volatility import VOLATILITY_COLUMN
from outcry.features.guard import ColumnQuality
from outcry.features.universe_features import UniverseFeatures
from outcry.market.frame import BAR_FIELDS, IntArray
from outcry.models.bundle import load_bundle
from outcry.models.decisions import Decided
from training.feature_table import build_table
from training.prepare import FEATURES_STEP, KERNELS_STEP, Progress, benchmark_of, new_run_id, warm_up_alphas
from training.window import WindowForecast, WindowJob, WindowMarket, read_volatility

RunJobs = Callable[[WindowMarket, Sequence[WindowJob]], Sequence[WindowForecast]]


@dataclass(frozen=True, slots=True, eq=False)
class WalkForwardRun:
    """A finished walk-forward.

    Attributes
    ----------
    history : RunHistory
        Of the one run through all test spans; `windows` is set.
    stability : Stability
    model_of_frame : int64 (n_traded,)
        The window whose model forecast each traded frame.
    n_trained : int
        Models fitted now; the others were found.
    n_sessions_left_out : int
        Sessions at the end of the data that do not fill a test span.
    """

    history: RunHistory
    stability: Stability
    model_of_frame: IntArray
    n_trained: int
    n_sessions_left_out: int


def trade_walk_forward(
    settings: Settings, run_jobs: RunJobs, on_progress: Progress, *, on_loaded: Callable[[], None] = lambda: None
) -> WalkForwardRun:
    """Cut the market into windows, have each one's model fitted, and trade all test spans in one run.

    Parameters
    ----------
    settings : Settings
        `walk_forward` says how it is cut; `train_frac` and `n_folds` of `training` are not read.
    run_jobs : callable
        Does the jobs, in whatever order and place; see `training.window.run_window`.
    on_progress : callable
        Called with the name of a step and its fraction done.
    on_loaded : callable
        Called once the market and the settings are found sound: what takes long to start may start.

    Raises
    ------
    ConfigurationError
        Where the data is too short for one window, or a training span for its folds; where alphas are traded without
        the forecast.
    DataError
        As `load_market`.

    Notes
    -----
    Positions, limits and the drawdown ladder go on from one model to the next, as when a live floor swaps its model.
    """
    if settings.alphas.trade and not settings.alphas.forecast:
        raise ConfigurationError(
            "alphas.forecast must be true in a walk-forward, which retrains the model; weights of alphas alone follow "
            "the past in a backtest too"
        )
    on_progress("load market data", 0.0)
    loaded = load_market(settings.market, load_sectors())
    on_progress("load market data", 1.0)
    training = at_horizon(settings.training, loaded.bar_ns).model_copy(update={"n_threads": 1})  # windows share cores
    settings = settings.model_copy(update={"training": training})
    close_ns = loaded.frames.ts_close_ns
    sessions = sessions_around(loaded.calendar, int(close_ns[0]), int(close_ns[-1]))
    windows = cut_windows(close_ns, sessions.close_ns, settings.walk_forward, training.longest_horizon_bars)
    first, stop = windows[0].test_start, windows[-1].test_stop
    benchmark = benchmark_of(settings, loaded.frames.rows(first, stop, first_seq=0))
    on_loaded()
    warm_up(
        resolve_features(settings.features, loaded.bar_ns, loaded.universe.symbols),
        partial(on_progress, KERNELS_STEP),
        others=(FOREST, LOOP),
    )
    warm_up_alphas(settings, loaded, on_progress)
    settings.floor.state_dir.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="windows-", dir=settings.floor.state_dir) as folder:
        market, quality = shared_market(settings, loaded, Path(folder), windows[0].test_start, on_progress)
        done = run_jobs(market, make_jobs(market, windows))
        probability, abstain = stitch_forecasts(windows, done)
        volatility = read_volatility(market.table, first, stop, loaded.frames.n_symbols)
    forecasts = Forecasts(probability, volatility, quality, {}, abstain)
    history = _trade(market, loaded, windows, done, forecasts, benchmark, on_progress)
    n_left_out = len(np.unique(np.searchsorted(sessions.close_ns, close_ns[stop:], side="left")))
    return WalkForwardRun(
        history=history,
        stability=measure_stability(history.windows),
        model_of_frame=window_of_rows(windows),
        n_trained=sum(each.was_trained for each in done),
        n_sessions_left_out=n_left_out,
    )


def make_jobs(market: WindowMarket, windows: Sequence[Window]) -> list[WindowJob]:
    """Return a job for each model that is to be fitted: one a window, or one for all that share a training span."""
    jobs: list[WindowJob] = []
    for window in windows:
        train = (window.train_start, window.train_stop)
        if jobs and jobs[-1].train == train:
            jobs[-1] = replace(jobs[-1], test=(jobs[-1].test[0], window.test_stop))
        else:
            test = (window.test_start, window.test_stop)
            jobs.append(WindowJob(len(jobs), train, test, judged=test, key=""))
    return [replace(job, key=key) for job, key in zip(jobs, _training_keys(market, jobs), strict=True)]


def stitch_forecasts(windows: Sequence[Window], done: Sequence[WindowForecast]) -> Decided:
    """Return the forecasts of all test spans one after the other, float64 (n_traded, n_symbols, 3), and abstentions."""
    probability = np.concatenate([each.probability for each in done])
    assert len(probability) == windows[-1].test_stop - windows[0].test_start  # noqa: S101 - no gap, no overlap
    withheld = [each.abstain for each in done if each.abstain is not None]
    return probability, np.concatenate(withheld) if len(withheld) == len(done) else None


def shared_market(
    settings: Settings, loaded: LoadedMarket, folder: Path, first_traded: int, on_progress: Progress
) -> tuple[WindowMarket, tuple[ColumnQuality, ...]]:
    """Compute the features of all frames into a file of `folder`, and return what trainings on parts of them share.

    And what went wrong with a column from the frame `first_traded` on.
    """
    close_ns = loaded.frames.ts_close_ns
    sessions = sessions_around(loaded.calendar, int(close_ns[0]), int(close_ns[-1]))
    features = resolve_features(settings.features, loaded.bar_ns, loaded.universe.symbols)
    bars_per_year = loaded.calendar.bars_per_year(loaded.bar_ns)
    table, quality = build_table(
        folder.resolve() / "features.npy",
        UniverseFeatures(features, loaded.universe, sessions, bars_per_year, n_threads=settings.features.n_threads),
        loaded.frames,
        [c.name for c in features.columns if c.unit not in SCALE_BOUND_UNITS or c.name == VOLATILITY_COLUMN],
        watch_from=first_traded,
        on_progress=partial(on_progress, FEATURES_STEP),
    )
    floor = settings.floor.model_copy(update={"state_dir": settings.floor.state_dir.resolve()})
    market = WindowMarket(
        settings=settings.model_copy(update={"floor": floor}),
        universe=loaded.universe,
        sessions=sessions,
        bar_ns=loaded.bar_ns,
        bars_per_year=bars_per_year,
        frames=loaded.frames,
        table=table,
    )
    return market, quality


def _training_keys(market: WindowMarket, jobs: Sequence[WindowJob]) -> list[str]:
    """Return what tells each training from every other one.

    Features of a frame come from all frames before it, so the bars up to the end of the span that judges a model count,
    and none after it: more data leaves the windows that are there as they are.
    """
    frames, digests, start, keys = market.frames, [hashlib.sha256() for _ in range(len(BAR_FIELDS) + 2)], 0, []
    for job in jobs:
        stop = job.judged[1]
        for digest, name in zip(digests, ("ts_close_ns", *BAR_FIELDS, "present"), strict=True):
            digest.update(np.ascontiguousarray(getattr(frames, name)[start:stop]).tobytes())
        for events in (frames.tape, frames.actions):
            if events is not None:
                digests[0].update(np.ascontiguousarray(events[start:stop]).tobytes())
        start = stop
        facts = {
            "market": [digest.hexdigest() for digest in digests],
            "universe": repr(market.universe),
            "bar_ns": market.bar_ns,
            "calendar": market.settings.market.calendar,
            "train": job.train,
            "judged": job.judged,
            "inner_folds": market.settings.walk_forward.inner_folds,
            "training": market.settings.training.model_dump(mode="json"),
            "features": market.features.hash,
        }
        keys.append(hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:32])
    return keys


def _trade(  # noqa: PLR0917 - what a run is made of
    market: WindowMarket,
    loaded: LoadedMarket,
    windows: tuple[Window, ...],
    done: Sequence[WindowForecast],
    forecasts: Forecasts,
    benchmark: Benchmark | None,
    on_progress: Progress,
) -> RunHistory:
    first, stop = windows[0].test_start, windows[-1].test_stop
    warmup = loaded.frames.rows(0, first, first_seq=-first)
    frames = loaded.frames.rows(first, stop, first_seq=0)
    settings = market.settings
    plan = RunPlan(
        run_id=new_run_id(),
        settings=settings,
        universe=market.universe,
        sessions=market.sessions,
        calendar=loaded.calendar.name,
        bar_ns=market.bar_ns,
        bars_per_year=market.bars_per_year,
        first_row=first,
        last_seq=frames.last_seq,
        fingerprint=loaded.fingerprint,
        bundle_path=done[-1].bundle,
        bundle_version=done[0].model_version
        if len(done) == 1
        else f"{len(done)} models, {settings.walk_forward.scheme} training spans",
        benchmark=benchmark,
    )
    decided = decide(plan, warmup, frames, forecasts)
    run = trade_forecasts(plan, make_tape(plan, warmup, frames), decided, on_progress)
    # of the first model: what it learnt from ends before the first traded frame, as a report asks
    manifest = load_bundle(done[0].bundle, market.features.names, market.features.hash).manifest
    history = history_of_fast_run(plan, manifest, warmup, frames, forecasts, run)
    trades, _ = round_trips(history.fills)
    of_window = done if len(done) == len(windows) else [done[0]] * len(windows)
    traded = tuple(
        measure_window(
            window,
            loaded.frames.ts_close_ns,
            history.equity,
            trades,
            first_row=first,
            initial_cash=history.initial_cash,
            bars_per_year=market.bars_per_year,
            risk_free_per_year=settings.report.risk_free_per_year,
            model_version=model.model_version,
            in_sample_sharpe=None if settings.alphas.trade else model.in_sample_sharpe,  # of its forecasts alone
        )
        for window, model in zip(windows, of_window, strict=True)
    )
    told = {f"walk_forward.{key}": str(value) for key, value in settings.walk_forward.model_dump().items()}
    return replace(history, windows=traded, settings={**history.settings, **told})
