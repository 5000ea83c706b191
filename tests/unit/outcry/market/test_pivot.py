import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from outcry.errors import DataValidationError
from outcry.market.frame import BAR_FIELDS, TAPE_FIELDS
from outcry.market.pivot import pivot_bars

SYMBOLS = ("A", "B", "C", "D")


@given(
    cells=st.sets(st.tuples(st.integers(0, 3), st.integers(0, 10**6)), min_size=1, max_size=60),
    seed=st.integers(0, 2**32 - 1),
    tape_names=st.sets(st.sampled_from(TAPE_FIELDS)),
)
def test_frames_hold_every_bar_where_it_belongs_and_nothing_else(
    cells: set[tuple[int, int]], seed: int, tape_names: set[str]
) -> None:
    generator = np.random.default_rng(seed)
    codes, ts_ns = np.array(sorted(cells), dtype=np.int64).T
    order = generator.permutation(len(codes))
    codes, ts_ns = codes[order], ts_ns[order]
    columns = {name: generator.uniform(1, 2, len(codes)) for name in BAR_FIELDS}
    tape = {name: generator.uniform(1, 2, len(codes)) for name in tape_names}
    frames = pivot_bars(codes, ts_ns, columns | tape, SYMBOLS)
    rows = np.searchsorted(frames.ts_close_ns, ts_ns)
    assert frames.first_seq == 0
    assert np.array_equal(frames.ts_close_ns, np.unique(ts_ns))
    assert np.count_nonzero(frames.present) == len(codes)
    for name in BAR_FIELDS:
        values = getattr(frames, name)
        assert np.array_equal(values[rows, codes], columns[name])
        assert np.array_equal(np.isnan(values), ~frames.present)
    assert (frames.tape is None) == (not tape_names)
    if frames.tape is not None:
        for place, name in enumerate(TAPE_FIELDS):
            expected = np.full(frames.present.shape, np.nan)
            expected[rows, codes] = tape.get(name, np.nan)
            np.testing.assert_array_equal(frames.tape[..., place], expected)


def test_a_tape_of_which_nothing_is_known_is_none() -> None:
    columns = {name: np.ones(3) for name in BAR_FIELDS} | {name: np.full(3, np.nan) for name in TAPE_FIELDS}
    codes, ts_ns = np.array([0, 1, 0]), np.array([1, 1, 2])
    assert pivot_bars(codes, ts_ns, columns, SYMBOLS).tape is None
    columns["trades"][1] = 7.0
    tape = pivot_bars(codes, ts_ns, columns, SYMBOLS).tape
    assert tape is not None
    assert tape[0, 1, TAPE_FIELDS.index("trades")] == 7.0
    assert np.isnan(tape).sum() == tape.size - 1


def test_two_bars_of_a_symbol_that_close_together_are_refused() -> None:
    columns = {name: np.ones(3) for name in BAR_FIELDS}
    with pytest.raises(DataValidationError, match="B has two that close at 1970-01-01T00:00:01"):
        pivot_bars(np.array([0, 1, 1]), np.array([1, 1, 1]) * 10**9, columns, SYMBOLS)
