"""A simple rule on real intraday prices, reported whole."""

import os
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

from outcry.backtest.history import RunHistory
from outcry.backtest.report.write import write_report
from outcry.labels.direction import volatility_band

SYMBOLS = ("AAPL", "AMD", "JPM", "NVDA", "XOM")
BAR_NS = 300_000_000_000
REPOSITORY = Path(__file__).resolve().parents[5]


@pytest.fixture
def history(build_history_on_prices: Any) -> RunHistory:
    folder = Path(os.environ.get("OUTCRY_TEST_DATA", REPOSITORY.parent / "shared" / "data"))
    bars = pl.read_parquet(folder / "us_equities_5min_2025_2026.parquet").filter(pl.col("symbol").is_in(SYMBOLS))
    local = pl.col("ts").dt.convert_time_zone("America/New_York").dt.time()
    bars = bars.filter(local.is_between(pl.time(9, 30), pl.time(16, 0), closed="left"))
    opens, closes = (bars.pivot(on="symbol", index="ts", values=field).sort("ts") for field in ("open", "close"))
    close = closes.select(SYMBOLS).to_numpy()
    return build_history_on_prices(
        SYMBOLS,
        closes["ts"].dt.timestamp("ns").to_numpy() + BAR_NS,
        opens.select(SYMBOLS).to_numpy(),
        close,
        400,
        bar_ns=BAR_NS,
        bars_per_year=252.0 * 78.0,
        probability=np.random.default_rng(1).dirichlet((4, 5, 4), close.shape),
        horizon_bars=12,
        band_frac=volatility_band(close, 12, 0.5, 200),
    )


@pytest.mark.realdata
def test_the_report_of_nine_months_of_five_minute_bars_adds_up(history: RunHistory, tmp_path: Path) -> None:
    summary = write_report(history, tmp_path / "report.html")
    days = pd.to_datetime(history.ts_close_ns, utc=True).tz_convert("America/New_York").date
    by_day = pd.Series(history.equity).groupby(days).last()
    returns = pd.concat([pd.Series([history.initial_cash]), by_day]).pct_change().dropna()
    assert summary.returns.n_sessions == len(by_day)
    assert summary.returns.sessions_per_year == 252.0
    assert summary.returns.sharpe == pytest.approx(returns.mean() / returns.std() * np.sqrt(252))
    assert sum(profit.net for profit in summary.symbols) == pytest.approx(summary.profit, abs=1e-4)
    assert summary.trades.n_trades > 500
    relatives = history.closes[-1] / history.closes[0]
    # The costs of entry: 2 bps, and 0.005 a share of about 150.
    assert summary.benchmark.total_return_frac == pytest.approx(relatives.mean() - 1, abs=5e-4)
    assert summary.forecasts is not None
    assert summary.forecasts.skill_frac < 0
    assert (tmp_path / "report.html").stat().st_size < 6_000_000
