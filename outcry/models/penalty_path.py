"""Fit a linear model with the penalty that does best on rows it has not seen."""

import warnings
from collections.abc import Callable, Sequence

import numpy as np

from outcry.market.frame import FloatArray
from outcry.models.dataset import Dataset, check_labels
from outcry.models.family import FitSettings
from outcry.models.linear import LinearModel, Standardisation

Sums = tuple[FloatArray, FloatArray]
"""Coefficients (3, n_features) and intercepts (3,)."""

FitSums = Callable[[FloatArray, Dataset, float], Sums]
"""From standardised rows, what belongs to them, and a penalty; asked for the heaviest penalty first."""


def fit_best_penalty(
    earlier: Dataset,
    validation: Dataset,
    whole: Dataset,
    *,
    penalties: Sequence[float],
    winsor_frac: float,
    build: Callable[[Standardisation, Sums], LinearModel],
    fit_sums: FitSums,
    settings: FitSettings,
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
    with threadpool_limits(settings.n_threads), warnings.catch_warnings():
        # where the iterations end early, validation has seen the very coefficients that they ended with
        warnings.simplefilter("ignore", ConvergenceWarning)
        scale = Standardisation.of_rows(earlier.rows, winsor_frac)
        standardised = scale.apply(earlier.rows)
        losses = []
        ordered = sorted(penalties, reverse=True)
        for n_done, penalty in enumerate(ordered, start=1):
            model = build(scale, fit_sums(standardised, earlier, penalty))
            losses.append(_log_loss(model.predict_proba(validation.rows), validation))
            settings.report(n_done / (len(ordered) + 1))
        scale = Standardisation.of_rows(whole.rows, winsor_frac)
        return build(scale, fit_sums(scale.apply(whole.rows), whole, ordered[int(np.argmin(losses))]))


def _log_loss(probability: FloatArray, data: Dataset) -> float:
    of_label = probability[np.arange(len(data)), data.labels]
    return float(np.average(-np.log(np.maximum(of_label, 1e-15)), weights=data.weights))
