"""Train a fitted network a few epochs further, on other rows."""

from typing import Any

import torch

from outcry.models.dataset import Dataset
from outcry.models.family import FitSettings, UpdateSettings
from outcry.models.neural.batches import WindowBatches
from outcry.models.neural.device import threads
from outcry.models.neural.model import NeuralModel, build_network
from outcry.models.neural.trainer import Trainer


def update_network(model: NeuralModel, data: Dataset, settings: UpdateSettings) -> NeuralModel:
    """Return the model after ``settings.n_rounds`` epochs at a constant part of its learning rate, on the CPU.

    The scale of features and returns, and the importance, stay those of the fit.
    """
    params = model.network.params
    changes: dict[str, Any] = {
        "learning_rate": params.learning_rate * settings.learning_rate_frac,
        "max_epochs": settings.n_rounds,
        "schedule": "constant",
    }
    seen = WindowBatches(data, model.lookback_bars, model.scaler, model.return_scale)
    with threads(settings.n_threads), torch.random.fork_rng(devices=()):
        torch.manual_seed(settings.seed)
        trained = build_network(model.family, params.model_copy(update=changes), model.scaler.n_channels)
        trained.load_state_dict(model.network.state_dict())
        trainer = Trainer(trained, seen, seen, FitSettings(seed=settings.seed, n_threads=settings.n_threads))
        for _ in range(settings.n_rounds):
            trainer.run_epoch()
        network = build_network(model.family, params, model.scaler.n_channels)
        network.load_state_dict(trained.state_dict())
    return model.with_network(network)
