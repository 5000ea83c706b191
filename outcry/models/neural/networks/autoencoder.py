"""An autoencoder whose code the labels never shape, and a classifier on the code."""

from torch import Tensor, nn

from outcry.models.families.autoencoder import AutoencoderParams
from outcry.models.neural.layers.dropout import Dropout
from outcry.models.neural.network import CodedNetwork, Network, Outputs


class AutoencoderNetwork(CodedNetwork):
    """Dense layers to a code and back.

    The classifier reads the code without a gradient to it: both are trained in one pass, and the code is that of the
    windows alone.
    """

    def __init__(self, params: AutoencoderParams, n_channels: int, n_numbers_a_code: int = 1) -> None:
        super().__init__(params, params.n_dense)
        self._shape = (params.lookback_bars, n_channels)
        n_inputs = params.lookback_bars * n_channels
        self.encoder = nn.Sequential(
            nn.Linear(n_inputs, params.n_hidden),
            nn.ReLU(),
            nn.Linear(params.n_hidden, n_numbers_a_code * params.n_code),
        )
        self.decoder = nn.Sequential(
            nn.Linear(params.n_code, params.n_hidden), nn.ReLU(), nn.Linear(params.n_hidden, n_inputs)
        )
        self.dense = nn.Sequential(
            nn.LayerNorm(params.n_code),
            nn.Linear(params.n_code, params.n_dense),
            nn.ReLU(),
            Dropout(params.dropout_frac),
        )

    def code(self, windows: Tensor) -> Tensor:
        """Return the features that the windows gave, (n, n_code)."""
        return self.encoder(windows.flatten(1))  # type: ignore[no-any-return]

    def encode(self, windows: Tensor) -> Tensor:
        return self.dense(self.code(windows).detach())  # type: ignore[no-any-return]

    def forward(self, windows: Tensor) -> Outputs:
        code = self.code(windows)
        return self.decide(self.dense(code.detach()))._replace(penalty=self._error(windows, code))

    def reconstruction_error(self, windows: Tensor) -> Tensor:
        return self._error(windows, self.code(windows))

    def _error(self, windows: Tensor, code: Tensor) -> Tensor:
        again: Tensor = self.decoder(code).view(-1, *self._shape)
        return ((again - windows) ** 2).mean(dim=(1, 2))


def build(params: AutoencoderParams, n_channels: int) -> Network:
    return AutoencoderNetwork(params, n_channels)
