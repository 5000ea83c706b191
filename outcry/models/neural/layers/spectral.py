"""Weights whose largest singular value is 1."""

from torch import nn
from torch.nn.utils import parametrize
from torch.nn.utils.parametrizations import spectral_norm

_HEADS = {"head", "return_head", "answer"}
"""Layers whose size says how sure the network is."""


def norm_spectra(network: nn.Module) -> None:
    """Hold every dense layer and convolution to it, but heads, and layers that have a norm of their weights already.

    References
    ----------
    Miyato et al., "Spectral normalization for generative adversarial networks" (2018), section 2.1.
    """
    for name, layer in list(network.named_modules()):
        is_dense = isinstance(layer, nn.Linear | nn.Conv1d) and not parametrize.is_parametrized(layer)
        if is_dense and name.rpartition(".")[2] not in _HEADS:
            spectral_norm(layer)
