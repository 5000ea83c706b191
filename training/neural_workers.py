"""Train a network in workers of Ray Train: the only place of such a job that knows it."""

import contextlib
import json
import os
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from time import monotonic, sleep, time_ns
from typing import Any

import ray
from ray import train
from ray._private.state import state as cluster_state
from ray.train.torch import TorchTrainer, get_device
from ray.train.v2._internal.execution.callback import ControllerCallback

from configs.neural_job import NeuralJobConfig
from outcry.errors import ConfigurationError, DataValidationError, ServiceError
from outcry.models.neural.archive import Arrays
from outcry.models.neural.checkpoint import read_checkpoint, to_arrays, write_checkpoint
from outcry.models.neural.device import choose_device, threads
from outcry.models.neural.fitting import NetworkJob, build_trainer, train_epochs
from outcry.models.neural.ranks import Ranks
from outcry.models.neural.trainer import EpochRecord

_POLL_S = 0.5
_ABORT_S = 30.0


def train_on_workers(config: NeuralJobConfig, job: NetworkJob, report: Callable[[float], None]) -> Arrays:
    """Train a network on the cluster that is connected.

    Parameters
    ----------
    config : NeuralJobConfig
    job : NetworkJob
    report : callable
        Called with the fraction of the epochs that are done.

    Returns
    -------
    dict of arrays
        As `to_arrays`.

    Raises
    ------
    ConfigurationError
        Where the cluster has too few cores or GPUs.
    DataValidationError
        As in this process.
    ServiceError
        Where workers died more often than they may, or the fit took longer than it may.

    Notes
    -----
    The same rows, settings and number of workers give the same bits, however often workers died, on CPUs of one kind.
    """
    _check_resources(config)
    os.environ.setdefault("RAY_CHDIR_TO_TRIAL_DIR", "0")  # workers import from where the others do
    with tempfile.TemporaryDirectory(prefix="outcry-train-") as folder:
        epochs, stop = Path(folder) / "epochs.jsonl", Path(folder) / "stop"
        # what types of Ray are wrong below are those of Train before its second version
        trainer = TorchTrainer(
            _work,  # type: ignore[arg-type]
            train_loop_config={"job": ray.put(job), "checkpoint_epochs": config.checkpoint_epochs},
            scaling_config=train.ScalingConfig(
                num_workers=config.n_workers,
                use_gpu=config.gpus_per_worker > 0.0,
                resources_per_worker=_resources(config),
            ),
            run_config=train.RunConfig(  # type: ignore[call-arg]
                name=f"{job.family}-{time_ns():x}",
                storage_path=config.storage_dir or folder,
                failure_config=train.FailureConfig(max_failures=config.max_retries),
                checkpoint_config=train.CheckpointConfig(num_to_keep=1),
                callbacks=[_EpochLog(epochs), _Stop(stop)],  # type: ignore[list-item]
                logging_config=train.LoggingConfig(log_level="WARNING"),
            ),
        )
        give_up_at = monotonic() + config.timeout_s

        def look() -> None:
            report(_last_epoch(epochs) / (job.params.max_epochs + 1))
            if monotonic() > give_up_at:
                raise ServiceError(
                    f"a fit must take at most training.neural_job.timeout_s, took {config.timeout_s:g} s"
                )

        ended: Arrays | str = _watch(trainer, look, stop)
    if isinstance(ended, str):
        raise DataValidationError(ended)
    return ended


