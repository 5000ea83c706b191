"""A trial depends on its point alone, and a trial that fails says why."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from actors.trials import SweepMarket, TrialOutcome, TrialRunner, config_at, objective_of
from configs.loader import restore_settings
from outcry.backtest.analytics.summary import analyse
from outcry.backtest.fast.engine import FastBacktest
from outcry.backtest.fast.tape import build_tape
from outcry.backtest.history import AssumedCosts, RunHistory
from outcry.backtest.strategy import StrategySource
from outcry.execution.tape import frames_looked_back
from outcry.market.frame import FrameTensor
from outcry.market.sessions import Sessions
from outcry.market.universe import Universe

N_WARMUP, N_FRAMES, N_SYMBOLS, BARS_A_SESSION = 60, 400, 4, 8
MINUTE_NS = 60 * 10**9
SESSION_NS = 24 * 60 * MINUTE_NS
SETTINGS = restore_settings({"portfolio": {"min_position_frac": 0.0}, "broker": {"slippage": "volatility"}})
UNIVERSE = Universe(tuple(f"S{i}" for i in range(N_SYMBOLS)), ("Tech", "Tech", "Energy", "Other"))
STRATEGY = """
import numpy as np
from outcry.backtest.strategy import Strategy

class Below(Strategy):
    columns = ("past",)

    def __init__(self, edge: float = 0.0, size: float = 0.1) -> None:
        if edge > 0.5:
            raise ValueError("edge is too high")
        self.edge, self.size = edge, size

    def weights(self, view):
        past = view.features["past"]
        if self.edge < 0:
            return past[:1]
        return np.where(past < -self.edge, self.size, 0.0)
