"""Weights are those of the book, counted out by hand or label by label, and know nothing later than their rows."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from outcry.errors import ConfigurationError, DataValidationError
from outcry.labels.sample_weights import (
    average_uniqueness,
    half_life_weights,
    linear_decay_weights,
    normalise,
    return_weights,
    uniqueness_weights,
)
from outcry.market.frame import FloatArray, IntArray

Rows = tuple[IntArray, IntArray, IntArray]
N_FRAMES, N_SYMBOLS = 40, 3


@st.composite
def rows(draw: st.DrawFn) -> Rows:
    """Frames, last rows and symbols of some labels, oldest first, at most one a frame and symbol."""
    places = draw(st.sets(st.integers(0, (N_FRAMES - 1) * N_SYMBOLS - 1), min_size=1, max_size=60))
    frame, symbol = np.divmod(np.array(sorted(places), dtype=np.int64), N_SYMBOLS)
    n_bars = draw(hnp.arrays(np.int64, len(frame), elements=st.integers(1, 8)))
    return frame, np.minimum(frame + n_bars, N_FRAMES - 1), symbol


def bars_of(frame: int, last: int) -> set[int]:
    return set(range(frame + 1, last + 1))


def sharing(bar: int, group: int, labels: list[tuple[int, int, int]]) -> int:
    """Return how many labels of the group a bar belongs to."""
    return sum(other == group and bar in bars_of(frame, last) for frame, last, other in labels)


def test_uniqueness_counted_by_hand() -> None:
    """Labels of the bars 1-3, 2-4, 5 and, of another symbol, 3."""
    frame, last_row, symbol = np.array([0, 1, 4, 2]), np.array([3, 4, 5, 3]), np.array([0, 0, 0, 1])
    assert average_uniqueness(frame, last_row, symbol) == pytest.approx([2 / 3, 2 / 3, 1.0, 1.0])
    # over the universe bar 3 belongs to three labels
    thirds = (1 + 1 / 2 + 1 / 3) / 3
    assert average_uniqueness(frame, last_row) == pytest.approx([thirds, thirds, 1.0, 1 / 3])


def test_return_weights_counted_by_hand() -> None:
    frame, last_row, symbol = np.array([0, 1, 4]), np.array([3, 4, 5]), np.zeros(3, dtype=np.int64)
    returns = np.array([9.0, 0.02, -0.04, 0.02, np.nan, -0.03])[:, None]  # the first bar is in no label
    own = np.array([abs(0.02 - 0.04 / 2 + 0.02 / 2), abs(-0.04 / 2 + 0.02 / 2), 0.03])
    assert return_weights(frame, last_row, symbol, returns) == pytest.approx(own / own.mean())


@given(rows())
def test_uniqueness_is_that_of_every_label_counted_against_every_other(drawn: Rows) -> None:
    labels = list(zip(*(x.tolist() for x in drawn), strict=True))
    for symbol in (drawn[2], None):
        groups = [g if symbol is not None else 0 for _, _, g in labels]
        grouped = [(frame, last, g) for (frame, last, _), g in zip(labels, groups, strict=True)]
        expected = [
            np.mean([1.0 / sharing(bar, g, grouped) for bar in bars_of(frame, last)]) for frame, last, g in grouped
        ]
        assert average_uniqueness(*drawn[:2], symbol) == pytest.approx(expected, rel=1e-12)


@given(drawn=rows(), seed=st.integers(0, 100))
def test_return_weights_are_those_of_every_label_counted_against_every_other(drawn: Rows, seed: int) -> None:
    returns = np.random.default_rng(seed).normal(size=(N_FRAMES, N_SYMBOLS))
    labels = list(zip(*(x.tolist() for x in drawn), strict=True))
    expected = np.array(
        [
            abs(sum(returns[bar, g] / sharing(bar, g, labels) for bar in bars_of(frame, last)))
            for frame, last, g in labels
        ]
    )
    assert return_weights(*drawn, returns) == pytest.approx(expected / expected.mean(), rel=1e-9, abs=1e-12)


@given(n_labels=st.integers(1, 20), horizon_bars=st.integers(1, 9), extra_bars=st.integers(0, 4))
def test_labels_that_share_no_bar_are_unique(n_labels: int, horizon_bars: int, extra_bars: int) -> None:
    frame = np.arange(n_labels) * (horizon_bars + extra_bars)
    assert average_uniqueness(frame, frame + horizon_bars) == pytest.approx(np.ones(n_labels))


@given(horizon_bars=st.integers(1, 12))
def test_a_label_at_every_bar_shares_its_bars_with_as_many_as_it_has(horizon_bars: int) -> None:
    frame = np.arange(60)
    uniqueness = average_uniqueness(frame, frame + horizon_bars)
    assert uniqueness[horizon_bars:-horizon_bars] == pytest.approx(1.0 / horizon_bars)
    assert (uniqueness[:horizon_bars] >= 1.0 / horizon_bars - 1e-12).all()  # fewer labels share the first bars


WEIGHTS: dict[str, Callable[[Rows, FloatArray], FloatArray]] = {
    "half life": lambda drawn, _: half_life_weights(drawn[0], 7.5),
    "linear": lambda drawn, _: linear_decay_weights(drawn[0], 0.25),
    "uniqueness": lambda drawn, _: uniqueness_weights(*drawn),
    "universe": lambda drawn, _: uniqueness_weights(*drawn[:2]),
    "return": lambda drawn, returns: return_weights(*drawn, returns),
}
every_weight = pytest.mark.parametrize("weigh", WEIGHTS.values(), ids=WEIGHTS.keys())


@every_weight
@given(drawn=rows(), shift=st.integers(1, 30), seed=st.integers(0, 100))
def test_weights_have_a_mean_of_one_and_do_not_know_the_date(
    weigh: Callable[[Rows, FloatArray], FloatArray], drawn: Rows, shift: int, seed: int
) -> None:
    returns = np.random.default_rng(seed).normal(size=(N_FRAMES, N_SYMBOLS))
    weights = weigh(drawn, returns)
    assert weights.shape == drawn[0].shape
    assert weights.mean() == pytest.approx(1.0)
    assert (weights >= 0.0).all()
    later = (drawn[0] + shift, drawn[1] + shift, drawn[2])
    moved = np.concatenate((np.full((shift, N_SYMBOLS), 5.0), returns))
    assert weigh(later, moved) == pytest.approx(weights, rel=1e-9, abs=1e-9)


@every_weight
@given(drawn=rows(), seed=st.integers(0, 100))
def test_returns_after_the_last_label_change_no_weight(
    weigh: Callable[[Rows, FloatArray], FloatArray], drawn: Rows, seed: int
) -> None:
    returns = np.random.default_rng(seed).normal(size=(N_FRAMES, N_SYMBOLS))
    other = returns.copy()
    other[drawn[1].max() + 1 :] = 1e6
    assert weigh(drawn, returns).tolist() == weigh(drawn, other).tolist()


def test_a_half_life_halves_the_weight() -> None:
    weights = half_life_weights(np.array([0, 5, 10, 10, 20]), 10.0)
    assert weights / weights[-1] == pytest.approx([0.25, 0.5**1.5, 0.5, 0.5, 1.0])
    assert half_life_weights(np.array([0, 10**7]), 1.0) == pytest.approx([0.0, 2.0])


def test_a_linear_decay_starts_at_its_fraction() -> None:
    weights = linear_decay_weights(np.array([10, 15, 20]), 0.2)
    assert weights / weights[-1] == pytest.approx([0.2, 0.6, 1.0])
    assert linear_decay_weights(np.array([3, 3]), 0.0).tolist() == [1.0, 1.0]


def test_values_that_break_a_rule_are_refused() -> None:
    frame = np.array([0, 2])
    with pytest.raises(ConfigurationError, match=r"half_life_bars must be positive, was 0\.0"):
        half_life_weights(frame, 0.0)
    with pytest.raises(ConfigurationError, match=r"oldest_frac must be in \[0, 1\], was 1\.5"):
        linear_decay_weights(frame, 1.5)
    with pytest.raises(DataValidationError, match="last_row must be after its frame 2, was 2"):
        uniqueness_weights(frame, np.array([1, 2]))
    with pytest.raises(DataValidationError, match="returns must have a row 4"):
        return_weights(frame, np.array([1, 4]), np.array([0, 0]), np.zeros((4, 1)))
    with pytest.raises(DataValidationError, match="must have a positive sum, all 2 were 0"):
        return_weights(frame, np.array([1, 3]), np.array([0, 0]), np.zeros((4, 1)))
    with pytest.raises(DataValidationError, match="rows must not be empty"):
        uniqueness_weights(frame[:0], frame[:0])
    with pytest.raises(DataValidationError, match="must be finite and not negative"):
        normalise(np.array([1.0, np.nan]))
