"""The portfolio actor: positions and cash."""

import asyncio
import os

from actors.calls import NamedActor, ask
from configs.plan import RunPlan
from outcry.adapters.postgres.reader import JournalReader
from outcry.market.frame import Frame
from outcry.messages import Book, Executions, Forecast, Proposal
from outcry.portfolio.construction import PortfolioConstruction
from outcry.portfolio.portfolio import Portfolio


class PortfolioActor:
    """Own the portfolio of a desk.

    **Owns** a `Portfolio`. **Receives** executions. **Sends** nothing unasked. **Ordering** by `seq`: a repeat gets the
    last book, after a gap the state is read from the journal. **On failure** it rebuilds the portfolio from the fills
    and closes of all complete frames.
    """

    def __init__(self, plan: RunPlan, database_url: str) -> None:
        self._plan = plan
        self._database_url = database_url
        self._portfolio = self._restore()

    def settle(self, executions: Executions, frame: Frame) -> Book:
        if self._portfolio.last_seq < frame.seq - 1:
            self._portfolio = self._restore()
        return self._portfolio.settle(executions, frame)

    def health(self) -> int:
        return os.getpid()

    def _restore(self) -> Portfolio:
        return asyncio.run(_restore_portfolio(self._plan, self._database_url))


async def _restore_portfolio(plan: RunPlan, database_url: str) -> Portfolio:  # a method would make the actor async
    portfolio = plan.build_portfolio()
    async with JournalReader.connect(database_url, plan.run_id) as reader:
        last_seq = await reader.last_completed_seq()
        if last_seq >= 0:
            fills, events = await reader.fills(last_seq), await reader.ledger_events(last_seq)
            portfolio.restore_from_ledger(last_seq, fills, await reader.last_closes(last_seq), events)
    return portfolio


class PortfolioClient:
    """`outcry.ports.PortfolioBook` over a `PortfolioActor`.

    Whoever holds the client computes a proposal itself: it follows from the forecast and the book alone, and asking
    another process for it would cost a frame many times what it takes.
    """

    def __init__(self, actor: NamedActor, construction: PortfolioConstruction, deadline_s: float) -> None:
        self._actor = actor
        self._construction = construction
        self._deadline_s = deadline_s

    async def settle(self, executions: Executions, frame: Frame) -> Book:
        book: Book = await ask(self._actor.settle, executions, frame, deadline_s=self._deadline_s)
        return book

    async def propose(self, forecast: Forecast, book: Book) -> Proposal:
        return self._construction.propose(forecast, book)
