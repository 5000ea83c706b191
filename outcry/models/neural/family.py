"""What the families of networks have in common: all of them differ by their parameters and their network alone."""

from collections.abc import Mapping
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from outcry.errors import ConfigurationError
from outcry.models.dataset import Dataset, check_labels
from outcry.models.family import FitSettings, UpdateSettings
from outcry.models.neural.params import NeuralParams
from outcry.models.parameter_space import ParameterSpace

if TYPE_CHECKING:
    from outcry.models.neural.model import NeuralModel

ANSWER_TOLERANCE = 1e-5
"""Ten times what was measured: libraries for matrices choose their kernels by the processor. On one machine, with other
kernels of ATen, MKL and oneDNN (down to SSE4, and without oneDNN), no family of twelve moved by more than 1e-6; a
calibration can be steeper than 1. A wrong weight moves an answer by a thousandth or more."""


class NeuralFamily:
    """`outcry.models.family.Family` of the network that `outcry.models.neural.networks.<name>` builds."""

    libraries = ("torch",)
    answer_tolerance = ANSWER_TOLERANCE

    def __init__(self, name: str, params: type[NeuralParams], narrow: ParameterSpace) -> None:
        self.name = name
        self.params = params
        self.search_spaces: Mapping[str, ParameterSpace] = {"narrow": narrow}

    def lookback_bars(self, params: NeuralParams) -> int:
        return params.lookback_bars

    def fit(
        self, earlier: Dataset, validation: Dataset, whole: Dataset, params: Any, settings: FitSettings
    ) -> "NeuralModel":
        """Train on `earlier` and keep the weights of the epoch with the least log loss on `validation`.

        `whole` is not read: another training on all rows would have no rows to stop it, and take as long again.
        """
        self._check_library()
        from outcry.models.neural.fitting import fit_network  # noqa: PLC0415 - torch

        check_labels(earlier.labels)
        return fit_network(self.name, earlier, validation, params, settings)

    def update(self, model: "NeuralModel", data: Dataset, params: Any, settings: UpdateSettings) -> "NeuralModel":
        """Train a few epochs further; with the parameters that the model was built with."""
        self._check_library()
        from outcry.models.neural.updating import update_network  # noqa: PLC0415 - torch

        return update_network(model, data, settings)

    def load(self, files: Mapping[str, bytes], n_features: int) -> "NeuralModel":
        self._check_library()
        from outcry.models.neural.model import load_network  # noqa: PLC0415 - torch

        return load_network(self.name, self.params, files, n_features)

    def _check_library(self) -> None:
        if find_spec("torch") is None:
            raise ConfigurationError(f"{self.name} needs torch: install outcry with the extra neural")
