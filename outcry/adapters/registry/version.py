"""One version of a registered model, and how versions are numbered."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from outcry.market.bar_size import format_bar_size
from outcry.models.manifest import BundleManifest

CHAMPION, CHALLENGER, SHADOW = ALIASES = ("champion", "challenger", "shadow")
ONLINE = "online"
"""The alias of the last update by outcomes that was adopted."""
PARENT = "parent_version"
"""The tag of updates: the bundle that was updated."""


@dataclass(frozen=True, slots=True)
class ModelVersion:
    """A bundle in the registry.

    Attributes
    ----------
    name : str
        Of the registered model.
    number : int
        Of MLflow: 1, 2, … in the order of registration.
    version : str
        MAJOR.MINOR.PATCH, see `next_version`.
    bundle_version : str
        Digest of the bundle.
    bundle_path : Path
        Where it was when it was registered.
    aliases : tuple of str
        Of `ALIASES`, and `ONLINE`.
    run_id : str
        Of the run with parameters, metrics, plots and a copy of the bundle.
    created_at : datetime
    tags : mapping of str to str
        Everything else that was written down; `decision` holds the last judgement as JSON.
    """

    name: str
    number: int
    version: str
    bundle_version: str
    bundle_path: Path
    aliases: tuple[str, ...]
    run_id: str
    created_at: datetime
    tags: Mapping[str, str]

    def __str__(self) -> str:
        return f"{self.name} {self.version}"


def default_model_name(manifest: BundleManifest) -> str:
    """Return a name by what the model forecasts, as ``outcry-direction-5bars-1d``."""
    return f"outcry-direction-{manifest.label.horizon_bars}bars-{format_bar_size(manifest.bar_ns)}"


def contract_of(manifest: BundleManifest) -> str:
    """Return a digest of what a floor must know of a model: feature set, target, bar size."""
    return _digest([manifest.features_hash, manifest.label.model_dump(mode="json"), manifest.bar_ns])


def recipe_of(manifest: BundleManifest, settings: Mapping[str, Any]) -> str:
    """Return a digest of how a model was made, whatever it was made from: settings, families, columns' selection."""
    return _digest([dict(settings), [member.name for member in manifest.members]])


def next_version(before: Mapping[str, str] | None, contract: str, recipe: str) -> str:
    """Return MAJOR.MINOR.PATCH of a model after the one with the tags `before`.

    MAJOR rises where a floor of the one cannot run the other: another feature set, target or bar size. MINOR rises
    where the same is forecast in another way: other settings, other families. PATCH rises where the same training saw
    other data.

    Examples
    --------
    >>> next_version(None, "c", "r")
    '1.0.0'
    >>> next_version({"version": "1.2.3", "contract": "c", "recipe": "other"}, "c", "r")
    '1.3.0'
    """
    if before is None:
        return "1.0.0"
    major, minor, patch = map(int, before["version"].split("."))
    if before["contract"] != contract:
        return f"{major + 1}.0.0"
    if before["recipe"] != recipe:
        return f"{major}.{minor + 1}.0"
    return f"{major}.{minor}.{patch + 1}"


def _digest(facts: Any) -> str:
    return hashlib.sha256(json.dumps(facts, sort_keys=True, default=str).encode()).hexdigest()[:16]
