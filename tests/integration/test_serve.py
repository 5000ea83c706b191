"""The ensemble on a real cluster: asked in every way, swapped under load, refused, killed."""

import asyncio
import http.client
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import psutil
import pyarrow as pa
import pytest
import ray
import redis

from bench.random_bundle import write_random_bundle
from bench.steady_load import SteadyLoad
from configs.serving import ServingConfig
from deployments.client import EnsembleClient, find_ensemble
from deployments.ensemble import ModelChoice
from deployments.http_app import ARROW
from deployments.serving import EnsembleServer
from outcry.adapters.registry.models import ModelRegistry
from outcry.errors import BundleError
from outcry.features.config import FeatureSetConfig
from outcry.features.feature_set import build_feature_set
from outcry.market.bar_size import DAY_NS
from outcry.messages import FeatureFrame, Forecast, InputKind
from outcry.models.bundle import ModelBundle, load_bundle
from outcry.models.predictor import BundlePredictor

FEATURES = build_feature_set(FeatureSetConfig(), DAY_NS, ("SPY",))
FEATURE_NAMES = FEATURES.names
MODEL_FEATURES = FEATURE_NAMES[20:2:-1]
N_SYMBOLS = 100
COLUMNS = np.array([FEATURE_NAMES.index(name) for name in MODEL_FEATURES])


@pytest.fixture(scope="module")
def bundles(tmp_path_factory: pytest.TempPathFactory) -> list[ModelBundle]:
    directory = tmp_path_factory.mktemp("bundles")
    hashed = FEATURES.hash
    paths = [write_random_bundle(directory, MODEL_FEATURES, hashed, seed=seed, n_rounds=10) for seed in (0, 1)]
    return [load_bundle(path.resolve()) for path in paths]


@pytest.fixture(scope="module")
def mismatching_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_random_bundle(tmp_path_factory.mktemp("other"), ["alien"], FEATURES.hash, n_rounds=2)


