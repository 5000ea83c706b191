import datetime as dt
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from outcry.adapters.sources.load import load_market
from outcry.errors import ConfigurationError, DataValidationError
from outcry.market.aggregate import aggregate_frames
from outcry.market.bar_size import DAY_NS, SECOND_NS
from outcry.market.calendar import TradingCalendar
from outcry.market.frame import TAPE_FIELDS, FrameTensor, IntArray
from outcry.market.source import SourceConfig

MINUTE_NS = 60 * SECOND_NS
XNYS = TradingCalendar("XNYS")
# Friday with a regular close, then a short week: a regular day and a half day around a holiday.
WEEK = (int(np.datetime64("2025-11-25", "ns").astype(int)), int(np.datetime64("2025-11-29", "ns").astype(int)))


def random_frames(ts_close_ns: IntArray, seed: int, present_frac: float) -> FrameTensor:
    generator = np.random.default_rng(seed)
    shape = (len(ts_close_ns), 3)
    present = generator.random(shape) < present_frac
    open_, close = generator.uniform(50, 150, (2, *shape))
    columns = {
        "open": open_,
        "high": np.maximum(open_, close) + generator.uniform(0, 5, shape),
        "low": np.minimum(open_, close) - generator.uniform(0, 5, shape),
        "close": close,
        "volume": generator.integers(0, 3, shape) * generator.uniform(1, 1e6, shape),
        "vwap": (open_ + close) / 2,
    }
    columns = {name: np.where(present, values, np.nan) for name, values in columns.items()}
    return FrameTensor(first_seq=0, ts_close_ns=ts_close_ns, present=present, **columns)


def with_tape(frames: FrameTensor, seed: int, known_frac: float) -> FrameTensor:
    """Add quotes with missing sides, and trades and buy volume that are not always known."""
    generator = np.random.default_rng(seed)
    shape = frames.present.shape
    tape = generator.uniform(1, 100, (*shape, len(TAPE_FIELDS)))
    tape[..., 5] = frames.volume * generator.choice([0.0, 0.3, 1.0], shape)
    tape[generator.random(tape.shape) >= known_frac] = np.nan
    tape[~frames.present] = np.nan
    return replace(frames, tape=tape)


def session_minutes() -> IntArray:
    sessions = XNYS.sessions(*WEEK)
    pairs = zip(sessions.open_ns, sessions.close_ns, strict=True)
    return np.concatenate([np.arange(a + MINUTE_NS, b + 1, MINUTE_NS) for a, b in pairs])


