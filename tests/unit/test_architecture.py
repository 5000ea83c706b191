"""The import rules hold, and the check of them can fail."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import grimp
import pytest

REPOSITORY_DIR = Path(__file__).resolve().parents[2]
PACKAGES = ("outcry", "actors", "deployments", "training", "configs", "cli")


def lint_imports(folder: Path) -> subprocess.CompletedProcess[str]:
    """Run import-linter on the packages in `folder` under the rules found there."""
    return subprocess.run(
        [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"],
        cwd=folder,
        env={**os.environ, "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def copied_tree(tmp_path: Path) -> Path:
    """Return a copy of the packages and their rules."""
    shutil.copy(REPOSITORY_DIR / ".importlinter", tmp_path)
    for package in PACKAGES:
        shutil.copytree(REPOSITORY_DIR / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


@pytest.fixture(scope="module")
def imports_of_outcry() -> grimp.ImportGraph:
    return grimp.build_graph("outcry", cache_dir=None)


def test_packages_import_in_one_direction_only():
    result = lint_imports(REPOSITORY_DIR)
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize(
    ("module", "statement", "rule"),
    [
        ("outcry/market/rogue.py", "import ray", "outcry runs without Ray"),
        ("outcry/adapters/rogue.py", "import ray", "outcry runs without Ray"),
        ("outcry/risk/rogue.py", "import asyncpg", "only adapters talk to PostgreSQL"),
        ("outcry/backtest/rogue.py", "import outcry.adapters", "inside outcry"),
        ("outcry/features/rogue.py", "import outcry.risk", "inside outcry"),
        ("outcry/rogue.py", "", "inside outcry"),
        ("actors/rogue.py", "import cli", "cli over deployments"),
        ("outcry/models/rogue.py", "import fastapi", "outcry knows no web framework"),
    ],
)
def test_breach_of_a_rule_is_reported(copied_tree: Path, module: str, statement: str, rule: str):
    (copied_tree / module).write_text(f'"""Break a rule."""\n\n{statement}\n')
    result = lint_imports(copied_tree)
    assert result.returncode == 1, result.stdout + result.stderr
    broken = [line for line in result.stdout.splitlines() if " BROKEN" in line]
    assert any(line.startswith(rule) for line in broken) or "not listed as a layer" in result.stdout, result.stdout


def test_messages_know_frames_and_nothing_else(imports_of_outcry: grimp.ImportGraph):
    assert imports_of_outcry.find_modules_directly_imported_by("outcry.messages") == {"outcry.market.frame"}


@pytest.mark.parametrize("module", ["outcry.errors", "outcry.config", "outcry.identity"])
def test_modules_at_the_bottom_import_nothing_of_outcry(imports_of_outcry: grimp.ImportGraph, module: str):
    assert not imports_of_outcry.find_modules_directly_imported_by(module)


def test_desk_knows_frames_messages_and_ports_only(imports_of_outcry: grimp.ImportGraph):
    known = {"outcry.market.frame", "outcry.messages", "outcry.ports"}
    assert imports_of_outcry.find_modules_directly_imported_by("outcry.desk") <= known
