"""Forecasts of bundles for frames that none of them was trained on, and what came of those frames."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from actors.fast import CHUNK_BYTES, decide_frames, predict_frames
from configs.plan import resolve_features, sessions_around
from configs.schema import Settings
from outcry.adapters.sources.load import LoadedMarket
from outcry.errors import BundleError
from outcry.features.universe_features import UniverseFeatures
from outcry.labels.direction import UNDEFINED, LabelArray, direction_labels, volatility_band
from outcry.market.bar_size import format_bar_size
from outcry.market.frame import FloatArray, FrameTensor, IntArray
from outcry.messages import Direction
from outcry.models.bundle import ModelBundle
from outcry.models.decisions import Decisions
from outcry.models.manifest import LabelSpec
from training.prepare import FEATURES_STEP, Progress


@dataclass(frozen=True, slots=True, eq=False)
class UnseenRows:
    """Rows with a label, by frame and then symbol.

    Attributes
    ----------
    frame : int64 (n_rows,)
        Row of the market's frames.
    labels : int8 (n_rows,)
    probability : tuple of float64 (n_rows, 3)
        One a bundle; a row is here where every bundle forecasts it.
    last_values : float64 (n_bars, n_symbols, n_columns)
        Features of the last frames of the market, as many as the longest window reads.
    columns : tuple of str
        Every one that a bundle reads.
    """

    frame: IntArray
    labels: LabelArray
    probability: tuple[FloatArray, ...]
    last_values: FloatArray
    columns: tuple[str, ...]

    @property
    def n_frames(self) -> int:
        return len(np.unique(self.frame))


def forecast_span(
    settings: Settings,
    market: LoadedMarket,
    bundles: Sequence[ModelBundle],
    span: tuple[int, int],
    on_progress: Progress,
) -> UnseenRows:
    """Forecast the frames [start, stop) of a market by bundles of one target and one feature set.

    Parameters
    ----------
    settings : Settings
    market : LoadedMarket
    bundles : sequence of ModelBundle
    span : tuple of int
        May be empty.
    on_progress : callable

    Raises
    ------
    BundleError
        Where a bundle is of another bar size or feature set than the settings.

    Notes
    -----
    Features are computed from the first frame of the market on, those the bundles read alone; nothing is stored.
    """
    symbols = market.universe.symbols
    start, stop = span
    probability = np.full((len(bundles), max(stop - start, 0), len(symbols), len(Direction)), np.nan)
    n_before = max(bundle.lookback_bars for bundle in bundles) - 1
    close = market.frames.continuous().close
    decisions: list[Decisions | None] = []
    for first, values, names in replay_features(settings, market, bundles, on_progress):
        decisions = decisions or [bundle.decision_spec.build(len(symbols), names) for bundle in bundles]
        low, high = max(first, start), min(first + len(values) - n_before, stop)
        if low < high:
            asked = values[low - first : high - first + n_before]
            for place, bundle in enumerate(bundles):
                probability[place, low - start : high - start], _ = decide_frames(
                    bundle, decisions[place], asked[n_before:], names, asked[:n_before], close[low:high]
                )
    labels = labels_of(market.frames, bundles[0].manifest.label)[start:stop]
    is_known = (labels != UNDEFINED) & ~np.isnan(probability[..., 0]).any(axis=0)
    return UnseenRows(
        frame=start + np.nonzero(is_known)[0],
        labels=labels[is_known],
        probability=tuple(each[is_known] for each in probability),
        last_values=values[len(values) - 1 - n_before :].copy(),
        columns=names,
    )


def replay_features(
    settings: Settings, market: LoadedMarket, bundles: Sequence[ModelBundle], on_progress: Progress
) -> Iterator[tuple[int, FloatArray, tuple[str, ...]]]:
    """Yield the features that bundles read, piece by piece, from the first frame of a market to its last.

    Yields
    ------
    int, float64 (n_before + n_frames, n_symbols, n_columns), tuple of str
        The first frame of the piece, its features, and their names. Before them stand those of the frames before, one
        less than the longest window reads; NaN where there are none.

    Raises
    ------
    BundleError
        Where a bundle is of another bar size or feature set than the settings.
    """
    symbols = market.universe.symbols
    features_hash = resolve_features(settings.features, market.bar_ns, symbols).hash
    for bundle in bundles:
        if bundle.manifest.bar_ns != market.bar_ns:
            raise BundleError(
                f"bundle {bundle.version} must be of bars of {format_bar_size(market.bar_ns)}, "
                f"is of bars of {format_bar_size(bundle.manifest.bar_ns)}"
            )
        if bundle.features_hash != features_hash:
            raise BundleError(
                f"bundle {bundle.version} must read the feature set of the settings, {features_hash[:12]}, "
                f"reads {bundle.features_hash[:12]}"
            )
    columns = tuple(dict.fromkeys(name for bundle in bundles for name in bundle.feature_names))
    read = settings.features.model_copy(update={"columns": columns, "exclude": ()})
    close_ns = market.frames.ts_close_ns
    pipeline = UniverseFeatures(
        resolve_features(read, market.bar_ns, symbols),
        market.universe,
        sessions_around(market.calendar, int(close_ns[0]), int(close_ns[-1])),
        market.calendar.bars_per_year(market.bar_ns),
        n_threads=settings.features.n_threads,
    )
    names = pipeline.features.names
    step = max(CHUNK_BYTES // (8 * len(symbols) * len(names)), 1)
    n_before = max(bundle.lookback_bars for bundle in bundles) - 1
    values = np.full((n_before, len(symbols), len(names)), np.nan)
    on_progress(FEATURES_STEP, 0.0)
    for first in range(0, len(close_ns), step):
        last = min(first + step, len(close_ns))
        piece = pipeline.replay(market.frames.rows(first, last, first_seq=first))
        values = np.concatenate((values[len(values) - n_before :], piece))  # a window reaches back into the last piece
        yield first, values, names
        on_progress(FEATURES_STEP, last / len(close_ns))


def ask(bundle: ModelBundle, values: FloatArray, names: tuple[str, ...]) -> FloatArray:
    """Return what a bundle says of the last of some frames, float64 (n_symbols, 3).

    Parameters
    ----------
    bundle : ModelBundle
    values : float64 (n_bars, n_symbols, n_columns)
        At least as many frames as it reads; none infinite.
    names : tuple of str
        Of the columns.
    """
    probability: FloatArray = predict_frames(bundle, values[-1:], names, values[:-1])[0]
    return probability


def span_after(market: LoadedMarket, bundles: Sequence[ModelBundle], n_most: int) -> tuple[int, int]:
    """Return the newest frames with a label that close after whatever any of the bundles looked at, [start, stop)."""
    last_ts_ns = max(bundle.manifest.last_ts_ns for bundle in bundles)
    first = int(np.searchsorted(market.frames.ts_close_ns, last_ts_ns, side="right"))
    stop = len(market.frames) - bundles[0].horizon_bars
    return max(first, stop - n_most), max(first, stop)


def span_between(market: LoadedMarket, first_ts_ns: int, last_ts_ns: int) -> tuple[int, int]:
    """Return the frames that close in [first_ts_ns, last_ts_ns], as [start, stop)."""
    start, stop = np.searchsorted(market.frames.ts_close_ns, (first_ts_ns, last_ts_ns + 1))
    return int(start), int(stop)


def labels_of(frames: FrameTensor, label: LabelSpec) -> LabelArray:
    """Return the classes a bundle forecasts, int8 (n_frames, n_symbols); `UNDEFINED` where they cannot be known."""
    frames = frames.continuous()
    if label.volatility_window_bars is None:
        return direction_labels(frames.close, label.horizon_bars, label.band_value)
    band_frac = volatility_band(frames.close, label.horizon_bars, label.band_value, label.volatility_window_bars)
    return direction_labels(frames.close, label.horizon_bars, band_frac)
