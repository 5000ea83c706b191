"""What the same cash would have made in the benchmark of a run."""

import numpy as np

from outcry.backtest.analytics.benchmark import buy_and_hold, carry_forward
from outcry.backtest.analytics.session_returns import DAY_NS, months_since_1970, session_rows, sessions_per_year
from outcry.backtest.benchmark import Benchmark
from outcry.backtest.history import AssumedCosts, RunHistory
from outcry.market.corporate_actions import total_return
from outcry.market.frame import BoolArray, FloatArray, IntArray

UNIVERSE_NAME = "buying and holding the universe"
MAX_AGE_NS = 4 * DAY_NS
"""A last close is the price over a long weekend; after that the benchmark has ended."""
LEAST_TRADED_FRAC = 1e-9


def benchmark_name(history: RunHistory) -> str:
    """Return what a report calls the benchmark of a run."""
    return UNIVERSE_NAME if history.benchmark is None else history.benchmark.name


def benchmark_equity(history: RunHistory) -> FloatArray | None:
    """Return the equity of the benchmark at every frame of the run, float64 (n,), currency.

    None where it has no price in the frames that were traded.

    Notes
    -----
    As of: at each close of the run the benchmark has the last of its own closes at or before it. It pays the costs
    that the run was assumed to pay. Weights are bought at the first frame, and again at the first frame of every month
    in UTC; a symbol without a price yet is cash until it has one. Cash earns ``r / sessions a year`` a session, as the
    risk-free rate is taken off elsewhere.
    """
    benchmark = history.benchmark
    if benchmark is None:
        closes = total_return(history.closes, history.dividends)
        return buy_and_hold(closes, history.initial_cash, history.costs)
    cash = _cash_index(history, benchmark.cash_per_year)
    if not len(benchmark.weights):
        return history.initial_cash * cash
    if not compared_sessions(history).any():
        return None
    closes = _closes_as_of(benchmark, history.ts_close_ns)
    return rebalanced(closes, benchmark.weights, cash, _trading_rows(closes, history.ts_close_ns), history)


def compared_sessions(history: RunHistory) -> BoolArray:
    """Return in which sessions all parts of the benchmark have a price, bool (n_sessions,)."""
    benchmark, last_ns = history.benchmark, history.ts_close_ns[session_rows(history.ts_close_ns)]
    if benchmark is None or not len(benchmark.weights):
        return np.ones(len(last_ns), dtype=np.bool_)
    known = [benchmark.ts_close_ns[is_known] for is_known in np.isfinite(benchmark.closes).T]
    first_ns, end_ns = max(each[0] for each in known), min(each[-1] for each in known) + MAX_AGE_NS
    return np.asarray((last_ns >= first_ns) & (last_ns <= end_ns))


def rebalanced(
    closes: FloatArray, weights: FloatArray, cash_index: FloatArray, rows: IntArray, history: RunHistory
) -> FloatArray:
    """Return the equity of weights that are bought again at some rows, float64 (n,), currency.

    Parameters
    ----------
    closes : float64 (n, n_symbols)
        NaN before the first close of a symbol, whose weight is cash until then.
    weights : float64 (n_symbols,)
        Of the worth; what is missing to 1 is cash.
    cash_index : float64 (n,)
        What a unit of the first cash has become.
    rows : int64 (any,)
        Increasing, the first one 0.
    history : RunHistory
        For its initial cash, and the costs of a trade.
    """
    equity = np.empty(len(closes))
    shares, cash, index_before = np.zeros(len(weights)), history.initial_cash, 1.0
    for start, stop in zip(rows, [*rows[1:], len(closes)], strict=True):
        price = np.nan_to_num(closes[start])
        cash *= (1.0 if start == 0 else cash_index[start]) / index_before
        worth = cash + float(shares @ price)
        wanted = np.where(price > 0, weights, 0.0)
        bought = wanted * worth - shares * price
        worth -= _costs(bought, price, LEAST_TRADED_FRAC * worth, history.costs)
        shares = np.divide(wanted * worth, price, out=np.zeros(len(weights)), where=price > 0)
        cash = (1.0 - float(wanted.sum())) * worth
        index_before = 1.0 if start == 0 else float(cash_index[start])
        equity[start:stop] = np.nan_to_num(closes[start:stop]) @ shares + cash * cash_index[start:stop] / index_before
    return equity


def _costs(bought: FloatArray, price: FloatArray, least: float, costs: AssumedCosts) -> float:
    """Return what it costs to trade these values, a signed amount of currency a symbol."""
    traded = np.abs(bought)
    value = np.where(traded > least, traded, 0.0)
    shares = np.divide(value, price, out=np.zeros(len(value)), where=price > 0)
    commission = costs.commission_per_share * shares + value * costs.commission_bps / 10_000.0
    commission = np.where(value > 0, np.maximum(commission, costs.min_commission), 0.0)
    return float((commission + value * costs.slippage_bps / 10_000.0).sum())


def _cash_index(history: RunHistory, per_year: float) -> FloatArray:
    """Return what a unit of cash has become in each frame; a session earns at its start."""
    ends = session_rows(history.ts_close_ns)
    session = np.searchsorted(ends, np.arange(len(history.ts_close_ns)))
    per_session = per_year / sessions_per_year(history.ts_close_ns, history.bars_per_year)
    return np.asarray((1.0 + per_session) ** (session + 1))


def _closes_as_of(benchmark: Benchmark, ts_close_ns: IntArray) -> FloatArray:
    rows = np.searchsorted(benchmark.ts_close_ns, ts_close_ns, side="right") - 1
    known = carry_forward(benchmark.closes)[np.maximum(rows, 0)]
    return np.where(rows[:, np.newaxis] >= 0, known, np.nan)


def _trading_rows(closes: FloatArray, ts_close_ns: IntArray) -> IntArray:
    """Return the first row of every month, and those at which a price is known for the first time."""
    month = np.diff(months_since_1970(ts_close_ns), prepend=-1) != 0
    is_known = np.isfinite(closes)
    first = (is_known & ~np.vstack((is_known[:1], is_known[:-1]))).any(axis=1)
    return np.flatnonzero(month | first)
