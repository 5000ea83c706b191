"""What the model registry costs: MLflow's import, the way to its database, a training written down, a list."""

import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path
from time import perf_counter

from bench.harness import Result, measure, result
from bench.random_bundle import write_random_bundle
from outcry.adapters.embedded.postgres import EmbeddedPostgres
from outcry.adapters.registry.connection import is_installed
from outcry.adapters.registry.models import ModelRegistry
from outcry.models.bundle import load_bundle

N_VERSIONS = 10
NAMES = [f"feature_{k}" for k in range(60)]


def run() -> list[Result]:
    """Measure on an embedded PostgreSQL of its own; nothing where the extra ``train`` is not installed."""
    if not is_installed():
        return []
    import_s = min(_import_s() for _ in range(3))
    found = [result("registry, import MLflow", import_s, "s", "from mlflow import MlflowClient, in a new process")]
    with tempfile.TemporaryDirectory(prefix="outcry-bench-") as name:
        folder = Path(name)
        server = EmbeddedPostgres(folder / "postgres")
        url = server.start()
        try:
            ModelRegistry(None, database_url=url, folder=folder / "warm")  # imports what the figures leave out
            (folder / "mlflow").mkdir()
            started = perf_counter()
            registry = ModelRegistry(None, database_url=url, folder=folder / "mlflow")
            opened_s = perf_counter() - started
            paths = [
                write_random_bundle(folder / "bundles", NAMES, "hash", seed=seed, n_rounds=100)
                for seed in range(N_VERSIONS)
            ]
            bundles = [load_bundle(path) for path in paths]
            register = partial(
                registry.register, settings={"seed": 7}, tags={}, plots={}, keep_versions=N_VERSIONS, name="bench"
            )
            seconds = [measure(partial(register, bundle), n=1, warmup=0)[0] for bundle in bundles]
            listed = measure(lambda: registry.versions("bench"), n=20)
        finally:
            server.stop()
    how = "embedded PostgreSQL; bundles of 2 x 100 rounds over 60 features"
    return [
        *found,
        result("registry, open", opened_s, "s", f"{how}; its tables are there"),
        result("registry, register", sorted(seconds)[N_VERSIONS // 2], "s", f"{how}; median of {N_VERSIONS}"),
        result("registry, list", sorted(listed)[10], "s", f"{how}; {N_VERSIONS} versions, median of 20"),
    ]


def _import_s() -> float:
    code = (
        "import os, time; os.environ['MLFLOW_DISABLE_TELEMETRY'] = 'true'; t = time.perf_counter(); "
        "from mlflow import MlflowClient; print(time.perf_counter() - t)"
    )
    return float(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout)
