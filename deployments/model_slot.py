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


@dataclass(frozen=True, slots=True)
class SlotStatus:
    """What a slot holds: an empty version and no path where that is nothing; `refused` as of `ModelSlot`."""

    model_version: str
    path: Path | None
    refused: RefusedBundle | None


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

    @property
    def version(self) -> str:
        """Of the bundle in service; empty where none is."""
        return "" if self._loaded is None else self._loaded.bundle.version

    @property
    def status(self) -> SlotStatus:
        return SlotStatus(self.version, None if self._loaded is None else self._loaded.path, self._refused)

    def clear(self) -> None:
        """Take the bundle out of service, and forget what was refused."""
        self._loaded = self._refused = None

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
            self._loaded, self._refused = LoadedModel(path, self._load(path)), None
        except Exception as error:
            self._refused = RefusedBundle(path, str(error) or type(error).__name__, self._now_ns())
            if self._loaded is None and fallback is not None and fallback != path:
                self._loaded = LoadedModel(fallback, self._load(fallback))
            if self._loaded is None:
                raise BundleError(f"bundle {path} was refused and no other is in service: {error}") from error
