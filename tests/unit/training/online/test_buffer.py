"""Rows wait for their label, whole frames are kept, and what judges is never learnt from."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from configs.online import OnlineConfig
from outcry.errors import DataValidationError
from outcry.labels.horizon import UNDEFINED
from training.online.buffer import OutcomeBuffer

NAMES = ("one", "two")


def filled(
    n_frames: int, *, n_symbols: int = 3, horizon_bars: int = 2, lookback_bars: int = 1, **options
) -> OutcomeBuffer:
    """Return a buffer of frames whose first feature is their number, and whose label is that number modulo 3."""
    buffer = OutcomeBuffer(
        NAMES, n_symbols, horizon_bars=horizon_bars, lookback_bars=lookback_bars, config=OnlineConfig(**options)
    )
    for seq in range(n_frames):
        known = seq - horizon_bars
        labels = np.full(n_symbols, known % 3 if known >= 0 else UNDEFINED, dtype=np.int8)
        buffer.update(seq, np.full((n_symbols, 2), float(seq)), labels, np.full(n_symbols, 0.01 * known))
    return buffer


@given(
    n_frames=st.integers(20, 60),
    horizon_bars=st.integers(1, 6),
    lookback_bars=st.integers(1, 4),
    validation_frac=st.sampled_from([0.1, 0.2, 0.5]),
    learnt_before=st.integers(0, 25),
)
def test_a_split_is_purged_and_every_row_has_its_own_label(
    n_frames, horizon_bars, lookback_bars, validation_frac, learnt_before
) -> None:
    options = {"horizon_bars": horizon_bars, "lookback_bars": lookback_bars, "validation_frac": validation_frac}
    buffer = filled(learnt_before, **options)
    buffer.clear()
    for seq in range(learnt_before, learnt_before + n_frames):
        known = seq - horizon_bars
        labels = np.full(3, known % 3 if known >= 0 else UNDEFINED, dtype=np.int8)
        buffer.update(seq, np.full((3, 2), float(seq)), labels, np.full(3, 0.01 * known))
    if not buffer.is_splittable:
        with pytest.raises(DataValidationError, match="new frames"):
            buffer.split(np.random.default_rng(0))
        return
    samples = buffer.split(np.random.default_rng(0))
    for part in (samples.learnt, samples.held_out):
        np.testing.assert_array_equal(part.rows[:, 0], part.frame)
        np.testing.assert_array_equal(part.labels, part.frame % 3)
        assert (np.diff(part.frame) >= 0).all()
        assert len(part) > 0
        if lookback_bars > 1:
            windows = part.windows_at(slice(None), lookback_bars)
            expected = part.frame[:, np.newaxis] - np.arange(lookback_bars)[::-1]
            np.testing.assert_array_equal(windows[:, :, 0], expected)
    last = learnt_before + n_frames - 1
    assert samples.held_out.frame[-1] == last - horizon_bars  # the newest whose label is known
    assert samples.learnt.frame[-1] + horizon_bars < samples.held_out.frame[0]
    fresh = samples.learnt.frame[samples.n_rehearsed :]
    assert samples.n_rehearsed <= len(fresh)


def test_a_row_counts_when_its_label_is_known_and_not_before() -> None:
    assert [filled(n).n_new_rows for n in (1, 2, 3, 4)] == [0, 0, 3, 6]
    buffer = filled(4)
    buffer.clear()
    assert buffer.n_new_rows == 0
    buffer.update(4, np.zeros((3, 2)), np.array([0, UNDEFINED, 1], dtype=np.int8), np.zeros(3))
    assert buffer.n_new_rows == 2


def test_rows_the_desk_had_no_forecast_for_do_not_count() -> None:
    buffer = OutcomeBuffer(NAMES, 3, horizon_bars=1, lookback_bars=1, config=OnlineConfig())
    buffer.update(
        0, np.array([[np.nan, np.nan], [1.0, np.nan], [np.inf, 1.0]]), np.full(3, UNDEFINED, np.int8), np.zeros(3)
    )
    buffer.update(1, np.zeros((3, 2)), np.zeros(3, dtype=np.int8), np.zeros(3))
    assert buffer.n_new_rows == 1


def test_it_holds_so_many_rows_and_the_older_ones_become_history_and_go() -> None:
    buffer = filled(200, buffer_rows=90, history_rows=120)
    assert buffer.n_new_rows == 90
    samples = buffer.split(np.random.default_rng(0))
    assert samples.held_out.frame[-1] == 197
    assert samples.learnt.frame.min() >= 197 - (90 + 120) // 3
    few = filled(200, buffer_rows=3)  # less than a purged split needs: it keeps what is needed
    assert few.is_splittable


def test_rehearsal_is_drawn_from_the_generator_alone() -> None:
    buffer = filled(60)
    buffer.clear()
    for seq in range(60, 100):
        buffer.update(seq, np.full((3, 2), float(seq)), np.zeros(3, dtype=np.int8), np.zeros(3))
    one, same, other = (buffer.split(np.random.default_rng(seed)).learnt.frame for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, same)
    assert not np.array_equal(one, other)
