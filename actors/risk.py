"""The risk actor: the gate every order passes."""

import asyncio
import os

from actors.calls import NamedActor, ask
from configs.plan import RunPlan
from outcry.adapters.postgres.reader import JournalReader
from outcry.messages import Book, Input, Proposal, Verdict
from outcry.risk.gate import RiskGate


class RiskActor:
    """Own the risk gate of a desk.

    **Owns** a `RiskGate`. **Receives** proposals with the book and operator inputs. **Sends** nothing unasked.
    **Ordering** by `seq`: a repeat gets the last verdict, after a gap the state is read from the journal.
    **On failure** it resumes from the risk state recorded with the last complete frame.
    """

    def __init__(self, plan: RunPlan, database_url: str) -> None:
        self._plan = plan
        self._database_url = database_url
        self._gate = self._restore()

    def review(self, wanted: Proposal, book: Book, inputs: tuple[Input, ...]) -> Verdict:
        if self._gate.last_seq < wanted.seq - 1:
            self._gate = self._restore()
        return self._gate.review(wanted, book, inputs)

    def health(self) -> int:
        return os.getpid()

    def _restore(self) -> RiskGate:
        return asyncio.run(_restore_gate(self._plan, self._database_url))


async def _restore_gate(plan: RunPlan, database_url: str) -> RiskGate:  # a method would make the actor async
    gate = plan.build_gate()
    async with JournalReader.connect(database_url, plan.run_id) as reader:
        state = await reader.risk_state(await reader.last_completed_seq())
    if state is not None:
        gate.restore(state)
    return gate


class RiskClient:
    """`outcry.ports.RiskReview` over a `RiskActor`."""

    def __init__(self, actor: NamedActor, deadline_s: float) -> None:
        self._actor = actor
        self._deadline_s = deadline_s

    async def review(self, wanted: Proposal, book: Book, inputs: tuple[Input, ...]) -> Verdict:
        verdict: Verdict = await ask(self._actor.review, wanted, book, inputs, deadline_s=self._deadline_s)
        return verdict
