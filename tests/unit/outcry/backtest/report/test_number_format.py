"""Numbers read as a person writes them."""

import pytest

from outcry.backtest.report.number_format import duration, rounded


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1_600.4, "1,600"),
        (0.0, "0"),
        (12.34, "12.3"),
        (7.0, "7"),
        (0.012345, "0.0123"),
        (-2_500_000.0, "-2,500,000"),
        (999.96, "1,000"),
        (float("inf"), "inf"),
    ],
)
def test_a_rounded_number_has_no_exponent(value: float, text: str) -> None:
    assert rounded(value) == text


def test_a_long_duration_has_no_exponent() -> None:
    assert duration(1_600 * 86_400.0) == "1,600 d"
