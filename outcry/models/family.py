"""What a family of models is: how one is fitted, stored, read, and asked."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np

from outcry.config import FrozenConfig
from outcry.errors import BundleError
from outcry.market.frame import Float32Array, FloatArray, IntArray
from outcry.models.dataset import Dataset


class RowModel(Protocol):
    """A fitted model that reads the row of a decision alone."""

    def predict_proba(self, rows: FloatArray, columns: IntArray | None = None) -> FloatArray:
        """Return class probabilities; a row gets the same bits whatever rows stand beside it.

        Parameters
        ----------
        rows : float64 (n_rows, n_features), or wider
            NaN where a feature is not known.
        columns : int64 (n_features,), optional
            Where the features stand in wider rows.

        Returns
        -------
        float64 (n_rows, 3)
            Columns in the order of `Direction`.
        """
        ...

    def save(self) -> Mapping[str, bytes]:
        """Return its files, by name; each name starts with that of the family. Never a pickle."""
        ...

    def importance(self) -> FloatArray:
        """Return how much each feature counts for it, float64 (n_features,): not negative, summing to 1 (or all 0)."""
        ...


@runtime_checkable
class WindowModel(Protocol):
    """A fitted model that reads the rows of the last bars, the decision bar last."""

    @property
    def lookback_bars(self) -> int:
        """Rows it reads; two or more."""
        ...

    def predict_windows(self, windows: Float32Array) -> FloatArray:
        """Return float64 (n_rows, 3) for float32 (n_rows, lookback_bars, n_features), a view perhaps; else as
        `RowModel.predict_proba`."""
        ...

    def save(self) -> Mapping[str, bytes]:
        """See `RowModel`."""
        ...

    def importance(self) -> FloatArray:
        """See `RowModel`."""
        ...


Model = RowModel | WindowModel

EXACT_TOLERANCE = 1e-12
"""`Family.answer_tolerance` of a model that a compiled kernel of ours predicts."""

TrainElsewhere = Callable[[Any, Callable[[float], None]], dict[str, "np.ndarray[Any, Any]"]]
"""See `FitSettings.train_elsewhere`."""


@dataclass(frozen=True, slots=True)
class FitSettings:
    """What every fit is told beside the parameters of its family.

    Attributes
    ----------
    seed : int
    n_threads : int
    early_stopping_rounds : int
        Rounds, or epochs, without a gain on the validation rows after which a fit ends.
    max_bins : int
        Into which trees cut a feature.
    report : callable
        Called with the fraction of the fit that is done.
    train_elsewhere : callable, optional
        Trains a network in other processes: takes an `outcry.models.neural.fitting.NetworkJob` and `report`, returns
        the arrays of `outcry.models.neural.checkpoint`. Without it, and for families that have no network, this
        process fits.
    """

    seed: int
    n_threads: int = 1
    early_stopping_rounds: int = 15
    max_bins: int = 64
    report: Callable[[float], None] = lambda _fraction: None
    train_elsewhere: TrainElsewhere | None = None


@dataclass(frozen=True, slots=True)
class UpdateSettings:
    """What every update is told beside the parameters of its family.

    Attributes
    ----------
    seed : int
    n_rounds : int
        Rounds of boosting, epochs, or iterations.
    learning_rate_frac : float
        Of the learning rate of the parameters.
    n_threads : int
    max_bins : int
        Into which trees cut a feature.
    """

    seed: int
    n_rounds: int
    learning_rate_frac: float
    n_threads: int = 1
    max_bins: int = 64


class Family(Protocol):
    """A kind of model, in one file of `outcry.models.families`; its object there is called ``FAMILY``.

    The module imports nothing that only a fit needs: a process that serves loads no training library.
    """

    @property
    def name(self) -> str:
        """That of its module."""
        ...

    @property
    def params(self) -> type[FrozenConfig]:
        """Its parameters, every one with a default."""
        ...

    @property
    def libraries(self) -> tuple[str, ...]:
        """The modules that fit it; their versions travel in the bundle."""
        ...

    @property
    def answer_tolerance(self) -> float:
        """By how much a probability of an ensemble with such a member may differ on another machine."""
        ...

    def lookback_bars(self, params: Any) -> int:
        """Return how many rows a model with these parameters reads; 1 where it reads that of the decision alone."""
        ...

    def fit(self, earlier: Dataset, validation: Dataset, whole: Dataset, params: Any, settings: FitSettings) -> Model:
        """Fit, and return the model as it is read back from what is stored.

        Parameters
        ----------
        earlier, validation : Dataset
            The training rows before, and those after a purge: what has to be found by trying (rounds, epochs, a
            penalty) is found by fitting the first and looking at the second.
        whole : Dataset
            All training rows, those between the two included.
        params : FrozenConfig
            Of `self.params`.
        settings : FitSettings

        Raises
        ------
        DataValidationError
            Where nothing can be learnt from the rows.
        BundleError
            Where the stored model does not predict what the library's does.
        ConfigurationError
            Where a library that fits it is not installed.

        Notes
        -----
        The same rows, parameters, settings and versions of libraries give the same files, to the byte.
        """
        ...

    def load(self, files: Mapping[str, bytes], n_features: int) -> Model:
        """Read what `save` gave; `BundleError` where it is anything else."""
        ...


@runtime_checkable
class Updatable(Protocol):
    """A family whose models can learn more rows from where they are; what it lacks is left as it was fitted."""

    def update(self, model: Any, data: Dataset, params: Any, settings: UpdateSettings) -> Model:
        """Return the model after a few more rows; the one it is given stays what it is.

        Parameters
        ----------
        model : Model
            Of this family, as `fit`, `load` or `update` gave it.
        data : Dataset
            Of its columns, with history where it reads windows. A class may be missing.
        params : FrozenConfig
            Of the family.
        settings : UpdateSettings

        Notes
        -----
        The same model, rows, parameters and settings give the same files, to the byte.
        """
        ...


def sole_file(family: str, files: Mapping[str, bytes], name: str) -> bytes:
    """Return the content of the one file that a family stores; `BundleError` where there is another, or none."""
    if set(files) != {name}:
        raise BundleError(f"{family} must have the file {name}, had {', '.join(files) or 'none'}")
    return files[name]
