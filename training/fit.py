"""Train the ensemble: from frames and features to a bundle on disk."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from importlib import metadata
from pathlib import Path

import lightgbm
import numpy as np
import sklearn
import xgboost

from configs.training import TrainingConfig
from outcry.labels.split import PurgedWalkForward
from outcry.market.frame import FrameTensor
from outcry.models.bundle import write_bundle
from outcry.models.manifest import BundleFacts, LabelSpec, SelectionRecord
from training.dataset import ReadFeatures, build_dataset
from training.selection.stability import measure_stability
from training.walk_forward import WalkForward

N_GOLDEN_ROWS = 64
FIT_STEP = "fit ensemble"

Progress = Callable[[str, float], None]


def fit_ensemble(
    frames: FrameTensor,
    read_features: ReadFeatures,
    feature_names: Sequence[str],
    config: TrainingConfig,
    *,
    units: Mapping[str, str],
    features_hash: str,
    symbols: Sequence[str],
    bar_ns: int,
    directory: Path,
    on_progress: Progress | None = None,
) -> Path:
    """Train, measure and write an ensemble; return the path of its bundle.

    Every fold of a purged walk-forward split selects columns and trains the members on the past, and predicts the
    frames after it. Weights and calibration that judge a fold were fitted on the predictions of the folds before it, so
    every figure in the manifest is out of sample. The last fold is used once, to measure: the columns, members, weights
    and calibration in the bundle are the very ones it measured.

    Parameters
    ----------
    frames : FrameTensor
    read_features : callable
        See `build_dataset`.
    feature_names : sequence of str
        What it can read; `build_dataset` chooses among them.
    config : TrainingConfig
    units : mapping of str to str
        Unit of every feature.
    features_hash : str
        Of the feature set that is read.
    symbols : sequence of str
    bar_ns : int
        Bar size, nanoseconds.
    directory : Path
        Where bundles are kept.
    on_progress : callable, optional
        Called with the name of a step and the fraction of it that is done.

    Raises
    ------
    ConfigurationError
        Where there are too few frames for the folds.
    DataValidationError
        Where the features cannot be used, or a fold has no rows.

    Notes
    -----
    The same frames, features, settings and library versions give the same bundle, to the byte.
    """
    report = on_progress or (lambda step, fraction: None)
    report(FIT_STEP, 0.0)
    data = build_dataset(frames, read_features, feature_names, units, config)
    walk = WalkForward(data, frames.ts_close_ns, config)
    split = PurgedWalkForward(config.n_folds, config.horizon_bars, config.embargo_bars, config.min_train_frac)
    for fold, (train, test) in enumerate(split.split(len(frames))):
        walk.advance(train, test, partial(_report_fold, report, fold, config.n_folds))
    used = data.of_columns(walk.chosen[-1]).of_known()
    facts = BundleFacts(
        feature_names=used.feature_names,
        features_hash=features_hash,
        label=_label_spec(config),
        bar_ns=bar_ns,
        symbols=tuple(symbols),
        first_ts_ns=int(frames.ts_close_ns[0]),
        last_ts_ns=int(frames.ts_close_ns[-1]),
        folds=walk.records[:-1],
        test=walk.records[-1],
        selection=_selection_record(walk.chosen, data.feature_names, config),
        libraries={library.__name__: library.__version__ for library in (lightgbm, np, sklearn, xgboost)},
        code_version=_code_version(),
        seed=config.seed,
    )
    return write_bundle(
        directory,
        facts=facts,
        members={
            family: (float(weight_frac), fitted.model)
            for (family, fitted), weight_frac in zip(walk.members.items(), walk.weights_frac, strict=True)
        },
        calibration=walk.calibration,
        golden_rows=used.rows[np.linspace(0, len(used) - 1, N_GOLDEN_ROWS).astype(np.int64)],
    )


def _report_fold(report: Progress, fold: int, n_folds: int, done_frac: float) -> None:
    report(FIT_STEP, (fold + done_frac) / n_folds)


def _label_spec(config: TrainingConfig) -> LabelSpec:
    return LabelSpec(
        horizon_bars=config.horizon_bars,
        band_kind=config.band_kind,
        band_value=config.band_value,
        volatility_window_bars=config.volatility_window_bars if config.band_kind == "volatility" else None,
    )


def _selection_record(chosen: Sequence[Sequence[str]], names: Sequence[str], config: TrainingConfig) -> SelectionRecord:
    stability = measure_stability(chosen, names)
    return SelectionRecord(
        methods=tuple(step.method for step in config.selection),
        n_candidates=len(names),
        chosen=tuple(map(tuple, chosen)),
        jaccard=stability.jaccard,
        nogueira=None if np.isnan(stability.nogueira) else stability.nogueira,
    )


def _code_version() -> str:
    try:
        return metadata.version("outcry")
    except metadata.PackageNotFoundError:
        return "not installed"  # run from a folder, as a submitted cluster job is
