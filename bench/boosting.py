"""Measure the training of boosted trees on a million rows of real bars: time, memory, and what was learnt."""

import multiprocessing
import os
import resource
import tempfile
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from time import perf_counter, process_time

import numpy as np

from bench.harness import Result, result
from configs.loader import load_settings
from configs.sectors import load_sectors
from configs.training import TrainingConfig
from outcry.adapters.sources.load import load_market
from outcry.features.column import SCALE_BOUND_UNITS
from outcry.features.config import FeatureSetConfig
from outcry.features.feature_set import build_feature_set
from outcry.models.dataset import Dataset
from outcry.models.evaluation import score
from outcry.models.families import find_family
from outcry.models.family import FitSettings, RowModel
from training.dataset import build_dataset, split_in_time
from training.retrain import shared_market

DATA_DIR = Path(os.environ.get("OUTCRY_TEST_DATA", "../shared/data"))
SOURCE = DATA_DIR / "us_equities_5min_2025_2026.parquet"
BAR_NS = 300 * 10**9
N_ROWS, N_COLUMNS, N_THREADS = 1_000_000, 225, 2
FAMILIES = ("xgboost", "lightgbm")


def run() -> list[Result]:
    """Return the figures of the part ``boosting``; none where the bars are not there."""
    if not SOURCE.is_file():
        return []
    train, test, config = read_rows()
    found = []
    for name in FAMILIES:
        wall_s, cpu_s, peak_gb, loss_nats, base_nats = _in_a_process(partial(_fit, name, train, test, config))
        how = (
            f"{len(train):,} rows x {train.rows.shape[1]} features of {SOURCE.stem}, {N_THREADS} threads, the default "
            f"{getattr(config, name).max_rounds} rounds twice: to find how many, never stopping, and on all rows"
        )
        found += [
            result(f"boosting.{name}", wall_s, "s", how, at_most=120.0),
            result(f"boosting.{name}_cpu", cpu_s, "s", f"{how}; processor time, both threads"),
            result(
                f"boosting.{name}_peak", peak_gb, "GB", f"{how}; resident, the {train.rows.nbytes / 1e9:.1f} of rows"
            ),
            result(
                f"boosting.{name}_log_loss", loss_nats, "nats", f"of {len(test):,} later rows, base {base_nats:.5f}"
            ),
        ]
    return found


def read_rows() -> tuple[Dataset, Dataset, TrainingConfig]:
    """Return a million rows to train on, the rows after them, and the settings they are of."""
    names = [
        column.name
        for column in build_feature_set(FeatureSetConfig(), BAR_NS).columns
        if column.unit not in SCALE_BOUND_UNITS
    ]
    settings = load_settings(
        options={"market": {"source": str(SOURCE)}, "features": {"columns": names[:N_COLUMNS]}},
        assignments=["training.max_rows=1000000000", f"training.n_threads={N_THREADS}"],
    )
    loaded = load_market(settings.market, load_sectors())
    with tempfile.TemporaryDirectory(prefix="outcry-bench-") as folder:
        market, _ = shared_market(settings, loaded, Path(folder), len(loaded.frames), lambda step, fraction: None)
        units = {column.name: column.unit for column in market.features.columns}
        config = settings.training
        data = build_dataset(loaded.frames, market.table.read, market.table.columns, units, config)
    train, test = data.take(slice(0, N_ROWS)), data.take(slice(N_ROWS, None))
    return train, replace(test, rows=test.rows.copy()), config


def _fit(name: str, train: Dataset, test: Dataset, config: TrainingConfig) -> tuple[float, ...]:
    params = getattr(config, name)
    settings = FitSettings(
        seed=config.seed, n_threads=N_THREADS, early_stopping_rounds=params.max_rounds, max_bins=config.max_bins
    )
    earlier, validation = split_in_time(train, config)
    started, started_cpu = perf_counter(), process_time()
    model: RowModel = find_family(name).fit(earlier, validation, train, params, settings)  # type: ignore[assignment]
    wall_s, cpu_s = perf_counter() - started, process_time() - started_cpu
    peak_gb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9
    counts = np.bincount(train.labels, minlength=3) / len(train)
    losses = [
        score(said, test.labels).log_loss for said in (model.predict_proba(test.rows), np.tile(counts, (len(test), 1)))
    ]
    return wall_s, cpu_s, peak_gb, *losses


def _in_a_process(function: Callable[[], tuple[float, ...]]) -> tuple[float, ...]:
    """Return what a function returns in a process of its own: the peak of one fit is none of the next one's."""
    context = multiprocessing.get_context("fork")  # the rows are there already
    here, there = context.Pipe(duplex=False)

    def answer(channel: Connection) -> None:
        channel.send(function())

    child = context.Process(target=answer, args=(there,))
    child.start()
    there.close()
    found: tuple[float, ...] = here.recv()
    child.join()
    return found
