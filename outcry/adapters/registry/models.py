"""Registered models: versions with aliases, who was champion when, and which old ones go."""

import fcntl
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pydantic import SecretStr

from outcry.adapters.registry.connection import MlflowConnection
from outcry.adapters.registry.training_run import ARTIFACT, PLOTS, tags_of, write_run
from outcry.adapters.registry.version import (
    CHALLENGER,
    CHAMPION,
    PARENT,
    ModelVersion,
    contract_of,
    default_model_name,
    next_version,
    recipe_of,
)
from outcry.errors import BundleError, ModelError
from outcry.models.bundle import ModelBundle

_CHAMPIONS = "champions"
_N_CHAMPIONS = 100
_PAGE = 200


@dataclass(frozen=True, slots=True)
class Registration:
    """What `ModelRegistry.register` did: `is_new` is False where the bundle was there; `removed` left for it."""

    version: ModelVersion
    is_new: bool
    removed: tuple[ModelVersion, ...]


class ModelRegistry:
    """Register bundles, move aliases, and find what was registered.

    A model of the registry has versions, each a bundle that is named by its digest. Aliases point at versions:
    ``champion`` is what trades, ``challenger`` the newest that wants to, ``shadow`` one that answers beside it and
    trades nothing.

    Parameters
    ----------
    url : SecretStr or None
        See `MlflowConnection`.
    database_url : str
    folder : Path
        Of the registry on this machine: artifacts, and the lock of its writers.

    Raises
    ------
    ConfigurationError, ServiceError
        As `MlflowConnection`. Every method raises `ServiceError` where the registry is gone.
    """

    def __init__(self, url: SecretStr | None, *, database_url: str, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        with self._locked():
            self._connection = MlflowConnection(url, database_url=database_url, folder=folder)
        self._client = self._connection.client

    def names(self) -> list[str]:
        """Return the registered models by name."""
        with self._connection.asking():
            return sorted(model.name for model in self._pages(self._client.search_registered_models))

    def versions(self, name: str) -> list[ModelVersion]:
        """Return the versions of a model, newest first; none where there is no such model."""
        with self._connection.asking():
            if not list(self._client.search_registered_models(filter_string=f"name = '{name}'")):
                return []
            aliases: dict[int, list[str]] = {}
            for alias, number in self._client.get_registered_model(name).aliases.items():
                aliases.setdefault(int(number), []).append(alias)
            found = self._pages(self._client.search_model_versions, filter_string=f"name = '{name}'")
            versions = [_read(each, aliases.get(int(each.version), [])) for each in found if "version" in each.tags]
        return sorted(versions, key=lambda version: -version.number)

    def find(self, name: str, wanted: str) -> ModelVersion:
        """Return the version of an alias, a MAJOR.MINOR.PATCH, a number, or the start of a bundle's version.

        Raises
        ------
        ModelError
            Where there is none, or several.
        """
        versions = self.versions(name)
        for is_meant in (
            lambda each: wanted in each.aliases,
            lambda each: wanted == each.version,
            lambda each: wanted == str(each.number),
            lambda each: len(wanted) >= 4 and each.bundle_version.startswith(wanted),
        ):
            found = [each for each in versions if is_meant(each)]
            if len(found) == 1:
                return found[0]
            if found:
                raise ModelError(f"version must name one of {name}, {wanted} names {len(found)}")
        if not versions:
            raise ModelError(f"version of {name} must be one that is registered, there is none, was {wanted}")
        known = [alias for each in versions for alias in each.aliases] + [each.version for each in versions]
        raise ModelError(f"version of {name} must be a number, of a bundle, or one of {', '.join(known)}; was {wanted}")

    def champion(self, name: str) -> ModelVersion | None:
        """Return the version that trades."""
        return next((each for each in self.versions(name) if CHAMPION in each.aliases), None)

    def metrics(self, version: ModelVersion) -> dict[str, float]:
        """Return what was measured of a version, by key; of the folds, the last."""
        with self._connection.asking():
            return dict(self._client.get_run(version.run_id).data.metrics)

    def register(
        self,
        bundle: ModelBundle,
        settings: Mapping[str, Any],
        *,
        tags: Mapping[str, str],
        plots: Mapping[str, str],
        keep_versions: int,
        name: str | None = None,
        alias: str | None = CHALLENGER,
    ) -> Registration:
        """Write down a training, register its bundle as the challenger, and let old versions go.

        A bundle that is registered already stays the version it is. Of the others, the newest `keep_versions` without
        an alias stay, the version that a rollback would return to, and every update (tag `PARENT`). What goes leaves
        the registry, with its copy of the bundle; the bundle itself stays on disk, where a recorded run needs it to be
        replayed.

        Parameters
        ----------
        bundle : ModelBundle
        settings : mapping
            Of the training, JSON values.
        tags : mapping of str to str
            What is known of the training beside the bundle and the settings.
        plots : mapping of str to str
            File names and their text.
        keep_versions : int
        name : str or None
            Of the model; None takes `default_model_name`.
        alias : str or None
            Another than challenger; None for none.
        """
        manifest = bundle.manifest
        name = name or default_model_name(manifest)
        with self._locked():
            before = self.versions(name)
            for each in before:
                if each.bundle_version == bundle.version:
                    return Registration(each, False, ())
            tags = {
                **tags,
                **tags_of(manifest),
                "bundle_path": str(bundle.path.resolve()),
                "contract": contract_of(manifest),
                "recipe": recipe_of(manifest, settings),
            }
            tags["version"] = next_version(before[0].tags if before else None, tags["contract"], tags["recipe"])
            run_id = write_run(self._connection, bundle, name, settings, tags, plots)
            with self._connection.asking():
                if not list(self._client.search_registered_models(filter_string=f"name = '{name}'")):
                    self._client.create_registered_model(name)
                source = f"{self._client.get_run(run_id).info.artifact_uri}/{ARTIFACT}"
                made = self._client.create_model_version(name, source=source, run_id=run_id, tags=tags)
                if alias is not None:
                    self._client.set_registered_model_alias(name, alias, str(made.version))
            removed = self._archive(name, keep_versions)
            return Registration(self.find(name, str(made.version)), True, removed)

    def set_alias(self, version: ModelVersion, alias: str) -> None:
        """Point an alias at a version; for the champion see `promote`."""
        with self._connection.asking():
            self._client.set_registered_model_alias(version.name, alias, str(version.number))

    def drop_alias(self, name: str, alias: str) -> None:
        """Point an alias of a model at nothing; it may be so already."""
        with self._connection.asking():
            self._client.delete_registered_model_alias(name, alias)

    def promote(self, version: ModelVersion) -> None:
        """Make a version the champion; the present one is what `rollback` returns to."""
        with self._locked():
            champions = self._champions(version.name)
            with self._connection.asking():
                self._client.set_registered_model_alias(version.name, CHAMPION, str(version.number))
                aliases = self._client.get_registered_model(version.name).aliases
                if str(aliases.get(CHALLENGER)) == str(version.number):
                    self._client.delete_registered_model_alias(version.name, CHALLENGER)
            self._tag(version, "deployed_at", datetime.now(UTC).isoformat(timespec="seconds"))
            self._write_champions(version.name, [*champions, version.number])

    def previous_champion(self, name: str) -> ModelVersion:
        """Return the version that `rollback` returns to.

        Raises
        ------
        ModelError
            Where there is none.
        """
        versions = {each.number: each for each in self.versions(name)}
        present = next((each.number for each in versions.values() if CHAMPION in each.aliases), None)
        earlier = [number for number in self._champions(name) if number in versions]
        while earlier and earlier[-1] == present:
            earlier.pop()
        if not earlier:
            raise ModelError(f"{name} must have had a champion before the present one to roll back to, had none")
        return versions[earlier[-1]]

    def rollback(self, name: str) -> ModelVersion:
        """Make the champion before this one the champion again, and return it; `ModelError` where there is none."""
        with self._locked():
            target = self.previous_champion(name)
            champions = self._champions(name)
            last = len(champions) - champions[::-1].index(target.number)
            self._write_champions(name, champions[:last])
            self.set_alias(target, CHAMPION)
            self._tag(target, "deployed_at", datetime.now(UTC).isoformat(timespec="seconds"))
            return self.find(name, str(target.number))

    def write_plots(self, version: ModelVersion, plots: Mapping[str, str]) -> None:
        """Put files beside the plots of a version, or in their place: names and texts."""
        with self._connection.asking():
            for file, text in plots.items():
                self._client.log_text(version.run_id, text, f"{PLOTS}/{file}")

    def record(self, version: ModelVersion, decision: Mapping[str, Any]) -> None:
        """Write a judgement on its version, as the tag ``decision``."""
        self._tag(version, "decision", json.dumps(decision, default=str))

    def fetch(self, version: ModelVersion, bundles_dir: Path) -> Path:
        """Return the folder of the bundle of a version: where it was written, or a copy from the registry.

        Raises
        ------
        BundleError
            Where neither is there.
        """
        for path in (version.bundle_path, target := bundles_dir / version.bundle_version):
            if path.is_dir():
                return path
        with self._connection.asking():
            if not self._client.list_artifacts(version.run_id, ARTIFACT):
                raise BundleError(
                    f"bundle of {version} must be in {version.bundle_path} or in the registry, is in neither"
                )
            bundles_dir.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(prefix=".fetching-", dir=bundles_dir) as folder:
                os.replace(self._client.download_artifacts(version.run_id, ARTIFACT, folder), target)
        return target

    def _archive(self, name: str, keep_versions: int) -> tuple[ModelVersion, ...]:
        champions = self._champions(name)
        kept = set(champions[-2:])
        without_alias = [
            each
            for each in self.versions(name)
            if not each.aliases and each.number not in kept and PARENT not in each.tags
        ]
        removed = tuple(without_alias[keep_versions:])
        for each in removed:
            with self._connection.asking():
                artifacts = self._client.get_run(each.run_id).info.artifact_uri
                self._client.delete_model_version(name, str(each.number))
                self._client.delete_run(each.run_id)
            _remove_copy(artifacts, self._folder)
        return removed

    def _champions(self, name: str) -> list[int]:
        with self._connection.asking():
            tags = self._client.get_registered_model(name).tags
        return [int(number) for number in json.loads(tags.get(_CHAMPIONS, "[]"))]

    def _write_champions(self, name: str, numbers: list[int]) -> None:
        with self._connection.asking():
            self._client.set_registered_model_tag(name, _CHAMPIONS, json.dumps(numbers[-_N_CHAMPIONS:]))

    def _tag(self, version: ModelVersion, key: str, value: str) -> None:
        with self._connection.asking():
            self._client.set_model_version_tag(version.name, str(version.number), key, value)

    def _pages(self, search: Any, **options: Any) -> Iterator[Any]:
        token = None
        while True:
            page = search(max_results=_PAGE, page_token=token, **options)
            yield from page
            token = page.token
            if not token:
                return

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Hold the one lock of the writers on this machine: two trainings that end at once get two versions."""
        with (self._folder / ".lock").open("a") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield


def _read(found: Any, aliases: list[str]) -> ModelVersion:
    return ModelVersion(
        name=found.name,
        number=int(found.version),
        version=found.tags["version"],
        bundle_version=found.tags["bundle_version"],
        bundle_path=Path(found.tags["bundle_path"]),
        aliases=tuple(sorted(aliases)),
        run_id=found.run_id,
        created_at=datetime.fromtimestamp(found.creation_timestamp / 1e3, tz=UTC),
        tags=dict(found.tags),
    )


def _remove_copy(artifact_uri: str, folder: Path) -> None:
    """Remove the artifacts of a run that are files of this machine in `folder`; those of a server are its own."""
    parts = urlsplit(artifact_uri)
    path = Path(parts.path)
    if parts.scheme == "file" and path.is_relative_to(folder.resolve()):
        shutil.rmtree(path, ignore_errors=True)
