"""The model registry on a real MLflow over the real PostgreSQL: versions, aliases, rollback, archive, bad servers."""

import json
import shutil
import socket
import time
from pathlib import Path

import pytest
from pydantic import SecretStr

from bench.random_bundle import write_random_bundle
from outcry.adapters.registry.connection import MlflowConnection, describe
from outcry.adapters.registry.models import ModelRegistry, Registration
from outcry.adapters.registry.training_run import metrics_of
from outcry.adapters.registry.version import ONLINE, PARENT
from outcry.errors import BundleError, ModelError, ServiceError
from outcry.models.bundle import ModelBundle, load_bundle

FEATURES = ["one", "two", "three"]
SETTINGS = {"horizon_bars": 5, "xgboost": {"max_rounds": 2}, "selection": [{"method": "variance"}]}


@pytest.fixture(scope="module")
def bundles_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("bundles")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("mlflow")


@pytest.fixture(scope="module")
def registry(postgres_url: str, folder: Path) -> ModelRegistry:
    return ModelRegistry(None, database_url=postgres_url, folder=folder)


def bundle(directory: Path, seed: int, features_hash: str = "hash") -> ModelBundle:
    return load_bundle(write_random_bundle(directory, FEATURES, features_hash, seed=seed, n_rounds=1))


def register(registry: ModelRegistry, model: ModelBundle, name: str, **options) -> Registration:
    chosen = {"settings": SETTINGS, "plots": {"model.html": "<html>"}, "keep_versions": 5} | options
    return registry.register(model, name=name, tags={"fingerprint": "market"}, **chosen)


def champions(registry: ModelRegistry, name: str) -> list[int]:
    return [each.number for each in registry.versions(name) if "champion" in each.aliases]


def test_a_training_is_written_down_whole(registry, bundles_dir, tmp_path):
    model = bundle(bundles_dir, 0)
    made = register(registry, model, "whole")
    version = made.version
    assert made.is_new
    assert (version.number, version.version, version.aliases) == (1, "1.0.0", ("challenger",))
    assert (version.bundle_version, version.bundle_path) == (model.version, model.path)
    told = {"features_hash": "hash", "fingerprint": "market", "seed": "0", "code_version": "bench", "universe": "NOISE"}
    assert told.items() <= version.tags.items()
    run = registry._client.get_run(version.run_id)
    assert run.info.status == "FINISHED"
    assert run.data.params == {"horizon_bars": "5", "xgboost.max_rounds": "2", "selection.0.method": "variance"}
    expected = {key: value for key, value, _ in metrics_of(model)}
    assert run.data.metrics == pytest.approx(expected)
    assert expected["member.xgboost.n_rounds"] == expected["member.lightgbm.n_rounds"] == 1
    assert {"test.log_loss", "fold.log_loss", "test.base_log_loss", "test.ece_frac"} <= set(expected)
    files = {each.path for each in registry._client.list_artifacts(version.run_id, "bundle")}
    assert files == {f"bundle/{each.name}" for each in model.path.iterdir()}
    assert registry._client.list_artifacts(version.run_id, "plots")[0].path == "plots/model.html"
    again = register(registry, model, "whole")
    assert not again.is_new
    assert again.version == version
    assert len(registry.versions("whole")) == 1

    moved = bundles_dir / "elsewhere"
    shutil.move(model.path, moved)  # the disk that held it is gone: the registry has a copy
    fetched = registry.fetch(version, tmp_path / "fetched")
    assert load_bundle(fetched).version == model.version
    shutil.move(moved, model.path)
    assert registry.fetch(version, tmp_path / "fetched") == model.path


def test_numbers_tell_what_changed(registry, bundles_dir):
    versions = [
        register(registry, bundle(bundles_dir, 10), "numbers").version.version,
        register(registry, bundle(bundles_dir, 11), "numbers").version.version,
        register(registry, bundle(bundles_dir, 12), "numbers", settings={"horizon_bars": 6}).version.version,
        register(registry, bundle(bundles_dir, 13), "numbers", settings={"horizon_bars": 6}).version.version,
        register(registry, bundle(bundles_dir, 14, "other"), "numbers").version.version,
    ]
    assert versions == ["1.0.0", "1.0.1", "1.1.0", "1.1.1", "2.0.0"]
    found = registry.versions("numbers")
    assert [each.version for each in found] == versions[::-1]
    assert [each.aliases for each in found] == [("challenger",), (), (), (), ()]
    third = found[2]
    for wanted in ("1.1.0", "3", third.bundle_version, third.bundle_version[:8]):
        assert registry.find("numbers", wanted) == third
    assert registry.find("numbers", "challenger") == found[0]
    with pytest.raises(ModelError, match=r"a number, of a bundle, or one of challenger, 2\.0\.0, .*; was champion"):
        registry.find("numbers", "champion")


