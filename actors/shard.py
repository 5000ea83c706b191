"""Feature shards: the feature state of some of the symbols each."""

import asyncio
import os

import numpy as np

from actors.calls import NamedActor, ask
from actors.journal import JournalClient
from configs.plan import RunPlan
from outcry.adapters.postgres.reader import JournalReader
from outcry.adapters.snapshots import pack_state, unpack_state
from outcry.features.engine import FeatureEngine
from outcry.market.frame import Frame, IntArray
from outcry.messages import FeatureFrame


class FeatureShardActor:
    """Own the feature state of the symbols of one shard.

    **Owns** a `FeatureEngine`. **Receives** frames of its symbols. **Sends** snapshots of its state to the journal.
    **Ordering** by `seq`: a repeat gets the last answer; after a gap the missing frames are read from the journal.
    **On failure** it restores the newest snapshot and replays the complete frames after it.
    """

    def __init__(self, plan: RunPlan, shard: int, database_url: str, journal: JournalClient) -> None:
        self._plan = plan
        self._name = f"shard-{shard}"
        self._indices = plan.shard_indices(shard)
        self._database_url = database_url
        self._journal = journal
        self._engine = plan.build_engine(len(self._indices))
        self._answer: FeatureFrame | None = None
        asyncio.run(_restore(self._engine, plan, self._name, self._indices, database_url))

    def update(self, frame: Frame) -> FeatureFrame:
        """Return the features of this shard's symbols, float64 (n_symbols of the shard, n_features)."""
        if self._answer is not None and self._answer.seq == frame.seq:
            return self._answer
        if self._engine.last_seq is not None and self._engine.last_seq < frame.seq - 1:
            asyncio.run(_catch_up(self._engine, self._plan, self._indices, self._database_url, frame.seq - 1))
        self._engine.update(frame)
        self._answer = FeatureFrame(frame.seq, frame.ts_close_ns, self._engine.values, self._engine.stale)
        if (frame.seq + 1) % self._plan.settings.floor.snapshot_every_frames == 0:
            self._journal.post_snapshot(self._name, frame.seq, pack_state(self._engine.snapshot()))
        return self._answer

    def health(self) -> int:
        return os.getpid()


# Functions, as an async method would make the actor an async one, whose calls take longer.
async def _restore(engine: FeatureEngine, plan: RunPlan, name: str, indices: IntArray, database_url: str) -> None:
    async with JournalReader.connect(database_url, plan.run_id) as reader:
        last_seq = await reader.last_completed_seq()
        snapshot = await reader.latest_snapshot(name, max_seq=last_seq)
    if snapshot is not None:
        engine.restore(unpack_state(snapshot.payload))
    await _catch_up(engine, plan, indices, database_url, last_seq)


async def _catch_up(engine: FeatureEngine, plan: RunPlan, indices: IntArray, database_url: str, last_seq: int) -> None:
    """Replay the frames after the engine's state up to `last_seq` from the journal."""
    async with JournalReader.connect(database_url, plan.run_id) as reader:
        first_seq = await reader.first_seq() if engine.last_seq is None else engine.last_seq + 1
        if first_seq is not None and first_seq <= last_seq:
            frames = await reader.frames(first_seq, last_seq)
            engine.replay(frames.select(indices))


class FeatureShardsClient:
    """`outcry.ports.Features` over the `FeatureShardActor` of every shard."""

    def __init__(self, actors: list[NamedActor], indices: list[IntArray], deadline_s: float) -> None:
        self._actors = actors
        self._indices = indices
        self._deadline_s = deadline_s

    async def update(self, frame: Frame) -> FeatureFrame:
        answers: list[FeatureFrame] = await asyncio.gather(
            *(
                ask(actor.update, frame.select(indices), deadline_s=self._deadline_s)
                for actor, indices in zip(self._actors, self._indices, strict=True)
            )
        )
        values = np.empty((frame.n_symbols, answers[0].values.shape[1]))
        for answer, indices in zip(answers, self._indices, strict=True):
            values[indices] = answer.values
        return FeatureFrame(frame.seq, frame.ts_close_ns, values, ~frame.present)
