"""How fast the served ensemble answers: over HTTP, by rows and in bulk, and through a handle."""

import http.client
import json
import logging
import os
import re
import shutil
import socket
import statistics
import subprocess
import tempfile
from functools import partial
from pathlib import Path
from time import perf_counter, sleep
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import pyarrow as pa
import ray

from bench.harness import Result, measure, percentiles, result
from bench.random_bundle import N_HIDDEN, write_random_bundle
from bench.steady_load import SteadyLoad
from configs.serving import ServingConfig
from deployments.client import EnsembleClient, find_ensemble
from deployments.http_app import ARROW, JSON
from deployments.serving import EnsembleServer
from outcry.features.config import FeatureSetConfig
from outcry.features.feature_set import build_feature_set
from outcry.market.bar_size import DAY_NS
from outcry.messages import FeatureFrame
from outcry.models.bundle import load_bundle

N_MODEL_FEATURES = 60
FEATURES = build_feature_set(FeatureSetConfig(), DAY_NS, ("SPY",))
N_LOAD_REPEATS = 3
N_SWAPS = 20
LOOKBACK_BARS = 30
STEADY_S = 5.0
_ENVIRONMENT = {"RAY_worker_niceness": "0", "OMP_NUM_THREADS": "1"}


def run() -> list[Result]:
    """Start a cluster and the ensemble, ask it, stop both.

    The bundle has 2 × 100 rounds of trees over 60 features and is trained on noise: what it learned changes no time.
    """
    for variable, value in _ENVIRONMENT.items():
        os.environ.setdefault(variable, value)
    names = FEATURES.names[:N_MODEL_FEATURES]
    with tempfile.TemporaryDirectory(prefix="outcry-bench-") as folder:
        bundle, other = (write_random_bundle(Path(folder), names, FEATURES.hash, seed=seed) for seed in (0, 1))
        network = write_random_bundle(Path(folder), names, FEATURES.hash, lookback_bars=LOOKBACK_BARS)
        with socket.create_server(("127.0.0.1", 0)) as probe:
            port = probe.getsockname()[1]
        ray.init(address="local", num_cpus=2, include_dashboard=False, log_to_driver=False, logging_level=logging.ERROR)
        server = EnsembleServer(ServingConfig(port=port), FEATURES)
        try:
            (start_s,) = measure(lambda: server.start(bundle), n=1, warmup=0)
            how = "Serve, HAProxy, a replica and its bundle, on a cluster that runs"
            return [
                result("serve start", start_s, "s", how),
                *_measure_http(server.url, names, Path(folder)),
                *_measure_handle(),
                *_measure_swaps(server, [bundle, other], names),
                *_measure_network(server, network, names),
            ]
        finally:
            server.stop()
            ray.shutdown()


class Desk:
    """Ask for forecasts from an actor, as the desk of a floor does."""

    async def time_forecasts(self, n_rows: int) -> list[float]:
        """Return the seconds of 300 forecasts, after 30 that are not counted."""
        client = EnsembleClient(find_ensemble, FEATURES.names, deadline_s=60.0)
        values = np.random.default_rng(0).standard_normal((n_rows, len(FEATURES.names)))
        frame = FeatureFrame(0, 0, values, np.zeros(n_rows, dtype=np.bool_))
        seconds = []
        for _ in range(330):
            started = perf_counter()
            await client.predict(frame)
            seconds.append(perf_counter() - started)
        return seconds[30:]


def _measure_http(url: str, names: tuple[str, ...], folder: Path) -> list[Result]:
    rng = np.random.default_rng(0)
    one = json.dumps({"rows": rng.standard_normal((1, len(names))).tolist()}).encode()
    rows = rng.standard_normal((500, len(names)))
    bulk = _arrow_bytes(pa.table({name: rows[:, i] for i, name in enumerate(names)}))
    seconds = _time_posts(url, bulk, ARROW, n=100)
    how = "100 Arrow bodies and answers"
    found = [
        *_latency("HTTP, one row", _time_posts(url, one, JSON, n=500), "500 JSON requests, one after another", 4.0),
        *_latency("HTTP, 500 rows", seconds, how, 15.0),
        result("HTTP, batched", 500 / statistics.median(seconds), "predictions/s", how, at_least=20_000.0),
    ]
    if shutil.which("wrk") is None:
        return found
    rates = [_measure_load(url, one, folder) for _ in range(N_LOAD_REPEATS)]
    how = f"wrk -t1 -c16 -d3s on the same machine, one row as JSON, median of {N_LOAD_REPEATS}"
    return [*found, result("HTTP, 16 connections", statistics.median(rates), "requests/s", how, at_least=600.0)]


