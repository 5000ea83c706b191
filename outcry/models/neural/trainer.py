"""Train a network epoch by epoch, and go on where another process stopped."""

from contextlib import nullcontext
from copy import deepcopy
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from outcry.errors import DataValidationError
from outcry.models.family import FitSettings
from outcry.models.neural.augment import augment
from outcry.models.neural.batches import WindowBatches
from outcry.models.neural.network import Network
from outcry.models.neural.ranks import Ranks
from outcry.models.neural.schedule import learning_rate_frac

EVALUATION_ROWS = 512
"""Of a batch without gradients."""


class EpochRecord(NamedTuple):
    """What an epoch did; log losses in nats, `gradient_norm` the mean before clipping."""

    epoch: int
    train_loss: float
    validation_log_loss: float
    learning_rate: float
    gradient_norm: float


class Trainer:
    """AdamW with clipped gradients, a schedule, and the weights of the best epoch by validation log loss.

    Parameters
    ----------
    network : Network
        On its device.
    train, validation : WindowBatches
        On the same device.
    settings : FitSettings
        Its seed, and the epochs without a gain after which it ends.
    ranks : Ranks, optional
        The processes that train together; each takes its share of the rows of every step.

    Notes
    -----
    Every epoch draws from a generator of its own, seeded by seed, epoch and rank: `restore` needs no state of one.
    Mixed precision (bfloat16) where the device is a GPU.
    """

    def __init__(
        self,
        network: Network,
        train: WindowBatches,
        validation: WindowBatches,
        settings: FitSettings,
        ranks: Ranks | None = None,
    ) -> None:
        self.network = network
        self._train = train
        self._validation = validation
        self._params = params = network.params
        self._seed = settings.seed
        self._patience = settings.early_stopping_rounds
        self._ranks = ranks or Ranks()
        self._called = self._ranks.wrap(network)
        self._device = next(network.parameters()).device
        self._optimiser = torch.optim.AdamW(
            network.parameters(), lr=params.learning_rate, weight_decay=params.weight_decay
        )
        self.records: list[EpochRecord] = []
        self.best_epoch = 0
        self.best_log_loss = float("inf")
        self._n_reductions = 0
        self._reduced_at = 0
        self._best: dict[str, Tensor] = _copy(network)

    @property
    def epoch(self) -> int:
        """Epochs that are done."""
        return len(self.records)

    @property
    def is_finished(self) -> bool:
        """Whether all epochs are done, or none of the last `patience` was the best."""
        return self.epoch >= self._params.max_epochs or self.epoch - self.best_epoch >= self._patience

    def run_epoch(self) -> EpochRecord:
        """Train for an epoch and validate.

        Raises
        ------
        DataValidationError
            Where the loss is no longer finite.
        """
        params, ranks = self._params, self._ranks
        rng = np.random.default_rng((self._seed, self.epoch, ranks.rank))
        torch.manual_seed(int(rng.integers(2**62)))
        # the same order in every rank, of which each takes its share
        order = np.random.default_rng((self._seed, self.epoch))
        plan = self._train.plan(-(-params.batch_rows // ranks.n_ranks), order, ranks.rank, ranks.n_ranks)
        losses, norms, rate = torch.zeros(len(plan)), [], 0.0
        self._called.train()
        self._optimiser.zero_grad(set_to_none=True)
        for k, rows in enumerate(plan):
            is_step = (k + 1) % params.n_accumulated == 0 or k + 1 == len(plan)
            batch = self._train.batch(rows)
            batch = batch._replace(windows=augment(batch.windows, params))
            with nullcontext() if is_step else ranks.without_exchange(self._called):
                with self._precision():
                    loss = self.network.loss(self._called(batch.windows), batch)
                (loss / params.n_accumulated).backward()  # type: ignore[no-untyped-call]
            losses[k] = loss.detach()
            if is_step:
                norms.append(nn.utils.clip_grad_norm_(self.network.parameters(), params.clip_norm))
                rate = self._set_rate((self.epoch + k / len(plan)) / params.max_epochs)
                self._optimiser.step()
                self._optimiser.zero_grad(set_to_none=True)
        ranks.share_buffers(self.network)
        train_loss = float(ranks.sum(losses.mean().to(self._device))) / ranks.n_ranks
        norm = float(torch.stack([norm.cpu() for norm in norms]).mean())
        record = EpochRecord(self.epoch + 1, train_loss, self.validate(), rate, norm)
        for each in (record.train_loss, record.validation_log_loss):  # the same in all ranks: none waits for another
            if not np.isfinite(each):
                raise DataValidationError(f"loss must be finite, was {each} in epoch {record.epoch}")
        self._keep(record)
        return record

    def validate(self) -> float:
        """Return the log loss on the validation rows, by their weights, nats."""
        self.network.eval()
        total, weight = 0.0, 0.0
        with torch.inference_mode():
            for batch in self._validation.in_order(EVALUATION_ROWS, self._ranks.rank, self._ranks.n_ranks):
                each = functional.cross_entropy(self.network(batch.windows).logits, batch.labels, reduction="none")
                total += float((each * batch.weights).sum())
                weight += float(batch.weights.sum())
        # numbers of a GPU with 64 bits: MPS has none, and is alone
        both = torch.tensor([total, weight], dtype=torch.float64)
        both = self._ranks.sum(both.to(self._device) if self._device.type == "cuda" else both)
        return float(both[0] / both[1])

    def keep_best(self) -> None:
        """Give the network the weights of the best epoch."""
        self.network.load_state_dict(self._best)
        self.network.eval()

    def state(self) -> dict[str, Any]:
        """Return everything that `restore` needs: tensors and numbers, in dictionaries.

        Schedule and generators are functions of the epoch.
        """
        return {
            "network": _copy(self.network),
            "best": self._best,
            "optimiser": deepcopy(self._optimiser.state_dict()["state"]),
            "records": torch.tensor(self.records, dtype=torch.float64).reshape(-1, len(EpochRecord._fields)),
            "best_epoch": self.best_epoch,
            "best_log_loss": self.best_log_loss,
            "n_reductions": self._n_reductions,
            "reduced_at": self._reduced_at,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go on after the epoch that `state` was taken at; the epochs to come are what they would have been."""
        self.network.load_state_dict(state["network"])
        self._best = state["best"]
        groups = self._optimiser.state_dict()["param_groups"]
        # which keeps the tensors it is given
        self._optimiser.load_state_dict({"state": deepcopy(state["optimiser"]), "param_groups": groups})
        self.records = [EpochRecord(int(epoch), *others) for epoch, *others in state["records"].tolist()]
        self.best_epoch, self.best_log_loss = state["best_epoch"], state["best_log_loss"]
        self._n_reductions, self._reduced_at = state["n_reductions"], state["reduced_at"]

    def _keep(self, record: EpochRecord) -> None:
        self.records.append(record)
        if record.validation_log_loss < self.best_log_loss:
            self.best_log_loss, self.best_epoch = record.validation_log_loss, record.epoch
            self._best = _copy(self.network)
        elif self.epoch - max(self.best_epoch, self._reduced_at) >= max(self._patience // 3, 1):
            self._n_reductions, self._reduced_at = self._n_reductions + 1, self.epoch

    def _set_rate(self, done_frac: float) -> float:
        rate = self._params.learning_rate * learning_rate_frac(self._params.schedule, done_frac, self._n_reductions)
        for group in self._optimiser.param_groups:
            group["lr"] = rate
        return rate

    def _precision(self) -> Any:
        return torch.autocast("cuda", torch.bfloat16) if self._device.type == "cuda" else nullcontext()


def _copy(network: Network) -> dict[str, Tensor]:
    return {name: value.detach().clone() for name, value in network.state_dict().items()}
