"""A forest says what the library that grew it says, to the last bit, for every value a feature can have."""

from concurrent.futures import ThreadPoolExecutor

import lightgbm
import numpy as np
import pytest
import xgboost
from hypothesis import given, reject, settings
from hypothesis import strategies as st

from outcry.errors import BundleError, PredictionError
from outcry.market.frame import FloatArray
from outcry.models.family import Model
from outcry.models.forest import MAX_BLOCK_ROWS, Forest, Tree
from outcry.models.lightgbm_trees import parse_lightgbm
from outcry.models.xgboost_trees import parse_xgboost

N_FEATURES = 5
ZERO = float(np.float32(1e-35))
SPECIAL = (0.0, -0.0, np.nan, np.inf, -np.inf, ZERO, -ZERO, 1e-36, -1e-36, 1e-320, 1e300, -1e300, 1e39, 1.0, -1.0)

seeds = st.integers(0, 2**31 - 1)


def _text_of(model: Model) -> bytes:
    (text,) = model.save().values()
    return text


def _training_rows(rng: np.random.Generator, n_rows: int) -> tuple[FloatArray, FloatArray]:
    """Rows with columns of few values, of values close to zero, of missing ones; labels that depend on all of them."""
    rows = rng.standard_normal((n_rows, N_FEATURES))
    rows[:, 1] = rng.integers(-2, 3, n_rows)
    rows[:, 2] = rng.choice([0.0, -0.0, 1e-36, 3e-35, -3e-35, 1.0], n_rows)
    rows[rng.random(rows.shape) < rng.choice([0.0, 0.2])] = np.nan
    score = np.nan_to_num(rows).sum(axis=1) + np.isnan(rows[:, 0]) + 0.5 * rng.standard_normal(n_rows)
    return rows, np.digitize(score, [-0.5, 0.5]).astype(np.float64)


def _probing_rows(rng: np.random.Generator, thresholds: FloatArray, n_rows: int) -> FloatArray:
    """Rows of thresholds, of what lies beside them in float32 and in float64, and of special values."""
    with np.errstate(over="ignore"):
        narrow = thresholds.astype(np.float32)
    beside = [np.nextafter(narrow, np.float32(side)).astype(np.float64) for side in (-np.inf, np.inf)]
    values = np.concatenate(
        [
            thresholds,
            np.nextafter(thresholds, -np.inf),
            np.nextafter(thresholds, np.inf),
            *beside,
            *(thresholds / 2 + other / 2 for other in beside),
            SPECIAL * 4,
        ]
    )
    return rng.choice(values, (n_rows, N_FEATURES))


@settings(max_examples=40, deadline=None)
@given(
    seed=seeds,
    depth=st.integers(1, 8),
    n_leaves=st.sampled_from([0, 20, 32, 33, 200]),
    n_rounds=st.integers(1, 12),
    more=st.sampled_from([{}, {"base_score": 0.25}, {"num_parallel_tree": 2, "subsample": 0.5}, {"max_bin": 4}]),
)
def test_xgboost_says_the_same(seed: int, depth: int, n_leaves: int, n_rounds: int, more: dict[str, float]) -> None:
    rng = np.random.default_rng(seed)
    rows, labels = _training_rows(rng, 600)
    grow = {"grow_policy": "lossguide", "max_leaves": n_leaves, "max_depth": 0} if n_leaves else {"max_depth": depth}
    params = {"objective": "multi:softprob", "num_class": 3, "min_child_weight": 0.0, "nthread": 1, **grow, **more}
    booster = xgboost.train(params, xgboost.DMatrix(rows, labels, nthread=1), n_rounds)
    forest = parse_xgboost(bytes(booster.save_raw("json")), n_features=N_FEATURES)
    table = booster.trees_to_dataframe()
    probe = np.concatenate([rows, _probing_rows(rng, table["Split"].dropna().to_numpy(), 700)])
    expected = booster.inplace_predict(probe, validate_features=False)
    assert forest.predict_proba(probe).tobytes() == expected.astype(np.float64).tobytes()


