"""From frames and features to the rows a model learns from."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from configs.training import TrainingConfig
from outcry.errors import DataValidationError
from outcry.features.column import SCALE_BOUND_UNITS
from outcry.labels.catalogue import TARGET_PREFIX
from outcry.labels.direction import UNDEFINED, LabelArray, direction_labels, volatility_band
from outcry.labels.forward import forward_returns
from outcry.labels.splits.walk_forward import PurgedWalkForward
from outcry.market.frame import FloatArray, FrameTensor, IntArray
from outcry.models.dataset import Dataset, check_labels

ReadFeatures = Callable[[IntArray, Sequence[str]], FloatArray]
"""From rows of the frames, ascending, and columns to float64 (n_rows, n_symbols, n_columns)."""

_OF_THE_FUTURE = (TARGET_PREFIX, "future_")


@dataclass(frozen=True, slots=True, eq=False)
class Outcomes:
    """What became of every frame and symbol over a horizon.

    Attributes
    ----------
    labels : int8 (n_frames, n_symbols)
        Values of `Direction`; `UNDEFINED` where not known.
    returns : float64 (n_frames, n_symbols)
        Fractions of the price; NaN where not known.
    """

    labels: LabelArray
    returns: FloatArray

    def label(self, data: Dataset) -> Dataset:
        """Return the rows whose label of this horizon is known, with that label and return in the place of theirs.

        Raises
        ------
        DataValidationError
            Where rows have no symbol.
        """
        if data.symbol is None:
            raise DataValidationError("rows must have a symbol to be labelled, had none")
        labels, returns = self.labels[data.frame, data.symbol], self.returns[data.frame, data.symbol]
        labelled = replace(data, labels=labels, returns=returns)
        is_known = labels != UNDEFINED
        return labelled if is_known.all() else labelled.take(is_known)


def build_dataset(
    frames: FrameTensor,
    read_features: ReadFeatures,
    feature_names: Sequence[str],
    units: Mapping[str, str],
    config: TrainingConfig,
    *,
    n_counted: int | None = None,
) -> Dataset:
    """Join features and labels by frame and symbol.

    Columns whose unit is bound to the scale of a symbol (price, shares, currency) are left out: they drift over time
    and differ between symbols, so a tree that splits on them learns which symbol and which year it sees.
    A row needs a label and at least one known feature. Of more than ``max_rows`` rows, every k-th frame is kept, with
    the least k that is enough: labels of neighbouring frames overlap, so their rows say nearly the same.

    Parameters
    ----------
    frames : FrameTensor
    read_features : callable
        Row t computed from frames 0..t; asked only for the frames and the columns that are used.
    feature_names : sequence of str
    units : mapping of str to str
        Unit of every feature.
    config : TrainingConfig
    n_counted : int, optional
        The first frames, whose rows count for ``max_rows``; those after them are thinned alike. Absent, all.

    Raises
    ------
    DataValidationError
        Where shapes differ, a feature is infinite or a target, none is free of scale, or no row can be used.
    """
    targets = [name for name in feature_names if name.startswith(_OF_THE_FUTURE)]
    if targets:
        raise DataValidationError(f"features must be known at their frame, {targets[0]} is a target")
    columns = [k for k, name in enumerate(feature_names) if units[name] not in SCALE_BOUND_UNITS]
    if not columns:
        raise DataValidationError(
            f"features must hold a column free of scale, all {len(feature_names)} are bound to it"
        )
    names = tuple(feature_names[k] for k in columns)
    prices = frames.continuous()
    labels = labels_of(prices, config)
    returns = forward_returns(prices.close, config.horizon_bars)
    has_label = labels != UNDEFINED
    stride = max(1, -(-int(has_label[:n_counted].sum()) // config.max_rows))
    has_label[np.arange(len(frames)) % stride != 0] = False
    frame, symbol = np.nonzero(has_label)
    used = np.unique(frame)
    features = read_features(used, names)
    shape = (len(used), frames.n_symbols, len(names))
    if features.shape != shape:
        raise DataValidationError(f"features must have shape {shape}, was {features.shape}")
    rows = features[np.searchsorted(used, frame), symbol]
    infinite = np.argwhere(np.isinf(rows))
    if infinite.size:
        row, column = infinite[0]
        raise DataValidationError(
            f"{names[column]} must be finite or NaN, was {rows[row, column]} in frame {frame[row]}"
        )
    data = Dataset(
        rows,
        labels[frame, symbol],
        frame.astype(np.int64),
        names,
        symbol=symbol.astype(np.int64),
        returns=returns[frame, symbol],
    ).of_known()
    if not len(data):
        raise DataValidationError(f"{len(frames)} frames must hold a row with a label and a known feature, hold none")
    return data


def split_in_time(data: Dataset, config: TrainingConfig) -> tuple[Dataset, Dataset]:
    """Return the earlier rows, and the last `validation_frac` of the frames as held-out rows.

    Frames whose labels reach into the held-out ones, those of any member, and the embargo before those, are in neither.

    Raises
    ------
    ConfigurationError
        Where the frames are too few for the purge.
    DataValidationError
        Where the labels of the earlier rows are of one class.
    """
    first = int(data.frame[0])
    splitter = PurgedWalkForward(1, config.longest_horizon_bars, config.embargo_bars, 1.0 - config.validation_frac)
    ((earlier_frames, held_out_frames),) = splitter.split(int(data.frame[-1]) - first + 1)
    # the first frame is among the earlier ones and the last is held out: both have rows
    earlier, held_out = data.of_frames(first + earlier_frames), data.of_frames(first + held_out_frames)
    check_labels(earlier.labels)
    return earlier, held_out


def outcomes_of(frames: FrameTensor, config: TrainingConfig) -> dict[int, Outcomes]:
    """Return the outcomes over every horizon that a member has of its own, by its bars."""
    prices, found = frames.continuous(), {}
    for member in config.ensemble_members:
        if member.horizon_bars is not None:
            at_its_own = config.model_copy(update={"horizon_bars": member.horizon_bars})
            returns = forward_returns(prices.close, member.horizon_bars)
            found[member.horizon_bars] = Outcomes(labels_of(prices, at_its_own), returns)
    return found


def returns_to_weigh(frames: FrameTensor, config: TrainingConfig) -> FloatArray | None:
    """Return the log return of every bar, float64 (n_frames, n_symbols), where training weights are made of it."""
    if not config.weights.by_return:
        return None
    return np.diff(np.log(frames.continuous().close), axis=0, prepend=np.nan)


def labels_of(frames: FrameTensor, config: TrainingConfig) -> LabelArray:
    """Return the class of every frame and symbol, int8 (n_frames, n_symbols), of prices that go on across splits."""
    if config.band_kind == "fixed":
        return direction_labels(frames.close, config.horizon_bars, config.band_value)
    band_frac = volatility_band(frames.close, config.horizon_bars, config.band_value, config.volatility_window_bars)
    return direction_labels(frames.close, config.horizon_bars, band_frac)
