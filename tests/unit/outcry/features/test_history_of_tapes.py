"""Quotes and trades of a frame reach the history that every kernel reads; without them it says: not known."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from outcry.features.config import FeatureSetConfig
from outcry.features.engine import FeatureEngine
from outcry.features.feature_set import build_feature_set
from outcry.features.kernels.bars import BID, BUY_VOLUME, SLACK_BARS
from outcry.market.frame import FloatArray, FrameTensor
from outcry.market.sessions import Sessions

FEATURES = build_feature_set(FeatureSetConfig(groups=("momentum", "micro")), 60 * 60 * 10**9, ())
N_FRAMES = SLACK_BARS + 300  # the history moves to the front on the way


@pytest.fixture(scope="module")
def taped(make_market: Callable[..., FrameTensor]) -> FrameTensor:
    frames = make_market(5, N_FRAMES, 3)
    rng = np.random.default_rng(6)
    tape = rng.random((*frames.present.shape, 6))
    tape[(rng.random(tape.shape) < 0.3) | ~frames.present[..., np.newaxis]] = np.nan
    return replace(frames, tape=tape)


def build(sessions: Sessions) -> FeatureEngine:
    return FeatureEngine(FEATURES, 3, sessions, 8760.0)


def tape_rows(engine: FeatureEngine) -> FloatArray:
    return engine.snapshot().arrays["history"][:, BID : BUY_VOLUME + 1]


def last_bars(frames: FrameTensor, n_bars: int) -> FloatArray:
    """Return the tape of the last bars of each symbol, float64 (n_symbols, 6, n_bars)."""
    assert frames.tape is not None
    return np.stack([frames.tape[frames.present[:, i], i][-n_bars:].T for i in range(frames.n_symbols)])


def test_a_replay_keeps_the_tape_of_the_bars_a_symbol_had(taped: FrameTensor, around_the_clock: Sessions) -> None:
    engine = build(around_the_clock)
    engine.replay(taped)
    np.testing.assert_array_equal(tape_rows(engine), last_bars(taped, FEATURES.lookback_bars))


def test_frames_one_by_one_leave_the_history_of_a_replay_bit_for_bit(
    taped: FrameTensor, around_the_clock: Sessions
) -> None:
    replayed, live = build(around_the_clock), build(around_the_clock)
    replayed.replay(taped)
    for frame in taped:
        live.update(frame)
    one, other = (engine.snapshot().arrays["history"] for engine in (replayed, live))
    np.testing.assert_array_equal(one.view(np.int64), other.view(np.int64))


def test_without_a_tape_nothing_of_it_is_known_and_the_bars_are_the_same(
    taped: FrameTensor, around_the_clock: Sessions
) -> None:
    with_tape, without = build(around_the_clock), build(around_the_clock)
    of_bars = [place for place, column in enumerate(FEATURES.columns) if column.category == "momentum"]
    values = with_tape.replay(taped)[:, :, of_bars]
    np.testing.assert_array_equal(without.replay(replace(taped, tape=None))[:, :, of_bars], values)
    assert np.isnan(tape_rows(without)).all()
    one, other = (engine.snapshot().arrays["history"][:, :BID] for engine in (with_tape, without))
    np.testing.assert_array_equal(one, other)
