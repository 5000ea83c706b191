"""The model in service, and how it is replaced without a gap."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from outcry.errors import BundleError
from outcry.models.bundle import ModelBundle


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """A verified bundle and the folder it came from."""

    path: Path
    bundle: ModelBundle


@dataclass(frozen=True, slots=True)
class RefusedBundle:
    """A bundle that was asked for and not taken, and why."""

    path: Path
    reason: str
    ts_ns: int


class ModelSlot:
    """Hold the model in service. A reader takes `loaded` once a request: a swap is one change of reference.

    Parameters
    ----------
    load : callable
        Load and verify the bundle in a folder; raises `BundleError`.
    now_ns : callable
        Wall time, nanoseconds UTC.
    """

    def __init__(self, load: Callable[[Path], ModelBundle], now_ns: Callable[[], int]) -> None:
        self._load = load
        self._now_ns = now_ns
        self._loaded: LoadedModel | None = None
        self._refused: RefusedBundle | None = None

    @property
    def is_ready(self) -> bool:
        return self._loaded is not None

    @property
    def loaded(self) -> LoadedModel:
        if self._loaded is None:
            raise BundleError("no model is loaded: a bundle must be put in service first")
        return self._loaded

    @property
    def refused(self) -> RefusedBundle | None:
        """The last bundle refused; None where the last one asked for was taken."""
        return self._refused

    def replace(self, path: Path, fallback: Path | None = None) -> None:
        """Put the bundle at `path` in service; on any error keep the one that is.

        Parameters
        ----------
        path : Path
        fallback : Path, optional
            The bundle to take where `path` is refused and nothing is in service yet: a replica that starts anew while
            a bad bundle is being asked for must still answer.

        Raises
        ------
        BundleError
            Where no model is in service afterwards.
        """
        if self._loaded is not None and self._loaded.path == path:
            return
        try:
            self._loaded, refused = LoadedModel(path, self._load(path)), None
        except Exception as error:
            refused = RefusedBundle(path, str(error) or type(error).__name__, self._now_ns())
            if self._loaded is None and fallback is not None and fallback != path:
                self._loaded = LoadedModel(fallback, self._load(fallback))
            if self._loaded is None:
                raise BundleError(f"bundle {path} was refused and no other is in service: {error}") from error
        self._refused = refused
