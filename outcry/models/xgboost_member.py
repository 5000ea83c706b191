"""The XGBoost member of the ensemble."""

import numpy as np
from xgboost import Booster
from xgboost.core import XGBoostError

from outcry.errors import BundleError
from outcry.market.frame import FloatArray
from outcry.messages import Direction


class XGBoostMember:
    """Predict with a native XGBoost model.

    Parameters
    ----------
    model : bytes
        What ``Booster.save_raw("json")`` gave; trained with ``multi:softprob``.
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
    XGBoost reads features and returns probabilities in float32; a NaN takes the default direction of each split.
    """

    def __init__(self, model: bytes, *, n_features: int, n_threads: int) -> None:
        self._booster = Booster()
        try:
            self._booster.load_model(bytearray(model))
            self._booster.set_param({"nthread": n_threads})
            found = self._booster.num_features()
            shape = self.predict_proba(np.full((1, found), np.nan)).shape
        except XGBoostError as error:
            raise BundleError(f"xgboost model cannot be read: {str(error).splitlines()[0]}") from None
        if found != n_features:
            raise BundleError(f"xgboost model must read {n_features} features, reads {found}")
        if shape != (1, len(Direction)):
            raise BundleError(f"xgboost model must give {len(Direction)} probabilities a row, gave shape {shape}")

    def predict_proba(self, rows: FloatArray) -> FloatArray:
        """Return float64 (n_rows, 3) for float64 (n_rows, n_features)."""
        return np.asarray(self._booster.inplace_predict(rows, validate_features=False), dtype=np.float64)
