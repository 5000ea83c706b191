"""Filters: each column is judged by its own values, and those of the label, without a model."""

import numpy as np
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import squareform
from scipy.special import xlogy

from configs.selection import ChiSquareConfig, CorrelationConfig, MutualInformationConfig, VarianceConfig
from configs.training import TrainingConfig
from outcry.labels.horizon import LabelArray
from outcry.market.frame import FloatArray, IntArray
from outcry.models.dataset import Dataset, check_labels
from training.selection.choice import Selection, keep_best, keep_marked
from training.selection.rows import thin


def select_by_variance(data: Dataset, step: VarianceConfig, _config: TrainingConfig) -> Selection:
    """Choose the columns whose variance exceeds a threshold; the score is the variance, in the squared unit.

    Notes
    -----
    The population variance of the known values; NaN is left out. It is exactly 0 where all known values are equal, and
    where none is known.
    """
    scores = np.array([_variance(column) for column in _columns(data)])
    return keep_marked(step.method, data.feature_names, scores, scores > step.min_variance)


def select_by_correlation(data: Dataset, step: CorrelationConfig, config: TrainingConfig) -> Selection:
    """Choose one column of each cluster of columns that rise and fall together.

    Hierarchical clustering with complete linkage on the distance ``1 - |rho|``, rho the rank correlation of Spearman:
    every pair in a cluster has at least `min_abs_spearman`, so none is dropped for one that it does not resemble. Of a
    cluster the column with the most mutual information with the label stays, the first of equal ones.

    Notes
    -----
    The score is that mutual information, as in `select_by_mutual_information`; with a constant label it is 0, and the
    first column of each cluster stays. NaN counts as the median of the column: columns that are unknown in the same
    rows stay alike, one that is unknown elsewhere is less like the others. A constant column is like no other one.

    References
    ----------
    López de Prado, "Machine Learning for Asset Managers", 2020, section 6.5 (clusters of features).
    """
    data = thin(data, step.max_rows, config.seed)
    columns = _columns(data)
    ranks = _ranks(columns)
    scores = 0.5 * _excess_divergence(ranks, data.labels, step.n_bins, "log-likelihood")
    cluster = _clusters(np.abs(_spearman(columns, ranks)), step.min_abs_spearman)
    best_first = np.argsort(-scores, kind="stable")
    _, first = np.unique(cluster[best_first], return_index=True)
    is_kept = np.zeros(len(scores), dtype=bool)
    is_kept[best_first[first]] = True
    return keep_marked(step.method, data.feature_names, scores, is_kept)


def select_by_mutual_information(data: Dataset, step: MutualInformationConfig, _config: TrainingConfig) -> Selection:
    """Choose the columns that share most information with the label.

    The score, in nats a row, is the mutual information of the bin of the column and the class of the label, less what
    independent ones show by chance: ``(G - dof) / 2n`` with ``G = 2 n_known I`` and dof = (bins - 1)(classes - 1).

    Raises
    ------
    DataValidationError
        Where the label is constant.

    Notes
    -----
    Bins hold equal counts of known values. A row where the column is NaN counts as one that says nothing.

    References
    ----------
    Miller, "Note on the bias of information estimates", in Quastler (ed.), "Information Theory in Psychology", 1955.
    """
    check_labels(data.labels)
    scores = 0.5 * _excess_divergence(_ranks(_columns(data)), data.labels, step.n_bins, "log-likelihood")
    return keep_best(step.method, data.feature_names, scores, step.n_columns)


def select_by_chi_square(data: Dataset, step: ChiSquareConfig, _config: TrainingConfig) -> Selection:
    """Choose the columns whose bins differ most in their mix of classes.

    The score is the mean square contingency less what independence shows by chance: ``(X² - dof) / n``, with Pearson's
    X² of the table of bins by classes. Unlike X² it can be compared between columns of different numbers of bins.
    Not a p-value: labels of neighbouring rows overlap, so it would be far too small.

    Raises
    ------
    DataValidationError
        Where the label is constant.

    Notes
    -----
    Bins hold equal counts of known values. A row where the column is NaN counts as one that says nothing.

    References
    ----------
    Bergsma, "A bias-correction for Cramér's V and Tschuprow's T", Journal of the Korean Statistical Society, 2013.
    """
    check_labels(data.labels)
    scores = _excess_divergence(_ranks(_columns(data)), data.labels, step.n_bins, "pearson")
    return keep_best(step.method, data.feature_names, scores, step.n_columns)


def cluster_columns(rows: FloatArray, min_abs_spearman: float) -> list[IntArray]:
    """Return the columns of each cluster of columns that rise and fall together, as `select_by_correlation` finds them.

    Parameters
    ----------
    rows : float64 (n_rows, n_features)
    min_abs_spearman : float

    Returns
    -------
    list of int64 (any,)
        In the order of their first columns.
    """
    columns = np.ascontiguousarray(rows.T)
    cluster = _clusters(np.abs(_spearman(columns, _ranks(columns))), min_abs_spearman)
    _, first = np.unique(cluster, return_index=True)
    return [np.flatnonzero(cluster == cluster[place]) for place in np.sort(first)]


