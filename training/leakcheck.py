"""Prove on data that nothing knows its future: features, targets and the selection of columns."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from configs.plan import resolve_features
from configs.schema import Settings
from outcry.adapters.sources.load import LoadedMarket
from outcry.features.feature_set import FeatureSet
from outcry.features.leakcheck import LeakReport, find_leaks, perturb
from outcry.features.universe_features import UniverseFeatures
from outcry.labels.catalogue import TARGETS, compute_targets
from outcry.labels.direction import UNDEFINED
from outcry.labels.splits.walk_forward import PurgedWalkForward
from outcry.market.frame import FloatArray, FrameTensor
from outcry.market.sessions import Sessions
from outcry.models.dataset import Dataset
from training.dataset import build_dataset
from training.selection.pipeline import select_columns

Progress = Callable[[str, float], None]


@dataclass(frozen=True, slots=True)
class SelectionLeak:
    """The columns chosen for a fold changed with the frames after its training rows."""

    fold: int
    chosen: tuple[str, ...]
    chosen_with_another_future: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LeakCheck:
    """What was found; nothing leaks where `is_clean`."""

    n_features: int
    features: LeakReport
    n_targets: int
    targets: LeakReport
    n_folds: int
    selection: tuple[SelectionLeak, ...]

    @property
    def is_clean(self) -> bool:
        return not (self.features.leaks or self.targets.leaks or self.selection)


def check_leaks(
    settings: Settings,
    market: LoadedMarket,
    sessions: Sessions,
    *,
    n_cuts: int,
    seed: int,
    on_progress: Progress,
) -> LeakCheck:
    """Recompute features, targets and selections with other futures.

    Parameters
    ----------
    settings : Settings
        Feature set, horizon and folds.
    market : LoadedMarket
    sessions : Sessions
    n_cuts : int
        Random places in time at which the future is cut off, and made another; see `find_leaks`.
    seed : int
    on_progress : callable
        Called with the name of a step and its fraction done.

    Raises
    ------
    DataValidationError
        Where the market is too short.
    """
    frames = market.frames
    rng = np.random.default_rng(seed)
    features = resolve_features(settings.features, market.bar_ns, market.universe.symbols)

    def compute(given: FrameTensor) -> FloatArray:
        bars_per_year = market.calendar.bars_per_year(market.bar_ns)
        pipeline = UniverseFeatures(
            features, market.universe, sessions, bars_per_year, n_threads=settings.features.n_threads
        )
        return pipeline.replay(given)

    found = find_leaks(
        compute, frames, features.names, rng=rng, n_cuts=n_cuts, on_progress=partial(on_progress, "check features")
    )
    horizon_bars = max(settings.training.horizon_bars, 2)  # some targets are statistics of the bars between
    names = [f"target_{kind}_{horizon_bars}" for kind in TARGETS]
    targets = find_leaks(
        partial(_compute_targets, names),
        frames,
        names,
        rng=rng,
        n_cuts=n_cuts,
        reach_frames=horizon_bars,
        on_progress=partial(on_progress, "check targets"),
    )
    selection = _find_selection_leaks(settings, features, frames, compute, rng, partial(on_progress, "check selection"))
    return LeakCheck(len(features.names), found, len(names), targets, settings.training.n_folds, selection)


def _compute_targets(names: list[str], frames: FrameTensor) -> FloatArray:
    columns = compute_targets(frames, names)
    values = [np.asarray(column.values, dtype=np.float64) for column in columns.values()]
    is_class = [column.values.dtype == np.int8 for column in columns.values()]
    return np.stack(
        [np.where(v == UNDEFINED, np.nan, v) if c else v for v, c in zip(values, is_class, strict=True)], axis=-1
    )


def _find_selection_leaks(  # noqa: PLR0917 - what it reads comes from the check around it
    settings: Settings,
    features: FeatureSet,
    frames: FrameTensor,
    compute: Callable[[FrameTensor], FloatArray],
    rng: np.random.Generator,
    on_progress: Callable[[float], None],
) -> tuple[SelectionLeak, ...]:
    config = settings.training
    if not config.selection:
        return ()
    splitter = PurgedWalkForward(
        config.n_folds, config.longest_horizon_bars, config.embargo_bars, config.min_train_frac
    )
    here = _dataset(settings, features, frames, compute(frames))
    leaks = []
    for fold, (train, test) in enumerate(splitter.split(len(frames)), start=1):
        other_frames = perturb(frames, int(test[0]), rng)
        there = _dataset(settings, features, other_frames, compute(other_frames))
        chosen, changed = (select_columns(data.of_frames(train), config)[-1].names for data in (here, there))
        if chosen != changed:
            leaks.append(SelectionLeak(fold, chosen, changed))
        on_progress(fold / config.n_folds)
    return tuple(leaks)


def _dataset(settings: Settings, features: FeatureSet, frames: FrameTensor, values: FloatArray) -> Dataset:
    places = {name: place for place, name in enumerate(features.names)}
    return build_dataset(
        frames,
        lambda rows, columns: values[rows][..., [places[name] for name in columns]],
        features.names,
        {column.name: column.unit for column in features.columns},
        # Rows are thinned by how many there are, and the gaps of another future are others.
        settings.training.model_copy(update={"max_rows": 10**9}),
    )
