"""Forests of scikit-learn: what their families have in common, how one is fitted, and how its trees are read."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from outcry.config import FrozenConfig
from outcry.market.frame import FloatArray, IntArray
from outcry.messages import Direction
from outcry.models.dataset import Dataset, check_labels
from outcry.models.family import EXACT_TOLERANCE, FitSettings, sole_file
from outcry.models.mean_forest import ForestArrays, MeanForest, encode_forest
from outcry.models.parameter_space import Choices, ParameterSpace, Span
from outcry.models.tree_model import check_same

if TYPE_CHECKING:
    from sklearn.ensemble._forest import ForestClassifier


class ForestParams(FrozenConfig):
    """Of trees by the Gini impurity; nothing is found on validation rows, they are learnt from as well.

    A test looks at `colsample_frac` of the columns, or at the square root of their number. `max_depth` None lets a tree
    grow until its leaves are pure or small.
    """

    n_trees: int = Field(default=200, gt=0)
    max_depth: int | None = Field(default=8, ge=1)
    min_split_rows: int = Field(default=2, ge=2)
    min_leaf_rows: int = Field(default=50, gt=0)
    subsample_frac: float = Field(default=1.0, gt=0, le=1)
    colsample_frac: float | Literal["sqrt"] = "sqrt"


class ForestFamily(ABC):
    """`outcry.models.family.Family` of a forest, which says how it is built."""

    name: ClassVar[str]
    params: ClassVar[type[ForestParams]]
    libraries = ("sklearn",)
    answer_tolerance = EXACT_TOLERANCE
    search_spaces: Mapping[str, ParameterSpace] = {
        # labels of neighbouring bars overlap: a leaf of a few rows knows one event
        "narrow": {
            "n_trees": Choices((200, 500)),
            "max_depth": Choices((6, 8, 10, 15)),
            "min_leaf_rows": Span(20, 500, is_log=True, is_integer=True),
            "colsample_frac": Choices(("sqrt", 0.3, 0.5, 0.7)),
        },
        "wide": {
            "n_trees": Span(500, 2000, is_integer=True),
            "max_depth": Choices((10, 15, 20, 30, None)),
            "min_split_rows": Span(2, 10, is_integer=True),
            "min_leaf_rows": Span(1, 4, is_integer=True),
            "colsample_frac": Choices(("sqrt", 0.3, 0.5, 0.7)),
        },
    }

    @abstractmethod
    def build(self, params: Any, **options: Any) -> "ForestClassifier":
        """Return a forest of `params` that is not fitted; `options` are those that every forest takes alike."""

    def lookback_bars(self, params: ForestParams) -> int:
        return 1

    def fit(
        self, earlier: Dataset, validation: Dataset, whole: Dataset, params: ForestParams, settings: FitSettings
    ) -> MeanForest:
        """Fit on `whole`."""
        forest = self.build(
            params,
            n_estimators=params.n_trees,
            max_depth=params.max_depth,
            min_samples_split=params.min_split_rows,
            min_samples_leaf=params.min_leaf_rows,
            max_features=params.colsample_frac,
            n_jobs=settings.n_threads,
            random_state=settings.seed,
        )
        return fit_forest(forest, whole, self._file)

    def load(self, files: Mapping[str, bytes], n_features: int) -> MeanForest:
        return MeanForest(self._file, sole_file(self.name, files, self._file), n_features)

    @property
    def _file(self) -> str:
        return f"{self.name}.npz"


def fit_forest(forest: "ForestClassifier", data: Dataset, file: str) -> MeanForest:
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
