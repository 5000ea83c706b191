"""The fit of a model over the members."""

import numpy as np

from configs.ensemble import StackedConfig
from outcry.market.frame import FloatArray
from outcry.messages import Direction
from outcry.models.combiners.stacking import StackingFeature, StackingInputs, StackingSpec
from training.ensembles.out_of_fold import OutOfFold


def fit_stacking(data: OutOfFold, config: StackedConfig) -> StackingSpec:
    """Fit a linear model to what the members said and what came.

    Parameters
    ----------
    data : OutOfFold
        Of known rows; at least one.
    config : StackedConfig

    Notes
    -----
    A row of each class, with the mean of all inputs, is added: no class is missing, and none gets a probability of 0.

    References
    ----------
    Wolpert, "Stacked generalization", Neural Networks 1992; Ting & Witten, "Issues in stacked generalization", JAIR
    1999, section 3 (class probabilities as inputs).
    """
    from sklearn.linear_model import LogisticRegression, Ridge  # noqa: PLC0415 - half a second, for this method alone

    columns = data.columns_of(config.features)
    features = tuple(
        _measure(name, data.rows[:, column]) for name, column in zip(config.features, columns, strict=True)
    )
    inputs = StackingInputs(features).read(np.ascontiguousarray(data.probability), data.rows, columns)
    inputs = np.vstack((inputs, np.tile(inputs.mean(axis=0), (len(Direction), 1))))
    labels = np.concatenate((data.labels, np.array(Direction, dtype=np.int8)))
    penalty = config.l2 * len(labels)
    if config.meta_learner == "logistic":
        model = LogisticRegression(C=1.0 / penalty, max_iter=1_000, tol=1e-8).fit(inputs, labels)
    else:
        model = Ridge(alpha=penalty).fit(inputs, np.eye(len(Direction))[labels])
    return StackingSpec.model_validate(
        {
            "min_agreement_frac": config.min_agreement_frac,
            "link": "softmax" if config.meta_learner == "logistic" else "clip",
            "intercepts": model.intercept_.tolist(),
            "coefficients": model.coef_.tolist(),
            "features": features,
        }
    )


def _measure(name: str, values: FloatArray) -> StackingFeature:
    known = values[np.isfinite(values)]
    deviation = float(known.std()) if known.size else 0.0
    return StackingFeature(name=name, mean=float(known.mean()) if known.size else 0.0, deviation=deviation or 1.0)
