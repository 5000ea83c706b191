"""Training stops, resumes and keeps the best epoch as it says."""

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from outcry.errors import ConfigurationError, DataValidationError
from outcry.models.dataset import Dataset
from outcry.models.families.lstm import LSTMParams
from outcry.models.family import FitSettings
from outcry.models.neural.archive import Arrays
from outcry.models.neural.checkpoint import read_checkpoint, to_arrays, write_checkpoint
from outcry.models.neural.device import choose_device, threads
from outcry.models.neural.fitting import NetworkJob, build_trainer, fit_network, train_epochs
from outcry.models.neural.schedule import learning_rate_frac
from outcry.models.neural.trainer import Trainer

CPU = torch.device("cpu")


def build(parts: tuple[Dataset, ...], patience: int = 10, **changes: Any) -> Trainer:
    params = LSTMParams(
        **{"lookback_bars": 14, "n_hidden": 4, "n_dense": 4, "n_layers": 1, "batch_rows": 64, "max_epochs": 3} | changes
    )
    settings = FitSettings(seed=2, early_stopping_rounds=patience)
    return build_trainer("lstm", parts[0], parts[1], params, settings, device=CPU)[0]


@pytest.mark.parametrize("schedule", ["onecycle", "plateau"])
def test_what_goes_on_from_a_checkpoint_ends_where_what_never_stopped_does(
    schedule: str, parts: tuple[Dataset, ...], tmp_path: Path
) -> None:
    whole, first = build(parts, schedule=schedule, patience=3), build(parts, schedule=schedule, patience=3)
    records = [whole.run_epoch() for _ in range(3)]
    assert first.run_epoch() == records[0]
    state = first.state()
    first.run_epoch()  # a state does not change with the trainer it is of
    write_checkpoint(tmp_path, state)
    second = build(parts, schedule=schedule, patience=3)
    second.restore(read_checkpoint(tmp_path))
    assert second.records == records[:1]
    assert [second.run_epoch(), second.run_epoch()] == records[1:]
    second.keep_best()
    whole.keep_best()
    for name, value in whole.network.state_dict().items():
        torch.testing.assert_close(second.network.state_dict()[name], value, rtol=0.0, atol=0.0)


def test_a_checkpoint_is_never_unpickled_and_a_damaged_one_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataValidationError, match=r"training\.npz must be a checkpoint"):
        read_checkpoint(tmp_path)
    np.savez(tmp_path / "training.npz", best_epoch=np.array({"a": 1}, dtype=object))
    with pytest.raises(DataValidationError, match="must be a checkpoint of a training: Object arrays cannot be loaded"):
        read_checkpoint(tmp_path)


def test_the_best_epoch_is_kept_and_patience_ends(parts: tuple[Dataset, ...]) -> None:
    # a rate this high forgets what it learnt
    trainer = build(parts, patience=2, max_epochs=30, learning_rate=0.1, schedule="constant")
    losses = []
    while not trainer.is_finished:
        losses.append(trainer.run_epoch().validation_log_loss)
    assert len(losses) == 30 or int(np.argmin(losses)) == len(losses) - 3
    trainer.keep_best()
    assert trainer.validate() == min(losses) == trainer.best_log_loss


def test_ranks_take_different_rows_and_as_many(parts: tuple[Dataset, ...]) -> None:
    batches = build(parts)._train
    plans = [batches.plan(50, np.random.default_rng(0), rank, 2) for rank in (0, 1)]
    assert len(plans[0]) == len(plans[1]) == len(batches) // 2 // 50
    assert not set(np.concatenate(plans[0])) & set(np.concatenate(plans[1]))


def test_a_loss_that_is_not_finite_is_refused(parts: tuple[Dataset, ...]) -> None:
    trainer = build(parts)
    with torch.no_grad():
        next(trainer.network.parameters()).fill_(math.nan)
    with pytest.raises(DataValidationError, match="loss must be finite, was nan in epoch 1"):
        trainer.run_epoch()


def test_windows_need_a_history_that_is_long_enough(parts: tuple[Dataset, ...]) -> None:
    with pytest.raises(DataValidationError, match="windows must have at most 14 rows, were 15"):
        build(parts, lookback_bars=15)
    with pytest.raises(DataValidationError, match="windows need the history of the rows"):
        build((replace(parts[0], history=None), parts[1]))


def test_progress_is_reported_and_the_rows_learnt_from_are_named(parts: tuple[Dataset, ...]) -> None:
    seen: list[float] = []
    params = LSTMParams(lookback_bars=14, n_hidden=4, n_dense=4, n_layers=1, max_epochs=2)
    model = fit_network("lstm", parts[0], parts[1], params, FitSettings(seed=2, report=seen.append))
    assert seen == [0.0, 1 / 3, 2 / 3, 1.0]
    assert model.trained["n_rows"] == len(parts[0])
    assert model.trained["n_epochs"] == 2
    assert [epoch["epoch"] for epoch in model.trained["epochs"]] == [1, 2]
    losses = [epoch["validation_log_loss"] for epoch in model.trained["epochs"]]
    assert model.trained["validation_log_loss"] == min(losses)


def test_what_is_trained_elsewhere_is_the_same_model(parts: tuple[Dataset, ...]) -> None:
    params = LSTMParams(lookback_bars=14, n_hidden=4, n_dense=4, n_layers=1, max_epochs=2, importance_rows=8)
    settings = FitSettings(seed=2)

    def elsewhere(job: NetworkJob, report: Callable[[float], None]) -> Arrays:
        trainer, _ = build_trainer(job.family, job.earlier, job.validation, job.params, job.settings, device=CPU)
        train_epochs(trainer, lambda record: report(0.5))
        return to_arrays(trainer.state())

    seen: list[float] = []
    told = replace(settings, report=seen.append, train_elsewhere=elsewhere)
    found = fit_network("lstm", *parts[:2], params, told)
    assert found.save() == fit_network("lstm", *parts[:2], params, settings).save()
    assert seen == [0.0, 0.5, 0.5, 1.0]


def test_schedules_begin_and_end_as_they_should() -> None:
    assert learning_rate_frac("constant", 0.7, 3) == 1.0
    assert learning_rate_frac("plateau", 0.7, 3) == 0.125
    assert learning_rate_frac("cosine", 0.0, 0) == 1.0
    assert learning_rate_frac("onecycle", 0.2, 0) == 1.0
    assert learning_rate_frac("onecycle", 0.0, 0) < 0.1
    assert learning_rate_frac("onecycle", 1.0, 0) == learning_rate_frac("cosine", 1.0, 0) < 0.01


def test_threads_are_given_back() -> None:
    before = torch.get_num_threads()
    with threads(before + 1):
        assert torch.get_num_threads() == before + 1
    assert torch.get_num_threads() == before


def test_a_device_that_is_not_there_is_refused() -> None:
    assert choose_device("auto").type in {"cpu", "cuda", "mps"}
    if not torch.backends.mps.is_available():
        with pytest.raises(ConfigurationError, match="device must be one that this machine has, was mps"):
            choose_device("mps")
