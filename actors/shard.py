"""Feature shards, each with the state of some of the symbols; the second stage over all of them is the desk's."""

import asyncio
import os
from functools import partial

import numpy as np

from actors.calls import NamedActor, ask, ask_to_share, shared
from actors.journal import JournalClient
from configs.plan import RunPlan
from outcry.adapters.postgres.reader import JournalReader
from outcry.adapters.snapshots import pack_state, unpack_state
from outcry.errors import PredictionError
from outcry.features.cross.stage import CrossStage
from outcry.features.engine import FeatureEngine
from outcry.market.frame import Float32Array, FloatArray, Frame, IntArray
from outcry.messages import FeatureFrame, WindowPart

_CROSS = "cross"
_Stage = FeatureEngine | CrossStage


class FeatureShardActor:
    """Own the feature state of the symbols of one shard.

    **Owns** a `FeatureEngine`. **Receives** frames of its symbols. **Sends** snapshots of its state to the journal, and
    the windows that a model reads to the object store.
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

    @shared
    def windows(self, frame: Frame, columns: IntArray, n_bars: int) -> Float32Array:
        """Return some columns of the frames up to this one, float32 (n_bars, n_symbols of the shard, n_columns)."""
        self.update(frame)  # one that was restarted since has not seen it
        return self._engine.recent.take(columns, n_bars)

    def health(self) -> int:
        return os.getpid()


# Functions, as an async method would make the actor an async one, whose calls take longer.
async def _restore(stage: _Stage, plan: RunPlan, name: str, indices: IntArray, database_url: str) -> None:
    async with JournalReader.connect(database_url, plan.run_id) as reader:
        last_seq = await reader.last_completed_seq()
        snapshot = await reader.latest_snapshot(name, max_seq=last_seq)
    if snapshot is not None:
        stage.restore(unpack_state(snapshot.payload))
    await _catch_up(stage, plan, indices, database_url, last_seq)


async def _catch_up(stage: _Stage, plan: RunPlan, indices: IntArray, database_url: str, last_seq: int) -> None:
    """Replay the frames after the state of the stage up to `last_seq` from the journal."""
    async with JournalReader.connect(database_url, plan.run_id) as reader:
        first_seq = await reader.first_seq() if stage.last_seq is None else stage.last_seq + 1
        if first_seq is not None and first_seq <= last_seq:
            frames = await reader.frames(first_seq, last_seq)
            stage.replay(frames.select(indices))


class FeatureShardsClient:
    """`outcry.ports.Features` over the `FeatureShardActor` of every shard, and the second stage over their answers.

    The second stage reads the frame alone, so it is computed beside the calls. Its state is restored as that of a
    shard, from a snapshot and the frames after it, when the first frame comes.
    """

    def __init__(
        self,
        plan: RunPlan,
        actors: list[NamedActor],
        indices: list[IntArray],
        database_url: str,
        journal: JournalClient,
        *,
        deadline_s: float,
    ) -> None:
        self._plan = plan
        self._actors = actors
        self._indices = indices
        self._database_url = database_url
        self._journal = journal
        self._deadline_s = deadline_s
        self._cross: CrossStage | None = None

    async def update(self, frame: Frame) -> FeatureFrame:
        shards = asyncio.create_task(self._ask_shards(frame))
        cross = await self._update_cross(frame)
        values = await shards
        windows = partial(self._read_windows, frame) if self._plan.window_bars > 1 else None
        if cross is not None:
            values = np.concatenate([values, cross], axis=1)
        return FeatureFrame(frame.seq, frame.ts_close_ns, values, ~frame.present, windows, frame.continuous().close)

    async def _read_windows(self, frame: Frame, columns: IntArray, n_bars: int) -> tuple[WindowPart, ...]:
        n_own = self._plan.feature_set.n_symbol_columns
        own, others = np.flatnonzero(columns < n_own), np.flatnonzero(columns >= n_own)
        parts: list[WindowPart] = []
        if len(others):
            if self._cross is None or self._cross.last_seq != frame.seq:
                raise PredictionError(f"windows of frame {frame.seq} must be read while it is under way, were later")
            taken = self._cross.recent.take(columns[others] - n_own, n_bars)
            parts.append(WindowPart(np.arange(frame.n_symbols), others, taken))
        if len(own):
            references = await asyncio.gather(
                *(
                    ask_to_share(
                        actor.windows, frame.select(indices), columns[own], n_bars, deadline_s=self._deadline_s
                    )
                    for actor, indices in zip(self._actors, self._indices, strict=True)
                )
            )
            parts += (WindowPart(indices, own, ref) for indices, ref in zip(self._indices, references, strict=True))
        return tuple(parts)

    async def _ask_shards(self, frame: Frame) -> FloatArray:
        answers: list[FeatureFrame] = await asyncio.gather(
            *(
                ask(actor.update, frame.select(indices), deadline_s=self._deadline_s)
                for actor, indices in zip(self._actors, self._indices, strict=True)
            )
        )
        values = np.empty((frame.n_symbols, answers[0].values.shape[1]))
        for answer, indices in zip(answers, self._indices, strict=True):
            values[indices] = answer.values
        return values

    async def _update_cross(self, frame: Frame) -> FloatArray | None:
        if not len(self._plan.feature_set.cross_chosen):
            return None
        everyone = np.arange(frame.n_symbols)
        if self._cross is None:
            plan = self._plan
            cross = CrossStage(plan.feature_set, plan.universe, window_bars=plan.window_bars)
            await _restore(cross, self._plan, _CROSS, everyone, self._database_url)
            self._cross = cross
        cross = self._cross
        if cross.last_seq != frame.seq:  # a repeated frame gets the last answer
            if cross.last_seq is not None and cross.last_seq < frame.seq - 1:
                await _catch_up(cross, self._plan, everyone, self._database_url, frame.seq - 1)
            await asyncio.sleep(0)  # the shards are asked first
            cross.update(frame)
            if (frame.seq + 1) % self._plan.settings.floor.snapshot_every_frames == 0:
                self._journal.post_snapshot(_CROSS, frame.seq, pack_state(cross.snapshot()))
        return cross.values
