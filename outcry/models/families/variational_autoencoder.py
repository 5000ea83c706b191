"""Variational autoencoder: a code with a distribution, learnt without labels, and a classifier on its mean."""

from pydantic import Field

from outcry.models.families.autoencoder import SEARCH_SPACE as CODE_SPACE
from outcry.models.families.autoencoder import AutoencoderParams
from outcry.models.neural.family import NeuralFamily
from outcry.models.parameter_space import ParameterSpace, Span

SEARCH_SPACE: ParameterSpace = {**CODE_SPACE, "divergence_weight": Span(1e-3, 1.0, is_log=True)}


class VariationalAutoencoderParams(AutoencoderParams):
    """Those of the autoencoder; `divergence_weight` is beta of Higgins et al., "beta-VAE" (2017), for each number of a
    window."""

    divergence_weight: float = Field(default=0.01, ge=0)


FAMILY = NeuralFamily("variational_autoencoder", VariationalAutoencoderParams, SEARCH_SPACE)
