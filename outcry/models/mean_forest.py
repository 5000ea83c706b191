"""A forest whose trees each give class probabilities, as a fitted model: the mean of what they say."""

import io
import zipfile
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from outcry.errors import BundleError
from outcry.market.frame import Float32Array, FloatArray, IntArray
from outcry.messages import Direction
from outcry.models.forest import check_columns

MAX_BLOCK_ROWS = 128


class ForestArrays(NamedTuple):
    """What is stored: every tree level by level, the children of a node side by side.

    The left child of the k-th test of a tree is therefore its node 1 + 2k, and no file can hold trees that go round.

    Attributes
    ----------
    n_nodes : int64 (n_trees,)
        Of each tree; their nodes follow one another.
    columns : int32 (total,)
        The column that a node tests; -1 at a leaf.
    thresholds : float64 (total,)
        Values in float32 at most this go left.
    is_nan_left : bool (total,)
    leaves : float64 (n_leaves, 3)
        Class probabilities of each leaf, in the order of the nodes.
    importance : float64 (n_features,)
    """

    n_nodes: IntArray
    columns: IntArray
    thresholds: FloatArray
    is_nan_left: np.ndarray
    leaves: FloatArray
    importance: FloatArray


_TYPES = (np.int64, np.int32, np.float64, np.bool_, np.float64, np.float64)


def encode_forest(arrays: ForestArrays) -> bytes:
    """Return the content of an ``.npz`` file, the same bytes for the same arrays."""
    typed: dict[str, Any] = {name: value.astype(kind) for name, value, kind in _typed(arrays)}
    buffer = io.BytesIO()
    np.savez(buffer, **typed)
    return buffer.getvalue()


class MeanForest:
    """`outcry.models.family.RowModel` of trees that are averaged.

    Parameters
    ----------
    file : str
        Name of its one file.
    content : bytes
        What `encode_forest` gave.
    n_features : int
        Columns of the rows it will see.

    Raises
    ------
    BundleError
        Where the bytes are no such forest.

    Notes
    -----
    A row gets the same bits whatever rows stand beside it, and calls may overlap. Features are read in float32 and
    added up in float64, in the order of the trees. Time grows with the depth of the trees, not with their leaves.
    """

    def __init__(self, file: str, content: bytes, n_features: int) -> None:
        from outcry.models.kernels.mean_forest import compile_predict_mean  # noqa: PLC0415 - half a second, to load only

        self._file, self._content = file, content
        arrays = _decode(file, content)
        self._importance = arrays.importance
        if arrays.importance.shape != (n_features,):
            raise BundleError(f"{file} must read {n_features} features, reads {arrays.importance.size}")
        is_test = arrays.columns >= 0
        tree, left = _find_children(file, arrays.n_nodes, is_test)
        shapes = {arrays.columns.shape, arrays.thresholds.shape, arrays.is_nan_left.shape, tree.shape}
        if len(shapes) > 1 or arrays.leaves.shape != (np.count_nonzero(~is_test), len(Direction)):
            raise BundleError(f"{file} must give a threshold for each node and {len(Direction)} numbers for each leaf")
        if arrays.columns.max() >= n_features or arrays.columns.min() < -1:
            raise BundleError(f"{file} must read columns 0 to {n_features - 1}")
        if np.isnan(arrays.thresholds).any() or not np.isfinite(arrays.leaves).all() or arrays.leaves.min() < 0.0:
            raise BundleError(f"{file} must have numbers for thresholds and leaves")
        reads = np.stack((arrays.columns, arrays.is_nan_left), axis=1)[is_test].astype(np.int64)
        self._reads, place = np.unique(reads, axis=0, return_inverse=True)
        if not len(self._reads):  # not one tree has a test; its leaf looks at a value all the same
            self._reads = np.zeros((1, 2), dtype=np.int64)
        self._nodes = np.stack((left, np.zeros_like(left)), axis=1).astype(np.uint32)
        self._nodes[is_test, 1] = place
        self._thresholds = np.where(is_test, _narrow(arrays.thresholds), np.float32(np.inf))
        self._leaf_of = (np.cumsum(~is_test) - 1).clip(0).astype(np.uint32)
        self._leaves = arrays.leaves
        roots = np.cumsum(arrays.n_nodes) - arrays.n_nodes
        self._trees = np.stack((roots, _count_levels(roots, left, is_test, tree)), axis=1).astype(np.uint32)
        self._n_features = n_features
        self._predict = compile_predict_mean()

    @property
    def n_trees(self) -> int:
        return len(self._trees)

    def predict_proba(self, rows: FloatArray, columns: IntArray | None = None) -> FloatArray:
        columns = check_columns(rows, columns, self._n_features)
        reads = self._reads.copy()
        reads[:, 0] = columns[reads[:, 0]]
        width = min(len(rows), MAX_BLOCK_ROWS) or 1
        probability = np.empty((len(rows), len(Direction)))
        self._predict(
            np.ascontiguousarray(rows, dtype=np.float64),
            reads,
            self._trees,
            self._nodes,
            self._thresholds,
            self._leaf_of,
            self._leaves,
            np.empty((width, len(reads)), dtype=np.float32),
            np.empty(width, dtype=np.uint32),
            probability,
        )
        return probability

    def save(self) -> Mapping[str, bytes]:
        return {self._file: self._content}

    def importance(self) -> FloatArray:
        """Return the share of each feature in what all tests do for the purity of the leaves."""
        return self._importance


