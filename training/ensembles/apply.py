"""Combine what members said out of fold, row by row or frame after frame."""

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from outcry.labels.horizon import UNDEFINED
from outcry.market.frame import FloatArray
from outcry.messages import Direction
from outcry.models.combiners import Combiner, OnlineCombiner, settle_labels
from outcry.models.combiners.hidden_markov import GaussianStates, StateFilter
from training.ensembles.out_of_fold import OutOfFold

Number = TypeVar("Number", np.float64, np.int8)


class FrameGrid:
    """Where rows stand among all frames and symbols.

    Parameters
    ----------
    data : OutOfFold

    Attributes
    ----------
    first_frame : int
    shape : tuple of int
        (n_frames, n_symbols); frames without a row, between the first and the last, are among them.
    """

    def __init__(self, data: OutOfFold) -> None:
        self.first_frame = int(data.frame[0]) if len(data) else 0
        last_frame = int(data.frame[-1]) if len(data) else -1
        self.shape = (last_frame - self.first_frame + 1, int(data.symbol.max()) + 1 if len(data) else 0)
        self._where = (data.frame - self.first_frame, data.symbol)

    def spread(self, by_row: NDArray[Number], missing: float) -> NDArray[Number]:
        """Return (n_frames, n_symbols, …) of (n_rows, …) values."""
        spread = np.full((*self.shape, *by_row.shape[1:]), missing, dtype=by_row.dtype)
        spread[self._where] = by_row
        return spread

    def gather(self, by_frame: FloatArray) -> FloatArray:
        """Return (n_rows, …) of (n_frames, n_symbols or 1, …) values."""
        frame, symbol = self._where
        by_row: FloatArray = by_frame[frame, symbol if by_frame.shape[1] > 1 else 0]
        return by_row


def combine_rows(combiner: Combiner, data: OutOfFold) -> FloatArray:
    """Return float64 (n_rows, 3): what the combiner says of each row.

    A combiner whose weights move begins anew, and is told each outcome `horizon_bars` of the data after its frame. It
    is left as it was fitted.
    """
    if not len(data):
        return np.empty((0, len(Direction)))
    columns = data.columns_of(combiner.feature_names)
    if not isinstance(combiner, OnlineCombiner):
        return combiner.combine(data.probability, data.rows, columns)
    grid = FrameGrid(data)
    settled = settle_labels(grid.spread(data.labels, UNDEFINED), data.horizon_bars)
    said = np.stack([grid.spread(member, np.nan) for member in data.probability])
    features = grid.spread(data.rows[:, columns], np.nan)
    own = np.arange(len(columns))
    combiner.restart()
    combined = combiner.replay(grid.first_frame, said, settled, features, own)
    combiner.restart()
    return grid.gather(combined)


def filter_rows(states: GaussianStates, data: OutOfFold, *, is_market: bool) -> FloatArray:
    """Return float64 (n_rows, n_states): the probability of each hidden state, given the frames up to that of the row.

    Zeros where nothing was observed yet.
    """
    grid, state_filter = FrameGrid(data), StateFilter(states)
    features = grid.spread(data.rows[:, data.columns_of(states.features)], np.nan)
    arrays = state_filter.begin(1 if is_market else grid.shape[1])
    return grid.gather(state_filter.advance(arrays, features, np.arange(features.shape[2]), is_market=is_market))
