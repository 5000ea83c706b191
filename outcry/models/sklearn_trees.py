"""Fit a forest of scikit-learn, and read its trees."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from outcry.market.frame import FloatArray, IntArray
from outcry.messages import Direction
from outcry.models.dataset import Dataset, check_labels
from outcry.models.mean_forest import ForestArrays, MeanForest, encode_forest
from outcry.models.tree_model import check_same

if TYPE_CHECKING:
    from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier


def fit_forest(forest: "RandomForestClassifier | ExtraTreesClassifier", data: Dataset, file: str) -> MeanForest:
    """Fit, and return the model as it is read back from what is stored.

    Raises
    ------
    DataValidationError
        Where the labels are of one class.
    BundleError
        Where the stored trees do not predict what scikit-learn predicts, to the last bit.
    """
    import sklearn  # noqa: PLC0415 - only a fit needs it

    check_labels(data.labels)
    forest.fit(data.rows, data.labels, sample_weight=data.weights)
    classes = forest.classes_.astype(np.int64)
    content = encode_forest(read_forest([tree.tree_ for tree in forest.estimators_], classes, len(data.feature_names)))
    model = MeanForest(file, content, len(data.feature_names))
    forest.set_params(n_jobs=1)  # several threads would add up in any order

    def predict(rows: FloatArray) -> FloatArray:
        return _of_all_classes(forest.predict_proba(rows), classes)

    check_same(model, predict, data.rows, sklearn)
    return model


def read_forest(trees: Sequence[Any], classes: IntArray, n_features: int) -> ForestArrays:
    """Return the trees level by level.

    Parameters
    ----------
    trees : sequence of sklearn.tree._tree.Tree
    classes : int64 (n_classes,)
        The direction that each number of a leaf speaks of.
    n_features : int

    References
    ----------
    scikit-learn, ``sklearn/tree/_tree.pyx``, version 1.9: `Tree`, `Tree._apply_dense`.
    """
    columns, thresholds, is_nan_left, leaves = [], [], [], []
    importance = np.zeros(n_features)
    for tree in trees:
        order = _order_by_level(tree.children_left, tree.children_right)
        is_leaf = tree.children_left[order] < 0
        columns.append(np.where(is_leaf, -1, tree.feature[order]))
        thresholds.append(np.where(is_leaf, 0.0, tree.threshold[order]))
        is_nan_left.append(~is_leaf & (tree.missing_go_to_left[order] > 0))
        leaves.append(_of_all_classes(tree.value[order[is_leaf], 0], classes))
        importance += tree.compute_feature_importances(normalize=True)
    total = importance.sum()
    return ForestArrays(
        n_nodes=np.array([tree.node_count for tree in trees]),
        columns=np.concatenate(columns),
        thresholds=np.concatenate(thresholds),
        is_nan_left=np.concatenate(is_nan_left),
        leaves=np.concatenate(leaves),
        importance=importance / total if total > 0.0 else importance,
    )


def _order_by_level(left: IntArray, right: IntArray) -> IntArray:
    levels = [np.zeros(1, dtype=np.int64)]
    while len(levels[-1]):
        tests = levels[-1][left[levels[-1]] >= 0]
        levels.append(np.stack((left[tests], right[tests]), axis=1).ravel())
    return np.concatenate(levels)


def _of_all_classes(probability: FloatArray, classes: IntArray) -> FloatArray:
    """Return (n, 3) for (n, n_classes): zero for a class that never came."""
    every = np.zeros((len(probability), len(Direction)))
    every[:, classes] = probability
    return every
