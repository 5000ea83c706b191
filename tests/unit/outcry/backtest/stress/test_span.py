"""A span counts sessions, whatever the bars, and is shortened to fit."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from outcry.backtest.stress.scenario import StressScenario
from outcry.backtest.stress.span import StressSpan, locate_span, market_path
from outcry.errors import ConfigurationError, DataValidationError
from outcry.market.frame import FrameTensor

Build = Callable[..., FrameTensor]


def scenario(shock: int, recovery: int) -> StressScenario:
    return StressScenario(name="mine", shock_sessions=shock, recovery_sessions=recovery, market_shock_frac=-0.1)


def test_a_daily_span_counts_rows_from_the_first_traded_frame(build_frames: Build) -> None:
    frames = build_frames(60, first_seq=-7)
    assert locate_span(frames, scenario(10, 20)) == StressSpan(7, 17, 37, False)
    assert locate_span(frames, scenario(10, 20), 3) == StressSpan(3, 13, 33, False)
    assert locate_span(frames, scenario(10, 0)) == StressSpan(7, 17, 17, False)
    assert locate_span(build_frames(60, first_seq=4), scenario(10, 0)).start_row == 0


def test_an_intraday_span_ends_with_a_session(build_frames: Build) -> None:
    frames = build_frames(60, frames_per_session=6)
    assert locate_span(frames, scenario(2, 3)) == StressSpan(0, 11, 29, False)
    after_close = locate_span(frames, scenario(2, 3), 5)
    assert after_close == StressSpan(5, 17, 35, False)


@given(st.integers(1, 400), st.integers(0, 400), st.integers(2, 50), st.integers(0, 47))
def test_a_span_that_is_too_long_shares_the_rows_there_are(
    build_frames: Build, shock: int, recovery: int, n_frames: int, start_row: int
) -> None:
    start_row = min(start_row, n_frames - 2)
    if recovery and start_row > n_frames - 3:
        with pytest.raises(ConfigurationError, match="start_row of mine must be in"):
            locate_span(build_frames(n_frames, 1), scenario(shock, recovery), start_row)
        return
    span = locate_span(build_frames(n_frames, 1), scenario(shock, recovery), start_row)
    n_after = n_frames - 1 - start_row
    assert start_row < span.trough_row <= span.recovered_row < n_frames
    assert (span.recovered_row > span.trough_row) == (recovery > 0)
    assert span.is_compressed == (shock + recovery > n_after)
    if span.is_compressed:
        assert span.recovered_row == n_frames - 1
        assert abs((span.trough_row - start_row) - n_after * shock / (shock + recovery)) <= 1


def test_a_start_outside_of_the_frames_is_refused(build_frames: Build) -> None:
    for start_row in (-1, 59, 60):
        with pytest.raises(ConfigurationError, match=r"must be in \[0, 58\]"):
            locate_span(build_frames(60), scenario(5, 0), start_row)


def test_the_market_is_an_equal_sum_in_each_symbol_held(build_frames: Build) -> None:
    frames = build_frames(20, 3, missing_frac=0.3, full_rows=(4,))
    frames.close[:10, 2] = np.nan
    held = np.array([1.0 / frames.close[4, column] for column in range(2)])
    worth, last = [], np.zeros(2)
    for row in range(4, 20):
        last = np.where(np.isnan(frames.close[row, :2]), last, frames.close[row, :2])
        worth.append(float(held @ last) / 2)
    np.testing.assert_allclose(market_path(frames, 4), worth, rtol=1e-14)


def test_a_market_of_nothing_is_refused(build_frames: Build) -> None:
    frames = build_frames(20, 2)
    frames.close[:5] = np.nan
    with pytest.raises(DataValidationError, match="by row 4"):
        market_path(frames, 4)
