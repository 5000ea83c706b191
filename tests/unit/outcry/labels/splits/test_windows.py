"""Windows have the lengths that were asked for, and test every frame as often as the step says."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.model_selection import TimeSeriesSplit

from outcry.errors import ConfigurationError
from outcry.labels.splits.windows import Scheme, WalkForwardWindows


@given(
    scheme=st.sampled_from(["rolling", "anchored", "fixed"]),
    train_bars=st.integers(8, 40),
    test_bars=st.integers(1, 20),
    step_bars=st.integers(1, 25),
    more=st.integers(0, 90),
)
def test_windows_have_their_lengths(scheme: Scheme, train_bars: int, test_bars: int, step_bars: int, more: int) -> None:
    n_frames = train_bars + test_bars + more
    folds = list(WalkForwardWindows(scheme, train_bars, test_bars, 5, 2, step_bars).split(n_frames))
    assert len(folds) == 1 + more // step_bars
    for number, (train, test) in enumerate(folds):
        start = train_bars + number * step_bars
        assert test.tolist() == list(range(start, start + test_bars))
        first = start - train_bars if scheme == "rolling" else 0
        stop = train_bars if scheme == "fixed" else start
        assert train.tolist() == list(range(first, min(stop, start - 7)))


def test_without_a_step_every_frame_after_the_first_training_span_is_tested_once() -> None:
    folds = WalkForwardWindows("rolling", 252, 21, 5).split(252 + 21 * 8)
    assert np.concatenate([test for _, test in folds]).tolist() == list(range(252, 252 + 21 * 8))


def test_test_spans_of_63_with_steps_of_42_overlap_by_21() -> None:
    tests = [test for _, test in WalkForwardWindows("anchored", 252, 63, 5, step_bars=42).split(500)]
    assert [len(np.intersect1d(one, two)) for one, two in pairwise(tests)] == [21] * 4


@pytest.mark.parametrize(("scheme", "max_train_size"), [("anchored", None), ("rolling", 30 - 6)])
def test_folds_equal_those_of_scikit_learn_with_a_gap(scheme: Scheme, max_train_size: int | None) -> None:
    theirs = TimeSeriesSplit(5, test_size=10, gap=6, max_train_size=max_train_size).split(np.zeros(80))
    ours = WalkForwardWindows(scheme, 30, 10, 4, 2).split(80)
    for (train, test), (their_train, their_test) in zip(ours, theirs, strict=True):
        assert train.tolist() == their_train.tolist()
        assert test.tolist() == their_test.tolist()


def test_values_that_break_a_rule_are_refused() -> None:
    with pytest.raises(
        ConfigurationError, match="train_bars must be more than horizon_bars and embargo_bars, 7 in all"
    ):
        WalkForwardWindows("rolling", 7, 10, 5, 2)
    with pytest.raises(ConfigurationError, match="scheme must be one of rolling, anchored, fixed, was expanding"):
        WalkForwardWindows("expanding", 20, 10, 5)  # type: ignore[arg-type]
    with pytest.raises(ConfigurationError, match="test_bars must be at least 1, was 0"):
        WalkForwardWindows("rolling", 20, 0, 5)
    with pytest.raises(ConfigurationError, match="step_bars must be at least 1, was 0"):
        WalkForwardWindows("rolling", 20, 5, 5, step_bars=0)
    with pytest.raises(ConfigurationError, match="29 rows are too few for train_bars 20 and test_bars 10"):
        list(WalkForwardWindows("rolling", 20, 10, 5).split(29))
