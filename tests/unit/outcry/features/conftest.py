"""Real bars and generated ones, as tensors, with the sessions they belong to."""

from collections.abc import Callable
from pathlib import Path

import exchange_calendars
import numpy as np
import polars as pl
import pytest

from outcry.market.frame import BAR_FIELDS, FrameTensor
from outcry.market.sessions import Sessions

MINUTE_NS = 60_000_000_000


def _new_york_sessions(start: str, end: str) -> Sessions:
    schedule = exchange_calendars.get_calendar("XNYS", start=start, end=end).schedule
    midnight = schedule.index.tz_localize("America/New_York")
    return Sessions(
        open_ns=schedule["open"].to_numpy(dtype="datetime64[ns]").astype(np.int64),
        close_ns=schedule["close"].to_numpy(dtype="datetime64[ns]").astype(np.int64),
        midnight_ns=midnight.tz_convert("UTC").tz_localize(None).to_numpy(dtype="datetime64[ns]").astype(np.int64),
        weekday=schedule.index.day_of_week.to_numpy().astype(np.int64),
    )


def _load(path: Path, n_symbols: int, n_frames: int, close_of: Callable[[np.ndarray], np.ndarray]) -> FrameTensor:
    table = pl.read_parquet(path).with_columns(pl.col("ts").dt.epoch("ns"))
    symbols = sorted(table["symbol"].unique())[:n_symbols]
    table = table.filter(pl.col("symbol").is_in(symbols))
    opens = np.unique(table["ts"].to_numpy())[-n_frames:]
    table = table.filter(pl.col("ts") >= opens[0]).with_columns(
        vwap=(pl.col("high") + pl.col("low") + pl.col("close")) / 3
    )
    row = np.searchsorted(opens, table["ts"].to_numpy())
    column = np.searchsorted(symbols, table["symbol"].to_numpy().astype(str))
    bars = {field: np.full((len(opens), n_symbols), np.nan) for field in BAR_FIELDS}
    for field, values in bars.items():
        values[row, column] = table[field].to_numpy()
    low = np.minimum(bars["open"], bars["close"])
    high = np.maximum(bars["open"], bars["close"])
    present = (bars["low"] > 0) & (bars["low"] <= low) & (high <= bars["high"])  # the source has contradictory rows
    return FrameTensor(first_seq=0, ts_close_ns=close_of(opens), present=present, **bars)


@pytest.fixture(scope="session")
def daily_sessions() -> Sessions:
    return _new_york_sessions("2013-01-02", "2018-03-01")


@pytest.fixture(scope="session")
def intraday_sessions() -> Sessions:
    return _new_york_sessions("2025-01-02", "2026-02-02")


@pytest.fixture(scope="session")
def daily(market_data_dir: Path, daily_sessions: Sessions) -> FrameTensor:
    """The first 12 names of the S&P 500, 2013 to 2018."""
    return _load(
        market_data_dir / "sp500_daily_2013_2018.parquet",
        12,
        2000,
        lambda opens: daily_sessions.close_ns[np.searchsorted(daily_sessions.open_ns, opens)],
    )


@pytest.fixture(scope="session")
def intraday(market_data_dir: Path, intraday_sessions: Sessions) -> FrameTensor:
    """5-minute bars of 8 US names, the last 3,000 instants; some bars are absent or without volume."""
    return _load(market_data_dir / "us_equities_5min_2025_2026.parquet", 8, 3000, lambda opens: opens + 5 * MINUTE_NS)


@pytest.fixture(params=["daily", "intraday"])
def real_market(request: pytest.FixtureRequest) -> tuple[FrameTensor, Sessions]:
    return request.getfixturevalue(request.param), request.getfixturevalue(f"{request.param}_sessions")


@pytest.fixture(scope="session")
def around_the_clock() -> Sessions:
    """Forty sessions of a UTC day each."""
    day_ns = 24 * 60 * MINUTE_NS
    midnight = np.arange(19_723, 19_803, dtype=np.int64) * day_ns
    return Sessions(open_ns=midnight, close_ns=midnight + day_ns, midnight_ns=midnight, weekday=np.arange(80) % 7)


@pytest.fixture(scope="session")
def make_market(around_the_clock: Sessions) -> Callable[..., FrameTensor]:
    """Return a maker of random walks on a coarse tick, with flat stretches, empty volume and absent bars."""

    def make(seed: int, n_frames: int, n_symbols: int, absent_frac: float = 0.1, minutes: int = 60) -> FrameTensor:
        rng = np.random.default_rng(seed)
        shape = (n_frames, n_symbols)
        moves = rng.normal(0.0, 0.01, shape) * (rng.random(shape) < 0.7)
        close = np.maximum(np.round(50.0 * np.exp(np.cumsum(moves, axis=0)), 1), 0.1)
        open_ = np.vstack([close[:1], close[:-1]])
        high = np.maximum(open_, close) + np.round(rng.exponential(0.05, shape), 1)
        low = np.maximum(np.minimum(open_, close) - np.round(rng.exponential(0.05, shape), 1), 0.05)
        volume = rng.integers(0, 1000, shape) * (rng.random(shape) < 0.9) * 1.0
        present = rng.random(shape) >= absent_frac
        ts = around_the_clock.open_ns[0] + np.arange(1, n_frames + 1) * minutes * MINUTE_NS
        bars = dict(zip(BAR_FIELDS, (open_, high, low, close, volume, (high + low + close) / 3), strict=True))
        bars = {name: np.where(present, values, np.nan) for name, values in bars.items()}
        return FrameTensor(first_seq=0, ts_close_ns=ts, present=present, **bars)

    return make
