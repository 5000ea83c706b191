"""Train the ensemble: from frames and features to a bundle on disk."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from importlib import import_module, metadata
from itertools import chain
from pathlib import Path

import numpy as np

from configs.training import TrainingConfig
from outcry.errors import ConfigurationError
from outcry.market.frame import Float32Array, FloatArray, FrameTensor
from outcry.models.bundle import GoldenInputs, write_bundle
from outcry.models.dataset import Dataset
from outcry.models.families import find_family
from outcry.models.manifest import BundleFacts, SelectionRecord
from training.dataset import ReadFeatures, build_dataset, outcomes_of, returns_to_weigh
from training.folds import Folds, folds_within
from training.selection.stability import measure_stability
from training.walk_forward import WalkForward, label_spec

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
    folds: Folds | None = None,
    on_progress: Progress | None = None,
) -> Path:
    """Train, measure and write an ensemble; return the path of its bundle.

    Every fold trains the members on its frames, on columns selected there, and predicts the frames that judge it.
    Combiner and calibration that judge a fold were fitted on the predictions of the folds before it, so every figure in
    the manifest is out of sample. The last fold is trained on the past of its frames, and used once, to measure: the
    columns, members, combiner and calibration in the bundle are the very ones it measured.

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
    folds : Folds, optional
        Absent, `folds_within` all frames.
    on_progress : callable, optional
        Called with the name of a step and the fraction of it that is done.

    Raises
    ------
    ConfigurationError
        Where there are too few frames for the folds.
    DataValidationError
        Where the features cannot be used, or a fold has no rows.
    BundleError
        As `write_bundle`.

    Notes
    -----
    The same frames, features, settings and library versions give the same bundle, to the byte.
    """
    report = on_progress or (lambda step, fraction: None)
    report(FIT_STEP, 0.0)
    folds = folds or folds_within(len(frames), config)
    walk, data = walk_folds(
        frames, read_features, feature_names, config, units=units, folds=folds, report=partial(report, FIT_STEP)
    )
    used = data.of_columns(walk.chosen[-1]).of_known()
    golden = replace(used.take(np.linspace(0, len(used) - 1, N_GOLDEN_ROWS).astype(np.int64)), history=walk.history)
    windows = golden.windows_at(slice(None), walk.lookback_bars) if walk.lookback_bars > 1 else None
    facts = BundleFacts(
        feature_names=used.feature_names,
        features_hash=features_hash,
        label=label_spec(config),
        bar_ns=bar_ns,
        symbols=tuple(symbols),
        first_ts_ns=int(frames.ts_close_ns[0]),
        last_ts_ns=int(frames.ts_close_ns[folds.n_given - 1]),
        folds=walk.records[:-1],
        test=walk.records[-1],
        coverage=walk.coverage,
        selection=_selection_record(walk.chosen, data.feature_names, config),
        libraries=_versions(config),
        code_version=_code_version(),
        seed=config.seed,
    )
    return write_bundle(
        directory,
        facts=facts,
        members=walk.members,
        combiner=walk.combiner,
        calibration=walk.calibration,
        golden=_golden_inputs(golden.rows, windows, len(walk.ensemble.feature_names)),
        prediction_sets=walk.prediction_sets,
    )


def walk_folds(
    frames: FrameTensor,
    read_features: ReadFeatures,
    feature_names: Sequence[str],
    config: TrainingConfig,
    *,
    units: Mapping[str, str],
    folds: Folds,
    report: Callable[[float], None],
) -> tuple[WalkForward, Dataset]:
    """Fit and judge the members fold by fold; return that, and the rows of all columns it was done with.

    Parameters and errors are those of `fit_ensemble`.
    """
    _check_named(config, feature_names)
    data = build_dataset(frames, read_features, feature_names, units, config, n_counted=folds.n_given)
    walk = WalkForward(
        data,
        frames.ts_close_ns,
        config,
        read_features,
        chooses_once=folds.chooses_once,
        outcomes=outcomes_of(frames, config),
        log_returns=returns_to_weigh(frames, config),
    )
    for fold, (train, test) in enumerate(folds.spans):
        walk.advance(train, test, partial(_report_fold, report, fold, len(folds.spans)))
    return walk, data


def _check_named(config: TrainingConfig, feature_names: Sequence[str]) -> None:
    named = {
        "ensemble": config.ensemble.feature_names,
        "lightgbm.categories": config.lightgbm.categories,
        "xgboost.interaction_groups": tuple(chain.from_iterable(config.xgboost.interaction_groups)),
    }
    for setting, names in named.items():
        missing = [name for name in names if name not in feature_names]
        if missing:
            raise ConfigurationError(f"training.{setting} must name columns of the feature set, {missing[0]} is none")


def _golden_inputs(rows: FloatArray, windows: Float32Array | None, n_read: int) -> GoldenInputs:
    """Return what the members read, and as NaN, not known, what the combiner reads besides."""
    n_besides = n_read - rows.shape[1]
    if not n_besides:
        return GoldenInputs(rows, windows)
    padding = [(0, 0), (0, n_besides)]
    rows = np.pad(rows, padding, constant_values=np.nan)
    if windows is not None:
        windows = np.pad(windows, [(0, 0), *padding], constant_values=np.nan)
    return GoldenInputs(rows, windows)


def _report_fold(report: Callable[[float], None], fold: int, n_folds: int, done_frac: float) -> None:
    report((fold + done_frac) / n_folds)


def _selection_record(chosen: Sequence[Sequence[str]], names: Sequence[str], config: TrainingConfig) -> SelectionRecord:
    stability = measure_stability(chosen, names) if len(chosen) > 1 else None
    return SelectionRecord(
        methods=tuple(step.method for step in config.selection),
        n_candidates=len(names),
        chosen=tuple(map(tuple, chosen)),
        jaccard=None if stability is None else stability.jaccard,
        nogueira=None if stability is None or np.isnan(stability.nogueira) else stability.nogueira,
    )


def _versions(config: TrainingConfig) -> dict[str, str]:
    names = {"numpy", "sklearn", *(library for name in config.families for library in find_family(name).libraries)}
    return {name: str(import_module(name).__version__) for name in sorted(names)}


def _code_version() -> str:
    try:
        return metadata.version("outcry")
    except metadata.PackageNotFoundError:
        return "not installed"  # run from a folder, as a submitted cluster job is
