"""Logistic regression with a quadratic penalty; scikit-learn fits it."""

from pydantic import Field

from outcry.models.family import FitSettings
from outcry.models.linear_family import FitSums, LinearFamily, LinearParams, Penalties


class LogisticParams(LinearParams):
    """See `LinearParams`; a penalty weighs half the squared coefficients against the mean log loss of a row."""

    penalties: Penalties = (1.0, 0.3, 0.1, 0.03, 0.01, 0.001)
    max_iterations: int = Field(default=200, gt=0)


class Logistic(LinearFamily):
    """`outcry.models.family.Family`."""

    name = "logistic"
    params = LogisticParams

    def fit_sums(self, params: LogisticParams, settings: FitSettings) -> FitSums:
        from outcry.models.logistic_fit import logistic_sums

        return logistic_sums("lbfgs", 0.0, params.max_iterations, 1e-5, settings.seed)


FAMILY = Logistic()
