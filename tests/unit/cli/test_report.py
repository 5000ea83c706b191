"""A run is found by its id, its folder or a file in it."""

from pathlib import Path

import pytest

from cli.report import find_figures
from outcry.errors import DataNotFoundError


def test_a_run_is_found_by_id_folder_and_file(tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    folder = runs / "abc"
    folder.mkdir(parents=True)
    for name in ("run.json", "report.html"):
        (folder / name).write_text("{}")
    assert find_figures(runs, "abc") == folder / "run.json"
    assert find_figures(tmp_path, str(folder)) == folder / "run.json"
    assert find_figures(tmp_path, str(folder / "report.html")) == folder / "run.json"


def test_an_unknown_run_is_one_message(tmp_path: Path) -> None:
    with pytest.raises(DataNotFoundError, match=r"run must be one in .* was nothing"):
        find_figures(tmp_path, "nothing")
