"""The feature rows of the last frames, kept beside the state they were computed from: what windows are read from."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from outcry.errors import PredictionError, RecoveryError
from outcry.market.frame import Float32Array, FloatArray, IntArray

_NAME = "recent"


class RecentRows:
    """Keep the feature rows of the last `n_bars` frames, as float32.

    Parameters
    ----------
    n_bars : int
        Rows of the longest window; of 1 nothing is kept, as that row is the frame's own.
    n_symbols, n_columns : int

    Notes
    -----
    A ring: a frame costs one row of every symbol, and nothing is moved. Rows before the first frame are NaN.
    """

    def __init__(self, n_bars: int, n_symbols: int, n_columns: int) -> None:
        self.n_bars = n_bars
        self._rows = np.full((n_bars if n_bars > 1 else 0, n_symbols, n_columns), np.nan, dtype=np.float32)
        self._next = 0

    def extend(self, values: FloatArray) -> None:
        """Add the rows of frames, float64 (n_frames, n_symbols, n_columns)."""
        for row in values[-self.n_bars :]:
            self._rows[self._next] = row
            self._next = (self._next + 1) % self.n_bars

    def take(self, columns: IntArray, n_bars: int) -> Float32Array:
        """Return some columns of the last frames, float32 (n_bars, n_symbols, n_columns): a copy, oldest frame first.

        Raises
        ------
        PredictionError
            Where fewer frames are kept.
        """
        if n_bars > len(self._rows):
            raise PredictionError(f"windows must have at most {self.n_bars} rows, which are kept, were {n_bars}")
        taken = np.empty((n_bars, self._rows.shape[1], len(columns)), dtype=np.float32)
        for row, out in zip(self._order()[-n_bars:], taken, strict=True):
            np.take(self._rows[row], columns, axis=1, out=out, mode="clip")  # "raise" would copy first
        return taken

    def snapshot(self) -> dict[str, Float32Array]:
        """Return what `restore` takes, float32 (n_symbols, n_bars, n_columns) by name; nothing where none are kept."""
        if not len(self._rows):
            return {}
        return {_NAME: np.ascontiguousarray(self._rows[self._order()].transpose(1, 0, 2))}

    def restore(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Take over what `snapshot` gave, out of the arrays of a state.

        Raises
        ------
        RecoveryError
            Where it is missing, or of another length.
        """
        if not len(self._rows):
            return
        n_bars, n_symbols, n_columns = self._rows.shape
        found = arrays[_NAME].shape if _NAME in arrays else None
        if found != (n_symbols, n_bars, n_columns):
            raise RecoveryError(f"{_NAME} must have shape {(n_symbols, n_bars, n_columns)}, was {found}")
        self._rows[:] = arrays[_NAME].transpose(1, 0, 2)
        self._next = 0

    def _order(self) -> IntArray:
        """Return where the rows stand, oldest first."""
        return (self._next + np.arange(len(self._rows))) % len(self._rows)
