from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from outcry.adapters.sources.read import read_bars
from outcry.adapters.sources.sample import read_sample
from outcry.errors import DataNotFoundError, DataValidationError


def sample() -> pl.DataFrame:
    return read_sample().filter(pl.col("symbol").is_in(["FB", "IBM"]), pl.col("ts").dt.year() == 2013)


def test_parquet_csv_and_folders_of_them_hold_the_same_bars(tmp_path: Path) -> None:
    for folder in ("parquet", "csv"):
        (tmp_path / folder).mkdir()
    sample().write_parquet(tmp_path / "all.parquet")
    sample().write_csv(tmp_path / "all.csv")
    for month in (3, 1, 2):
        part = sample().filter(pl.col("ts").dt.month() == month)
        # Named so that the order of the names is not the order of time.
        part.write_parquet(tmp_path / "parquet" / f"{9 - month}.parquet")
        part.write_csv(tmp_path / "csv" / f"{9 - month}.csv")
    expected = read_bars(str(tmp_path / "all.parquet"))
    assert expected.height == sample().height
    assert_frame_equal(read_bars(str(tmp_path / "all.csv")), expected)
    for folder in ("parquet", "csv"):
        bars = read_bars(str(tmp_path / folder))
        assert_frame_equal(bars.sort("symbol", maintain_order=True), expected)


@pytest.mark.parametrize("text", ["2013-01-02T14:30:00Z", "2013-01-02 14:30:00", "2013-01-02T09:30:00-05:00"])
def test_csv_times_are_utc_unless_they_say_otherwise(tmp_path: Path, text: str) -> None:
    path = tmp_path / "bars.csv"
    path.write_text(f"symbol,ts,open,high,low,close,volume,note\nBTC/USD,{text},1,2,1,2,10,x\n")
    assert read_bars(str(path)).row(0) == ("BTC/USD", 1_357_137_000_000_000_000, 1.0, 2.0, 1.0, 2.0, 10.0, 5 / 3)


def test_symbols_are_chosen_by_name_or_as_the_first_by_name(tmp_path: Path) -> None:
    path = tmp_path / "bars.parquet"
    sample().with_columns(pl.col("symbol").str.to_lowercase()).write_parquet(path)
    assert read_bars(str(path), ("IBM",)).get_column("symbol").unique().to_list() == ["IBM"]
    assert read_bars(str(path), 1).get_column("symbol").unique().to_list() == ["FB"]


@pytest.mark.parametrize(
    ("name", "content", "error", "message"),
    [
        ("missing.parquet", None, DataNotFoundError, "missing.parquet does not exist"),
        ("bars.txt", b"x", DataValidationError, r"must be a \.parquet or \.csv file, was .*bars\.txt"),
        ("bars.parquet", b"not parquet", DataValidationError, "bars.parquet must be a readable parquet file"),
        ("bars.parquet", b"", DataValidationError, "bars.parquet must be a readable parquet file"),
        ("bars.csv", b"", DataValidationError, "bars.csv must be a readable csv file"),
        (
            "bars.csv",
            b"symbol,ts,open\n",
            DataValidationError,
            "missing high, low, close, volume, found symbol, ts, open",
        ),
        ("bars.csv", b"date,px\n1,2\n", DataValidationError, "missing symbol, ts, open"),
        ("bars.csv", b"symbol,ts,open,high,low,close,volume\n", DataNotFoundError, "must hold bars"),
        (
            "bars.csv",
            b"symbol,ts,open,high,low,close,volume\nA,2013-01-02,1,1,1,abc,1\n",
            DataValidationError,
            "close must be a number, bars.csv has String .*'abc'",
        ),
        (
            "bars.csv",
            b"symbol,ts,open,high,low,close,volume\nA,1357137000,1,1,1,1,1\n",
            DataValidationError,
            "ts must be a timestamp",
        ),
    ],
)
def test_a_file_that_cannot_be_used_ends_in_one_line(
    tmp_path: Path, name: str, content: bytes | None, error: type[Exception], message: str
) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(error, match=message) as caught:
        read_bars(str(path))
    assert "\n" not in str(caught.value)


def test_a_folder_without_bar_files_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataNotFoundError, match=r"must hold \.parquet or \.csv files"):
        read_bars(str(tmp_path))


def test_a_folder_whose_files_do_not_fit_together_is_refused(tmp_path: Path) -> None:
    sample().write_csv(tmp_path / "a.csv")
    sample().with_columns(ts=pl.lit("soon")).write_csv(tmp_path / "b.csv")
    with pytest.raises(DataValidationError):
        read_bars(str(tmp_path))


def test_quotes_that_come_late_in_a_file_are_numbers_in_every_format(tmp_path: Path) -> None:
    # The first hundred rows of a CSV file, of which types are guessed, have none.
    late = pl.when(pl.int_range(pl.len()) >= pl.len() - 2)
    bars_of_a_year = read_sample().filter(pl.col("symbol") == "IBM", pl.col("ts").dt.year() == 2012)
    table = bars_of_a_year.with_columns(bid=late.then(27.5), trades=late.then(12))
    assert table.get_column("bid").null_count() > 200
    table.write_parquet(tmp_path / "bars.parquet")
    table.write_csv(tmp_path / "bars.csv")
    bars = read_bars(str(tmp_path / "bars.csv"))
    assert_frame_equal(bars, read_bars(str(tmp_path / "bars.parquet")))
    assert bars.get_column("bid").drop_nulls().to_list() == [27.5, 27.5]
    assert bars.get_column("trades").to_list()[-1] == 12.0


def test_files_of_a_folder_need_not_all_have_quotes(tmp_path: Path) -> None:
    for month in (1, 2):
        part = sample().filter(pl.col("ts").dt.month() == month)
        (part if month == 1 else part.with_columns(ask=99.0)).write_parquet(tmp_path / f"{month}.parquet")
    bars = read_bars(str(tmp_path))
    n_bars = sample().filter(pl.col("ts").dt.month() == 1).height
    assert bars.get_column("ask").null_count() == n_bars
    assert set(bars.get_column("ask").drop_nulls()) == {99.0}
