"""The temporal fusion transformer (Lim et al., 2021) for one horizon.

It has no static covariates and no known future: a row knows neither its symbol nor what is to come. Other horizons are
other models.
"""

from torch import Tensor, nn

from outcry.models.families.tft import TFTParams
from outcry.models.neural.layers.gated import GatedResidual, InterpretableAttention, VariableSelection
from outcry.models.neural.network import Network


class TFTNetwork(Network):
    """Selection of variables, LSTM, attention; each beside a path that is gated or added."""

    def __init__(self, params: TFTParams, n_channels: int) -> None:
        super().__init__(params, params.width)
        width, drop_frac = params.width, params.dropout_frac
        self.selection = VariableSelection(n_channels, width, drop_frac)
        self.memory = nn.LSTM(width, width, batch_first=True)
        self.memory_norm = nn.LayerNorm(width)
        self.enrichment = GatedResidual(width, width, drop_frac)
        self.attending = InterpretableAttention(width, params.n_heads)
        self.attention_norm = nn.LayerNorm(width)
        self.last = GatedResidual(width, width, drop_frac)

    def encode(self, windows: Tensor) -> Tensor:
        remembered, enriched = self._remember(windows)
        attended = self.attention_norm(enriched[:, -1] + self.attending(enriched)[0])
        return self.last(attended) + remembered[:, -1]  # type: ignore[no-any-return]

    def attention(self, windows: Tensor) -> Tensor:
        return self.attending(self._remember(windows)[1])[1]  # type: ignore[no-any-return]

    def variable_shares(self, windows: Tensor) -> Tensor:
        """Return the shares of the channels at the last row, (n, n_channels)."""
        return self.selection(windows)[1][:, -1]  # type: ignore[no-any-return]

    def _remember(self, windows: Tensor) -> tuple[Tensor, Tensor]:
        selected = self.selection(windows)[0]
        remembered = self.memory_norm(selected + self.memory(selected)[0])
        return remembered, self.enrichment(remembered)


def build(params: TFTParams, n_channels: int) -> Network:
    return TFTNetwork(params, n_channels)
