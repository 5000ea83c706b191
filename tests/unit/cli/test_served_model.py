"""Without a floor nothing is swapped, and nothing is started to find that out."""

import socket
from pathlib import Path

import pytest

from cli.served_model import swap_served
from configs.loader import load_settings

KILLED = '{"ray_address": "127.0.0.1:{port}", "auth_mode": "token"}'


@pytest.mark.parametrize("left", [None, "", "{}", KILLED, KILLED.replace("127.0.0.1:{port}", "nowhere")])
def test_no_floor_or_one_that_was_killed_is_served_nothing(left: str | None, tmp_path: Path, monkeypatch):
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    if left is not None:
        (tmp_path / "floor.json").write_text(left.replace("{port}", str(port)))
    settings = load_settings(assignments=[f"floor.state_dir={tmp_path}"])
    assert swap_served(settings, tmp_path) is None
