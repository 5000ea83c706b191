"""An XGBoost model that is not of the kind the ensemble is made of is refused, by what it has."""

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xgboost

from outcry.errors import BundleError
from outcry.models.xgboost_trees import parse_xgboost


def _fit(n_features: int = 2, **changes: Any) -> bytes:
    rng = np.random.default_rng(0)
    rows, labels = rng.standard_normal((200, n_features)), rng.integers(0, 3, 200)
    params = {"objective": "multi:softprob", "num_class": 3, "nthread": 1} | changes
    return bytes(xgboost.train(params, xgboost.DMatrix(rows, labels, nthread=1), 2).save_raw("json"))


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({"objective": "multi:softmax"}, "gbtree multi:softmax 3 1"),
        ({"objective": "reg:squarederror", "num_class": 0}, "gbtree reg:squarederror 0 1"),
        ({"num_class": 4}, "gbtree multi:softprob 4 1"),
        ({"booster": "dart"}, "dart multi:softprob 3 1"),
        ({"booster": "gblinear"}, "gblinear multi:softprob 3 1"),
    ],
)
def test_another_kind_of_model_is_named(changes: dict[str, Any], kind: str) -> None:
    with pytest.raises(BundleError, match=f"must be gbtree multi:softprob 3 1, was {kind}"):
        parse_xgboost(_fit(**changes), n_features=2)


def test_categories_are_refused() -> None:
    rows = pd.DataFrame({"a": pd.Categorical(["x", "y", "z"] * 50)})
    data = xgboost.DMatrix(rows, np.arange(150) % 3, enable_categorical=True, nthread=1)
    params = {"objective": "multi:softprob", "num_class": 3, "nthread": 1}
    with pytest.raises(BundleError, match="must not have categories"):
        parse_xgboost(bytes(xgboost.train(params, data, 1).save_raw("json")), n_features=1)


def test_leaves_of_several_numbers_are_refused() -> None:
    model = _fit(multi_strategy="multi_output_tree")
    with pytest.raises(BundleError, match="xgboost model"):
        parse_xgboost(model, n_features=2)


def test_other_columns_are_refused() -> None:
    with pytest.raises(BundleError, match="xgboost model must read 3 features, reads 2"):
        parse_xgboost(_fit(), n_features=3)


def _leave_out(learner: dict[str, Any]) -> None:
    learner["gradient_booster"]["model"]["trees"][0]["right_children"].clear()


def _loop(learner: dict[str, Any]) -> None:
    learner["gradient_booster"]["model"]["trees"][0]["left_children"][0] = 0


def _lead_astray(learner: dict[str, Any]) -> None:
    learner["gradient_booster"]["model"]["trees"][0]["left_children"][0] = 10_000


def _name_a_column(learner: dict[str, Any]) -> None:
    learner["gradient_booster"]["model"]["trees"][0]["split_indices"][0] = "a"


def _forget_the_score(learner: dict[str, Any]) -> None:
    learner["learner_model_param"]["base_score"] = "[]"


@pytest.mark.parametrize("damage", [_leave_out, _loop, _lead_astray, _name_a_column, _forget_the_score])
def test_a_damaged_model_is_refused(damage: Callable[[dict[str, Any]], None]) -> None:
    model = json.loads(_fit())
    damage(model["learner"])
    with pytest.raises(BundleError):
        parse_xgboost(json.dumps(model).encode(), n_features=2)


@pytest.mark.parametrize("text", [b"", b"{}", b"[]", b"null", b"\xff\xfe", b'{"learner": 1}', b"[" * 100_000])
def test_what_is_no_model_is_refused(text: bytes) -> None:
    with pytest.raises(BundleError, match="xgboost model cannot be read"):
        parse_xgboost(text, n_features=2)
