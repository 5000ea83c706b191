"""What a training leaves in MLflow: parameters, metrics, tags, plots, and a copy of its bundle."""

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

from outcry.adapters.clock import SystemClock
from outcry.adapters.registry.connection import MlflowConnection
from outcry.models.bundle import ModelBundle, load_members
from outcry.models.manifest import BundleManifest, FoldRecord
from outcry.models.tree_model import TreeModel

ARTIFACT = "bundle"
PLOTS = "plots"
_MAX_A_BATCH = 100
_MAX_TAG_LENGTH = 5_000
_SCORES = ("log_loss", "base_log_loss", "brier", "ece_frac", "accuracy", "n")


def write_run(  # noqa: PLR0917 - what a run is made of
    connection: MlflowConnection,
    bundle: ModelBundle,
    name: str,
    settings: Mapping[str, Any],
    tags: Mapping[str, str],
    plots: Mapping[str, str],
) -> str:
    """Write a run of the experiment `name`, and return its id.

    Parameters
    ----------
    connection : MlflowConnection
    bundle : ModelBundle
    name : str
    settings : mapping
        JSON values, nested; without secrets.
    tags : mapping of str to str
    plots : mapping of str to str
        File names and their text.

    Raises
    ------
    ServiceError
        Where it cannot be written; what was written is then marked as failed.
    """
    with connection.asking():
        from mlflow.entities import Metric, Param  # noqa: PLC0415 - takes seconds

        client = connection.client
        run = client.create_run(_experiment(connection, name), tags=dict(tags), run_name=bundle.version)
        run_id: str = run.info.run_id
        try:
            ts_ms = SystemClock().now_ns() // 10**6
            metrics = [Metric(key, value, ts_ms, step) for key, value, step in metrics_of(bundle)]
            client.log_batch(run_id, metrics=metrics)
            params = (Param(key, str(value)) for key, value in flatten(settings))
            while batch := list(islice(params, _MAX_A_BATCH)):
                client.log_batch(run_id, params=batch)
            for file, text in plots.items():
                client.log_text(run_id, text, f"{PLOTS}/{file}")
            client.log_artifacts(run_id, str(bundle.path), ARTIFACT)
        except BaseException:
            client.set_terminated(run_id, "FAILED")
            raise
        client.set_terminated(run_id)
    return run_id


def tags_of(manifest: BundleManifest) -> dict[str, str]:
    """Return what a version is found by: where the bundle comes from, as text."""
    return {
        "bundle_version": manifest.version,
        "features_hash": manifest.features_hash,
        "n_features": str(len(manifest.feature_names)),
        "horizon_bars": str(manifest.label.horizon_bars),
        "bar_ns": str(manifest.bar_ns),
        "first_ts_ns": str(manifest.first_ts_ns),
        "last_ts_ns": str(manifest.last_ts_ns),
        "families": ",".join(member.name for member in manifest.members),
        "n_symbols": str(len(manifest.symbols)),
        "universe": ",".join(manifest.symbols)[:_MAX_TAG_LENGTH],
        "code_version": manifest.code_version,
        "seed": str(manifest.seed),
    }


def metrics_of(bundle: ModelBundle) -> Iterator[tuple[str, float, int]]:
    """Yield key, value and step: of each fold (the step is its number, the oldest 1), the test fold, the model."""
    manifest = bundle.manifest
    for number, fold in enumerate(manifest.folds, start=1):
        yield from ((f"fold.{key}", value, number) for key, value in _scores(fold))
    yield from ((f"test.{key}", value, 0) for key, value in _scores(manifest.test))
    models = load_members(bundle)
    for member in manifest.members:
        key = f"member.{member.name.replace('@', '_at_')}"  # MLflow takes no @ in a key
        if member.weight_frac is not None:
            yield f"{key}.weight_frac", member.weight_frac, 0
        if isinstance(model := models[member.name], TreeModel):
            yield f"{key}.n_rounds", float(model.n_rounds), 0
    yield "bundle.size_bytes", float(size_bytes(bundle)), 0
    yield "bundle.n_features", float(len(bundle.feature_names)), 0


def size_bytes(bundle: ModelBundle) -> int:
    """Return the size of the files of a bundle."""
    return sum(file.stat().st_size for file in bundle.path.iterdir() if file.is_file())


def flatten(settings: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield ``section.key`` and value of nested settings; lists are numbered from 0.

    Examples
    --------
    >>> dict(flatten({"a": {"b": 1}, "c": [2, 3]}))
    {'a.b': 1, 'c.0': 2, 'c.1': 3}
    """
    for key, value in settings.items():
        if isinstance(value, Mapping):
            yield from flatten(value, f"{prefix}{key}.")
        elif isinstance(value, list | tuple):
            yield from flatten({str(place): each for place, each in enumerate(value)}, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def _scores(fold: FoldRecord) -> Iterator[tuple[str, float]]:
    return ((key, float(getattr(fold, key))) for key in _SCORES)


def _experiment(connection: MlflowConnection, name: str) -> str:
    found = connection.client.get_experiment_by_name(name)
    if found is not None:
        return str(found.experiment_id)
    return str(connection.client.create_experiment(name, artifact_location=connection.artifact_location))
