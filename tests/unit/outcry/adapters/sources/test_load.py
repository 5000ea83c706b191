import datetime as dt
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from numpy.testing import assert_array_equal

from outcry.adapters.sources.load import load_market
from outcry.adapters.sources.sample import read_sample
from outcry.errors import ConfigurationError, DataNotFoundError, DataValidationError, OutcryError
from outcry.market.frame import BAR_FIELDS, TAPE_FIELDS
from outcry.market.source import SourceConfig


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "bars.parquet"
    read_sample().filter(pl.col("ts").dt.year() == 2012).write_parquet(path)
    return path


def test_every_bar_of_the_file_is_in_the_frames(source: Path) -> None:
    market = load_market(SourceConfig(source=str(source)))
    table = pl.read_parquet(source)
    assert market.frames.present.sum() == table.height
    for column, symbol in enumerate(market.universe.symbols):
        here = market.frames.present[:, column]
        bars = table.filter(pl.col("symbol") == symbol)
        for name in ("open", "high", "low", "close", "volume"):
            assert_array_equal(getattr(market.frames, name)[here, column], bars.get_column(name).to_numpy())
    assert not market.frames.present[:90, market.universe.index("FB")].any()


def test_bars_outside_the_sessions_of_the_calendar_are_told(source: Path, caplog: pytest.LogCaptureFixture) -> None:
    load_market(SourceConfig(source=str(source)))
    assert not caplog.messages
    market = load_market(SourceConfig(source=str(source), calendar="XTKS"))  # closed when New York trades
    (told,) = caplog.messages
    assert str(source) in told
    assert f"{market.frames.present.sum():,} bars are used" in told
    assert f"{market.left_out['outside_session']:,} outside the sessions of XTKS" in told


def test_the_span_is_inclusive_on_both_ends(source: Path) -> None:
    span: dict[str, Any] = {"start": dt.date(2012, 7, 3), "end": dt.date(2012, 7, 6)}
    closes = load_market(SourceConfig(source=str(source), **span)).frames.ts_close_ns
    expected = ["2012-07-03T17:00", "2012-07-05T20:00", "2012-07-06T20:00"]
    assert_array_equal(closes, np.array(expected, dtype="datetime64[ns]").astype(np.int64))


def test_the_fingerprint_follows_the_data_and_nothing_else(source: Path) -> None:
    first = load_market(SourceConfig(source=str(source)))
    assert load_market(SourceConfig(source=str(source)), {"IBM": "Technology"}).fingerprint == first.fingerprint
    table = pl.read_parquet(source)
    moved = pl.when(pl.int_range(pl.len()) == 7).then(pl.col("volume") + 1).otherwise("volume")
    table.with_columns(moved.alias("volume")).write_parquet(source)
    second = load_market(SourceConfig(source=str(source)))
    assert second.fingerprint != first.fingerprint
    assert load_market(SourceConfig(source=str(source), lot=Decimal(2))).fingerprint != second.fingerprint


def test_the_fingerprint_follows_the_tape_and_a_column_that_knows_nothing_is_none(source: Path) -> None:
    plain = load_market(SourceConfig(source=str(source)))
    table = pl.read_parquet(source)
    fingerprints = {plain.fingerprint}
    for bid in (27.0, 27.5):
        table.with_columns(bid=pl.when(pl.int_range(pl.len()) == 7).then(bid)).write_parquet(source)
        fingerprints.add(load_market(SourceConfig(source=str(source))).fingerprint)
    assert len(fingerprints) == 3
    table.with_columns(bid=pl.lit(None, pl.Float64), ask=float("nan")).write_parquet(source)
    silent = load_market(SourceConfig(source=str(source)))
    assert silent.frames.tape is None
    assert silent.fingerprint == plain.fingerprint


def test_sectors_come_from_the_mapping_and_are_other_where_it_is_silent(source: Path) -> None:
    market = load_market(SourceConfig(source=str(source), symbols=("IBM", "FB")), {"IBM": "Technology"})
    assert (market.universe.symbols, market.universe.sectors) == (("FB", "IBM"), ("Other", "Technology"))


