"""Measure a recurrent network: training in one process with its profile, in several, on a GPU, and forecasts."""

import os
import tempfile
from collections.abc import Callable
from multiprocessing import get_context
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

import numpy as np
import torch
from torch import distributed, nn

from bench.harness import Result, percentiles, result
from outcry.models.dataset import Dataset, FeatureHistory
from outcry.models.families.lstm import LSTMParams
from outcry.models.family import FitSettings
from outcry.models.neural.batches import WindowBatches
from outcry.models.neural.device import threads
from outcry.models.neural.fitting import build_trainer
from outcry.models.neural.model import NeuralModel
from outcry.models.neural.network import Network
from outcry.models.neural.ranks import Ranks
from outcry.models.neural.scaler import WindowScaler
from outcry.models.neural.trainer import Trainer

N_BARS, N_FEATURES, N_HIDDEN, N_LAYERS = 60, 32, 64, 2
N_FRAMES, N_SYMBOLS, N_VALIDATION_FRAMES = 300, 20, 5
BATCH_ROWS, N_BATCHES = 512, 5
RANK_ROWS, N_EPOCHS = 128, 2
"""Rows of a step in each of several processes, and epochs that are measured; the best one counts."""
GPU_ROWS, N_GPU_EPOCHS = 2048, 5
_SIZE = f"LSTM {N_HIDDEN} x {N_LAYERS}, {N_BARS} steps, {N_FEATURES} features"
FLOPS_A_SEQUENCE = 3 * 2 * N_BARS * 4 * N_HIDDEN * (N_FEATURES + N_HIDDEN + (N_LAYERS - 1) * 2 * N_HIDDEN)
"""Of the matrix products: a multiplication and an addition each, forward once and backward twice."""


def run() -> list[Result]:
    """Return the figures of the part ``neural``."""
    data, n_cores = _noise(), os.cpu_count() or 1
    trainer, scaler = _build(data, BATCH_ROWS)
    train = WindowBatches(data, N_BARS, scaler, 1.0)
    results = []
    for n in sorted({1, n_cores}):
        results += _train(train, trainer.network, n)
    results += _train_together(n_cores)
    if torch.cuda.is_available():
        results += _train_on_gpu(data)
    facts: dict[str, Any] = {"importance": [], "attention_by_lag": None, "trained": {}, "return_scale": 1.0}
    model = NeuralModel("lstm", trainer.network, scaler, facts)
    return [*results, *_predict(model, data.windows_at(slice(N_FRAMES * N_SYMBOLS - 500, None), N_BARS))]


def _build(
    data: Dataset, batch_rows: int, device: str = "cpu", ranks: Ranks | None = None
) -> tuple[Trainer, WindowScaler]:
    params = LSTMParams(
        lookback_bars=N_BARS,
        n_hidden=N_HIDDEN,
        n_layers=N_LAYERS,
        norm="none",
        dropout_frac=0.0,
        batch_rows=batch_rows,
    )
    train = data.of_frames(np.arange(N_FRAMES - N_VALIDATION_FRAMES))
    validation = data.of_frames(np.arange(N_FRAMES - N_VALIDATION_FRAMES, N_FRAMES))
    settings = FitSettings(seed=1)
    return build_trainer("lstm", train, validation, params, settings, device=torch.device(device), ranks=ranks)


def _train(batches: WindowBatches, network: Network, n_threads: int) -> list[Result]:
    optimiser = torch.optim.AdamW(network.parameters())
    plan = batches.plan(BATCH_ROWS, np.random.default_rng(1))[: N_BATCHES + 1]
    seconds: dict[str, float] = dict.fromkeys(("windows", "forward", "backward", "optimiser"), 0.0)
    cpu = 0.0
    with threads(n_threads):
        network.train()
        for k, rows in enumerate(plan):
            started_cpu, marks = process_time(), [perf_counter()]
            batch = batches.batch(rows)
            marks.append(perf_counter())
            loss = network.loss(network(batch.windows), batch)
            marks.append(perf_counter())
            loss.backward()  # type: ignore[no-untyped-call]
            marks.append(perf_counter())
            nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimiser.step()
            optimiser.zero_grad(set_to_none=True)
            marks.append(perf_counter())
            if k:  # the first warms up
                cpu += process_time() - started_cpu
                for name, spent in zip(seconds, np.diff(marks), strict=True):
                    seconds[name] += float(spent)
    total, n_rows = sum(seconds.values()), BATCH_ROWS * (len(plan) - 1)
    shares = ", ".join(f"{name} {100.0 * spent / total:.1f} %" for name, spent in seconds.items())
    how = f"{_SIZE}, batches of {BATCH_ROWS}, {n_threads} threads of one process"
    name = f"neural.train_{n_threads}_threads"
    return [
        result(name, n_rows / total, "1/s", f"{how}; {shares}"),
        *_of_cpu_time(name, n_rows / cpu * n_threads, n_threads, how),
    ]


def _of_cpu_time(name: str, rate_alone: float, n_cores: int, how: str) -> list[Result]:
    """Return the rate that processor time allows, and the share of the peak that it is."""
    peak = n_cores * _peak_flops_per_cpu_s()
    return [
        result(f"{name}_cpu", rate_alone, "1/s", f"{how}; had it the CPU to itself"),
        result(
            f"{name}_peak",
            rate_alone * FLOPS_A_SEQUENCE / peak,
            "frac",
            f"{FLOPS_A_SEQUENCE / 1e6:.1f} MFLOP a sequence, of {peak / 1e9:.0f} GFLOP/s of sgemm of 1024, by CPU time",
        ),
    ]


