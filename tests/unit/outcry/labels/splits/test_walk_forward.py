"""No label window of a training row reaches into a test row."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from sklearn.model_selection import TimeSeriesSplit

from outcry.errors import ConfigurationError
from outcry.labels.splits.walk_forward import PurgedWalkForward


@given(
    n_rows=st.integers(2, 400),
    n_folds=st.integers(1, 8),
    horizon_bars=st.integers(1, 30),
    embargo_bars=st.integers(0, 20),
    min_train_frac=st.floats(0.05, 0.95),
)
def test_no_label_window_of_a_training_row_touches_a_test_row(
    n_rows: int, n_folds: int, horizon_bars: int, embargo_bars: int, min_train_frac: float
) -> None:
    split = PurgedWalkForward(n_folds, horizon_bars, embargo_bars, min_train_frac)
    first_test = round(n_rows * min_train_frac)
    assume(first_test > horizon_bars + embargo_bars)
    assume(n_rows - first_test >= n_folds)
    folds = list(split.split(n_rows))
    assert len(folds) == n_folds
    tested = np.concatenate([test for _, test in folds])
    assert tested.tolist() == list(range(first_test, n_rows))  # every later row is tested once, in order
    for train, test in folds:
        last_row_of_a_train_label = train + horizon_bars
        assert last_row_of_a_train_label.max() + embargo_bars < test.min()
        assert train.tolist() == list(range(len(train)))
        assert last_row_of_a_train_label.max() + embargo_bars + 1 == test.min()  # no more is purged than must be


def test_folds_equal_those_of_scikit_learn_with_a_gap() -> None:
    n_rows, n_folds, gap = 120, 4, 7
    theirs = TimeSeriesSplit(n_splits=n_folds, test_size=18, gap=gap).split(np.zeros(n_rows))
    ours = PurgedWalkForward(n_folds, 5, 2, 48 / 120).split(n_rows)
    for (train, test), (their_train, their_test) in zip(ours, theirs, strict=True):
        assert train.tolist() == their_train.tolist()
        assert test.tolist() == their_test.tolist()


def test_too_few_rows_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="10 rows are too few for fold 1: all 4 rows to train on are purged"):
        list(PurgedWalkForward(4, 5, 5).split(10))
    with pytest.raises(ConfigurationError, match="5 rows are too few for 4 folds after 2 rows"):
        list(PurgedWalkForward(4, 1).split(5))


@pytest.mark.parametrize(
    ("arguments", "rule"),
    [
        ((0, 1), "n_folds must be at least 1, was 0"),
        ((1, 0), "horizon_bars must be at least 1, was 0"),
        ((1, 1, -1), "embargo_bars must be at least 0, was -1"),
        ((1, 1, 0, 1.0), r"min_train_frac must be in \(0, 1\), was 1\.0"),
    ],
)
def test_values_that_break_a_rule_are_refused(arguments: tuple[int, ...], rule: str) -> None:
    with pytest.raises(ConfigurationError, match=rule):
        PurgedWalkForward(*arguments)
