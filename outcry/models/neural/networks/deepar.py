"""DeepAR (Salinas et al., 2020): a recurrent network with a distribution head over the return of the horizon.

It feeds on the features of each bar, past returns among them where the feature set has them, in place of the target of
the bar before: the return over the horizon of a bar is not known at the next.

The band between the classes moves with volatility where labels are made so, and is not among what a fit is told. It is
learnt: a third output, a function of the window, which costs where a training return lies on another side of it than
its label says, and which the log loss of the masses pulls on too.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from outcry.messages import Direction
from outcry.models.families.deepar import DeepARParams
from outcry.models.neural.layers.distribution import mass_below, negative_log_density, quantile
from outcry.models.neural.layers.recurrent import RecurrentStack
from outcry.models.neural.network import LEAST_LOG_SCALE, Batch, DistributionNetwork, Network, Outputs

LEAST_MASS = 1e-6


class DeepARNetwork(DistributionNetwork):
    """LSTM layers, then location, scale, and the band."""

    needs_returns = True

    def __init__(self, params: DeepARParams, n_channels: int) -> None:
        super().__init__(params, 0)
        self._kind = params.distribution
        self.stack = RecurrentStack(
            nn.LSTM, n_channels, params.n_hidden, params.n_layers, params.dropout_frac, norm="layer"
        )
        self.answer = nn.Linear(self.stack.width, 3)

    def start_at(self, frequencies: Tensor) -> None:
        """Begin with a band that has the mass of the neutral class around 0."""
        super().start_at(frequencies)
        level = 0.5 + 0.5 * frequencies[Direction.NEUTRAL].double()
        with torch.no_grad():
            self.answer.bias.zero_()
            self.answer.bias[2] = torch.log(quantile(self._kind, level)).float()

    def forward(self, windows: Tensor) -> Outputs:
        mean, log_scale, log_band = self.answer(self.stack(windows)[:, -1]).float().unbind(1)
        log_scale = log_scale.clamp(LEAST_LOG_SCALE, 4.0)
        scale, band = log_scale.exp(), log_band.clamp(-12.0, 4.0).exp()
        up = mass_below(self._kind, (mean - band) / scale)  # both distributions are symmetric
        down = mass_below(self._kind, (-band - mean) / scale)
        masses = torch.stack((up, 1.0 - up - down, down), dim=1).clamp_min(LEAST_MASS)
        return Outputs(masses.log(), mean, log_scale, members=band)

    def return_loss(self, outputs: Outputs, batch: Batch, returns: Tensor) -> Tensor:
        """Return the negative log likelihood of the return, and how far the band is on the wrong side of it."""
        if outputs.mean is None or outputs.log_scale is None or outputs.members is None:
            return torch.zeros_like(returns)
        place = (returns - outputs.mean) * torch.exp(-outputs.log_scale)
        inside = outputs.members - returns.abs()  # the band, less the return
        is_neutral = batch.labels == Direction.NEUTRAL
        beyond = functional.relu(torch.where(is_neutral, -inside, inside))
        return outputs.log_scale + negative_log_density(self._kind, place) + beyond

    def quantiles(self, windows: Tensor, levels_frac: Tensor) -> Tensor:
        said = self(windows)
        found: Tensor = said.mean[:, None].double() + said.log_scale[:, None].double().exp() * quantile(
            self._kind, levels_frac
        )
        return found


def build(params: DeepARParams, n_channels: int) -> Network:
    return DeepARNetwork(params, n_channels)
