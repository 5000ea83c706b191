"""``outcry backtest --grid``: many trials over Ray, and what the best of them is worth."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson

from cli.console import console, errors, print_json_document
from cli.grid_trading import SweepRequest, SweepResult, trade_sweep
from cli.grid_view import N_ROWS, best_outcomes, best_table, point_text
from cli.progress import StepProgress
from cli.report_file import make_report_path
from configs.grid import to_level
from configs.grid_settings import parameters_at, settings_at
from outcry.errors import StrategyError
from outcry.exit_status import EXIT_INTERRUPTED

if TYPE_CHECKING:
    from actors.trials import TrialOutcome
    from configs.schema import Settings
    from outcry.backtest.analytics.sweep_evidence import SweepEvidence
    from outcry.backtest.history import RunHistory
    from training.sweep import PreparedSweep

NOT_A_GRID = (
    "The trials are no grid: earlier results decided which came after. What each parameter does by itself is not told; "
    "for such trials the deflated Sharpe ratio is a little too kind, and the probability of overfitting too harsh."
)


def trade_grid(settings: "Settings", request: SweepRequest) -> int:
    """Run a sweep to its end, or to Ctrl-C; return the exit code.

    Raises
    ------
    StrategyError
        Where every trial failed.
    """
    from outcry.backtest.report.write import write_report
    from training.sweep import prepare_sweep

    with StepProgress(quiet=request.as_json) as progress:
        prepared = prepare_sweep(
            settings, request.search, request.objective, request.strategy, request.parameters, request.bundle,
            progress.show,
        )  # fmt: skip
        progress.close()
        result = trade_sweep(settings, prepared, request)
    outcomes = [result.outcomes[place] for place in sorted(result.outcomes)]
    if all(outcome.metrics is None for outcome in outcomes):
        if result.is_interrupted:
            errors.print("interrupted before a trial was finished", highlight=False)
            return EXIT_INTERRUPTED
        raise StrategyError(f"all {len(outcomes)} trials failed, the first with: {outcomes[0].error}")
    evidence = weigh(prepared, outcomes, request, result)
    best = best_outcomes(outcomes, request.objective.name, 1)
    path = make_report_path(settings, prepared.plan.run_id, request.report)
    document = describe(prepared, request, result, outcomes, evidence) | {"report": str(path)}
    if best:
        history = history_of_trial(prepared, prepared.trials[best[0].index].point, evidence)
        write_report(history, path)
        if abs(float(history.equity[-1]) - float((best[0].metrics or {})["final_equity"] or 0.0)) > 0.005:
            document["evidence"]["cautions"].append("Traded again here, the best trial ends with another equity.")
    sweep_path = path.with_name("sweep.json")
    sweep_path.write_bytes(orjson.dumps(document, option=orjson.OPT_INDENT_2, default=str))
    if request.as_json:
        print_json_document({k: v for k, v in document.items() if k != "trials"} | {"sweep": str(sweep_path)})
    else:
        _print(prepared, request, document, outcomes)
        console.print(f"sweep   {sweep_path}", highlight=False, soft_wrap=True)
        console.print(f"report  {path}", highlight=False, soft_wrap=True)
    if result.is_interrupted:
        errors.print(
            f"stopped after {len(outcomes)} of {prepared.n_trials} trials; the same command goes on", highlight=False
        )
        return EXIT_INTERRUPTED
    return 0


def weigh(
    prepared: "PreparedSweep", outcomes: Sequence["TrialOutcome"], request: SweepRequest, result: SweepResult
) -> "SweepEvidence":
    """Weigh the best trial against all that are known.

    Main effects want trials whose values of the other parameters are alike: those of an adaptive search are not.
    """
    from actors.trials import objective_of
    from outcry.backtest.analytics.session_returns import sessions_per_year
    from outcry.backtest.analytics.sweep_evidence import weigh_sweep

    plan = prepared.plan
    evidence = weigh_sweep(
        [{key: to_level(value) for key, value in prepared.trials[outcome.index].point.items()} for outcome in outcomes],
        objective_of(list(outcomes), request.objective.name),
        {place: outcome.returns for place, outcome in enumerate(outcomes) if outcome.returns is not None},
        np.array(list(result.sharpes.values()), dtype=np.float64),
        sessions_per_year(prepared.frames.ts_close_ns, plan.bars_per_year),
    )
    if not request.search.is_adaptive or evidence.sensitivity is None:
        return evidence
    around = replace(evidence.sensitivity, effects=())
    return replace(evidence, sensitivity=around, cautions=(*evidence.cautions, NOT_A_GRID))


def history_of_trial(prepared: "PreparedSweep", point: Mapping[str, Any], evidence: "SweepEvidence") -> "RunHistory":
    """Trade one point again, here, and return all of it."""
    from actors.fast import trade_frames
    from actors.history import history_of_fast_run
    from outcry.backtest.strategy import make_strategy

    base, market = prepared.plan, prepared.market
    plan = replace(base, settings=base.settings.model_copy(update=settings_at(market.settings, point)))
    strategy, forecasts = None, prepared.forecasts
    if market.strategy is not None:
        strategy = make_strategy(market.strategy.load(), market.parameters | parameters_at(point))
        forecasts = replace(forecasts, columns={name: forecasts.columns[name] for name in strategy.columns})
    run, _ = trade_frames(plan, strategy, prepared.warmup, prepared.frames, forecasts, lambda step, fraction: None)
    manifest = None if prepared.model is None else prepared.model.manifest
    history = history_of_fast_run(plan, manifest, prepared.warmup, prepared.frames, prepared.forecasts, run)
    return replace(history, sweep=evidence)


def describe(
    prepared: "PreparedSweep",
    request: SweepRequest,
    result: SweepResult,
    outcomes: Sequence["TrialOutcome"],
    evidence: "SweepEvidence",
) -> dict[str, Any]:
    """Return all that is told of a sweep as plain values."""
    plan, n_new = prepared.plan, len(outcomes) - result.n_reused
    points = {outcome.index: dict(prepared.trials[outcome.index].point) for outcome in outcomes}
    best = best_outcomes(outcomes, request.objective.name, 1)
    failed = [outcome for outcome in outcomes if outcome.metrics is None]
    return {
        "sweep_id": prepared.sweep_id,
        "strategy": prepared.strategy_name,
        "source": plan.settings.market.source,
        "n_symbols": len(plan.universe),
        "n_frames": len(prepared.frames),
        "span_ns": [int(prepared.frames.ts_close_ns[0]), int(prepared.frames.ts_close_ns[-1])],
        "objective": request.objective.name,
        "in_sample": in_sample_text(len(outcomes), is_forecast=prepared.model is not None),
        "grid": request.search.grid.to_json(),
        "search": request.search.to_json(),
        "n_points": prepared.n_trials,
        "n_finished": len(outcomes) - len(failed),
        "n_failed": len(failed),
        "n_reused": result.n_reused,
        "is_interrupted": result.is_interrupted,
        "seconds": result.seconds,
        "trials_per_s": n_new / result.seconds if result.seconds > 0 else None,
        "worker_memory": result.memory,
        "best": None
        if not best
        else {"trial": best[0].index, "point": points[best[0].index], "metrics": best[0].metrics},
        "evidence": evidence.to_record(),
        "errors": _count_errors(failed),
        "trials": [
            {"trial": each.index, "point": points[each.index], "metrics": each.metrics, "error": each.error}
            for each in outcomes
        ],
    }


def in_sample_text(n_trials: int, *, is_forecast: bool) -> str:
    """Say what of the figures is in-sample."""
    text = (
        f"In-sample: the best of {n_trials} trials was chosen on the same frames that its figures are of; nothing was "
        "held out."
    )
    return text + (" The forecasts are out of sample: the ensemble saw nothing of these frames." if is_forecast else "")


def _count_errors(failed: Sequence["TrialOutcome"]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for outcome in failed:
        counts[outcome.error] = counts.get(outcome.error, 0) + 1
    return dict(sorted(counts.items(), key=lambda pair: -pair[1])[:N_ROWS])


def _print(
    prepared: "PreparedSweep", request: SweepRequest, document: Mapping[str, Any], outcomes: Sequence["TrialOutcome"]
) -> None:
    points = [trial.point for trial in prepared.trials]
    name = request.objective.name
    console.print(best_table(best_outcomes(outcomes, name, N_ROWS), points, name))
    evidence = document["evidence"]
    n_failed, reused = document["n_failed"], document["n_reused"]
    parts = [f"{len(outcomes)} of {prepared.n_trials} trials"]
    parts += [f"{n_failed} failed"] if n_failed else []
    parts += [f"{reused} from the journal"] if reused else []
    if (rate := document["trials_per_s"]) is not None:
        parts.append(f"{document['seconds']:.1f} s, {rate:.1f} trials/s")
    if memory := document["worker_memory"]:
        parts.append(
            f"{memory['n_workers']} workers, {memory['private_mb']:.0f} MB each beside {memory['shared_mb']:.0f} MB "
            f"shared, {memory['growth_mb']:+.0f} MB since their first chunk"
        )
    lines = [f"sweep {prepared.sweep_id}: " + ", ".join(parts)]
    lines += [f"{n} failed: {error}" for error, n in document["errors"].items()]
    if best := document["best"]:
        lines.append(f"best {name}: {point_text(best['point'])}")
    lines.append(document["in_sample"])
    if deflated := evidence["deflated"]:
        lines.append(
            f"deflated Sharpe ratio {deflated['deflated_sharpe_frac']:.2f}: a session's {deflated['sharpe']:.3f} "
            f"against {deflated['expected_max_sharpe']:.3f}, expected of the best of {evidence['n_trials']} "
            "without skill; all known trials of this strategy on this market count"
        )
    if overfitting := evidence["overfitting"]:
        lines.append(
            f"probability of backtest overfitting {overfitting['pbo_frac']:.2f}, of loss {overfitting['loss_frac']:.2f}"
        )
    if sensitivity := evidence["sensitivity"]:
        for effect in sensitivity["effects"]:
            share = effect["effect_frac"]
            if share is not None:
                lines.append(f"{effect['parameter']} explains {100 * share:.0f} % of the {name}")
    lines += [f"caution: {text}" for text in evidence["cautions"]]
    for line in lines:
        console.print(line, highlight=False, markup=False, soft_wrap=True)
