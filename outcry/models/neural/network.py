"""What every network is: windows in, a score a class out, and the loss it learns by."""

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from outcry.messages import Direction
from outcry.models.neural.params import NeuralParams

N_CLASSES = len(Direction)
LEAST_LOG_SCALE = -4.0
"""Of the deviation that a head may claim, in deviations of the training returns: a bound on the likelihood."""


class Batch(NamedTuple):
    """Windows (n, lookback_bars, n_channels); int64 labels, weights, and returns in their deviation, (n,) each."""

    windows: Tensor
    labels: Tensor
    weights: Tensor
    returns: Tensor | None


class Outputs(NamedTuple):
    """What a network says of each row.

    Attributes
    ----------
    logits : (n, 3)
        Their softmax are the class probabilities.
    mean, log_scale : (n,), optional
        Of the return, in deviations of the training returns.
    penalty : (n,), optional
        What a network wants its loss to have besides.
    members : (n_members, n, 3), optional
        The logits of each network of several.
    """

    logits: Tensor
    mean: Tensor | None = None
    log_scale: Tensor | None = None
    penalty: Tensor | None = None
    members: Tensor | None = None


class Network(nn.Module):
    """Encode a window, then score the classes, and estimate the return where `return_weight_frac` asks for it.

    Parameters
    ----------
    params : NeuralParams
    width : int
        Of what `encode` gives; a network without these heads overrides `forward` and says 0.
    """

    needs_returns = False

    def __init__(self, params: NeuralParams, width: int) -> None:
        super().__init__()
        self.params = params
        self.head = nn.Linear(width, N_CLASSES) if width else None
        self.return_head = nn.Linear(width, 2) if width and params.return_weight_frac > 0.0 else None
        self.class_weights = nn.Buffer(torch.ones(N_CLASSES))

    def start_at(self, frequencies: Tensor) -> None:
        """Begin with the class frequencies of the training rows, (3,), which are all positive."""
        with torch.no_grad():
            if self.head is not None:
                self.head.bias.copy_(torch.log(frequencies))
            if self.params.is_class_balanced:
                self.class_weights.copy_(1.0 / (N_CLASSES * frequencies))

    def encode(self, windows: Tensor) -> Tensor:
        """Return (n, width) for (n, lookback_bars, n_channels)."""
        raise NotImplementedError

    def forward(self, windows: Tensor) -> Outputs:
        return self.decide(self.encode(windows))

    def decide(self, code: Tensor) -> Outputs:
        """Return what the heads make of (n, width)."""
        assert self.head is not None  # noqa: S101 - a network without heads does not come here
        if self.return_head is None:
            return Outputs(self.head(code))
        mean, log_scale = self.return_head(code).unbind(1)
        return Outputs(self.head(code), mean, log_scale.clamp(LEAST_LOG_SCALE, 4.0))

    def loss(self, outputs: Outputs, batch: Batch) -> Tensor:
        """Return the mean loss of a batch, by the weights of its rows."""
        each = self.class_loss(outputs.logits, batch)
        if outputs.mean is not None and batch.returns is not None:
            share = self.params.return_weight_frac
            each = (1.0 - share) * each + share * self.return_loss(outputs, batch, batch.returns)
        if outputs.penalty is not None:
            each = each + outputs.penalty
        return (each * batch.weights).sum() / batch.weights.sum()

    def return_loss(self, outputs: Outputs, batch: Batch, returns: Tensor) -> Tensor:
        """Return what the estimate of each return cost, (n,)."""
        if outputs.mean is None or outputs.log_scale is None:
            return torch.zeros_like(returns)
        return gaussian_loss(outputs.mean, outputs.log_scale, returns)

    def class_loss(self, logits: Tensor, batch: Batch) -> Tensor:
        """Return the cross entropy of each row, (n,)."""
        return functional.cross_entropy(
            logits,
            batch.labels,
            weight=self.class_weights,
            label_smoothing=self.params.label_smoothing_frac,
            reduction="none",
        )

    def attention(self, windows: Tensor) -> Tensor | None:
        """Return how much each row of a window counted, (n, lookback_bars) summing to 1; None where it does not say."""
        return None

    @property
    def has_attention(self) -> bool:
        return type(self).attention is not Network.attention


class CodedNetwork(Network):
    """A network that can give a window back from a code of it."""

    def reconstruction_error(self, windows: Tensor) -> Tensor:
        """Return (n,), the mean of squared differences."""
        raise NotImplementedError


class DistributionNetwork(Network):
    """A network that has a distribution of the return."""

    def quantiles(self, windows: Tensor, levels_frac: Tensor) -> Tensor:
        """Return (n, n_levels), in deviations of the training returns."""
        raise NotImplementedError


def gaussian_loss(mean: Tensor, log_scale: Tensor, returns: Tensor) -> Tensor:
    """Return the negative log likelihood of each return, less its constant, (n,)."""
    return log_scale + 0.5 * ((returns - mean) * torch.exp(-log_scale)) ** 2
