"""How sure a forecast is."""

import numpy as np

from outcry.market.frame import FloatArray
from outcry.messages import Direction


def confidence(probability: FloatArray) -> FloatArray:
    """Rescale the largest class probability so that an even split is 0 and certainty is 1.

    ``(max_k p_k - 1/K) / (1 - 1/K)`` with K = 3 classes, clipped to [0, 1]: for two classes this is ``2 |p - 1/2|``.

    Parameters
    ----------
    probability : float64 (n_rows, 3)
        Rows sum to 1, or are NaN.

    Returns
    -------
    float64 (n_rows,)
        In [0, 1]; 0 for a NaN row.
    """
    even = 1.0 / len(Direction)
    largest = probability.max(axis=1)  # NaN where the row has one
    rescaled: FloatArray = np.clip((largest - even) / (1.0 - even), 0.0, 1.0)
    return np.where(np.isnan(rescaled), 0.0, rescaled)
