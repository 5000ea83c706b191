import math
import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.harness import measure, percentiles, result

SAMPLES = st.lists(st.floats(min_value=0, max_value=1e6), min_size=1, max_size=200)


@given(SAMPLES)
def test_percentile_is_a_measured_value_and_at_least_that_share_lies_below(samples: list[float]):
    for level in (1.0, 50.0, 99.0, 100.0):
        (value,) = percentiles(samples, [level])
        assert value in samples
        share_frac = sum(each <= value for each in samples) / len(samples)
        assert share_frac >= level / 100 or math.isclose(share_frac, level / 100)


@given(SAMPLES)
def test_median_agrees_with_the_standard_library(samples: list[float]):
    assert percentiles(samples)[0] == statistics.median_low(samples)


def test_percentiles_of_nothing_are_refused():
    with pytest.raises(ValueError, match="samples must not be empty"):
        percentiles([])


def test_warm_up_calls_are_made_and_not_counted():
    calls: list[int] = []
    seconds = measure(lambda: calls.append(1), n=5, warmup=3)
    assert len(calls) == 8
    assert len(seconds) == 5
    assert min(seconds) >= 0


@pytest.mark.parametrize(("n", "warmup", "message"), [(0, 1, "n must be positive, was 0"), (1, -1, "warmup must not")])
def test_measuring_nothing_is_refused(n: int, warmup: int, message: str):
    with pytest.raises(ValueError, match=message):
        measure(list, n=n, warmup=warmup)


def test_goal_is_written_with_its_sign_and_judged():
    assert result("x", 2.0, "ms", "how", at_most=2.0) == {
        "name": "x",
        "value": 2.0,
        "unit": "ms",
        "goal": "<= 2",
        "holds": True,
        "how": "how",
    }
    assert not result("x", 2.1, "ms", "how", at_most=2.0)["holds"]
    assert not result("x", 599.0, "requests/s", "how", at_least=600)["holds"]
    assert not result("x", math.nan, "ms", "how", at_most=2.0)["holds"]
    assert result("x", 1.0, "ms", "how")["holds"]


def test_two_goals_for_one_figure_are_refused():
    with pytest.raises(ValueError, match="one goal a figure"):
        result("x", 1.0, "ms", "how", at_most=2, at_least=0)
