"""One window: every family fitted on its training span, and what each candidate says of its test span."""

import os
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from actors.fast import ask_members
from configs.ensemble import EnsembleConfig, MedianConfig, MultiHorizonConfig, TrimmedMeanConfig
from outcry.errors import OutcryError
from outcry.market.frame import FloatArray
from outcry.messages import Direction
from outcry.models.calibration import Calibration
from outcry.models.combiners import build_combiner
from outcry.models.combiners.trimmed_mean import TrimmedMeanSpec
from outcry.models.decisions import Decisions
from outcry.models.ensemble import Ensemble
from training.calibrate import fit_calibration
from training.ensembles.apply import combine_rows
from training.ensembles.fit import fit_combiner
from training.fit import walk_folds
from training.walk_forward import WalkForward, label_spec, read_rows
from training.window import WindowJob, WindowMarket, folds_of, reader_from

N_WITH_A_MIDDLE = 3
"""Of fewer members, the median and the trimmed mean are the mean."""


@dataclass(frozen=True, slots=True, eq=False)
class WindowEvaluation:
    """What came of a window.

    Attributes
    ----------
    names : tuple of str
        Of the candidates: the members, then the ensembles of all of them.
    probability : float64 (n_candidates, n_test_rows, n_symbols, 3)
        Calibrated on what the members of earlier folds said, out of fold.
    base : float64 (3,)
        Class frequencies of the training rows.
    """

    names: tuple[str, ...]
    probability: FloatArray
    base: FloatArray


def evaluate_window(market: WindowMarket, job: WindowJob) -> WindowEvaluation:
    """Do a job; one that an earlier command has done is read.

    Raises
    ------
    ConfigurationError, DataValidationError
        As `training.fit.fit_ensemble`.
    """
    kept = market.settings.floor.state_dir / "evaluations" / f"{job.key}.npz"
    if kept.is_file():
        with np.load(kept, allow_pickle=False) as arrays:
            return WindowEvaluation(tuple(arrays["names"].tolist()), arrays["probability"], arrays["base"])
    try:
        found = _evaluate(market, job)
    except OutcryError as error:
        first = np.datetime64(int(market.frames.ts_close_ns[job.train[0]]), "ns").astype("datetime64[D]")
        raise type(error)(f"the window trained from {first} on: {error}") from error
    _keep(kept, found)
    return found


def _evaluate(market: WindowMarket, job: WindowJob) -> WindowEvaluation:
    start, config = job.train[0], market.settings.training
    folds = folds_of(market, job)
    walk, data = walk_folds(
        market.frames.rows(start, job.judged[1], first_seq=0),
        reader_from(market, start),
        market.table.columns,
        config,
        units={column.name: column.unit for column in market.features.columns},
        folds=folds,
        report=lambda _: None,
    )
    train, n_symbols = folds.spans[-1][0], market.frames.n_symbols
    ensembles = _ensembles(market)
    names = tuple(dict.fromkeys(name for each in ensembles.values() for name in each.feature_names))
    known = walk.out_of_fold(int(train[-1])).of_known()
    rows = read_rows(reader_from(market, start), known.frame, known.symbol, names)
    known = replace(known, rows=rows, feature_names=names)
    said = _ask_members(market, walk, *job.test)

    def calibrate(probability: FloatArray) -> Calibration:
        return fit_calibration(probability, known.labels, known.frame, config)

    found: dict[str, FloatArray] = {}
    for name, before, now in zip(walk.members, known.probability, said, strict=True):
        found[name] = calibrate(before).apply(now.reshape(-1, len(Direction))).reshape(now.shape)
    values = market.table.read(slice(*job.test), names)
    close = market.frames.rows(*job.test, first_seq=0).continuous().close
    for name, ensemble in ensembles.items():
        combiner = fit_combiner(known, ensemble)
        calibration = calibrate(combine_rows(combiner, known))
        columns = np.array([names.index(each) for each in combiner.feature_names], dtype=np.int64)
        decisions = Decisions(combiner, calibration, label_spec(config), n_symbols, columns)
        found[name], _ = decisions.replay(said, values, close)
    counts = np.bincount(data.of_frames(train).labels, minlength=len(Direction)) + 1.0
    return WindowEvaluation(tuple(found), np.stack(list(found.values())), counts / counts.sum())


def _ensembles(market: WindowMarket) -> dict[str, EnsembleConfig]:
    """Return the ensembles that differ from each other and from the members, by name."""
    members = market.settings.training.ensemble_members
    n_members, n_horizons = len(members), len({member.horizon_bars for member in members})
    found: dict[str, EnsembleConfig] = {}
    wanted = dict.fromkeys((*market.settings.evaluation.ensembles, market.settings.training.ensemble))
    for config in wanted:
        is_mean = isinstance(config, MedianConfig | TrimmedMeanConfig) and n_members < N_WITH_A_MIDDLE
        is_of_one_horizon = isinstance(config, MultiHorizonConfig) and n_horizons < n_members
        lacks_columns = not set(config.feature_names) <= set(market.table.columns)
        if n_members == 1 or is_mean or is_of_one_horizon or lacks_columns:
            continue
        n_alike = sum(each.method == config.method for each in found.values())
        found[f"{config.method} {n_alike + 1}" if n_alike else config.method] = config
    return found


def _ask_members(market: WindowMarket, walk: WalkForward, start: int, stop: int) -> FloatArray:
    """Return what each member says of frames, float64 (n_members, n_frames, n_symbols, 3); NaN where none is known."""
    everyone = build_combiner(TrimmedMeanSpec())  # hears all of them
    ensemble = Ensemble(list(walk.members.values()), everyone, walk.calibration, walk.feature_names)
    n_past = min(ensemble.lookback_bars - 1, start)
    values = market.table.read(slice(start - n_past, stop), walk.feature_names)
    return ask_members(ensemble, values[n_past:], walk.feature_names, values[:n_past])


def _keep(path: Path, found: WindowEvaluation) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.stem}-{os.getpid()}.npz")
    np.savez(unfinished, names=np.array(found.names), probability=found.probability, base=found.base)
    unfinished.replace(path)
