"""Everything that is reported about a run, as values."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np

from outcry.backtest.analytics.benchmark import Regression, carry_forward, regress
from outcry.backtest.analytics.benchmark_equity import benchmark_equity, benchmark_name, compared_sessions
from outcry.backtest.analytics.bootstrap import SharpeInterval, sharpe_interval
from outcry.backtest.analytics.cautions import cautions
from outcry.backtest.analytics.concentration import Concentration, concentrations
from outcry.backtest.analytics.consistency import Consistency, consistency
from outcry.backtest.analytics.drawdown_metrics import DrawdownMetrics, drawdown_metrics, drawdowns
from outcry.backtest.analytics.drawdown_ratios import DrawdownRatios, drawdown_ratios
from outcry.backtest.analytics.factor_attribution import FactorAttribution, factor_attribution
from outcry.backtest.analytics.forecast_quality import ForecastQuality, forecast_quality
from outcry.backtest.analytics.halt import Halt, find_halt
from outcry.backtest.analytics.holdings import holdings
from outcry.backtest.analytics.monte_carlo import (
    LEVELS,
    MonteCarlo,
    resample_returns,
    resample_trades,
    summarise_paths,
)
from outcry.backtest.analytics.months import MonthMetrics, month_metrics
from outcry.backtest.analytics.regimes import RegimeReturn, regime_returns
from outcry.backtest.analytics.return_metrics import ReturnMetrics, return_metrics
from outcry.backtest.analytics.round_trips import Trade, round_trips
from outcry.backtest.analytics.session_returns import session_returns, session_rows
from outcry.backtest.analytics.significance import (
    Evidence,
    TimingTest,
    min_track_record,
    probabilistic_sharpe,
    timing_test,
)
from outcry.backtest.analytics.trade_metrics import (
    SectorProfit,
    SymbolProfit,
    TradeMetrics,
    profit_by_sector,
    profit_by_symbol,
    trade_metrics,
)
from outcry.backtest.history import AssumedCosts, RunHistory
from outcry.backtest.walk_forward import measure_stability
from outcry.features.guard import ColumnQuality
from outcry.labels.direction import direction_labels
from outcry.market.frame import BoolArray, FloatArray
from outcry.messages import LedgerEventKind
from outcry.models.uncertainty.abstain import count_reasons

BOOTSTRAP_SEED = 20_240
CARRY_KINDS = (LedgerEventKind.BORROW_FEE, LedgerEventKind.INTEREST)


@dataclass(frozen=True, slots=True)
class Costs:
    """What trading and holding cost, in currency, positive.

    `carry` is borrow fees and interest paid, less interest received. `gross_profit` is the profit before these costs;
    `share_of_gross_frac` is None where it is not positive.
    """

    commission: float
    slippage: float
    carry: float
    gross_profit: float
    share_of_gross_frac: float | None
    assumed: AssumedCosts

    @property
    def total(self) -> float:
        return self.commission + self.slippage + self.carry


@dataclass(frozen=True, slots=True)
class Activity:
    """How much was held and traded.

    `turnover_per_year` is the traded value over the mean equity, buys and sells both counted, scaled to a year;
    `trades_per_year` counts closed trades. `time_in_market_frac` is the share of frames with an exposure.
    """

    n_fills: int
    traded_value: float
    turnover_per_year: float | None
    trades_per_year: float
    average_gross_frac: float
    average_net_frac: float
    time_in_market_frac: float


@dataclass(frozen=True, slots=True)
class Summary:
    """The figures of a run. All of them are of the traded frames, after costs.

    `trading_span_ns` is the first and last close; `training_span_ns` is None where no model was trained. `benchmark` is
    that of `benchmark_name` over the same span, None where it has no price in it; `regression` is over the sessions
    in which it has one, `n_compared_sessions` of them. `abstained` counts the forecasts that asked for no new risk, by
    reason. `feature_quality` holds the columns that went wrong; `warnings` are sentences. `n_trials` is the number of
    runs that this one was chosen from, itself included.
    """

    run_id: str
    mode: str
    source: str
    model_version: str
    n_frames: int
    trading_span_ns: tuple[int, int]
    training_span_ns: tuple[int, int] | None
    initial_cash: float
    final_equity: float
    risk_free_per_year: float
    returns: ReturnMetrics
    months: MonthMetrics
    consistency: Consistency
    drawdown: DrawdownMetrics
    ratios: DrawdownRatios
    sharpe_interval: SharpeInterval | None
    evidence: Evidence
    resampled_returns: MonteCarlo | None
    resampled_trades: MonteCarlo | None
    trades: TradeMetrics
    symbols: tuple[SymbolProfit, ...]
    sectors: tuple[SectorProfit, ...]
    costs: Costs
    activity: Activity
    benchmark_name: str
    benchmark: ReturnMetrics | None
    n_compared_sessions: int
    regression: Regression | None
    factors: FactorAttribution
    regimes: tuple[RegimeReturn, ...]
    concentrations: tuple[Concentration, ...]
    halt: Halt | None
    forecasts: ForecastQuality | None
    abstained: Mapping[str, int] = field(default_factory=dict)
    feature_quality: tuple[ColumnQuality, ...] = ()
    warnings: tuple[str, ...] = ()
    n_trials: int = 1

    @property
    def profit(self) -> float:
        return self.final_equity - self.initial_cash

    @property
    def is_out_of_sample(self) -> bool:
        """Whether a model was fitted, and everything it has seen ended before the first traded close."""
        return self.training_span_ns is not None and self.training_span_ns[1] < self.trading_span_ns[0]

    @property
    def is_in_sample(self) -> bool:
        """Whether a model was fitted on a part of the traded span; without one a run is neither in nor out of it."""
        return self.training_span_ns is not None and not self.is_out_of_sample

    @property
    def verdict(self) -> str:
        """The result in one sentence; a loss is called a loss, and an in-sample figure is called one."""
        change = self.returns.total_return_frac
        if abs(change) < 5e-5:
            made = "Made nothing and lost nothing"
        else:
            made = f"{'Gained' if change > 0 else 'Lost'} {100 * abs(change):,.2f} % ({self.profit:+,.2f})"
        made = f"{'In-sample, no performance: ' if self.is_in_sample else ''}{made} after costs"
        if self.benchmark is None:
            return f"{made}."
        held = self.benchmark.total_return_frac
        return f"{made}; {self.benchmark_name} {'gained' if held >= 0 else 'lost'} {100 * abs(held):,.2f} %."

    def to_record(self) -> dict[str, Any]:
        """Return the summary as nested plain values, for JSON."""
        return {"verdict": self.verdict, **asdict(self)}


@dataclass(frozen=True, slots=True, eq=False)
class Analysis:
    """A summary, and the arrays behind its charts.

    `holdings` are signed shares after each frame, float64 (n, n_symbols). `equity_fan` holds the quantiles at `LEVELS`
    of the equity of resampled paths, float64 (n_levels, n_sessions), currency; None for a run too short to resample.
    """

    summary: Summary
    trades: tuple[Trade, ...]
    benchmark_equity: FloatArray | None
    holdings: FloatArray
    equity_fan: FloatArray | None


def analyse(history: RunHistory) -> Analysis:
    """Measure a run; deterministic, the bootstrap has a fixed seed."""
    risk_free_per_year = history.risk_free_per_year
    trades, lots = round_trips(history.fills)
    last_close = carry_forward(history.closes)[-1]
    symbols = profit_by_symbol(history.universe, history.fills, trades, lots, last_close, history.ledger_events)
    held = benchmark_equity(history)
    is_compared = compared_sessions(history)
    basis = (history.initial_cash, history.bars_per_year, risk_free_per_year)
    returns = return_metrics(history.ts_close_ns, history.equity, *basis)
    found = drawdowns(history.equity, history.initial_cash)
    drawdown = drawdown_metrics(history.equity, history.initial_cash, found)
    by_session = session_returns(history.ts_close_ns, history.equity, history.initial_cash)
    labels = direction_labels(history.closes, history.horizon_bars, history.band_frac)
    held_shares = holdings(history)
    paths = resample_returns(by_session, np.random.default_rng(BOOTSTRAP_SEED))
    trade_paths = resample_trades(trades, history.initial_cash, np.random.default_rng(BOOTSTRAP_SEED))
    regimes = regime_returns(history, by_session, returns.sessions_per_year)
    excess = by_session - risk_free_per_year / returns.sessions_per_year
    summary = Summary(
        run_id=history.run_id,
        mode=history.mode,
        source=history.source,
        model_version=history.model_version,
        n_frames=len(history.ts_close_ns),
        trading_span_ns=(int(history.ts_close_ns[0]), int(history.ts_close_ns[-1])),
        training_span_ns=history.training_span_ns,
        initial_cash=history.initial_cash,
        final_equity=float(history.equity[-1]),
        risk_free_per_year=risk_free_per_year,
        returns=returns,
        months=month_metrics(history.ts_close_ns, history.equity, history.initial_cash),
        consistency=consistency(history.ts_close_ns, history.equity, *basis),
        drawdown=drawdown,
        ratios=drawdown_ratios(returns.annual_return_frac, drawdown, found, risk_free_per_year),
        sharpe_interval=sharpe_interval(excess, returns.sessions_per_year, np.random.default_rng(BOOTSTRAP_SEED)),
        evidence=Evidence(probabilistic_sharpe(excess), min_track_record(excess), _timing(history, held_shares)),
        resampled_returns=None if paths is None else summarise_paths(paths),
        resampled_trades=None if trade_paths is None else summarise_paths(trade_paths),
        trades=trade_metrics(trades),
        symbols=symbols,
        sectors=profit_by_sector(history.universe, symbols),
        costs=_costs(history, symbols),
        activity=_activity(history, symbols),
        benchmark_name=benchmark_name(history),
        benchmark=None if held is None else return_metrics(history.ts_close_ns, held, *basis),
        n_compared_sessions=int(is_compared.sum()),
        regression=None if held is None else _regression(history, by_session, held, is_compared, returns),
        regimes=regimes,
        concentrations=concentrations(
            history.ts_close_ns[session_rows(history.ts_close_ns)], by_session, symbols, regimes
        ),
        halt=find_halt(history),
        factors=factor_attribution(history, by_session, returns.sessions_per_year),
        forecasts=forecast_quality(history.probability, labels),
        abstained=count_reasons(history.abstain),
        feature_quality=history.feature_quality,
        n_trials=1 if history.sweep is None else max(history.sweep.n_trials, 1),
    )
    chosen = () if history.sweep is None else history.sweep.cautions
    walked = measure_stability(history.windows).cautions if history.windows else ()
    fan = None if paths is None else history.initial_cash * np.quantile(paths, LEVELS, axis=0)
    return Analysis(replace(summary, warnings=(*chosen, *walked, *cautions(summary))), trades, held, held_shares, fan)


def _regression(
    history: RunHistory, by_session: FloatArray, held: FloatArray, is_compared: BoolArray, returns: ReturnMetrics
) -> Regression | None:
    held_by_session = session_returns(history.ts_close_ns, held, history.initial_cash)
    per_year, risk_free = returns.sessions_per_year, history.risk_free_per_year
    return regress(by_session[is_compared], held_by_session[is_compared], per_year, risk_free)


def _timing(history: RunHistory, held_shares: FloatArray) -> TimingTest | None:
    """Test what was held at the close of each frame against the returns of the frame after it."""
    closes = carry_forward(history.closes)
    value = np.nan_to_num(held_shares * closes)
    weights = np.divide(value, history.equity[:, np.newaxis], out=np.zeros_like(value), where=value != 0)
    return timing_test(weights[:-1], np.nan_to_num(closes[1:] / closes[:-1] - 1.0))


def _costs(history: RunHistory, symbols: tuple[SymbolProfit, ...]) -> Costs:
    commission = sum(profit.commission for profit in symbols)
    slippage = sum(profit.slippage for profit in symbols)
    carry = -sum(float(event.amount) for event in history.ledger_events if event.kind in CARRY_KINDS)
    total = commission + slippage + carry
    gross = float(history.equity[-1]) - history.initial_cash + total
    return Costs(commission, slippage, carry, gross, total / gross if gross > 0 else None, history.costs)


def _activity(history: RunHistory, symbols: tuple[SymbolProfit, ...]) -> Activity:
    traded = sum(profit.traded_value for profit in symbols)
    mean_equity = float(history.equity.mean())
    years = len(history.equity) / history.bars_per_year
    return Activity(
        n_fills=len(history.fills),
        traded_value=traded,
        turnover_per_year=traded / mean_equity / years if mean_equity > 0 else None,
        trades_per_year=sum(profit.n_trades for profit in symbols) / years,
        average_gross_frac=float(history.gross_exposure.mean()),
        average_net_frac=float(history.net_exposure.mean()),
        time_in_market_frac=float((history.gross_exposure > 0).mean()),
    )
