"""One window of a walk-forward: fit its model or find it, forecast its test span, and trade its training span."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from actors.fast import decide_frames
from configs.plan import resolve_features
from configs.schema import Settings
from outcry.backtest.fast.engine import FastBacktest, FastConfig
from outcry.backtest.fast.tape import build_tape
from outcry.backtest.walk_forward import sharpe_of_curve
from outcry.errors import OutcryError
from outcry.execution.tape import frames_looked_back
from outcry.features.families.volatility import VOLATILITY_COLUMN
from outcry.features.feature_set import FeatureSet
from outcry.market.frame import BAR_FIELDS, FloatArray, FrameTensor
from outcry.market.sessions import Sessions
from outcry.market.universe import Universe
from outcry.messages import ReasonArray
from outcry.models.bundle import ModelBundle, load_bundle
from outcry.models.decisions import Decided
from training.dataset import ReadFeatures
from training.feature_table import FeatureTable
from training.fit import fit_ensemble
from training.folds import Folds, folds_before
from training.trained import find_trained, remember_trained


@dataclass(frozen=True, slots=True, eq=False)
class WindowMarket:
    """What all windows share.

    Attributes
    ----------
    settings : Settings
    universe : Universe
    sessions : Sessions
    bar_ns : int
    bars_per_year : float
    frames : FrameTensor
        All of them; `first_seq` 0.
    table : FeatureTable
        Row t is that of frame t.
    """

    settings: Settings
    universe: Universe
    sessions: Sessions
    bar_ns: int
    bars_per_year: float
    frames: FrameTensor
    table: FeatureTable

    @property
    def features(self) -> FeatureSet:
        """Resolved once in a process: it does not travel."""
        return resolve_features(self.settings.features, self.bar_ns, self.universe.symbols)

    @property
    def bundles_dir(self) -> Path:
        return self.settings.floor.state_dir / "bundles"


@dataclass(frozen=True, slots=True)
class WindowJob:
    """A model to fit, and the rows it forecasts.

    Attributes
    ----------
    number : int
    train, test : tuple of int
        First row, and the row after the last one.
    judged : tuple of int
        The rows of `test` that measure the model in its bundle: the first test span.
    key : str
        Equal where, and only where, the same training on the same data is asked for.
    """

    number: int
    train: tuple[int, int]
    test: tuple[int, int]
    judged: tuple[int, int]
    key: str


@dataclass(frozen=True, slots=True, eq=False)
class WindowForecast:
    """What came of a job.

    Attributes
    ----------
    number : int
    bundle : Path
    model_version : str
    in_sample_sharpe : float or None
        Of the model trading its own training span.
    probability : float64 (n_test_rows, n_symbols, 3)
    abstain : int8 (n_test_rows, n_symbols) or None
        Of `AbstainReason`; None where nothing is withheld.
    was_trained : bool
        False where an earlier command had left the bundle.
    """

    number: int
    bundle: Path
    model_version: str
    in_sample_sharpe: float | None
    probability: FloatArray
    abstain: ReasonArray | None
    was_trained: bool


def run_window(market: WindowMarket, job: WindowJob) -> WindowForecast:
    """Do a job; a bundle that the same training wrote before is taken as it is.

    Raises
    ------
    ConfigurationError, DataValidationError
        As `fit_ensemble`.
    """
    found = find_trained(market.bundles_dir, job.key)
    try:
        path = found or _fit(market, job)
    except OutcryError as error:
        first, last = market.frames.ts_close_ns[[job.train[0], job.train[1] - 1]]
        raise type(error)(f"the window trained on {_date(first)} to {_date(last)}: {error}") from error
    remember_trained(market.bundles_dir, job.key, path)
    model = load_bundle(path, market.features.names, market.features.hash)
    probability, abstain = _forecast(market, model, *job.test)
    return WindowForecast(
        number=job.number,
        bundle=path,
        model_version=model.version,
        in_sample_sharpe=_in_sample_sharpe(market, model, *job.train),
        probability=probability,
        abstain=abstain,
        was_trained=found is None,
    )


def _date(ts_ns: int) -> str:
    return str(np.datetime64(int(ts_ns), "ns").astype("datetime64[D]"))


def folds_of(market: WindowMarket, job: WindowJob) -> Folds:
    """Return the folds of a window: some within its training span, and its test span."""
    start, stop = job.train
    judged = np.arange(job.judged[0] - start, job.judged[1] - start)
    return folds_before(stop - start, judged, market.settings.walk_forward.inner_folds, market.settings.training)


def reader_from(market: WindowMarket, start: int) -> ReadFeatures:
    """Return what reads the features of frames counted from the frame `start`."""
    return lambda rows, columns: market.table.read(start + rows, columns)


def _fit(market: WindowMarket, job: WindowJob) -> Path:
    start = job.train[0]
    return fit_ensemble(
        market.frames.rows(start, job.judged[1], first_seq=0),
        reader_from(market, start),
        market.features.names,
        market.settings.training,
        units={column.name: column.unit for column in market.features.columns},
        features_hash=market.features.hash,
        symbols=market.universe.symbols,
        bar_ns=market.bar_ns,
        directory=market.bundles_dir,
        folds=folds_of(market, job),
    )


def _forecast(market: WindowMarket, model: ModelBundle, start: int, stop: int) -> Decided:
    names = model.feature_names
    n_past = min(model.lookback_bars - 1, start)
    values = market.table.read(slice(start - n_past, stop), names)
    rules = market.settings.uncertainty
    decisions = model.decision_spec.build(values.shape[1], names, rules.build_abstention)
    close = market.frames.rows(start, stop, first_seq=0).continuous().close
    return decide_frames(model, decisions, values[n_past:], names, values[:n_past], close)


def _in_sample_sharpe(market: WindowMarket, model: ModelBundle, start: int, stop: int) -> float | None:
    settings = market.settings
    n_past = min(start, frames_looked_back(settings.broker))
    warmup = own_frames(market.frames.rows(start - n_past, start, first_seq=-n_past))
    frames = own_frames(market.frames.rows(start, stop, first_seq=0))
    tape = build_tape(warmup, frames, market.sessions, n_past)
    sections = FastConfig(settings.broker, settings.portfolio, settings.risk)
    probability, abstain = _forecast(market, model, start, stop)
    run = FastBacktest("in-sample", market.universe, sections, tape).trade_forecasts(
        probability, read_volatility(market.table, start, stop, frames.n_symbols), abstain=abstain
    )
    return sharpe_of_curve(
        run.ts_close_ns,
        run.equity,
        float(settings.broker.initial_cash),
        market.bars_per_year,
        settings.report.risk_free_per_year,
    )


def own_frames(frames: FrameTensor) -> FrameTensor:
    """Return a copy: arrays of the object store are read-only, and the loop is compiled for those that are not."""
    columns = {name: getattr(frames, name).copy() for name in ("ts_close_ns", *BAR_FIELDS, "present")}
    optional = {name: getattr(frames, name) for name in ("tape", "actions")}
    columns |= {name: None if values is None else values.copy() for name, values in optional.items()}
    return FrameTensor(first_seq=frames.first_seq, **columns)


def read_volatility(table: FeatureTable, start: int, stop: int, n_symbols: int) -> FloatArray:
    """Return the volatility that sizing reads, float64 (n_frames, n_symbols), a year; NaN where no column has it."""
    if VOLATILITY_COLUMN not in table.columns:
        return np.full((stop - start, n_symbols), np.nan)
    return table.read(slice(start, stop), (VOLATILITY_COLUMN,))[:, :, 0]
