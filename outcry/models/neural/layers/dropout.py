"""Dropout that can be sampled: the same thinned network for all rows."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn


class Dropout(nn.Module):
    """Set activations to 0 at random, and scale up the others.

    Parameters
    ----------
    drop_frac : float
    is_locked : bool
        One mask for all places of axis 1, the bars of a window (Gal and Ghahramani, "A theoretically grounded
        application of dropout in recurrent neural networks", 2016).
    """

    def __init__(self, drop_frac: float, is_locked: bool = False) -> None:
        super().__init__()
        self.drop_frac = drop_frac
        self.is_locked = is_locked
        self.is_sampled = False

    def forward(self, values: Tensor) -> Tensor:
        if not self.drop_frac or not (self.training or self.is_sampled):
            return values
        shape = list(values.shape)
        if self.is_sampled:
            shape[0] = 1
        if self.is_locked and len(shape) == 3:
            shape[1] = 1
        kept_frac = 1.0 - self.drop_frac
        return values * (torch.rand(shape, device=values.device) < kept_frac) / kept_frac


@contextmanager
def sampling(network: nn.Module, seed: int) -> Iterator[Callable[[], None]]:
    """Thin the network within the block; call what it gives before each evaluation, for the same masks every time."""
    layers = [layer for layer in network.modules() if isinstance(layer, Dropout)]
    with torch.random.fork_rng(devices=()):
        for layer in layers:
            layer.is_sampled = True
        try:
            yield lambda: _seed(seed)
        finally:
            for layer in layers:
                layer.is_sampled = False


def _seed(seed: int) -> None:
    torch.manual_seed(seed)
