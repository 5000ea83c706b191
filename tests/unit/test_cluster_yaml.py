"""Ray accepts the cluster files, and the clusters they start are closed to strangers."""

from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from ray.autoscaler._private.util import prepare_config, validate_config

REPOSITORY_DIR = Path(__file__).resolve().parents[2]
FILES = ("ray_cluster.yaml", "deploy/ray_cluster_aws.yaml")


@pytest.fixture(params=FILES)
def cluster(request: pytest.FixtureRequest) -> dict[str, Any]:
    """Return one cluster file as Ray completes it with its defaults."""
    return prepare_config(yaml.safe_load((REPOSITORY_DIR / request.param).read_text()))


def start_commands(cluster: dict[str, Any]) -> list[str]:
    commands = cluster["head_start_ray_commands"] + cluster["worker_start_ray_commands"]
    return [command for command in commands if "ray start" in command]


def test_ray_accepts_the_file(cluster: dict[str, Any]):
    validate_config(cluster)


def test_ray_refuses_a_key_it_does_not_know(cluster: dict[str, Any]):
    with pytest.raises(jsonschema.ValidationError, match="unknown_key"):
        validate_config({**cluster, "unknown_key": 1})


def test_every_node_asks_for_the_token_and_runs_haproxy_at_plain_priority(cluster: dict[str, Any]):
    commands = start_commands(cluster)
    assert len(commands) == 2
    for command in commands:
        assert {"RAY_AUTH_MODE=token", "RAY_SERVE_ENABLE_HA_PROXY=1", "RAY_worker_niceness=0"} <= set(command.split())
    assert any(target.endswith("/.ray/auth_token") for target in cluster["file_mounts"])


def test_dashboard_listens_on_loopback_only(cluster: dict[str, Any]):
    (head,) = [command for command in start_commands(cluster) if "--head" in command]
    assert "--dashboard-host=127.0.0.1" in head.split()


def test_every_installation_is_pinned(cluster: dict[str, Any]):
    commands = cluster["setup_commands"] + cluster["head_setup_commands"] + cluster["worker_setup_commands"]
    installations = [command for command in commands if "pip install" in command]
    assert installations
    assert all("-c ~/outcry/constraints.txt" in command for command in installations)