@pytest.fixture(scope="module")
def corrupt_path(bundles: list[ModelBundle], tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("corrupt") / "bundle"
    shutil.copytree(bundles[1].path, path)
    (path / "xgboost.json").write_bytes((path / "xgboost.json").read_bytes()[:-9])
    return path


@pytest.fixture(scope="module")
def server(bundles: list[ModelBundle], corrupt_path: Path, redis_url: str) -> Iterator[EnsembleServer]:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    ray.init(address="local", num_cpus=2, include_dashboard=False, log_to_driver=False)
    server = EnsembleServer(ServingConfig(port=port, start_deadline_s=600.0), FEATURES, redis_url)
    try:
        with pytest.raises(BundleError, match="xgboost"):
            server.start(corrupt_path)
        server.start(bundles[0].path)
        yield server
    finally:
        server.stop()
        ray.shutdown()


@pytest.fixture(autouse=True)
def _first_bundle(server: EnsembleServer, bundles: list[ModelBundle]) -> None:
    assert server.swap(bundles[0].path).refusal == ""


def request(
    server: EnsembleServer, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None
) -> tuple[int, dict[str, str], bytes]:
    connection = http.client.HTTPConnection(server.url.removeprefix("http://"), timeout=30)
    try:
        raw = body if isinstance(body, bytes | None) else orjson.dumps(body)
        connection.request(method, path, raw, {"content-type": "application/json", **(headers or {})})
        answer = connection.getresponse()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
    finally:
        connection.close()


def probabilities(body: bytes) -> np.ndarray:
    entries = orjson.loads(body)["predictions"]
    return np.array([[entry["probability"][name] for name in ("up", "neutral", "down")] for entry in entries])


def model_rows(seed: int, n_rows: int) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((n_rows, len(MODEL_FEATURES)))


def feature_frame(seq: int) -> FeatureFrame:
    values = np.random.default_rng(seq).standard_normal((N_SYMBOLS, len(FEATURE_NAMES)))
    return FeatureFrame(seq, seq, values, np.zeros(N_SYMBOLS, dtype=np.bool_))


def await_settled(server: EnsembleServer) -> None:
    """Return when Serve, too, has seen the last change through: a replica that dies before counts as a bad one."""
    server._served.await_running(server._served.deadline_s())


def test_rows_symbols_and_binary_bodies_get_the_bits_of_the_bundle(server, bundles, redis_url: str) -> None:
    rows = model_rows(0, 300)
    expected = bundles[0].predict_proba(rows)
    sink = pa.BufferOutputStream()
    table = pa.table({name: rows[:, i] for i, name in enumerate(MODEL_FEATURES)})
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    with redis.Redis.from_url(redis_url) as cache:
        for symbol, row in zip("AB", rows.tolist(), strict=False):
            values = dict(zip(MODEL_FEATURES, row, strict=True))
            content = orjson.dumps({"seq": 0, "ts_close_ns": 0, "values": values})
            cache.set(f"features:{symbol}:latest", content, ex=30)
    by_rows = request(server, "POST", "/v1/predict", {"rows": rows.tolist()})
    by_symbol = request(server, "POST", "/v1/predict", {"symbols": ["B", "A"]})
    binary = request(
        server, "POST", "/v1/predict", sink.getvalue().to_pybytes(), {"content-type": ARROW, "accept": ARROW}
    )
    assert (by_rows[0], by_symbol[0], binary[0]) == (200, 200, 200)
    assert np.array_equal(probabilities(by_rows[2]), expected)
    assert np.array_equal(probabilities(by_symbol[2]), expected[[1, 0]])
    answer = pa.ipc.open_stream(binary[2]).read_all()
    assert np.array_equal(np.column_stack([answer[name] for name in ("up", "neutral", "down")]), expected)


def test_request_id_is_echoed_once_and_stands_in_the_error(server) -> None:
    status, headers, body = request(server, "POST", "/v1/predict", b"{", {"x-request-id": "mine-1"})
    assert (status, headers["x-request-id"]) == (400, "mine-1")
    assert orjson.loads(body)["request_id"] == "mine-1"
    assert request(server, "GET", "/nowhere")[0] == 404
    assert request(server, "GET", "/docs")[0] == 200


def test_proxy_and_replica_listen_on_loopback_only(server) -> None:
    proxies = [p for p in psutil.Process().children(recursive=True) if p.name() == "haproxy"]
    listening = [c.laddr for p in proxies for c in p.net_connections() if c.status == psutil.CONN_LISTEN]
    assert {address.ip for address in listening} == {"127.0.0.1"}
    assert int(server.url.rpartition(":")[2]) in {address.port for address in listening}
    replica = psutil.Process(server.status()[0].pid)
    ingress = [c.laddr for c in replica.net_connections() if c.laddr and 30000 <= c.laddr.port <= 31000]
    assert {address.ip for address in ingress} == {"127.0.0.1"}


def test_swap_under_load_drops_no_request_and_mixes_no_models(server, bundles) -> None:
    rows = model_rows(1, 3)
    expected = {bundle.version: bundle.predict_proba(rows) for bundle in bundles}
    raw = orjson.dumps({"rows": rows.tolist()})
    done = threading.Event()
    seen: list[tuple[int, bytes]] = []

    def ask() -> None:
        connection = http.client.HTTPConnection(server.url.removeprefix("http://"), timeout=30)
        while not done.is_set():
            connection.request("POST", "/v1/predict", raw, {"content-type": "application/json"})
            answer = connection.getresponse()
            seen.append((answer.status, answer.read()))
        connection.close()

    askers = [threading.Thread(target=ask) for _ in range(4)]
    for asker in askers:
        asker.start()
    try:
        outcomes = [server.swap(bundles[i].path) for i in (1, 0, 1)]
    finally:
        done.set()
        for asker in askers:
            asker.join()
    assert [outcome.model_version for outcome in outcomes] == [bundles[i].version for i in (1, 0, 1)]
    assert {status for status, _ in seen} == {200}
    versions = [orjson.loads(body)["model_version"] for _, body in seen]
    assert set(versions) == set(expected)
    for version, (_, body) in zip(versions, seen, strict=True):
        assert np.array_equal(probabilities(body), expected[version])


def test_promotion_and_rollback_under_load_fail_no_request_and_refuse_what_is_bad(
    server, bundles, corrupt_path, mismatching_path, redis_url, postgres_url, session_dir
) -> None:
    """The commands run in a process of their own, as an operator's; `bench/serve.py` has requests come faster."""
    champion, challenger = bundles
    settings = {
        "ray.address": ray.get_runtime_context().gcs_address,
        "storage.database_url": postgres_url,
        "storage.redis_url": redis_url,
        "floor.state_dir": session_dir / "served",
        "registry.model_name": "served",
    }
    assignments = [f"{key}={value}" for key, value in settings.items()]

    def command(*words: str) -> tuple[int, dict[str, Any] | str]:
        options = [word for assignment in assignments for word in ("--set", assignment)]
        line = [sys.executable, "-m", "cli", "models", *words, *options, "--json"]
        done = subprocess.run(line, capture_output=True, text=True, check=False)
        return done.returncode, orjson.loads(done.stdout) if done.stdout else done.stderr

    registry = ModelRegistry(None, database_url=postgres_url, folder=session_dir / "served" / "mlflow")
    for bundle in bundles:
        registry.register(bundle, {}, tags={}, plots={}, keep_versions=9, name="served")
    registry.promote(registry.versions("served")[-1])
    rows = model_rows(3, 3)
    expected = {bundle.version: bundle.predict_proba(rows) for bundle in bundles}
    seen = []
    with SteadyLoad(server.url, orjson.dumps({"rows": rows.tolist()}), per_s=40.0) as load:
        code, told = command("promote", "2", "--as", "shadow")
        assert (code, told["served"], "shadow" in told["aliases"]) == (0, challenger.version, True)
        assert {replica.shadow.model_version for replica in server.status()} == {challenger.version}
        for words, version in (
            (("promote", "2", "--force", "--reason", "to try it"), challenger.version),
            (("rollback", "--reason", "it was a try"), champion.version),
        ):
            code, told = command(*words)
            assert code == 0, told
            seen.append(told["served"])
            assert seen[-1] == version
            assert {replica.champion.model_version for replica in server.status()} == {version}
            assert {replica.shadow.model_version for replica in server.status()} == {""}
        assert command("promote", "2", "--as", "shadow", "--no-serve")[1]["served"] is None
        assert {replica.shadow.model_version for replica in server.status()} == {""}
        assert command("promote", "2", "--as", "shadow")[1]["served"] == challenger.version
        assert command("withdraw")[1]["dropped"] == challenger.version
        assert {replica.shadow.model_version for replica in server.status()} == {""}
        for path in (corrupt_path, mismatching_path) * 2:
            assert server.swap(path).refusal
            assert server.swap(challenger.path).refusal == ""
            assert server.swap(champion.path).refusal == ""
    assert load.failures == []
    assert {status for status, _ in load.answers} == {200}
    versions = [orjson.loads(body)["model_version"] for _, body in load.answers]
    assert set(versions) == set(expected)
    for version, (_, body) in zip(versions, load.answers, strict=True):
        assert np.array_equal(probabilities(body), expected[version])
    assert [each.aliases for each in registry.versions("served")] == [(), ("champion",)]


def test_bad_bundle_is_refused_and_the_present_one_answers(server, bundles, corrupt_path, mismatching_path) -> None:
    rows = model_rows(2, 5)
    for path, told in [(corrupt_path, "xgboost"), (mismatching_path, "alien")]:
        outcome = server.swap(path)
        assert outcome.model_version == bundles[0].version
        assert told in outcome.refusal
        health = orjson.loads(request(server, "GET", "/v1/health")[2])
        assert health["refused_bundle"]["path"] == str(path.resolve())
        assert told in health["refused_bundle"]["reason"]
        assert health["redis"] == "reachable"
        answer = request(server, "POST", "/v1/predict", {"rows": rows.tolist()})[2]
        assert np.array_equal(probabilities(answer), bundles[0].predict_proba(rows))


async def test_killed_replica_changes_no_forecast_and_returns_with_the_swapped_bundle(server, bundles) -> None:
    client = EnsembleClient(find_ensemble, FEATURE_NAMES, deadline_s=300.0)
    first = await client.predict(feature_frame(0))
    outcome = await asyncio.to_thread(server.swap, bundles[1].path)
    assert outcome.refusal == ""
    (before,) = await asyncio.to_thread(server.status)
    live = [first]
    for seq in range(1, 6):
        if seq == 3:
            os.kill(before.pid, signal.SIGKILL)
            impatient = await EnsembleClient(find_ensemble, FEATURE_NAMES, deadline_s=0.2).predict(feature_frame(seq))
            assert impatient.inputs[-1].kind is InputKind.FORECAST_FALLBACK
            assert np.isnan(impatient.probability).all()
        live.append(await client.predict(feature_frame(seq)))
    (after,) = await asyncio.to_thread(server.status)
    assert after.pid != before.pid
    assert after.champion.path == bundles[1].path
    recorded = [item for forecast in live for item in forecast.inputs]
    assert [(item.seq, item.kind) for item in recorded] == [(0, InputKind.MODEL_SWAPPED), (1, InputKind.MODEL_SWAPPED)]
    twin = BundlePredictor(*bundles, feature_names=FEATURE_NAMES, recorded=recorded)
    for forecast in live:
        repeated = await twin.predict(feature_frame(forecast.seq))
        assert forecast.probability.tobytes() == repeated.probability.tobytes()
        assert forecast.confidence.tobytes() == repeated.confidence.tobytes()
        assert (forecast.model_version, forecast.inputs) == (repeated.model_version, repeated.inputs)


async def test_a_shadow_answers_its_own_bits_and_stays_through_swaps_refusals_and_deaths(
    server, bundles, corrupt_path, mismatching_path
) -> None:
    """The champion's forecasts are those that it makes alone."""
    recorded: asyncio.Queue[Forecast] = asyncio.Queue()
    client = EnsembleClient(find_ensemble, FEATURE_NAMES, deadline_s=300.0, record_shadow=recorded.put)

    async def check(seq: int, champion: ModelBundle, shadow: ModelBundle | None) -> None:
        said = await client.predict(feature_frame(seq))
        rows = feature_frame(seq).values
        assert said.model_version == champion.version
        np.testing.assert_array_equal(said.probability, champion.predict_proba(rows, COLUMNS))
        if shadow is not None:
            watched = await asyncio.wait_for(recorded.get(), 60.0)
            assert (watched.seq, watched.model_version) == (seq, shadow.version)
            np.testing.assert_array_equal(watched.probability, shadow.predict_proba(rows, COLUMNS))

    first, second = bundles
    await check(0, first, None)
    try:
        made = await asyncio.to_thread(server.set_shadow, second.path)
        assert (made.model_version, made.refusal) == (second.version, "")
        await check(1, first, second)
        listed = orjson.loads(request(server, "GET", "/v1/models")[2])["models"]
        assert [(each["role"], each["version"]) for each in listed] == [
            ("champion", first.version),
            ("shadow", second.version),
        ]
        for path, told in [(corrupt_path, "xgboost"), (mismatching_path, "alien")]:
            refused = await asyncio.to_thread(server.set_shadow, path)
            assert refused.model_version == second.version
            assert told in refused.refusal
            health = orjson.loads(request(server, "GET", "/v1/health")[2])
            assert (health["model_version"], health["refused_bundle"]) == (first.version, None)
            assert health["refused_shadow"]["path"] == str(path.resolve())
        await check(2, first, second)
        assert (await asyncio.to_thread(server.swap, corrupt_path)).refusal
        assert (await asyncio.to_thread(server.swap, second.path)).refusal == ""
        await check(3, second, second)
        assert (await asyncio.to_thread(server.swap, first.path)).refusal == ""
        await check(4, first, second)
        await asyncio.to_thread(await_settled, server)
        (before,) = await asyncio.to_thread(server.status)
        os.kill(before.pid, signal.SIGKILL)
        await check(5, first, second)
        (after,) = await asyncio.to_thread(server.status)
        assert after.pid != before.pid
    finally:
        ended = await asyncio.to_thread(server.set_shadow, None)
    assert (ended.model_version, ended.refusal) == ("", "")
    await check(6, first, None)
    assert recorded.empty()


async def test_a_replica_that_starts_with_a_bad_shadow_serves_without_it(server, bundles, corrupt_path) -> None:
    server._served.declare(ModelChoice(bundle_path=bundles[0].path, shadow_path=corrupt_path.resolve()))
    await asyncio.to_thread(await_settled, server)
    (before,) = await asyncio.to_thread(server.status)
    os.kill(before.pid, signal.SIGKILL)
    said = await EnsembleClient(find_ensemble, FEATURE_NAMES, deadline_s=300.0).predict(feature_frame(0))
    np.testing.assert_array_equal(said.probability, bundles[0].predict_proba(feature_frame(0).values, COLUMNS))
    (after,) = await asyncio.to_thread(server.status)
    assert after.pid != before.pid
    assert (after.champion.path, after.champion.refused) == (bundles[0].path, None)
    assert (after.shadow.path, after.shadow.refused.path) == (None, corrupt_path.resolve())
    assert (await asyncio.to_thread(server.set_shadow, None)).refusal == ""


async def test_rows_the_model_refuses_are_a_fallback_with_the_same_reason_as_in_process(server, bundles) -> None:
    frame = feature_frame(0)
    frame.values[7, FEATURE_NAMES.index(MODEL_FEATURES[0])] = np.inf
    live = await EnsembleClient(find_ensemble, FEATURE_NAMES, deadline_s=300.0).predict(frame)
    twin = await BundlePredictor(bundles[0], feature_names=FEATURE_NAMES).predict(frame)
    assert live.inputs == twin.inputs
    assert live.inputs[0].kind is InputKind.FORECAST_FALLBACK