def test_a_symbol_without_bars_in_the_span_is_left_out_unless_it_was_asked_for(source: Path) -> None:
    early: dict[str, Any] = {"source": str(source), "end": dt.date(2012, 3, 1)}
    assert "FB" not in load_market(SourceConfig(**early)).universe.symbols
    with pytest.raises(DataNotFoundError, match=r"symbols must have bars .* none for FB"):
        load_market(SourceConfig(symbols=("FB", "IBM"), **early))


@pytest.mark.parametrize(
    ("values", "error", "message"),
    [
        ({"symbols": ("APPL",)}, DataNotFoundError, "APPL is not; did you mean AAPL?"),
        ({"symbols": 6}, DataNotFoundError, "symbols must be at most 5, the number in .*, was 6"),
        (
            {"start": dt.date(2020, 1, 1)},
            DataNotFoundError,
            "from 2020-01-01 .* holds bars from 2012-01-03 to 2012-12-31",
        ),
        ({"start": dt.date(2012, 7, 4), "end": dt.date(2012, 7, 4)}, DataNotFoundError, "must hold bars .* holds none"),
        ({"bars": "1h"}, ConfigurationError, "bars must be a multiple of the source's bar size 1d.* was 1h"),
        ({"calendar": "MARS"}, ConfigurationError, "calendar must be a name .* was 'MARS'"),
        ({"source": "nowhere.parquet"}, DataNotFoundError, "nowhere.parquet does not exist"),
    ],
)
def test_what_is_not_there_ends_in_one_line_with_value_and_rule(
    source: Path, values: dict[str, Any], error: type[OutcryError], message: str
) -> None:
    with pytest.raises(error, match=message) as caught:
        load_market(SourceConfig(**{"source": str(source), **values}))
    assert "\n" not in str(caught.value)


def test_a_bar_that_breaks_a_rule_outside_the_span_does_not_matter(source: Path) -> None:
    table = pl.read_parquet(source)
    is_bad = (pl.col("symbol") == "IBM") & (pl.col("ts") == dt.date(2012, 3, 1))
    table.with_columns(pl.when(is_bad).then(-1.0).otherwise("low").alias("low")).write_parquet(source)
    with pytest.raises(DataValidationError, match=r"must be positive: IBM at 2012-03-01.* low -1\.0"):
        load_market(SourceConfig(source=str(source)))
    load_market(SourceConfig(source=str(source), start=dt.date(2012, 6, 1)))
    load_market(SourceConfig(source=str(source), symbols=("AAPL", "MSFT")))


@pytest.mark.realdata
def test_twenty_real_symbols_make_regular_sessions_of_five_minutes(market_data_dir: Path) -> None:
    path = market_data_dir / "us_equities_5min_2025_2026.parquet"
    market = load_market(
        SourceConfig(source=str(path), symbols=20, start=dt.date(2025, 6, 30), end=dt.date(2025, 7, 7))
    )
    names = sorted(pl.scan_parquet(path).select(pl.col("symbol").unique()).collect().get_column("symbol").to_list())
    assert market.universe.symbols == tuple(names[:20])
    # Five sessions of 78 bars, of which the one before Independence Day has 42.
    assert market.frames.present.shape == (4 * 78 + 42, 20)
    assert market.frames.present.all()
    for name in BAR_FIELDS:
        assert np.isfinite(getattr(market.frames, name)).all()
    halves = np.datetime64("2025-07-03T17:00", "ns").astype(np.int64)
    assert halves in market.frames.ts_close_ns


@pytest.mark.realdata
def test_a_file_with_a_block_written_twice_loads_where_repeats_may_be_dropped(market_data_dir: Path) -> None:
    values: dict[str, Any] = {
        "source": str(market_data_dir / "us_equities_1min_2018.parquet"),
        "symbols": ("AAPL", "DIS"),
    }
    with pytest.raises(DataValidationError, match="a symbol must have one bar an instant: DIS"):
        load_market(SourceConfig(**values))
    market = load_market(SourceConfig(duplicates="drop_exact", **values))
    assert market.left_out["exact_duplicate"] == 1_951
    assert len(market.frames) == 39 * 390


