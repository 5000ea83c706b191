"""The index is zero where nothing moved, grows as a column moves, and counts what has become unknown."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from training.explain.drift import stability_index


def test_it_is_what_the_formula_says_of_two_bins():
    before, after = np.repeat([0.0, 1.0], (50, 50))[:, np.newaxis], np.repeat([0.0, 1.0], (90, 10))[:, np.newaxis]
    # beside the two, one for larger values and one for unknown ones
    bins = np.array([50.5, 50.5, 0.5, 0.5]) / 102, np.array([90.5, 10.5, 0.5, 0.5]) / 102
    expected = ((bins[1] - bins[0]) * np.log(bins[1] / bins[0])).sum()
    assert stability_index(before, after)[0] == pytest.approx(expected, rel=1e-12)


def test_what_moves_has_more_of_it_and_what_is_lost_counts():
    rng = np.random.default_rng(0)
    before = rng.normal(size=(4000, 5))
    after = rng.normal([0.0, 0.3, 1.0, 0.0, 0.0], size=(3000, 5))
    before[:, 4] = after[:, 4] = 7.0
    after[:1500, 3] = np.nan
    same, little, much, lost, constant = stability_index(before, after)
    assert 0 < same < 0.02 < little < 0.25 < much
    assert lost > 1.0
    assert constant < 1e-4


@given(
    arrays(np.float64, (12, 2), elements=st.floats(-5, 5) | st.just(np.nan)),
    arrays(np.float64, (9, 2), elements=st.floats(-5, 5) | st.just(np.nan)),
)
def test_it_is_never_negative_and_always_a_number(before, after):
    found = stability_index(before, after)
    assert np.isfinite(found).all()
    assert (found >= 0).all()
    assert np.allclose(stability_index(before, before), 0.0)
