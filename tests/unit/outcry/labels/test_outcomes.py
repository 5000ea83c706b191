"""Labels that become known frame by frame are those of the whole history."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from outcry.errors import ConfigurationError, DataValidationError
from outcry.labels.direction import direction_labels, volatility_band
from outcry.labels.outcomes import DirectionOutcomes


@given(
    seed=st.integers(0, 10**6),
    n_frames=st.integers(1, 40),
    horizon_bars=st.integers(1, 6),
    window_bars=st.none() | st.integers(2, 8),
    restart=st.integers(0, 40),
)
def test_every_frame_brings_the_labels_of_the_frame_a_horizon_before(
    seed, n_frames, horizon_bars, window_bars, restart
):
    rng = np.random.default_rng(seed)
    close = 50 * np.exp(np.cumsum(rng.normal(0, 0.02, (n_frames, 3)), axis=0))
    close[rng.random(close.shape) < 0.1] = np.nan
    band = 0.01 if window_bars is None else volatility_band(close, horizon_bars, 0.5, window_bars)
    expected = direction_labels(close, horizon_bars, band)
    value = 0.01 if window_bars is None else 0.5
    outcomes = DirectionOutcomes(3, horizon_bars, value, window_bars)
    for t in range(n_frames):
        found = outcomes.update(close[t])
        of = t - horizon_bars
        assert found.tolist() == ([-1] * 3 if of < 0 else expected[of].tolist())
        if t == restart:
            state = outcomes.snapshot()
            outcomes.update(close[0])
            outcomes = DirectionOutcomes(3, horizon_bars, value, window_bars)
            outcomes.restore(state)


@given(
    seed=st.integers(0, 10**6),
    cuts=st.lists(st.integers(0, 40), max_size=4),
    horizon_bars=st.integers(1, 6),
    window_bars=st.none() | st.integers(2, 8),
)
def test_frames_by_the_piece_bring_what_frame_after_frame_does(seed, cuts, horizon_bars, window_bars):
    rng = np.random.default_rng(seed)
    close = 50 * np.exp(np.cumsum(rng.normal(0, 0.02, (40, 3)), axis=0))
    close[rng.random(close.shape) < 0.1] = np.nan
    value = 0.01 if window_bars is None else 0.5
    replayed, stepped = (DirectionOutcomes(3, horizon_bars, value, window_bars) for _ in range(2))
    ends = [0, *sorted(cuts), 40]
    for start, stop in pairwise(ends):
        settled = replayed.replay(close[start:stop])
        for t in range(start, stop):
            assert settled[t - start].tolist() == stepped.update(close[t]).tolist()
        state = stepped.snapshot()
        assert all(np.array_equal(each, state[name], equal_nan=True) for name, each in replayed.snapshot().items())


def test_what_cannot_be_labelled_is_refused():
    with pytest.raises(ConfigurationError, match=r"horizon_bars must be positive, was 0"):
        DirectionOutcomes(3, 0, 0.5)
    with pytest.raises(ConfigurationError, match=r"band_value must not be negative, was -0\.5"):
        DirectionOutcomes(3, 1, -0.5)
    with pytest.raises(DataValidationError, match=r"close must have shape \(3,\), was \(2,\)"):
        DirectionOutcomes(3, 1, 0.5).update(np.ones(2))
    with pytest.raises(DataValidationError, match=r"closes must have shape \(2, 3\), was \(3, 3\)"):
        DirectionOutcomes(3, 1, 0.5).restore(DirectionOutcomes(3, 2, 0.5).snapshot())
