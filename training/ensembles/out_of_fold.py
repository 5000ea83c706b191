"""What members said of rows that they had not learnt from: the only thing a combiner may be fitted on."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Self

import numpy as np

from outcry.errors import DataValidationError
from outcry.labels.direction import LabelArray
from outcry.market.frame import BoolArray, FloatArray, IntArray
from outcry.messages import Direction

NEVER = np.iinfo(np.int64).max
"""A frame that is never reached."""


@dataclass(frozen=True, slots=True, eq=False)
class OutOfFold:
    """Predictions of rows, with the frames that the members who made them had learnt from.

    Attributes
    ----------
    probability : float64 (n_members, n_rows, 3)
        NaN where a member cannot speak.
    labels : int8 (n_rows,)
        Values of `Direction`; known `horizon_bars` after their frame.
    frame : int64 (n_rows,)
        Not decreasing.
    symbol : int64 (n_rows,)
        Where the row stands in the universe; a symbol has at most one row in a frame.
    trained_to : int64 (n_rows,)
        The last frame before the row that its members were trained on.
    horizon_bars : int
        Of the labels.
    rows : float64 (n_rows, n_features)
        Features that combiners may read.
    feature_names : tuple of str
        Of the columns.
    resumed_at : int64 (n_rows,), optional
        The first frame after the row that its members were trained on, in k-fold schemes; without, there is none.
    learnt_bars : tuple of int (n_members,), optional
        Over how many bars each member learnt; without, all of them over `horizon_bars`.

    Raises
    ------
    DataValidationError
        Where shapes differ, a label is not known, or members had learnt from a row whose label overlaps one they
        predict: a training label at frame s depends on s..s + h, h being the longest horizon of a member, and one
        predicted at t on t..t + horizon_bars.
    """

    probability: FloatArray
    labels: LabelArray
    frame: IntArray
    symbol: IntArray
    trained_to: IntArray
    horizon_bars: int
    rows: FloatArray
    feature_names: tuple[str, ...]
    resumed_at: IntArray | None = None
    learnt_bars: tuple[int, ...] | None = None

    def __post_init__(self) -> None:
        n_rows = len(self.labels)
        for name in ("frame", "symbol", "trained_to", "resumed_at"):
            column = getattr(self, name)
            if column is not None and column.shape != (n_rows,):
                raise DataValidationError(f"{name} must have shape ({n_rows},), was {column.shape}")
        shape = (len(self.probability), n_rows, len(Direction))
        if self.probability.shape != shape or not len(self.probability):
            raise DataValidationError(f"probability must have shape {shape}, was {self.probability.shape}")
        if len(self.horizons_bars) != self.n_members:
            raise DataValidationError(f"learnt_bars must be {self.n_members}, one a member, were {self.learnt_bars}")
        if self.rows.shape != (n_rows, len(self.feature_names)):
            expected = (n_rows, len(self.feature_names))
            raise DataValidationError(f"rows must have shape {expected}, was {self.rows.shape}")
        if np.any((self.labels < 0) | (self.labels >= len(Direction))):
            raise DataValidationError(f"labels must be classes, were {self.labels.min()} to {self.labels.max()}")
        if np.any(np.diff(self.frame) < 0):
            raise DataValidationError("frame must not decrease")
        self._check_out_of_fold()

    def _check_out_of_fold(self) -> None:
        longest_bars = max(self.horizons_bars)
        seen = np.flatnonzero(self.trained_to + longest_bars >= self.frame)
        if seen.size:
            row = seen[0]
            raise DataValidationError(
                f"trained_to must be more than horizon_bars {longest_bars} before frame {self.frame[row]}, was"
                f" {self.trained_to[row]}"
            )
        if self.resumed_at is not None:
            seen = np.flatnonzero(self.resumed_at <= self.frame + self.horizon_bars)
            if seen.size:
                row = seen[0]
                raise DataValidationError(
                    f"resumed_at must be more than horizon_bars {self.horizon_bars} after frame {self.frame[row]}, was"
                    f" {self.resumed_at[row]}"
                )

    @classmethod
    def nothing(cls, learnt_bars: tuple[int, ...], horizon_bars: int, feature_names: tuple[str, ...]) -> Self:
        """Return what is known before the first fold: no row."""
        none = np.empty(0, dtype=np.int64)
        rows = np.empty((0, len(feature_names)))
        probability = np.empty((len(learnt_bars), 0, len(Direction)))
        labels = none.astype(np.int8)
        return cls(probability, labels, none, none, none, horizon_bars, rows, feature_names, none, learnt_bars)

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def n_members(self) -> int:
        return len(self.probability)

    @property
    def horizons_bars(self) -> tuple[int, ...]:
        """Over how many bars each member learnt."""
        return self.learnt_bars or (self.horizon_bars,) * self.n_members

    def up_to(self, last_frame: int) -> Self:
        """Return the rows of frames up to `last_frame`; those with a label known at t are ``up_to(t - horizon_bars)``.

        In k-fold schemes members may have learnt from later frames: what is fitted on these rows is then no judge of
        later ones.
        """
        return self.where(self.frame <= last_frame)

    def of_newest(self) -> Self:
        """Return the rows that the members trained last have predicted: their hold-out."""
        return self if not len(self) else self.where(self.trained_to == self.trained_to.max())

    def of_known(self) -> Self:
        """Return the rows of which every member says something."""
        is_known: BoolArray = ~np.isnan(self.probability.sum(axis=(0, 2)))
        return self.where(is_known)

    def where(self, is_kept: BoolArray) -> Self:
        """Return the rows where bool (n_rows,) `is_kept` holds."""
        if is_kept.all():
            return self
        by_row = ("labels", "frame", "symbol", "trained_to", "rows", "resumed_at")
        kept = {name: getattr(self, name)[is_kept] for name in by_row if getattr(self, name) is not None}
        return replace(self, probability=self.probability[:, is_kept], **kept)

    def columns_of(self, feature_names: Sequence[str]) -> IntArray:
        """Return int64 (n_names,): where columns stand.

        Raises
        ------
        DataValidationError
            Where one is not there.
        """
        for name in feature_names:
            if name not in self.feature_names:
                raise DataValidationError(f"rows must hold the column {name}, which the combiner reads")
        return np.array([self.feature_names.index(name) for name in feature_names], dtype=np.int64)


def join(parts: Sequence[OutOfFold]) -> OutOfFold:
    """Return the rows of consecutive folds, oldest first."""
    first = parts[0]
    joined: dict[str, Any] = {}
    for field in fields(first):
        values = [getattr(part, field.name) for part in parts]
        if field.name == "probability":
            joined[field.name] = np.concatenate(values, axis=1)
        elif isinstance(values[0], np.ndarray):
            joined[field.name] = np.concatenate(values)
    return replace(first, **joined)
