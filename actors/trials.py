"""One trial of a sweep: the shared market, the values of a point, a run in the compiled loop, its figures."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

import numpy as np

from configs.grid_settings import parameters_at, settings_at
from configs.schema import Settings
from outcry.backtest.analytics.information_coefficient import information_coefficient
from outcry.backtest.fast.engine import FastBacktest, FastConfig
from outcry.backtest.fast.figures import Metric, measure_run
from outcry.backtest.fast.result import FastRun
from outcry.backtest.fast.tape import MarketTape
from outcry.backtest.strategy import (
    AnyStrategy,
    MarketView,
    StatefulStrategy,
    Strategy,
    StrategySource,
    ask_weights,
    make_strategy,
)
from outcry.errors import OutcryError
from outcry.execution.tape import frames_looked_back
from outcry.market.frame import FloatArray
from outcry.market.universe import Universe
from outcry.messages import ReasonArray

Point = Mapping[str, Any]


@dataclass(frozen=True, slots=True, eq=False)
class SweepMarket:
    """Everything that the trials of a sweep have in common; arrays are only read, so processes may share them.

    Attributes
    ----------
    universe : Universe
    settings : Settings
        Of every trial but for the values of its point.
    tape : MarketTape
        With as many rows of the past as any trial looks back on.
    probability, volatility : float64 (n_frames, n_symbols, 3), (n_frames, n_symbols) or None
        Forecasts; volatility is None where a strategy decides.
    abstain : int8 (n_frames, n_symbols) or None
        Where the forecasts ask for no new risk; None where nothing is withheld.
    prices : mapping of str to float64 (n_frames, n_symbols)
        open, high, low, close and volume; none without a strategy.
    columns : mapping of str to float64 (n_frames, n_symbols)
        Every feature that the strategy asks for with any of its parameters.
    strategy : StrategySource or None
    parameters : mapping of str to Any
        Of the strategy, where a point does not say otherwise.
    bars_per_year : float
    forward : float64 (n_frames, n_symbols) or None
        Return from each close to the next, where the weights of a strategy are graded by it.
    """

    universe: Universe
    settings: Settings
    tape: MarketTape
    probability: FloatArray | None
    volatility: FloatArray | None
    prices: dict[str, FloatArray]
    columns: dict[str, FloatArray]
    strategy: StrategySource | None
    parameters: dict[str, Any]
    bars_per_year: float
    forward: FloatArray | None = None
    abstain: ReasonArray | None = None

    @property
    def n_bytes(self) -> int:
        """Memory of the arrays."""
        tape = self.tape
        arrays = [*tape.bars, tape.clock, tape.session, tape.present, tape.ts_close_ns]
        arrays += [*self.prices.values(), *self.columns.values()]
        optional = (self.probability, self.volatility, self.forward, self.abstain)
        arrays += [each for each in optional if each is not None]
        return sum(array.nbytes for array in arrays)


@dataclass(frozen=True, slots=True, eq=False)
class TrialOutcome:
    """What a trial came to.

    Attributes
    ----------
    index : int
        Its place in the sweep.
    metrics : dict of str to number, or None
        See `outcry.backtest.fast.figures.RunFigures`; None for a trial that failed.
    returns : float64 (n_sessions,) or None
        By session, above the risk-free rate.
    error : str
        Why it failed; empty where it did not.
    initial_cash : float
    """

    index: int
    metrics: dict[str, Metric] | None
    returns: FloatArray | None
    error: str
    initial_cash: float


class TrialRunner:
    """Trade points one after the other; the weights of a strategy are kept until its parameters change.

    A trial depends on its point alone, whatever was traded before it.
    """

    def __init__(self, market: SweepMarket) -> None:
        self._market = market
        self._kind = None if market.strategy is None else market.strategy.load()
        self._asked: tuple[str, FloatArray] | None = None

    def outcome(self, index: int, point: Point) -> TrialOutcome:
        """Trade a point and measure it; what goes wrong is told in the outcome."""
        cash, settings = 0.0, self._market.settings
        try:
            config = config_at(settings, point)
            cash = float(config.broker.assumed().initial_cash)
            run = self.trade(point, config)
            figures = measure_run(
                run, self._market.tape, cash, self._market.bars_per_year, settings.report.risk_free_per_year
            )
            metrics = figures.metrics
            if self._market.forward is not None and self._asked is not None:
                metrics = metrics | {"ic": information_coefficient(self._asked[1], self._market.forward)}
        except OutcryError as error:
            return TrialOutcome(index, None, None, str(error), cash)
        except Exception as error:
            return TrialOutcome(index, None, None, f"{type(error).__name__}: {error}", cash)
        return TrialOutcome(index, metrics, figures.returns, "", cash)

    def trade(self, point: Point, config: FastConfig) -> FastRun:
        """Trade a point."""
        market = self._market
        tape = _with_past(market.tape, frames_looked_back(config.broker))
        engine = FastBacktest("trial", market.universe, config, tape)
        if self._kind is None:
            if market.probability is None or market.volatility is None:
                raise ValueError("a sweep must have forecasts or a strategy, had neither")
            return engine.trade_forecasts(market.probability, market.volatility, abstain=market.abstain)
        parameters = market.parameters | parameters_at(point)
        strategy = make_strategy(self._kind, parameters)
        if isinstance(strategy, StatefulStrategy):
            return engine.trade_strategy(strategy, _view(market, strategy))
        return engine.trade_weights(self._weights(strategy, repr(sorted(parameters.items()))))

    def _weights(self, strategy: Strategy, key: str) -> FloatArray:
        if self._asked is None or self._asked[0] != key:
            self._asked = None  # two arrays of weights at a time would be one too many
            self._asked = key, ask_weights(strategy, _view(self._market, strategy))
        return self._asked[1]


def config_at(settings: Settings, point: Point) -> FastConfig:
    """Return the sections of a run at a point; raise `ConfigurationError` where its values contradict each other."""
    return FastConfig(**settings_at(settings, point))  # type: ignore[arg-type]  # each of its own class


def _view(market: SweepMarket, strategy: AnyStrategy) -> MarketView:
    return MarketView(
        symbols=market.universe.symbols,
        ts_close_ns=market.tape.ts_close_ns,
        **market.prices,
        features=MappingProxyType({name: market.columns[name] for name in strategy.columns}),
        probability=market.probability if strategy.needs_forecast else None,
    )


def _with_past(tape: MarketTape, n_past: int) -> MarketTape:
    """Return a tape with at most this many rows of the past: what a run of its own would have."""
    spare = tape.n_past - n_past
    if spare <= 0:
        return tape
    return replace(tape, bars=tuple(column[spare:] for column in tape.bars), n_past=n_past)  # type: ignore[arg-type]


def objective_of(outcomes: list[TrialOutcome], name: str) -> FloatArray:
    """Return a metric of every outcome, float64 (n,); NaN where there is none."""
    values = [None if each.metrics is None else each.metrics[name] for each in outcomes]
    return np.array([np.nan if value is None else float(value) for value in values], dtype=np.float64)
