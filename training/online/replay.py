"""A market with a learner beside the model, and without: what each says of every frame."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from actors.fast import predict_frames
from configs.plan import RunPlan
from outcry.market.frame import FloatArray, FrameTensor
from outcry.messages import Direction
from outcry.models.bundle import ModelBundle
from training.online.learner import OnlineLearner
from training.online.update import OnlineUpdate

_CHUNK_FRAMES = 64


@dataclass(frozen=True, slots=True, eq=False)
class OnlineReplay:
    """What came of a replay.

    Attributes
    ----------
    frozen, online : float64 (n_frames, n_symbols, 3)
        Of the first model, and of the one that was in service: an update forecasts from the next frame on.
    updates : tuple of OnlineUpdate
    """

    frozen: FloatArray
    online: FloatArray
    updates: tuple[OnlineUpdate, ...]


def replay_online(
    plan: RunPlan, model: ModelBundle, warmup: FrameTensor, frames: FrameTensor, directory: Path
) -> OnlineReplay:
    """Show a learner the frames of a prepared run; its bundles are written into `directory`."""
    learner = OnlineLearner(model, len(plan.universe), plan.settings.training, plan.settings.online, directory)
    shape = (*frames.close.shape, len(Direction))
    frozen, online = np.full(shape, np.nan), np.full(shape, np.nan)
    updates: list[OnlineUpdate] = []

    def forecast(seq: int, values: FloatArray, past: FloatArray) -> None:
        if seq >= 0:
            for of, into in ((model, frozen), (learner.model, online)):
                into[seq] = predict_frames(of, values[np.newaxis], model.feature_names, past)[0]

    feed = FrameFeed(plan, model)
    for part in (warmup, frames):
        for start in range(0, len(part), _CHUNK_FRAMES):
            stop = min(start + _CHUNK_FRAMES, len(part))
            updates += feed.show(learner, part.rows(start, stop, first_seq=part.first_seq + start), forecast)
    return OnlineReplay(frozen, online, tuple(updates))


class FrameFeed:
    """Compute what a learner reads of frames, and show it frame after frame.

    Parameters
    ----------
    plan : RunPlan
    model : ModelBundle
        Of its columns.
    """

    def __init__(self, plan: RunPlan, model: ModelBundle) -> None:
        self._features = plan.build_features(model.feature_names)
        self._columns = model.columns_in(self._features.features.names)
        self._past = np.empty((0, len(plan.universe), len(model.feature_names)))
        self._n_past = model.lookback_bars - 1

    def show(
        self,
        learner: OnlineLearner,
        frames: FrameTensor,
        before: Callable[[int, FloatArray, FloatArray], None] | None = None,
    ) -> Iterator[OnlineUpdate]:
        """Show consecutive frames, and yield each update as it is made; the next frame waits until it is asked for.

        Parameters
        ----------
        learner : OnlineLearner
        frames : FrameTensor
            After those shown before.
        before : callable, optional
            Called before the learner sees a frame, with its seq, features, and those of the frames before.
        """
        values = self._features.replay(frames)[:, :, self._columns]
        closes = frames.continuous().close
        for row, seq in enumerate(range(frames.first_seq, frames.last_seq + 1)):
            if before is not None:
                before(seq, values[row], self._past)
            made = learner.take(seq, int(frames.ts_close_ns[row]), closes[row], values[row])
            if self._n_past:
                self._past = np.concatenate((self._past, values[row : row + 1]))[-self._n_past :]
            if made is not None:
                yield made
