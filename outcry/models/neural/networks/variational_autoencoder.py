"""A variational autoencoder (Kingma and Welling, 2014), and a classifier on the mean of the code."""

import torch
from torch import Tensor

from outcry.models.families.variational_autoencoder import VariationalAutoencoderParams
from outcry.models.neural.network import Network, Outputs
from outcry.models.neural.networks.autoencoder import AutoencoderNetwork


class VariationalNetwork(AutoencoderNetwork):
    """The code of a window is normal; it is drawn while training, and its mean read otherwise."""

    def __init__(self, params: VariationalAutoencoderParams, n_channels: int) -> None:
        super().__init__(params, n_channels, n_numbers_a_code=2)
        self._divergence_weight = params.divergence_weight

    def code(self, windows: Tensor) -> Tensor:
        return self.encoder(windows.flatten(1)).chunk(2, dim=1)[0]  # type: ignore[no-any-return]

    def forward(self, windows: Tensor) -> Outputs:
        mean, log_variance = self.encoder(windows.flatten(1)).chunk(2, dim=1)
        log_variance = log_variance.clamp(-10.0, 10.0)
        drawn = mean + torch.exp(0.5 * log_variance) * torch.randn_like(mean) if self.training else mean
        # Kingma and Welling, appendix B
        divergence = 0.5 * (mean**2 + log_variance.exp() - 1.0 - log_variance).sum(dim=1)
        penalty = self._error(windows, drawn) + self._divergence_weight * divergence / len(windows[0].flatten())
        return self.decide(self.dense(mean.detach()))._replace(penalty=penalty)


def build(params: VariationalAutoencoderParams, n_channels: int) -> Network:
    return VariationalNetwork(params, n_channels)
