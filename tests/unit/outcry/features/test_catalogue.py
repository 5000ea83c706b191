"""The catalogue is the documentation: complete, unambiguous, and part of what a bundle is checked against."""

import re
import shutil
from collections import Counter
from pathlib import Path

import pytest

from outcry.features import catalogue
from outcry.features.catalogue import FAMILIES, STEPS, code_hash
from outcry.features.column import UNITS, Column
from outcry.features.config import FeatureSetConfig
from outcry.features.cross.proxies import MARKET, PROXY_SYMBOLS
from outcry.features.families.volatility import VOLATILITY_COLUMN
from outcry.features.feature_set import build_feature_set

NAME = re.compile(r"(tech|stat|micro|time|cdl|mtf|cross|regime)_[a-z]+(_[a-z]+)*(_\d+(min|h|d|w)?)*(_[a-z0-9]+)*")
FEATURES = build_feature_set(FeatureSetConfig(), 300 * 10**9, (MARKET, *PROXY_SYMBOLS.values()))
TECHNICAL = {
    "trend",
    "momentum",
    "volatility",
    "volume",
    "shape",
    "candles",
    "price_action",
    "timeframes",
    "regime",
}
SHORT_NAMES = (
    "sma_20 ema_12 rsi_14 atr_14 obv vwap macd_line macd_signal macd_histogram bb_upper bb_lower bb_width bb_position "
    "returns_1m returns_5m returns_15m returns_1h high_low_spread close_open_spread momentum_5 momentum_15 "
    "higher_highs lower_lows volume_ratio volume_surge vwap_distance mfi hour minute day_of_week is_market_open "
    "time_to_close is_premarket is_afterhours volatility_10 volatility_30 parkinson_volatility vol_percentile "
    "zscore_price skewness_20 kurtosis_20 autocorr_5 consecutive_up consecutive_down distance_to_resistance "
    "distance_to_support"
)


def test_there_are_columns_of_every_group() -> None:
    groups = Counter(column.category for column in FEATURES.columns)
    assert set(groups) == {*(family.name for family in FAMILIES), "cross"}
    assert min(groups.values()) >= 10
    assert sum(groups[group] for group in TECHNICAL) >= 225
    assert groups["candles"] >= 24
    assert set(STEPS) == {family.name for family in FAMILIES}


def test_names_and_aliases_name_one_column_each() -> None:
    named = Counter(name for column in FEATURES.columns for name in (column.name, *column.aliases))
    assert [name for name, n in named.items() if n > 1] == []


def test_kinds_have_one_name_each_and_defaults_that_build() -> None:
    kinds = [kind for family in FAMILIES for kind in family.kinds]
    assert len({kind.name for kind in kinds}) == len(kinds)
    for kind in kinds:
        for params in kind.defaults:
            indicator = kind.make((60, *params) if kind.is_of_timeframe else params)
            assert indicator.columns
            assert indicator.n_slots >= 0


def test_the_short_names_are_there() -> None:
    assert set(SHORT_NAMES.split()) <= {alias for column in FEATURES.columns for alias in column.aliases}


@pytest.mark.parametrize("column", FEATURES.columns, ids=FEATURES.names)
def test_a_column_is_documented(column: Column) -> None:
    assert NAME.fullmatch(column.name)
    assert column.formula
    assert column.source
    assert column.unit in UNITS
    assert column.low < column.high
    assert column.warmup_bars >= 1
    assert column.window_bars >= 0
    assert column.warmup_sessions >= 1
    assert column.cadence_bars >= 1
    assert column.needs in {"", "quotes", "trades"}


def test_position_sizing_finds_its_volatility() -> None:
    column = FEATURES.columns[FEATURES.names.index(VOLATILITY_COLUMN)]
    assert (column.unit, column.window_bars) == ("per_year_sqrt", 21)


def test_only_prices_amounts_and_shares_depend_on_the_scale() -> None:
    scaled = {column.name for column in FEATURES.columns if not column.is_scale_free}
    assert {"tech_sma_20_raw", "tech_obv_raw", "tech_force_1_raw"} <= scaled
    assert not {"tech_sma_20_distance", "tech_rsi_14_raw", "stat_return_1_close"} & scaled


@pytest.mark.parametrize("module", ["kernels/window.py", "families/trend.py", "cross/section.py", "regimes.py"])
def test_the_hash_follows_code_and_not_comments(module: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "features"
    shutil.copytree(Path(catalogue.__file__).parent, package, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(catalogue, "__file__", str(package / "catalogue.py"))
    text = (package / module).read_text()
    hashes = []
    for changed in (text, "# a comment\n" + text.replace('"""', '"""In other words: ', 1), text + "\nOTHER = 1\n"):
        (package / module).write_text(changed)
        hashes.append(code_hash.__wrapped__())
    assert hashes[0] == hashes[1] == code_hash()
    assert hashes[2] != hashes[0]
    assert re.fullmatch("[0-9a-f]{64}", hashes[0])


def test_a_family_is_compiled_anew_only_for_what_it_is_made_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = {name: code_hash(name) for name in STEPS}
    package = tmp_path / "features"
    shutil.copytree(Path(catalogue.__file__).parent, package, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(catalogue, "__file__", str(package / "catalogue.py"))
    with (package / "kernels" / "trend.py").open("a") as file:
        file.write("\nOTHER = 1\n")
    assert {name for name in STEPS if code_hash.__wrapped__(name) != before[name]} == {"trend"}
    with (package / "kernels" / "window.py").open("a") as file:
        file.write("\nOTHER = 1\n")
    assert all(code_hash.__wrapped__(name) != before[name] for name in STEPS)
