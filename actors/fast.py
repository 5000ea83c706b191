"""A run in one compiled loop: forecasts or a strategy over whole spans, then the loop; orders equal those of a desk."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from configs.plan import RunPlan
from outcry.backtest.fast.engine import FastBacktest, FastConfig
from outcry.backtest.fast.result import FastRun
from outcry.backtest.fast.tape import MarketTape, build_tape
from outcry.backtest.strategy import AnyStrategy, MarketView, StatefulStrategy, ask_weights
from outcry.errors import PredictionError, StrategyError
from outcry.execution.tape import frames_looked_back
from outcry.features.families.volatility import VOLATILITY_COLUMN
from outcry.features.guard import ColumnQuality, QualityGuard
from outcry.market.frame import BoolArray, FloatArray, FrameTensor
from outcry.messages import Direction
from outcry.models.bundle import ModelBundle

CHUNK_BYTES = 24 * 2**20
"""About the memory of the features that are held at a time: much of it is still in the cache when it is read."""

Progress = Callable[[str, float], None]


@dataclass(frozen=True, slots=True, eq=False)
class Forecasts:
    """What an ensemble says of every traded frame, and which columns went wrong.

    Attributes
    ----------
    probability : float64 (n_frames, n_symbols, 3)
    volatility : float64 (n_frames, n_symbols)
        A year.
    feature_quality : tuple of ColumnQuality
    columns : mapping of str to float64 (n_frames, n_symbols)
        Those that were asked to be kept.
    """

    probability: FloatArray
    volatility: FloatArray
    feature_quality: tuple[ColumnQuality, ...]
    columns: Mapping[str, FloatArray]


def forecast_frames(
    plan: RunPlan,
    model: ModelBundle | None,
    warmup: FrameTensor,
    frames: FrameTensor,
    on_progress: Progress,
    *,
    keep: tuple[str, ...] = (),
) -> Forecasts:
    """Compute what is read of the features of all frames, piece by piece, and forecast each piece in one call.

    Parameters
    ----------
    plan : RunPlan
    model : ModelBundle or None
        None forecasts nothing: NaN.
    warmup : FrameTensor
        May be empty.
    frames : FrameTensor
    on_progress : callable
    keep : tuple of str
        Columns to return.

    Notes
    -----
    A frame with an infinite value in a column the model reads has no forecast, as on a desk.
    """
    read = () if model is None else (*model.feature_names, VOLATILITY_COLUMN)
    features = plan.build_features(tuple(dict.fromkeys((*read, *keep))))
    names, place = features.features.names, features.features.place
    if len(warmup):
        features.replay(warmup)
    shape = frames.close.shape
    probability = np.full((*shape, len(Direction)), np.nan)
    volatility = np.full(shape, np.nan)
    kept = {name: np.full(shape, np.nan) for name in keep}
    guard = QualityGuard(features.features.columns, shape[1])
    on_progress("forecast", 0.0)
    chunks = list(_chunks(len(frames), 8 * shape[1] * len(names)))
    memory = np.empty((chunks[0].stop if chunks else 0, shape[1], len(names)))
    for rows in chunks:
        piece = frames.rows(rows.start, rows.stop, first_seq=frames.first_seq + rows.start)
        values = features.replay(piece, memory[: len(piece)])
        guard.watch(values, ~piece.present)
        if model is not None:
            probability[rows] = predict_frames(model, values, names)
        if VOLATILITY_COLUMN in names:
            volatility[rows] = values[:, :, names.index(VOLATILITY_COLUMN)]
        for name, column in kept.items():
            column[rows] = values[:, :, place(name)]
        on_progress("forecast", rows.stop / len(frames))
    return Forecasts(probability, volatility, guard.findings, MappingProxyType(kept))


def predict_frames(model: ModelBundle, values: FloatArray, names: tuple[str, ...]) -> FloatArray:
    """Return probabilities (n_frames, n_symbols, 3) from features (n_frames, n_symbols, n_features).

    A frame with an infinite value in a column the model reads is forecast NaN throughout, as on a desk.
    """
    shape = (*values.shape[:2], len(Direction))
    rows, columns = values.reshape(-1, len(names)), model.columns_in(names)
    try:
        return model.predict_proba(rows, columns).reshape(shape)
    except PredictionError:  # a value is infinite: rare, and no reason to look for it each time
        is_lost: BoolArray = np.any(np.isinf(rows[:, columns]).reshape(len(values), -1), axis=1)
        probability = model.predict_proba(np.where(np.isinf(rows), np.nan, rows), columns).reshape(shape)
        probability[is_lost] = np.nan
        return probability


def make_tape(plan: RunPlan, warmup: FrameTensor, frames: FrameTensor) -> MarketTape:
    """Return the frames as the loop reads them."""
    return build_tape(warmup, frames, plan.sessions, frames_looked_back(plan.settings.broker))


def trade_forecasts(plan: RunPlan, tape: MarketTape, forecasts: Forecasts, on_progress: Progress) -> FastRun:
    """Trade forecasts as the portfolio of the settings sizes them."""
    engine = FastBacktest(plan.run_id, plan.universe, _sections(plan), tape)
    return engine.trade_forecasts(forecasts.probability, forecasts.volatility, lambda done: on_progress("trade", done))


def trade_strategy(
    plan: RunPlan, strategy: AnyStrategy, tape: MarketTape, view: MarketView, on_progress: Progress
) -> tuple[FastRun, StrategyError | None]:
    """Trade the weights of a strategy of the user; what it did wrong in the middle comes with what was traded so far.

    Raises
    ------
    StrategyError
        Where nothing can be traded at all.
    """
    engine = FastBacktest(plan.run_id, plan.universe, _sections(plan), tape)

    def show(done: float) -> None:
        on_progress("trade", done)

    if not isinstance(strategy, StatefulStrategy):
        return engine.trade_weights(ask_weights(strategy, view), show), None
    try:
        return engine.trade_strategy(strategy, view, show), None
    except StrategyError as error:
        if not len(engine.result()):
            raise
        return engine.result(), error


def trade_frames(  # noqa: PLR0917 - what a run is made of
    plan: RunPlan,
    strategy: AnyStrategy | None,
    warmup: FrameTensor,
    frames: FrameTensor,
    forecasts: Forecasts,
    on_progress: Progress,
) -> tuple[FastRun, StrategyError | None]:
    """Trade the forecasts, or what a strategy makes of them; the second is as of `trade_strategy`."""
    tape = make_tape(plan, warmup, frames)
    if strategy is None:
        return trade_forecasts(plan, tape, forecasts, on_progress), None
    return trade_strategy(plan, strategy, tape, view_of(plan, frames, forecasts, strategy), on_progress)


def view_of(plan: RunPlan, frames: FrameTensor, forecasts: Forecasts, strategy: AnyStrategy) -> MarketView:
    """Return what a strategy may look at."""
    frames = frames.continuous()
    return MarketView(
        symbols=plan.universe.symbols,
        ts_close_ns=frames.ts_close_ns,
        open=frames.open,
        high=frames.high,
        low=frames.low,
        close=frames.close,
        volume=frames.volume,
        features=forecasts.columns,
        probability=forecasts.probability if strategy.needs_forecast else None,
    )


def _sections(plan: RunPlan) -> FastConfig:
    return FastConfig(plan.settings.broker, plan.settings.portfolio, plan.settings.risk)


def _chunks(n_frames: int, bytes_a_frame: int) -> Iterator[slice]:
    n = max(CHUNK_BYTES // bytes_a_frame, 1)
    return (slice(start, min(start + n, n_frames)) for start in range(0, n_frames, n))