def _work(config: dict[str, Any]) -> Arrays | str:
    """Train in a worker, from the last checkpoint on; return what came of it, or why nothing can."""
    job: NetworkJob = ray.get(config["job"])
    is_first = train.get_context().get_world_rank() == 0
    device = get_device() if job.params.device == "auto" else choose_device(job.params.device)

    def tell(record: EpochRecord) -> None:
        if not is_first or record.epoch % config["checkpoint_epochs"]:
            train.report(record._asdict())
            return
        with tempfile.TemporaryDirectory() as folder:
            write_checkpoint(Path(folder), trainer.state())
            train.report(record._asdict(), checkpoint=train.Checkpoint.from_directory(folder))

    with threads(job.settings.n_threads):
        trainer, _ = build_trainer(
            job.family, job.earlier, job.validation, job.params, job.settings, device=device, ranks=Ranks(is_group=True)
        )
        if (checkpoint := train.get_checkpoint()) is not None:
            with checkpoint.as_directory() as folder:
                trainer.restore(read_checkpoint(Path(folder)))
        try:
            train_epochs(trainer, tell)
        except DataValidationError as error:  # the same in all workers; another try would end alike
            return str(error)
        return to_arrays(trainer.state())


class _EpochLog(train.UserCallback):
    """Writes down what the first worker says of each epoch, in a process on the machine of the command."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def after_report(self, run_context: Any, metrics: list[dict[str, Any]], checkpoint: Any) -> None:
        with self._path.open("a") as file:
            file.write(json.dumps(metrics[0]) + "\n")


class _Stop(ControllerCallback):
    """Ends a fit once its file is there, in the actor that leads it: Ray Train gives that actor's handle to nobody.

    The fit ends in order, or where that takes too long, at once.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def after_controller_start(self, train_run_context: Any) -> None:
        controller = ray.get_runtime_context().current_actor
        threading.Thread(target=self._wait, args=(controller,), name="stop-fit", daemon=True).start()

    def _wait(self, controller: Any) -> None:
        while not self._path.exists():
            sleep(_POLL_S)
        with contextlib.suppress(ray.exceptions.RayActorError, ray.exceptions.GetTimeoutError):
            ray.get(controller.abort.remote(), timeout=_ABORT_S)
        ray.kill(controller)


def _last_epoch(path: Path) -> int:
    whole = path.read_text().rpartition("\n")[0] if path.exists() else ""
    return int(json.loads(whole.splitlines()[-1])["epoch"]) if whole else 0


def _watch(trainer: TorchTrainer, look: Callable[[], None], stop: Path) -> Any:
    """Fit beside this thread, which looks on: in the main one, Ray would take Ctrl-C away for good.

    What `look` raises ends the fit, by the file `stop`.
    """
    ended: list[Any] = []

    def fit() -> None:
        try:
            ended.append(trainer.fit().return_value)  # type: ignore[attr-defined]
        except Exception as error:  # raised in the other thread
            ended.append(error)

    thread = threading.Thread(target=fit, name="ray-train", daemon=True)
    thread.start()
    while thread.is_alive():
        thread.join(_POLL_S)
        try:
            look()
        except Exception:  # whatever it is ends the fit, and is raised again; Ctrl-C waits for nothing
            stop.touch()
            thread.join(2 * _ABORT_S)
            raise
    if isinstance(ended[0], train.TrainingFailedError):
        said = [line.strip() for line in str(ended[0]).splitlines() if line.strip()]
        raise ServiceError(f"workers of training.neural_job must last, failed: {said[-1]}") from ended[0]
    if isinstance(ended[0], Exception):
        raise ended[0]
    return ended[0]


def _resources(config: NeuralJobConfig) -> dict[str, float]:
    gpus = {"GPU": config.gpus_per_worker} if config.gpus_per_worker else {}
    return {"CPU": config.cpus_per_worker} | gpus


def _check_resources(config: NeuralJobConfig) -> None:
    """Refuse what the cluster never has: Ray Train would wait for it. One that grows knows how large it may get."""
    there = cluster_state.get_max_resources_from_cluster_config() or ray.cluster_resources()  # type: ignore[no-untyped-call]
    for name, share in _resources(config).items():
        if there.get(name, 0.0) < share * config.n_workers:
            raise ConfigurationError(
                f"training.neural_job must find {share * config.n_workers:g} {name} for {config.n_workers} workers, "
                f"the cluster has {there.get(name, 0.0):g}"
            )
