"""Windows of a frame: asked for, and put together out of parts."""

from collections.abc import Sequence

import numpy as np

from outcry.errors import PredictionError
from outcry.market.frame import Float32Array, IntArray
from outcry.messages import FeatureFrame, WindowPart


async def read_windows(features: FeatureFrame, columns: IntArray, n_bars: int) -> tuple[WindowPart, ...]:
    """Return the last `n_bars` rows of some columns, those of the frame last, in parts that make up all symbols.

    Raises
    ------
    PredictionError
        Where fewer are kept.
    """
    if features.windows is None:
        raise PredictionError(f"windows of {n_bars} rows must be kept, none are; see floor.window_bars")
    return await features.windows(columns, n_bars)


def join_windows(parts: Sequence[WindowPart], n_symbols: int, n_columns: int) -> Float32Array:
    """Put parts together, each with its array at hand.

    Parameters
    ----------
    parts : sequence of WindowPart
        Which hold every symbol and every column once.
    n_symbols, n_columns : int

    Returns
    -------
    float32 (n_symbols, n_bars, n_columns)
        A view with the strides of `outcry.models.dataset.window_view`; nothing is copied where there is one part.
    """
    frames: Float32Array = parts[0].values
    if len(parts) > 1:
        frames = np.empty((len(frames), n_symbols, n_columns), dtype=np.float32)
        for part in parts:
            frames[:, part.symbols[:, np.newaxis], part.places] = part.values
    return frames.transpose(1, 0, 2)
