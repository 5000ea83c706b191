"""The rows that windows are read from are those of the last frames, however they came."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from outcry.errors import PredictionError, RecoveryError
from outcry.features.recent import RecentRows

N_SYMBOLS, N_COLUMNS = 3, 5


def values_of(n_frames: int) -> np.ndarray:
    return np.random.default_rng(n_frames).normal(size=(n_frames, N_SYMBOLS, N_COLUMNS))


@given(n_bars=st.integers(2, 9), pieces=st.lists(st.integers(0, 12), max_size=6), data=st.data())
def test_they_are_the_last_rows_and_nan_before_the_first(n_bars: int, pieces: list[int], data: st.DataObject) -> None:
    values = values_of(sum(pieces))
    recent, start = RecentRows(n_bars, N_SYMBOLS, N_COLUMNS), 0
    for n in pieces:
        recent.extend(values[start : start + n])
        start += n
        if data.draw(st.booleans()):
            twin = RecentRows(n_bars, N_SYMBOLS, N_COLUMNS)
            twin.restore(recent.snapshot())
            recent = twin
    columns = np.array(data.draw(st.lists(st.integers(0, N_COLUMNS - 1), max_size=7)), dtype=np.int64)
    asked = data.draw(st.integers(1, n_bars))
    padded = np.concatenate((np.full((n_bars, N_SYMBOLS, N_COLUMNS), np.nan), values)).astype(np.float32)
    np.testing.assert_array_equal(recent.take(columns, asked), padded[len(padded) - asked :][:, :, columns])


def test_what_is_taken_stays_as_it_was() -> None:
    recent = RecentRows(3, N_SYMBOLS, N_COLUMNS)
    taken = recent.take(np.arange(N_COLUMNS), 3)
    recent.extend(values_of(2))
    assert np.isnan(taken).all()


@pytest.mark.parametrize("n_bars", [1, 4])
def test_longer_windows_than_are_kept_are_refused(n_bars: int) -> None:
    with pytest.raises(PredictionError, match=rf"windows must have at most {n_bars} rows, which are kept, were 5"):
        RecentRows(n_bars, N_SYMBOLS, N_COLUMNS).take(np.arange(2), 5)


def test_a_snapshot_with_other_windows_is_refused() -> None:
    kept = RecentRows(4, N_SYMBOLS, N_COLUMNS)
    for state in (RecentRows(5, N_SYMBOLS, N_COLUMNS).snapshot(), RecentRows(1, N_SYMBOLS, N_COLUMNS).snapshot()):
        with pytest.raises(RecoveryError, match=r"recent must have shape \(3, 4, 5\)"):
            kept.restore(state)
