import datetime as dt
from typing import Any

import pytest
from pydantic import ValidationError

from outcry.market.source import SourceConfig


def test_symbols_are_upper_case_and_may_be_classes_and_pairs() -> None:
    assert SourceConfig(symbols=("brk.b", "btc/usd")).symbols == ("BRK.B", "BTC/USD")


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"symbols": 0}, "greater than 0"),
        ({"symbols": ()}, "symbols must name at least one instrument"),
        ({"symbols": ("A", "a")}, "symbols must be unique, A repeats"),
        ({"symbols": ("A B",)}, "symbol must be"),
        ({"bars": "7 minutes"}, "bars must be a count"),
        ({"start": dt.date(2025, 1, 2), "end": dt.date(2025, 1, 1)}, "end must not be before start 2025-01-02"),
        ({"session": "night"}, "'regular' or 'all'"),
        ({"tick": 0}, "greater than 0"),
        ({"sauce": "sample"}, "Extra inputs are not permitted"),
    ],
)
def test_a_value_outside_its_range_is_refused(values: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        SourceConfig.model_validate(values)
