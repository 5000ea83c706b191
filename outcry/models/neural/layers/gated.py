"""Gates: layers that can let their input pass unchanged."""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from outcry.models.neural.layers.dropout import Dropout


class GatedResidual(nn.Module):
    """A gated residual network (Lim et al., "Temporal fusion transformers", 2021, eq. 2-5).

    Parameters
    ----------
    n_channels, width : int
        In and out.
    drop_frac : float
    """

    def __init__(self, n_channels: int, width: int, drop_frac: float) -> None:
        super().__init__()
        self.dense = nn.Sequential(
            nn.Linear(n_channels, width),
            nn.ELU(),
            nn.Linear(width, width),
            Dropout(drop_frac),
            nn.Linear(width, 2 * width),
        )
        self.skip = nn.Linear(n_channels, width) if n_channels != width else nn.Identity()
        self.norm = nn.LayerNorm(width)

    def forward(self, values: Tensor) -> Tensor:
        return self.norm(self.skip(values) + functional.glu(self.dense(values), dim=-1))  # type: ignore[no-any-return]


class VariableSelection(nn.Module):
    """Embed each channel, and sum the embeddings by shares that depend on all channels of the row (eq. 6-8).

    One map a channel, linear and then a bend, stands for the gated network a channel of the paper: of hundreds of
    channels that would be most of the model.
    """

    def __init__(self, n_channels: int, width: int, drop_frac: float) -> None:
        super().__init__()
        self.slope = nn.Parameter(torch.randn(n_channels, width) / math.sqrt(width))
        self.offset = nn.Parameter(torch.zeros(n_channels, width))
        self.choose = nn.Sequential(GatedResidual(n_channels, width, drop_frac), nn.Linear(width, n_channels))

    def forward(self, windows: Tensor) -> tuple[Tensor, Tensor]:
        """Return (n, n_bars, width), and the shares of the channels (n, n_bars, n_channels)."""
        shares = torch.softmax(self.choose(windows), dim=2)
        embedded = functional.elu(windows.unsqueeze(3) * self.slope + self.offset)
        return (shares.unsqueeze(3) * embedded).sum(dim=2), shares


class InterpretableAttention(nn.Module):
    """Attention of the last row over all; heads share their values, so that shares can be averaged (eq. 13-16)."""

    def __init__(self, width: int, n_heads: int) -> None:
        super().__init__()
        self._n_heads = n_heads
        self.query = nn.Linear(width, width)
        self.key = nn.Linear(width, width)
        self.value = nn.Linear(width, width // n_heads)
        self.out = nn.Linear(width // n_heads, width)

    def forward(self, values: Tensor) -> tuple[Tensor, Tensor]:
        """Return (n, width), and the shares (n, n_bars)."""
        n, n_bars, width = values.shape
        query = self.query(values[:, -1]).view(n, 1, self._n_heads, -1)
        key = self.key(values).view(n, n_bars, self._n_heads, -1)
        scores = (query * key).sum(dim=3) / math.sqrt(width // self._n_heads)
        shares = torch.softmax(scores, dim=1).mean(dim=2)
        return self.out((shares.unsqueeze(2) * self.value(values)).sum(dim=1)), shares
