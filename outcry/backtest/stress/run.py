"""Trade the same frames in every scenario, and compare."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from outcry.backtest.stress.resilience import Resilience, measure_resilience
from outcry.backtest.stress.scenario import StressScenario
from outcry.backtest.stress.span import StressSpan, first_traded_row, locate_span, market_path
from outcry.backtest.stress.transform import stress_frames
from outcry.errors import ConfigurationError, DataValidationError
from outcry.market.frame import FloatArray, FrameTensor

UNSTRESSED = "unstressed"

Trade = Callable[[FrameTensor], FloatArray]
Progress = Callable[[int, int, str], None]


@dataclass(frozen=True, slots=True, eq=False)
class StressOutcome:
    """What a finished scenario left; row 0 of each curve is the last close before the shock.

    Attributes
    ----------
    span : StressSpan
        Rows of the frames that were traded.
    equity, stressed_equity : float64 (n,)
        Currency.
    market, stressed_market : float64 (n,)
        As `market_path`.
    resilience : Resilience
    """

    span: StressSpan
    equity: FloatArray
    stressed_equity: FloatArray
    market: FloatArray
    stressed_market: FloatArray
    resilience: Resilience


@dataclass(frozen=True, slots=True, eq=False)
class StressResult:
    """One scenario: its outcome, or the error that it ended with. One of the two is None."""

    scenario: StressScenario
    outcome: StressOutcome | None
    failure: Exception | None


def stress_test(
    frames: FrameTensor,
    scenarios: Sequence[StressScenario],
    trade: Trade,
    *,
    bars_per_year: float,
    risk_free_per_year: float = 0.0,
    start_row: int | None = None,
    on_progress: Progress | None = None,
) -> tuple[StressResult, ...]:
    """Trade the frames as they were, then as they would have been in each scenario, one after the other.

    Parameters
    ----------
    frames : FrameTensor
        Warm-up frames, with a negative `seq`, may come first.
    scenarios : sequence of StressScenario
        With different names.
    trade : callable
        Gets frames, and returns the equity after each traded one, float64 (n_traded,). It gets other frames each time,
        and has to forget what it saw before.
    bars_per_year, risk_free_per_year : float
        As `return_metrics`.
    start_row : int or None
        The last row before the shock, a traded one; None is the first traded frame.
    on_progress : callable or None
        Called after each run with the number of runs done, that of all runs, and the name of this one, the first of
        which is `UNSTRESSED`.

    Returns
    -------
    tuple of StressResult
        In the order of `scenarios`. An error in one of them is its `failure`, with a note that names the scenario; the
        others are kept, and those after it are run.

    Raises
    ------
    ConfigurationError
        Where a name repeats, or `start_row` is not a traded row.
    Exception
        Whatever the unstressed run raises: without it there is nothing to compare with.
    """
    names = [scenario.name for scenario in scenarios]
    if repeated := sorted({name for name in names if names.count(name) > 1}):
        raise ConfigurationError(f"names of scenarios must differ, {', '.join(repeated)} repeats")
    offset = first_traded_row(frames)
    if start_row is not None and start_row < offset:
        raise ConfigurationError(f"start_row must be a traded row, at least {offset}, was {start_row}")
    report = on_progress or (lambda *_: None)
    equity = _equity(frames, trade)
    report(1, 1 + len(scenarios), UNSTRESSED)
    results = []
    for done, scenario in enumerate(scenarios, start=2):
        outcome, failure = None, None
        try:
            span = locate_span(frames, scenario, start_row)
            outcome = _run(frames, scenario, span, trade, equity=equity, basis=(bars_per_year, risk_free_per_year))
        except Exception as error:  # whatever a strategy raises; the scenarios that are finished may have taken hours
            error.add_note(f"in the stress scenario {scenario.name}")
            failure = error
        results.append(StressResult(scenario, outcome, failure))
        report(done, 1 + len(scenarios), scenario.name)
    return tuple(results)


def _run(
    frames: FrameTensor,
    scenario: StressScenario,
    span: StressSpan,
    trade: Trade,
    *,
    equity: FloatArray,
    basis: tuple[float, float],
) -> StressOutcome:
    stressed = stress_frames(frames, scenario, span.start_row)
    base = span.start_row - first_traded_row(frames)
    curves = equity[base:], _equity(stressed, trade)[base:]
    stressed_market = market_path(stressed, span.start_row)
    resilience = measure_resilience(
        frames.ts_close_ns[span.start_row :],
        *curves,
        stressed_market,
        n_shock_frames=span.trough_row - span.start_row,
        bars_per_year=basis[0],
        risk_free_per_year=basis[1],
    )
    return StressOutcome(span, *curves, market_path(frames, span.start_row), stressed_market, resilience)


def _equity(frames: FrameTensor, trade: Trade) -> FloatArray:
    equity = np.asarray(trade(frames), dtype=np.float64)
    shape = (len(frames) - first_traded_row(frames),)
    if equity.shape != shape:
        raise DataValidationError(f"trade must return an equity of shape {shape}, was {equity.shape}")
    return equity
