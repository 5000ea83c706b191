"""From settings and points to a sweep that is ready: data, features and forecasts once, a key for each trial."""

import copy
import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from actors.fast import Forecasts, decide, forecast_frames
from actors.trials import Point, SweepMarket, config_at
from configs.grid import PARAMETER, SECTIONS
from configs.grid_settings import parameters_at, settings_at
from configs.plan import RunPlan
from configs.schema import Settings
from outcry.backtest.fast.loop import loop_version
from outcry.backtest.fast.tape import build_tape
from outcry.backtest.strategy import AnyStrategy, Strategy, StrategySource, make_strategy
from outcry.errors import ConfigurationError, StrategyError
from outcry.execution.tape import frames_looked_back
from outcry.labels.forward import forward_returns
from outcry.market.frame import FrameTensor
from outcry.models.bundle import ModelBundle
from training.objective import IC, Objective
from training.prepare import ALPHAS, prepare_backtest
from training.search.asking import Search

ENSEMBLE = "ensemble"

Progress = Callable[[str, float], None]


@dataclass(frozen=True, slots=True)
class Trial:
    """A point of a sweep, a hash of all that decides its result, and its settings and parameters in full."""

    index: int
    key: str
    point: Point
    configuration: Mapping[str, Any]


class TrialList:
    """The trials of a sweep, in the order of their points; no two have the same key.

    Parameters
    ----------
    facts : mapping
        What all of them have in common and what decides their results: market, span, features, forecasts, strategy.
    settings : Settings
    parameters : mapping
        Of the strategy, where a point does not say otherwise.
    """

    def __init__(self, facts: Mapping[str, Any], settings: Settings, parameters: Mapping[str, Any]) -> None:
        self._facts, self._settings, self._parameters = facts, settings, parameters
        self._by_key: dict[str, Trial] = {}
        self._trials: list[Trial] = []

    def __len__(self) -> int:
        return len(self._trials)

    def __getitem__(self, index: int) -> Trial:
        return self._trials[index]

    def __iter__(self) -> Iterator[Trial]:
        return iter(self._trials)

    def add(self, points: Sequence[Point]) -> list[Trial]:
        """Return the trial of each point, a new one where no earlier point comes to the same."""
        return [self._find(point) for point in points]

    def _find(self, point: Point) -> Trial:
        try:
            sections = {name: each.model_dump(mode="json") for name, each in settings_at(self._settings, point).items()}
        except ConfigurationError:  # the trial says so when it is traded
            sections = {name: getattr(self._settings, name).model_dump(mode="json") for name in SECTIONS}
            sections["contradiction"] = dict(point)
        configuration = sections | {"parameters": {**self._parameters, **parameters_at(point)}}
        key = _hash({"facts": self._facts, "configuration": configuration})[:32]
        if key not in self._by_key:
            self._by_key[key] = Trial(len(self._trials), key, point, configuration)
            self._trials.append(self._by_key[key])
        return self._by_key[key]


@dataclass(frozen=True, slots=True, eq=False)
class PreparedSweep:
    """Everything that the trials of a sweep read, and what each of them is.

    Attributes
    ----------
    sweep_id, strategy_name : str
    plan : RunPlan
        With the settings that the grid starts from.
    model : ModelBundle or None
    warmup, frames : FrameTensor
    forecasts : Forecasts
    market : SweepMarket
    trials : TrialList
        Those known beforehand; an adaptive search adds to them.
    n_trials : int
        That there will be, or a few less where points come to the same.
    """

    sweep_id: str
    strategy_name: str
    plan: RunPlan
    model: ModelBundle | None
    warmup: FrameTensor
    frames: FrameTensor
    forecasts: Forecasts
    market: SweepMarket
    trials: TrialList
    n_trials: int


