"""Logistic regression with an absolute and a quadratic penalty, which leaves columns out; scikit-learn fits it."""

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field

from outcry.config import FrozenConfig
from outcry.models.dataset import Dataset
from outcry.models.family import EXACT_TOLERANCE, FitSettings, UpdateSettings, sole_file
from outcry.models.linear import LinearModel, Standardisation, read_linear
from outcry.models.linear_update import update_linear
from outcry.models.parameter_space import ParameterSpace, Span
from outcry.models.penalty_path import Sums, fit_best_penalty

_FILE = "elastic_net.json"


class ElasticNetParams(FrozenConfig):
    """Of a multinomial model on standardised columns; validation chooses among `penalties`.

    A penalty weighs ``l1_frac |w|_1 + (1 - l1_frac) |w|_2² / 2`` against the mean log loss of a row. `winsor_frac` is
    that of `outcry.models.families.logistic`.
    """

    penalties: tuple[Annotated[float, Field(gt=0)], ...] = Field(default=(0.1, 0.03, 0.01, 0.003, 0.001), min_length=1)
    l1_frac: float = Field(default=0.5, ge=0, le=1)
    winsor_frac: float = Field(default=0.005, ge=0, lt=0.5)
    max_iterations: int = Field(default=100, gt=0)


class ElasticNet:
    """`outcry.models.family.Family`.

    References
    ----------
    Zou and Hastie, "Regularization and variable selection via the elastic net", JRSS B 67, 2005, equation 3.
    Defazio, Bach and Lacoste-Julien, "SAGA: a fast incremental gradient method", NeurIPS 2014: the solver.
    """

    name = "elastic_net"
    params = ElasticNetParams
    libraries = ("sklearn",)
    answer_tolerance = EXACT_TOLERANCE
    search_spaces: Mapping[str, ParameterSpace] = {
        "narrow": {
            "l1_frac": Span(0.1, 0.9),
            "max_iterations": Span(1000, 5000, is_integer=True),
            "winsor_frac": Span(0.001, 0.05, is_log=True),
        }
    }

    def lookback_bars(self, params: ElasticNetParams) -> int:
        return 1

    def fit(
        self, earlier: Dataset, validation: Dataset, whole: Dataset, params: ElasticNetParams, settings: FitSettings
    ) -> LinearModel:
        """Fit `whole` with the penalty that does best on `validation` after a fit on `earlier`."""
        from outcry.models.logistic_fit import logistic_sums

        return fit_best_penalty(
            earlier,
            validation,
            whole,
            penalties=params.penalties,
            winsor_frac=params.winsor_frac,
            build=_build,
            fit_sums=logistic_sums("saga", params.l1_frac, params.max_iterations, 1e-3, settings.seed),
            settings=settings,
        )

    def update(
        self, model: LinearModel, data: Dataset, params: ElasticNetParams, settings: UpdateSettings
    ) -> LinearModel:
        """Move the weights towards `data`; see `update_linear`."""
        return update_linear(model, data, settings)

    def load(self, files: Mapping[str, bytes], n_features: int) -> LinearModel:
        return read_linear(_FILE, sole_file(self.name, files, _FILE), n_features)


def _build(scale: Standardisation, sums: Sums) -> LinearModel:
    return LinearModel(_FILE, scale, *sums)


FAMILY = ElasticNet()
