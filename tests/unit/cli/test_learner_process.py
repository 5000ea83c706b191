"""The learner beside a floor: not there unless asked for, started again when it dies, gone with the floor."""

import asyncio
import os
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from cli import learner_process
from cli.learner_process import learner_beside
from configs.loader import load_settings


@pytest.fixture
def plan(tmp_path: Path) -> Any:
    settings = load_settings(assignments=[f"floor.state_dir={tmp_path}", "online.enabled=true"])
    return SimpleNamespace(run_id="run", settings=settings)


@pytest.fixture
def words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A program in the place of the interpreter: it notes its words and its process, and ends or waits."""
    told = tmp_path / "told"
    program = tmp_path / "python"
    program.write_text(f'#!/bin/sh\necho "$$ $*" >> {told}\n[ $(wc -l < {told}) -gt 1 ] && exec sleep 60\nexit 1\n')
    program.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(program))
    monkeypatch.setattr(learner_process, "_PAUSE_S", 0.0)
    return told


def lines_of(told: Path) -> list[str]:
    return told.read_text().splitlines() if told.is_file() else []


async def await_lines(told: Path, n: int) -> list[str]:
    async with asyncio.timeout(60):
        while True:
            if len(lines_of(told)) >= n:
                return lines_of(told)
            await asyncio.sleep(0.01)


async def test_one_that_dies_is_started_again_and_ends_with_the_block(plan: Any, words: Path, tmp_path: Path) -> None:
    async with learner_beside(plan):
        first, second = await await_lines(words, 2)
        pid = int(second.split()[0])
        os.kill(pid, 0)
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    assert first.split()[1:] == ["-m", "cli", "learn", "run", "--set", f"floor.state_dir={tmp_path}"]


async def test_nothing_is_started_where_it_is_not_enabled(plan: Any, words: Path) -> None:
    online = plan.settings.online.model_copy(update={"enabled": False})
    plan.settings = plan.settings.model_copy(update={"online": online})
    async with learner_beside(plan):
        await asyncio.sleep(0)
    assert lines_of(words) == []
