"""Measure the ensemble: forecasts, the load of a bundle, training."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from bench.harness import Result, measure, percentiles, result
from bench.random_bundle import write_random_bundle
from configs.training import TrainingConfig
from outcry.market.frame import FloatArray, FrameTensor
from outcry.models.bundle import load_bundle
from training.fit import fit_ensemble

N_FEATURES = 100
N_FRAMES, N_SYMBOLS = 2_000, 5
DAY_NS = 86_400 * 10**9
FEATURES = tuple(f"bench_{k}" for k in range(N_FEATURES))


def run() -> list[Result]:
    """Return the figures of the part ``models``."""
    with _bundle() as path:
        return [*_predict(path), *_load(path), _train(path.parent)]


@contextmanager
def _bundle() -> Iterator[Path]:
    with TemporaryDirectory() as directory:
        n_rounds = TrainingConfig().xgboost.max_rounds
        yield write_random_bundle(Path(directory), FEATURES, "bench", n_rounds=n_rounds)


def _predict(path: Path) -> list[Result]:
    bundle = load_bundle(path)
    rows = np.random.default_rng(1).standard_normal((500, N_FEATURES))
    how = f"{N_FEATURES} features, two boosters of the largest default size, one thread, median"
    (one,) = percentiles(measure(lambda: bundle.predict_proba(rows[:1]), n=500, warmup=20), [50.0])
    (many,) = percentiles(measure(lambda: bundle.predict_proba(rows), n=100, warmup=5), [50.0])
    return [
        result("models.predict_1_row", one * 1e3, "ms", f"1 row x {how}", at_most=0.5),
        result("models.predict_500_rows", many * 1e3, "ms", f"500 rows x {how}", at_most=2.0),
    ]


def _load(path: Path) -> list[Result]:
    program = f"from pathlib import Path; from outcry.models import load_bundle; load_bundle(Path({str(path)!r}))"
    command = [sys.executable, "-c", program]
    (cold,) = percentiles(measure(lambda: subprocess.run(command, check=True), n=3, warmup=1), [50.0])
    (warm,) = percentiles(measure(lambda: load_bundle(path), n=20, warmup=1), [50.0])
    return [
        result("models.load_new_process", cold, "s", "python start, imports, load; kernels in the cache, median"),
        result("models.load", warm * 1e3, "ms", "read, verify, compare with golden rows; kernels loaded, median"),
    ]


def _train(directory: Path) -> Result:
    frames, features = _noise()
    config = TrainingConfig(early_stopping_rounds=TrainingConfig().xgboost.max_rounds)
    (seconds,) = measure(
        lambda: fit_ensemble(
            frames,
            lambda rows, columns: features[rows],
            FEATURES,
            config,
            units=dict.fromkeys(FEATURES, "ratio"),
            features_hash="bench",
            symbols=tuple(f"S{k}" for k in range(N_SYMBOLS)),
            bar_ns=DAY_NS,
            directory=directory,
        ),
        n=1,
        warmup=0,
    )
    how = f"{N_FRAMES} frames x {N_SYMBOLS} symbols x {N_FEATURES} features of noise, 4 folds, never stopping early"
    return result("models.train", seconds, "s", f"{how}, {config.n_threads} thread", at_most=15.0)


def _noise() -> tuple[FrameTensor, FloatArray]:
    rng = np.random.default_rng(2)
    close = 100.0 * np.exp(np.cumsum(0.01 * rng.standard_normal((N_FRAMES, N_SYMBOLS)), axis=0))
    ts_close_ns = np.arange(1, N_FRAMES + 1, dtype=np.int64) * DAY_NS
    present = np.ones(close.shape, dtype=bool)
    frames = FrameTensor(0, ts_close_ns, close, close, close, close, close, close, present)
    return frames, rng.standard_normal((N_FRAMES, N_SYMBOLS, N_FEATURES))
