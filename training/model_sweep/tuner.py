"""Trials on Ray Tune: the only place of a model sweep that knows it."""

import logging
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any, Literal

import numpy as np
import optuna
import ray
from optuna import distributions
from ray import tune
from ray.tune import Callback
from ray.tune.experiment import Trial
from ray.tune.schedulers import AsyncHyperBandScheduler, FIFOScheduler, TrialScheduler
from ray.tune.search import Searcher
from ray.tune.search.optuna import OptunaSearch

from outcry.market.frame import FloatArray
from outcry.models.parameter_space import Choices, ParameterSpace, Span
from training.model_sweep.market import SearchMarket
from training.model_sweep.trial import run_trial

Algorithm = Literal["optuna", "random", "grid"]

NICENESS = 10
"""Of the process of a trial: where a floor trades on the same cores, it goes first."""
_SCORE = "score"
_ENVIRONMENT = {
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",
    "TUNE_MAX_PENDING_TRIALS_PG": "1",
    "RAY_CHDIR_TO_TRIAL_DIR": "0",
    "RAY_AIR_NEW_OUTPUT": "0",
}


@dataclass(frozen=True, slots=True, eq=False)
class TrialReport:
    """What a trial said last, and how it ended.

    Attributes
    ----------
    point : mapping
    n_folds : int
        That it was judged on; fewer than there are where it was stopped or failed.
    score, log_loss, base_log_loss, sharpe, max_drawdown_frac : float or None
        See `training.model_sweep.trial.TrialResult`; None where it failed in its first fold.
    returns : float64 (n_sessions,)
    error : str
        Empty where it did not fail.
    """

    point: Mapping[str, Any]
    n_folds: int
    score: float | None
    log_loss: float | None
    base_log_loss: float | None
    sharpe: float | None
    max_drawdown_frac: float | None
    returns: FloatArray
    error: str = ""


OnReport = Callable[[TrialReport, bool], None]
"""Called with how a trial stands after a fold, and whether that was its end."""


@dataclass(frozen=True, slots=True)
class SearchPlan:
    """How points are proposed and stopped.

    Attributes
    ----------
    space : mapping
    algorithm : {"optuna", "random", "grid"}
        Grid takes every combination of choices.
    n_trials : int
        In all, those known included.
    objective : str
    max_drawdown_frac : float
    is_stopping : bool
        Stop trials after a fold in which they are in the lower two thirds (ASHA).
    seed : int
    """

    space: ParameterSpace
    algorithm: Algorithm
    n_trials: int
    objective: str
    max_drawdown_frac: float
    is_stopping: bool
    seed: int


def run_trials(
    market: SearchMarket,
    plan: SearchPlan,
    known: Sequence[TrialReport],
    on_report: OnReport,
    *,
    n_workers: int,
    folder: Path,
) -> None:
    """Run what is left of the trials on the connected cluster, `n_workers` at a time.

    Parameters
    ----------
    market : SearchMarket
        Put in the object store once.
    plan : SearchPlan
    known : sequence of TrialReport
        Of trials that ended before: they are not run again, and the search learns from them.
    on_report : callable
    n_workers : int
    folder : Path
        For Tune's own files.

    Notes
    -----
    A trial whose process dies is tried once more from its first fold. With one worker the points are the same each
    time; with more, those of ``optuna`` depend on which trial ends first.
    """
    points = _listed_points(plan)
    taken = {_key(report.point) for report in known}
    left = None if points is None else [point for point in points if _key(point) not in taken]
    n_left = plan.n_trials - len(known) if left is None else len(left)
    if n_left <= 0:
        return
    os.environ.update({name: value for name, value in _ENVIRONMENT.items() if name not in os.environ})
    for name in ("ray.tune", "ray.train", "optuna"):
        logging.getLogger(name).setLevel(logging.ERROR)
    shared = ray.put(market)
    objective, limit = plan.objective, plan.max_drawdown_frac

    def trainable(config: dict[str, Any]) -> None:
        _be_nice()
        point = config.get("point", config)
        for result in run_trial(ray.get(shared), point):
            tune.report(
                {
                    _SCORE: result.score(objective, limit),
                    "n_folds": result.n_folds,
                    "log_loss": result.log_loss,
                    "base_log_loss": result.base_log_loss,
                    "sharpe": result.sharpe,
                    "max_drawdown_frac": result.max_drawdown_frac,
                    "returns": result.returns.tolist(),
                }
            )

    tuner = tune.Tuner(
        tune.with_resources(trainable, {"cpu": 1}),
        param_space=_to_tune(plan.space) if left is None else {"point": tune.grid_search(left)},
        tune_config=tune.TuneConfig(
            metric=_SCORE,
            mode="max",
            num_samples=n_left if left is None else 1,
            max_concurrent_trials=n_workers,
            reuse_actors=True,  # the libraries of a family take seconds to load
            search_alg=_optuna(plan, known) if left is None else None,
            scheduler=_scheduler(plan, len(market.columns)),
        ),
        run_config=tune.RunConfig(
            name="trials",
            storage_path=str(folder.resolve()),
            verbose=0,
            failure_config=tune.FailureConfig(max_failures=1),
            callbacks=[_Listener(on_report)],
        ),
    )
    tuner.fit()