def test_rollback_returns_through_every_champion_and_then_says_so(registry, bundles_dir):
    versions = [register(registry, bundle(bundles_dir, 20 + n), "rolled").version for n in range(3)]
    with pytest.raises(ModelError, match="must have had a champion before"):
        registry.rollback("rolled")
    for number in (1, 2, 1, 3):
        registry.promote(registry.find("rolled", str(number)))
        assert champions(registry, "rolled") == [number]
    assert registry.find("rolled", "3").aliases == ("champion",)  # no challenger any more
    for expected in (1, 2, 1):
        assert registry.rollback("rolled").number == expected
        assert champions(registry, "rolled") == [expected]
    with pytest.raises(ModelError, match="must have had a champion before"):
        registry.rollback("rolled")
    registry.promote(registry.find("rolled", versions[1].version))
    assert registry.rollback("rolled").number == 1


def test_updates_stay_whatever_is_kept_and_the_challenger_is_no_other(registry, bundles_dir):
    trained = register(registry, bundle(bundles_dir, 60), "updated").version
    for seed in (61, 62):
        made = registry.register(
            bundle(bundles_dir, seed),
            SETTINGS,
            tags={PARENT: trained.bundle_version},
            plots={},
            keep_versions=1,
            name="updated",
            alias=ONLINE,
        )
        assert made.removed == ()
    register(registry, bundle(bundles_dir, 63), "updated", keep_versions=1)
    register(registry, bundle(bundles_dir, 64), "updated", keep_versions=1)
    found = {each.number: each.aliases for each in registry.versions("updated")}
    assert found == {5: ("challenger",), 4: (), 3: ("online",), 2: ()}


def test_old_versions_go_and_what_has_an_alias_or_was_champion_last_stays(registry, bundles_dir, folder):
    for n in range(3):
        register(registry, bundle(bundles_dir, 30 + n), "archived", keep_versions=9)
    registry.promote(registry.find("archived", "1"))
    registry.promote(registry.find("archived", "2"))
    registry.set_alias(registry.find("archived", "3"), "shadow")
    copies = set(folder.rglob("bundle"))
    kept, removed = [], []
    for n in range(3, 7):
        made = register(registry, bundle(bundles_dir, 30 + n), "archived", keep_versions=2)
        removed += [each.number for each in made.removed]
        kept = [each.number for each in registry.versions("archived")]
    assert removed == [4]
    assert kept == [7, 6, 5, 3, 2, 1]
    assert len(set(folder.rglob("bundle")) - copies) == 3  # the copy of the one that went has gone with it
    assert all((bundles_dir / bundle(bundles_dir, 30 + n).version).is_dir() for n in range(7))


def test_a_bundle_in_neither_place_is_named(registry, bundles_dir, folder, tmp_path):
    version = register(registry, bundle(tmp_path / "gone", 40), "lost").version
    shutil.rmtree(tmp_path / "gone")
    artifacts = registry._client.get_run(version.run_id).info.artifact_uri.removeprefix("file://")
    assert Path(artifacts).is_relative_to(folder)
    shutil.rmtree(artifacts)
    with pytest.raises(BundleError, match=r"bundle of lost 1\.0\.0 must be in .* or in the registry, is in neither"):
        registry.fetch(version, tmp_path)


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("postgresql://me:hush@127.0.0.1:{port}/models", "host 127.0.0.1 port {port} database models"),
        ("postgresql+psycopg2://me:hush@127.0.0.1:{port}/models", "host 127.0.0.1 port {port} database models"),
        ("http://me:hush@127.0.0.1:{port}", "http://127.0.0.1:{port}"),
        ("sqlite:////proc/no/models.db", "sqlite:///"),
    ],
)
def test_unreachable_registry_is_one_error_that_names_it_and_no_password(url, told, folder, postgres_url):
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    started = time.monotonic()
    with pytest.raises(ServiceError) as caught:
        ModelRegistry(SecretStr(url.format(port=port)), database_url=postgres_url, folder=folder)
    message = str(caught.value)
    assert told.format(port=port) in message
    assert "hush" not in message
    assert "\n" not in message
    assert caught.value.__cause__ is None
    assert time.monotonic() - started < 60


def test_a_database_of_ones_own_is_used_by_url(tmp_path, postgres_url, bundles_dir):
    url = SecretStr(f"sqlite:///{tmp_path / 'models.db'}")
    registry = ModelRegistry(url, database_url=postgres_url, folder=tmp_path)
    assert registry.names() == []
    version = register(registry, bundle(bundles_dir, 50), "mine").version
    assert registry.names() == ["mine"]
    registry.record(version, {"holds": True})
    assert json.loads(registry.find("mine", "1").tags["decision"]) == {"holds": True}


def test_a_database_of_something_else_is_refused(tmp_path, postgres_url):
    with pytest.raises(ServiceError, match="model registry"):
        MlflowConnection(SecretStr("mysql://nobody@127.0.0.1:1/x"), database_url=postgres_url, folder=tmp_path)
    assert describe("postgresql+psycopg2://me:hush@host/db") == "host host port 5432 database db"
