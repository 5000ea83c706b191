"""Linear probability model: ridge regression on the classes, in closed form; scikit-learn fits it."""

import numpy as np
from pydantic import Field

from outcry.market.frame import FloatArray
from outcry.messages import Direction
from outcry.models.dataset import Dataset
from outcry.models.family import FitSettings
from outcry.models.linear_family import FitSums, LinearFamily, LinearParams, Penalties, Sums


class RidgeParams(LinearParams):
    """See `LinearParams`; a penalty weighs the squared coefficients against the mean squared error of a row.

    A sum below `least_probability` is taken for it, then the three are divided by what they add up to.
    """

    penalties: Penalties = (10.0, 3.0, 1.0, 0.3, 0.1, 0.01)
    least_probability: float = Field(default=0.01, gt=0, lt=1 / 3)


class Ridge(LinearFamily):
    """`outcry.models.family.Family`.

    References
    ----------
    Hoerl and Kennard, "Ridge regression: biased estimation for nonorthogonal problems", Technometrics 12, 1970.
    """

    name = "ridge"
    params = RidgeParams

    def fit_sums(self, params: RidgeParams, settings: FitSettings) -> FitSums:
        return _fit_sums

    def least_probability(self, params: RidgeParams) -> float:
        return params.least_probability


def _fit_sums(standardised: FloatArray, data: Dataset, penalty: float) -> Sums:
    from sklearn.linear_model import Ridge as Regression

    regression = Regression(alpha=penalty * len(data), solver="cholesky")
    regression.fit(standardised, np.eye(len(Direction))[data.labels], sample_weight=data.weights)
    return np.asarray(regression.coef_), np.asarray(regression.intercept_)


FAMILY = Ridge()
