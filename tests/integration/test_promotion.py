"""From a bundle to the champion on real bars, a real MLflow and a real journal: every decision with its reason."""

import json
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from typer.testing import CliRunner

from bench.random_bundle import write_random_bundle
from cli.__main__ import app
from cli.promotion import Promotion, promote_version
from cli.registry_session import RegistrySession, registry_of
from configs.loader import load_settings
from configs.plan import resolve_features
from outcry.adapters.registry.version import ModelVersion
from outcry.errors import BundleError, ConfigurationError, DataNotFoundError, ModelError
from outcry.market.bar_size import DAY_NS
from outcry.models.bundle import load_bundle
from outcry.models.explanation import explanation_path, read_explanation

SYMBOLS = ("AAPL", "IBM")
COLUMNS = ("tech_rsi_14_raw", "tech_stochrsi_14_k", "tech_hv_20_annual")
NOISY, MILD = 60, 1
"""Rounds fitted to noise: many are sure of what is not so, one says nearly nothing, which loses less."""


@pytest.fixture(scope="module")
def assignments(postgres_url: str, redis_url: str, session_dir: Path) -> list[str]:
    chosen = {
        "market.symbols": json.dumps(SYMBOLS),
        "features.columns": json.dumps(COLUMNS),
        "storage.database_url": postgres_url,
        "storage.redis_url": redis_url,
        "floor.state_dir": session_dir / "promotion",
        "registry.min_frames": 50,
    }
    return [f"{key}={value}" for key, value in chosen.items()]


@pytest.fixture(scope="module")
def session(assignments: list[str]) -> Iterator[RegistrySession]:
    with registry_of(load_settings(assignments=assignments)) as opened:
        yield opened


@pytest.fixture(scope="module")
def features_hash(session: RegistrySession) -> str:
    return resolve_features(session.settings.features, DAY_NS, SYMBOLS).hash


def register(
    session: RegistrySession, name: str, seed: int, n_rounds: int, features_hash: str, **options: Any
) -> ModelVersion:
    bundles = session.settings.floor.state_dir / "bundles"
    bundle = load_bundle(
        write_random_bundle(bundles, COLUMNS, features_hash, seed=seed, n_rounds=n_rounds, bar_ns=DAY_NS, **options)
    )
    made = session.registry.register(bundle, {}, tags={"fingerprint": ""}, plots={}, keep_versions=99, name=name)
    return made.version


def promote(session: RegistrySession, version: ModelVersion, forced_by: str | None = None) -> Promotion:
    return promote_version(session, version, lambda step, done: None, forced_by=forced_by, serves=True)


def failed(promotion: Promotion) -> set[str]:
    return {check.name for check in promotion.judgement.checks if not check.holds}


def aliases(session: RegistrySession, name: str) -> dict[int, tuple[str, ...]]:
    return {each.number: each.aliases for each in session.registry.versions(name)}


def test_the_first_model_must_beat_the_class_frequencies_or_be_forced(session, features_hash, redis_url):
    noisy = register(session, "first", 0, NOISY, features_hash)
    refused = promote(session, noisy)
    assert (refused.outcome, refused.version.aliases, refused.served) == ("refused", ("challenger",), "")
    assert {"gain in log loss", "p-value"} <= failed(refused)
    assert refused.judgement.rival == "class frequencies"
    told = json.loads(session.registry.find("first", "1").tags["decision"])
    assert (told["outcome"], told["reason"]) == ("refused", refused.reason)
    assert "gain in log loss -" in refused.reason
    with redis.Redis.from_url(redis_url, decode_responses=True) as cache:
        assert cache.get("model:active:first") is None
        forced = promote(session, noisy, "nothing else is there")
        assert cache.get("model:active:first") == noisy.bundle_version
    assert (forced.outcome, forced.version.aliases) == ("forced", ("champion",))
    assert forced.reason == f"nothing else is there ({forced.judgement.reason})"
    assert forced.version.tags["deployed_at"].startswith("20")
    with pytest.raises(ModelError, match=r"first 1\.0\.0 must not be champion already, is"):
        promote(session, noisy)
    assert [(each.outcome, each.action) for each in session.decisions("first")] == [
        ("forced", "promote"),
        ("refused", "promote"),
    ]


