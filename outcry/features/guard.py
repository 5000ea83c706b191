"""Watch the features of a live run: what a model reads must stay what it was trained on."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from outcry.compiled import compile_entry_point
from outcry.features.column import Column
from outcry.features.kernels.guard import GUARD_SIGNATURE, INFINITE, LOST, OUTSIDE, count_wrong
from outcry.market.frame import BoolArray, FloatArray
from outcry.messages import FeatureFrame

CONSTANT_AFTER_ROWS = 200

_count_wrong = cache(lambda: compile_entry_point(count_wrong, GUARD_SIGNATURE))


@dataclass(frozen=True, slots=True)
class ColumnQuality:
    """What was wrong with a column, counted in values.

    Attributes
    ----------
    column : str
    n_values : int
        Looked at: those of symbols with a bar in the frame.
    n_lost : int
        NaN where the same symbol had a number before.
    n_infinite : int
    n_outside : int
        Below or above the range that the catalogue states.
    is_constant : bool
        No symbol's value has changed within `CONSTANT_AFTER_ROWS` rows of it or more.
    """

    column: str
    n_values: int
    n_lost: int
    n_infinite: int
    n_outside: int
    is_constant: bool

    def __str__(self) -> str:
        counts = (("NaN after a number", self.n_lost), ("infinite", self.n_infinite), ("out of range", self.n_outside))
        told = [f"{count:,} of {self.n_values:,} values {what}" for what, count in counts if count]
        return f"{self.column}: {', '.join([*told, *(['constant'] * self.is_constant)])}"


class QualityGuard:
    """Count what is wrong with each column, frame by frame.

    Parameters
    ----------
    columns : sequence of Column
    n_symbols : int
    """

    def __init__(self, columns: Sequence[Column], n_symbols: int) -> None:
        self._names = tuple(column.name for column in columns)
        largest = np.finfo(np.float64).max  # beyond it is infinite
        self._low = np.array([max(column.low, -largest) for column in columns])
        self._high = np.array([min(column.high, largest) for column in columns])
        # A flag may stay as it is for weeks: that says nothing.
        self._may_rest = np.array([column.unit in {"flag", "calendar"} for column in columns])
        shape = (n_symbols, len(self._names))
        self._last = np.full(shape, np.nan)
        self._has_changed = np.zeros(len(self._names))
        self._counts = np.zeros((3, len(self._names)), dtype=np.int64)
        self._n_rows = np.zeros((2, n_symbols), dtype=np.int64)

    def update(self, features: FeatureFrame) -> None:
        """Count the rows of the symbols that had a bar in the frame."""
        self.watch(features.values[np.newaxis], features.stale[np.newaxis])

    def watch(self, values: FloatArray, stale: BoolArray) -> None:
        """Count the rows of frames, one after the other: many at once are quicker than each by itself.

        Parameters
        ----------
        values : float64 (n_frames, n_symbols, n_columns)
        stale : bool (n_frames, n_symbols)
            The symbol had no bar in the frame.
        """
        _count_wrong()(
            np.ascontiguousarray(values),
            np.ascontiguousarray(stale),
            self._low,
            self._high,
            self._last,
            self._has_changed,
            self._counts,
            self._n_rows,
        )

    @property
    def findings(self) -> tuple[ColumnQuality, ...]:
        """The columns with something wrong, in order."""
        n_values, n_with_number = self._n_rows
        seen_long = ~np.isnan(self._last) & (n_with_number >= CONSTANT_AFTER_ROWS)[:, np.newaxis]
        is_constant = seen_long.any(axis=0) & (self._has_changed == 0.0) & ~self._may_rest
        is_bad = is_constant | self._counts.any(axis=0)
        return tuple(
            ColumnQuality(
                self._names[j],
                int(n_values.sum()),
                int(self._counts[LOST, j]),
                int(self._counts[INFINITE, j]),
                int(self._counts[OUTSIDE, j]),
                bool(is_constant[j]),
            )
            for j in np.flatnonzero(is_bad)
        )
