"""One update of a model: the families that can learn more rows do, and rows that none of them saw judge the result."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from configs.families import FamiliesConfig
from configs.online import OnlineConfig
from configs.training import TrainingConfig
from outcry.market.frame import FloatArray
from outcry.messages import Direction
from outcry.models.bundle import ModelBundle, load_bundle, load_members, with_members, write_revision
from outcry.models.dataset import Dataset
from outcry.models.evaluation import Scores, score
from outcry.models.families import find_family
from outcry.models.family import Model, Updatable, UpdateSettings
from outcry.models.manifest import FoldRecord
from training.online.buffer import Samples


@dataclass(frozen=True, slots=True)
class UpdateVerdict:
    """How an updated model does on the held-out rows, beside the one it came from.

    Attributes
    ----------
    n_learnt, n_rehearsed, n_held_out : int
        Rows; those rehearsed are among those learnt.
    families : tuple of str
        That were updated.
    old_log_loss, new_log_loss : float
        Nats a row, of the whole ensemble.
    min_score_frac : float
        See `OnlineConfig`.
    """

    n_learnt: int
    n_rehearsed: int
    n_held_out: int
    families: tuple[str, ...]
    old_log_loss: float
    new_log_loss: float
    min_score_frac: float

    @property
    def kept_frac(self) -> float:
        """The new score as a part of the old one, exp(-log loss) of each."""
        return math.exp(self.old_log_loss - self.new_log_loss)

    @property
    def is_adopted(self) -> bool:
        return self.kept_frac >= self.min_score_frac

    @property
    def reason(self) -> str:
        verb = "adopted" if self.is_adopted else "rolled back"
        return (
            f"{verb}: keeps {self.kept_frac:.4f} of the score, must keep {self.min_score_frac:g} "
            f"(log loss {self.old_log_loss:.4f} before, {self.new_log_loss:.4f} after, on {self.n_held_out} rows)"
        )

    def to_record(self) -> dict[str, Any]:
        """Return JSON values: what is recorded of it."""
        return asdict(self) | {"kept_frac": self.kept_frac, "is_adopted": self.is_adopted}


@dataclass(frozen=True, slots=True)
class OnlineUpdate:
    """An update as it was judged; its bundle is kept whatever came of it.

    Attributes
    ----------
    seq : int
        The frame at whose close the last label was known.
    parent_version : str
        Of the bundle it came from.
    bundle : ModelBundle
    verdict : UpdateVerdict
    """

    seq: int
    parent_version: str
    bundle: ModelBundle
    verdict: UpdateVerdict


def update_bundle(
    model: ModelBundle,
    samples: Samples,
    params: FamiliesConfig | TrainingConfig,
    config: OnlineConfig,
    *,
    seq: int,
    closes_ns: Mapping[int, int],
    directory: Path,
    seed: int,
) -> OnlineUpdate | None:
    """Update what can be updated of a bundle, judge it, and write it; None where no member with a vote can be.

    Parameters
    ----------
    model : ModelBundle
    samples : Samples
    params : FamiliesConfig
        Of the families, as they were trained.
    config : OnlineConfig
    seq : int
        Of the last frame that is known.
    closes_ns : mapping of int to int
        Close of each frame of the samples, and of `seq`.
    directory : Path
        Where bundles are kept.
    seed : int

    Notes
    -----
    Weights of the vote, calibration and whatever else was fitted on predictions stay those of the parent. The manifest
    says of the new bundle that it was given frames up to `seq`; its test fold are the held-out rows, and that of the
    parent stands among the folds before.
    """
    members = load_members(model)
    settings = UpdateSettings(
        seed=seed, n_rounds=config.n_rounds, learning_rate_frac=config.learning_rate_frac, **_machine_of(params)
    )
    learnt = _as_members_read(samples.learnt, len(model.manifest.feature_names))
    updated: dict[str, Model] = {}
    for record in model.manifest.members:
        family = find_family(record.family)
        if record.weight_frac != 0.0 and isinstance(family, Updatable):
            of_family = getattr(params, record.family)
            updated[record.family] = family.update(members[record.family], learnt, of_family, settings)
    if not updated:
        return None
    seen = samples.held_out
    old, new = (_score(each, seen) for each in (model, with_members(model, updated)))
    counts = np.bincount(samples.learnt.labels, minlength=len(Direction)) + 1.0
    base = score(np.tile(counts / counts.sum(), (len(seen), 1)), seen.labels)
    test = FoldRecord(
        train_last_ts_ns=closes_ns[int(samples.learnt.frame[-1])],
        first_ts_ns=closes_ns[int(seen.frame[0])],
        last_ts_ns=closes_ns[int(seen.frame[-1])],
        base_log_loss=base.log_loss,
        **asdict(new),
    )
    manifest = model.manifest
    changes = {
        "last_ts_ns": max(manifest.last_ts_ns, closes_ns[seq]),
        "folds": (*manifest.folds, manifest.test),
        "test": test,
    }
    path = write_revision(directory, model, updated, changes)
    verdict = UpdateVerdict(
        n_learnt=len(samples.learnt),
        n_rehearsed=samples.n_rehearsed,
        n_held_out=len(seen),
        families=tuple(updated),
        old_log_loss=old.log_loss,
        new_log_loss=new.log_loss,
        min_score_frac=config.min_score_frac,
    )
    return OnlineUpdate(seq, model.version, load_bundle(path), verdict)


def _as_members_read(data: Dataset, n_features: int) -> Dataset:
    """Return the first columns: after them stand those that only the combiner reads."""
    if n_features == len(data.feature_names):
        return data
    history = data.history
    if history is not None:
        history = replace(history, values=history.values[..., :n_features])
    return replace(data, rows=data.rows[:, :n_features], feature_names=data.feature_names[:n_features], history=history)


def forecast_rows(model: ModelBundle, data: Dataset) -> FloatArray:
    """Return what a bundle says of rows of its columns, float64 (n_rows, 3)."""
    windows = data.windows_at(slice(None), model.lookback_bars) if model.lookback_bars > 1 else None
    return model.predict_proba(data.rows, windows=windows)


def _score(model: ModelBundle, data: Dataset) -> Scores:
    return score(forecast_rows(model, data), data.labels)


def _machine_of(params: FamiliesConfig | TrainingConfig) -> dict[str, int]:
    return {name: getattr(params, name) for name in ("n_threads", "max_bins") if hasattr(params, name)}
