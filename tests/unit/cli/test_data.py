import json
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner

from cli.data import app
from outcry.adapters.sources.sample import read_sample
from outcry.errors import DataNotFoundError

runner = CliRunner()


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "bars.csv"
    read_sample().filter(pl.col("symbol") == "IBM", pl.col("ts").dt.year() == 2012).write_csv(path)
    return path


def test_good_bars_exit_with_zero(source: Path) -> None:
    result = runner.invoke(app, ["check", str(source), "--strict"])
    assert result.exit_code == 0
    assert "250 bars of 1d" in result.output
    assert "no findings" in result.output


def test_errors_exit_with_one_and_are_listed(source: Path) -> None:
    lines = source.read_text().splitlines()
    source.write_text("\n".join([*lines, lines[-1]]))
    result = runner.invoke(app, ["check", str(source)])
    assert result.exit_code == 1
    assert "duplicate_exact" in result.output


def test_warnings_fail_only_where_asked(source: Path) -> None:
    lines = source.read_text().splitlines()
    source.write_text("\n".join(lines[:50] + lines[51:]))
    assert runner.invoke(app, ["check", str(source)]).exit_code == 0
    assert runner.invoke(app, ["check", str(source), "--strict"]).exit_code == 1


def test_the_report_is_also_json(source: Path) -> None:
    lines = source.read_text().splitlines()
    source.write_text("\n".join(lines[:50] + lines[51:]))
    result = runner.invoke(app, ["check", str(source), "--json"])
    document = json.loads(result.stdout)
    assert (document["n_bars"], document["has_errors"]) == (249, False)
    assert [(f["kind"], f["symbol"], f["count"]) for f in document["findings"]] == [("gap", "IBM", 1)]


def test_a_missing_file_raises_the_error_that_the_command_line_prints() -> None:
    result = runner.invoke(app, ["check", "nowhere.csv"])
    assert isinstance(result.exception, DataNotFoundError)