class _Listener(Callback):
    """Hands on what the trials say."""

    def __init__(self, on_report: OnReport) -> None:
        self._on_report = on_report

    def on_trial_result(
        self, iteration: int, trials: list[Trial], trial: Trial, result: dict[str, Any], **info: Any
    ) -> None:
        self._on_report(_report_of(trial, result), False)

    def on_trial_complete(self, iteration: int, trials: list[Trial], trial: Trial, **info: Any) -> None:
        self._on_report(_report_of(trial, trial.last_result), True)

    def on_trial_error(self, iteration: int, trials: list[Trial], trial: Trial, **info: Any) -> None:
        self._on_report(_report_of(trial, trial.last_result, _reason(trial)), True)


def _report_of(trial: Trial, result: Mapping[str, Any] | None, error: str = "") -> TrialReport:
    said = result or {}
    return TrialReport(
        point=dict(trial.config.get("point", trial.config)),
        n_folds=said.get("n_folds", 0),
        score=said.get(_SCORE),
        log_loss=said.get("log_loss"),
        base_log_loss=said.get("base_log_loss"),
        sharpe=said.get("sharpe"),
        max_drawdown_frac=said.get("max_drawdown_frac"),
        returns=np.array(said.get("returns", ()), dtype=np.float64),
        error=error,
    )


def _reason(trial: Trial) -> str:
    """Return the last line of what Tune wrote down: the error itself, without the module it is of."""
    path = trial.error_file  # what is pickled beside it is not read
    lines = Path(path).read_text().split("\n") if path is not None and Path(path).is_file() else []
    told = [line.strip() for line in lines if line.strip()]
    kind, colon, reason = (told[-1] if told else "the trial failed without a word").partition(": ")
    return f"{kind.rpartition('.')[2]}{colon}{reason}" if colon else kind


def _listed_points(plan: SearchPlan) -> list[dict[str, Any]] | None:
    """Return the points that are known beforehand; None where results decide."""
    if plan.algorithm == "optuna":
        return None
    if plan.algorithm == "grid":
        return list(_combinations(plan.space))
    rng = np.random.default_rng(plan.seed)
    drawn: dict[str, dict[str, Any]] = {}
    for _ in range(20 * plan.n_trials):  # a space of few points may have fewer than are asked for
        point = {name: each.draw(rng) for name, each in plan.space.items()}
        drawn.setdefault(_key(point), point)
        if len(drawn) == plan.n_trials:
            break
    return list(drawn.values())


def _combinations(space: ParameterSpace) -> Iterable[dict[str, Any]]:
    values = [each.values if isinstance(each, Choices) else () for each in space.values()]
    return (dict(zip(space, point, strict=True)) for point in product(*values))


def _to_tune(space: ParameterSpace) -> dict[str, Any]:
    return {name: _domain(each) for name, each in space.items()}


def _domain(each: Span | Choices) -> Any:
    if isinstance(each, Choices):
        return tune.choice(list(each.values))
    if each.is_integer:
        low, high = int(each.low), int(each.high) + 1  # Tune leaves the upper end out
        return tune.lograndint(low, high) if each.is_log else tune.randint(low, high)
    return (tune.loguniform if each.is_log else tune.uniform)(each.low, each.high)


def _optuna(plan: SearchPlan, known: Sequence[TrialReport]) -> Searcher:
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    judged = [report for report in known if report.score is not None and not report.error]
    seed = plan.seed + len(known)  # a search that goes on would else begin with the points it began with
    if not judged:
        return OptunaSearch(seed=seed)
    return OptunaSearch(
        space={name: _distribution(each) for name, each in plan.space.items()},
        metric=_SCORE,
        mode="max",
        seed=seed,
        points_to_evaluate=[dict(report.point) for report in judged],
        evaluated_rewards=[report.score for report in judged],
    )


def _distribution(each: Span | Choices) -> Any:
    if isinstance(each, Choices):
        return distributions.CategoricalDistribution(list(each.values))
    if each.is_integer:
        return distributions.IntDistribution(int(each.low), int(each.high), log=each.is_log)
    return distributions.FloatDistribution(each.low, each.high, log=each.is_log)


def _scheduler(plan: SearchPlan, n_folds: int) -> TrialScheduler:
    if not plan.is_stopping or n_folds < 2:
        return FIFOScheduler()  # type: ignore[no-untyped-call]
    return AsyncHyperBandScheduler(time_attr="n_folds", max_t=n_folds, grace_period=1, reduction_factor=3)


def _key(point: Mapping[str, Any]) -> str:
    return repr(sorted(point.items()))


def _be_nice() -> None:
    os.setpriority(os.PRIO_PROCESS, 0, max(os.getpriority(os.PRIO_PROCESS, 0), NICENESS))
