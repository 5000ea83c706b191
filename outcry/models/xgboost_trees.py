"""Read the trees of an XGBoost model."""

import json
from typing import Any

from outcry.errors import BundleError
from outcry.messages import Direction
from outcry.models.forest import Forest, Tree


def parse_xgboost(model: bytes, *, n_features: int) -> Forest:
    """Return a forest that predicts what XGBoost predicts, to the last bit.

    Parameters
    ----------
    model : bytes
        What ``Booster.save_raw("json")`` gave; trained with ``booster: gbtree`` and ``multi:softprob``, without
        categories.
    n_features : int
        Columns of the rows it will see.

    Raises
    ------
    BundleError
        Where the bytes are no such model.

    Notes
    -----
    XGBoost reads features, adds up and returns probabilities in float32.

    References
    ----------
    XGBoost, "Introduction to Model IO", section "JSON Schema", version 3.2.
    """
    try:
        learner = json.loads(model)["learner"]
        facts, booster = learner["learner_model_param"], learner["gradient_booster"]
        found = int(facts["num_feature"])
        if found != n_features:
            raise BundleError(f"xgboost model must read {n_features} features, reads {found}")
        kind = f"{booster['name']} {learner['objective']['name']} {facts['num_class']} {facts['num_target']}"
        if kind != f"gbtree multi:softprob {len(Direction)} 1":
            raise BundleError(f"xgboost model must be gbtree multi:softprob {len(Direction)} 1, was {kind}")
        intercepts = json.loads(facts["base_score"])
        trees = booster["model"]["trees"]
        return Forest(
            [_read_tree(k, tree) for k, tree in zip(booster["model"]["tree_info"], trees, strict=True)],
            intercepts if len(intercepts) > 1 else intercepts * len(Direction),
            n_features=n_features,
            real="f4",
        )
    except (ValueError, TypeError, KeyError, IndexError, RecursionError) as error:
        raise BundleError(f"xgboost model cannot be read: {error!r}") from None


def _read_tree(direction: int, tree: dict[str, Any]) -> Tree:
    if any(tree["split_type"]) or int(tree["tree_param"]["size_leaf_vector"]) > 1:
        raise BundleError("xgboost model must not have categories or leaves of several numbers")
    is_leaf = [child == -1 for child in tree["left_children"]]
    left, right = (
        [~child if is_leaf[child] else child for child in tree[side]] for side in ("left_children", "right_children")
    )
    return Tree(
        direction=direction,
        columns=tree["split_indices"],
        thresholds=tree["split_conditions"],
        is_nan_left=tree["default_left"],
        left=left,
        right=right,
        leaves=tree["split_conditions"],  # a node is one or the other
        root=~0 if is_leaf[0] else 0,
    )
