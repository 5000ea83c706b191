"""One window of a walk-forward: fit its model or find it, forecast its test span, and trade its training span."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from actors.fast import predict_frames
from configs.plan import resolve_features
from configs.schema import Settings
from outcry.backtest.fast.engine import FastBacktest, FastConfig
from outcry.backtest.fast.tape import build_tape
from outcry.backtest.walk_forward import sharpe_of_curve
from outcry.errors import OutcryError
from outcry.execution.tape import frames_looked_back
from outcry.features.families.volatility import VOLATILITY_COLUMN
from outcry.features.feature_set import FeatureSet
from outcry.market.frame import BAR_FIELDS, FloatArray, FrameTensor, IntArray
from outcry.market.sessions import Sessions
from outcry.market.universe import Universe
from outcry.models.bundle import ModelBundle, load_bundle
from training.feature_table import FeatureTable
from training.fit import fit_ensemble
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
    key : str
        Equal where, and only where, the same training on the same data is asked for.
    """

    number: int
    train: tuple[int, int]
    test: tuple[int, int]
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
    was_trained : bool
        False where an earlier command had left the bundle.
    """

    number: int
    bundle: Path
    model_version: str
    in_sample_sharpe: float | None
    probability: FloatArray
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
    return WindowForecast(
        number=job.number,
        bundle=path,
        model_version=model.version,
        in_sample_sharpe=_in_sample_sharpe(market, model, *job.train),
        probability=_forecast(market, model, *job.test),
        was_trained=found is None,
    )


def _date(ts_ns: int) -> str:
    return str(np.datetime64(int(ts_ns), "ns").astype("datetime64[D]"))


def _fit(market: WindowMarket, job: WindowJob) -> Path:
    start, stop = job.train

    def read(rows: IntArray, columns: Sequence[str]) -> FloatArray:
        return market.table.read(start + rows, columns)

    return fit_ensemble(
        market.frames.rows(start, stop, first_seq=0),
        read,
        market.features.names,
        market.settings.training,
        units={column.name: column.unit for column in market.features.columns},
        features_hash=market.features.hash,
        symbols=market.universe.symbols,
        bar_ns=market.bar_ns,
        directory=market.bundles_dir,
    )


def _forecast(market: WindowMarket, model: ModelBundle, start: int, stop: int) -> FloatArray:
    names = model.feature_names
    return predict_frames(model, market.table.read(slice(start, stop), names), names)


def _in_sample_sharpe(market: WindowMarket, model: ModelBundle, start: int, stop: int) -> float | None:
    settings = market.settings
    n_past = min(start, frames_looked_back(settings.broker))
    warmup = _own(market.frames.rows(start - n_past, start, first_seq=-n_past))
    frames = _own(market.frames.rows(start, stop, first_seq=0))
    tape = build_tape(warmup, frames, market.sessions, n_past)
    sections = FastConfig(settings.broker, settings.portfolio, settings.risk)
    run = FastBacktest("in-sample", market.universe, sections, tape).trade_forecasts(
        _forecast(market, model, start, stop), read_volatility(market.table, start, stop, frames.n_symbols)
    )
    return sharpe_of_curve(
        run.ts_close_ns,
        run.equity,
        float(settings.broker.initial_cash),
        market.bars_per_year,
        settings.report.risk_free_per_year,
    )


def _own(frames: FrameTensor) -> FrameTensor:
    """Return a copy: arrays of the object store are read-only, and the loop is compiled for those that are not."""
    tape = None if frames.tape is None else frames.tape.copy()
    columns = {name: getattr(frames, name).copy() for name in ("ts_close_ns", *BAR_FIELDS, "present")}
    return FrameTensor(first_seq=frames.first_seq, tape=tape, **columns)


def read_volatility(table: FeatureTable, start: int, stop: int, n_symbols: int) -> FloatArray:
    """Return the volatility that sizing reads, float64 (n_frames, n_symbols), a year; NaN where no column has it."""
    if VOLATILITY_COLUMN not in table.columns:
        return np.full((stop - start, n_symbols), np.nan)
    return table.read(slice(start, stop), (VOLATILITY_COLUMN,))[:, :, 0]