def prepare_sweep(  # noqa: PLR0917 - a run, and its search
    settings: Settings,
    search: Search,
    objective: Objective,
    strategy: StrategySource | None,
    parameters: Mapping[str, Any],
    bundle: Path | None,
    on_progress: Progress,
) -> PreparedSweep:
    """Load the market, compute features and forecasts, and name every trial that is known beforehand.

    Parameters
    ----------
    settings : Settings
    search : Search
    objective : Objective
    strategy : StrategySource or None
        None trades the forecasts of an ensemble.
    parameters : mapping
        Of the strategy, where a point does not say otherwise.
    bundle : Path or None
        See `prepare_run`.
    on_progress : callable

    Raises
    ------
    ConfigurationError
        Where the values contradict each other in every point, or the objective has no meaning for the trials.
    StrategyError
        Where the strategy can be made at no point.
    """
    if objective.name == IC:
        _check_coefficient(search, strategy)
    points = search.probes()
    n_past = _frames_looked_back(settings, points)
    wanted = None if strategy is None else _wanted(strategy.load(), parameters, points)
    plan, model, warmup, frames = prepare_backtest(settings, wanted, bundle, on_progress)
    columns = () if wanted is None else wanted.columns
    forecasts = forecast_frames(plan, model, warmup, frames, on_progress, keep=columns)
    decided = forecasts if wanted is not None else decide(plan, warmup, frames, forecasts)
    names = ("open", "high", "low", "close", "volume")
    market = SweepMarket(
        universe=plan.universe,
        settings=settings,
        tape=build_tape(warmup, frames, plan.sessions, n_past),
        probability=decided.probability if wanted is None or wanted.needs_forecast else None,
        volatility=decided.volatility if wanted is None else None,
        abstain=decided.abstain,
        prices={} if wanted is None else {name: getattr(frames, name) for name in names},
        columns=dict(forecasts.columns),
        strategy=strategy,
        parameters=dict(parameters),
        bars_per_year=plan.bars_per_year,
        forward=forward_returns(frames.continuous().close, 1) if objective.name == IC else None,
    )
    facts: dict[str, Any] = {
        "market": plan.fingerprint,
        "span": [int(frames.ts_close_ns[0]), int(frames.ts_close_ns[-1])],
        "features": plan.feature_set.hash,
        "forecasts": None if model is None else model.version,
        "strategy": None if strategy is None else strategy.hash,
        "risk_free": settings.report.risk_free_per_year,
    }
    if forecasts.abstain is not None:  # what is withheld is part of the forecasts
        facts["uncertainty"] = settings.uncertainty.model_dump(mode="json")
    if settings.alphas.trade:
        facts["alphas"] = settings.alphas.model_dump(mode="json")
    trials = TrialList(facts, settings, parameters)
    whole: dict[str, Any] = {"facts": facts, "grid": search.grid.to_json(), "loop": loop_version()}
    if search.is_adaptive:  # the values decide which trials there are, and all that decides the values is part of it
        base = {name: getattr(settings, name).model_dump(mode="json") for name in SECTIONS}
        whole |= {"settings": base, "parameters": parameters}
        whole |= {"search": search.to_json(), "objective": [objective.name, objective.version]}
    else:
        trials.add(points)
        whole |= {"trials": [trial.key for trial in trials]}
    n_trials = search.n_points if search.is_adaptive else len(trials)
    alone = ALPHAS if settings.alphas.trade else ENSEMBLE
    name = alone if wanted is None else type(wanted).__name__
    return PreparedSweep(_hash(whole)[:16], name, plan, model, warmup, frames, forecasts, market, trials, n_trials)


def _check_coefficient(search: Search, strategy: StrategySource | None) -> None:
    if not any(axis.section == PARAMETER for axis in search.grid.axes):
        raise ConfigurationError(
            "--objective ic must have a param.NAME in --grid: no setting of portfolio, risk or broker changes what is "
            "forecast"
        )
    if strategy is not None and not issubclass(strategy.load(), Strategy):
        raise ConfigurationError(
            "--objective ic must go with a Strategy, which says what it thinks of every frame; a StatefulStrategy "
            "decides by what it holds"
        )


def _frames_looked_back(settings: Settings, points: Sequence[Point]) -> int:
    most, reason = 0, "none was given"
    for point in points:
        try:
            most = max(most, frames_looked_back(config_at(settings, point).broker))
        except ConfigurationError as error:
            reason = str(error)
    if not most:
        raise ConfigurationError(f"--grid must have a point that can be traded: {reason}")
    return most


def _wanted(kind: type[AnyStrategy], parameters: Mapping[str, Any], points: Sequence[Point]) -> AnyStrategy:
    """Return a strategy that asks for the columns and windows of those of all points."""
    different = {json.dumps(at, sort_keys=True, default=str): at for at in map(parameters_at, points)}
    made, failure = [], None
    for changed in different.values():
        try:
            made.append(make_strategy(kind, {**parameters, **changed}))
        except StrategyError as error:
            failure = error
    if not made:
        raise failure or StrategyError(f"strategy {kind.__name__} must have a point, has none")
    windows: dict[str, list[Any]] = {}
    for strategy in made:
        for name, values in strategy.windows.items():
            windows[name] = list(dict.fromkeys([*windows.get(name, ()), *values]))
    wanted = copy.copy(made[0])
    object.__setattr__(wanted, "columns", tuple(dict.fromkeys(name for each in made for name in each.columns)))
    object.__setattr__(wanted, "windows", windows)
    return wanted


def _hash(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=str).encode()).hexdigest()
