"""Move a fitted linear model towards more rows."""

import numpy as np

from outcry.market.frame import FloatArray
from outcry.messages import Direction
from outcry.models.dataset import Dataset
from outcry.models.family import UpdateSettings
from outcry.models.linear import LinearModel

ANCHOR = 0.1
"""Weighs half the squared distance from the old weights, on standardised columns, against the mean loss of a row."""


def update_linear(model: LinearModel, data: Dataset, settings: UpdateSettings) -> LinearModel:
    """Return the model after ``settings.n_rounds`` iterations of L-BFGS from its weights.

    The loss is that of its fit: the log loss of a softmax, half the squared error of sums that are probabilities. The
    scale of the columns stays; a column without a weight gets none, and a class that had never come is left out.
    """
    from scipy.optimize import minimize  # noqa: PLC0415 - only an update needs it
    from threadpoolctl import threadpool_limits  # noqa: PLC0415 - as above

    known = np.flatnonzero(np.isfinite(model.intercepts))
    used = np.flatnonzero(model.coefficients.any(axis=0))
    data = data.take(np.isin(data.labels, known))
    if not len(data):
        return model
    rows = np.column_stack([model.standardisation.apply(data.rows)[:, used], np.ones(len(data))])
    came = np.eye(len(Direction))[data.labels][:, known]
    share = (np.ones(len(data)) if data.weights is None else data.weights) / len(data)
    start = np.column_stack([model.coefficients[np.ix_(known, used)], model.intercepts[known]])

    def loss_of(flat: FloatArray) -> tuple[float, FloatArray]:
        weights = flat.reshape(start.shape)
        moved = weights - start
        sums = rows @ weights.T
        if model.least_probability is None:
            sums -= sums.max(axis=1, keepdims=True)
            log_total = np.log(np.exp(sums).sum(axis=1, keepdims=True))
            loss = float(-(share @ (came * (sums - log_total)).sum(axis=1)))
            error = np.exp(sums - log_total) - came
        else:
            error = sums - came
            loss = float(0.5 * share @ (error**2).sum(axis=1))
        slope = (error * share[:, np.newaxis]).T @ rows
        return loss + 0.5 * ANCHOR * float((moved**2).sum()), (slope + ANCHOR * moved).ravel()

    with threadpool_limits(settings.n_threads):
        found = minimize(loss_of, start.ravel(), jac=True, method="L-BFGS-B", options={"maxiter": settings.n_rounds})
    weights = found.x.reshape(start.shape)
    coefficients, intercepts = model.coefficients.copy(), model.intercepts.copy()
    coefficients[np.ix_(known, used)], intercepts[known] = weights[:, :-1], weights[:, -1]
    return model.with_weights(coefficients, intercepts)