def _columns(data: Dataset) -> FloatArray:
    """Return (n_features, n_rows): the values of a column lie together, as what looks at one after the other asks."""
    return np.ascontiguousarray(data.rows.T)


def _variance(column: FloatArray) -> float:
    known = column[~np.isnan(column)]
    # rounding gives equal values a variance that is not zero
    return float(known.var()) if known.size and known.min() < known.max() else 0.0


def _excess_divergence(ranks: FloatArray, labels: LabelArray, n_bins: int, statistic: str) -> FloatArray:
    """Return (n_features,): a divergence of column and label from independence, less its mean there, over the rows."""
    classes, label = np.unique(labels, return_inverse=True)
    scores = np.zeros(len(ranks))
    for k, of_column in enumerate(ranks):
        is_known = ~np.isnan(of_column)
        known, label_of_known = (of_column, label) if is_known.all() else (of_column[is_known], label[is_known])
        cell = _bins(known, n_bins) * len(classes) + label_of_known
        table = np.bincount(cell, minlength=n_bins * len(classes)).reshape(n_bins, len(classes))
        table = table[table.any(axis=1)][:, table.any(axis=0)]
        if min(table.shape) > 1:
            dof = (table.shape[0] - 1) * (table.shape[1] - 1)
            scores[k] = (_divergence(table, statistic) - dof) / len(labels)
    return scores


def _divergence(table: IntArray, statistic: str) -> float:
    """Return G (``log-likelihood``) or X² (``pearson``) of a table without an empty row or column."""
    observed = table.astype(np.float64)
    expected = observed.sum(axis=1, keepdims=True) * observed.sum(axis=0, keepdims=True) / observed.sum()
    if statistic == "pearson":
        return float(((observed - expected) ** 2 / expected).sum())
    return float((2.0 * xlogy(observed, observed / expected)).sum())


def _bins(ranks: FloatArray, n_bins: int) -> IntArray:
    """Return the bin of each known value by its mean rank: equal values share one, and the two of a flag never do."""
    middle: FloatArray = (ranks - 0.5) / max(len(ranks), 1)
    return (middle * n_bins).astype(np.int64)


def _ranks(columns: FloatArray) -> FloatArray:
    """Return (n_features, n_rows): the rank of each known value in its column from 1, equal values their mean.

    That of `scipy.stats.rankdata` that omits NaN, and leaves them NaN.
    """
    ranks = np.full(columns.shape, np.nan)
    for column, of_column in zip(columns, ranks, strict=True):
        order = np.argsort(column)  # NaN last
        ascending = column[order]
        n_known = len(column) - int(np.isnan(ascending).sum())
        order, ascending = order[:n_known], ascending[:n_known]
        is_first = np.concatenate(([True], ascending[1:] != ascending[:-1]))[:n_known]
        starts = np.flatnonzero(is_first)
        counts = np.diff(np.append(starts, n_known))
        of_column[order] = np.repeat(starts + 0.5 * (counts + 1), counts)
    return ranks


def _spearman(columns: FloatArray, ranks: FloatArray) -> FloatArray:
    """Return (n_features, n_features): rank correlations, 0 beside a constant column, 1 on the diagonal.

    `ranks` are those of the known values; where one is not known, a column is ranked again with its median there.
    """
    # ranks are exact in single precision, and their product takes half the time: a correlation is off by a millionth
    centred = ranks.astype(np.float32)
    for k in np.flatnonzero(np.isnan(ranks).any(axis=1)):
        centred[k] = _ranks(_with_median(columns[k])[np.newaxis])[0]
    centred -= 0.5 * (columns.shape[1] + 1)
    product = (centred @ centred.T).astype(np.float64)
    length = np.sqrt(np.diagonal(product))
    length = np.where(length > 0.0, length, 1.0)
    correlation: FloatArray = product / (length[:, np.newaxis] * length)
    np.fill_diagonal(correlation, 1.0)
    return correlation


def _with_median(column: FloatArray) -> FloatArray:
    """Return the column with the median of what is known where it is NaN; 0 where nothing is known."""
    is_lost = np.isnan(column)
    if not is_lost.any():
        return column
    return np.where(is_lost, 0.0 if is_lost.all() else np.median(column[~is_lost]), column)


def _clusters(similarity: FloatArray, least: float) -> IntArray:
    """Return (n_features,): the number of the cluster of each column."""
    if len(similarity) == 1:
        return np.ones(1, dtype=np.int64)
    distance = squareform(np.maximum(1.0 - similarity, 0.0), checks=False)
    found: IntArray = fcluster(linkage(distance, method="complete"), 1.0 - least, criterion="distance")
    return found
