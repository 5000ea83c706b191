"""One trial: parameters fitted fold after fold, each fold forecast, traded and judged out of sample."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from actors.fast import decide_frames
from outcry.backtest.analytics.drawdown_metrics import drawdown_metrics, drawdowns
from outcry.backtest.analytics.return_metrics import sharpe_ratio
from outcry.backtest.analytics.session_returns import session_returns, session_rows, sessions_per_year
from outcry.backtest.fast.engine import FastBacktest, FastConfig
from outcry.backtest.fast.tape import build_tape
from outcry.execution.tape import frames_looked_back
from outcry.market.frame import FloatArray, IntArray
from outcry.messages import ReasonArray
from outcry.models.decisions import Decided
from training.dataset import outcomes_of, returns_to_weigh
from training.model_sweep.market import SearchMarket
from training.model_sweep.space import settings_at
from training.walk_forward import WalkForward
from training.window import own_frames, read_volatility

OBJECTIVES = ("sharpe", "log_loss")


@dataclass(frozen=True, slots=True, eq=False)
class TrialResult:
    """How a trial stands after a fold; every figure is of the folds so far, out of sample.

    Attributes
    ----------
    n_folds : int
    log_loss, base_log_loss : float
        In nats, a row like any other; the second is what the class frequencies of the training rows achieve.
    returns : float64 (n_sessions,)
        Of the forecasts traded after costs, above the risk-free rate; each span of frames without a gap begins with the
        initial cash. The mean, where several folds trade a session.
    sharpe : float or None
        Of these, a year.
    max_drawdown_frac : float
        The largest of a span.
    """

    n_folds: int
    log_loss: float
    base_log_loss: float
    returns: FloatArray
    sharpe: float | None
    max_drawdown_frac: float

    def score(self, objective: str, max_drawdown_frac: float) -> float:
        """Return what is maximised: the objective, less ten times what the drawdown exceeds its limit by.

        A trial that never traded has no Sharpe ratio and scores 0 for it, as cash does.
        """
        value = -self.log_loss if objective == "log_loss" else self.sharpe or 0.0
        return value - 10.0 * max(self.max_drawdown_frac - max_drawdown_frac, 0.0)


def run_trial(market: SearchMarket, point: Mapping[str, Any]) -> Iterator[TrialResult]:
    """Yield how the trial stands after each fold.

    Raises
    ------
    ConfigurationError, DataValidationError
        As `training.walk_forward.WalkForward`.
    """
    config = settings_at(market.training, point)
    shared = market.market
    walk = WalkForward(
        market.dataset(config),
        shared.frames.ts_close_ns,
        config,
        shared.table.read,
        outcomes=outcomes_of(shared.frames, config),
        log_returns=returns_to_weigh(shared.frames, config),
    )
    returns: dict[int, list[float]] = {}
    worst = 0.0
    for (train, test), columns in zip(market.folds(), market.columns, strict=True):
        walk.advance(train, test, lambda _: None, columns)
        for span in spans_of(test):
            ends_ns, traded, drawdown_frac = _trade(market, *forecast_span(market, walk, span), span)
            for end_ns, value in zip(ends_ns.tolist(), traded.tolist(), strict=True):
                returns.setdefault(end_ns, []).append(value)
            worst = max(worst, drawdown_frac)
        counts = np.array([record.n for record in walk.records], dtype=np.float64)
        stitched = np.array([np.mean(returns[end_ns]) for end_ns in sorted(returns)])
        yield TrialResult(
            n_folds=len(walk.records),
            log_loss=float(np.average([record.log_loss for record in walk.records], weights=counts)),
            base_log_loss=float(np.average([record.base_log_loss for record in walk.records], weights=counts)),
            returns=stitched,
            sharpe=sharpe_ratio(stitched, sessions_per_year(shared.frames.ts_close_ns, shared.bars_per_year)),
            max_drawdown_frac=worst,
        )


def spans_of(frames: IntArray) -> list[IntArray]:
    """Return frames, int64 ascending, as spans without a gap."""
    return np.split(frames, np.flatnonzero(np.diff(frames) > 1) + 1)


def forecast_span(market: SearchMarket, walk: WalkForward, frames: IntArray) -> Decided:
    """Return what the last fold's ensemble says of consecutive frames; see `decide_frames`.

    Every frame is forecast, with a label or not: a fold is judged on rows that have one, and traded on all.
    """
    shared, ensemble = market.market, walk.ensemble
    start, stop = int(frames[0]), int(frames[-1]) + 1
    n_past = min(ensemble.lookback_bars - 1, start)
    names = ensemble.feature_names
    values = shared.table.read(slice(start - n_past, stop), names)
    rules = shared.settings.uncertainty
    decisions = walk.decision_spec.build(values.shape[1], names, rules.build_abstention)
    close = shared.frames.rows(start, stop, first_seq=0).continuous().close
    return decide_frames(ensemble, decisions, values[n_past:], names, values[:n_past], close)


def _trade(
    market: SearchMarket, probability: FloatArray, abstain: ReasonArray | None, frames: IntArray
) -> tuple[IntArray, FloatArray, float]:
    """Return the last close of each session, its return above the risk-free rate, and the largest drawdown."""
    shared = market.market
    settings, start, stop = shared.settings, int(frames[0]), int(frames[-1]) + 1
    n_past = min(start, frames_looked_back(settings.broker))
    warmup = own_frames(shared.frames.rows(start - n_past, start, first_seq=-n_past))
    traded = own_frames(shared.frames.rows(start, stop, first_seq=0))
    tape = build_tape(warmup, traded, shared.sessions, n_past)
    sections = FastConfig(settings.broker, settings.portfolio, settings.risk)
    run = FastBacktest("trial", shared.universe, sections, tape).trade_forecasts(
        probability, read_volatility(shared.table, start, stop, traded.n_symbols), abstain=abstain
    )
    cash = float(settings.broker.initial_cash)
    by_session = session_returns(run.ts_close_ns, run.equity, cash)
    per_year = sessions_per_year(run.ts_close_ns, shared.bars_per_year)
    drawdown = drawdown_metrics(run.equity, cash, drawdowns(run.equity, cash)).max_frac
    assert math.isfinite(drawdown)  # noqa: S101 - equity is
    ends_ns = run.ts_close_ns[session_rows(run.ts_close_ns)]
    return ends_ns, by_session - settings.report.risk_free_per_year / per_year, abs(drawdown)
