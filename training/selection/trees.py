"""The trees that methods ask about columns: those of the ensemble's LightGBM member."""

import lightgbm
import numpy as np

from configs.training import TrainingConfig
from outcry.labels.horizon import LabelArray
from outcry.market.frame import FloatArray

_LEAST_PROBABILITY = 1e-15


def build_trees(config: TrainingConfig) -> lightgbm.LGBMClassifier:
    """Return unfitted trees: `max_rounds` rounds, the same for the same seed, importance by gain.

    NaN is a value to them: each split learns to which side it goes.
    """
    chosen = config.lightgbm
    return lightgbm.LGBMClassifier(
        n_estimators=chosen.max_rounds,
        learning_rate=chosen.learning_rate,
        num_leaves=chosen.n_leaves,
        min_child_samples=chosen.min_leaf_rows,
        subsample=chosen.subsample_frac,
        subsample_freq=1,
        colsample_bytree=chosen.colsample_frac,
        reg_alpha=chosen.reg_alpha,
        reg_lambda=chosen.reg_lambda,
        max_bin=config.max_bins,
        importance_type="gain",
        random_state=config.seed,
        n_jobs=config.n_threads,
        deterministic=True,
        force_row_wise=True,
        verbosity=-1,
    )


def log_loss(probability: FloatArray, labels: LabelArray, classes: LabelArray) -> float:
    """Return the mean of ``-ln p_label``, in nats.

    Parameters
    ----------
    probability : float64 (n_rows, n_classes)
    labels : int8 (n_rows,)
        A label that is none of `classes` had the probability 1e-15.
    classes : int8 (n_classes,)
        Of the columns, increasing.
    """
    column = np.minimum(np.searchsorted(classes, labels), len(classes) - 1)
    of_label = np.where(classes[column] == labels, probability[np.arange(len(labels)), column], 0.0)
    return float(-np.log(np.maximum(of_label, _LEAST_PROBABILITY)).mean())
