"""Embedded methods: one model is fitted on all columns, and says which of them it uses."""

import numpy as np
from lightgbm import LGBMClassifier
from scipy.sparse import csc_matrix
from sklearn.impute import SimpleImputer
from sklearn.inspection import permutation_importance
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from configs.selection import GainConfig, LassoConfig, PermutationConfig, ShapConfig
from configs.training import TrainingConfig
from outcry.labels.horizon import LabelArray
from outcry.market.frame import FloatArray
from outcry.models.dataset import Dataset, check_labels
from training.dataset import split_in_time
from training.selection.choice import Selection, keep_best
from training.selection.rows import thin
from training.selection.trees import build_trees, log_loss


def select_by_lasso(data: Dataset, step: LassoConfig, config: TrainingConfig) -> Selection:
    """Choose the columns that an L1 penalty leaves in a logistic regression on the classes.

    With W the coefficients of standardised columns: minimise ``mean_i(-ln p_label(x_i; W)) + penalty * Σ|W|``. The
    penalty is a fraction of the least one that leaves no coefficient. Of a path of falling fractions, the one with
    the least log loss on the purged last part of the training rows is taken, then fitted on all of them. The score is
    the sum of \\|coefficient\\| over the classes, per standard deviation of the column.

    Raises
    ------
    ConfigurationError
        Where the frames are too few to hold some out.
    DataValidationError
        Where the label is constant or no column is left.

    Notes
    -----
    NaN becomes the median of the column; medians, means and deviations are those of the rows of the fit. A column that
    is constant or never known has the score 0. The rows are thinned to `max_rows`. Columns that say nearly the same
    share what they say in a way that depends on the solver: cluster by correlation before.

    References
    ----------
    Tibshirani, "Regression shrinkage and selection via the lasso", 1996.
    Friedman, Hastie & Tibshirani, "Regularization paths for generalized linear models via coordinate descent", 2010,
    section 2.5 (the path of penalties).
    """
    data = thin(data, step.max_rows, config.seed)
    earlier, held_out = split_in_time(data, config)
    scale = _scaler().fit(earlier.rows)
    rows, unseen = scale.transform(earlier.rows), scale.transform(held_out.rows)
    fractions = np.geomspace(1.0, step.least_penalty_frac, step.n_penalties + 1)[1:]
    regression = _regression(config.seed)
    losses = []
    for fraction in fractions:
        _fit_penalised(regression, rows, earlier.labels, fraction)
        losses.append(log_loss(regression.predict_proba(unseen), held_out.labels, regression.classes_))
    whole = _regression(config.seed)
    _fit_penalised(whole, _scaler().fit_transform(data.rows), data.labels, fractions[int(np.argmin(losses))])
    return keep_best(step.method, data.feature_names, np.abs(whole.coef_).sum(axis=0), step.n_columns)


def select_by_gain(data: Dataset, step: GainConfig, config: TrainingConfig) -> Selection:
    """Choose the columns on which trees gain most; the score is the share of the gain of all splits.

    Raises
    ------
    DataValidationError
        Where the label is constant.

    Notes
    -----
    NaN is a value to the trees. The rows are thinned to `max_rows`. Columns that say the same share the gain.

    References
    ----------
    Breiman, Friedman, Olshen & Stone, "Classification and Regression Trees", 1984, section 5.3 (variable importance).
    """
    check_labels(data.labels)
    data = thin(data, step.max_rows, config.seed)
    gain: FloatArray = build_trees(config).fit(data.rows, data.labels).feature_importances_
    return keep_best(step.method, data.feature_names, gain / (gain.sum() or 1.0), step.n_columns)


