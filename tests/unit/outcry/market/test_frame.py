"""A frame and a tensor hold the same values, whichever way they are cut; a tape goes wherever its bars go."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from outcry.errors import DataValidationError
from outcry.features.kernels import bars as rows
from outcry.market.frame import BAR_FIELDS, TAPE_FIELDS, Frame, FrameTensor, stack_frames

COLUMNS = (*BAR_FIELDS, "present", "tape")


def make_tensor(n_frames: int, n_symbols: int, seed: int, *, has_tape: bool = True) -> FrameTensor:
    rng = np.random.default_rng(seed)
    shape = (n_frames, n_symbols)
    tape = np.where(rng.random((*shape, 6)) < 0.2, np.nan, rng.random((*shape, 6)))
    return FrameTensor(
        first_seq=-3,
        ts_close_ns=np.arange(n_frames, dtype=np.int64) * 10**9,
        present=rng.random(shape) < 0.8,
        tape=tape if has_tape else None,
        **{name: rng.random(shape) for name in BAR_FIELDS},
    )


def assert_same(one: Frame | FrameTensor, other: Frame | FrameTensor) -> None:
    for name in COLUMNS:
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))


@given(
    n_frames=st.integers(1, 12),
    n_symbols=st.integers(1, 6),
    seed=st.integers(0, 2**32 - 1),
    has_tape=st.booleans(),
    data=st.data(),
)
def test_every_cut_of_a_tensor_holds_what_plain_indexing_does(
    n_frames: int, n_symbols: int, seed: int, has_tape: bool, data: st.DataObject
) -> None:
    tensor = make_tensor(n_frames, n_symbols, seed, has_tape=has_tape)
    start = data.draw(st.integers(0, n_frames - 1))
    stop = data.draw(st.integers(start + 1, n_frames))
    indices = np.array(data.draw(st.lists(st.integers(0, n_symbols - 1), min_size=1, max_size=6)))
    cut, chosen, frame = tensor.rows(start, stop, first_seq=0), tensor.select(indices), tensor.frame(start - 3)
    for name in COLUMNS:
        whole = getattr(tensor, name)
        if whole is None:
            assert all(getattr(part, name) is None for part in (cut, chosen, frame, frame.select(indices)))
            continue
        np.testing.assert_array_equal(getattr(cut, name), whole[start:stop])
        np.testing.assert_array_equal(getattr(chosen, name), whole[:, indices])
        np.testing.assert_array_equal(getattr(frame, name), whole[start])
        np.testing.assert_array_equal(getattr(frame.select(indices), name), whole[start, indices])


@given(seed=st.integers(0, 2**32 - 1), has_tape=st.booleans())
def test_frames_stacked_again_are_the_tensor_they_came_from(seed: int, has_tape: bool) -> None:
    tensor = make_tensor(5, 3, seed, has_tape=has_tape)
    stacked = stack_frames(list(tensor))
    assert_same(stacked, tensor)
    assert (stacked.first_seq, stacked.ts_close_ns.tolist()) == (-3, tensor.ts_close_ns.tolist())


def test_frames_of_which_only_some_have_a_tape_are_refused() -> None:
    frames = list(make_tensor(3, 2, 1))
    with pytest.raises(DataValidationError, match="tape must be in every frame or in none, was in 2 of 3"):
        stack_frames([*frames[:2], replace(frames[2], tape=None)])


@pytest.mark.parametrize("shape", [(3, 2), (3, 2, 5), (2, 2, 6), (3, 3, 6)])
def test_a_tape_of_another_shape_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(DataValidationError, match=r"tape must have shape \(3, 2, 6\), was"):
        replace(make_tensor(3, 2, 1), tape=np.zeros(shape))


def test_a_bar_of_another_shape_is_refused() -> None:
    with pytest.raises(DataValidationError, match=r"volume must have shape \(3, 2\), was \(3, 3\)"):
        replace(make_tensor(3, 2, 1), volume=np.zeros((3, 3)))


def test_the_columns_of_a_tape_stand_in_the_order_of_the_kernels_history() -> None:
    places = [getattr(rows, name.upper()) for name in TAPE_FIELDS]
    assert places == list(range(rows.BID, rows.HISTORY_ROWS))
    assert len(TAPE_FIELDS) == rows.HISTORY_ROWS - rows.BID
