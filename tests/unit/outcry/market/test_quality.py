from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from outcry.adapters.sources.read import read_bars
from outcry.errors import DataNotFoundError
from outcry.market.bar_size import SECOND_NS
from outcry.market.bar_table import normalise_bars
from outcry.market.calendar import TradingCalendar
from outcry.market.quality import QualityReport, Severity, check_bars

MINUTE_NS = 60 * SECOND_NS
XNYS = TradingCalendar("XNYS")
N_BARS = 3 * 78


def good_bars() -> pl.DataFrame:
    """Return three whole sessions of five-minute bars."""
    start_ns, end_ns = (int(np.datetime64(day, "ns").astype(int)) for day in ("2025-06-02T12", "2025-06-04T12"))
    sessions = XNYS.sessions(start_ns, end_ns)
    opens_ns = np.concatenate(
        [np.arange(a, b, 5 * MINUTE_NS) for a, b in zip(sessions.open_ns, sessions.close_ns, strict=True)]
    )
    close = 100 * np.exp(np.cumsum(np.random.default_rng(2).uniform(-1e-3, 1e-3, len(opens_ns))))
    table = pl.DataFrame(
        {
            "symbol": ["SPY"] * len(opens_ns),
            "ts": pl.Series(opens_ns).cast(pl.Datetime("ns", "UTC")),
            "open": close,
            "high": close + 1,
            "low": close - 1,
            "close": close,
            "volume": np.arange(1.0, len(opens_ns) + 1),
        }
    )
    return normalise_bars(table, "test")


def with_value(row: int, **values: float | None) -> pl.DataFrame:
    bars = good_bars().with_row_index("row")
    changed = [
        pl.when(pl.col("row") == row).then(pl.lit(value, pl.Float64)).otherwise(name).alias(name)
        for name, value in values.items()
    ]
    return bars.with_columns(changed).drop("row")


def kinds(report: QualityReport) -> dict[str, int]:
    return {finding.kind: finding.count for finding in report.findings}


def test_good_bars_have_no_findings() -> None:
    report = check_bars(good_bars(), XNYS, now_ns=2**62)
    assert report.findings == ()
    assert not report.has_errors
    assert (report.n_bars, report.bar_ns, report.coverage_frac) == (N_BARS, 5 * MINUTE_NS, {"SPY": 1.0})


@pytest.mark.parametrize(
    ("values", "kind", "severity"),
    [
        ({"open": None}, "missing_price", Severity.ERROR),
        ({"high": float("nan")}, "missing_price", Severity.ERROR),
        ({"low": -1.0}, "non_positive_price", Severity.ERROR),
        ({"high": 1.0}, "ohlc_contradiction", Severity.ERROR),
        ({"low": 1e9}, "ohlc_contradiction", Severity.ERROR),
        ({"volume": -1.0}, "bad_volume", Severity.ERROR),
        ({"volume": 0.0}, "zero_volume", Severity.WARNING),
    ],
)
@given(row=st.integers(0, N_BARS - 1))
def test_a_bad_value_is_found_where_it_is(
    values: dict[str, float | None], kind: str, severity: Severity, row: int
) -> None:
    bars = with_value(row, **values)
    (finding,) = check_bars(bars, XNYS).findings
    assert (finding.kind, finding.severity, finding.count, finding.symbol) == (kind, severity, 1, "SPY")
    assert finding.first_ts_ns == bars.item(row, "ts_ns")
    name, value = next(iter(values.items()))
    assert f"{name}={'null' if value is None else f'{value:g}'}" in finding.examples[0]


@pytest.mark.parametrize(
    ("column", "value"),
    [("bid", 0.0), ("ask", -1.0), ("bid_size", -1.0), ("ask_size", -1.0), ("trades", -2.0), ("buy_volume", 1e9)],
)
def test_a_bad_value_of_a_tape_is_found_where_it_is(column: str, value: float) -> None:
    is_bad = pl.int_range(pl.len()) == 17
    bars = good_bars().with_columns(pl.when(is_bad).then(pl.lit(value)).alias(column))
    (finding,) = check_bars(bars, XNYS).findings
    assert (finding.kind, finding.severity, finding.count) == (f"bad_{column}", Severity.ERROR, 1)
    assert finding.first_ts_ns == bars.item(17, "ts_ns")
    assert f"{column}={value:g}" in finding.examples[0]


