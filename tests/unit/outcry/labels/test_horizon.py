"""A named horizon is counted in bars of the size in use, and a label says how far it looks."""

import numpy as np
import pytest

from outcry.errors import ConfigurationError
from outcry.labels.horizon import HORIZON_MINUTES, bars_of_horizon, check_horizon, last_rows
from outcry.market.bar_size import parse_bar_size


@pytest.mark.parametrize(
    ("bars", "expected"),
    [
        ("1min", {"1m": 1, "5m": 5, "15m": 15, "1h": 60, "4h": 240, "1d": 390, "7d": 1950, "1M": 8190}),
        ("5min", {"5m": 1, "15m": 3, "1h": 12, "4h": 48, "1d": 78, "7d": 390, "1M": 1638}),
        ("15min", {"15m": 1, "1h": 4, "4h": 16, "1d": 26, "7d": 130, "1M": 546}),
        ("1d", {"1d": 1, "7d": 5, "1M": 21}),
    ],
)
def test_a_horizon_is_counted_in_bars_of_the_size_in_use(bars: str, expected: dict[str, int]) -> None:
    bar_ns = parse_bar_size(bars)
    for horizon in HORIZON_MINUTES:
        if horizon in expected:
            assert bars_of_horizon(horizon, bar_ns) == expected[horizon]
        else:
            with pytest.raises(ConfigurationError, match=f"horizon must be a whole number of {bars} bars, was"):
                bars_of_horizon(horizon, bar_ns)


def test_a_day_is_no_whole_number_of_hours_of_a_session() -> None:
    with pytest.raises(ConfigurationError, match="horizon must be a whole number of 1h bars, was 1d"):
        bars_of_horizon("1d", parse_bar_size("1h"))


def test_values_that_break_a_rule_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="horizon must be one of 1m, 5m, 15m, 1h, 4h, 1d, 7d, 1M, was '2h'"):
        bars_of_horizon("2h", parse_bar_size("1min"))
    with pytest.raises(ConfigurationError, match="horizon_bars must be positive, was 0"):
        check_horizon(0)
    with pytest.raises(ConfigurationError, match="horizon_bars must be at least 2, was 1"):
        check_horizon(1, least=2)


def test_the_last_row_is_the_own_row_plus_the_bars_and_absent_without_a_label() -> None:
    is_known = np.array([[True, True], [False, True], [True, False]])
    n_bars = np.array([[1, 2], [-1, 1], [5, -1]])
    assert last_rows(is_known, 2).tolist() == [[2, 2], [-1, 3], [4, -1]]
    assert last_rows(is_known, n_bars).tolist() == [[1, 2], [-1, 2], [7, -1]]
