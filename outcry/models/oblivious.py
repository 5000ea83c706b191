"""The trees of CatBoost as a fitted model."""

import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from outcry.errors import BundleError
from outcry.market.frame import FloatArray, IntArray
from outcry.messages import Direction
from outcry.models.forest import MAX_BLOCK_ROWS, check_columns

_UNKNOWN = {"AsIs": -np.inf, "AsFalse": -np.inf, "AsTrue": np.inf}
"""What stands for NaN, by ``nan_value_treatment``; compared as it is, it is above no border."""


class ObliviousForest:
    """`outcry.models.family.RowModel` of trees whose levels make one test each.

    Parameters
    ----------
    file : str
        Name of its one file.
    text : bytes
        What CatBoost exports as JSON of float features alone, less ``model_info``, with ``classes``, the direction of
        each number of a leaf, and ``importance``.
    n_features : int
        Columns of the rows it will see.

    Raises
    ------
    BundleError
        Where the bytes are no such model.

    Notes
    -----
    A row gets the same bits whatever rows stand beside it, and calls may overlap. Features are read in float32 and
    leaves added up in float64, in the order of the trees, as CatBoost does; its exponential may differ in the last bit.

    References
    ----------
    CatBoost 1.2, ``catboost/libs/model/model_export/json_model_helpers.cpp`` and
    ``catboost/libs/model/cpu/evaluator_impl.cpp``: the export, and how it is applied.
    """

    def __init__(self, file: str, text: bytes, n_features: int) -> None:
        from outcry.models.kernels.oblivious import compile_predict_oblivious  # noqa: PLC0415 - half a second, to load

        self._file, self._text, self._n_features = file, text, n_features
        try:
            self._read(json.loads(text))
        except (ValueError, TypeError, KeyError, IndexError, RecursionError, OverflowError) as error:
            raise BundleError(f"{file} cannot be read: {error!r}") from None
        self._predict = compile_predict_oblivious()

    def _read(self, content: Mapping[str, Any]) -> None:
        features = content["features_info"]["float_features"]
        if len(features) != self._n_features:
            raise BundleError(f"{self._file} must read {self._n_features} features, reads {len(features)}")
        if [feature["flat_feature_index"] for feature in features] != list(range(self._n_features)):
            raise BundleError(f"{self._file} must have float features alone")
        classes, trees = content["classes"], content["oblivious_trees"]
        scale, bias = content["scale_and_bias"]
        if len(bias) != len(classes) or len(set(classes)) != len(classes) or not set(classes) <= set(Direction):
            raise BundleError(f"{self._file} must speak of directions, was of {classes}")
        splits_of = [tree["splits"] or () for tree in trees]  # null where a tree is a leaf
        splits = [split for some in splits_of for split in some]
        columns = np.array([split["float_feature_index"] for split in splits], dtype=np.int64)
        if columns.size and not 0 <= columns.min() <= columns.max() < self._n_features:
            raise BundleError(f"{self._file} must read columns 0 to {self._n_features - 1}")
        self._columns, places = np.unique(columns, return_inverse=True)
        self._places = places.astype(np.uint32)
        self._unknown = np.array(
            [_UNKNOWN[features[column]["nan_value_treatment"]] for column in self._columns], dtype=np.float32
        )
        self._borders = np.array([split["border"] for split in splits], dtype=np.float32)
        leaves = [np.array(tree["leaf_values"], dtype=np.float64).reshape(-1, len(classes)) for tree in trees]
        n_splits, n_leaves = [len(some) for some in splits_of], [len(values) for values in leaves]
        if n_leaves != [1 << n for n in n_splits]:
            raise BundleError(f"{self._file} must give a leaf for every outcome of the tests of a tree")
        self._trees = np.stack((np.cumsum(n_splits), np.cumsum(n_leaves)), axis=1).astype(np.uint32)
        self._leaves = np.zeros((sum(n_leaves), len(Direction)))
        self._leaves[:, classes] = scale * np.concatenate(leaves)
        self._intercepts = np.full(len(Direction), -np.inf)
        self._intercepts[classes] = bias
        self._importance = np.array(content["importance"], dtype=np.float64)
        numbers = np.concatenate((self._leaves.ravel(), bias, self._borders, self._importance))
        if self._importance.shape != (self._n_features,) or not np.isfinite(numbers).all():
            raise BundleError(f"{self._file} must have numbers for leaves, borders and importance")

    @property
    def n_trees(self) -> int:
        return len(self._trees)

    def predict_proba(self, rows: FloatArray, columns: IntArray | None = None) -> FloatArray:
        columns = check_columns(rows, columns, self._n_features)
        width = min(len(rows) // 16 * 16 + 16, MAX_BLOCK_ROWS)
        probability = np.empty((len(rows), len(Direction)))
        self._predict(
            np.ascontiguousarray(rows, dtype=np.float64),
            columns[self._columns],
            self._unknown,
            self._trees,
            self._places,
            self._borders,
            self._leaves,
            self._intercepts,
            np.empty((len(self._columns), width + 16), dtype=np.float32),  # columns of a row in different cache sets
            np.empty(width, dtype=np.uint32),
            np.empty((len(Direction), width)),
            probability,
        )
        return probability

    def save(self) -> Mapping[str, bytes]:
        return {self._file: self._text}

    def importance(self) -> FloatArray:
        """Return by how much the forecast changes with each feature, as CatBoost measures it."""
        return self._importance
