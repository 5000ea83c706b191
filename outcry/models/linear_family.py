"""Linear models: what their families have in common, and the penalty that does best on rows a fit has not seen."""

import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Annotated, Any, ClassVar

import numpy as np
from pydantic import Field

from outcry.config import FrozenConfig
from outcry.market.frame import FloatArray
from outcry.models.dataset import Dataset, check_labels
from outcry.models.family import EXACT_TOLERANCE, FitSettings, UpdateSettings, sole_file
from outcry.models.linear import LinearModel, Standardisation, read_linear
from outcry.models.linear_update import update_linear
from outcry.models.parameter_space import ParameterSpace, Span

Sums = tuple[FloatArray, FloatArray]
"""Coefficients (3, n_features) and intercepts (3,)."""

FitSums = Callable[[FloatArray, Dataset, float], Sums]
"""From standardised rows, what belongs to them, and a penalty; asked for the heaviest penalty first."""

Penalties = Annotated[tuple[Annotated[float, Field(gt=0)], ...], Field(min_length=1)]


class LinearParams(FrozenConfig):
    """Of a linear model on standardised columns; validation chooses among `penalties`.

    Values beyond the quantiles `winsor_frac` and 1 - `winsor_frac` of the training rows are taken for these: daily
    features reach 45 deviations, and one such value would decide alone. A flag that is rarer counts for nothing.
    """

    penalties: Penalties
    winsor_frac: float = Field(default=0.005, ge=0, lt=0.5)


class LinearFamily(ABC):
    """`outcry.models.family.Family` of a linear model, which says how its weights are found."""

    name: ClassVar[str]
    params: ClassVar[type[LinearParams]]
    libraries = ("sklearn",)
    answer_tolerance = EXACT_TOLERANCE
    search_spaces: Mapping[str, ParameterSpace] = {"narrow": {"winsor_frac": Span(0.001, 0.05, is_log=True)}}

    @abstractmethod
    def fit_sums(self, params: Any, settings: FitSettings) -> FitSums:
        """Return what fits the weights."""

    def least_probability(self, params: Any) -> float | None:
        """See `LinearModel`."""
        return None

    def lookback_bars(self, params: LinearParams) -> int:
        return 1

    def fit(
        self, earlier: Dataset, validation: Dataset, whole: Dataset, params: LinearParams, settings: FitSettings
    ) -> LinearModel:
        """Fit `earlier` with each penalty, choose the least log loss on `validation`, and fit `whole` with that one.

        Of penalties that do equally well the heaviest is taken.

        Raises
        ------
        DataValidationError
            Where the labels are of one class.
        """
        from sklearn.exceptions import ConvergenceWarning  # noqa: PLC0415 - only a fit needs it
        from threadpoolctl import threadpool_limits  # noqa: PLC0415 - as above

        check_labels(earlier.labels)
        fit_sums = self.fit_sums(params, settings)

        def build(scale: Standardisation, sums: Sums) -> LinearModel:
            return LinearModel(self._file, scale, *sums, least_probability=self.least_probability(params))

        with threadpool_limits(settings.n_threads), warnings.catch_warnings():
            # where the iterations end early, validation has seen the very coefficients that they ended with
            warnings.simplefilter("ignore", ConvergenceWarning)
            scale = Standardisation.of_rows(earlier.rows, params.winsor_frac)
            standardised = scale.apply(earlier.rows)
            losses = []
            ordered = sorted(params.penalties, reverse=True)
            for n_done, penalty in enumerate(ordered, start=1):
                model = build(scale, fit_sums(standardised, earlier, penalty))
                losses.append(_log_loss(model.predict_proba(validation.rows), validation))
                settings.report(n_done / (len(ordered) + 1))
            scale = Standardisation.of_rows(whole.rows, params.winsor_frac)
            return build(scale, fit_sums(scale.apply(whole.rows), whole, ordered[int(np.argmin(losses))]))

    def update(self, model: LinearModel, data: Dataset, params: LinearParams, settings: UpdateSettings) -> LinearModel:
        """Move the weights towards `data`; see `update_linear`."""
        return update_linear(model, data, settings)

    def load(self, files: Mapping[str, bytes], n_features: int) -> LinearModel:
        return read_linear(self._file, sole_file(self.name, files, self._file), n_features)

    @property
    def _file(self) -> str:
        return f"{self.name}.json"


def _log_loss(probability: FloatArray, data: Dataset) -> float:
    of_label = probability[np.arange(len(data)), data.labels]
    return float(np.average(-np.log(np.maximum(of_label, 1e-15)), weights=data.weights))