def _measure_handle() -> list[Result]:
    desk: Any = ray.remote(num_cpus=0)(Desk).remote()  # an actor handle has the methods of its class
    found = []
    for n_rows in (1, 100):
        seconds = ray.get(desk.time_forecasts.remote(n_rows))
        how = f"300 calls from an actor, rows of {len(FEATURES.names)} features"
        found += _latency(f"handle, {n_rows} row{'s' * (n_rows > 1)}", seconds, how)
    ray.kill(desk)
    return found


def _measure_swaps(server: EnsembleServer, bundles: list[Path], names: tuple[str, ...]) -> list[Result]:
    """Swap to and fro while 200 requests a second arrive."""
    one = json.dumps({"rows": np.random.default_rng(0).standard_normal((1, len(names))).tolist()}).encode()
    seconds = []
    with SteadyLoad(server.url, one, per_s=200.0) as alone:
        sleep(STEADY_S)
    with SteadyLoad(server.url, one, per_s=200.0) as load:
        for place in range(1, N_SWAPS + 1):
            seconds += measure(partial(server.swap, bundles[place % 2]), n=1, warmup=0)
    n_failed = len(load.failures) + sum(status != 200 for status, _ in load.answers)
    how = f"{N_SWAPS} swaps of 2 x 100 rounds while 8 connections ask 200 times a second"
    return [
        result("no swap, requests", len(alone.answers) / alone.seconds, "requests/s", f"the same for {STEADY_S} s"),
        result("swap under load", statistics.median(seconds), "s", how, at_most=2.0),
        result("swap under load, requests", len(load.answers) / load.seconds, "requests/s", how, at_least=190.0),
        result("swap under load, failed", n_failed, "requests", how, at_most=0),
    ]


def _measure_network(server: EnsembleServer, bundle: Path, names: tuple[str, ...]) -> list[Result]:
    """Swap to the ensemble with a network, and ask for rows with their windows."""
    what = f"with a GRU of {N_HIDDEN} that reads {LOOKBACK_BARS} bars"
    first = measure(partial(server.swap, bundle), n=1, warmup=0)[0]
    load = partial(load_bundle, bundle)
    loads = measure(load, n=5)
    rng = np.random.default_rng(0)
    windows = rng.standard_normal((500, LOOKBACK_BARS, len(names)), dtype=np.float32)
    rows = windows[:, -1].astype(np.float64)
    one = json.dumps({"rows": rows[:1].tolist(), "windows": windows[:1].tolist()}).encode()
    column = pa.FixedSizeListArray.from_arrays(pa.array(windows.ravel()), LOOKBACK_BARS * len(names))
    bulk = _arrow_bytes(pa.table({name: rows[:, i] for i, name in enumerate(names)} | {"window": column}))
    return [
        result("swap to a network", first, "s", f"{what}; the replica imports torch"),
        result("load of a network", statistics.median(loads), "s", f"{what}; in a process with torch", at_most=2.0),
        *_latency(f"HTTP, one row {what}", _time_posts(server.url, one, JSON, n=300), "300 JSON requests", 10.0),
        *_latency(f"HTTP, 500 rows {what}", _time_posts(server.url, bulk, ARROW, n=60), "60 Arrow bodies", 120.0),
    ]


def _arrow_bytes(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return bytes(sink.getvalue().to_pybytes())


def _latency(name: str, seconds: list[float], how: str, p50_at_most_ms: float | None = None) -> list[Result]:
    p50_s, p99_s = percentiles(seconds)
    return [
        result(f"{name}, p50", p50_s * 1e3, "ms", how, at_most=p50_at_most_ms),
        result(f"{name}, p99", p99_s * 1e3, "ms", how),
    ]


def _time_posts(url: str, body: bytes, content_type: str, n: int) -> list[float]:
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=30)

    def post() -> None:
        connection.request("POST", "/v1/predict", body, {"content-type": content_type, "accept": content_type})
        answer = connection.getresponse()
        content = answer.read()
        assert answer.status == 200, content

    try:
        return measure(post, n, warmup=30)
    finally:
        connection.close()


def _measure_load(url: str, body: bytes, folder: Path) -> float:
    """Return requests/s at 16 connections."""
    script = folder / "post.lua"
    script.write_text(
        f'wrk.method="POST"\nwrk.headers["content-type"]="{JSON}"\nwrk.body=[==[{body.decode()}]==]\n', encoding="utf-8"
    )
    command = ["wrk", "-t1", "-c16", "-d3s", "-s", str(script), f"{url}/v1/predict"]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert "Non-2xx" not in told, told
    return float(re.findall(r"Requests/sec:\s+([\d.]+)", told)[0])
