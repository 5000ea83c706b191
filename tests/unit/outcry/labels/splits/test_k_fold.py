"""Every frame is tested once, by a model of frames on both sides."""

import numpy as np
import pytest
from sklearn.model_selection import KFold

from outcry.errors import ConfigurationError
from outcry.labels.splits.k_fold import PurgedKFold


def test_a_test_span_is_purged_on_both_sides() -> None:
    train, test = list(PurgedKFold(5, horizon_bars=3, embargo_bars=2).split(50))[2]
    assert test.tolist() == list(range(20, 30))
    # 14 + 3 + 2 < 20; the labels of the test span end at 32, and the embargo at 34
    assert train.tolist() == [*range(15), *range(35, 50)]


def test_only_labels_that_meet_the_test_span_are_purged() -> None:
    last_row = np.arange(12)[:, None] + np.array([[1, 1]])
    last_row[2, 1], last_row[7, 0] = 6, 10
    folds = list(PurgedKFold(3, horizon_bars=4).split(12, last_row))
    # 2 has a label up to 6, and the test label of 7 goes on to 10
    assert folds[1][0].tolist() == [0, 1, 11]


def test_folds_equal_those_of_scikit_learn_but_for_the_purge() -> None:
    theirs = KFold(7).split(np.zeros(93))
    for (train, test), (their_train, their_test) in zip(PurgedKFold(7, 4, 1).split(93), theirs, strict=True):
        assert test.tolist() == their_test.tolist()
        is_apart = (their_train + 5 < their_test[0]) | (their_train > their_test[-1] + 5)
        assert train.tolist() == their_train[is_apart].tolist()


def test_values_that_break_a_rule_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="n_folds must be at least 2, was 1"):
        PurgedKFold(1, 5)
    with pytest.raises(ConfigurationError, match="4 rows are too few for 5 folds"):
        list(PurgedKFold(5, 1).split(4))
    with pytest.raises(ConfigurationError, match="20 rows are too few for fold 2: all 15 rows to train on are purged"):
        list(PurgedKFold(4, 5, 6).split(20))
