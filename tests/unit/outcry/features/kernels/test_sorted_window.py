"""A sorted window holds the last values, and its quantiles, ranks and deviations are those of NumPy and SciPy."""

from collections.abc import Iterator

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from outcry.features.kernels import sorted_window as kernels

# Few different values, so that ties are the rule.
series = st.lists(st.integers(-4, 4).map(lambda value: value / 8), min_size=1, max_size=60)


@pytest.fixture(autouse=True, scope="module")
def as_python() -> Iterator[None]:
    """Kernels have no wrapper for Python: run their text."""
    patch = pytest.MonkeyPatch()
    for name in [n for n in vars(kernels) if hasattr(getattr(kernels, n), "py_func")]:
        patch.setattr(kernels, name, getattr(kernels, name).py_func)
    yield
    patch.undo()


@given(values=series, window=st.integers(1, 20), probability=st.floats(0.0, 1.0))
def test_a_sorted_window_agrees_with_the_sorted_last_values(
    values: list[float], window: int, probability: float
) -> None:
    slots = np.zeros(window)
    for n, value in enumerate(values, start=1):
        kernels.push_sorted(slots, n, window, value, values[n - 1 - window] if n > window else np.nan)
        last = np.array(values[max(n - window, 0) : n])
        m = len(last)
        np.testing.assert_array_equal(slots[:m], np.sort(last))
        median = kernels.sorted_quantile(slots, m, 0.5)
        assert kernels.sorted_quantile(slots, m, probability) == pytest.approx(
            np.quantile(last, probability), abs=1e-14
        )
        assert median == np.median(last)
        assert kernels.median_deviation(slots, m, median) == scipy.stats.median_abs_deviation(last)
        assert kernels.count_below(slots, m, value) == (last < value).sum()
        assert kernels.count_up_to(slots, m, value) == (last <= value).sum()
