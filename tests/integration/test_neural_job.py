"""Networks in workers of Ray Train: the bits of processes that train together without it, though a worker dies."""

import pickle
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import psutil
import pytest
import ray
import torch
from ray._common.test_utils import wait_for_condition

from cli.cluster import ray_cluster
from configs.floor import RayConfig
from configs.neural_job import NeuralJobConfig
from outcry.errors import ConfigurationError, DataValidationError, ServiceError
from outcry.messages import Direction
from outcry.models.dataset import Dataset, FeatureHistory
from outcry.models.families.lstm import LSTMParams
from outcry.models.family import FitSettings
from outcry.models.neural.checkpoint import from_arrays, read_checkpoint
from outcry.models.neural.fitting import NetworkJob
from training import neural_workers
from training.neural_job import workers_of

TWO = NeuralJobConfig(n_workers=2, max_retries=1)
N_BARS, N_SYMBOLS, N_EPOCHS = 300, 10, 8

RANK = """
import pickle, sys
from pathlib import Path
import torch
from outcry.models.neural.checkpoint import write_checkpoint
from outcry.models.neural.fitting import build_trainer, train_epochs
from outcry.models.neural.ranks import Ranks
folder, rank = Path(sys.argv[1]), int(sys.argv[2])
torch.set_num_threads(1)
torch.distributed.init_process_group("gloo", (folder / "meeting").as_uri(), rank=rank, world_size=2)
job = pickle.loads((folder / "job").read_bytes())
trainer, _ = build_trainer(
    job.family, job.earlier, job.validation, job.params, job.settings, device=torch.device("cpu"), ranks=Ranks(True)
)
train_epochs(trainer, lambda record: None)
if rank == 0:
    write_checkpoint(folder, trainer.state())
"""


@pytest.fixture(scope="module", autouse=True)
def _cluster(ray_address: str) -> Iterator[None]:
    with ray_cluster(RayConfig(address=ray_address)):
        yield


@pytest.fixture(scope="module")
def job() -> NetworkJob:
    rng = np.random.default_rng(4)
    values = rng.normal(size=(N_BARS, N_SYMBOLS, 3))
    frame, symbol = (axis.ravel() for axis in np.indices((N_BARS, N_SYMBOLS)))
    labels = np.select([values[..., 0] > 0.5, values[..., 0] < -0.5], [Direction.UP, Direction.DOWN], Direction.NEUTRAL)
    data = Dataset(
        rows=values.reshape(-1, 3),
        labels=labels.ravel().astype(np.int8),
        frame=frame,
        feature_names=("a", "b", "c"),
        symbol=symbol,
        history=FeatureHistory.of_frames(values, 0, 8),
    )
    # a norm that counts, gradients that are added up, dropout: whatever could differ after a resume
    params = LSTMParams(
        lookback_bars=8, n_hidden=16, n_dense=8, norm="batch", batch_rows=64, n_accumulated=2, max_epochs=N_EPOCHS
    )
    settings = FitSettings(seed=5, early_stopping_rounds=100, report=abs)
    return NetworkJob("lstm", data.of_frames(np.arange(250)), data.of_frames(np.arange(250, N_BARS)), params, settings)


def workers() -> list[psutil.Process]:
    return [each for each in psutil.Process().children(recursive=True) if "RayTrainWorker" in each.name()]


def test_a_worker_that_dies_leaves_no_trace(job: NetworkJob, tmp_path: Path) -> None:
    killed: list[float] = []

    def kill_one(done_frac: float) -> None:
        if 0.2 <= done_frac < 0.9 and not killed:
            workers()[-1].kill()
            killed.append(done_frac)

    train = workers_of(TWO)
    assert train is not None
    found = from_arrays(train(job, kill_one))
    assert killed
    (tmp_path / "job").write_bytes(pickle.dumps(job))
    ranks = [subprocess.Popen([sys.executable, "-c", RANK, tmp_path, str(rank)]) for rank in range(2)]
    assert [rank.wait(timeout=300) for rank in ranks] == [0, 0]
    expected = read_checkpoint(tmp_path)
    assert expected["records"][:, 0].tolist() == list(range(1, N_EPOCHS + 1))
    losses = expected["records"][:, 2]
    assert losses.min() < 0.7 < losses[0]
    torch.testing.assert_close(found, expected, rtol=0.0, atol=0.0)


def test_a_fit_beyond_its_time_is_ended_and_leaves_its_checkpoint(
    job: NetworkJob, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    passed_s = [0.0]
    monkeypatch.setattr(neural_workers, "monotonic", lambda: passed_s[0])

    def let_time_pass(done_frac: float) -> None:
        if done_frac >= 0.2:
            passed_s[0] += 21_601.0

    train = workers_of(TWO.model_copy(update={"storage_dir": str(tmp_path)}))
    assert train is not None
    with pytest.raises(ServiceError, match=r"at most training\.neural_job\.timeout_s, took 21600 s"):
        train(job, let_time_pass)
    oldest = min(tmp_path.glob("*/checkpoint_*"))  # one after it may be half written
    assert 1 <= len(read_checkpoint(oldest)["records"]) < N_EPOCHS
    wait_for_condition(lambda: not workers() and ray.available_resources().get("CPU") == 2.0, timeout=60)


def test_what_another_try_would_not_mend_is_told_at_once(job: NetworkJob, monkeypatch: pytest.MonkeyPatch) -> None:
    three = workers_of(NeuralJobConfig(n_workers=3))
    assert three is not None
    with pytest.raises(ConfigurationError, match="must find 3 CPU for 3 workers, the cluster has 2"):
        three(job, abs)
    monkeypatch.setattr(neural_workers, "_watch", lambda trainer, look, stop: "loss must be finite, was nan in epoch 1")
    with pytest.raises(DataValidationError, match="loss must be finite, was nan in epoch 1"):
        workers_of(TWO)(job, abs)  # type: ignore[misc]


def test_a_task_trains_in_its_own_process() -> None:
    def ask() -> bool:
        return workers_of(NeuralJobConfig(n_workers=2)) is None

    assert workers_of(NeuralJobConfig()) is None
    assert ray.get(ray.remote(num_cpus=0)(ask).remote())
