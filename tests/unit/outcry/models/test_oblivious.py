"""Oblivious trees say what CatBoost says."""

import json
from typing import Any

import catboost
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outcry.errors import BundleError
from outcry.market.frame import FloatArray
from outcry.models.families.catboost import _export
from outcry.models.forest import MAX_BLOCK_ROWS
from outcry.models.oblivious import ObliviousForest

N_FEATURES = 5
LARGEST = float(np.finfo(np.float32).max)


def _training_rows(rng: np.random.Generator, n_rows: int, missing_frac: float) -> tuple[FloatArray, FloatArray]:
    rows = rng.standard_normal((n_rows, N_FEATURES))
    rows[:, 1] = rng.integers(-2, 3, n_rows)
    rows[rng.random(rows.shape) < missing_frac] = np.nan
    said = np.nan_to_num(rows).sum(axis=1) + np.isnan(rows[:, 0]) + 0.5 * rng.standard_normal(n_rows)
    return rows, np.digitize(said, [-0.5, 0.5])


def _fit(rows: FloatArray, labels: FloatArray, **more: Any) -> catboost.CatBoostClassifier:
    chosen = {"iterations": 12, "depth": 4, "thread_count": 1, "random_seed": 1} | more
    model = catboost.CatBoostClassifier(
        loss_function="MultiClass", allow_writing_files=False, logging_level="Silent", **chosen
    )
    return model.fit(rows, labels)


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 2**31 - 1),
    depth=st.integers(1, 8),
    missing_frac=st.sampled_from([0.0, 0.2]),
    more=st.sampled_from([{}, {"nan_mode": "Max"}, {"boosting_type": "Ordered"}, {"border_count": 3}]),
)
def test_it_says_the_same(seed: int, depth: int, missing_frac: float, more: dict[str, Any]) -> None:
    rng = np.random.default_rng(seed)
    rows, labels = _training_rows(rng, 400, missing_frac)
    model = _fit(rows, labels, depth=depth, **more)
    text = _export(model)
    content = json.loads(text)
    borders = np.array([split["border"] for tree in content["oblivious_trees"] for split in tree["splits"] or ()])
    narrow = borders.astype(np.float32)
    beside = [np.nextafter(narrow, np.float32(side)).astype(np.float64) for side in (-LARGEST, LARGEST)]
    special = (0.0, -0.0, LARGEST, -LARGEST, 1e-320, np.nan if missing_frac else 1.0)
    probe = np.concatenate([rows, rng.choice(np.concatenate([borders, *beside, special * 5]), (500, N_FEATURES))])
    found = ObliviousForest("catboost.json", text, N_FEATURES).predict_proba(probe)
    np.testing.assert_allclose(found, model.predict_proba(probe), rtol=0.0, atol=1e-12)


@pytest.fixture(scope="module")
def content() -> dict[str, Any]:
    exported: dict[str, Any] = json.loads(_export(_fit(*_training_rows(np.random.default_rng(3), 500, 0.1))))
    return exported


def _load(content: dict[str, Any]) -> ObliviousForest:
    return ObliviousForest("catboost.json", json.dumps(content).encode(), N_FEATURES)


@pytest.mark.parametrize("n_rows", [0, 1, 15, 16, MAX_BLOCK_ROWS, MAX_BLOCK_ROWS + 1, 300])
def test_a_row_gets_the_same_bits_in_blocks_of_any_size(content: dict[str, Any], n_rows: int) -> None:
    forest = _load(content)
    rows, _ = _training_rows(np.random.default_rng(n_rows), n_rows, 0.1)
    alone = [forest.predict_proba(row[np.newaxis]) for row in rows]
    assert forest.predict_proba(rows).tobytes() == b"".join(row.tobytes() for row in alone)


def test_columns_stand_anywhere(content: dict[str, Any]) -> None:
    forest = _load(content)
    rows, _ = _training_rows(np.random.default_rng(0), 200, 0.1)
    columns = np.array([6, 1, 4, 2, 0])
    wide = np.full((200, 7), np.nan)
    wide[:, columns] = rows
    assert forest.predict_proba(wide, columns).tobytes() == forest.predict_proba(rows).tobytes()


def test_two_fits_export_the_same_bytes() -> None:
    rows, labels = _training_rows(np.random.default_rng(4), 300, 0.1)
    assert _export(_fit(rows, labels)) == _export(_fit(rows, labels))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"classes": [0, 1]}, "must speak of directions"),
        ({"classes": [0, 1, 3]}, "must speak of directions"),
        ({"classes": [0, 1, 1]}, "must speak of directions"),
        ({"importance": [1.0]}, "must have numbers"),
        ({"scale_and_bias": [1, [0, 0, float("nan")]]}, "must have numbers"),
        ({"oblivious_trees": None}, "cannot be read"),
        ({"features_info": {}}, "cannot be read"),
        ({"oblivious_trees": [{"splits": None, "leaf_values": [0.0] * 6}]}, "a leaf for every outcome"),
        (
            {"oblivious_trees": [{"splits": [{"float_feature_index": 5, "border": 0}], "leaf_values": [0.0] * 6}]},
            "columns 0 to 4",
        ),
    ],
)
def test_a_file_that_is_none_is_refused(content: dict[str, Any], changes: dict[str, Any], message: str) -> None:
    with pytest.raises(BundleError, match=message):
        _load(content | changes)
