"""Attention whose cost grows with L log L."""

import math

import torch
from torch import Tensor, nn


class ProbSparseAttention(nn.Module):
    """Attention of the queries that stand out; the others get the mean of the values.

    How much a query stands out is ``max_j s_j - mean_j s_j`` over a sample of keys. The sample is every k-th key, not a
    random one: what a model says of a row must not depend on a generator.

    Parameters
    ----------
    width : int
    n_heads : int
        Divides `width`.
    factor : int
        Times the logarithm of the number of rows, queries that ask and keys that are sampled.

    References
    ----------
    Zhou et al., "Informer" (2021), eq. 4 and algorithm 1.
    """

    def __init__(self, width: int, n_heads: int, factor: int) -> None:
        super().__init__()
        self._n_heads = n_heads
        self._factor = factor
        self.query_key_value = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)

    def forward(self, asking: Tensor, _asked: Tensor) -> tuple[Tensor, Tensor]:
        """Return (n, n_bars, width), and the shares (n, n_bars, n_bars), a mean over heads."""
        n, n_bars, width = asking.shape
        query, key, value = (
            each.view(n, n_bars, self._n_heads, -1).transpose(1, 2)
            for each in self.query_key_value(asking).chunk(3, dim=2)
        )
        n_asking = min(max(self._factor * math.ceil(math.log(n_bars)), 1), n_bars)
        scale = 1.0 / math.sqrt(query.shape[3])
        sampled = query @ key[:, :, torch.linspace(0, n_bars - 1, n_asking).long()].transpose(2, 3)
        chosen = (sampled.amax(dim=3) - sampled.mean(dim=3)).topk(n_asking, dim=2).indices
        places = chosen.unsqueeze(3).expand(-1, -1, -1, query.shape[3])
        shares = torch.softmax(scale * query.gather(2, places) @ key.transpose(2, 3), dim=3)
        found = value.mean(dim=2, keepdim=True).expand_as(value).scatter(2, places, shares @ value)
        whole = torch.full((n, self._n_heads, n_bars, n_bars), 1.0 / n_bars, device=asking.device)
        whole = whole.scatter(2, chosen.unsqueeze(3).expand(-1, -1, -1, n_bars), shares)
        return self.out(found.transpose(1, 2).reshape(n, n_bars, width)), whole.mean(dim=1)


class Distilling(nn.Module):
    """Halve the rows: a convolution, ELU, and the larger of two neighbours (Informer, eq. 5); the last row is kept."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.convolution = nn.Conv1d(width, width, 3, padding=1)
        self.norm = nn.GroupNorm(1, width)
        self.pool = nn.MaxPool1d(2, ceil_mode=True)

    def forward(self, values: Tensor) -> Tensor:
        found = nn.functional.elu(self.norm(self.convolution(values.transpose(1, 2))))
        return self.pool(found).transpose(1, 2)  # type: ignore[no-any-return]