def test_only_a_better_model_takes_the_place_and_a_rollback_gives_it_back(session, features_hash):
    name = "better"
    noisy, mild = (register(session, name, n, rounds, features_hash) for n, rounds in enumerate((NOISY, MILD)))
    worse = register(session, name, 2, NOISY, features_hash)
    promote(session, noisy, "to begin with")
    assert session.make_shadow(mild, serves=True) == ("", "")
    assert aliases(session, name)[2] == ("shadow",)
    accepted = promote(session, mild)  # who trades is no longer watched
    assert (accepted.outcome, failed(accepted)) == ("accepted", set())
    test = accepted.judgement.comparison.test
    assert test.p_value < 1e-6
    assert test.gain_nats > 0.01
    assert test.n_lags == 5
    refused = promote(session, worse)
    assert refused.outcome == "refused"
    assert {"gain in log loss", "p-value"} <= failed(refused)
    assert aliases(session, name) == {3: ("challenger",), 2: ("champion",), 1: ()}
    now, served = session.roll_back(name, "it traded badly", serves=True)
    assert (now.number, served) == (1, "")
    assert aliases(session, name) == {3: ("challenger",), 2: (), 1: ("champion",)}
    last = session.decisions(name)[0]
    assert (last.action, last.reason, last.champion_version) == ("rollback", "it traded badly", mild.bundle_version)
    with pytest.raises(ModelError, match="must have had a champion before"):
        session.roll_back(name, "again", serves=True)


def test_every_try_against_a_champion_counts(session, features_hash):
    name = "tried"
    champion = register(session, name, 0, NOISY, features_hash)
    promote(session, champion, "to begin with")
    tries = [promote(session, register(session, name, seed, NOISY, features_hash)) for seed in (1, 2)]
    again = promote(session, tries[0].version)
    assert [each.judgement.n_rivals for each in (*tries, again)] == [1, 2, 2]
    by_name = {check.name: check.found for check in tries[1].judgement.checks}
    assert by_name["p-value"].endswith("(of 2 models)")


def test_limits_are_held_each_by_its_name(session, assignments, features_hash):
    name = "limits"
    promote(session, register(session, name, 0, NOISY, features_hash), "to begin with")
    mild = register(session, name, 1, MILD, features_hash)
    limits = {
        "min_frames": (100_000, "unseen frames"),
        "min_gain_nats": (9.0, "gain in log loss"),
        "max_p_value": (1e-300, "p-value"),
        "max_ece_frac": (1e-9, "calibration error"),
        "max_row_ms": (1e-9, "time of one row"),
        "max_frame_ms": (1e-9, "time of 2 rows"),
        "max_size_mb": (1e-9, "size"),
    }
    for key, (value, check) in limits.items():
        options = {"registry": {"min_frames": 50, "max_frames": 200, key: value}}
        session_settings, session.settings = session.settings, load_settings(assignments=assignments, options=options)
        try:
            refused = promote(session, mild)
        finally:
            session.settings = session_settings
        assert failed(refused) == {check}
        assert refused.outcome == "refused"
        if key != "min_frames":
            assert refused.judgement.comparison.test.n_frames == 200


def test_another_target_or_feature_set_is_not_compared(session, features_hash):
    name = "others"
    promote(session, register(session, name, 0, NOISY, features_hash), "to begin with")
    alien = promote(session, register(session, name, 1, MILD, "alien"))
    assert (alien.outcome, failed(alien), alien.judgement.comparison) == ("refused", {"feature set"}, None)
    first = promote(session, register(session, "first alien", 1, MILD, "alien"))
    assert failed(first) == {"features"}
    assert "must read the feature set of the settings" in first.reason


def test_a_damaged_bundle_is_named_and_the_champion_stays(session, features_hash, tmp_path):
    name = "damaged"
    promote(session, register(session, name, 0, NOISY, features_hash), "to begin with")
    mild = register(session, name, 9, MILD, features_hash)
    shutil.copytree(mild.bundle_path, tmp_path / "kept")
    (mild.bundle_path / "xgboost.json").write_bytes(b"{")
    try:
        with pytest.raises(BundleError, match="xgboost"):
            promote(session, mild)
    finally:
        shutil.rmtree(mild.bundle_path)
        shutil.move(tmp_path / "kept", mild.bundle_path)
    assert aliases(session, name)[1] == ("champion",)


def outcry(assignments: list[str], *words: str) -> Any:
    """Run a command line; return what typer says of it."""
    options = [word for assignment in assignments for word in ("--set", assignment)]
    return CliRunner().invoke(app, [*words, *options])


