"""Attention over the rows of a window."""

import math

import torch
from torch import Tensor, nn

from outcry.models.neural.layers.dropout import Dropout


class LagAttention(nn.Module):
    """Sum the rows of a window by learnt shares: heads with a query each that is learnt, not computed.

    Parameters
    ----------
    width : int
    n_heads : int
        Divides `width`.

    References
    ----------
    Vaswani et al., "Attention is all you need" (2017), eq. 1, with one query a head.
    """

    def __init__(self, width: int, n_heads: int) -> None:
        super().__init__()
        self._n_heads = n_heads
        self.query = nn.Parameter(torch.randn(n_heads, width // n_heads) / math.sqrt(width // n_heads))
        self.key = nn.Linear(width, width)
        self.value = nn.Linear(width, width)

    def forward(self, states: Tensor) -> tuple[Tensor, Tensor]:
        """Return the sums (n, width), and the shares of the rows (n, lookback_bars), a mean over heads."""
        n, n_bars, width = states.shape
        keys = self.key(states).view(n, n_bars, self._n_heads, -1)
        values = self.value(states).view(n, n_bars, self._n_heads, -1)
        scores = (keys * self.query).sum(dim=3) / math.sqrt(width // self._n_heads)
        shares = torch.softmax(scores, dim=1)
        return (shares.unsqueeze(3) * values).sum(dim=1).reshape(n, width), shares.mean(dim=2)


class SelfAttention(nn.Module):
    """Scaled dot-product attention with heads, of one sequence over another or itself.

    Parameters
    ----------
    width : int
    n_heads : int
        Divides `width`.

    References
    ----------
    Vaswani et al., "Attention is all you need" (2017), eq. 1 and section 3.2.2.
    """

    def __init__(self, width: int, n_heads: int) -> None:
        super().__init__()
        self._n_heads = n_heads
        self.query = nn.Linear(width, width)
        self.key_value = nn.Linear(width, 2 * width)
        self.out = nn.Linear(width, width)

    def forward(self, asking: Tensor, asked: Tensor) -> tuple[Tensor, Tensor]:
        """Return (n, n_asking, width), and the shares (n, n_asking, n_asked), a mean over heads."""
        query = self._split(self.query(asking))
        key, value = (self._split(each) for each in self.key_value(asked).chunk(2, dim=2))
        shares = torch.softmax(query @ key.transpose(2, 3) / math.sqrt(query.shape[3]), dim=3)
        found = (shares @ value).transpose(1, 2).reshape(asking.shape)
        return self.out(found), shares.mean(dim=1)

    def _split(self, values: Tensor) -> Tensor:
        n, n_bars, width = values.shape
        return values.view(n, n_bars, self._n_heads, width // self._n_heads).transpose(1, 2)


class Positions(nn.Module):
    """Add what tells the rows of a window apart: waves (Vaswani et al., section 3.5), or learnt numbers."""

    def __init__(self, n_bars: int, width: int, kind: str) -> None:
        super().__init__()
        if kind == "learned":
            self.table = nn.Parameter(0.02 * torch.randn(n_bars, width))
            return
        place = torch.arange(n_bars).unsqueeze(1)
        wave = place * torch.exp(torch.arange(0, width, 2) * (-math.log(10_000.0) / width))
        table = torch.stack((wave.sin(), wave.cos()), dim=2).reshape(n_bars, width)
        self.table = nn.Buffer(table, persistent=False)  # type: ignore[assignment]

    def forward(self, values: Tensor) -> Tensor:
        return values + self.table[: values.shape[1]]


class EncoderLayer(nn.Module):
    """Attention and a dense pair, each after a norm and beside a residual path (Xiong et al., "On layer normalization
    in the transformer architecture", 2020)."""

    def __init__(self, attention: nn.Module, width: int, feedforward_width: int, drop_frac: float) -> None:
        super().__init__()
        self.attention = attention
        self.norms = nn.ModuleList((nn.LayerNorm(width), nn.LayerNorm(width)))
        self.dense = nn.Sequential(
            nn.Linear(width, feedforward_width), nn.GELU(), Dropout(drop_frac), nn.Linear(feedforward_width, width)
        )
        self.dropout = Dropout(drop_frac)

    def forward(self, values: Tensor) -> tuple[Tensor, Tensor]:
        """Return the values, and the shares of the attention."""
        normed = self.norms[0](values)
        found, shares = self.attention(normed, normed)
        values = values + self.dropout(found)
        return values + self.dropout(self.dense(self.norms[1](values))), shares
