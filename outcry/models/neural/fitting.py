"""Fit a network: scale, train, and measure what it reads."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch.nn import functional

from outcry.errors import DataValidationError
from outcry.market.frame import FloatArray
from outcry.models.dataset import Dataset
from outcry.models.family import FitSettings
from outcry.models.neural.batches import WindowBatches
from outcry.models.neural.checkpoint import from_arrays
from outcry.models.neural.device import choose_device, threads
from outcry.models.neural.model import NeuralModel, build_network
from outcry.models.neural.network import N_CLASSES, Batch, Network
from outcry.models.neural.params import NeuralParams
from outcry.models.neural.ranks import Ranks
from outcry.models.neural.scaler import WindowScaler
from outcry.models.neural.trainer import EpochRecord, Trainer


@dataclass(frozen=True, slots=True, eq=False)
class NetworkJob:
    """What a process needs to train a network, or its share of one; see `fit_network`."""

    family: str
    earlier: Dataset
    validation: Dataset
    params: NeuralParams
    settings: FitSettings


def fit_network(
    family: str, earlier: Dataset, validation: Dataset, params: NeuralParams, settings: FitSettings
) -> NeuralModel:
    """Train the network of a family on `earlier` until `validation` no longer gains; see `NeuralFamily.fit`.

    `settings.train_elsewhere` trains it where it is given, with `train_epochs` as well.
    """
    elsewhere = settings.train_elsewhere
    device = torch.device("cpu") if elsewhere else choose_device(params.device)
    with threads(settings.n_threads), torch.random.fork_rng(devices=()):
        trainer, scaler = build_trainer(family, earlier, validation, params, settings, device=device)

        def report(record: EpochRecord) -> None:
            settings.report(record.epoch / (params.max_epochs + 1))  # importance comes after the last

        settings.report(0.0)
        if elsewhere is None:
            train_epochs(trainer, report)
        else:
            job = NetworkJob(
                family, earlier, validation, params, replace(settings, report=_silent, train_elsewhere=None)
            )
            trainer.restore(from_arrays(elsewhere(job, settings.report)))
        trainer.keep_best()
        network = trainer.network.cpu()
        scale = return_scale_of(earlier)
        seen = _some_rows(WindowBatches(validation, params.lookback_bars, scaler, scale), params.importance_rows)
        facts = {
            "importance": _importance(network, seen, scaler, settings.seed).tolist(),
            "attention_by_lag": _attention_by_lag(network, seen),
            "return_scale": scale,
            "trained": {
                "n_rows": len(earlier),
                "first_frame": int(earlier.frame[0]),
                "last_frame": int(earlier.frame[-1]),
                "n_epochs": trainer.epoch,
                "best_epoch": trainer.best_epoch,
                "validation_log_loss": trainer.best_log_loss,
                "epochs": [record._asdict() for record in trainer.records],
            },
        }
    settings.report(1.0)
    return NeuralModel(family, network, scaler, facts)


def train_epochs(trainer: Trainer, on_epoch: Callable[[EpochRecord], None]) -> None:
    """Train until it is finished, and tell of every epoch."""
    while not trainer.is_finished:
        on_epoch(trainer.run_epoch())


def build_trainer(
    family: str,
    earlier: Dataset,
    validation: Dataset,
    params: NeuralParams,
    settings: FitSettings,
    *,
    device: torch.device,
    ranks: Ranks | None = None,
) -> tuple[Trainer, WindowScaler]:
    """Return what trains a network, before its first epoch, and the scaler of windows."""
    scaler = WindowScaler.of_rows(earlier.rows, params.clip_sigma, params.has_masks)
    scale = return_scale_of(earlier)
    train, seen = (WindowBatches(part, params.lookback_bars, scaler, scale, device) for part in (earlier, validation))
    torch.manual_seed(settings.seed)
    network = build_network(family, params, scaler.n_channels)
    if network.needs_returns and train.returns is None:
        raise DataValidationError(f"{family} must have the returns of its rows, there are none")
    network.start_at(_frequencies(train))
    network.to(device)
    return Trainer(network, train, seen, settings, ranks), scaler


def _silent(_fraction: float) -> None:
    """Report nothing: what is to be shown stays with who asked for the fit."""


def return_scale_of(data: Dataset) -> float:
    """Return the deviation of the returns, a fraction; 1 where there are none, or all are the same."""
    deviation = 0.0 if data.returns is None else float(np.nanstd(data.returns))
    return deviation if deviation > 0.0 else 1.0


def _frequencies(batches: WindowBatches) -> torch.Tensor:
    counts = torch.bincount(batches.labels, weights=batches.weights.double(), minlength=N_CLASSES) + 1.0
    return (counts / counts.sum()).float()


def _some_rows(batches: WindowBatches, n_rows: int) -> Batch:
    return batches.batch(np.linspace(0, len(batches) - 1, min(n_rows, len(batches))).astype(np.int64))


def _importance(network: Network, seen: Batch, scaler: WindowScaler, seed: int) -> FloatArray:
    """Return by how much the log loss rises where a feature comes from other windows (Breiman, "Random forests", 2001),
    as shares."""
    n_features = len(scaler.mean)
    order = torch.from_numpy(np.random.default_rng(seed).permutation(len(seen.labels)))
    gain = np.zeros(n_features)
    with torch.inference_mode():
        base = _log_loss(network, seen.windows, seen)
        for k in range(n_features):
            columns = [k, n_features + k] if scaler.has_masks else [k]
            windows = seen.windows.clone()
            windows[:, :, columns] = windows[order][:, :, columns]
            gain[k] = max(_log_loss(network, windows, seen) - base, 0.0)
    total = gain.sum()
    return gain / total if total > 0.0 else gain


def _log_loss(network: Network, windows: torch.Tensor, seen: Batch) -> float:
    return float(functional.cross_entropy(network(windows).logits.double(), seen.labels))


def _attention_by_lag(network: Network, seen: Batch) -> list[float] | None:
    if not network.has_attention:
        return None
    with torch.inference_mode():
        found = network.attention(seen.windows)
    assert found is not None  # noqa: S101 - `has_attention` says so
    return [float(share) for share in found.double().mean(dim=0)]
