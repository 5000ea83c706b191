"""What forecasts would have earned for their risk: a measure to stop a fit by, beside the log loss."""

import numpy as np

from outcry.errors import DataValidationError
from outcry.market.frame import FloatArray
from outcry.messages import Direction
from outcry.models.dataset import Dataset


def forecast_sharpe(probability: FloatArray, data: Dataset) -> float:
    """Return the Sharpe ratio of a frame: the mean over the deviation of ``mean over symbols of (p_up - p_down) r``.

    Not by the year, before costs, and with returns r over the horizon, so that those of neighbouring frames share bars:
    it says which of two forecasts of the same rows is better, not what trading them earns.

    Parameters
    ----------
    probability : float64 (n_rows, 3)
        Columns in the order of `Direction`.
    data : Dataset
        With the returns of its rows.

    Returns
    -------
    float
        0 where every frame earned the same.

    Raises
    ------
    DataValidationError
        Where the rows have no returns.
    """
    if data.returns is None:
        raise DataValidationError("a Sharpe ratio needs the returns of the rows, there are none")
    earned = (probability[:, Direction.UP] - probability[:, Direction.DOWN]) * np.nan_to_num(data.returns)
    _, place = np.unique(data.frame, return_inverse=True)
    by_frame = np.bincount(place, earned) / np.bincount(place)
    deviation = float(by_frame.std())
    return float(by_frame.mean()) / deviation if deviation > 0.0 else 0.0