@given(st.sets(st.integers(1, N_BARS - 2), min_size=1, max_size=40))
def test_missing_bars_are_counted_over_the_slots_of_the_sessions(missing: set[int]) -> None:
    kept = good_bars().with_row_index("row").filter(~pl.col("row").is_in(list(missing))).drop("row")
    report = check_bars(kept, XNYS)
    assert kinds(report) == {"gap": len(missing)}
    assert report.coverage_frac["SPY"] == pytest.approx(1 - len(missing) / N_BARS)
    assert report.findings[0].first_ts_ns == good_bars().item(min(missing), "ts_ns") + 5 * MINUTE_NS


def test_repeats_are_told_apart_by_their_values() -> None:
    bars = good_bars()
    conflict = bars[20:21].with_columns(volume=pl.lit(7e6))
    report = check_bars(pl.concat([bars[:10], bars[9:21], conflict, bars[21:]]), XNYS)
    assert kinds(report) == {"duplicate_conflict": 1, "duplicate_exact": 1}
    assert report.has_errors


def test_time_going_backwards_is_found_in_the_order_of_the_source() -> None:
    report = check_bars(pl.concat([good_bars()[100:], good_bars()[:100]]), XNYS)
    assert kinds(report) == {"time_backwards": 1}


def test_a_jump_within_a_session_is_an_outlier_and_one_across_nights_is_not_compared_with_it() -> None:
    bars = good_bars()
    jump = pl.when(pl.int_range(pl.len()) >= 40).then(1.5).otherwise(1.0)
    inside = bars.with_columns(pl.col("open", "high", "low", "close") * jump)
    assert kinds(check_bars(inside, XNYS)) == {"outlier": 1}
    assert check_bars(inside, XNYS).findings[0].first_ts_ns == bars.item(40, "ts_ns")
    night = pl.when(pl.int_range(pl.len()) >= 78).then(1.5).otherwise(1.0)
    assert check_bars(bars.with_columns(pl.col("open", "high", "low", "close") * night), XNYS).findings == ()


def test_bars_outside_the_session_and_in_the_future_are_found() -> None:
    early = good_bars()[:1].with_columns(pl.col("ts_ns") - 60 * MINUTE_NS)
    bars = pl.concat([early, good_bars()])
    assert kinds(check_bars(bars, XNYS)) == {"outside_session": 1}
    assert check_bars(bars, XNYS, session="all").findings == ()
    now_ns = int(good_bars().item(N_BARS - 3, "ts_ns"))
    assert kinds(check_bars(good_bars(), XNYS, now_ns=now_ns)) == {"future": 2}


def test_an_empty_table_cannot_be_checked() -> None:
    with pytest.raises(DataNotFoundError, match="bars must not be empty"):
        check_bars(good_bars().clear(), XNYS)


@pytest.mark.realdata
@pytest.mark.parametrize(
    ("name", "calendar", "expected"),
    [
        (
            "us_equities_1min_2018",
            "XNYS",
            {"duplicate_exact": 5_845, "duplicate_conflict": 0, "ohlc_contradiction": 0, "zero_volume": 0},
        ),
        ("us_equities_5min_2025_2026", "XNYS", {"duplicate_exact": 0, "zero_volume": 3_160, "missing_price": 0}),
        ("sp500_daily_2013_2018", "XNYS", {"ohlc_contradiction": 10, "missing_price": 10, "zero_volume": 4}),
        ("us_daily_raw_2015_2017", "XNYS", {"non_positive_price": 12, "zero_volume": 319, "outside_session": 5}),
        ("crypto_5min_freqtrade", "24/7", {"gap": 48, "outside_session": 0}),
        ("crypto_1min_freqtrade", "24/7", {"gap": 1_091}),
    ],
)
def test_known_oddities_of_real_files_are_found(
    market_data_dir: Path, name: str, calendar: str, expected: dict[str, int]
) -> None:
    report = check_bars(read_bars(str(market_data_dir / f"{name}.parquet")), TradingCalendar(calendar))
    assert {kind: report.count(kind) for kind in expected} == expected


@pytest.mark.realdata
def test_bars_that_pass_every_price_rule_and_are_wrong_are_outliers(market_data_dir: Path) -> None:
    symbols = ("FLR", "MPC", "MRK", "MRO", "NWL")
    bars = read_bars(str(market_data_dir / "sp500_daily_2013_2018.parquet"), symbols)
    year_ns, day_ns = (int(np.datetime64(text, "ns").astype(int)) for text in ("2017-01-01", "2017-09-14T13:30"))
    report = check_bars(bars.filter(pl.col("ts_ns") > year_ns), XNYS)
    outliers = {f.symbol: f.first_ts_ns for f in report.findings if f.kind == "outlier"}
    assert outliers == dict.fromkeys(symbols, day_ns)
    assert not report.has_errors
