"""Two sequences that look at each other."""

import torch
from torch import Tensor, nn

from outcry.models.neural.layers.attention import LagAttention, SelfAttention
from outcry.models.neural.layers.dropout import Dropout


class CrossFusion(nn.Module):
    """Project both to one width, attend from each to the other, pool each, and mix.

    Parameters
    ----------
    first_width, second_width, width, n_heads : int
    drop_frac : float
    """

    def __init__(self, first_width: int, second_width: int, width: int, n_heads: int, *, drop_frac: float) -> None:
        super().__init__()
        self.projections = nn.ModuleList((nn.Linear(first_width, width), nn.Linear(second_width, width)))
        self.crossings = nn.ModuleList(SelfAttention(width, n_heads) for _ in range(2))
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(2))
        self.pools = nn.ModuleList(LagAttention(width, n_heads) for _ in range(2))
        self.mix = nn.Sequential(nn.Linear(2 * width, width), nn.LayerNorm(width), nn.ReLU(), Dropout(drop_frac))
        self.last = nn.Sequential(nn.Linear(width, width), nn.LayerNorm(width), nn.ReLU(), Dropout(drop_frac))

    def forward(self, first: Tensor, second: Tensor) -> tuple[Tensor, Tensor]:
        """Return the mix (n, width), and the shares of the rows in both pools, (n, n_bars) summing to 1."""
        both = [project(each) for project, each in zip(self.projections, (first, second), strict=True)]
        pooled, shares = [], []
        for k in range(2):
            crossed = self.norms[k](both[k] + self.crossings[k](both[k], both[1 - k])[0])
            found, share = self.pools[k](crossed)
            pooled.append(found)
            shares.append(share)
        mixed = self.mix(torch.cat(pooled, dim=1))
        return mixed + self.last(mixed), 0.5 * (shares[0] + shares[1])
