"""Averaged trees say what scikit-learn says, to the last bit, for every value a feature can have."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier

from outcry.errors import BundleError
from outcry.market.frame import FloatArray
from outcry.models.mean_forest import MAX_BLOCK_ROWS, ForestArrays, MeanForest, encode_forest
from outcry.models.sklearn_trees import read_forest

N_FEATURES = 5
LARGEST = float(np.finfo(np.float32).max)
SPECIAL = (0.0, -0.0, np.nan, 1e-320, 1.0, -1.0, LARGEST, -LARGEST)


def _training_rows(rng: np.random.Generator, n_rows: int, missing_frac: float) -> tuple[FloatArray, FloatArray]:
    rows = rng.standard_normal((n_rows, N_FEATURES))
    rows[:, 1] = rng.integers(-2, 3, n_rows)
    rows[:, 3] = 1.0
    rows[rng.random(rows.shape) < missing_frac] = np.nan
    said = np.nan_to_num(rows).sum(axis=1) + 2.0 * np.isnan(rows[:, 3]) + 0.5 * rng.standard_normal(n_rows)
    return rows, np.digitize(said, [0.5, 1.5])


def _read(forest: RandomForestClassifier | ExtraTreesClassifier) -> MeanForest:
    arrays = read_forest([tree.tree_ for tree in forest.estimators_], forest.classes_.astype(np.int64), N_FEATURES)
    return MeanForest("forest.npz", encode_forest(arrays), N_FEATURES)


@settings(max_examples=30, deadline=None)
@given(
    seed=st.integers(0, 2**31 - 1),
    kind=st.sampled_from([RandomForestClassifier, ExtraTreesClassifier]),
    max_depth=st.sampled_from([1, 3, 8, None]),
    missing_frac=st.sampled_from([0.0, 0.3]),
)
def test_it_says_the_same(seed: int, kind: type, max_depth: int | None, missing_frac: float) -> None:
    rng = np.random.default_rng(seed)
    rows, labels = _training_rows(rng, 300, missing_frac)
    forest = kind(n_estimators=7, max_depth=max_depth, random_state=seed, n_jobs=1).fit(rows, labels)
    thresholds = np.concatenate([tree.tree_.threshold for tree in forest.estimators_])
    thresholds = thresholds[np.isfinite(thresholds)]
    narrow = thresholds.astype(np.float32)
    beside = [np.nextafter(narrow, np.float32(side)).astype(np.float64) for side in (-LARGEST, LARGEST)]
    values = np.concatenate([thresholds, narrow, np.nextafter(thresholds, 9.0), *beside, SPECIAL * 9])
    probe = np.concatenate([rows, rng.choice(values, (500, N_FEATURES))])
    with np.errstate(invalid="ignore"):  # of the library's check that rows are finite
        expected = forest.predict_proba(probe)
    assert _read(forest).predict_proba(probe).tobytes() == expected.tobytes()


@pytest.fixture(scope="module")
def forest() -> MeanForest:
    rows, labels = _training_rows(np.random.default_rng(2), 500, 0.1)
    return _read(RandomForestClassifier(n_estimators=9, random_state=0).fit(rows, labels))


@pytest.mark.parametrize("n_rows", [0, 1, 2, MAX_BLOCK_ROWS - 1, MAX_BLOCK_ROWS, MAX_BLOCK_ROWS + 1, 300])
def test_a_row_gets_the_same_bits_in_blocks_of_any_size(forest: MeanForest, n_rows: int) -> None:
    rows, _ = _training_rows(np.random.default_rng(n_rows), n_rows, 0.1)
    alone = [forest.predict_proba(row[np.newaxis]) for row in rows]
    assert forest.predict_proba(rows).tobytes() == b"".join(row.tobytes() for row in alone)


def test_calls_may_overlap_and_columns_stand_anywhere(forest: MeanForest) -> None:
    batches = [_training_rows(np.random.default_rng(k), 2000, 0.1)[0] for k in range(6)]
    columns = np.array([7, 1, 4, 2, 0])
    with ThreadPoolExecutor(3) as pool:
        found = list(pool.map(forest.predict_proba, batches))
    for batch, probability in zip(batches, found, strict=True):
        wide = np.full((len(batch), 8), np.nan)
        wide[:, columns] = batch
        wide.flags.writeable = False
        assert forest.predict_proba(wide, columns).tobytes() == probability.tobytes()


def _stump(**changes: object) -> ForestArrays:
    """Two trees: a test of column 0 with two leaves, and a leaf."""
    arrays = ForestArrays(
        n_nodes=np.array([3, 1]),
        columns=np.array([0, -1, -1, -1]),
        thresholds=np.array([0.5, 0.0, 0.0, 0.0]),
        is_nan_left=np.array([True, False, False, False]),
        leaves=np.array([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, 1.0, 0.0]]),
        importance=np.array([1.0]),
    )
    return arrays._replace(**changes)  # type: ignore[arg-type]


def test_trees_are_averaged_and_what_is_not_known_goes_where_it_is_told_to() -> None:
    rows = np.array([[0.5], [np.nextafter(np.float32(0.5), np.float32(1.0))], [np.nan]])
    left, right = [0.5, 0.5, 0.0], [0.0, 0.5, 0.5]
    for is_nan_left, of_nan in ((True, left), (False, right)):
        arrays = _stump(is_nan_left=np.array([is_nan_left, False, False, False]))
        forest = MeanForest("forest.npz", encode_forest(arrays), 1)
        np.testing.assert_array_equal(forest.predict_proba(rows), [left, right, of_nan])


def test_a_forest_without_a_test_says_what_its_leaves_say() -> None:
    arrays = ForestArrays(
        np.array([1]), np.array([-1]), np.zeros(1), np.zeros(1, bool), np.array([[0.2, 0.3, 0.5]]), np.zeros(2)
    )
    forest = MeanForest("forest.npz", encode_forest(arrays), 2)
    np.testing.assert_array_equal(forest.predict_proba(np.full((3, 2), np.nan)), [[0.2, 0.3, 0.5]] * 3)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"columns": np.array([1, -1, -1, -1])}, "columns 0 to 0"),
        ({"columns": np.array([-2, -1, -1, -1])}, "two nodes that follow it"),
        ({"columns": np.array([-1, 0, -1, -1])}, "two nodes that follow it"),
        ({"columns": np.array([0, 0, 0, -1])}, "two nodes that follow it"),
        ({"n_nodes": np.array([2, 2])}, "two nodes that follow it"),
        ({"n_nodes": np.array([3, 2])}, "how many of its 4 nodes"),
        ({"n_nodes": np.array([4, 0])}, "how many of its 4 nodes"),
        ({"leaves": np.eye(3)[:2]}, "3 numbers for each leaf"),
        ({"leaves": np.full((3, 3), np.nan)}, "numbers for thresholds and leaves"),
        ({"thresholds": np.full(4, np.nan)}, "numbers for thresholds and leaves"),
        ({"thresholds": np.zeros(3)}, "a threshold for each node"),
        ({"importance": np.zeros(2)}, "must read 1 features, reads 2"),
        ({"importance": np.zeros(0)}, "importance must be an array"),
    ],
)
def test_a_forest_that_is_none_is_refused(changes: dict[str, object], message: str) -> None:
    with pytest.raises(BundleError, match=rf"forest\.npz.*{message}"):
        MeanForest("forest.npz", encode_forest(_stump(**changes)), 1)
