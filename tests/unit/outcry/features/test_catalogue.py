"""The catalogue is the documentation: complete, unambiguous, and part of what a bundle is checked against."""

import re
import shutil
from collections import Counter
from pathlib import Path

import pytest

from outcry.features import catalogue
from outcry.features.catalogue import CATALOGUE, FEATURE_NAMES, VOLATILITY_COLUMN, catalogue_hash
from outcry.features.column import UNITS, Column

NAME = re.compile(r"(tech|stat|micro|time)_[a-z]+(_[a-z]+)?(_\d+)*(_[a-z0-9]+)+")
THIRTEEN = (
    "sma_20 ema_12 rsi_14 atr_14 obv vwap macd_line macd_signal macd_histogram bb_upper bb_lower bb_width bb_position"
)


def test_there_are_columns_of_every_family() -> None:
    families = Counter(column.category for column in CATALOGUE)
    assert len(CATALOGUE) >= 100
    assert set(families) == {"trend", "momentum", "volatility", "volume", "returns", "shape", "session"}
    assert min(families.values()) >= 15


def test_names_and_aliases_name_one_column_each() -> None:
    named = Counter(name for column in CATALOGUE for name in (column.name, *column.aliases))
    assert [name for name, n in named.items() if n > 1] == []


def test_the_short_names_of_the_small_feature_set_are_there() -> None:
    assert set(THIRTEEN.split()) <= {alias for column in CATALOGUE for alias in column.aliases}


@pytest.mark.parametrize("column", CATALOGUE, ids=FEATURE_NAMES)
def test_a_column_is_documented(column: Column) -> None:
    assert NAME.fullmatch(column.name)
    assert column.formula
    assert column.source
    assert column.unit in UNITS
    assert column.low < column.high
    assert column.warmup_bars >= 1
    assert column.window_bars >= 0
    assert column.warmup_sessions >= 1


def test_position_sizing_finds_its_volatility() -> None:
    column = CATALOGUE[FEATURE_NAMES.index(VOLATILITY_COLUMN)]
    assert (column.unit, column.window_bars) == ("per_year_sqrt", 21)


def test_only_prices_amounts_and_shares_depend_on_the_scale() -> None:
    scaled = {column.name for column in CATALOGUE if not column.is_scale_free}
    assert {"tech_sma_20_raw", "tech_obv_raw", "tech_force_1_raw"} <= scaled
    assert not {"tech_sma_20_distance", "tech_rsi_14_raw", "stat_return_1_close"} & scaled


def test_the_hash_follows_code_and_not_comments(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "features"
    shutil.copytree(Path(catalogue.__file__).parent, package, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(catalogue, "__file__", str(package / "catalogue.py"))
    kernel = package / "kernels" / "window.py"
    text = kernel.read_text()
    hashes = []
    for changed in (
        text,
        "# a comment\n" + text.replace('"""Windows over', '"""The windows over'),
        text.replace("2.0", "3.0"),
    ):
        kernel.write_text(changed)
        hashes.append(catalogue_hash.__wrapped__())
    assert hashes[0] == hashes[1] == catalogue_hash()
    assert hashes[2] != hashes[0]
    assert re.fullmatch("[0-9a-f]{64}", hashes[0])
