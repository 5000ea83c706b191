"""Rows of a data set as batches of windows: only the batch in hand is copied."""

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from outcry.errors import DataValidationError
from outcry.market.frame import Float32Array, IntArray
from outcry.models.dataset import Dataset
from outcry.models.neural.network import Batch
from outcry.models.neural.scaler import WindowScaler

CLIP_RETURN_SIGMA = 5.0


class WindowBatches:
    """The windows of a data set, batch by batch.

    Parameters
    ----------
    data : Dataset
        With a history and the symbol of each row.
    lookback_bars : int
    scaler : WindowScaler
    return_scale : float
        Deviation of the training returns, by which returns are divided.
    device : torch.device

    Raises
    ------
    DataValidationError
        Where there is no history, it is too short, or there are no rows.
    """

    def __init__(
        self,
        data: Dataset,
        lookback_bars: int,
        scaler: WindowScaler,
        return_scale: float,
        device: torch.device | None = None,
    ) -> None:
        if data.history is None or data.symbol is None:
            raise DataValidationError("windows need the history of the rows, there is none")
        if not len(data):
            raise DataValidationError("windows must be of one row or more, there are none")
        self._views = data.history.windows(lookback_bars)
        self._places = data.history.places(data.frame, data.symbol)
        self._scaler = scaler
        self._device = device or torch.device("cpu")
        self.labels = torch.from_numpy(data.labels.astype(np.int64))
        weights = np.ones(len(data)) if data.weights is None else data.weights
        self.weights = torch.from_numpy(weights.astype(np.float32))
        self.returns: Tensor | None = None
        if data.returns is not None:
            scaled = np.clip(data.returns / return_scale, -CLIP_RETURN_SIGMA, CLIP_RETURN_SIGMA)
            self.returns = torch.from_numpy(np.nan_to_num(scaled).astype(np.float32))

    def __len__(self) -> int:
        return len(self._places)

    def windows(self, rows: IntArray) -> Float32Array:
        """Return the scaled windows of some rows, float32 (n, lookback_bars, n_channels)."""
        return self._scaler.transform(self._views[self._places[rows]])

    def batch(self, rows: IntArray) -> Batch:
        """Return some rows on the device."""
        index, device = torch.from_numpy(rows), self._device
        return Batch(
            torch.from_numpy(self.windows(rows)).to(device),
            self.labels[index].to(device),
            self.weights[index].to(device),
            None if self.returns is None else self.returns[index].to(device),
        )

    def in_order(self, n_rows: int, rank: int = 0, n_ranks: int = 1) -> Iterator[Batch]:
        """Yield all rows, the last batch perhaps short; of several ranks, each has other batches."""
        for start in range(rank * n_rows, len(self), n_ranks * n_rows):
            yield self.batch(np.arange(start, min(start + n_rows, len(self))))

    def plan(self, n_rows: int, rng: np.random.Generator, rank: int = 0, n_ranks: int = 1) -> list[IntArray]:
        """Return the rows of each batch of an epoch, shuffled; every rank has as many.

        The rows that do not fill a batch are left out, others each epoch, unless there is no full batch.
        """
        order = rng.permutation(len(self))[rank::n_ranks][: len(self) // n_ranks]
        n_full = len(order) // n_rows
        return list(order[: n_full * n_rows].reshape(n_full, n_rows)) if n_full else [order]
