"""The forecast of a model as one more alpha."""

import numpy as np

from outcry.market.frame import FloatArray
from outcry.messages import Direction, ReasonArray


def forecast_score(probability: FloatArray, abstain: ReasonArray | None = None) -> FloatArray:
    """Return the edge, ``p_up - p_down``, in [-1, 1].

    Parameters
    ----------
    probability : float64 (..., n_symbols, 3)
        In the order of `Direction`; NaN where there is no forecast. Of a model that did not learn from these frames:
        weights that are fitted to forecasts of its own training rows trust it too much.
    abstain : int8 (..., n_symbols), optional
        Of `AbstainReason`: where it is not 0, the model has no opinion.

    Returns
    -------
    float64 (..., n_symbols)
        NaN where not known.
    """
    edge: FloatArray = probability[..., Direction.UP] - probability[..., Direction.DOWN]
    return edge if abstain is None else np.where(abstain == 0, edge, np.nan)
