"""A run in one compiled loop: forecasts or a strategy over whole spans, then the loop; orders equal those of a desk."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Protocol

import numpy as np

from configs.plan import RunPlan
from outcry.alphas.forecast import forecast_score
from outcry.alphas.signal import edge_probability
from outcry.backtest.fast.engine import FastBacktest, FastConfig
from outcry.backtest.fast.result import FastRun
from outcry.backtest.fast.tape import MarketTape, build_tape
from outcry.backtest.strategy import AnyStrategy, MarketView, StatefulStrategy, ask_weights
from outcry.errors import PredictionError, StrategyError
from outcry.execution.tape import frames_looked_back
from outcry.features.families.volatility import VOLATILITY_COLUMN
from outcry.features.guard import ColumnQuality, QualityGuard
from outcry.market.frame import BoolArray, Float32Array, FloatArray, FrameTensor, IntArray
from outcry.messages import Direction, ReasonArray
from outcry.models.bundle import ModelBundle
from outcry.models.dataset import window_view
from outcry.models.decisions import Decided, Decisions

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
    abstain : int8 (n_frames, n_symbols), optional
        Of `AbstainReason`; absent where nothing is withheld.
    """

    probability: FloatArray
    volatility: FloatArray
    feature_quality: tuple[ColumnQuality, ...]
    columns: Mapping[str, FloatArray]
    abstain: ReasonArray | None = None


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
    shape = frames.close.shape
    n_past = 0 if model is None else model.lookback_bars - 1
    past = np.empty((0, shape[1], len(names)))
    if len(warmup):
        past = features.replay(warmup)[max(len(warmup) - n_past, 0) :].copy()
    probability = np.full((*shape, len(Direction)), np.nan)
    volatility = np.full(shape, np.nan)
    kept = {name: np.full(shape, np.nan) for name in keep}
    guard = QualityGuard(features.features.columns, shape[1])
    on_progress("forecast", 0.0)
    decisions = None
    if model is not None:
        decisions = model.decision_spec.build(shape[1], names, plan.settings.uncertainty.build_abstention)
    abstain: ReasonArray | None = None
    if decisions is not None and decisions.abstention is not None:
        abstain = np.zeros(shape, dtype=np.int8)
    chunks = list(_chunks(len(frames), 8 * shape[1] * len(names)))
    memory = np.empty((chunks[0].stop if chunks else 0, shape[1], len(names)))
    for rows in chunks:
        piece = frames.rows(rows.start, rows.stop, first_seq=frames.first_seq + rows.start)
        values = features.replay(piece, memory[: len(piece)])
        guard.watch(values, ~piece.present)
        if model is not None:
            close = piece.continuous().close
            probability[rows], reasons = decide_frames(model, decisions, values, names, past, close)
            if abstain is not None and reasons is not None:
                abstain[rows] = reasons
            if n_past:
                past = np.concatenate((past, values[-n_past:]))[-n_past:]
        if VOLATILITY_COLUMN in names:
            volatility[rows] = values[:, :, names.index(VOLATILITY_COLUMN)]
        for name, column in kept.items():
            column[rows] = values[:, :, place(name)]
        on_progress("forecast", rows.stop / len(frames))
    return Forecasts(probability, volatility, guard.findings, MappingProxyType(kept), abstain)


class FrameModel(Protocol):
    """An ensemble, in a bundle or not: see `ModelBundle`."""

    @property
    def lookback_bars(self) -> int: ...

    def columns_in(self, feature_names: Sequence[str]) -> IntArray: ...

    def predict_proba(
        self, rows: FloatArray, columns: IntArray | None = None, windows: Float32Array | None = None
    ) -> FloatArray: ...

    def predict_members(
        self, rows: FloatArray, columns: IntArray | None = None, windows: Float32Array | None = None
    ) -> FloatArray: ...


def predict_frames(
    model: FrameModel, values: FloatArray, names: tuple[str, ...], past: FloatArray | None = None
) -> FloatArray:
    """Return probabilities (n_frames, n_symbols, 3) from features (n_frames, n_symbols, n_features).

    `past` holds the features of the frames before them, for windows that begin there; what is missing is NaN.
    A frame with an infinite value in a column the model reads is forecast NaN throughout, as on a desk.
    """
    return _ask_frames(model, model.predict_proba, values, names, past)[0]


def ask_members(
    model: FrameModel, values: FloatArray, names: tuple[str, ...], past: FloatArray | None = None
) -> FloatArray:
    """Return what each member says, float64 (n_members, n_frames, n_symbols, 3); otherwise as `predict_frames`."""
    return _ask_frames(model, model.predict_members, values, names, past)[0]


