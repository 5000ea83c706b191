"""Windows and recurrences agree with numpy for every window and position."""

from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from outcry.features.kernels import window as kernels


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
    w = data.draw(st.integers(1, n))
    end = data.draw(st.integers(w - 1, n - 1))
    row, last = values, values[end - w + 1 : end + 1]
    assert kernels.window_sum(row, end, w) == pytest.approx(last.sum())
    assert kernels.window_mean(row, end, w) == pytest.approx(last.mean())
    assert kernels.window_max(row, end, w) == last.max()
    assert kernels.window_min(row, end, w) == last.min()
    assert kernels.window_squares(row, end, w, last.mean()) == pytest.approx(w * last.var(), abs=1e-9)
    assert kernels.window_linear(row, end, w) == pytest.approx(np.average(last, weights=np.arange(1, w + 1)))
    assert kernels.window_path(row, end, w - 1) == pytest.approx(np.abs(np.diff(last)).sum())
    assert kernels.product_sum(last, row, w) == pytest.approx((last * row[:w]).sum())
    assert kernels.is_flat(row, end, w) == (np.ptp(last) == 0)
    mean, deviation = kernels.window_moments(row, end, w, 0)
    assert (mean, deviation) == (pytest.approx(last.mean()), pytest.approx(last.std(), abs=1e-7))


@given(seed=st.integers(0, 2**32 - 1), n=st.integers(1, 300), window=st.integers(1, 60))
def test_a_running_sum_stays_at_the_sum_of_its_window(seed: int, n: int, window: int) -> None:
    values = np.random.default_rng(seed).lognormal(0.0, 3.0, n)
    total = 0.0
    for k in range(1, n + 1):
        total = kernels.rolling_sum(total, values, k - 1, k, window)
        expected = values[max(k - window, 0) : k].sum()
        # What passed through the window since it was last summed leaves its rounding.
        assert total == pytest.approx(expected, abs=1e-13 * values[max(k - 2 * window, 0) : k].sum())


@given(size=st.floats(1e-6, 1e6), window=st.integers(2, 200), at=st.integers(0, 199))
def test_one_outlier_leaves_the_moments_their_digits(size: float, window: int, at: int) -> None:
    values = 100.0 + np.random.default_rng(window).normal(0.0, 1e-3, window)
    values[at % window] += size
    mean, deviation = kernels.window_moments(values, window - 1, window, 1)
    assert mean == pytest.approx(values.mean(), rel=1e-13)
    assert deviation == pytest.approx(values.std(ddof=1), rel=1e-11)
