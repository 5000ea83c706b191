"""A stress test through the compiled loop: features, forecasts and orders anew on the bars of every scenario."""

from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import replace

import numpy as np

from actors.fast import forecast_frames, trade_frames
from configs.plan import RunPlan
from outcry.backtest.fast.result import FastRun
from outcry.backtest.strategy import AnyStrategy
from outcry.backtest.stress.run import StressResult, stress_test
from outcry.backtest.stress.scenario import StressScenario
from outcry.errors import ConfigurationError
from outcry.market.frame import BAR_FIELDS, FloatArray, FrameTensor
from outcry.models.bundle import ModelBundle

Progress = Callable[[int, int, str], None]


def stress_run(  # noqa: PLR0917 - what a run is made of, and what it is to go through
    plan: RunPlan,
    model: ModelBundle | None,
    strategy: AnyStrategy | None,
    warmup: FrameTensor,
    frames: FrameTensor,
    scenarios: Sequence[StressScenario],
    *,
    starts_after_ns: int | None = None,
    on_progress: Progress | None = None,
) -> tuple[StressResult, ...]:
    """Trade the frames as they were and in each scenario, with the same model and a fresh strategy each time.

    Parameters
    ----------
    plan : RunPlan
    model : ModelBundle or None
        None where the strategy asks for no forecast.
    strategy : AnyStrategy or None
        None trades the forecasts of the model. It is copied before each run, as a stateful one remembers.
    warmup, frames : FrameTensor
    scenarios : sequence of StressScenario
    starts_after_ns : int or None
        The shock follows the last frame that has closed by then. None is the first frame in which the run without
        stress holds something: a shock that finds it in cash, before its features are known, would test nothing.
    on_progress : callable or None
        As `stress_test`.

    Raises
    ------
    ConfigurationError
        Where no traded frame has closed by `starts_after_ns`, or too few follow.
    Exception
        Whatever the run without stress raises.
    """

    def run_on(tensor: FrameTensor) -> FastRun:
        past = tensor.rows(0, len(warmup), first_seq=-len(warmup))
        traded = tensor.rows(len(warmup), len(tensor), first_seq=0)
        columns = () if strategy is None else strategy.columns
        forecasts = forecast_frames(plan, model, past, traded, _quiet, keep=columns)
        run, failure = trade_frames(plan, deepcopy(strategy), past, traded, forecasts, _quiet)
        if failure is not None:
            raise failure
        return run

    tensor = join_frames(warmup, frames).continuous()  # a scenario bends returns, and a split is none
    unstressed = run_on(tensor)
    if starts_after_ns is None:
        row = int(np.argmax(unstressed.gross > 0))
    else:
        row = int(np.searchsorted(frames.ts_close_ns, starts_after_ns, side="right")) - 1
        if row < 0:
            raise ConfigurationError(
                f"a shock must start after a traded frame, the first closes at "
                f"{np.datetime64(int(frames.ts_close_ns[0]), 'ns')}, was {np.datetime64(starts_after_ns, 'ns')}"
            )
    return stress_test(
        tensor,
        scenarios,
        lambda stressed: unstressed.equity if stressed is tensor else run_on(stressed).equity,
        start_row=len(warmup) + row,
        bars_per_year=plan.bars_per_year,
        risk_free_per_year=plan.settings.report.risk_free_per_year,
        on_progress=on_progress,
    )


def join_frames(warmup: FrameTensor, frames: FrameTensor) -> FrameTensor:
    """Return the warm-up frames and those after them as one tensor, in which frame 0 keeps its `seq`."""
    if not len(warmup):
        return frames
    columns: dict[str, FloatArray | None] = {
        name: np.concatenate((getattr(warmup, name), getattr(frames, name)))
        for name in (*BAR_FIELDS, "present", "ts_close_ns")
    }
    for name in ("tape", "actions"):
        parts = getattr(warmup, name), getattr(frames, name)
        columns[name] = None if parts[0] is None or parts[1] is None else np.concatenate(parts)
    return replace(frames, first_seq=-len(warmup), **columns)  # type: ignore[arg-type]  # None for the last two only


def _quiet(step: str, done: float) -> None:
    """Take the progress of a part and show none: a stress test counts its runs."""
