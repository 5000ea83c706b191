"""A benchmark that cannot be had is named before anything else is done."""

import datetime as dt
from pathlib import Path

import polars as pl
import pytest

from outcry.adapters.sources.benchmark import load_benchmark
from outcry.errors import DataNotFoundError
from outcry.market.source import SourceConfig

DAY_NS = 86_400 * 10**9
SPAN_NS, FAR_NS = (
    tuple(int(dt.datetime(year, month, 30, tzinfo=dt.UTC).timestamp()) * 10**9 for month in (1, 3))
    for year in (2005, 2013)
)
SAMPLE = SourceConfig(symbols=("AAPL", "IBM"), start=dt.date(2005, 1, 3), end=dt.date(2005, 3, 31))


def test_a_symbol_of_the_source_need_not_be_traded() -> None:
    found = load_benchmark("MSFT=0.6,GOOG=0.4", SAMPLE, SPAN_NS, 0.02)
    assert found is not None
    assert found.name == "60 % MSFT + 40 % GOOG (rebalanced monthly)"
    assert found.weights.tolist() == [0.6, 0.4]
    assert found.closes[-1, 1] > 3 * found.closes[-1, 0]  # MSFT cost some 20 dollars, GOOG 90 or more
    assert found.ts_close_ns[0] < SPAN_NS[0] - 30 * DAY_NS


def test_a_file_by_itself_has_one_symbol(tmp_path: Path) -> None:
    days = pl.date_range(dt.date(2005, 1, 3), dt.date(2005, 1, 31), eager=True)
    bars = (
        pl.DataFrame({"ts": days.filter(days.dt.weekday() < 6)})
        .with_columns(
            pl.lit("spy").alias("symbol"),
            *(pl.lit(100.0).alias(name) for name in ("open", "high", "low", "close")),
            pl.lit(1e6).alias("volume"),
        )
        .filter(pl.col("ts") != dt.date(2005, 1, 17))
    )  # fmt: skip - a holiday
    bars.write_csv(tmp_path / "one.csv")
    found = load_benchmark(str(tmp_path / "one.csv"), SAMPLE, SPAN_NS, 0.02)
    assert found is not None
    assert (found.name, found.closes.shape) == ("SPY (one.csv)", (20, 1))
    pl.concat([bars, bars.with_columns(pl.lit("TLT").alias("symbol"))]).write_csv(tmp_path / "two.csv")
    with pytest.raises(DataNotFoundError, match=r"must hold one symbol, .*two\.csv holds 2; SYMBOL@"):
        load_benchmark(str(tmp_path / "two.csv"), SAMPLE, SPAN_NS, 0.02)
    assert load_benchmark(f"TLT@{tmp_path / 'two.csv'}", SAMPLE, SPAN_NS, 0.02) is not None
    halves = [bars[:10], bars[10:].with_columns(pl.lit("TLT").alias("symbol"))]
    pl.concat(halves).write_csv(tmp_path / "apart.csv")
    apart = f"SPY=0.5,TLT=0.5@{tmp_path / 'apart.csv'}"
    with pytest.raises(DataNotFoundError, match=r"bars of SPY from 2005-01-03 to 2005-01-14, TLT from 2005-01-18 to"):
        load_benchmark(apart, SAMPLE, SPAN_NS, 0.02)
    with pytest.raises(DataNotFoundError, match=r"benchmark 'SPY@.*one\.csv' .* trades from 2013-01-30 to 2013-03-30"):
        load_benchmark(f"SPY@{tmp_path / 'one.csv'}", SourceConfig(), FAR_NS, 0.02)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("SPY", "SPY is not"),
        ("SPY@/nowhere/bars.csv", "/nowhere/bars.csv does not exist"),
        ("/nowhere/bars.parquet", "/nowhere/bars.parquet does not exist"),
        ("FB", "holds bars from 2012-05-18"),
    ],
)
def test_prices_that_are_not_there_are_one_error_that_names_the_benchmark(text: str, named: str) -> None:
    with pytest.raises(DataNotFoundError) as caught:
        load_benchmark(text, SAMPLE, SPAN_NS, 0.02)
    assert str(caught.value).startswith(f"benchmark {text!r} must have prices to measure the run against: ")
    assert named in str(caught.value)


def test_cash_and_the_universe_need_no_prices() -> None:
    nowhere = SourceConfig(source="/nowhere.csv")
    assert load_benchmark("universe", nowhere, SPAN_NS, 0.02) is None
    cash = load_benchmark("cash", nowhere, SPAN_NS, 0.02)
    assert cash is not None
    assert (cash.name, cash.cash_per_year, len(cash.weights)) == ("cash at 2 % a year", 0.02, 0)
