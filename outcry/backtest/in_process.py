"""The ports of a desk over plain objects: the event-driven backtest, and the replay of a recorded run."""

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np

from outcry.execution.memory_ledger import MemoryLedger
from outcry.features.guard import QualityGuard
from outcry.features.universe_features import UniverseFeatures
from outcry.market.frame import FloatArray, Frame
from outcry.messages import Book, Executions, FeatureFrame, Forecast, FrameOutcome, Input, Proposal, Verdict
from outcry.portfolio.construction import PortfolioConstruction
from outcry.portfolio.portfolio import Portfolio
from outcry.portfolio.rebalance import Rebalancing
from outcry.risk.gate import RiskGate

_NO_VALUES = np.empty((0, 0))


class LocalFeatures:
    """`outcry.ports.Features` over `UniverseFeatures`."""

    def __init__(self, features: UniverseFeatures) -> None:
        self._features = features

    async def update(self, frame: Frame) -> FeatureFrame:
        self._features.update(frame)
        return FeatureFrame(frame.seq, frame.ts_close_ns, self._features.values, ~frame.present)


class LocalPortfolio:
    """`outcry.ports.PortfolioBook` over a `Portfolio` and a `PortfolioConstruction`."""

    def __init__(self, portfolio: Portfolio, construction: PortfolioConstruction) -> None:
        self._portfolio = portfolio
        self._construction = construction

    async def settle(self, executions: Executions, frame: Frame) -> Book:
        return self._portfolio.settle(executions, frame)

    async def propose(self, forecast: Forecast, book: Book) -> Proposal:
        return self._construction.propose(forecast, book)


class LocalWeights:
    """`outcry.ports.PortfolioBook` over a `Portfolio` and target weights from elsewhere.

    `weights` gives them for a book, float64 (n_symbols,); a symbol that is NaN, or without a bar, is left as it is.
    """

    def __init__(self, portfolio: Portfolio, rebalancing: Rebalancing, weights: Callable[[Book], FloatArray]) -> None:
        self._portfolio = portfolio
        self._rebalancing = rebalancing
        self._weights = weights

    async def settle(self, executions: Executions, frame: Frame) -> Book:
        return self._portfolio.settle(executions, frame)

    async def propose(self, forecast: Forecast, book: Book) -> Proposal:
        target_weight = np.where(book.stale, np.nan, self._weights(book))
        orders, cancels = self._rebalancing.orders(book, target_weight)
        return Proposal(book.seq, orders, cancels, target_weight, forecast.inputs)


class LocalRisk:
    """`outcry.ports.RiskReview` over a `RiskGate`."""

    def __init__(self, gate: RiskGate) -> None:
        self._gate = gate

    async def review(self, wanted: Proposal, book: Book, inputs: tuple[Input, ...]) -> Verdict:
        return self._gate.review(wanted, book, inputs)


class MemoryJournal:
    """`outcry.ports.FrameJournal` in memory.

    `inputs` maps the `seq` of a frame to what takes effect there: empty for a backtest, taken from the journal for a
    replay. `outcomes` holds every recorded frame, in order, without the values of its features, which would be nearly
    all of the memory; `guard`, if there is one, has looked at them. `ledger` gets what the broker answered.
    """

    def __init__(
        self, inputs: Mapping[int, tuple[Input, ...]], ledger: MemoryLedger, guard: QualityGuard | None = None
    ) -> None:
        self._inputs = inputs
        self._ledger = ledger
        self._guard = guard
        self.outcomes: list[FrameOutcome] = []

    async def append(self, frame: Frame) -> tuple[Input, ...]:
        return self._inputs.get(frame.seq, ())

    async def record(self, outcome: FrameOutcome) -> None:
        self._ledger.record_answers(outcome.submission)
        if self._guard is not None:
            self._guard.update(outcome.features)
        self.outcomes.append(replace(outcome, features=replace(outcome.features, values=_NO_VALUES)))
