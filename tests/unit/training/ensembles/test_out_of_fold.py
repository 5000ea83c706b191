"""A combiner cannot be fitted on what its members had learnt from."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from outcry.errors import DataValidationError
from outcry.labels.splits.walk_forward import PurgedWalkForward
from training.ensembles.out_of_fold import OutOfFold, join

HORIZON_BARS = 3


def make(frame: Any, trained_to: Any, /, **changes: Any) -> OutOfFold:
    n_rows = len(frame)
    values: dict[str, Any] = {
        "probability": np.full((2, n_rows, 3), 1 / 3),
        "labels": np.zeros(n_rows, dtype=np.int8),
        "frame": np.asarray(frame, dtype=np.int64),
        "symbol": np.zeros(n_rows, dtype=np.int64),
        "trained_to": np.asarray(trained_to, dtype=np.int64),
        "horizon_bars": HORIZON_BARS,
        "rows": np.empty((n_rows, 0)),
        "feature_names": (),
    }
    return OutOfFold(**(values | changes))


def test_a_training_label_that_reaches_into_the_row_is_refused() -> None:
    make([10], [6])  # the label of frame 6 depends on frames 6 to 9
    with pytest.raises(DataValidationError, match="trained_to must be more than horizon_bars 3 before frame 10, was 7"):
        make([10], [7])


def test_a_later_training_row_that_the_label_reaches_is_refused() -> None:
    make([10], [6], resumed_at=np.array([14]))
    with pytest.raises(DataValidationError, match="resumed_at must be more than horizon_bars 3 after frame 10, was 13"):
        make([10], [6], resumed_at=np.array([13]))


def test_the_longest_horizon_that_a_member_learnt_must_not_reach_into_the_row() -> None:
    assert make([10], [1], learnt_bars=(8, 3)).horizons_bars == (8, 3)
    assert make([10], [6]).horizons_bars == (3, 3)
    with pytest.raises(DataValidationError, match="trained_to must be more than horizon_bars 8 before frame 10, was 2"):
        make([10], [2], learnt_bars=(8, 3))
    with pytest.raises(DataValidationError, match=r"learnt_bars must be 2, one a member, were \(8,\)"):
        make([10], [1], learnt_bars=(8,))


@given(n_folds=st.integers(1, 4), embargo_bars=st.integers(0, 5))
def test_a_purged_split_is_accepted_and_one_without_its_purge_is_not(n_folds: int, embargo_bars: int) -> None:
    folds = list(PurgedWalkForward(n_folds, HORIZON_BARS, embargo_bars).split(60))
    parts = [make(test, np.full(len(test), train[-1])) for train, test in folds]
    assert len(join(parts)) == sum(len(test) for _, test in folds)
    train, test = folds[-1]
    with pytest.raises(DataValidationError, match="trained_to"):
        make(test, np.full(len(test), train[-1] + embargo_bars + 1))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"labels": np.array([0, -1], dtype=np.int8)}, "labels must be classes, were -1 to 0"),
        ({"frame": np.array([9, 8])}, "frame must not decrease"),
        ({"symbol": np.zeros(3, dtype=np.int64)}, r"symbol must have shape \(2,\)"),
        ({"probability": np.zeros((2, 3, 3))}, r"probability must have shape \(2, 2, 3\)"),
        ({"rows": np.zeros((2, 1))}, r"rows must have shape \(2, 0\)"),
    ],
)
def test_what_does_not_fit_together_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(DataValidationError, match=message):
        make([8, 9], [0, 0], **changes)


def test_rows_are_chosen_by_frame_by_newest_members_and_by_what_is_known() -> None:
    data = make([10, 11, 20, 21], [6, 6, 16, 16])
    assert data.up_to(11).frame.tolist() == [10, 11]
    assert data.of_newest().frame.tolist() == [20, 21]
    silent = data.probability.copy()
    silent[1, 2] = np.nan
    assert replace(data, probability=silent).of_known().frame.tolist() == [10, 11, 21]
    with pytest.raises(DataValidationError, match="rows must hold the column tech_x"):
        data.columns_of(["tech_x"])
