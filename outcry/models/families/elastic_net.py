"""Logistic regression with an absolute and a quadratic penalty, which leaves columns out; scikit-learn fits it."""

from collections.abc import Mapping

from pydantic import Field

from outcry.models.family import FitSettings
from outcry.models.linear_family import FitSums, LinearFamily, LinearParams, Penalties
from outcry.models.parameter_space import ParameterSpace, Span


class ElasticNetParams(LinearParams):
    """See `LinearParams`.

    A penalty weighs ``l1_frac |w|_1 + (1 - l1_frac) |w|_2² / 2`` against the mean log loss of a row.
    """

    penalties: Penalties = (0.1, 0.03, 0.01, 0.003, 0.001)
    l1_frac: float = Field(default=0.5, ge=0, le=1)
    max_iterations: int = Field(default=100, gt=0)


class ElasticNet(LinearFamily):
    """`outcry.models.family.Family`.

    References
    ----------
    Zou and Hastie, "Regularization and variable selection via the elastic net", JRSS B 67, 2005, equation 3.
    Defazio, Bach and Lacoste-Julien, "SAGA: a fast incremental gradient method", NeurIPS 2014: the solver.
    """

    name = "elastic_net"
    params = ElasticNetParams
    search_spaces: Mapping[str, ParameterSpace] = {
        "narrow": {
            "l1_frac": Span(0.1, 0.9),
            "max_iterations": Span(1000, 5000, is_integer=True),
            "winsor_frac": Span(0.001, 0.05, is_log=True),
        }
    }

    def fit_sums(self, params: ElasticNetParams, settings: FitSettings) -> FitSums:
        from outcry.models.logistic_fit import logistic_sums

        return logistic_sums("saga", params.l1_frac, params.max_iterations, 1e-3, settings.seed)


FAMILY = ElasticNet()
