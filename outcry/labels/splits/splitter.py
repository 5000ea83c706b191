"""What every splitter does, and the purge they share."""

from collections.abc import Iterable, Iterator
from typing import Protocol

import numpy as np

from outcry.errors import ConfigurationError
from outcry.labels.horizon import UNDEFINED
from outcry.market.frame import IntArray

Fold = tuple[IntArray, IntArray]
"""Training and test frames, int64, each in ascending order; either may have holes."""


class Splitter(Protocol):
    """Split frames 0..n_frames - 1 into folds, so that no training label shares a bar with a test label.

    Frames are split, not rows: a frame goes into a fold with all its symbols, since what happens in a bar happens to
    all of them. A dataset that keeps some of the frames takes the rows whose frame is in a part; lengths and gaps are
    in bars of the market, however many of them are kept.

    A label of frame t spans frames t..last, where last is ``t + horizon_bars``, or of the labels of the frame the
    farthest in `last_row`. Of the frames a fold could train on, exactly those are left out whose span, or the
    ``embargo_bars`` on either side of it, meets a span of the fold's test frames.
    """

    def split(self, n_frames: int, last_row: IntArray | None = None) -> Iterator[Fold]:
        """Yield (train, test) of each fold, oldest test frames first.

        Parameters
        ----------
        n_frames : int
        last_row : int64 (n_frames, n_symbols), optional
            The last row that each label depends on, at most ``horizon_bars`` after its own; -1 where there is none. See
            `outcry.labels.horizon.last_rows`. Absent: every label spans the whole horizon.

        Raises
        ------
        ConfigurationError
            Where there are too few frames, a fold would have no frame to train on, or a label reaches beyond the
            horizon.
        """
        ...


def purged_folds(
    folds: Iterable[Fold], n_frames: int, horizon_bars: int, embargo_bars: int, last_row: IntArray | None
) -> Iterator[Fold]:
    """Yield each fold without the training frames that `Splitter` leaves out; parameters and errors are its own."""
    last = last_frames(n_frames, horizon_bars, last_row)
    for number, (candidates, test) in enumerate(folds, start=1):
        train = candidates
        for span in np.split(test, np.flatnonzero(np.diff(test) > 1) + 1):
            is_before = last[train] + embargo_bars < span[0]
            is_after = train > last[span].max() + embargo_bars
            train = train[is_before | is_after]
        if not len(train):
            raise ConfigurationError(
                f"{n_frames} rows are too few for fold {number}: all {len(candidates)} rows to train on are purged, by "
                f"horizon_bars {horizon_bars} and embargo_bars {embargo_bars}"
            )
        yield train, test


def last_frames(n_frames: int, horizon_bars: int, last_row: IntArray | None = None) -> IntArray:
    """Return the last frame that a label of each frame depends on, int64 (n_frames,); a frame without one has itself.

    Parameters and errors are those of `Splitter.split`.
    """
    frames = np.arange(n_frames, dtype=np.int64)
    if last_row is None:
        return frames + horizon_bars
    if last_row.ndim != 2 or len(last_row) != n_frames:
        raise ConfigurationError(f"last_row must have {n_frames} rows of symbols, had shape {last_row.shape}")
    bars = np.where(last_row == UNDEFINED, 0, last_row - frames[:, None])
    if bars.size and not 0 <= bars.min() <= bars.max() <= horizon_bars:
        raise ConfigurationError(
            f"last_row must be 0 to horizon_bars {horizon_bars} after its row, was {bars.min()} to {bars.max()}"
        )
    last: IntArray = frames + bars.max(axis=1, initial=0)
    return last


def check_least(**values: tuple[int, int]) -> None:
    """Raise `ConfigurationError` where one of the named (value, least) is below the least."""
    for name, (value, least) in values.items():
        if value < least:
            raise ConfigurationError(f"{name} must be at least {least}, was {value}")


def check_enough(n_frames: int, n_parts: int, name: str) -> None:
    """Raise `ConfigurationError` where there are fewer frames than parts of that name."""
    if n_frames < n_parts:
        raise ConfigurationError(f"{n_frames} rows are too few for {n_parts} {name}")
