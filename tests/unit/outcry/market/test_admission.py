import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from outcry.errors import DataValidationError
from outcry.market.admission import admit_bars
from outcry.market.bar_table import normalise_bars

N_BARS = 40


def good_bars() -> pl.DataFrame:
    minutes = pl.Series(np.arange(N_BARS) * 60_000_000_000).cast(pl.Datetime("ns", "UTC"))
    one = pl.DataFrame({"ts": minutes}).with_columns(
        open=10.0, high=12.0, low=9.0, close=pl.lit(11.0) + pl.int_range(N_BARS) / N_BARS, volume=5.0
    )
    table = pl.concat([one.with_columns(symbol=pl.lit(symbol)) for symbol in ("A", "B")])
    return normalise_bars(table, "test")


def quoted_bars() -> pl.DataFrame:
    """Good bars with a locked market in the first, a crossed one in the second, one side or nothing known in others."""
    known = pl.int_range(pl.len()) % 5 > 0
    return good_bars().with_columns(
        bid=pl.when(known).then(10.0),
        ask=pl.when(pl.int_range(pl.len()) == 1).then(9.9).otherwise(10.0 + pl.int_range(pl.len()) % 7),
        bid_size=pl.when(known).then(0.0),
        ask_size=100.0,
        trades=pl.when(known).then(3.0),
        buy_volume=pl.when(known).then(pl.int_range(pl.len()) % 6).cast(pl.Float64),
    )


def test_good_bars_pass_unchanged() -> None:
    assert_frame_equal(admit_bars(good_bars(), "test")[0], good_bars())


def test_quotes_that_are_locked_crossed_one_sided_or_not_known_pass_unchanged() -> None:
    assert_frame_equal(admit_bars(quoted_bars(), "test")[0], quoted_bars())


@pytest.mark.parametrize(
    ("column", "value", "rule"),
    [
        ("bid", 0.0, "bid must be finite and positive"),
        ("ask", -1.0, "ask must be finite and positive"),
        ("ask", float("inf"), "ask must be finite and positive"),
        ("bid_size", -1.0, "bid_size must be finite and not negative"),
        ("ask_size", float("inf"), "ask_size must be finite and not negative"),
        ("trades", -1.0, "trades must be finite and not negative"),
        ("buy_volume", -0.5, "buy_volume must be from 0 to volume"),
        ("buy_volume", 5.000001, "buy_volume must be from 0 to volume"),
    ],
)
@given(row=st.integers(min_value=0, max_value=2 * N_BARS - 1))
def test_one_bad_value_of_a_tape_is_refused_with_symbol_instant_value_and_rule(
    column: str, value: float, rule: str, row: int
) -> None:
    is_bad = pl.int_range(pl.len()) == row
    bad = quoted_bars().with_columns(pl.when(is_bad).then(pl.lit(value)).otherwise(column).alias(column))
    with pytest.raises(DataValidationError) as caught:
        admit_bars(bad, "bars.csv")
    symbol, minute = ("A", "B")[row // N_BARS], row % N_BARS
    assert str(caught.value).startswith(f"{rule}, empty where")
    assert f"{symbol} at 1970-01-01T00:{minute:02}:00Z" in str(caught.value)
    assert f"{column} {value}" in str(caught.value)


def test_bars_by_time_are_returned_by_symbol() -> None:
    by_time = good_bars().sort("ts_ns", "symbol")
    assert_frame_equal(admit_bars(by_time, "test")[0], good_bars())


@pytest.mark.parametrize(
    ("column", "value", "rule"),
    [
        ("open", None, "must be finite numbers"),
        ("close", float("nan"), "must be finite numbers"),
        ("high", float("inf"), "must be finite numbers"),
        ("low", 0.0, "must be positive"),
        ("open", -1.0, "must be positive"),
        ("high", 8.0, "low must not be above, and high not below"),
        ("low", 10.5, "low must not be above, and high not below"),
        ("volume", -1.0, "volume must be finite and not negative"),
        ("volume", float("nan"), "volume must be finite and not negative"),
    ],
)
@given(row=st.integers(min_value=0, max_value=2 * N_BARS - 1))
def test_one_bad_value_anywhere_is_refused_with_symbol_instant_value_and_rule(
    column: str, value: float | None, rule: str, row: int
) -> None:
    bars = good_bars().with_row_index("row")
    bad = bars.with_columns(
        pl.when(pl.col("row") == row).then(pl.lit(value, pl.Float64)).otherwise(column).alias(column)
    )
    with pytest.raises(DataValidationError) as caught:
        admit_bars(bad.drop("row"), "bars.csv")
    message = str(caught.value)
    symbol, minute = ("A", "B")[row // N_BARS], row % N_BARS
    assert rule in message
    assert f"{symbol} at 1970-01-01T00:{minute:02}:00Z" in message
    assert f"{column} {value}" in message
    assert "outcry data check bars.csv" in message
    assert "\n" not in message


def test_time_going_backwards_within_a_symbol_is_refused() -> None:
    with pytest.raises(DataValidationError, match="time must not go backwards within a symbol: A"):
        admit_bars(pl.concat([good_bars()[10:20], good_bars()[:10]]), "test")


def test_an_exact_repeat_is_refused_or_left_out_and_counted() -> None:
    doubled = pl.concat([good_bars()[:5], good_bars()[4:]])
    with pytest.raises(DataValidationError, match="a symbol must have one bar an instant: A"):
        admit_bars(doubled, "test")
    bars, n_repeats, _ = admit_bars(doubled, "test", drops_exact_repeats=True)
    assert n_repeats == 1
    assert_frame_equal(bars, good_bars())


def test_a_repeat_with_other_values_is_refused_always() -> None:
    other = good_bars()[4:5].with_columns(volume=pl.lit(6.0))
    with pytest.raises(DataValidationError, match="a symbol must have one bar an instant"):
        admit_bars(pl.concat([good_bars()[:5], other, good_bars()[5:]]), "test", drops_exact_repeats=True)


def test_bars_that_break_a_rule_are_left_out_where_that_is_asked_for() -> None:
    bars = good_bars()
    bad = {3: ("high", 1.0), 7: ("close", None), 50: ("volume", -1.0), 51: ("low", float("nan"))}
    spoilt = bars
    for row, (column, value) in bad.items():
        spoilt = spoilt.with_columns(
            pl.when(pl.int_range(pl.len()) == row).then(pl.lit(value)).otherwise(pl.col(column)).alias(column)
        )
    with pytest.raises(DataValidationError):
        admit_bars(spoilt, "test")
    kept = admit_bars(spoilt, "test", drops_bad=True)
    assert (kept.n_bad, kept.n_repeats) == (4, 0)
    assert_frame_equal(kept.bars, bars.filter(~pl.int_range(pl.len()).is_in(list(bad))))