def _typed(arrays: ForestArrays) -> Iterator[tuple[str, np.ndarray, type[np.generic]]]:
    yield from zip(ForestArrays._fields, arrays, _TYPES, strict=True)


def _decode(file: str, content: bytes) -> ForestArrays:
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as stored:
            arrays = ForestArrays(*(stored[name] for name in ForestArrays._fields))
    except (ValueError, KeyError, OSError, EOFError, zipfile.BadZipFile, NotImplementedError) as error:
        raise BundleError(f"{file} must hold the arrays {', '.join(ForestArrays._fields)}: {error!r}") from None
    for name, value, kind in _typed(arrays):
        if value.dtype != kind or not value.size or not value.flags.c_contiguous:
            raise BundleError(f"{file}: {name} must be an array of {kind.__name__}, was {value.dtype} {value.shape}")
    return arrays


def _find_children(file: str, n_nodes: IntArray, is_test: np.ndarray) -> tuple[IntArray, IntArray]:
    """Return int64 (total,), twice: the tree of each node, and its left child, or itself where it is a leaf."""
    if n_nodes.ndim != 1 or n_nodes.min() < 1 or n_nodes.sum() != is_test.size or is_test.ndim != 1:
        raise BundleError(f"{file} must say how many of its {is_test.size} nodes each tree has")
    tree = np.repeat(np.arange(len(n_nodes)), n_nodes)
    roots = np.cumsum(n_nodes) - n_nodes
    before = np.cumsum(is_test) - is_test
    left = roots[tree] + 1 + 2 * (before - before[roots][tree])
    node = np.arange(is_test.size)
    if np.any(np.bincount(tree, is_test) * 2 + 1 != n_nodes) or np.any(left[is_test] <= node[is_test]):
        raise BundleError(f"{file} must give every test of a tree two nodes that follow it")
    return tree, np.where(is_test, left, node)


def _count_levels(roots: IntArray, left: IntArray, is_test: np.ndarray, tree: IntArray) -> IntArray:
    """Return int64 (n_trees,): the tests on the longest way down."""
    n_levels = np.zeros(len(roots), dtype=np.int64)
    level, nodes = 0, roots[is_test[roots]]
    while len(nodes):
        level += 1
        n_levels[tree[nodes]] = level
        nodes = np.concatenate((left[nodes], left[nodes] + 1))
        nodes = nodes[is_test[nodes]]
    return n_levels


def _narrow(thresholds: FloatArray) -> Float32Array:
    """Return the largest float32 that is no more: values in float32 are on the same side of both.

    An infinite threshold parts what is known from what is not: it becomes the largest number that is.
    """
    largest = np.finfo(np.float32).max
    clipped = np.clip(thresholds, -np.inf, float(largest))
    with np.errstate(over="ignore"):
        narrow = clipped.astype(np.float32)
    return np.where(narrow > clipped, np.nextafter(narrow, np.float32(-np.inf)), narrow)
