"""The LightGBM member of the ensemble."""

import numpy as np
from lightgbm import Booster
from lightgbm.basic import LightGBMError

from outcry.errors import BundleError
from outcry.market.frame import FloatArray
from outcry.messages import Direction


class LightGBMMember:
    """Predict with a native LightGBM model.

    Parameters
    ----------
    model : bytes
        What ``Booster.model_to_string()`` gave; trained with objective ``multiclass``.
    n_features : int
        Columns of the rows it will see.
    n_threads : int
        Of one call.

    Raises
    ------
    BundleError
        Where the bytes are no such model.

    Notes
    -----
    A NaN takes the default direction of each split.
    """

    def __init__(self, model: bytes, *, n_features: int, n_threads: int) -> None:
        try:
            self._booster = Booster(model_str=model.decode())
        except (LightGBMError, UnicodeDecodeError) as error:
            raise BundleError(f"lightgbm model cannot be read: {error}") from None
        self._n_threads = n_threads
        found = self._booster.num_feature()
        if found != n_features:
            raise BundleError(f"lightgbm model must read {n_features} features, reads {found}")
        shape = self.predict_proba(np.full((1, found), np.nan)).shape
        if shape != (1, len(Direction)):
            raise BundleError(f"lightgbm model must give {len(Direction)} probabilities a row, gave shape {shape}")

    def predict_proba(self, rows: FloatArray) -> FloatArray:
        """Return float64 (n_rows, 3) for float64 (n_rows, n_features)."""
        return np.asarray(self._booster.predict(rows, num_threads=self._n_threads), dtype=np.float64)
