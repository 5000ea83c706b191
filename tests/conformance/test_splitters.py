"""Every splitter, found in its package, is held to the same checks."""

import inspect
import pkgutil
from collections.abc import Iterator
from importlib import import_module

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.strategies import DataObject

import outcry.labels.splits
from outcry.errors import ConfigurationError
from outcry.labels.horizon import last_rows
from outcry.labels.splits.splitter import Fold, Splitter
from outcry.market.frame import IntArray

HORIZON = st.integers(1, 9)
VALUES = {
    "horizon_bars": HORIZON,
    "embargo_bars": st.integers(0, 4),
    "n_folds": st.integers(2, 6),
    "n_groups": st.integers(3, 6),
    "n_test_groups": st.integers(1, 2),
    "min_train_frac": st.floats(0.2, 0.8),
    "train_frac": st.floats(0.3, 0.6),
    "validation_frac": st.floats(0.1, 0.3),
    "scheme": st.sampled_from(["rolling", "anchored", "fixed"]),
    "train_bars": st.integers(14, 40),
    "test_bars": st.integers(1, 20),
    "step_bars": st.one_of(st.none(), st.integers(1, 25)),
}
"""What a parameter of that name is drawn from; a splitter with a new one fails until it is here."""


def splitter_classes() -> Iterator[type]:
    for module in pkgutil.iter_modules(outcry.labels.splits.__path__, "outcry.labels.splits."):
        for _, found in inspect.getmembers(import_module(module.name), inspect.isclass):
            if hasattr(found, "split") and found.__module__ == module.name and found is not Splitter:
                yield found


SPLITTERS = tuple(splitter_classes())
every_splitter = pytest.mark.parametrize("kind", SPLITTERS, ids=lambda kind: kind.__name__)


def draw_splitter(data: DataObject, kind: type) -> Splitter:
    return data.draw(st.builds(kind, **{name: VALUES[name] for name in inspect.signature(kind).parameters}))


def draw_last_row(data: DataObject, n_frames: int, horizon_bars: int) -> IntArray | None:
    """Draw the ends of labels of three symbols, some of them without a label; or none, for the whole horizon."""
    if data.draw(st.booleans()):
        return None
    rng = np.random.default_rng(data.draw(st.integers(0, 1000)))
    n_bars = rng.integers(1, horizon_bars + 1, (n_frames, 3))
    return last_rows(rng.random((n_frames, 3)) < data.draw(st.sampled_from([0.3, 0.9, 1.0])), n_bars)


def folds_of(splitter: Splitter, n_frames: int, last_row: IntArray | None) -> list[Fold]:
    """Return the folds; none where the splitter says that there are too few frames."""
    try:
        return list(splitter.split(n_frames, last_row))
    except ConfigurationError as error:
        if f"{n_frames} rows are too few" not in str(error):
            raise
        return []


def labels_of(frames: IntArray, last_row: IntArray | None, horizon_bars: int) -> list[tuple[int, int]]:
    """Return the span (first, last) of each label of these frames."""
    if last_row is None:
        return [(t, t + horizon_bars) for t in frames.tolist()]
    return [(t, last) for t in frames.tolist() for last in last_row[t].tolist() if last >= 0]


def is_met(span: tuple[int, int], others: list[tuple[int, int]], embargo_bars: int) -> bool:
    return any(span[0] <= last + embargo_bars and first <= span[1] + embargo_bars for first, last in others)


def test_all_splitters_are_found() -> None:
    assert {"PurgedWalkForward", "PurgedKFold", "CombinatorialPurged", "WalkForwardWindows", "HoldOut"} <= {
        kind.__name__ for kind in SPLITTERS
    }


@every_splitter
@settings(suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_no_training_label_meets_a_test_label(kind: type, data: DataObject) -> None:
    """Every pair of labels is compared; no property of the splitters is used."""
    splitter, n_frames = draw_splitter(data, kind), data.draw(st.integers(20, 90))
    horizon_bars, embargo_bars = splitter.horizon_bars, splitter.embargo_bars
    last_row = draw_last_row(data, n_frames, horizon_bars)
    for train, test in folds_of(splitter, n_frames, last_row):
        tested = labels_of(test, last_row, horizon_bars)
        for span in labels_of(train, last_row, horizon_bars):
            assert not is_met(span, tested, embargo_bars)


@every_splitter
@given(data=st.data())
def test_no_more_is_purged_than_must_be(kind: type, data: DataObject) -> None:
    """Between the first and the last training frame, a frame is missing for a label that meets a test label."""
    splitter, n_frames = draw_splitter(data, kind), data.draw(st.integers(20, 90))
    horizon_bars, embargo_bars = splitter.horizon_bars, splitter.embargo_bars
    for train, test in folds_of(splitter, n_frames, None):
        tested = labels_of(test, None, horizon_bars)
        missing = np.setdiff1d(np.arange(train[0], train[-1] + 1), np.concatenate((train, test)))
        for span in labels_of(missing, None, horizon_bars):
            assert is_met(span, tested, embargo_bars)


@every_splitter
@given(data=st.data())
def test_folds_are_disjoint_frames_in_order(kind: type, data: DataObject) -> None:
    splitter, n_frames = draw_splitter(data, kind), data.draw(st.integers(20, 90))
    folds = folds_of(splitter, n_frames, draw_last_row(data, n_frames, splitter.horizon_bars))
    for train, test in folds:
        for part in (train, test):
            assert part.dtype == np.int64
            assert part.size
            assert (np.diff(part) > 0).all()
            assert 0 <= part[0] <= part[-1] < n_frames
        assert not np.intersect1d(train, test).size
    tests = [test.tolist() for _, test in folds]
    assert tests == sorted(tests)


@every_splitter
@given(data=st.data())
def test_a_whole_horizon_for_every_label_is_no_other_split(kind: type, data: DataObject) -> None:
    splitter, n_frames = draw_splitter(data, kind), data.draw(st.integers(20, 90))
    last_row = last_rows(np.ones((n_frames, 2), dtype=np.bool_), splitter.horizon_bars)
    given_rows, constant = (folds_of(splitter, n_frames, ends) for ends in (last_row, None))
    assert [(train.tolist(), test.tolist()) for train, test in given_rows] == [
        (train.tolist(), test.tolist()) for train, test in constant
    ]


@every_splitter
@given(data=st.data())
def test_a_label_beyond_the_horizon_is_refused(kind: type, data: DataObject) -> None:
    splitter = draw_splitter(data, kind)
    last_row = last_rows(np.ones((90, 2), dtype=np.bool_), splitter.horizon_bars)
    last_row[4, 1] += 1
    with pytest.raises(ConfigurationError, match=f"last_row must be 0 to horizon_bars {splitter.horizon_bars} after"):
        list(splitter.split(90, last_row))
    with pytest.raises(ConfigurationError, match=r"last_row must have 90 rows of symbols, had shape \(89, 2\)"):
        list(splitter.split(90, last_row[1:]))


@every_splitter
@pytest.mark.parametrize(("name", "least"), [("horizon_bars", 1), ("embargo_bars", 0)])
@given(data=st.data())
def test_a_gap_that_is_too_small_is_refused(kind: type, name: str, least: int, data: DataObject) -> None:
    parameters = {other: data.draw(VALUES[other]) for other in inspect.signature(kind).parameters}
    with pytest.raises(ConfigurationError, match=f"{name} must be at least {least}, was {least - 1}"):
        kind(**parameters | {name: least - 1})
