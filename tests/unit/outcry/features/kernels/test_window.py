"""Windows over the doubled ring agree with numpy for every window and position."""

from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from outcry.features.kernels import window as kernels
from outcry.features.kernels.window import RING_BARS
from outcry.market.frame import FloatArray


def fill_ring(values: FloatArray) -> tuple[FloatArray, int]:
    """Write values one by one as the engine does; return the row and where the newest stands."""
    row = np.zeros(2 * RING_BARS)
    for k, value in enumerate(values):
        row[k % RING_BARS] = row[k % RING_BARS + RING_BARS] = value
    return row, (len(values) - 1) % RING_BARS + RING_BARS


@pytest.fixture(autouse=True, scope="module")
def as_python() -> Iterator[None]:
    """Kernels have no wrapper for Python: run their text."""
    patch = pytest.MonkeyPatch()
    for name in [n for n in vars(kernels) if hasattr(getattr(kernels, n), "py_func")]:
        patch.setattr(kernels, name, getattr(kernels, name).py_func)
    yield
    patch.undo()


@given(seed=st.integers(0, 2**32 - 1), n=st.integers(1, 200), data=st.data())
def test_windows_agree_with_numpy(seed: int, n: int, data: st.DataObject) -> None:
    values = np.random.default_rng(seed).normal(10.0, 1.0, n).round(1)
    w = data.draw(st.integers(1, min(n, RING_BARS)))
    row, end = fill_ring(values)
    last = values[-w:]
    assert kernels.window_sum(row, end, w) == pytest.approx(last.sum())
    assert kernels.window_mean(row, end, w) == pytest.approx(last.mean())
    assert kernels.window_max(row, end, w) == last.max()
    assert kernels.window_min(row, end, w) == last.min()
    assert kernels.window_squares(row, end, w, last.mean()) == pytest.approx(w * last.var(), abs=1e-9)
    assert kernels.window_linear(row, end, w) == pytest.approx(np.average(last, weights=np.arange(1, w + 1)))
    assert kernels.is_flat(row, end, w) == (np.ptp(last) == 0)
    assert kernels.window_deviation(row, end, w, last.mean(), 0) == pytest.approx(last.std(), abs=1e-7)
