import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from outcry.errors import DataValidationError
from outcry.market.frame import BAR_FIELDS
from outcry.market.pivot import pivot_bars

SYMBOLS = ("A", "B", "C", "D")


@given(
    cells=st.sets(st.tuples(st.integers(0, 3), st.integers(0, 10**6)), min_size=1, max_size=60),
    seed=st.integers(0, 2**32 - 1),
)
def test_frames_hold_every_bar_where_it_belongs_and_nothing_else(cells: set[tuple[int, int]], seed: int) -> None:
    generator = np.random.default_rng(seed)
    codes, ts_ns = np.array(sorted(cells), dtype=np.int64).T
    order = generator.permutation(len(codes))
    codes, ts_ns = codes[order], ts_ns[order]
    columns = {name: generator.uniform(1, 2, len(codes)) for name in BAR_FIELDS}
    frames = pivot_bars(codes, ts_ns, columns, SYMBOLS)
    rows = np.searchsorted(frames.ts_close_ns, ts_ns)
    assert frames.first_seq == 0
    assert np.array_equal(frames.ts_close_ns, np.unique(ts_ns))
    assert np.count_nonzero(frames.present) == len(codes)
    for name in BAR_FIELDS:
        values = getattr(frames, name)
        assert np.array_equal(values[rows, codes], columns[name])
        assert np.array_equal(np.isnan(values), ~frames.present)


def test_two_bars_of_a_symbol_that_close_together_are_refused() -> None:
    columns = {name: np.ones(3) for name in BAR_FIELDS}
    with pytest.raises(DataValidationError, match="B has two that close at 1970-01-01T00:00:01"):
        pivot_bars(np.array([0, 1, 1]), np.array([1, 1, 1]) * 10**9, columns, SYMBOLS)
