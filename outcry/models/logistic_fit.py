"""Fit a multinomial logistic regression of scikit-learn at a penalty."""

from typing import Any

import numpy as np

from outcry.market.frame import FloatArray
from outcry.messages import Direction
from outcry.models.dataset import Dataset
from outcry.models.linear_family import FitSums, Sums


def logistic_sums(solver: str, l1_frac: float, max_iterations: int, tolerance: float, seed: int) -> FitSums:
    """Return what fits at one penalty after the other, each from where the last one ended.

    The mean log loss plus ``penalty (l1_frac |w|_1 + (1 - l1_frac) |w|_2² / 2)`` is made least.
    """
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415 - only a fit needs it

    models: dict[bytes, LogisticRegression] = {}

    def fit(standardised: FloatArray, data: Dataset, penalty: float) -> Sums:
        new = LogisticRegression(
            solver=solver,
            l1_ratio=l1_frac,
            max_iter=max_iterations,
            tol=tolerance,
            warm_start=True,
            random_state=seed,
        )
        model = models.setdefault(np.unique(data.labels).tobytes(), new)  # of other classes: no place to start from
        # the library multiplies the sum of losses by C, where we take their mean: weights have mean 1
        model.set_params(C=1.0 / (penalty * len(data)))
        model.fit(standardised, data.labels, sample_weight=data.weights)
        return _of_all_classes(model)

    return fit


def _of_all_classes(model: Any) -> Sums:
    """Return sums for each direction, of a model that knows two of them or three."""
    coefficients, intercepts = model.coef_, model.intercept_
    if len(model.classes_) == 2:  # the library keeps the sum of the second alone
        coefficients, intercepts = np.stack((0.0 * coefficients[0], coefficients[0])), np.array([0.0, intercepts[0]])
    every = np.zeros((len(Direction), coefficients.shape[1]))
    every[model.classes_] = coefficients
    of_class = np.full(len(Direction), -np.inf)
    of_class[model.classes_] = intercepts
    return every, of_class
