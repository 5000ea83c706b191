"""Three spans in time, and the last of them only in the final fold."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from outcry.errors import ConfigurationError
from outcry.labels.splits.hold_out import HoldOut


@given(n_frames=st.integers(60, 400), horizon_bars=st.integers(1, 6), embargo_bars=st.integers(0, 3))
def test_spans_are_in_the_order_of_time(n_frames: int, horizon_bars: int, embargo_bars: int) -> None:
    split = HoldOut(horizon_bars, embargo_bars)
    ((train, validation),), (earlier, test) = split.split(n_frames), split.final_fold(n_frames)
    gap_bars = horizon_bars + embargo_bars
    assert [len(validation), len(test)] == [
        round(0.85 * n_frames) - round(0.7 * n_frames),
        n_frames - round(0.85 * n_frames),
    ]
    assert train.tolist() == list(range(round(0.7 * n_frames) - gap_bars))
    assert earlier.tolist() == list(range(test[0] - gap_bars))
    assert np.concatenate((validation, test)).tolist() == list(range(validation[0], n_frames))


def test_a_short_label_keeps_its_frame() -> None:
    last_row = np.arange(20)[:, None] + np.where(np.arange(20)[:, None] == 13, 5, 1)
    ((train, validation),) = HoldOut(5).split(20, last_row)
    assert validation.tolist() == [14, 15, 16]
    assert train.tolist() == list(range(13))  # the label of 12 ends with 13, and that of 13 with 18


@given(train_frac=st.floats(0.01, 0.99), validation_frac=st.floats(0.01, 0.99))
def test_parts_leave_something_to_test(train_frac: float, validation_frac: float) -> None:
    assume(train_frac + validation_frac >= 1.0)
    with pytest.raises(ConfigurationError, match="must be less than 1 together"):
        HoldOut(1, 0, train_frac, validation_frac)


def test_values_that_break_a_rule_are_refused() -> None:
    with pytest.raises(ConfigurationError, match=r"train_frac must be in \(0, 1\), was 1\.0"):
        HoldOut(1, 0, 1.0)
    with pytest.raises(ConfigurationError, match="2 rows are too few for three spans, which would have 1, 1, 0"):
        HoldOut(1).final_fold(2)
