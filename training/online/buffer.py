"""What was decided, and what came of it: rows wait until their label is known, then until they are learnt from."""

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from configs.online import OnlineConfig
from outcry.errors import DataValidationError
from outcry.labels.horizon import UNDEFINED, LabelArray
from outcry.market.frame import FloatArray
from outcry.models.dataset import Dataset, FeatureHistory


@dataclass(slots=True, eq=False)
class _Decided:
    """A frame: features (n_symbols, n_features); labels and returns (n_symbols,) once they are known."""

    seq: int
    values: FloatArray
    labels: LabelArray | None = None
    returns: FloatArray | None = None
    n_rows: int = 0


class Samples(NamedTuple):
    """What an update learns from, oldest first, and what judges it.

    Attributes
    ----------
    learnt : Dataset
        New rows and rehearsed ones.
    held_out : Dataset
        The newest rows. No label of `learnt` reaches into their frames.
    n_rehearsed : int
    """

    learnt: Dataset
    held_out: Dataset
    n_rehearsed: int


class OutcomeBuffer:
    """Hold the rows of the last frames: those without a label yet, new ones, and older ones to rehearse.

    Parameters
    ----------
    feature_names : tuple of str
        Columns of the rows.
    n_symbols : int
    horizon_bars : int
        A label is known so many frames after its row.
    lookback_bars : int
        Rows of the longest window; 1 where none is read.
    config : OnlineConfig

    Notes
    -----
    A deterministic function of its updates. A row counts where its label is defined, a feature is known, and none is
    infinite: the desk had a forecast there.
    """

    def __init__(
        self,
        feature_names: tuple[str, ...],
        n_symbols: int,
        *,
        horizon_bars: int,
        lookback_bars: int,
        config: OnlineConfig,
    ) -> None:
        self._feature_names, self._n_symbols = feature_names, n_symbols
        self._horizon_bars, self._lookback_bars = horizon_bars, lookback_bars
        self._config = config
        self._frames: list[_Decided] = []  # of consecutive seq
        self._learnt_seq: int | None = None

    @property
    def last_seq(self) -> int | None:
        """The frame it has seen last."""
        return self._frames[-1].seq if self._frames else None

    @property
    def n_new_rows(self) -> int:
        """Rows with a known label that wait to be learnt from."""
        return sum(frame.n_rows for frame in self._new())

    @property
    def n_least_frames(self) -> int:
        """New frames that a split needs: so many that as many are left after the purge as judge, at the least."""
        n_held_out, held_out_frac = self._config.min_validation_frames, self._config.validation_frac
        n_before = self._horizon_bars + n_held_out
        return max(math.ceil(n_held_out / held_out_frac), math.ceil(n_before / (1.0 - held_out_frac)) + 1)

    @property
    def is_splittable(self) -> bool:
        """Whether the new frames are enough for `split`."""
        return len(self._new()) >= self.n_least_frames

    @property
    def is_due(self) -> bool:
        """Whether there are new rows, and frames, enough for an update."""
        return self.is_splittable and self.n_new_rows >= self._config.update_every_rows

    def update(self, seq: int, values: FloatArray, labels: LabelArray, returns: FloatArray) -> None:
        """Take the next frame.

        Parameters
        ----------
        seq : int
            One more than that of the frame before, of which the first may be any.
        values : float64 (n_symbols, n_features)
            Of this frame.
        labels : int8 (n_symbols,)
            Of the frame `horizon_bars` before, which are known by the close of this one; `UNDEFINED` where not.
        returns : float64 (n_symbols,)
            From that frame to this one, a fraction; NaN where not known.

        Raises
        ------
        DataValidationError
            Where a frame is left out, or a shape is another.
        """
        if self._frames and seq != self._frames[-1].seq + 1:
            raise DataValidationError(f"seq must be {self._frames[-1].seq + 1}, was {seq}")
        shape = (self._n_symbols, len(self._feature_names))
        if values.shape != shape or labels.shape != shape[:1] or returns.shape != shape[:1]:
            raise DataValidationError(f"values must have shape {shape}, was {values.shape}")
        self._frames.append(_Decided(seq, np.array(values, dtype=np.float64)))
        if len(self._frames) > self._horizon_bars:
            self._settle(self._frames[-1 - self._horizon_bars], labels, returns)
        self._make_room()

    def clear(self) -> None:
        """Let the new rows be old ones, which may be rehearsed."""
        new = self._new()
        if new:
            self._learnt_seq = new[-1].seq

    def split(self, rng: np.random.Generator) -> Samples:
        """Cut the new rows in time, and draw old ones beside those that are learnt.

        Raises
        ------
        DataValidationError
            Where there are too few frames, or no rows on one side.
        """
        new = self._new()
        if len(new) < self.n_least_frames:
            raise DataValidationError(f"an update must have {self.n_least_frames} new frames, had {len(new)}")
        n_held_out = max(round(len(new) * self._config.validation_frac), self._config.min_validation_frames)
        held_out = new[-n_held_out:]
        last_learnt = held_out[0].seq - self._horizon_bars - 1  # its label is known before the first held-out close
        learnt = [frame for frame in new if frame.seq <= last_learnt]
        old = [frame for frame in self._old() if frame.seq <= last_learnt]
        history = self._history()
        fresh, seen = self._dataset(learnt, history), self._dataset(held_out, history)
        if not len(fresh) or not len(seen):
            raise DataValidationError("an update must have rows to learn from and rows to judge it, had none")
        rehearsed = self._dataset(old, history)
        n_drawn = min(round(self._config.rehearsal_frac * len(fresh)), len(rehearsed))
        drawn = rehearsed.take(np.sort(rng.choice(len(rehearsed), n_drawn, replace=False))) if n_drawn else None
        return Samples(fresh if drawn is None else _join(drawn, fresh), seen, n_drawn)

    def _settle(self, frame: _Decided, labels: LabelArray, returns: FloatArray) -> None:
        is_known = np.isfinite(frame.values).any(axis=1) & ~np.isinf(frame.values).any(axis=1)
        frame.labels = np.where(is_known, labels, UNDEFINED).astype(np.int8)
        frame.returns = np.array(returns)
        frame.n_rows = int((frame.labels != UNDEFINED).sum())

    def _make_room(self) -> None:
        new = self._new()
        n_rows = sum(frame.n_rows for frame in new)
        for place, frame in enumerate(new):
            n_rows -= frame.n_rows
            if n_rows < self._config.buffer_rows or len(new) - place - 1 < self.n_least_frames:
                break
            self._learnt_seq = frame.seq
        n_rows = sum(frame.n_rows for frame in self._old())
        while n_rows > self._config.history_rows:
            n_rows -= self._frames[self._lookback_bars - 1].n_rows
            self._frames.pop(0)

    def _new(self) -> list[_Decided]:
        return self._frames[self._n_old() : max(len(self._frames) - self._horizon_bars, 0)]

    def _old(self) -> list[_Decided]:
        """Return the older frames, less those that the windows of others begin with."""
        return self._frames[self._lookback_bars - 1 : self._n_old()]

    def _n_old(self) -> int:
        n_context = self._lookback_bars - 1
        if self._learnt_seq is None or not self._frames:
            return n_context
        return max(self._learnt_seq + 1 - self._frames[0].seq, n_context)

    def _history(self) -> FeatureHistory | None:
        if self._lookback_bars == 1:
            return None
        values = np.stack([frame.values for frame in self._frames])
        return FeatureHistory.of_frames(values, self._frames[0].seq, self._lookback_bars)

    def _dataset(self, frames: list[_Decided], history: FeatureHistory | None) -> Dataset:
        known = [np.flatnonzero(frame.labels != UNDEFINED) for frame in frames]

        def join(parts: list[np.ndarray], like: np.ndarray) -> np.ndarray:
            return np.concatenate([like, *(part[rows] for part, rows in zip(parts, known, strict=True))])

        return Dataset(
            rows=join([frame.values for frame in frames], np.empty((0, len(self._feature_names)))),
            labels=join([frame.labels for frame in frames], np.empty(0, np.int8)),  # type: ignore[misc]
            frame=np.repeat(np.array([frame.seq for frame in frames], dtype=np.int64), [len(rows) for rows in known]),
            feature_names=self._feature_names,
            symbol=np.concatenate([np.empty(0, np.int64), *known]),
            returns=join([frame.returns for frame in frames], np.empty(0)),  # type: ignore[misc]
            history=history,
        )


def _join(first: Dataset, second: Dataset) -> Dataset:
    """Return the rows of both; they have the same columns and the same history."""

    def both(name: str) -> np.ndarray:
        return np.concatenate([getattr(first, name), getattr(second, name)])

    return Dataset(
        rows=both("rows"),
        labels=both("labels"),
        frame=both("frame"),
        feature_names=first.feature_names,
        symbol=both("symbol"),
        returns=both("returns"),
        history=first.history,
    )
