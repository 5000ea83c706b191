"""The text of a benchmark names one, or is refused with what it may be."""

import numpy as np
import pytest

from configs.loader import load_settings
from outcry.backtest.benchmark import BenchmarkChoice, name_of, parse_benchmark
from outcry.errors import ConfigurationError


@pytest.mark.parametrize(
    ("text", "choice"),
    [
        ("universe", BenchmarkChoice({}, is_universe=True)),
        ("cash", BenchmarkChoice({})),
        ("cash=0.03", BenchmarkChoice({}, cash_per_year=0.03)),
        ("spy", BenchmarkChoice({"SPY": 1.0})),
        ("SPY=0.6, TLT=0.4", BenchmarkChoice({"SPY": 0.6, "TLT": 0.4})),
        ("SPY=0.6,cash=0.4", BenchmarkChoice({"SPY": 0.6})),
        ("SPY=0.6,TLT=0.4@a/b.csv", BenchmarkChoice({"SPY": 0.6, "TLT": 0.4}, "a/b.csv")),
        ("SPY@folder", BenchmarkChoice({"SPY": 1.0}, "folder")),
        ("a/spy.parquet", BenchmarkChoice({}, "a/spy.parquet")),
    ],
)
def test_a_benchmark_is_read_from_its_text(text: str, choice: BenchmarkChoice) -> None:
    assert parse_benchmark(text) == choice


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("", "must be one of universe, cash"),
        ("SPY;TLT", "was 'SPY;TLT'"),
        ("SPY=0.6,TLT=0.3", "must sum to 1, with cash=… for what is left over, were 0.9"),
        ("SPY=0.6,TLT", "must be above 0, TLT has none"),
        ("SPY=nan,TLT=1", "must be above 0, SPY has none"),
        ("SPY=0.5,SPY=0.5", "SPY repeats"),
        ("SPY=half", "SPY has 'half'"),
        ("cash=3", "from 0 to 0.5 a year, was 3"),
        ("universe=1", "must be one of"),
        ("cash@prices.csv", "must be one of"),
        ("SPY@", "must be one of"),
    ],
)
def test_a_text_that_names_none_is_refused(text: str, named: str) -> None:
    with pytest.raises(ConfigurationError, match="benchmark") as caught:
        parse_benchmark(text)
    assert named in str(caught.value)


def test_a_wrong_setting_is_one_line_that_names_it() -> None:
    with pytest.raises(ConfigurationError, match=r"^report\.benchmark: .*must sum to 1.*, was 'SPY=0.6,TLT=0.3'$"):
        load_settings(options={"report": {"benchmark": "SPY=0.6,TLT=0.3"}})


def test_a_report_calls_a_benchmark_by_its_parts() -> None:
    names = {
        text: name_of(parse_benchmark(text), symbols, 0.02)
        for text, symbols in (
            ("cash", ()),
            ("SPY", ("SPY",)),
            ("SPY=0.6,TLT=0.4@a/b.csv", ("SPY", "TLT")),
            ("SPY=0.6,cash=0.4", ("SPY",)),
            ("a/spy.csv", ("SPY",)),
        )
    }
    assert list(names.values()) == [
        "cash at 2 % a year",
        "SPY",
        "60 % SPY + 40 % TLT (b.csv, rebalanced monthly)",
        "60 % SPY + 40 % cash (rebalanced monthly)",
        "SPY (spy.csv)",
    ]


def test_no_weight_is_lost_between_text_and_choice() -> None:
    choice = parse_benchmark("A=0.1,B=0.2,C=0.3,cash=0.4")
    assert np.isclose(sum(choice.weights.values()) + 0.4, 1.0)