"""


def build_market(strategy: str | None = None) -> tuple[SweepMarket, FrameTensor, FrameTensor, Sessions]:
    rng = np.random.default_rng(5)
    n = N_WARMUP + N_FRAMES
    close = np.round(40 * np.exp(np.cumsum(rng.normal(0, 0.01, (n, N_SYMBOLS)), axis=0)), 2)
    session, bar = np.divmod(np.arange(n), BARS_A_SESSION)
    ts = session * SESSION_NS + (bar + 1) * MINUTE_NS
    volume = np.full(close.shape, 1e6)
    columns = {"open": close, "high": close * 1.002, "low": close * 0.998, "close": close, "volume": volume}
    tensor = FrameTensor(-N_WARMUP, ts, vwap=close, present=np.ones(close.shape, dtype=np.bool_), **columns)
    starts = np.arange(-1, session[-1] + 4, dtype=np.int64) * SESSION_NS
    sessions = Sessions(starts, starts + BARS_A_SESSION * MINUTE_NS, starts, np.zeros(len(starts), dtype=np.int64))
    warmup = tensor.rows(0, N_WARMUP, first_seq=-N_WARMUP)
    frames = tensor.rows(N_WARMUP, n, first_seq=0)
    past = np.diff(np.log(close), axis=0)[N_WARMUP - 1 :]
    market = SweepMarket(
        universe=UNIVERSE,
        settings=SETTINGS,
        tape=build_tape(warmup, frames, sessions, N_WARMUP),
        probability=rng.dirichlet((1, 1, 1), frames.close.shape) if strategy is None else None,
        volatility=np.full(frames.close.shape, 0.3) if strategy is None else None,
        prices={} if strategy is None else {name: getattr(frames, name) for name in columns},
        columns={} if strategy is None else {"past": past, "unused": past},
        strategy=None if strategy is None else StrategySource(Path("below.py"), strategy),
        parameters={"size": 0.2},
        bars_per_year=252.0 * BARS_A_SESSION,
    )
    return freeze(market), warmup, frames, sessions


def freeze(market: SweepMarket) -> SweepMarket:
    """Return the market as the object store hands it out: nothing may be written."""
    tape = market.tape
    for array in (
        *tape.bars,
        tape.clock,
        tape.session,
        tape.present,
        *market.prices.values(),
        *market.columns.values(),
    ):
        array.flags.writeable = False
    for array in (market.probability, market.volatility):
        if array is not None:
            array.flags.writeable = False
    return market


def same(a: TrialOutcome, b: TrialOutcome) -> bool:
    if (a.index, a.metrics, a.error) != (b.index, b.metrics, b.error):
        return False
    return a.metrics is None or np.array_equal(a.returns, b.returns)


POINTS = [
    {"portfolio.target_volatility_per_year": v, "portfolio.entry_edge": e, "portfolio.exit_edge": 0.02}
    for v in (0.1, 0.3) for e in (0.01, 0.1, 0.3)
]  # fmt: skip
STRATEGY_POINTS = [{"param.edge": e, "portfolio.rebalance_frac": r} for e in (0.0, 0.01, -1.0, 0.9) for r in (0.0, 0.2)]


@pytest.mark.parametrize(
    ("strategy", "points"), [(None, POINTS), (STRATEGY, STRATEGY_POINTS)], ids=["forecasts", "own"]
)
def test_outcomes_are_the_same_in_any_order(strategy, points):
    market = build_market(strategy)[0]
    runner = TrialRunner(market)
    forwards = [runner.outcome(k, point) for k, point in enumerate(points)]
    order = np.random.default_rng(3).permutation(len(points)).tolist()
    shuffled = {k: runner.outcome(k, points[k]) for k in order}
    alone = [TrialRunner(market).outcome(k, point) for k, point in enumerate(points)]
    assert all(same(forwards[k], shuffled[k]) and same(forwards[k], alone[k]) for k in range(len(points)))
    assert len({outcome.metrics["final_equity"] for outcome in forwards if outcome.metrics}) > 2


def test_trial_that_fails_says_why_and_others_go_on():
    runner = TrialRunner(build_market(STRATEGY)[0])
    by_edge = {p["param.edge"]: runner.outcome(k, p) for k, p in enumerate(STRATEGY_POINTS)}
    assert "edge is too high" in by_edge[0.9].error
    assert "shape" in by_edge[-1.0].error
    assert by_edge[0.0].error == ""
    assert np.isnan(objective_of(list(by_edge.values()), "sharpe")).tolist() == [False, False, True, True]


def test_values_that_contradict_each_other_are_a_failed_trial():
    outcome = TrialRunner(build_market()[0]).outcome(0, POINTS[0])
    assert outcome.metrics is None
    assert "exit_edge must be at most entry_edge" in outcome.error


def test_trial_is_the_run_that_its_settings_alone_would_make():
    market, warmup, frames, sessions = build_market()
    point = {"broker.window_bars": 3, "portfolio.entry_edge": 0.05, "broker.impact": "square_root"}
    config = config_at(SETTINGS, point)
    n_past = frames_looked_back(config.broker)
    assert n_past < market.tape.n_past
    engine = FastBacktest("trial", UNIVERSE, config, build_tape(warmup, frames, sessions, n_past))
    alone = engine.trade_forecasts(market.probability, market.volatility)
    run = TrialRunner(market).trade(point, config)
    assert len(run.fill_rows) > 20
    assert np.array_equal(run.fill_rows, alone.fill_rows)
    assert np.array_equal(run.equity_units, alone.equity_units)


def test_figures_are_those_of_the_report():
    market, _, frames, _ = build_market()
    settings = SETTINGS.model_copy(update={"report": SETTINGS.report.model_copy(update={"risk_free_per_year": 0.02})})
    runner = TrialRunner(replace(market, settings=settings))
    point = POINTS[-2]
    outcome, run = runner.outcome(0, point), runner.trade(point, config_at(settings, point))
    equity = run.equity
    summary = analyse(
        RunHistory(
            run_id="r", mode="backtest", source="s", model_version="m", universe=UNIVERSE, bar_ns=MINUTE_NS,
            bars_per_year=market.bars_per_year, ts_close_ns=run.ts_close_ns, equity=equity, cash=run.cash,
            gross_exposure=run.gross / equity, net_exposure=run.net / equity, drawdown=run.drawdown,
            closes=frames.close, probability=market.probability, horizon_bars=1, band_frac=0.0, fills=run.fills(),
            initial_cash=100_000.0, costs=AssumedCosts(5.0), risk_free_per_year=0.02,
        )
    ).summary  # fmt: skip
    expected = {
        "total_return": summary.returns.total_return_frac,
        "sharpe": summary.returns.sharpe,
        "sortino": summary.returns.sortino,
        "calmar": summary.ratios.calmar,
        "max_drawdown": summary.drawdown.max_frac,
        "final_equity": summary.final_equity,
        "n_trades": summary.trades.n_trades,
        "win_rate": summary.trades.win_rate_frac,
        "profit_factor": summary.trades.profit_factor,
        "commission": summary.costs.commission,
        "slippage": summary.costs.slippage,
        "n_fills": summary.activity.n_fills,
    }
    assert outcome.metrics["n_trades"] > 10
    assert {name: outcome.metrics[name] for name in expected} == pytest.approx(expected)
    assert outcome.metrics["session_sharpe"] * np.sqrt(252) == pytest.approx(summary.returns.sharpe)
