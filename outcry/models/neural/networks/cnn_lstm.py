"""A hybrid of convolutions and recurrent layers, as an ensemble with learnt weights.

Each member estimates the classes, the return and its deviation. The vote of the classes is the mean of the members'
probabilities; return and deviation are those of the mixture of the members' normal distributions.
"""

import torch
from torch import Tensor, nn

from outcry.models.families.cnn_lstm import CNNLSTMParams
from outcry.models.neural.layers.dropout import Dropout
from outcry.models.neural.layers.extractor import KernelBank
from outcry.models.neural.layers.fusion import CrossFusion
from outcry.models.neural.layers.recurrent import RecurrentStack
from outcry.models.neural.network import LEAST_LOG_SCALE, N_CLASSES, Batch, Network, Outputs, gaussian_loss


class HybridMember(nn.Module):
    """One of the networks: (n, lookback_bars, n_channels) to logits, mean and log deviation, (n, 5), and shares."""

    def __init__(self, params: CNNLSTMParams, n_channels: int) -> None:
        super().__init__()
        self.bank = KernelBank(n_channels, params.n_filters, params.kernels_bars)
        self.narrow = nn.Conv1d(self.bank.width, params.n_filters, 1)
        self.dropout = Dropout(params.dropout_frac)
        self.stack = RecurrentStack(
            nn.LSTM,
            n_channels,
            params.n_hidden,
            params.n_layers,
            params.dropout_frac,
            is_bidirectional=params.is_bidirectional,
            norm="layer",
            has_skips=params.has_skips,
        )
        self.fusion = CrossFusion(
            params.n_filters, self.stack.width, params.width, params.n_heads, drop_frac=params.dropout_frac
        )
        self.head = nn.Linear(params.width, N_CLASSES + 2)

    def forward(self, windows: Tensor) -> tuple[Tensor, Tensor]:
        local = self.dropout(self.narrow(self.bank(windows))).transpose(1, 2)
        code, shares = self.fusion(local, self.stack(windows))
        return self.head(code), shares


class HybridNetwork(Network):
    """The members and their weights."""

    def __init__(self, params: CNNLSTMParams, n_channels: int) -> None:
        super().__init__(params, 0)
        self._member_dropout_frac = params.member_dropout_frac
        members = [HybridMember(params, n_channels) for _ in range(params.n_members)]
        self.members = nn.ModuleList(members)
        self._heads = [member.head for member in members]
        self.scores = nn.Parameter(torch.zeros(params.n_members))

    def start_at(self, frequencies: Tensor) -> None:
        super().start_at(frequencies)
        with torch.no_grad():
            for head in self._heads:
                head.bias[:N_CLASSES].copy_(torch.log(frequencies))

    def forward(self, windows: Tensor) -> Outputs:
        said = torch.stack([member(windows)[0] for member in self.members])
        logits, mean, log_scale = said[..., :N_CLASSES], said[..., N_CLASSES], said[..., N_CLASSES + 1]
        scale = log_scale.clamp(LEAST_LOG_SCALE, 4.0).exp()
        weights = self._weights(windows)
        log_vote = torch.logsumexp(weights.log().unsqueeze(2) + torch.log_softmax(logits, dim=2), dim=0)
        mixed = (weights * mean).sum(dim=0)
        variance = (weights * (scale**2 + (mean - mixed) ** 2)).sum(dim=0)
        return Outputs(log_vote, mixed, 0.5 * variance.log(), members=logits)

    def return_loss(self, outputs: Outputs, batch: Batch, returns: Tensor) -> Tensor:
        """Return the squared error, and what the claimed deviation costs by the likelihood."""
        if outputs.mean is None or outputs.log_scale is None:
            return torch.zeros_like(returns)
        squared = (returns - outputs.mean) ** 2
        return 0.5 * (squared + gaussian_loss(outputs.mean.detach(), outputs.log_scale, returns))

    def loss(self, outputs: Outputs, batch: Batch) -> Tensor:
        """Return the loss of the vote, and the mean of the members' own: each has to know the classes alone."""
        loss = super().loss(outputs, batch)
        if outputs.members is None:
            return loss
        each = torch.stack([self.class_loss(logits, batch) for logits in outputs.members]).mean(dim=0)
        share = 1.0 - self.params.return_weight_frac
        return loss + share * (each * batch.weights).sum() / batch.weights.sum()

    def attention(self, windows: Tensor) -> Tensor:
        weights = torch.softmax(self.scores, dim=0)
        shares = torch.stack([member(windows)[1] for member in self.members])
        return (weights[:, None, None] * shares).sum(dim=0)

    def _weights(self, windows: Tensor) -> Tensor:
        """Return the weight of each member for each row, (n_members, n); some are left out while training."""
        scores = self.scores.unsqueeze(1).expand(-1, len(windows))
        if self.training and self._member_dropout_frac:
            is_out = torch.rand(scores.shape, device=scores.device) < self._member_dropout_frac
            is_out &= ~is_out.all(dim=0)  # never all of them
            scores = scores.masked_fill(is_out, -30.0)
        return torch.softmax(scores, dim=0)


def build(params: CNNLSTMParams, n_channels: int) -> Network:
    return HybridNetwork(params, n_channels)