@settings(max_examples=40, deadline=None)
@given(
    seed=seeds,
    n_leaves=st.sampled_from([2, 3, 15, 63, 64, 65, 255]),
    n_rounds=st.integers(1, 12),
    more=st.sampled_from(
        [{}, {"use_missing": False}, {"min_data_in_bin": 1}, {"bagging_fraction": 0.5, "bagging_freq": 1}]
    ),
)
def test_lightgbm_says_the_same(seed: int, n_leaves: int, n_rounds: int, more: dict[str, float]) -> None:
    rng = np.random.default_rng(seed)
    rows, labels = _training_rows(rng, 600)
    params = {"objective": "multiclass", "num_class": 3, "min_data_in_leaf": 1, "num_threads": 1, "verbosity": -1}
    params |= {"num_leaves": n_leaves, "min_sum_hessian_in_leaf": 0.0, **more}
    try:
        booster = lightgbm.train(params, lightgbm.Dataset(rows, labels, params=params), n_rounds)
    except lightgbm.basic.LightGBMError as error:  # it cannot grow a tree of few rows and values close to zero
        if "left_count" not in str(error):
            raise
        reject()
    forest = parse_lightgbm(booster.model_to_string().encode(), n_features=N_FEATURES)
    thresholds = booster.trees_to_dataframe()["threshold"].dropna().to_numpy(dtype=np.float64)
    probe = np.concatenate([rows, _probing_rows(rng, thresholds, 700)])
    expected = np.asarray(booster.predict(probe, num_threads=1))
    assert forest.predict_proba(probe).tobytes() == expected.tobytes()


def _stump(**changes: object) -> Tree:
    facts = {
        "direction": 0, "columns": [0], "thresholds": [0.5], "is_nan_left": [False],
        "left": [~0], "right": [~1], "leaves": [2.0, 0.0], "root": 0,
    }  # fmt: skip
    return Tree(**(facts | changes))  # type: ignore[arg-type]


@pytest.mark.parametrize("real", ["f4", "f8"])
def test_a_row_below_the_threshold_goes_left_and_nan_where_it_is_told_to(real: str) -> None:
    rows = np.array([[0.4], [0.5], [np.nan]])
    left, right = np.exp(2.0) / (np.exp(2.0) + 2.0), 1.0 / 3.0
    for is_nan_left, of_nan in ((False, right), (True, left)):
        forest = Forest([_stump(is_nan_left=[is_nan_left])], [0.0] * 3, n_features=1, real=real)
        np.testing.assert_allclose(forest.predict_proba(rows)[:, 0], [left, right, of_nan], rtol=1e-6)


@pytest.mark.parametrize("n_rows", [0, 1, 15, 16, 17, MAX_BLOCK_ROWS - 1, MAX_BLOCK_ROWS, MAX_BLOCK_ROWS + 1, 300])
def test_a_row_gets_the_same_bits_in_blocks_of_any_size(models: dict[str, Model], n_rows: int) -> None:
    rows = np.random.default_rng(n_rows).standard_normal((n_rows, 6))
    for forest in (
        parse_xgboost(_text_of(models["xgboost"]), n_features=6),
        parse_lightgbm(_text_of(models["lightgbm"]), n_features=6),
    ):
        alone = [forest.predict_proba(row[np.newaxis]) for row in rows]
        assert forest.predict_proba(rows).tobytes() == b"".join(row.tobytes() for row in alone)


def test_calls_may_overlap(models: dict[str, Model]) -> None:
    forest = parse_xgboost(_text_of(models["xgboost"]), n_features=6)
    batches = np.random.default_rng(0).standard_normal((8, 3000, 6))
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(forest.predict_proba, batches))
    for batch, probability in zip(batches, found, strict=True):
        assert forest.predict_proba(batch).tobytes() == probability.tobytes()


def test_rows_may_not_be_writable(models: dict[str, Model]) -> None:
    forest = parse_lightgbm(_text_of(models["lightgbm"]), n_features=6)
    rows = np.zeros((3, 6))
    expected = forest.predict_proba(rows)
    rows.flags.writeable = False
    assert forest.predict_proba(rows).tobytes() == expected.tobytes()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"columns": [1]}, "columns 0 to 0"),
        ({"columns": [-1]}, "columns 0 to 0"),
        ({"direction": 3}, "3 classes"),
        ({"left": [0]}, "comes back to node 0"),
    ],
)
def test_a_tree_that_is_none_is_refused(changes: dict[str, object], message: str) -> None:
    with pytest.raises(BundleError, match=message):
        Forest([_stump(**changes)], [0.0] * 3, n_features=1, real="f4")


def test_a_wrong_number_of_intercepts_is_refused() -> None:
    with pytest.raises(BundleError, match="3 classes"):
        Forest([], [0.0] * 2, n_features=1, real="f8")


def test_a_wrong_number_of_columns_is_refused() -> None:
    with pytest.raises(PredictionError, match=r"\(n_rows, 1\), was \(2, 3\)"):
        Forest([_stump()], [0.0] * 3, n_features=1, real="f4").predict_proba(np.zeros((2, 3)))