def group_by_session_and_bucket(frames: FrameTensor, target_ns: int) -> pl.DataFrame:
    """Aggregate with polars, one long table, each session on its own."""
    sessions = XNYS.sessions(*WEEK)
    tables = []
    for column in range(frames.n_symbols):
        names = ("open", "high", "low", "close", "volume", "vwap", "present")
        values = {name: getattr(frames, name)[:, column] for name in names}
        tables.append(pl.DataFrame({"ts": frames.ts_close_ns, "column": column, **values}))
    bars = (
        pl.concat(tables)
        .filter("present")
        .with_columns(
            pl.col("ts").map_elements(lambda ts: int(sessions.open_ns[sessions.locate(ts)]), pl.Int64).alias("opened")
        )
    )
    bucket = ((pl.col("ts") - pl.col("opened") - 1) // target_ns).alias("bucket")
    traded = (pl.col("volume") * pl.col("vwap")).sum()
    typical = (pl.col("high").max() + pl.col("low").min() + pl.col("close").last()) / 3
    return (
        bars.group_by("column", "opened", bucket, maintain_order=True)
        .agg(
            pl.col("open").first(),
            pl.col("high").max(),
            pl.col("low").min(),
            pl.col("close").last(),
            pl.col("volume").sum(),
            pl.when(pl.col("volume").sum() > 0).then(traded / pl.col("volume").sum()).otherwise(typical).alias("vwap"),
        )
        .sort("opened", "bucket", "column")
    )


@settings(max_examples=30)
@given(
    n_minutes=st.sampled_from([2, 5, 15, 30, 60, 90, 240]),
    present_frac=st.sampled_from([0.02, 0.3, 0.9, 1.0]),
    seed=st.integers(0, 2**32 - 1),
)
def test_larger_bars_are_those_of_a_group_by_in_polars(n_minutes: int, present_frac: float, seed: int) -> None:
    frames = random_frames(session_minutes(), seed, present_frac)
    larger = aggregate_frames(frames, MINUTE_NS, n_minutes * MINUTE_NS, XNYS.sessions(*WEEK))
    reference = group_by_session_and_bucket(frames, n_minutes * MINUTE_NS)
    for name in ("open", "high", "low", "close"):
        assert_array_equal(getattr(larger, name)[larger.present], reference.get_column(name).to_numpy())
    for name in ("volume", "vwap"):
        # Sums are taken in another order.
        assert_allclose(getattr(larger, name)[larger.present], reference.get_column(name).to_numpy(), rtol=1e-12)
    assert_array_equal(np.isnan(larger.close), ~larger.present)


def last_quotes_and_sums(frames: FrameTensor, target_ns: int) -> pl.DataFrame:
    """Aggregate the tape with polars; a bar without any price has no quote."""
    sessions = XNYS.sessions(*WEEK)
    assert frames.tape is not None
    opened = np.array([sessions.open_ns[sessions.locate(ts)] for ts in frames.ts_close_ns.tolist()])
    bucket = (frames.ts_close_ns - opened - 1) // target_ns
    tables = [
        pl.DataFrame(dict(zip(TAPE_FIELDS, frames.tape[:, column].T, strict=True)))
        .with_columns(opened=opened, bucket=bucket, column=pl.lit(column), present=frames.present[:, column])
        .filter("present")
        for column in range(frames.n_symbols)
    ]
    bars = pl.concat(tables)
    is_quoted = pl.col("bid").is_not_nan() | pl.col("ask").is_not_nan()
    return (
        bars.group_by("column", "opened", "bucket", maintain_order=True)
        .agg(
            *(pl.col(name).filter(is_quoted).last().fill_null(np.nan) for name in TAPE_FIELDS[:4]),
            *(pl.col(name).sum() for name in TAPE_FIELDS[4:]),
        )
        .sort("opened", "bucket", "column")
    )


@settings(max_examples=30)
@given(
    n_minutes=st.sampled_from([2, 5, 30, 240]),
    present_frac=st.sampled_from([0.02, 0.3, 1.0]),
    known_frac=st.sampled_from([0.02, 0.9, 1.0]),
    seed=st.integers(0, 2**32 - 1),
)
def test_a_larger_bar_has_the_last_quote_in_it_and_the_sums_of_what_all_its_bars_know(
    n_minutes: int, present_frac: float, known_frac: float, seed: int
) -> None:
    frames = with_tape(random_frames(session_minutes(), seed, present_frac), seed, known_frac)
    larger = aggregate_frames(frames, MINUTE_NS, n_minutes * MINUTE_NS, XNYS.sessions(*WEEK))
    reference = last_quotes_and_sums(frames, n_minutes * MINUTE_NS)
    assert larger.tape is not None
    for place, name in enumerate(TAPE_FIELDS):
        found, expected = larger.tape[larger.present, place], reference.get_column(name).to_numpy()
        # Sums are taken in another order; a quote is copied.
        assert_allclose(found, expected, rtol=1e-12 if place >= 4 else 0.0)
    assert np.isnan(larger.tape[~larger.present]).all()
    # A bar of bars that keep the rule keeps it: both sums are rounded alike.
    assert not (larger.tape[..., 5] > larger.volume).any()


def test_frames_without_a_tape_make_larger_bars_without_one() -> None:
    frames = random_frames(session_minutes(), 4, 0.9)
    assert aggregate_frames(frames, MINUTE_NS, 5 * MINUTE_NS, XNYS.sessions(*WEEK)).tape is None


@pytest.mark.parametrize(("n_minutes", "n_per_session"), [(60, (7, 7, 4)), (15, (26, 26, 14)), (1440, (1, 1, 1))])
def test_bars_start_at_the_open_and_end_with_the_session(n_minutes: int, n_per_session: tuple[int, ...]) -> None:
    sessions = XNYS.sessions(*WEEK)
    assert len(sessions) >= 3
    larger = aggregate_frames(random_frames(session_minutes(), 3, 1.0), MINUTE_NS, n_minutes * MINUTE_NS, sessions)
    rows = [sessions.locate(ts) for ts in larger.ts_close_ns.tolist()]
    assert tuple(np.bincount(rows)[:3]) == n_per_session
    for row in range(3):
        closes_ns = larger.ts_close_ns[np.array(rows) == row]
        assert closes_ns[-1] == sessions.close_ns[row]
        assert closes_ns[0] == min(sessions.open_ns[row] + n_minutes * MINUTE_NS, sessions.close_ns[row])


@given(first=st.integers(0, 300), n_frames=st.integers(30, 400))
def test_only_bars_whose_first_and_last_frame_are_there_appear(first: int, n_frames: int) -> None:
    minutes = session_minutes()
    whole = aggregate_frames(random_frames(minutes, 5, 1.0), MINUTE_NS, 15 * MINUTE_NS, XNYS.sessions(*WEEK))
    part = random_frames(minutes, 5, 1.0).rows(first, first + n_frames, first_seq=0)
    larger = aggregate_frames(part, MINUTE_NS, 15 * MINUTE_NS, XNYS.sessions(*WEEK))
    starts = np.concatenate([[minutes[0] - MINUTE_NS], whole.ts_close_ns[:-1]])
    is_first_there = np.isin(np.searchsorted(minutes, starts, side="right"), np.arange(first, first + n_frames))
    expected = whole.ts_close_ns[is_first_there & np.isin(whole.ts_close_ns, part.ts_close_ns)]
    assert_array_equal(larger.ts_close_ns, expected)
    assert_array_equal(larger.close, whole.close[np.isin(whole.ts_close_ns, expected)])


def test_bars_outside_the_session_never_mix_with_those_inside() -> None:
    sessions = XNYS.sessions(*WEEK)
    pre, post = sessions.open_ns[1] - 25 * MINUTE_NS, sessions.close_ns[1] + 25 * MINUTE_NS
    minutes = np.arange(pre + MINUTE_NS, post + 1, MINUTE_NS)
    larger = aggregate_frames(random_frames(minutes, 9, 1.0), MINUTE_NS, 10 * MINUTE_NS, sessions)
    assert sessions.open_ns[1] in larger.ts_close_ns
    assert sessions.close_ns[1] in larger.ts_close_ns
    # 25 minutes hold two whole bars next to the open; those after the close start at it.
    assert larger.ts_close_ns[0] == sessions.open_ns[1] - 10 * MINUTE_NS
    assert larger.ts_close_ns[-1] == sessions.close_ns[1] + 20 * MINUTE_NS


def test_the_same_size_returns_the_same_frames() -> None:
    frames = random_frames(session_minutes(), 1, 0.5)
    assert aggregate_frames(frames, MINUTE_NS, MINUTE_NS, XNYS.sessions(*WEEK)) is frames


@pytest.mark.parametrize("target_ns", [90 * SECOND_NS, 30 * SECOND_NS, 2 * DAY_NS])
def test_a_size_that_is_not_a_multiple_is_refused(target_ns: int) -> None:
    frames = random_frames(session_minutes(), 1, 1.0)
    with pytest.raises(ConfigurationError, match="bars must be a multiple of the source's bar size 1min"):
        aggregate_frames(frames, MINUTE_NS, target_ns, XNYS.sessions(*WEEK))


def test_a_span_without_a_whole_bar_is_refused() -> None:
    frames = random_frames(session_minutes(), 1, 1.0).rows(3, 9, first_seq=0)
    with pytest.raises(DataValidationError, match="must hold a whole 15min bar"):
        aggregate_frames(frames, MINUTE_NS, 15 * MINUTE_NS, XNYS.sessions(*WEEK))


@pytest.mark.realdata
def test_seconds_of_spy_give_the_minutes_that_were_published(market_data_dir: Path) -> None:
    seconds = load_market(
        SourceConfig(
            source=str(market_data_dir / "us_equities_1sec_lean.parquet"),
            symbols=("SPY",),
            end=dt.date(2013, 10, 11),
            bars="1min",
        )
    ).frames
    minutes = load_market(
        SourceConfig(
            source=str(market_data_dir / "us_equities_1min_lean.parquet"),
            symbols=("SPY",),
            start=dt.date(2013, 10, 7),
            end=dt.date(2013, 10, 11),
        )
    ).frames
    assert_array_equal(seconds.ts_close_ns, minutes.ts_close_ns)
    assert len(minutes) == 5 * 390
    # The published first minute carries the opening auction, which the seconds of two days lack.
    is_later = np.arange(len(minutes)) % 390 > 0
    for name in ("open", "high", "low", "close"):
        assert_array_equal(getattr(seconds, name)[is_later], getattr(minutes, name)[is_later])


@pytest.mark.realdata
def test_hourly_bars_labelled_by_the_clock_make_days_but_not_pairs_of_hours(market_data_dir: Path) -> None:
    source = str(market_data_dir / "us_equities_1h_lean.parquet")
    days = load_market(SourceConfig(source=source, symbols=("SPY",), bars="1d")).frames
    daily = load_market(
        SourceConfig(source=str(market_data_dir / "us_equities_1d_lean.parquet"), symbols=("SPY",))
    ).frames
    assert_array_equal(days.ts_close_ns, daily.ts_close_ns)
    with pytest.raises(ConfigurationError, match="bars must not be cut by bars of 2h"):
        load_market(SourceConfig(source=source, symbols=("SPY",), bars="2h"))
