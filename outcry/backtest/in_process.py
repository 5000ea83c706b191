"""The ports of a desk over plain objects: the event-driven backtest, and the replay of a recorded run."""

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np

from outcry.alphas.signal import AlphaSignal
from outcry.backtest.strategy import AnyStrategy, Holdings, MarketView, Strategy, ask_frame, ask_weights
from outcry.execution.memory_ledger import MemoryLedger
from outcry.features.guard import QualityGuard
from outcry.features.universe_features import UniverseFeatures
from outcry.market.frame import FloatArray, Frame, IntArray
from outcry.market.universe import Universe
from outcry.messages import (
    Book,
    Executions,
    FeatureFrame,
    Forecast,
    FrameOutcome,
    Input,
    Proposal,
    Verdict,
    WindowPart,
)
from outcry.portfolio.alpha_sizing import decide_by_alphas
from outcry.portfolio.construction import PortfolioConstruction
from outcry.portfolio.portfolio import Portfolio
from outcry.portfolio.rebalance import Rebalancing
from outcry.ports import PortfolioBook
from outcry.risk.gate import RiskGate

_NO_VALUES = np.empty((0, 0))


class LocalFeatures:
    """`outcry.ports.Features` over `UniverseFeatures`; `values` are those of the last frame."""

    def __init__(self, features: UniverseFeatures) -> None:
        self._features = features
        self.feature_set = features.features
        self.values = _NO_VALUES

    async def update(self, frame: Frame) -> FeatureFrame:
        self._features.update(frame)
        self.values = self._features.values
        close = frame.continuous().close
        return FeatureFrame(frame.seq, frame.ts_close_ns, self.values, ~frame.present, self._read_windows, close)

    async def _read_windows(self, columns: IntArray, n_bars: int) -> tuple[WindowPart, ...]:
        taken = self._features.take_recent(columns, n_bars)
        return (WindowPart(np.arange(taken.shape[1]), np.arange(taken.shape[2]), taken),)


class LocalPortfolio:
    """`outcry.ports.PortfolioBook` over a `Portfolio` and a `PortfolioConstruction`."""

    def __init__(self, portfolio: Portfolio, construction: PortfolioConstruction) -> None:
        self._portfolio = portfolio
        self._construction = construction

    async def settle(self, executions: Executions, frame: Frame) -> Book:
        return self._portfolio.settle(executions, frame)

    async def propose(self, forecast: Forecast, book: Book) -> Proposal:
        return self._construction.propose(forecast, book)


class LocalAlphas:
    """`outcry.ports.PortfolioBook` over another one, which sizes what alphas say in the place of the forecast."""

    def __init__(self, book: PortfolioBook, signal: AlphaSignal) -> None:
        self._book = book
        self._signal = signal
        self._frame: Frame | None = None

    async def settle(self, executions: Executions, frame: Frame) -> Book:
        self._frame = frame
        return await self._book.settle(executions, frame)

    async def propose(self, forecast: Forecast, book: Book) -> Proposal:
        assert self._frame is not None  # noqa: S101 - a frame is settled before anything is proposed
        return await self._book.propose(decide_by_alphas(self._signal, self._frame, forecast), book)


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


class LocalStrategy:
    """`outcry.ports.PortfolioBook` over a `Portfolio` and a strategy of the user, which is asked frame by frame."""

    def __init__(
        self,
        portfolio: Portfolio,
        rebalancing: Rebalancing,
        features: LocalFeatures,
        universe: Universe,
        strategy: AnyStrategy,
    ) -> None:
        self._features = features
        self._universe = universe
        self._strategy = strategy
        self._frame: Frame | None = None
        self._forecast: Forecast | None = None
        self._book = LocalWeights(portfolio, rebalancing, self._ask)

    async def settle(self, executions: Executions, frame: Frame) -> Book:
        self._frame = frame.continuous()
        return await self._book.settle(executions, frame)

    async def propose(self, forecast: Forecast, book: Book) -> Proposal:
        self._forecast = forecast
        return await self._book.propose(forecast, book)

    def _ask(self, book: Book) -> FloatArray:
        frame, forecast, strategy = self._frame, self._forecast, self._strategy
        assert frame is not None  # noqa: S101 - a frame is settled before anything is proposed
        assert forecast is not None  # noqa: S101 - as above
        places = {name: self._features.feature_set.place(name) for name in strategy.columns}
        view = MarketView(
            symbols=self._universe.symbols,
            ts_close_ns=np.array([frame.ts_close_ns]),
            **{name: getattr(frame, name)[np.newaxis] for name in ("open", "high", "low", "close", "volume")},
            features={name: self._features.values[np.newaxis, :, place] for name, place in places.items()},
            probability=forecast.probability[np.newaxis] if strategy.needs_forecast else None,
        )
        if isinstance(strategy, Strategy):
            weights: FloatArray = ask_weights(strategy, view, n_checked=0)[0]
            return weights
        lot_shares = self._universe.grid.lot_shares
        lots = np.rint((book.quantity + book.working) / lot_shares).astype(np.int64)
        money = float(book.equity), float(book.cash)
        holdings = Holdings.of_lots(money, lots, book.entry_price, book.price, lot_shares)
        return ask_frame(strategy, view, holdings)


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
        self.outcomes.append(replace(outcome, features=replace(outcome.features, values=_NO_VALUES, windows=None)))
