"""Informer (Zhou et al., 2021): sparse attention and distilling; one learnt query decodes the classes in one step."""

from torch import Tensor, nn

from outcry.models.families.informer import InformerParams
from outcry.models.neural.layers.attention import EncoderLayer, LagAttention, Positions
from outcry.models.neural.layers.sparse_attention import Distilling, ProbSparseAttention
from outcry.models.neural.network import Network


class InformerNetwork(Network):
    """Encoder layers with a halving of the rows between them."""

    def __init__(self, params: InformerParams, n_channels: int) -> None:
        super().__init__(params, params.width)
        self.embed = nn.Linear(n_channels, params.width)
        self.positions = Positions(params.lookback_bars, params.width, params.positions)
        self.layers = nn.ModuleList(
            EncoderLayer(
                ProbSparseAttention(params.width, params.n_heads, params.sampling_factor),
                params.width,
                params.feedforward_width,
                params.dropout_frac,
            )
            for _ in range(params.n_layers)
        )
        self.distilling = nn.ModuleList(Distilling(params.width) for _ in range(params.n_layers - 1))
        self.norm = nn.LayerNorm(params.width)
        self.decoder = LagAttention(params.width, params.n_heads)

    def encode(self, windows: Tensor) -> Tensor:
        return self._decode(windows)[0]

    def attention(self, windows: Tensor) -> Tensor:
        """Return the shares of the decoder; a row that distilling left has those of the rows it stands for."""
        shares = self._decode(windows)[1]
        n_merged = 2 ** len(self.distilling)
        spread = shares.repeat_interleave(n_merged, dim=1)[:, : windows.shape[1]]
        return spread / spread.sum(dim=1, keepdim=True)

    def _decode(self, windows: Tensor) -> tuple[Tensor, Tensor]:
        values = self.positions(self.embed(windows))
        for k, layer in enumerate(self.layers):
            if k:
                values = self.distilling[k - 1](values)
            values, _ = layer(values)
        return self.decoder(self.norm(values))  # type: ignore[no-any-return]


def build(params: InformerParams, n_channels: int) -> Network:
    return InformerNetwork(params, n_channels)