@pytest.mark.realdata
def test_all_hours_keep_every_bar(market_data_dir: Path) -> None:
    path = market_data_dir / "us_equities_1min_spy_2011.parquet"
    everything = load_market(SourceConfig(source=str(path), session="all"))
    regular = load_market(SourceConfig(source=str(path)))
    assert len(everything.frames) == pl.scan_parquet(path).select(pl.len()).collect().item()
    assert len(regular.frames) == len(everything.frames) - regular.left_out["outside_session"]
    # The file says: 43 sessions, complete, across the start of daylight saving time.
    assert len(regular.frames) == 43 * 390


@pytest.mark.realdata
def test_real_quotes_stand_beside_their_bars_with_missing_sides_and_crossed_markets(
    market_data_dir: Path, tmp_path: Path
) -> None:
    key = ["symbol", "ts"]
    quotes = pl.read_parquet(market_data_dir / "us_equities_1min_quotes_lean.parquet").select(
        *key, "bid_size", "ask_size", bid="bid_close", ask="ask_close"
    )
    bars = pl.read_parquet(market_data_dir / "us_equities_1min_lean.parquet")
    path = tmp_path / "quoted.parquet"
    bars.join(quotes, on=key, how="left").write_parquet(path)
    market = load_market(SourceConfig(source=str(path), session="all"))
    frames, tape = market.frames, market.frames.tape
    assert tape is not None
    known = quotes.to_pandas().set_index(key)
    rows, columns = np.nonzero(frames.present)
    opens = pd.to_datetime(frames.ts_close_ns[rows] - market.bar_ns, utc=True)
    cells = pd.MultiIndex.from_arrays([np.array(market.universe.symbols)[columns], opens], names=key)
    expected = known.reindex(cells)
    for place, name in enumerate(("bid", "ask", "bid_size", "ask_size")):
        assert_array_equal(tape[rows, columns, place], expected[name].to_numpy())
    assert np.isnan(tape[..., 4:]).all()
    assert np.isnan(tape[~frames.present]).all()
    assert (tape[..., 0] >= tape[..., 1]).sum() > 50
    assert np.isnan(tape[rows, columns, 0]).sum() >= 896
    plain = load_market(SourceConfig(source=str(market_data_dir / "us_equities_1min_lean.parquet"), session="all"))
    assert plain.frames.tape is None
    for name in BAR_FIELDS:
        assert_array_equal(getattr(plain.frames, name), getattr(frames, name))


@pytest.mark.realdata
@pytest.mark.parametrize("minutes", [1, 15])
def test_real_trades_are_counted_and_their_buys_add_up(market_data_dir: Path, tmp_path: Path, minutes: int) -> None:
    trades = pl.read_parquet(market_data_dir / "crypto_trades_freqtrade.parquet")
    by_minute = trades.group_by("symbol", pl.col("ts").dt.truncate("1m"), maintain_order=True).agg(
        trades=pl.len(), buy_volume=pl.col("size").filter(pl.col("side") == "buy").sum()
    )
    path = tmp_path / "traded.parquet"
    bars = pl.read_parquet(market_data_dir / "crypto_1min_freqtrade.parquet")
    bars.join(by_minute, on=["symbol", "ts"], how="left").write_parquet(path)
    market = load_market(
        SourceConfig(source=str(path), calendar="24/7", bars=None if minutes == 1 else f"{minutes}min")
    )
    frames, tape = market.frames, market.frames.tape
    assert tape is not None
    ticks = trades.to_pandas()
    ticks["buys"] = ticks["size"].where(ticks["side"] == "buy", 0.0)
    grouped = ticks.set_index("ts").resample(f"{minutes}min")
    reference = grouped.agg({"price": "count", "buys": "sum", "size": "sum"})
    expected = reference.reindex(pd.to_datetime(frames.ts_close_ns - market.bar_ns, utc=True))
    assert len(frames) > 100
    assert_array_equal(tape[:, 0, TAPE_FIELDS.index("trades")], expected["price"].to_numpy())
    # Sums are taken in another order.
    np.testing.assert_allclose(tape[:, 0, TAPE_FIELDS.index("buy_volume")], expected["buys"].to_numpy(), rtol=1e-12)
    np.testing.assert_allclose(frames.volume[:, 0], expected["size"].to_numpy(), rtol=1e-12)
    assert np.isnan(tape[..., :4]).all()
