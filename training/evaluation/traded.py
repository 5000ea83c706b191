"""What trading forecasts earns, after costs: a row of an evaluation."""

from typing import NamedTuple

import numpy as np

from configs.schema import Settings
from outcry.backtest.analytics.bootstrap import SharpeInterval, sharpe_interval
from outcry.backtest.analytics.session_returns import sessions_per_year
from outcry.backtest.fast.engine import FastBacktest, FastConfig
from outcry.backtest.fast.figures import Metric, measure_run
from outcry.backtest.fast.tape import build_tape
from outcry.execution.tape import frames_looked_back
from outcry.market.frame import FloatArray, FrameTensor
from outcry.market.sessions import Sessions
from outcry.market.universe import Universe
from outcry.order_rows import F_LOTS, F_PRICE
from training.window import own_frames

_SEED = 20_240


class TradedMarket(NamedTuple):
    """Where candidates are traded, from frame `start` up to frame `stop`, as the settings say."""

    settings: Settings
    universe: Universe
    sessions: Sessions
    bars_per_year: float
    frames: FrameTensor
    start: int
    stop: int


class TradedFigures(NamedTuple):
    """What came of it.

    Attributes
    ----------
    sharpe, annual_return_frac, max_drawdown_frac : float or None
        After costs; None where nothing was traded.
    sharpe_interval : SharpeInterval or None
    turnover_per_year : float
        Value traded, buys and sells both counted, over the mean equity.
    """

    sharpe: float | None
    annual_return_frac: float | None
    max_drawdown_frac: float | None
    sharpe_interval: SharpeInterval | None
    turnover_per_year: float


def trade_candidate(market: TradedMarket, name: str, probability: FloatArray, volatility: FloatArray) -> TradedFigures:
    """Trade what is said of the span, float64 (n_frames, n_symbols, 3), with volatilities (n_frames, n_symbols)."""
    settings, start = market.settings, market.start
    n_past = min(start, frames_looked_back(settings.broker))
    warmup = own_frames(market.frames.rows(start - n_past, start, first_seq=-n_past))
    frames = own_frames(market.frames.rows(start, market.stop, first_seq=0))
    tape = build_tape(warmup, frames, market.sessions, n_past)
    sections = FastConfig(settings.broker, settings.portfolio, settings.risk)
    run = FastBacktest(name, market.universe, sections, tape).trade_forecasts(probability, volatility)
    cash, free = float(settings.broker.initial_cash), settings.report.risk_free_per_year
    figures = measure_run(run, tape, cash, market.bars_per_year, free)
    per_year = sessions_per_year(run.ts_close_ns, market.bars_per_year)
    grid = market.universe.grid
    traded = float((run.fill_rows[:, F_LOTS] * run.fill_rows[:, F_PRICE].astype(np.float64)).sum())
    traded *= grid.lot_shares / grid.price_scale
    years = len(figures.returns) / per_year
    return TradedFigures(
        sharpe=_number(figures.metrics["sharpe"]),
        annual_return_frac=_number(figures.metrics["annual_return"]),
        max_drawdown_frac=_number(figures.metrics["max_drawdown"]),
        sharpe_interval=sharpe_interval(figures.returns, per_year, np.random.default_rng(_SEED)),
        turnover_per_year=traded / float(run.equity.mean()) / years,
    )


def _number(value: Metric) -> float | None:
    return None if value is None else float(value)