def _peak_flops_per_cpu_s() -> float:
    left, right = torch.randn(1024, 1024), torch.randn(1024, 1024)
    with threads(1):
        return 2.0 * 1024**3 / min(_cpu_seconds(lambda: torch.mm(left, right), 20))


def _train_together(n_ranks: int) -> list[Result]:
    """Train as the workers of a job do: a thread each, gradients through gloo."""
    os.environ.setdefault("TORCH_CPP_LOG_LEVEL", "ERROR")  # or each process warns of what `Ranks.wrap` does on purpose
    with tempfile.TemporaryDirectory() as folder, get_context("spawn").Pool(n_ranks) as pool:
        meeting = (Path(folder) / "meeting").as_uri()
        spent = pool.starmap(_train_rank, [(meeting, rank, n_ranks) for rank in range(n_ranks)], chunksize=1)
    (wall_s, _, n_rows) = spent[0]
    cpu_s = float(np.mean([each[1] for each in spent]))
    how = f"{_SIZE}, {RANK_ROWS} rows a step in each of {n_ranks} processes with a thread, an epoch with validation"
    name = f"neural.train_{n_ranks}_workers"
    return [
        result(name, n_rows / wall_s, "1/s", how, at_least=2_000.0),
        *_of_cpu_time(name, n_rows / cpu_s, n_ranks, how),
    ]


def _train_rank(meeting: str, rank: int, n_ranks: int) -> tuple[float, float, int]:
    """Return the seconds and the processor seconds of an epoch, and the rows that all ranks trained on in it."""
    torch.set_num_threads(1)
    distributed.init_process_group("gloo", init_method=meeting, rank=rank, world_size=n_ranks)
    trainer, _ = _build(_noise(), n_ranks * RANK_ROWS, ranks=Ranks(is_group=True))
    n_steps = (N_FRAMES - N_VALIDATION_FRAMES) * N_SYMBOLS // n_ranks // RANK_ROWS
    trainer.run_epoch()
    spent = []
    for _ in range(N_EPOCHS):
        started, started_cpu = perf_counter(), process_time()
        trainer.run_epoch()
        spent.append((perf_counter() - started, process_time() - started_cpu))
    distributed.destroy_process_group()
    return min(wall for wall, _ in spent), min(cpu for _, cpu in spent), n_steps * RANK_ROWS * n_ranks


def _train_on_gpu(data: Dataset) -> list[Result]:
    trainer, _ = _build(data, GPU_ROWS, "cuda")
    n_rows = (N_FRAMES - N_VALIDATION_FRAMES) * N_SYMBOLS // GPU_ROWS * GPU_ROWS
    trainer.run_epoch()
    seconds = []
    for _ in range(N_GPU_EPOCHS):
        started = perf_counter()
        trainer.run_epoch()  # ends with a number, so that nothing is still on its way
        seconds.append(perf_counter() - started)
    rate, peak = n_rows / min(seconds), _peak_flops_of_gpu()
    how = f"{_SIZE}, batches of {GPU_ROWS}, bfloat16, {torch.cuda.get_device_name()}, an epoch with validation"
    return [
        result("neural.train_gpu", rate, "1/s", how),
        result(
            "neural.train_gpu_peak",
            rate * FLOPS_A_SEQUENCE / peak,
            "frac",
            f"of {peak / 1e12:.0f} TFLOP/s of a product of bfloat16 matrices of 8192",
        ),
    ]


def _peak_flops_of_gpu() -> float:
    left = torch.randn(8192, 8192, dtype=torch.bfloat16, device="cuda")
    best = float("inf")
    for _ in range(10):
        torch.cuda.synchronize()
        started = perf_counter()
        torch.mm(left, left)
        torch.cuda.synchronize()
        best = min(best, perf_counter() - started)
    return 2.0 * 8192**3 / best


def _predict(model: NeuralModel, windows: "np.ndarray[tuple[int, int, int], np.dtype[np.float32]]") -> list[Result]:
    how = f"{_SIZE}, CPU time of one thread, median"
    (one,) = percentiles(_cpu_seconds(lambda: model.predict_windows(windows[:1]), 50), [50.0])
    (many,) = percentiles(_cpu_seconds(lambda: model.predict_windows(windows), 8), [50.0])
    return [
        result(
            "neural.predict_1_row",
            one * 1e3,
            "ms",
            f"1 row, {how}; goal: what the boosters leave of 10 ms",
            at_most=6.0,
        ),
        result(
            "neural.predict_500_rows",
            many * 1e3,
            "ms",
            f"500 rows, {how}; goal: what they leave of 120 ms",
            at_most=100.0,
        ),
        result("neural.predictions", len(windows) / many, "1/s", f"500 rows at once, {how}"),
    ]


def _cpu_seconds(function: Callable[[], object], n: int) -> list[float]:
    function()
    seconds = []
    for _ in range(n):
        started = process_time()
        function()
        seconds.append(process_time() - started)
    return seconds


def _noise() -> Dataset:
    rng = np.random.default_rng(3)
    values = rng.standard_normal((N_FRAMES, N_SYMBOLS, N_FEATURES))
    frame, symbol = (axis.ravel() for axis in np.indices((N_FRAMES, N_SYMBOLS)))
    return Dataset(
        rows=values.reshape(-1, N_FEATURES),
        labels=rng.integers(3, size=len(frame)).astype(np.int8),
        frame=frame,
        feature_names=tuple(f"bench_{k}" for k in range(N_FEATURES)),
        symbol=symbol,
        history=FeatureHistory.of_frames(values, 0, N_BARS),
    )
