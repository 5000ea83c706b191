"""Windows of whole sessions: nothing of a test span is learnt, and no session is traded twice or left out."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from outcry.backtest.windows import WalkForwardConfig, Window, cut_windows, window_of_rows
from outcry.errors import ConfigurationError
from outcry.market.frame import IntArray

DAY_NS = 86_400 * 10**9
BAR_NS = 60 * 10**9


def closes_of(bars_of_session: list[int]) -> tuple[IntArray, IntArray]:
    """Return closes of frames and of sessions; a session without bars has a close all the same."""
    session_close_ns = np.arange(1, len(bars_of_session) + 1, dtype=np.int64) * DAY_NS
    frames = [
        close - BAR_NS * np.arange(n, dtype=np.int64)[::-1]
        for close, n in zip(session_close_ns, bars_of_session, strict=True)
    ]
    return np.concatenate(frames), session_close_ns


@st.composite
def cut(draw: st.DrawFn) -> tuple[list[int], WalkForwardConfig, int]:
    test_sessions = draw(st.integers(1, 6))
    scheme = draw(st.sampled_from(["rolling", "anchored", "fixed"]))
    step = draw(st.one_of(st.none(), st.integers(1, test_sessions))) if scheme == "fixed" else None
    config = WalkForwardConfig(
        scheme=scheme,
        train_sessions=draw(st.integers(3, 12)),
        test_sessions=test_sessions,
        step_sessions=step,
        purge_bars=draw(st.integers(0, 3)),
        embargo_bars=draw(st.integers(0, 2)),
    )
    n = config.train_sessions + test_sessions + draw(st.integers(0, 20))
    return draw(st.lists(st.integers(3, 5), min_size=n, max_size=n)), config, draw(st.integers(1, 3))


@given(cut())
def test_no_label_of_a_training_row_reaches_into_a_test_span(drawn: tuple[list[int], WalkForwardConfig, int]):
    bars, config, horizon_bars = drawn
    for window in cut_windows(*closes_of(bars), config, horizon_bars):
        last_labelled = window.train_stop - 1 - horizon_bars
        assert last_labelled >= window.train_start
        assert last_labelled + horizon_bars + config.purge_bars + config.embargo_bars < window.test_start


@given(cut())
def test_test_spans_cover_whole_sessions_without_a_gap(drawn: tuple[list[int], WalkForwardConfig, int]):
    bars, config, horizon_bars = drawn
    edges = np.concatenate(([0], np.cumsum(bars)))
    windows = cut_windows(*closes_of(bars), config, horizon_bars)
    assert windows[0].test_start == edges[config.train_sessions]
    for window in windows:
        first, stop = np.searchsorted(edges, (window.test_start, window.test_stop))
        assert (edges[first], edges[stop]) == (window.test_start, window.test_stop)
        assert stop - first == config.test_sessions
    for earlier, later in pairwise(windows):
        if config.step == config.test_sessions:
            assert later.test_start == earlier.test_stop
        else:
            assert earlier.test_start < later.test_start <= earlier.test_stop
    left_out = len(bars) - np.searchsorted(edges, windows[-1].test_stop)
    assert left_out < config.step


@given(cut())
def test_training_spans_are_as_long_as_their_scheme_says(drawn: tuple[list[int], WalkForwardConfig, int]):
    bars, config, horizon_bars = drawn
    edges = np.concatenate(([0], np.cumsum(bars)))
    gap = config.purge_bars + config.embargo_bars
    for window in cut_windows(*closes_of(bars), config, horizon_bars):
        first, stop = np.searchsorted(edges, (window.train_start, window.train_stop + gap))
        if config.scheme == "anchored":
            assert first == 0
            assert edges[stop] == window.test_start
        else:
            assert stop - first == config.train_sessions
        if config.scheme == "fixed":
            assert first == 0


@given(cut())
def test_every_traded_row_belongs_to_the_newest_window_that_tests_it(
    drawn: tuple[list[int], WalkForwardConfig, int],
):
    bars, config, horizon_bars = drawn
    windows = cut_windows(*closes_of(bars), config, horizon_bars)
    owner = window_of_rows(windows)
    assert len(owner) == windows[-1].test_stop - windows[0].test_start
    for row, number in enumerate(owner.tolist(), start=windows[0].test_start):
        assert windows[number].test_start <= row < windows[number].test_stop
        assert number + 1 == len(windows) or row < windows[number + 1].test_start


def test_sessions_without_a_frame_count_for_nothing():
    bars = [1, 0, 1, 0, 0, 1, 1, 1]
    config = WalkForwardConfig(train_sessions=3, test_sessions=2, purge_bars=0)
    assert cut_windows(*closes_of(bars), config, 1) == (Window(0, 0, 3, 3, 5),)


def test_too_few_sessions_for_one_window_are_refused():
    config = WalkForwardConfig(train_sessions=8, test_sessions=3)
    with pytest.raises(ConfigurationError, match="11 sessions in all; the data has 10"):
        cut_windows(*closes_of([4] * 10), config, 1)


def test_a_training_span_without_a_label_is_refused():
    config = WalkForwardConfig(train_sessions=8, test_sessions=1, purge_bars=5)
    with pytest.raises(ConfigurationError, match="8 frames, of which 5 are purged and 3"):
        cut_windows(*closes_of([1] * 10), config, 3)


def test_a_step_longer_than_the_test_span_is_refused():
    with pytest.raises(ValidationError, match="step_sessions must be at most test_sessions 63, was 64"):
        WalkForwardConfig(step_sessions=64)


@pytest.mark.parametrize("scheme", ["rolling", "anchored"])
def test_overlapping_test_spans_are_for_one_fixed_model(scheme: str):
    with pytest.raises(ValidationError, match="must equal test_sessions 63"):
        WalkForwardConfig(scheme=scheme, step_sessions=21)
    assert WalkForwardConfig(scheme="fixed", step_sessions=21).step == 21
