"""From settings to a table: what each family and ensemble is worth, out of sample and after costs."""

import hashlib
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from configs.plan import resolve_features, sessions_around
from configs.schema import Settings
from configs.sectors import load_sectors
from configs.training import at_horizon
from outcry.adapters.sources.load import load_market
from outcry.backtest.analytics.bootstrap import SharpeInterval
from outcry.backtest.analytics.forecast_skill import ForecastSkill, forecast_skill
from outcry.backtest.warm_up import FOREST, LOOP, warm_up
from outcry.backtest.windows import cut_windows
from outcry.labels.forward import forward_returns
from outcry.labels.horizon import UNDEFINED
from training.dataset import labels_of
from training.evaluation.traded import TradedMarket, trade_candidate
from training.evaluation.window import WindowEvaluation
from training.prepare import KERNELS_STEP, Progress
from training.retrain import make_jobs, shared_market
from training.window import WindowJob, WindowMarket, read_volatility

RunJobs = Callable[[WindowMarket, Sequence[WindowJob]], Sequence[WindowEvaluation]]

LEAK_RANK_IC = 0.06
"""A mean rank correlation above this, of daily bars of large stocks, is more likely a leak than a discovery."""


@dataclass(frozen=True, slots=True)
class CandidateFigures:
    """A row of the table.

    Attributes
    ----------
    name : str
    skill : ForecastSkill
        Of the forecasts.
    sharpe, annual_return_frac, max_drawdown_frac, sharpe_interval, turnover_per_year
        Of trading them, as of `training.evaluation.traded.TradedFigures`.
    """

    name: str
    skill: ForecastSkill
    sharpe: float | None
    annual_return_frac: float | None
    max_drawdown_frac: float | None
    sharpe_interval: SharpeInterval | None
    turnover_per_year: float


@dataclass(frozen=True, slots=True)
class Evaluation:
    """A table, and what it is of.

    Attributes
    ----------
    source : str
    n_symbols, n_frames, n_windows, horizon_bars : int
        Frames that were forecast, by a model that had seen none of them.
    span_ns : tuple of int
        Closes of the first and the last of these.
    rows : tuple of CandidateFigures
    """

    source: str
    n_symbols: int
    n_frames: int
    n_windows: int
    horizon_bars: int
    span_ns: tuple[int, int]
    rows: tuple[CandidateFigures, ...]

    def to_record(self) -> dict[str, Any]:
        """Return nested plain values."""
        return asdict(self)


def evaluate(settings: Settings, run_jobs: RunJobs, on_progress: Progress) -> Evaluation:
    """Fit every family window after window, and grade what they and their ensembles say of each test span.

    Parameters
    ----------
    settings : Settings
        ``training.ensemble_members`` are graded, and ``evaluation.ensembles`` of all of them; `walk_forward` says how
        the market is cut.
    run_jobs : callable
        Does the jobs, in whatever order and place; see `training.evaluation.window.evaluate_window`.
    on_progress : callable

    Raises
    ------
    ConfigurationError, DataError
        As `training.retrain.trade_walk_forward`.
    """
    on_progress("load market data", 0.0)
    loaded = load_market(settings.market, load_sectors())
    on_progress("load market data", 1.0)
    training = at_horizon(settings.training, loaded.bar_ns).model_copy(update={"n_threads": 1})  # windows share cores
    floor = settings.floor.model_copy(update={"state_dir": settings.floor.state_dir.resolve()})
    settings = settings.model_copy(update={"training": training, "floor": floor})
    close_ns = loaded.frames.ts_close_ns
    sessions = sessions_around(loaded.calendar, int(close_ns[0]), int(close_ns[-1]))
    windows = cut_windows(close_ns, sessions.close_ns, settings.walk_forward, training.longest_horizon_bars)
    first, stop = windows[0].test_start, windows[-1].test_stop
    features = resolve_features(settings.features, loaded.bar_ns, loaded.universe.symbols)
    warm_up(features, partial(on_progress, KERNELS_STEP), others=(FOREST, LOOP))
    settings.floor.state_dir.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="windows-", dir=settings.floor.state_dir) as folder:
        market, _ = shared_market(settings, loaded, Path(folder), first, on_progress)
        candidates = settings.evaluation.model_dump_json()
        jobs = [replace(job, key=_evaluation_key(job.key, candidates)) for job in make_jobs(market, windows)]
        done = run_jobs(market, jobs)
        volatility = read_volatility(market.table, first, stop, loaded.frames.n_symbols)
    prices = loaded.frames.continuous()
    labels = labels_of(prices, training)[first:stop]
    forward = forward_returns(prices.close, training.horizon_bars)[first:stop]
    forward[labels == UNDEFINED] = np.nan
    base = np.concatenate([np.tile(each.base, (each.probability.shape[1], 1)) for each in done])
    traded = TradedMarket(
        market.settings, market.universe, market.sessions, market.bars_per_year, market.frames, first, stop
    )
    rows = []
    for place, name in enumerate(done[0].names):
        on_progress("grade", place / len(done[0].names))
        probability = np.concatenate([each.probability[place] for each in done])
        skill = forecast_skill(probability, base, labels, forward, training.horizon_bars)
        if skill is not None:
            rows.append(CandidateFigures(name, skill, *trade_candidate(traded, name, probability, volatility)))
    on_progress("grade", 1.0)
    return Evaluation(
        source=settings.market.source,
        n_symbols=loaded.frames.n_symbols,
        n_frames=stop - first,
        n_windows=len(windows),
        horizon_bars=training.horizon_bars,
        span_ns=(int(close_ns[first]), int(close_ns[stop - 1])),
        rows=tuple(rows),
    )


def _evaluation_key(key: str, candidates: str) -> str:
    """Return a name for what is kept of an evaluation; that of a bundle of the same training is another."""
    return hashlib.sha256(f"evaluation 2 {key} {candidates}".encode()).hexdigest()[:32]
