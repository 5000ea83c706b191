from pathlib import Path

import numpy as np
import pytest

from outcry.backtest.strategy import (
    KEEP,
    Holdings,
    MarketView,
    StatefulStrategy,
    Strategy,
    ask_frame,
    ask_weights,
    load_strategy,
)
from outcry.errors import StrategyError

N_FRAMES, DAY_NS = 30, 86_400 * 10**9


class Given(Strategy):
    """Answer with a function of the view."""

    def __init__(self, answer):
        self._answer = answer

    def weights(self, view):
        return self._answer(view)


class GivenOfAFrame(StatefulStrategy):
    def __init__(self, answer):
        self._answer = answer

    def on_frame(self, view, holdings):
        return self._answer(view, holdings)


@pytest.fixture
def view() -> MarketView:
    """Return prices of two symbols; the second has no bar in frame 3, and one feature warms up until frame 5."""
    close = np.random.default_rng(0).uniform(9, 11, (N_FRAMES, 2))
    close[3, 1] = np.nan
    feature = close * 2
    feature[:5] = np.nan
    ts = np.arange(1, N_FRAMES + 1) * DAY_NS
    return MarketView(("AAA", "BBB"), ts, close, close, close, close, close, {"x": feature})


HOLDINGS = Holdings(100.0, 100.0, np.zeros(2), np.zeros(2))


def ones(view):
    return np.ones(view.close.shape)


def test_weights_that_are_kept_or_not_known_leave_a_symbol_as_it_is(view):
    weights = ask_weights(
        Given(lambda v: np.where(v.close > 10, KEEP, np.where(np.isnan(v.features["x"]), np.nan, 0.5))), view
    )
    is_left = np.isnan(weights)
    np.testing.assert_array_equal(is_left, (view.close > 10) | np.isnan(view.features["x"]))
    assert set(weights[~is_left]) == {0.5}


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (lambda v: ones(v)[:, :1], r"Given must return weights of shape \(30, 2\), returned \(30, 1\)"),
        (lambda v: 11 * ones(v), r"weights of at most 10, returned 11 for AAA at 1970-01-02"),
        (lambda v: -KEEP * ones(v), r"weights of at most 10, returned -inf for AAA"),
        (lambda v: np.nan * ones(v), r"a number, or KEEP, .* returned nan for AAA at 1970-01-07"),
        (lambda v: v.features["y"], r"Given raised KeyError for 30 frames: 'y'"),
        (lambda v: np.cumsum(ones(v), axis=0) / 100, r"the same weights alone and among others, does not at 1970-01-"),
        (lambda v: np.roll(np.nan_to_num(v.close), -1, axis=0) / 20, "a strategy that reads other rows looks ahead"),
    ],
)
def test_what_a_strategy_does_wrong_is_told_by_name_instant_and_rule(view, answer, message):
    with pytest.raises(StrategyError, match=message):
        ask_weights(Given(answer), view)


def test_a_frame_is_asked_with_what_is_held_and_checked_alike(view):
    def answer(one, holdings):
        assert len(one) == 1
        return holdings.weight + 0.25

    np.testing.assert_array_equal(ask_frame(GivenOfAFrame(answer), view.row(7), HOLDINGS), [0.25, 0.25])
    with pytest.raises(StrategyError, match=r"GivenOfAFrame raised ZeroDivisionError at 1970-01-09T00:00:00: division"):
        ask_frame(GivenOfAFrame(lambda one, holdings: 1 / 0), view.row(7), HOLDINGS)
    with pytest.raises(StrategyError, match=r"shape \(2,\), returned \(1, 2\)"):
        ask_frame(GivenOfAFrame(lambda one, holdings: one.close), view.row(7), HOLDINGS)


GOOD = """
import numpy as np
from outcry.backtest.strategy import Strategy

class Flat(Strategy):
    columns = ("sma_20",)

    def __init__(self, size: float = 0.0) -> None:
        self.size = size

    def weights(self, view):
        return np.full(view.close.shape, self.size)
"""


@pytest.mark.parametrize(
    ("text", "parameters", "message"),
    [
        ("x = 1", {}, "must define one class of Strategy or StatefulStrategy, found none"),
        (GOOD + "\nclass Other(Flat):\n    pass\n", {}, "found Flat, Other"),
        ("import nowhere_at_all", {}, "must run, failed with ModuleNotFoundError"),
        ("def f(:", {}, "failed with SyntaxError"),
        (GOOD, {"sise": 1}, "strategy Flat must take its parameters: .*'sise'"),
    ],
)
def test_a_file_that_is_no_strategy_is_refused(tmp_path, text, parameters, message):
    path = tmp_path / "mine.py"
    path.write_text(text)
    with pytest.raises(StrategyError, match=message):
        load_strategy(path, parameters)


def test_a_file_gives_its_strategy_with_parameters(tmp_path, view):
    path = tmp_path / "mine.py"
    path.write_text(GOOD)
    strategy = load_strategy(path, {"size": 0.5})
    assert isinstance(strategy, Strategy)
    assert strategy.columns == ("sma_20",)
    assert set(ask_weights(strategy, view).ravel()) == {0.5}
    with pytest.raises(StrategyError, match="strategy must name a file, was"):
        load_strategy(Path("nowhere.py"))
