"""A run as a job, and a queue of jobs, on a Ray cluster that was started before, with token authentication on."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest

REPOSITORY = Path(__file__).parents[2]
RAY = Path(sys.executable).with_name("ray")


@dataclass(frozen=True)
class Cluster:
    """A head node of its own; `environment` is what its clients need."""

    address: str
    folder: Path
    environment: dict[str, str]

    def ask(self, path: str, token: str | None) -> int:
        """Return the HTTP status the dashboard answers."""
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        request = urllib.request.Request(f"{self.address}{path}", headers=headers)  # noqa: S310 - http, loopback
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 - see above
                return int(answer.status)
        except urllib.error.HTTPError as error:
            return error.code

    def start(self, *words: str, **environment: str) -> subprocess.Popen[str]:
        """Start a command of outcry, with a state folder beside the cluster."""
        own = {"OUTCRY_JOBS__ADDRESS": self.address, "OUTCRY_FLOOR__STATE_DIR": f"{self.folder}/queue"}
        return subprocess.Popen(
            [sys.executable, "-m", "cli", *words],
            cwd=REPOSITORY,
            env=self.environment | own | environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
        process = self.start(*words, **environment)
        stdout, stderr = process.communicate(timeout=400)
        return subprocess.CompletedProcess(process.args, process.returncode, stdout, stderr)

    def submit(self, *words: str) -> str:
        """Queue a job and return its number."""
        submitted = self.run("jobs", "submit", *words)
        assert submitted.returncode == 0, submitted.stderr
        return submitted.stdout.strip()

    def show(self, job: str) -> dict[str, Any]:
        return dict(json.loads(self.run("jobs", "show", job, "--json").stdout))


def free_ports(n: int) -> list[int]:
    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(n)]
    ports = [server.getsockname()[1] for server in held]
    for server in held:
        server.close()
    return ports


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    folder = Path(tempfile.mkdtemp(prefix="oc-job-"))
    mark = uuid.uuid4().hex
    port, dashboard, agent, clients = free_ports(4)
    token_path = folder / "token"
    token_path.write_text(uuid.uuid4().hex)
    environment = {name: value for name, value in os.environ.items() if name != "RAY_AUTH_MODE"} | {
        "OUTCRY_TEST_MARK": mark,
        "PATH": f"{RAY.parent}{os.pathsep}{os.environ['PATH']}",
        "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN_PATH": str(token_path),
        "RAY_worker_niceness": "0",
        "RAY_SERVE_ENABLE_HA_PROXY": "1",
    }
    options = [f"--port={port}", f"--dashboard-port={dashboard}", f"--dashboard-agent-listen-port={agent}"]
    options += [f"--ray-client-server-port={clients}", f"--temp-dir={folder}/ray", "--dashboard-host=127.0.0.1"]
    subprocess.run(
        [RAY, "start", "--head", "--num-cpus=4", "--disable-usage-stats", *options],
        env=environment,
        check=True,
        capture_output=True,
    )
    yield Cluster(f"http://127.0.0.1:{dashboard}", folder, environment)
    for process in psutil.process_iter():
        try:
            if process.environ().get("OUTCRY_TEST_MARK") == mark:
                process.kill()
        except (psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess):
            continue
    shutil.rmtree(folder, ignore_errors=True)  # a log may still be written while the last process ends


def test_a_submitted_job_trades_on_the_cluster_and_names_its_actors(cluster: Cluster) -> None:
    settings = [
        f"floor.state_dir={cluster.folder}/state",
        f"serving.port={free_ports(1)[0]}",
        "features.set=small",
        "floor.warmup_frames=250",
        "training.train_frac=0.83",
    ]
    words = [sys.executable, "-m", "cli", "run", "--from", "2011-01-01", "--to", "2012-05-31", "--json"]
    words += [word for setting in settings for word in ("--set", setting)]
    submitted = subprocess.run(
        [RAY, "job", "submit", "--address", cluster.address, "--working-dir", ".", "--", *words],
        check=False,
        cwd=REPOSITORY,
        env=cluster.environment,
        capture_output=True,
        text=True,
        timeout=400,
    )
    assert submitted.returncode == 0, submitted.stdout + submitted.stderr
    assert '"state": "completed"' in submitted.stdout
    summaries = list((cluster.folder / "state" / "runs").glob("*/summary.json"))
    assert len(summaries) == 1
    run_id = json.loads(summaries[0].read_text())["run_id"]
    listed = subprocess.run(
        [RAY, "list", "actors", "--address", cluster.address, "--format", "json", "--limit", "500"],
        env=cluster.environment,
        capture_output=True,
        text=True,
        check=True,
    )
    names = {actor["name"] for actor in json.loads(listed.stdout)}
    wanted = ("feed", "shard-0", "desk", "portfolio", "risk", "execution", "journal", "supervisor")
    assert {f"{run_id}/{actor}" for actor in wanted} <= names
    token = Path(cluster.environment["RAY_AUTH_TOKEN_PATH"]).read_text()
    assert (cluster.ask("/api/jobs/", token), cluster.ask("/api/jobs/", None)) == (200, 401)


def test_a_queue_runs_jobs_by_priority_and_tries_stops_and_logs_them(cluster: Cluster) -> None:
    endless = cluster.submit(
        "--priority", "3", "--", "jobs", "work", "--set", f"floor.state_dir={cluster.folder}/other"
    )
    second = cluster.submit("--priority", "2", "--cpus", "0", "--", "features", "list")
    first = cluster.submit("--priority", "1", "--", "features", "list")
    failing = cluster.submit("--priority", "4", "--retries", "1", "--", "data", "check", "nowhere.parquet")
    dispatcher = cluster.start("jobs", "work", "--set", "jobs.backoff_s=0", "--set", "jobs.poll_s=0.2")

    waited = cluster.run("jobs", "wait", first, second, "--timeout", "300", "--json")
    assert waited.returncode == 0, waited.stdout + waited.stderr
    started = [job["started_at"] for job in json.loads(waited.stdout)]
    assert started == sorted(started)
    assert "tech_rsi_14" in cluster.run("jobs", "logs", first).stdout

    assert cluster.run("jobs", "wait", failing, "--timeout", "300").returncode == 1
    failed = cluster.show(failing)
    assert (failed["state"], failed["n_tries"]) == ("failed", 1)  # another try would find no file either
    assert "nowhere.parquet" in failed["detail"]

    while "jobs start at" not in cluster.run("jobs", "logs", endless).stdout:
        assert cluster.show(endless)["state"] == "running"
    assert cluster.run("jobs", "cancel", endless).returncode == 0
    assert cluster.run("jobs", "wait", endless, "--timeout", "300").returncode == 1
    listed = json.loads(cluster.run("jobs", "list", "--json").stdout)
    assert {name: number for name, number in listed.items() if name != "jobs" and number} == {
        "completed": 4,
        "succeeded": 2,
        "failed": 1,
        "cancelled": 1,
    }
    another = cluster.run("jobs", "work")
    assert another.returncode == 2
    assert "another one works already" in another.stderr
    dispatcher.send_signal(signal.SIGINT)
    _, stderr = dispatcher.communicate(timeout=60)
    assert (dispatcher.returncode, "Traceback" in stderr) == (130, False)

    stranger = cluster.run("jobs", "work", RAY_AUTH_MODE="disabled")
    assert stranger.returncode == 69
    assert "Missing authentication token" in stranger.stderr
    assert len(stranger.stderr.splitlines()) == 1
