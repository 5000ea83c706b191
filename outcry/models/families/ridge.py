"""Linear probability model: ridge regression on the classes, in closed form; scikit-learn fits it."""

from collections.abc import Mapping
from typing import Annotated

import numpy as np
from pydantic import Field

from outcry.config import FrozenConfig
from outcry.market.frame import FloatArray
from outcry.messages import Direction
from outcry.models.dataset import Dataset
from outcry.models.family import EXACT_TOLERANCE, FitSettings, UpdateSettings, sole_file
from outcry.models.linear import LinearModel, Standardisation, read_linear
from outcry.models.linear_update import update_linear
from outcry.models.parameter_space import ParameterSpace, Span
from outcry.models.penalty_path import Sums, fit_best_penalty

_FILE = "ridge.json"


class RidgeParams(FrozenConfig):
    """Of least squares on standardised columns; validation chooses among `penalties`.

    A penalty weighs the squared coefficients against the mean squared error of a row. A sum below `least_probability`
    is taken for it, then the three are divided by what they add up to. `winsor_frac` is that of
    `outcry.models.families.logistic`.
    """

    penalties: tuple[Annotated[float, Field(gt=0)], ...] = Field(default=(10.0, 3.0, 1.0, 0.3, 0.1, 0.01), min_length=1)
    winsor_frac: float = Field(default=0.005, ge=0, lt=0.5)
    least_probability: float = Field(default=0.01, gt=0, lt=1 / 3)


class Ridge:
    """`outcry.models.family.Family`.

    References
    ----------
    Hoerl and Kennard, "Ridge regression: biased estimation for nonorthogonal problems", Technometrics 12, 1970.
    """

    name = "ridge"
    params = RidgeParams
    libraries = ("sklearn",)
    answer_tolerance = EXACT_TOLERANCE
    search_spaces: Mapping[str, ParameterSpace] = {"narrow": {"winsor_frac": Span(0.001, 0.05, is_log=True)}}

    def lookback_bars(self, params: RidgeParams) -> int:
        return 1

    def fit(
        self, earlier: Dataset, validation: Dataset, whole: Dataset, params: RidgeParams, settings: FitSettings
    ) -> LinearModel:
        """Fit `whole` with the penalty that does best on `validation` after a fit on `earlier`."""

        def build(scale: Standardisation, sums: Sums) -> LinearModel:
            return LinearModel(_FILE, scale, *sums, least_probability=params.least_probability)

        return fit_best_penalty(
            earlier,
            validation,
            whole,
            penalties=params.penalties,
            winsor_frac=params.winsor_frac,
            build=build,
            fit_sums=_fit_sums,
            settings=settings,
        )

    def update(self, model: LinearModel, data: Dataset, params: RidgeParams, settings: UpdateSettings) -> LinearModel:
        """Move the weights towards `data`; see `update_linear`."""
        return update_linear(model, data, settings)

    def load(self, files: Mapping[str, bytes], n_features: int) -> LinearModel:
        return read_linear(_FILE, sole_file(self.name, files, _FILE), n_features)


def _fit_sums(standardised: FloatArray, data: Dataset, penalty: float) -> Sums:
    from sklearn.linear_model import Ridge as Regression

    regression = Regression(alpha=penalty * len(data), solver="cholesky")
    regression.fit(standardised, np.eye(len(Direction))[data.labels], sample_weight=data.weights)
    return np.asarray(regression.coef_), np.asarray(regression.intercept_)


FAMILY = Ridge()
