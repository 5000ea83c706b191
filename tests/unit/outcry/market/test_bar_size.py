import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from outcry.errors import ConfigurationError, DataValidationError
from outcry.market.bar_size import DAY_NS, SECOND_NS, format_bar_size, infer_bar_ns, parse_bar_size

MINUTE_NS = 60 * SECOND_NS


@given(st.integers(min_value=1, max_value=86_400))
def test_a_bar_size_survives_being_written_and_read(seconds: int) -> None:
    assert parse_bar_size(format_bar_size(seconds * SECOND_NS)) == seconds * SECOND_NS


@pytest.mark.parametrize("text", ["", "5", "min", "0min", "-5min", "5m", "1.5h", "2d", "25h", "1 week"])
def test_a_malformed_or_too_long_bar_size_is_refused_with_its_value(text: str) -> None:
    with pytest.raises(ConfigurationError, match=r"^bars must be") as caught:
        parse_bar_size(text)
    assert text in str(caught.value)


@given(
    st.sampled_from([1, 60, 300, 900, 3600]),
    st.sets(st.integers(min_value=0, max_value=400), min_size=1, max_size=60),
)
def test_the_bar_size_is_found_although_bars_are_missing(seconds: int, missing: set[int]) -> None:
    slots = np.array([slot for slot in range(600) if slot not in missing])
    codes = np.zeros(len(slots), dtype=np.int64)
    assert infer_bar_ns(codes, slots * seconds * SECOND_NS, ("A",)) == seconds * SECOND_NS


def test_a_symbol_that_trades_in_one_minute_of_five_still_has_one_minute_bars() -> None:
    generator = np.random.default_rng(7)
    slots = np.flatnonzero(generator.random(2_000) < 0.2)
    codes = np.zeros(len(slots), dtype=np.int64)
    assert infer_bar_ns(codes, slots * MINUTE_NS, ("UGA",)) == MINUTE_NS


def test_daily_bars_stay_daily_when_daylight_saving_time_moves_them() -> None:
    ts_ns = np.array([0, DAY_NS, 2 * DAY_NS, 5 * DAY_NS - 3_600 * SECOND_NS, 6 * DAY_NS - 3_600 * SECOND_NS])
    assert infer_bar_ns(np.zeros(5, dtype=np.int64), ts_ns, ("A",)) == DAY_NS


def test_symbols_with_bars_of_two_sizes_are_refused_by_name() -> None:
    minutes, quarters = np.arange(100) * MINUTE_NS, np.arange(30) * 15 * MINUTE_NS
    codes = np.repeat([0, 1], [100, 30])
    with pytest.raises(DataValidationError, match="most are 1min, SLOW has bars 15min apart"):
        infer_bar_ns(codes, np.concatenate([minutes, quarters]), ("FAST", "SLOW"))


def test_a_single_bar_has_no_size() -> None:
    with pytest.raises(DataValidationError, match="no symbol has two bars"):
        infer_bar_ns(np.array([0, 1]), np.array([0, 0]), ("A", "B"))
