"""Histories to measure: made of returns, and of a simple rule traded on given prices."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from outcry.backtest.analytics.drawdown_metrics import underwater
from outcry.backtest.history import AssumedCosts, RunHistory
from outcry.market.frame import FloatArray, IntArray
from outcry.market.universe import Universe
from outcry.messages import Fill, Side

DAY_NS = 86_400_000_000_000
START_NS = 1_600_000_000 * 1_000_000_000
CENT = Decimal("0.01")


def trade_moving_average(
    symbols: tuple[str, ...],
    ts_close_ns: IntArray,
    opens: FloatArray,
    closes: FloatArray,
    window_bars: int,
    **facts: Any,
) -> RunHistory:
    """Hold a fifth of the initial cash of every symbol above its moving average; orders fill at the next open."""
    costs = AssumedCosts(slippage_bps=2.0, commission_per_share=0.005)
    n, n_symbols = closes.shape
    cash, held, fills = Decimal(100_000), np.zeros(n_symbols), []
    columns: dict[str, FloatArray] = {
        name: np.zeros(n) for name in ("equity", "cash", "gross_exposure", "net_exposure")
    }
    mark, wanted = np.zeros(n_symbols), np.zeros(n_symbols)
    for t in range(n):
        for j in np.flatnonzero((wanted != held) & np.isfinite(opens[t])):
            quantity = Decimal(int(wanted[j] - held[j]))
            side = Side.BUY if quantity > 0 else Side.SELL
            reference = Decimal(str(opens[t, j]))
            price = (reference * (1 + side.sign * Decimal("0.0002"))).quantize(CENT)
            commission = (abs(quantity) * Decimal("0.005")).quantize(CENT)
            slippage = abs(price - reference) * abs(quantity)
            ts_ns = int(ts_close_ns[t])
            fills.append(
                Fill(f"f{t}-{j}", f"o{t}-{j}", t, ts_ns, symbols[j], side, abs(quantity), price, commission, slippage)
            )
            cash -= quantity * price + commission
            held[j] = wanted[j]
        mark = np.where(np.isfinite(closes[t]), closes[t], mark)
        value = held * mark
        equity = float(cash) + value.sum()
        columns["equity"][t], columns["cash"][t] = equity, float(cash)
        columns["gross_exposure"][t] = np.abs(value).sum() / equity
        columns["net_exposure"][t] = value.sum() / equity
        if t >= window_bars:
            average = np.nanmean(closes[t - window_bars : t], axis=0)
            is_above = closes[t] > average
            entered = np.where(held > 0, held, np.floor(20_000 / np.maximum(mark, 0.01)))
            wanted = np.where(is_above, entered, 0.0)
    blank: dict[str, Any] = {
        "run_id": "ma-cross",
        "mode": "backtest",
        "source": "test",
        "model_version": "none",
        "universe": Universe(symbols, ("Other",) * n_symbols),
        "bar_ns": DAY_NS,
        "bars_per_year": 252.0,
        "probability": np.full((n, n_symbols, 3), np.nan),
        "horizon_bars": 1,
        "band_frac": 0.001,
    }
    return RunHistory(
        **{**blank, **facts},
        ts_close_ns=ts_close_ns,
        closes=closes,
        drawdown=underwater(columns["equity"], 100_000.0),
        fills=tuple(fills),
        initial_cash=100_000.0,
        costs=costs,
        **columns,
    )


@pytest.fixture
def build_history() -> Callable[..., RunHistory]:
    """Return a function that trades the moving average on a random walk of daily bars."""

    def build(n: int = 120, symbols: tuple[str, ...] = ("AAA", "BBB"), drift: float = 0.0, **facts: Any) -> RunHistory:
        rng = np.random.default_rng(5)
        closes = 50.0 * np.exp(np.cumsum(rng.normal(drift, 0.02, (n, len(symbols))), axis=0))
        opens = closes * np.exp(rng.normal(0.0, 0.005, closes.shape))
        ts_close_ns = START_NS + DAY_NS * np.arange(n)
        return trade_moving_average(symbols, ts_close_ns, opens.round(2), closes.round(2), 10, **facts)

    return build


@pytest.fixture
def build_history_on_prices() -> Callable[..., RunHistory]:
    """Return `trade_moving_average`."""
    return trade_moving_average
