"""Alphas on the floor: sized by the portfolio in the place of the forecast, with a state that outlives the desk."""

import asyncio

import numpy as np

from actors.journal import JournalClient
from configs.plan import RunPlan
from outcry.adapters.postgres.reader import JournalReader
from outcry.adapters.snapshots import pack_state, unpack_state
from outcry.alphas.forecast import forecast_score
from outcry.alphas.signal import AlphaSignal
from outcry.market.frame import Frame
from outcry.messages import Book, Executions, Forecast, Proposal
from outcry.portfolio.alpha_sizing import decide_by_alphas
from outcry.ports import PortfolioBook

NAME = "alphas"


class AlphaPortfolioClient:
    """`outcry.ports.PortfolioBook` over another one, which sizes what alphas say in the place of the forecast.

    Whoever holds the client keeps the signal, as the second stage of the features: it follows from frames and forecasts
    alone. It is restored from a snapshot, and from the frames and forecasts after it, when the first frame comes, and
    where a frame does not follow the one before: then one was traded in part, and its forecast may have been another.
    """

    def __init__(self, book: PortfolioBook, plan: RunPlan, database_url: str, journal: JournalClient) -> None:
        self._book = book
        self._plan = plan
        self._database_url = database_url
        self._journal = journal
        self._signal: AlphaSignal | None = None
        self._frame: Frame | None = None

    async def settle(self, executions: Executions, frame: Frame) -> Book:
        self._frame = frame
        return await self._book.settle(executions, frame)

    async def propose(self, forecast: Forecast, book: Book) -> Proposal:
        frame = self._frame
        assert frame is not None  # noqa: S101 - a frame is settled before anything is proposed
        if self._signal is None or self._signal.last_seq != frame.seq - 1:
            self._signal = await restore_signal(self._plan, self._database_url)
        elif frame.seq % self._plan.settings.floor.snapshot_every_frames == 0:  # the frame before is complete by now
            self._journal.post_snapshot(NAME, frame.seq - 1, pack_state(self._signal.snapshot()))
        return await self._book.propose(decide_by_alphas(self._signal, frame, forecast), book)


async def restore_signal(plan: RunPlan, database_url: str) -> AlphaSignal:
    """Return the signal after the last complete frame of a run, or after its warm-up."""
    signal = plan.build_alphas()
    async with JournalReader.connect(database_url, plan.run_id) as reader:
        last_seq = await reader.last_completed_seq()
        snapshot = await reader.latest_snapshot(NAME, max_seq=last_seq)
        if snapshot is not None:
            signal.restore(unpack_state(snapshot.payload))
        first_seq = await reader.first_seq() if signal.last_seq is None else signal.last_seq + 1
        if first_seq is not None and first_seq <= last_seq:
            frames = await reader.frames(first_seq, last_seq)
            said = np.full(frames.close.shape, np.nan)
            history = await reader.predictions(first_seq)
            is_complete = history.seq <= last_seq
            known = forecast_score(history.probability, history.abstain)
            said[history.seq[is_complete] - first_seq] = known[is_complete]
            await asyncio.to_thread(signal.replay, frames, said)  # a long warm-up must not look like a desk that hangs
    return signal
