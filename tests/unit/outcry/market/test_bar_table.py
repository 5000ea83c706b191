import datetime as dt

import polars as pl
import pytest

from outcry.errors import DataValidationError
from outcry.market.bar_table import bar_symbols, normalise_bars


def table(**columns: object) -> pl.DataFrame:
    base: dict[str, object] = {
        "symbol": ["MSFT", "brk.b"],
        "ts": [dt.datetime(2025, 1, 2, 14, 30, tzinfo=dt.UTC)] * 2,
        "open": [1.0, 2.0],
        "high": [3.0, 4.0],
        "low": [1.0, 2.0],
        "close": [2.0, 3.0],
        "volume": [10.0, 20.0],
    }
    return pl.DataFrame({**base, **columns})


def test_symbols_are_upper_case_and_ascending_while_rows_keep_their_order() -> None:
    bars = normalise_bars(table(), "test")
    symbols, codes = bar_symbols(bars)
    assert symbols == ("BRK.B", "MSFT")
    assert codes.tolist() == [1, 0]


def test_a_missing_vwap_is_the_mean_of_high_low_and_close() -> None:
    assert normalise_bars(table(), "test").get_column("vwap").to_list() == [2.0, 3.0]
    assert normalise_bars(table(vwap=[1.5, None]), "test").get_column("vwap").to_list() == [1.5, 3.0]


def test_a_null_volume_is_zero_because_currency_pairs_have_none() -> None:
    volume = pl.Series([None, None], dtype=pl.Float64)
    assert normalise_bars(table(volume=volume), "test").get_column("volume").to_list() == [0.0, 0.0]


@pytest.mark.parametrize(
    "ts",
    [
        pl.Series([dt.datetime(2025, 1, 2, 14, 30)] * 2),  # noqa: DTZ001 - a time without a zone is the case here
        pl.Series([dt.datetime(2025, 1, 2, 14, 30, tzinfo=dt.UTC)] * 2).dt.convert_time_zone("America/New_York"),
        pl.Series([dt.datetime(2025, 1, 2, 14, 30, tzinfo=dt.UTC)] * 2).cast(pl.Datetime("ms", "UTC")),
    ],
    ids=["without zone", "other zone", "milliseconds"],
)
def test_times_are_instants_in_nanoseconds_utc(ts: pl.Series) -> None:
    expected = int(dt.datetime(2025, 1, 2, 14, 30, tzinfo=dt.UTC).timestamp()) * 10**9
    assert normalise_bars(table(ts=ts), "test").get_column("ts_ns").to_list() == [expected] * 2


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"ts": [1, 2]}, "ts must be a timestamp"),
        ({"ts": ["soon", "later"]}, r"ts must be a timestamp .* 'soon'"),
        ({"ts": [dt.date(2025, 1, 2), None]}, "ts must be present in every row, test has 1 without"),
        ({"open": ["1", "2"]}, "open must be a number"),
        ({"symbol": ["A", None]}, "symbol must be present in every row"),
        ({"symbol": ["A", "B B"]}, "symbol must be .* was 'B B'"),
    ],
)
def test_a_column_of_another_type_is_refused(columns: dict[str, object], message: str) -> None:
    with pytest.raises(DataValidationError, match=message):
        normalise_bars(table(**columns), "test")


def test_wrong_columns_are_listed_with_those_found() -> None:
    with pytest.raises(DataValidationError, match=r"missing ts, volume, found symbol, open, high, low, close, time"):
        normalise_bars(table().drop("ts", "volume").with_columns(time=1), "test")


def test_columns_of_a_tape_are_kept_where_the_table_has_them_and_what_is_not_known_is_null() -> None:
    assert "bid" not in normalise_bars(table(), "test").columns
    bars = normalise_bars(table(trades=[3, None], bid=[float("nan"), 1.5], note=["x", "y"]), "test")
    assert bars.columns == ["symbol", "ts_ns", "open", "high", "low", "close", "volume", "vwap", "bid", "trades"]
    assert bars.get_column("bid").to_list() == [None, 1.5]
    assert bars.get_column("trades").to_list() == [3.0, None]
    assert bars.schema["trades"] == pl.Float64
    with pytest.raises(DataValidationError, match="ask must be a number"):
        normalise_bars(table(ask=["1", "2"]), "test")