def test_commands_print_one_json_document_each(session, assignments, features_hash):
    name = "commands"
    register(session, name, 0, NOISY, features_hash)
    register(session, name, 1, MILD, features_hash)

    def ask(*words: str) -> Any:
        result = outcry(assignments, "models", *words, "--model", name, "--json")
        assert result.exit_code == 0, result.exception
        return json.loads(result.stdout)

    assert [each["number"] for each in ask("list")] == [2, 1]
    assert ask("promote", "1", "--force", "--reason", "to begin with")["aliases"] == ["champion"]
    found = ask("compare")
    assert (found["first"], found["second"], found["holds"]) == ("1.0.0", "1.0.1", True)
    assert ask("promote")["outcome"] == "accepted"
    shown = ask("show")
    assert (shown["version"], shown["aliases"]) == ("1.0.1", ["champion"])
    assert [each["outcome"] for each in shown["decisions"]] == ["accepted"]
    assert shown["metrics"]["bundle.n_features"] == len(COLUMNS)
    assert ask("rollback", "--reason", "no")["number"] == 1
    marked = ask("promote", "2", "--as", "shadow")
    assert (marked["aliases"], marked["outcome"], marked["served"]) == (["shadow"], "accepted", None)
    for words in (["list"], ["show"], ["compare", "champion", "shadow"]):
        result = outcry(assignments, "models", *words, "--model", name)
        assert result.exit_code == 0, result.exception
        assert "1.0.0" in result.stdout
    refused = outcry(assignments, "models", "promote", "2", "--model", name, "--set", "registry.max_p_value=1e-300")
    assert refused.exit_code == 1
    assert "is not promoted: p-value" in refused.stdout
    assert ask("withdraw") == {"name": name, "alias": "shadow", "version": "1.0.1", "dropped": None}
    assert ask("promote", "2", "--as", "challenger")["aliases"] == ["challenger"]
    assert ask("withdraw", "challenger")["version"] == "1.0.1"
    assert [each["aliases"] for each in ask("list")] == [[], ["champion"]]
    for words, error in [
        (["withdraw"], ModelError),
        (["withdraw", "champion"], ConfigurationError),
        (["promote", "2", "--force"], ConfigurationError),
        (["promote", "2", "--as", "boss"], ConfigurationError),
        (["show", "9.9.9"], ModelError),
    ]:
        assert isinstance(outcry(assignments, "models", *words, "--model", name).exception, error)
    assert isinstance(outcry(assignments, "models", "show", "--model", "nobody").exception, ModelError)


def test_a_training_keeps_its_bundle_where_the_registry_is_gone_then_registers_and_explains_it(assignments, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    few = ["training.selection=[]", "training.xgboost.max_rounds=2", "training.lightgbm.max_rounds=2"]
    chosen = [*assignments, *few, f"floor.state_dir={tmp_path}", "registry.model_name=trained", "training.n_folds=2"]
    gone = outcry([*chosen, f"storage.mlflow_url=postgresql://me:hush@127.0.0.1:{port}/models"], "train")
    assert gone.exit_code == 1
    (bundle,) = [path for path in (tmp_path / "bundles").iterdir() if (path / "manifest.json").is_file()]
    said = gone.output.replace("\n", " ")
    assert f"port {port} database models" in said
    assert "the bundle is kept in" in said
    assert "hush" not in said
    unregistered = outcry(chosen, "train", "--no-register", "--json")
    assert json.loads(unregistered.stdout)["registered"] is None
    later = outcry(chosen, "train", "--json", "--promote")
    document = json.loads(later.stdout)["registered"]
    assert (document["bundle_version"], document["version"], document["is_new"]) == (bundle.name, "1.0.0", True)
    assert document["aliases"] == ["challenger"]
    assert document["promotion"]["outcome"] in {"accepted", "refused"}
    again = json.loads(outcry(chosen, "train", "--json").stdout)["registered"]
    assert (again["number"], again["is_new"]) == (1, False)
    explained = outcry(chosen, "models", "explain", "challenger", "--rows", "99999", "--repeats", "2", "--json")
    found = json.loads(explained.stdout)
    test = load_bundle(bundle).manifest.test
    assert (found["n_rows"], found["bundle_version"]) == (test.n, bundle.name)  # the rows that judged it, no others
    assert found["log_loss"] == pytest.approx(test.log_loss, rel=1e-12)
    assert {name for each in found["importance"] for name in each["columns"]} == set(COLUMNS)
    assert [(each["whom"], each["is_exact"]) for each in found["contributions"]] == [
        ("ensemble", False),
        ("xgboost", True),
        ("lightgbm", True),
    ]
    assert len(found["drift"]) == 2
    assert read_explanation(explanation_path(tmp_path, bundle.name)).n_rows == test.n
    assert "What moves the forecast" in Path(found["report"]).read_text(encoding="utf-8")
    by_bundle = outcry(chosen, "models", "explain", str(bundle), "--rows", "100", "--repeats", "2", "--together", "0.5")
    assert by_bundle.exit_code == 0, by_bundle.exception
    elsewhere = outcry(chosen, "models", "explain", bundle.name, "--from", "2010-01-01")
    assert isinstance(elsewhere.exception, DataNotFoundError)
