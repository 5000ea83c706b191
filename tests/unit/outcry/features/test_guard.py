"""A column that breaks in a live run is counted, and only that one."""

import math

import numpy as np
import pytest

from outcry.features.column import Column
from outcry.features.guard import CONSTANT_AFTER_ROWS, ColumnQuality, QualityGuard
from outcry.messages import FeatureFrame

N_SYMBOLS = 3


def column(name: str, unit: str = "index", low: float = 0.0, high: float = 100.0) -> Column:
    return Column(name, "momentum", "x", 1, 1, unit, low, high, "a source")


COLUMNS = (column("a"), column("b"), column("f", unit="flag", high=1.0))


def frame(seq: int, values: np.ndarray, stale: tuple[int, ...] = ()) -> FeatureFrame:
    flags = np.zeros(N_SYMBOLS, dtype=np.bool_)
    flags[list(stale)] = True
    return FeatureFrame(seq, seq, values, flags)


def sound(seq: int) -> np.ndarray:
    values = np.random.default_rng(seq).uniform(0.0, 100.0, (N_SYMBOLS, len(COLUMNS)))
    values[:, 2] = 1.0
    return values


def watched(n_frames: int, change: object = None) -> tuple[ColumnQuality, ...]:
    guard = QualityGuard(COLUMNS, N_SYMBOLS)
    for seq in range(n_frames):
        values = sound(seq)
        if callable(change):
            change(seq, values)
        guard.update(frame(seq, values))
    return guard.findings


def test_sound_columns_and_resting_flags_are_not_reported() -> None:
    assert watched(CONSTANT_AFTER_ROWS + 10) == ()


def test_nan_counts_only_after_a_number() -> None:
    def change(seq: int, values: np.ndarray) -> None:
        if seq < 3 or seq == 7:
            values[:, 0] = math.nan

    assert watched(10, change) == (ColumnQuality("a", 30, 3, 0, 0, False),)


@pytest.mark.parametrize(("value", "expected"), [(math.inf, (0, 2, 0)), (-1.0, (0, 0, 2)), (100.5, (0, 0, 2))])
def test_infinite_and_out_of_range_are_told_apart(value: float, expected: tuple[int, int, int]) -> None:
    def change(seq: int, values: np.ndarray) -> None:
        if seq in {4, 5}:
            values[1, 1] = value

    (found,) = watched(10, change)
    assert (found.column, found.n_lost, found.n_infinite, found.n_outside) == ("b", *expected)
    assert str(found).startswith("b: 2 of 30 values ")


def test_a_value_that_never_changes_is_constant_once_enough_rows_were_seen() -> None:
    def change(_: int, values: np.ndarray) -> None:
        values[:, 0] = 50.0

    assert watched(CONSTANT_AFTER_ROWS - 1, change) == ()
    (found,) = watched(CONSTANT_AFTER_ROWS, change)
    assert found.is_constant
    assert str(found) == "a: constant"


def test_a_stale_symbol_is_not_looked_at() -> None:
    guard = QualityGuard(COLUMNS, N_SYMBOLS)
    guard.update(frame(0, np.full((N_SYMBOLS, len(COLUMNS)), -5.0), stale=(0, 1, 2)))
    assert guard.findings == ()
