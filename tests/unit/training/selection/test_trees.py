"""The trees are those of the settings, and what they say is judged as scikit-learn judges it."""

import numpy as np
import pytest
from sklearn.metrics import log_loss as expected_log_loss

from training.selection.trees import build_trees, log_loss


def test_the_seed_alone_decides_which_trees_are_grown(data, config) -> None:
    def gain(seed: int) -> list[float]:
        trees = build_trees(config.model_copy(update={"seed": seed}))
        return trees.fit(data.rows, data.labels).feature_importances_.tolist()

    assert gain(1) == gain(1)
    assert gain(1) != gain(2)


def test_trees_are_grown_under_the_settings_of_the_ensemble(data, config) -> None:
    booster = build_trees(config).fit(data.rows, data.labels).booster_
    table = booster.trees_to_dataframe()
    leaves = table[table["split_feature"].isna()]
    assert booster.current_iteration() == config.lightgbm.max_rounds
    assert leaves.groupby("tree_index").size().max() == config.lightgbm.n_leaves
    # bagging keeps a part of the rows for each tree
    assert leaves["count"].min() >= config.lightgbm.min_leaf_rows
    assert leaves.groupby("tree_index")["count"].sum().max() < 0.9 * len(data)


def test_log_loss_is_that_of_scikit_learn() -> None:
    rng = np.random.default_rng(10)
    probability = rng.dirichlet((1.0, 1.0, 1.0), size=200)
    labels = rng.integers(3, size=200).astype(np.int8)
    classes = np.arange(3, dtype=np.int8)
    assert log_loss(probability, labels, classes) == pytest.approx(expected_log_loss(labels, probability))


@pytest.mark.parametrize(("classes", "unseen"), [((0, 1), 2), ((0, 2), 1), ((1, 2), 0)])
def test_a_class_that_was_never_learned_had_next_to_no_probability(classes, unseen) -> None:
    labels = np.array([classes[0], classes[1], unseen], dtype=np.int8)
    said = np.array([[0.8, 0.2], [0.4, 0.6], [0.5, 0.5]])
    expected = -(np.log(0.8) + np.log(0.6) + np.log(1e-15)) / 3
    assert log_loss(said, labels, np.array(classes, dtype=np.int8)) == pytest.approx(expected)
