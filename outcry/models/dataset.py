"""The rows a model learns from, and the frames before each of them."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
from numpy.lib.stride_tricks import as_strided

from outcry.errors import DataValidationError
from outcry.labels.horizon import LabelArray
from outcry.market.frame import Float32Array, FloatArray, IntArray


@dataclass(frozen=True, slots=True, eq=False)
class FeatureHistory:
    """The features of consecutive frames, for models that read the rows before a decision as well.

    Attributes
    ----------
    values : float32 (n_padding + n_frames, n_symbols, n_features), contiguous
        NaN where a feature is not known; first `n_padding` rows of NaN, for windows that begin before the data.
    first_frame : int
        The frame of the first row after the padding.
    n_padding : int
        The longest window has one row more.
    """

    values: Float32Array
    first_frame: int
    n_padding: int

    @classmethod
    def of_frames(cls, values: FloatArray | Float32Array, first_frame: int, lookback_bars: int) -> "FeatureHistory":
        """Copy float (n_frames, n_symbols, n_features) for windows of up to `lookback_bars` rows."""
        n_padding = lookback_bars - 1
        padded = np.full((n_padding + len(values), *values.shape[1:]), np.nan, dtype=np.float32)
        padded[n_padding:] = values
        return cls(padded, first_frame, n_padding)

    def windows(self, lookback_bars: int) -> Float32Array:
        """Return every window as a view, nothing copied.

        Returns
        -------
        float32 (n_frames * n_symbols, lookback_bars, n_features)
            At ``frame * n_symbols + symbol`` the rows of a symbol that end with this frame, oldest first; frames
            counted from `first_frame`. Read-only.

        Raises
        ------
        DataValidationError
            Where the padding is too short for such a window.
        """
        n_before = self.n_padding + 1 - lookback_bars
        if n_before < 0:
            raise DataValidationError(f"windows must have at most {self.n_padding + 1} rows, were {lookback_bars}")
        return window_view(self.values[n_before:], lookback_bars)

    def places(self, frame: IntArray, symbol: IntArray) -> IntArray:
        """Return where the windows of rows stand in `windows`, int64 (n_rows,)."""
        places: IntArray = (frame - self.first_frame) * self.values.shape[1] + symbol
        return places


def window_view(values: Float32Array, lookback_bars: int) -> Float32Array:
    """Return the windows of consecutive frames as a read-only view.

    Parameters
    ----------
    values : float32 (n_frames, n_symbols, n_features), contiguous
    lookback_bars : int

    Returns
    -------
    float32 ((n_frames - lookback_bars + 1) * n_symbols, lookback_bars, n_features)
        Frame by frame, and symbol by symbol within it; oldest row first.
    """
    n_frames, n_symbols, n_features = values.shape
    size = values.itemsize
    n_windows = max(n_frames - lookback_bars + 1, 0) * n_symbols
    # the windows of all symbols follow one another at the distance of a row
    strides = (n_features * size, n_symbols * n_features * size, size)
    return as_strided(values, (n_windows, lookback_bars, n_features), strides, writeable=False)


@dataclass(frozen=True, slots=True, eq=False)
class Dataset:
    """Rows of all symbols, oldest frame first.

    Attributes
    ----------
    rows : float64 (n_rows, n_features)
        NaN where a feature is not known yet.
    labels : int8 (n_rows,)
        Values of `Direction`.
    frame : int64 (n_rows,)
        The frame of each row, not decreasing.
    feature_names : tuple of str
        Of the columns.
    symbol : int64 (n_rows,), optional
        Column of the universe; only windows need it.
    returns : float64 (n_rows,), optional
        What the price did over the horizon of the label, a fraction.
    weights : float64 (n_rows,), optional
        How much a row counts, with mean 1; None where all count the same.
    history : FeatureHistory, optional
        With the columns of `feature_names`.
    """

    rows: FloatArray
    labels: LabelArray
    frame: IntArray
    feature_names: tuple[str, ...]
    symbol: IntArray | None = None
    returns: FloatArray | None = None
    weights: FloatArray | None = None
    history: FeatureHistory | None = None

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, rows: "slice | IntArray | np.ndarray") -> "Dataset":
        """Return some of the rows, in the order they have here."""
        return replace(
            self,
            rows=self.rows[rows],
            labels=self.labels[rows],
            frame=self.frame[rows],
            symbol=None if self.symbol is None else self.symbol[rows],
            returns=None if self.returns is None else self.returns[rows],
            weights=None if self.weights is None else self.weights[rows],
        )

    def of_frames(self, frames: IntArray) -> "Dataset":
        """Return the rows of some frames, int64 ascending: views where the frames are consecutive."""
        start, stop = np.searchsorted(self.frame, (frames[0], frames[-1] + 1)).tolist()
        within = self.take(slice(start, stop))
        has_holes = len(frames) <= frames[-1] - frames[0]
        return within.take(np.isin(within.frame, frames)) if has_holes else within

    def of_columns(self, names: Iterable[str]) -> "Dataset":
        """Return all rows with these columns alone, in the order they have here, and without history."""
        wanted = set(names)
        columns = [k for k, name in enumerate(self.feature_names) if name in wanted]
        names = tuple(self.feature_names[k] for k in columns)
        return replace(self, rows=self.rows[:, columns], feature_names=names, history=None)

    def of_known(self) -> "Dataset":
        """Return the rows with a known feature."""
        is_known = ~np.isnan(self.rows[:, 0])
        is_known[~is_known] = ~np.isnan(self.rows[~is_known]).all(axis=1)
        return self if is_known.all() else self.take(is_known)

    def windows_at(self, rows: "slice | IntArray", lookback_bars: int) -> Float32Array:
        """Return the windows that end at some rows, float32 (n, lookback_bars, n_features): a copy of these alone.

        Raises
        ------
        DataValidationError
            Where there is no history, or it is too short.
        """
        if self.history is None or self.symbol is None:
            raise DataValidationError("windows need the history of the rows, there is none")
        places = self.history.places(self.frame[rows], self.symbol[rows])
        return self.history.windows(lookback_bars)[places]


def check_labels(labels: LabelArray) -> None:
    """Refuse labels of one class: nothing can be learnt from them.

    Raises
    ------
    DataValidationError
    """
    if labels.min() == labels.max():
        raise DataValidationError(f"labels must be of two classes or more, all {len(labels)} were {labels[0]}")
