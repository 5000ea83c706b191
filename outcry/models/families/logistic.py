"""Logistic regression with a quadratic penalty; scikit-learn fits it."""

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

_FILE = "logistic.json"


class LogisticParams(FrozenConfig):
    """Of a multinomial model on standardised columns; validation chooses among `penalties`.

    A penalty weighs half the squared coefficients against the mean log loss of a row. Values beyond the quantiles
    `winsor_frac` and 1 - `winsor_frac` of the training rows are taken for these: daily features reach 45
    deviations, and one such value would decide alone. A flag that is rarer counts for nothing.
    """

    penalties: tuple[Annotated[float, Field(gt=0)], ...] = Field(
        default=(1.0, 0.3, 0.1, 0.03, 0.01, 0.001), min_length=1
    )
    winsor_frac: float = Field(default=0.005, ge=0, lt=0.5)
    max_iterations: int = Field(default=200, gt=0)


class Logistic:
    """`outcry.models.family.Family`."""

    name = "logistic"
    params = LogisticParams
    libraries = ("sklearn",)
    answer_tolerance = EXACT_TOLERANCE
    search_spaces: Mapping[str, ParameterSpace] = {"narrow": {"winsor_frac": Span(0.001, 0.05, is_log=True)}}

    def lookback_bars(self, params: LogisticParams) -> int:
        return 1

    def fit(
        self, earlier: Dataset, validation: Dataset, whole: Dataset, params: LogisticParams, settings: FitSettings
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
            fit_sums=logistic_sums("lbfgs", 0.0, params.max_iterations, 1e-5, settings.seed),
            settings=settings,
        )

    def update(
        self, model: LinearModel, data: Dataset, params: LogisticParams, settings: UpdateSettings
    ) -> LinearModel:
        """Move the weights towards `data`; see `update_linear`."""
        return update_linear(model, data, settings)

    def load(self, files: Mapping[str, bytes], n_features: int) -> LinearModel:
        return read_linear(_FILE, sole_file(self.name, files, _FILE), n_features)


def _build(scale: Standardisation, sums: Sums) -> LinearModel:
    return LinearModel(_FILE, scale, *sums)


FAMILY = Logistic()
