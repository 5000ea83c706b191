"""A set holds what was asked for and nothing else, and its hash tells it from every other."""

import numpy as np
import pytest
from pydantic import ValidationError

from outcry.errors import ConfigurationError
from outcry.features.catalogue import FAMILIES
from outcry.features.config import FeatureSetConfig
from outcry.features.feature_set import build_feature_set, timeframes_above
from outcry.market.bar_size import DAY_NS

MINUTE_NS = 60 * 10**9


def names_of(symbols: tuple[str, ...] = (), bar_ns: int = DAY_NS, **config: object) -> tuple[str, ...]:
    return build_feature_set(FeatureSetConfig.model_validate(config), bar_ns, symbols).names


def test_without_a_choice_every_group_is_there() -> None:
    found = build_feature_set(FeatureSetConfig(), 5 * MINUTE_NS)
    assert {column.category for column in found.columns} == {*(family.name for family in FAMILIES), "cross"}


def test_groups_windows_and_columns_are_chosen() -> None:
    assert names_of(groups=["momentum"], windows={"rsi": [3, 9]}, columns=["tech_rsi_*"]) == (
        "tech_rsi_3_raw",
        "tech_rsi_9_raw",
    )
    assert "tech_macd_5_35_signal" in names_of(windows={"macd": [[12, 26, 9], [5, 35, 5]]})
    assert not [name for name in names_of(windows={"rsi": []}) if name.startswith("tech_rsi_7")]
    everything = names_of()
    assert set(everything) - set(names_of(exclude=["rsi_*", "macd_line"])) == {
        "tech_rsi_7_raw",
        "tech_rsi_14_raw",
        "tech_rsi_21_raw",
        "tech_macd_12_26_line",
    }


def test_an_alias_chooses_its_column() -> None:
    assert names_of(columns=["rsi_14", "macd_*"]) == (
        "tech_rsi_14_raw",
        "tech_macd_12_26_line",
        "tech_macd_12_26_signal",
        "tech_macd_12_26_histogram",
    )


def test_what_no_column_needs_is_not_computed() -> None:
    found = build_feature_set(FeatureSetConfig(columns=("rsi_14",)), DAY_NS)
    assert [column.name for column in found.computed] == ["tech_rsi_14_raw"]
    assert [len(program.table) for program in found.programs] == [1]


def test_what_a_column_reads_is_computed_but_not_shown() -> None:
    readers = [
        (kind, kind.make(kind.defaults[0]))
        for family in FAMILIES
        for kind in family.kinds
        if not kind.is_of_timeframe and kind.make(kind.defaults[0]).inputs
    ]
    for kind, indicator in readers:
        found = build_feature_set(FeatureSetConfig(columns=(indicator.names[0],)), DAY_NS)
        assert found.names == (indicator.names[0],), kind.name
        computed = {column.name for column in found.computed}
        assert {needed.column for needed in indicator.inputs} <= computed


def test_a_proxy_that_is_not_in_the_universe_has_no_columns() -> None:
    alone, together = names_of(groups=["cross"]), names_of(symbols=("AAPL", "TLT"), groups=["cross"])
    assert set(together) > set(alone)
    assert all("rates" in name for name in set(together) - set(alone))


def test_places_and_slots_of_the_programs_are_gapless() -> None:
    found = build_feature_set(FeatureSetConfig(), 5 * MINUTE_NS)
    column = 0
    for program in found.programs:
        slot = 0
        for row in program.table:
            assert (row[1], row[3]) == (slot, column)
            slot, column = row[2], row[4]
        assert slot == program.n_slots
    assert column == len(found.computed)
    assert np.array_equal(found.chosen, np.arange(len(found.computed)))


def test_the_hash_follows_columns_windows_and_the_second_stage_alone() -> None:
    def hash_of(symbols: tuple[str, ...] = (), **config: object) -> str:
        return build_feature_set(FeatureSetConfig.model_validate(config), DAY_NS, symbols).hash

    same = {hash_of(), hash_of(windows={"rsi": [7, 14, 21]}), hash_of(symbols=("AAPL",))}
    assert len(same) == 1
    others = {
        hash_of(windows={"rsi": [7, 14]}),
        hash_of(windows={"rsi": [14, 7, 21]}),
        hash_of(exclude=["rsi_14"]),
        hash_of(symbols=("TLT",)),
        hash_of(cross={"cadence_frames": 10}),
    }
    assert len(others) == 5
    assert not same & others


def test_timeframes_are_longer_than_the_bars() -> None:
    assert timeframes_above(MINUTE_NS) == (15, 60, 240, 1440)
    assert timeframes_above(15 * MINUTE_NS) == (60, 240, 1440)
    assert timeframes_above(DAY_NS) == (10_080,)


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"groups": ["momentun"]}, "groups must be among .*momentum.*, was momentun"),
        ({"windows": {"rsii": [3]}}, "windows must be of .*rsi.*, was of rsii"),
        ({"windows": {"rsi": [0]}}, r"windows.rsi: window must be positive, was 0"),
        ({"windows": {"macd": [12]}}, r"windows.macd must give 3 values \(fast, slow, signal\), gave \[12\]"),
        ({"windows": {"roc": [5000]}}, r"windows.roc must look back at most 2000 bars, \[5000\] looks back 5001"),
        ({"windows": {"macd": [[12, 26, 9], [12, 26, 5]]}}, "tech_macd_12_26_line is computed twice"),
        ({"columns": ["tech_rsi_15_*"]}, "was tech_rsi_15_\\*"),
        ({"exclude": ["*"]}, "must keep a column, keeps none"),
    ],
)
def test_a_set_that_cannot_be_is_refused_with_the_rule(config: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        names_of(**config)


def test_unknown_keys_are_refused() -> None:
    with pytest.raises(ValidationError, match="colums"):
        FeatureSetConfig.model_validate({"colums": ["rsi_14"]})
