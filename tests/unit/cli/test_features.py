"""The commands about features: what they print, write and refuse."""

import json
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner

from cli.features import app
from outcry.adapters.feature_store import FeatureStore
from outcry.adapters.sources.sample import read_sample
from outcry.errors import ConfigurationError

runner = CliRunner()
FEW = ("--set", "features.groups=[momentum]")


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("source") / "bars.parquet"
    kept = pl.col("symbol").is_in(["IBM", "AAPL"]), pl.col("ts").dt.year().is_in([2011, 2012])
    read_sample().filter(*kept).write_parquet(path)
    return path


def _json(*words: str) -> object:
    result = runner.invoke(app, [*words, "--json"])
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_list_prints_every_column_of_the_set_or_of_a_group() -> None:
    every, few = _json("list"), _json("list", "--group", "candles")
    assert isinstance(every, dict)
    assert isinstance(few, dict)
    assert few["columns"] == [column for column in every["columns"] if column["category"] == "candles"]
    assert len(every["columns"]) > 600
    shown = runner.invoke(app, ["list", "--group", "candles"])
    assert all(column["name"] in shown.output for column in few["columns"])
    with pytest.raises(ConfigurationError, match=r"group must be one of .*, was candle$"):
        runner.invoke(app, ["list", "--group", "candle"], catch_exceptions=False)


def test_describe_takes_a_name_an_alias_or_a_beginning() -> None:
    described = runner.invoke(app, ["describe", "tech_rsi_14"])
    assert "tech_rsi_14_raw" in described.output
    assert "Wilder" in described.output
    columns = _json("describe", "tech_macd_12_26")
    assert isinstance(columns, list)
    assert len(columns) > 1
    assert all(column["name"].startswith("tech_macd_12_26_") for column in columns)
    alias = next(column for column in _json("list")["columns"] if column["aliases"])  # type: ignore[index]
    assert _json("describe", alias["aliases"][0]) == [alias]
    with pytest.raises(ConfigurationError, match="was tech_rsy_14_raw; did you mean tech_rsi_14_raw"):
        runner.invoke(app, ["describe", "tech_rsy_14_raw"], catch_exceptions=False)


def test_compile_has_the_kernels_ready() -> None:
    result = runner.invoke(app, ["compile", *FEW])
    assert result.exit_code == 0
    assert "compile kernels: done" in result.output


def test_build_writes_a_store_and_appends_to_it(source: Path, tmp_path: Path) -> None:
    words = ("build", "--source", str(source), "--out", str(tmp_path / "store"), *FEW)
    first = _json(*words, "--to", "2011-12-31")
    whole = _json(*words)
    assert isinstance(first, dict)
    assert isinstance(whole, dict)
    assert first["n_frames"] < whole["n_frames"]
    assert len(FeatureStore(tmp_path / "store").meta.symbols) == 2


def test_leakcheck_proves_the_set_and_exits_with_zero(source: Path) -> None:
    result = runner.invoke(app, ["leakcheck", "--source", str(source), "--cuts", "1", *FEW])
    assert result.exit_code == 0, result.output
    assert " 0 leak" in result.output