def decide_frames(  # noqa: PLR0917 - what a desk has of a frame
    model: FrameModel,
    decisions: Decisions | None,
    values: FloatArray,
    names: tuple[str, ...],
    past: FloatArray | None,
    close: FloatArray,
) -> Decided:
    """Return what a desk would forecast of frame after frame, and where it abstains.

    Parameters
    ----------
    model : FrameModel
    decisions : Decisions, optional
        Of the model, after the frames before these; it takes these, too. Without, as `predict_frames`.
    values, names, past
        As of `predict_frames`.
    close : float64 (n_frames, n_symbols)
        As if no share had ever been split.

    Returns
    -------
    float64 (n_frames, n_symbols, 3), int8 (n_frames, n_symbols) or None
        The second is of `AbstainReason`; None where nothing is withheld.
    """
    if decisions is None:
        return predict_frames(model, values, names, past), None
    said, is_lost = _ask_frames(model, model.predict_members, values, names, past)
    if is_lost is not None:
        values = np.where(is_lost[:, np.newaxis, np.newaxis], np.nan, values)
    return decisions.replay(said, values, close)


def _ask_frames(
    model: FrameModel,
    predict: Callable[[FloatArray, IntArray, Float32Array | None], FloatArray],
    values: FloatArray,
    names: tuple[str, ...],
    past: FloatArray | None,
) -> tuple[FloatArray, BoolArray | None]:
    """Return an answer for all frames, float64 (…, n_frames, n_symbols, 3), and those that have none, if there are."""
    rows, columns = values.reshape(-1, len(names)), model.columns_in(names)
    windows = None if model.lookback_bars == 1 else _windows(values, past, columns, model.lookback_bars)
    is_lost: BoolArray | None = None
    try:
        said = predict(rows, columns, windows)
    except PredictionError:  # a value is infinite: rare, and no reason to look for it each time
        is_lost = np.any(np.isinf(rows[:, columns]).reshape(len(values), -1), axis=1)
        said = predict(np.where(np.isinf(rows), np.nan, rows), columns, windows)
    said = said.reshape(*said.shape[:-2], *values.shape[:2], len(Direction))
    if is_lost is not None:
        said[..., is_lost, :, :] = np.nan
    return said, is_lost


def _windows(values: FloatArray, past: FloatArray | None, columns: IntArray, lookback_bars: int) -> Float32Array:
    """Return a view of the windows that end at each of the frames, over one copy of the rows."""
    n_before = lookback_bars - 1
    read = np.full((n_before + len(values), values.shape[1], len(columns)), np.nan, dtype=np.float32)
    read[n_before:] = values[..., columns]
    if past is not None and len(past):
        known = past[-n_before:]
        read[n_before - len(known) : n_before] = known[..., columns]
    return window_view(read, lookback_bars)


def make_tape(plan: RunPlan, warmup: FrameTensor, frames: FrameTensor) -> MarketTape:
    """Return the frames as the loop reads them."""
    return build_tape(warmup, frames, plan.sessions, frames_looked_back(plan.settings.broker))


def trade_forecasts(plan: RunPlan, tape: MarketTape, forecasts: Forecasts, on_progress: Progress) -> FastRun:
    """Trade forecasts as the portfolio of the settings sizes them."""
    engine = FastBacktest(plan.run_id, plan.universe, _sections(plan), tape)
    return engine.trade_forecasts(
        forecasts.probability,
        forecasts.volatility,
        lambda done: on_progress("trade", done),
        abstain=forecasts.abstain,
    )


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


def decide(plan: RunPlan, warmup: FrameTensor, frames: FrameTensor, forecasts: Forecasts) -> Forecasts:
    """Return what sizing reads: the forecasts, or what alphas say in their place where the settings trade these."""
    if not plan.settings.alphas.trade:
        return forecasts
    signal = plan.build_alphas()
    if len(warmup):
        signal.replay(warmup)
    said = signal.replay(frames, forecast_score(forecasts.probability, forecasts.abstain))
    return replace(
        forecasts,
        probability=edge_probability(said.edge),
        volatility=said.volatility_per_year,
        abstain=None,
    )


def trade_frames(  # noqa: PLR0917 - what a run is made of
    plan: RunPlan,
    strategy: AnyStrategy | None,
    warmup: FrameTensor,
    frames: FrameTensor,
    forecasts: Forecasts,
    on_progress: Progress,
) -> tuple[FastRun, StrategyError | None]:
    """Trade the forecasts, or what alphas or a strategy make of them; the second is as of `trade_strategy`."""
    tape = make_tape(plan, warmup, frames)
    if strategy is None:
        return trade_forecasts(plan, tape, decide(plan, warmup, frames, forecasts), on_progress), None
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
