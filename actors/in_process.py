"""The wiring of `launch.py` without actors: a backtest, and the replay of a recorded run."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from configs.plan import RunPlan
from outcry.backtest.in_process import (
    LocalAlphas,
    LocalFeatures,
    LocalPortfolio,
    LocalRisk,
    LocalStrategy,
    MemoryJournal,
)
from outcry.backtest.strategy import AnyStrategy
from outcry.desk import Desk, trade_frame
from outcry.execution.memory_ledger import MemoryLedger
from outcry.execution.router import OrderRouter
from outcry.features.guard import ColumnQuality, QualityGuard
from outcry.market.frame import Frame, FrameTensor
from outcry.messages import FrameOutcome, Input
from outcry.portfolio.rebalance import Rebalancing
from outcry.ports import PortfolioBook, Predictor


@dataclass(frozen=True, slots=True, eq=False, repr=False)  # asyncio.run makes a repr of what its coroutine returns
class LocalRun:
    """What a run in this process left behind."""

    outcomes: list[FrameOutcome]
    ledger: MemoryLedger
    feature_quality: tuple[ColumnQuality, ...]


async def run_in_process(
    plan: RunPlan,
    warmup: FrameTensor,
    frames: Iterable[Frame],
    predictor: Predictor,
    *,
    inputs: Mapping[int, tuple[Input, ...]] | None = None,
    strategy: AnyStrategy | None = None,
    on_frame: Callable[[FrameOutcome], None] | None = None,
) -> LocalRun:
    """Trade `frames` through `trade_frame` with plain objects for ports.

    Parameters
    ----------
    plan : RunPlan
    warmup : FrameTensor
        Frames before the first traded one; may be empty.
    frames : iterable of Frame
    predictor : Predictor
    inputs : mapping or None
        What took effect at which `seq`, for the replay of a recorded run.
    strategy : AnyStrategy or None
        A strategy of the user, which then decides instead of the portfolio's own sizing.
    on_frame : callable or None
        Called after every frame.
    """
    features = plan.build_features(window_bars=plan.window_bars)
    if len(warmup):
        features.replay(warmup)
    broker = plan.build_broker()
    if len(warmup):
        broker.warm_up(warmup)
    ledger = MemoryLedger()
    guard = QualityGuard(plan.feature_set.columns, len(plan.universe))
    journal = MemoryJournal(inputs or {}, ledger, guard)
    local = LocalFeatures(features)
    portfolio: PortfolioBook = LocalPortfolio(plan.build_portfolio(), plan.build_construction())
    if plan.settings.alphas.trade and strategy is None:
        signal = plan.build_alphas()
        if len(warmup):
            signal.replay(warmup)
        portfolio = LocalAlphas(portfolio, signal)
    if strategy is not None:
        rebalancing = Rebalancing(plan.run_id, plan.universe, plan.settings.portfolio)
        portfolio = LocalStrategy(plan.build_portfolio(), rebalancing, local, plan.universe, strategy)
    desk = Desk(
        journal=journal,
        router=OrderRouter(broker, ledger),
        portfolio=portfolio,
        features=local,
        predictor=predictor,
        risk=LocalRisk(plan.build_gate()),
    )
    for frame in frames:
        outcome = await trade_frame(frame, desk)
        if on_frame is not None:
            on_frame(outcome)
    return LocalRun(journal.outcomes, ledger, guard.findings)
