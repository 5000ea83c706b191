"""Wrappers: sets of columns are judged by the model that is fitted on them."""

import numpy as np

from configs.selection import EliminationConfig, ForwardConfig
from configs.training import TrainingConfig
from outcry.market.frame import FloatArray, IntArray
from outcry.models.dataset import Dataset, check_labels
from training.dataset import split_in_time
from training.selection.choice import Selection, keep_marked
from training.selection.rows import thin
from training.selection.trees import build_trees, log_loss


def select_by_elimination(data: Dataset, step: EliminationConfig, config: TrainingConfig) -> Selection:
    """Fit trees on all columns, drop those of least gain, and again, until `n_columns` are left.

    The score of a column that is left is 1 + its share of the gain in the last fit; that of one dropped is 1 / its
    ranking, which is 2 for those dropped last. A column that is left without any gain is not chosen,
    unless none has any.

    Raises
    ------
    DataValidationError
        Where the label is constant.

    Notes
    -----
    NaN is a value to the trees. The rows are thinned to `max_rows`.

    References
    ----------
    Guyon, Weston, Barnhill & Vapnik, "Gene selection for cancer classification using support vector machines", 2002
    (recursive feature elimination).
    """
    check_labels(data.labels)
    data = thin(data, step.max_rows, config.seed)
    n_features = len(data.feature_names)
    n_dropped = max(1, int(step.step_frac * n_features))
    left = np.arange(n_features)
    dropped: list[IntArray] = []
    while True:
        gain: FloatArray = build_trees(config).fit(data.rows[:, left], data.labels).feature_importances_
        n_excess = len(left) - step.n_columns
        if n_excess <= 0:
            break
        least_first = np.argsort(gain, kind="stable")
        dropped.append(left[least_first[: min(n_dropped, n_excess)]])
        left = np.setdiff1d(left, dropped[-1])
    scores = np.zeros(n_features)
    scores[left] = 1.0 + gain / (gain.sum() or 1.0)
    for ranking, columns in enumerate(reversed(dropped), start=2):
        scores[columns] = 1.0 / ranking
    is_kept = np.zeros(n_features, dtype=bool)
    is_kept[left] = gain > 0.0
    return keep_marked(step.method, data.feature_names, scores, is_kept, or_all=True)


def select_forward(data: Dataset, step: ForwardConfig, config: TrainingConfig) -> Selection:
    """Start with no column, and add the one that lowers the held-out log loss most, until none lowers it enough.

    The score of a chosen column is the log loss saved by all columns from it on, in nats a row, so that the first one
    has the most; any other column has 0. Where no column lowers the loss enough all are kept.

    Raises
    ------
    ConfigurationError
        Where the frames are too few to hold some out.
    DataValidationError
        Where the label is constant.

    Notes
    -----
    Trees learn from the earlier rows and are judged on the purged last part of the training rows, never on random
    folds: neighbouring rows nearly repeat each other. NaN is a value to the trees. The rows are thinned to `max_rows`.

    References
    ----------
    Whitney, "A direct method of nonparametric measurement selection", IEEE Transactions on Computers, 1971.
    """
    earlier, held_out = split_in_time(thin(data, step.max_rows, config.seed), config)
    chosen: list[int] = []
    classes, counts = np.unique(earlier.labels, return_counts=True)
    losses = [log_loss(np.tile(counts / len(earlier), (len(held_out), 1)), held_out.labels, classes)]
    n_features = len(data.feature_names)
    while len(chosen) < min(step.n_columns, n_features):
        left = [k for k in range(n_features) if k not in chosen]
        tried = [_held_out_loss(earlier, held_out, [*chosen, k], step, config) for k in left]
        best = int(np.argmin(tried))
        if losses[-1] - tried[best] <= step.min_gain_nats:
            break
        chosen.append(left[best])
        losses.append(tried[best])
    scores: FloatArray = np.zeros(n_features)
    scores[chosen] = np.array(losses[:-1]) - losses[-1]
    return keep_marked(step.method, data.feature_names, scores, scores > 0.0, or_all=True)


def _held_out_loss(
    earlier: Dataset, held_out: Dataset, columns: list[int], step: ForwardConfig, config: TrainingConfig
) -> float:
    # every tree sees every column: sets are compared, not which of their columns were drawn
    trees = build_trees(config).set_params(n_estimators=step.n_rounds, colsample_bytree=1.0)
    trees.fit(earlier.rows[:, columns], earlier.labels)
    return log_loss(trees.predict_proba(held_out.rows[:, columns]), held_out.labels, trees.classes_)
