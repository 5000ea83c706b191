"""Rows that a bundle is explained on: its test fold, rows before that, and rows after all it looked at."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from configs.schema import Settings
from outcry.adapters.sources.load import LoadedMarket
from outcry.errors import DataNotFoundError, PredictionError
from outcry.labels.direction import UNDEFINED, LabelArray
from outcry.market.frame import Float32Array, FloatArray, IntArray
from outcry.models.bundle import ModelBundle
from training.prepare import Progress
from training.unseen import labels_of, replay_features, span_between

MAX_WINDOWS = 2_000


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """Rows as the members of a bundle read them.

    Attributes
    ----------
    rows : float64 (n_rows, n_features)
        NaN where a feature is not known; none infinite.
    windows : float32 (n_rows, lookback_bars, n_features) or None
        None where no member reads any.
    frame : int64 (n_rows,)
        Row of the market's frames, not decreasing.
    labels : int8 (n_rows,)
    """

    rows: FloatArray
    windows: Float32Array | None
    frame: IntArray
    labels: LabelArray

    def __len__(self) -> int:
        return len(self.rows)

    def take(self, places: IntArray) -> "Sample":
        """Return some of the rows."""
        windows = None if self.windows is None else self.windows[places]
        return Sample(self.rows[places], windows, self.frame[places], self.labels[places])

    def first_columns(self, n: int) -> "Sample":
        """Return all rows with their first columns alone."""
        windows = None if self.windows is None else self.windows[:, :, :n]
        return Sample(np.ascontiguousarray(self.rows[:, :n]), windows, self.frame, self.labels)

    def windows_of(self, lookback_bars: int) -> Float32Array:
        """Return the last rows of each window, a view; there must be windows."""
        if self.windows is None:
            raise PredictionError(f"windows of {lookback_bars} rows must be kept, none are")
        return self.windows[:, -lookback_bars:]

    def with_columns(self, columns: IntArray, donors: IntArray) -> "Sample":
        """Return these rows with the values that some columns have in other rows, int64 (n_rows,), of this sample."""
        rows = self.rows.copy()
        rows[:, columns] = self.rows[donors[:, np.newaxis], columns]
        windows = self.windows
        if windows is not None:
            windows = windows.copy()
            windows[:, :, columns] = self.windows[donors][:, :, columns]  # type: ignore[index]  # not None, see above
        return Sample(rows, windows, self.frame, self.labels)


@dataclass(frozen=True, slots=True, eq=False)
class ExplainedRows:
    """`test` is the test fold, `earlier` what lies before it.

    `later` is after all that the bundle looked at. It may be empty, and its last rows have no label yet.
    """

    earlier: Sample
    test: Sample
    later: Sample


def read_rows(
    settings: Settings, market: LoadedMarket, bundle: ModelBundle, max_rows: int, on_progress: Progress
) -> ExplainedRows:
    """Compute the features of a market, and keep some whole frames of each span, evenly spaced.

    Parameters
    ----------
    settings : Settings
    market : LoadedMarket
        That the bundle was trained on.
    bundle : ModelBundle
    max_rows : int
        About as many of each span are kept, and not more than `MAX_WINDOWS` where windows are read.
    on_progress : callable

    Raises
    ------
    DataNotFoundError
        Where the market does not hold two frames of the test fold with labels, and one before it.
    BundleError
        Where the bundle is of another bar size or feature set than the settings.
    """
    close_ns, manifest = market.frames.ts_close_ns, bundle.manifest
    n_symbols, lookback_bars = len(market.universe.symbols), bundle.lookback_bars
    n_most = max((max_rows if lookback_bars == 1 else min(max_rows, MAX_WINDOWS)) // n_symbols, 2)
    labels = labels_of(market.frames, manifest.label)
    has_label = (labels != UNDEFINED).any(axis=1)
    start, stop = span_between(market, manifest.test.first_ts_ns, manifest.test.last_ts_ns)
    trained = int(np.searchsorted(close_ns, manifest.test.train_last_ts_ns, side="right"))
    after = int(np.searchsorted(close_ns, manifest.last_ts_ns, side="right"))
    wanted = {
        "earlier": _spaced(np.flatnonzero(has_label[: min(trained, start)]), n_most),
        "test": _spaced(start + np.flatnonzero(has_label[start:stop]), n_most),
        "later": _spaced(np.arange(after, len(close_ns)), n_most),
    }
    if len(wanted["test"]) < 2 or not len(wanted["earlier"]):
        raise DataNotFoundError(
            f"market must hold the test fold of {bundle.version}, {_day(manifest.test.first_ts_ns)} to "
            f"{_day(manifest.test.last_ts_ns)}, and frames before it; it has {_day(close_ns[0])} to "
            f"{_day(close_ns[-1])}"
        )
    values = _gather(settings, market, bundle, wanted, on_progress)
    return ExplainedRows(
        **{name: _sample(values[name], frames, labels, name != "later") for name, frames in wanted.items()}
    )


def _gather(
    settings: Settings,
    market: LoadedMarket,
    bundle: ModelBundle,
    wanted: Mapping[str, IntArray],
    on_progress: Progress,
) -> dict[str, FloatArray]:
    """Return float64 (n_frames, lookback_bars, n_symbols, n_features) of the frames wanted by each name."""
    lookback_bars = bundle.lookback_bars
    shape = lookback_bars, len(market.universe.symbols), len(bundle.feature_names)
    found = {name: np.empty((len(frames), *shape)) for name, frames in wanted.items()}
    for first, values, names in replay_features(settings, market, [bundle], on_progress):
        columns = bundle.columns_in(names)
        stop = first + len(values) - lookback_bars + 1
        for name, frames in wanted.items():
            for place in range(*np.searchsorted(frames, (first, stop))):
                begin = frames[place] - first
                found[name][place] = values[begin : begin + lookback_bars, :, columns]
    return found


def _sample(values: FloatArray, frames: IntArray, labels: LabelArray, needs_label: bool) -> Sample:
    """Return the rows with a known feature, and a label where that is needed."""
    values = np.where(np.isinf(values), np.nan, values)
    last, of_frames = values[:, -1], labels[frames]
    is_used = ~np.isnan(last).all(axis=2)
    if needs_label:
        is_used &= of_frames != UNDEFINED
    place, symbol = np.nonzero(is_used)
    windows = values[place, :, symbol].astype(np.float32) if values.shape[1] > 1 else None
    return Sample(last[place, symbol], windows, frames[place], of_frames[place, symbol])


def _spaced(frames: IntArray, n_most: int) -> IntArray:
    return frames[:: max(-(-len(frames) // n_most), 1)]


def _day(ts_ns: int) -> str:
    return str(np.datetime64(int(ts_ns), "ns").astype("datetime64[D]"))
