"""A market whose classes follow one feature until that turns round, and a learner that is shown it."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from configs.online import OnlineConfig
from configs.training import TrainingConfig
from outcry.labels.direction import direction_labels
from outcry.market.frame import FloatArray
from outcry.models.bundle import ModelBundle
from outcry.models.manifest import LabelSpec
from training.online.learner import OnlineLearner
from training.online.update import OnlineUpdate

N_SYMBOLS, N_BEFORE, N_TRADED, N_WARMUP = 10, 200, 160, 40
TURNS_AT = 60
LABEL = LabelSpec(horizon_bars=2, band_kind="fixed", band_value=0.004)
FEATURES = ("noise", "drift", "other")
TRAINING = TrainingConfig(members=("xgboost", "logistic"), horizon_bars=2)
CONFIG = OnlineConfig(update_every_rows=200, n_rounds=8, learning_rate_frac=1.0)


@dataclass(frozen=True, eq=False)
class Market:
    """Row t: float64 (n_frames, n_symbols) closes and (n_frames, n_symbols, 3) features; row `N_BEFORE` is frame 0."""

    closes: FloatArray
    values: FloatArray

    def labels(self) -> np.ndarray:
        return direction_labels(self.closes, LABEL.horizon_bars, LABEL.band_value)


def make_market(seed: int = 5) -> Market:
    """The next return follows the second feature, and its negative from frame `TURNS_AT` on."""
    rng = np.random.default_rng(seed)
    shape = (N_BEFORE + N_TRADED, N_SYMBOLS)
    values = rng.normal(size=(*shape, len(FEATURES)))
    for t in range(1, len(values)):
        values[t, :, 1] = 0.9 * values[t - 1, :, 1] + 0.45 * values[t, :, 1]
    sign = np.where(np.arange(len(values)) < N_BEFORE + TURNS_AT, 1.0, -1.0)[:, np.newaxis]
    returns = np.zeros(shape)
    returns[1:] = 0.004 * (sign * values[..., 1])[:-1] + rng.normal(scale=0.001, size=shape)[1:]
    values[rng.random(values.shape) < 0.02] = np.nan
    return Market(100.0 * np.cumprod(1.0 + returns, axis=0), values)


def follow(
    learner: OnlineLearner, market: Market, *, stop: int = N_TRADED, start: int = -N_WARMUP
) -> list[OnlineUpdate]:
    """Show frames [start, stop) to a learner and return its updates."""
    made = []
    for seq in range(start, stop):
        row = N_BEFORE + seq
        update = learner.take(seq, 60 * 10**9 * (1_000 + seq), market.closes[row], market.values[row])
        if update is not None:
            made.append(update)
    return made


def learner_of(model: ModelBundle, folder: Path, config: OnlineConfig = CONFIG, **options) -> OnlineLearner:
    return OnlineLearner(model, N_SYMBOLS, TRAINING, config, folder, **options)
