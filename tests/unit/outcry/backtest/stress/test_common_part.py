"""Symbols move more alike by the stated amount, and none moves more or less."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from outcry.backtest.stress.common_part import MAX_CORRELATION, centre, raise_correlation
from outcry.errors import DataValidationError
from outcry.market.frame import BoolArray, FloatArray


def draw(n: int, n_symbols: int, seed: int, missing_frac: float = 0.0) -> tuple[FloatArray, BoolArray]:
    rng = np.random.default_rng(seed)
    returns = rng.normal(size=(n, 1)) * rng.uniform(0, 0.02) + rng.normal(size=(n, n_symbols)) * 0.01
    known = rng.random(returns.shape) >= missing_frac
    return centre(returns * rng.uniform(0.3, 3.0, n_symbols), known), known


def average_correlation(values: FloatArray) -> float:
    n = values.shape[1]
    return float((np.corrcoef(values.T).sum() - n) / (n * (n - 1)))


@given(st.integers(5, 200), st.integers(2, 12), st.integers(0, 2**32 - 1), st.floats(0.0, 1.0))
def test_correlation_rises_as_stated_at_unchanged_volatilities(
    n: int, n_symbols: int, seed: int, increase: float
) -> None:
    deviations, known = draw(n, n_symbols, seed)
    before = average_correlation(deviations)
    assume(before < MAX_CORRELATION)
    mixed = raise_correlation(deviations, known, increase)
    np.testing.assert_allclose(mixed.std(axis=0), deviations.std(axis=0), rtol=1e-9)
    np.testing.assert_allclose(mixed.sum(axis=0), 0.0, atol=1e-12)
    assert average_correlation(mixed) == pytest.approx(min(before + increase, MAX_CORRELATION), abs=1e-8)


@given(st.integers(2, 12), st.integers(0, 2**32 - 1), st.floats(0.0, 0.4))
def test_a_missing_return_stays_no_deviation(n_symbols: int, seed: int, missing_frac: float) -> None:
    deviations, known = draw(100, n_symbols, seed, missing_frac)
    mixed = raise_correlation(deviations, known, 0.2)
    assert (mixed[~known] == 0).all()
    np.testing.assert_allclose(mixed.std(axis=0), deviations.std(axis=0), rtol=1e-9)
    unit = [each / np.sqrt((each**2).sum(axis=0)) for each in (deviations, mixed)]
    before, after = (((each.sum(axis=1) ** 2).sum() - n_symbols) / (n_symbols * (n_symbols - 1)) for each in unit)
    wanted = min(before + 0.2, MAX_CORRELATION)
    if after < wanted - 1e-8:  # so many are missing that even symbols that are all alike cannot reach it
        both = known[:, 0] & known[:, 1]
        assert np.corrcoef(mixed[both, 0], mixed[both, 1])[0, 1] == pytest.approx(1.0)
    else:
        assert after == pytest.approx(wanted, abs=1e-8)


def test_no_increase_and_a_single_symbol_change_nothing() -> None:
    deviations, known = draw(50, 4, 1)
    np.testing.assert_array_equal(raise_correlation(deviations, known, 0.0), deviations)
    one, of_one = deviations[:, :1], known[:, :1]
    np.testing.assert_array_equal(raise_correlation(one, of_one, 0.5), one)


def test_a_symbol_that_does_not_move_is_left_out() -> None:
    deviations, known = draw(80, 5, 2)
    deviations[:, 3] = 0.0
    others = np.array([0, 1, 2, 4])
    mixed = raise_correlation(deviations, known, 0.3)
    assert (mixed[:, 3] == 0).all()
    gained = average_correlation(mixed[:, others]) - average_correlation(deviations[:, others])
    assert gained == pytest.approx(0.3, abs=1e-9)


def test_a_symbol_of_two_returns_is_left_out() -> None:
    deviations, known = draw(80, 5, 2)
    known[2:, 3] = False
    deviations = centre(deviations, known)
    mixed = raise_correlation(deviations, known, 0.3)
    np.testing.assert_array_equal(mixed[:, 3], deviations[:, 3])


def test_correlation_that_cannot_rise_further_stays() -> None:
    deviations, known = draw(80, 1, 3)
    alike, known = np.repeat(deviations, 3, axis=1), np.repeat(known, 3, axis=1)
    np.testing.assert_array_equal(raise_correlation(alike, known, 0.5), alike)


def test_returns_that_cancel_out_have_nothing_in_common() -> None:
    deviations, known = draw(50, 1, 4)
    opposite = np.hstack((deviations, -deviations))
    with pytest.raises(DataValidationError, match="cancel out"):
        raise_correlation(opposite, np.hstack((known, known)), 0.5)
