"""The rows a method looks at: thinned by whole frames, split in time with a purge."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from configs.training import TrainingConfig
from outcry.errors import ConfigurationError, DataValidationError
from outcry.models.dataset import Dataset
from training.dataset import split_in_time
from training.selection.rows import thin


def _rows(frame: np.ndarray) -> Dataset:
    labels = (np.arange(len(frame)) % 2).astype(np.int8)
    return Dataset(np.arange(len(frame), dtype=float)[:, None], labels, frame.astype(np.int64), ("row",))


@given(
    counts=st.lists(st.integers(0, 4), min_size=1, max_size=80).filter(any),
    max_rows=st.integers(1, 200),
    seed=st.integers(0, 5),
)
def test_of_every_k_frames_one_stays_whole(counts, max_rows, seed) -> None:
    data = _rows(np.repeat(np.arange(len(counts)), counts))
    kept = thin(data, max_rows, seed)
    stride = -(-len(data) // max_rows)
    frames = np.unique(data.frame)
    blocks = [frames[k : k + stride] for k in range(0, len(frames), stride)]
    assert [len(set(kept.frame) & set(block)) for block in blocks] == [1] * len(blocks)
    np.testing.assert_array_equal(kept.rows, data.rows[np.isin(data.frame, kept.frame)])
    np.testing.assert_array_equal(kept.labels, data.labels[np.isin(data.frame, kept.frame)])


def test_rows_that_are_few_enough_stay_as_they_are() -> None:
    data = _rows(np.arange(100))
    assert thin(data, 100, 0) is data


def test_every_time_of_the_day_stays_among_thinned_rows() -> None:
    bars_a_session = 78
    kept = thin(_rows(np.arange(bars_a_session * 200)), 200, 7)  # every 78th bar would be the first of its session
    assert len(np.unique(kept.frame % bars_a_session)) > bars_a_session / 2


def test_frames_after_the_thinned_ones_change_none_of_them() -> None:
    kept, longer = thin(_rows(np.arange(1000)), 100, 3), thin(_rows(np.arange(1500)), 150, 3)
    assert longer.frame[:100].tolist() == kept.frame.tolist()


@given(
    frame=st.lists(st.integers(30, 400), min_size=1, max_size=60).map(sorted),
    horizon_bars=st.integers(1, 6),
    embargo_bars=st.integers(0, 6),
)
def test_no_label_of_an_earlier_row_reaches_into_held_out_rows(frame, horizon_bars, embargo_bars) -> None:
    config = TrainingConfig(horizon_bars=horizon_bars, embargo_bars=embargo_bars, validation_frac=0.3)
    try:
        earlier, held_out = split_in_time(_rows(np.array(frame)), config)
    except (ConfigurationError, DataValidationError):
        return
    assert earlier.frame[-1] + horizon_bars + embargo_bars < held_out.frame[0]
    first, last = frame[0], frame[-1]
    start_of_held_out = first + round((last - first + 1) * 0.7)
    assert held_out.frame.tolist() == [t for t in frame if t >= start_of_held_out]
    assert earlier.frame.tolist() == [t for t in frame if t + horizon_bars + embargo_bars < start_of_held_out]


def test_too_few_frames_to_purge_are_refused(config) -> None:
    with pytest.raises(ConfigurationError, match="5 rows are too few for fold 1: all 4 rows to train on"):
        split_in_time(_rows(np.arange(5)), config)


def test_earlier_rows_of_one_class_are_refused(config) -> None:
    data = _rows(np.arange(100))
    late = Dataset(data.rows, (data.frame > 75).astype(np.int8), data.frame, data.feature_names)
    with pytest.raises(DataValidationError, match="labels must be of two classes or more, all 75 were 0"):
        split_in_time(late, config)


def test_columns_keep_the_order_of_the_rows(data) -> None:
    part = data.of_columns(("second", "noise_a"))
    assert part.feature_names == ("noise_a", "second")
    np.testing.assert_array_equal(part.rows, data.rows[:, [0, 3]])