def select_by_permutation(data: Dataset, step: PermutationConfig, config: TrainingConfig) -> Selection:
    """Choose the columns without which trees predict worst.

    The score is by how much the log loss rises when the column is shuffled, in nats a row, the mean of `n_repeats`.
    Trees learn from the earlier rows; what is shuffled is the purged last part of the training rows, which they have
    not seen.

    Raises
    ------
    ConfigurationError
        Where the frames are too few to hold some out.
    DataValidationError
        Where the label is constant, or shuffling no column raises the log loss.

    Notes
    -----
    NaN is a value to the trees, and is shuffled with the rest. The rows are thinned to `max_rows`. Columns that say the
    same stand in for each other and score low: cluster by correlation before.

    References
    ----------
    Breiman, "Random forests", 2001, section 10; Fisher, Rudin & Dominici, "All models are wrong, but many are useful",
    2019 (model reliance).
    """
    earlier, held_out = split_in_time(thin(data, step.max_rows, config.seed), config)
    trees = build_trees(config).fit(earlier.rows, earlier.labels)
    found = permutation_importance(
        trees,
        held_out.rows,
        held_out.labels,
        scoring=_negative_log_loss,
        n_repeats=step.n_repeats,
        random_state=config.seed,
    )
    return keep_best(step.method, data.feature_names, found.importances_mean, step.n_columns)


def select_by_shap(data: Dataset, step: ShapConfig, config: TrainingConfig) -> Selection:
    """Choose the columns that contribute most to what trees predict.

    The score is the mean over rows of \\|contribution\\| to the log-odds, summed over the classes. Contributions are
    exact Shapley values of the trees, on some of the rows they were fitted on.

    Raises
    ------
    DataValidationError
        Where the label is constant.

    Notes
    -----
    NaN is a value to the trees. The rows are thinned to `max_rows`, those that are explained to `max_explained_rows`: a
    mean over some hundreds is as good, and a row costs a hundred times what its prediction does.

    References
    ----------
    Lundberg, Erion & Lee, "Consistent individualized feature attribution for tree ensembles", 2018, algorithm 2.
    """
    check_labels(data.labels)
    data = thin(data, step.max_rows, config.seed)
    trees = build_trees(config).set_params(colsample_bytree=step.colsample_frac, subsample_for_bin=step.max_bin_rows)
    trees.fit(_by_column(data.rows), data.labels)
    told = thin(data, step.max_explained_rows, config.seed).rows
    # the last column of each class is its expected value
    contribution = np.reshape(trees.predict(told, pred_contrib=True), (len(told), -1, told.shape[1] + 1))[..., :-1]
    return keep_best(step.method, data.feature_names, np.abs(contribution).mean(axis=0).sum(axis=0), step.n_columns)


def _negative_log_loss(trees: LGBMClassifier, rows: FloatArray, labels: LabelArray) -> float:
    return -log_loss(np.asarray(trees.predict_proba(rows)), labels, trees.classes_)


def _by_column(rows: FloatArray) -> csc_matrix:
    """Return all values, column after column: LightGBM bins hundreds of columns so in two thirds of the time."""
    n_rows, n_columns = rows.shape
    row = np.tile(np.arange(n_rows, dtype=np.int32), n_columns)
    starts = np.arange(n_columns + 1) * n_rows
    return csc_matrix((rows.T.ravel(), row, starts), shape=rows.shape)


def _scaler() -> Pipeline:
    return make_pipeline(SimpleImputer(strategy="median", keep_empty_features=True), StandardScaler())


def _regression(seed: int) -> LogisticRegression:
    """Return an unfitted regression that starts each fit where the last one ended."""
    return LogisticRegression(solver="saga", l1_ratio=1.0, tol=1e-3, max_iter=500, warm_start=True, random_state=seed)


def _fit_penalised(regression: LogisticRegression, rows: FloatArray, labels: LabelArray, fraction: float) -> None:
    """Fit with a penalty of `fraction` times the least one at which every coefficient is zero."""
    indicator = labels[:, None] == np.unique(labels)
    gradient = rows.T @ (indicator - indicator.mean(axis=0)) / len(rows)
    # where no column varies, any penalty leaves no coefficient
    penalty = max(fraction * float(np.abs(gradient).max()), np.finfo(np.float64).tiny)
    regression.set_params(C=1.0 / (penalty * len(rows))).fit(rows, labels)
