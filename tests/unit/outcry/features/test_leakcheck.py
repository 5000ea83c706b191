"""What must be caught: a centred window, a scale of the whole sample, a join with a later bar."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from outcry.errors import DataValidationError
from outcry.features.config import FeatureSetConfig
from outcry.features.engine import FeatureEngine
from outcry.features.feature_set import build_feature_set
from outcry.features.leakcheck import LeakReport, find_leaks, perturb
from outcry.labels.direction import UNDEFINED, direction_labels
from outcry.market.frame import FloatArray, FrameTensor
from outcry.market.sessions import Sessions

N_FRAMES = 400
MOMENTUM = build_feature_set(FeatureSetConfig(groups=("momentum",)), 3600 * 10**9, ())


@pytest.fixture(scope="module")
def frames(make_market: Callable[..., FrameTensor]) -> FrameTensor:
    return make_market(11, N_FRAMES, 3)


def leaks_of(compute: Callable[[FrameTensor], FloatArray], frames: FrameTensor, **options: int) -> set[str]:
    found = find_leaks(compute, frames, ["column"], rng=np.random.default_rng(0), **options)
    return {leak.column for leak in found.leaks}


def past_mean(frames: FrameTensor) -> FloatArray:
    return pd.DataFrame(frames.close).rolling(5, min_periods=1).mean().to_numpy()[..., np.newaxis]


def centred_mean(frames: FrameTensor) -> FloatArray:
    return pd.DataFrame(frames.close).rolling(5, min_periods=1, center=True).mean().to_numpy()[..., np.newaxis]


def scaled_by_the_whole_sample(frames: FrameTensor) -> FloatArray:
    close = frames.close
    return ((close - np.nanmean(close, axis=0)) / np.nanstd(close, axis=0))[..., np.newaxis]


def joined_with_a_later_bar(frames: FrameTensor) -> FloatArray:
    """Join with two-hour bars by the start of the bar, as if it were known when it begins."""
    table = pd.DataFrame(frames.close, index=pd.to_datetime(frames.ts_close_ns))
    two_hours = table.resample("2h").last()
    return two_hours.reindex(table.index, method="ffill").to_numpy()[..., np.newaxis]


def filled_backwards(frames: FrameTensor) -> FloatArray:
    return pd.DataFrame(frames.close).bfill().to_numpy()[..., np.newaxis]


def test_a_trailing_window_has_no_leak(frames: FrameTensor) -> None:
    assert leaks_of(past_mean, frames) == set()


@pytest.mark.parametrize(
    "compute", [centred_mean, scaled_by_the_whole_sample, joined_with_a_later_bar, filled_backwards]
)
def test_a_column_that_knows_the_future_is_named(
    compute: Callable[[FrameTensor], FloatArray], frames: FrameTensor
) -> None:
    assert leaks_of(compute, frames) == {"column"}


def test_a_leak_that_hides_in_one_column_of_many_is_named_alone(
    frames: FrameTensor, around_the_clock: Sessions
) -> None:
    def compute(given: FrameTensor) -> FloatArray:
        values = FeatureEngine(MOMENTUM, given.n_symbols, around_the_clock, 8760.0).replay(given)
        values[:-1, :, 3] = values[1:, :, 3]
        return values

    (leak,) = find_leaks(compute, frames, MOMENTUM.names, rng=np.random.default_rng(0)).leaks
    assert leak.column == MOMENTUM.names[3]
    assert leak.first_row == leak.cut_row - 1
    assert str(leak).startswith(f"{leak.column}: row {leak.first_row} changes")


def test_a_label_may_reach_its_horizon_and_no_further(frames: FrameTensor) -> None:
    def labels(given: FrameTensor) -> FloatArray:
        found = direction_labels(given.close, 7, 0.001)
        return np.where(found == UNDEFINED, np.nan, found)[..., np.newaxis]

    assert leaks_of(labels, frames, reach_frames=7) == set()
    assert leaks_of(labels, frames, reach_frames=6) == {"column"}


def test_a_column_without_a_value_is_not_proven(frames: FrameTensor) -> None:
    found = find_leaks(lambda f: past_mean(f) * np.nan, frames, ["column"], rng=np.random.default_rng(0))
    assert found == LeakReport((), ("column",))


def test_the_same_generator_finds_the_same_leaks(frames: FrameTensor) -> None:
    first, second = (find_leaks(centred_mean, frames, ["column"], rng=np.random.default_rng(5)) for _ in range(2))
    assert first == second


def test_the_other_future_is_possible_and_leaves_the_past_alone(frames: FrameTensor) -> None:
    other = perturb(frames, 100, np.random.default_rng(3))
    here = other.present
    assert (other.low[here] <= np.minimum(other.open, other.close)[here]).all()
    assert (other.high[here] >= np.maximum(other.open, other.close)[here]).all()
    np.testing.assert_array_equal(other.close[:100], frames.close[:100])
    assert not np.array_equal(other.close[100:], frames.close[100:], equal_nan=True)
    assert (~here[100:]).sum() > (~frames.present[100:]).sum()


def test_too_few_frames_and_another_shape_are_refused(frames: FrameTensor) -> None:
    with pytest.raises(DataValidationError, match="at least 16 for 4 cuts, were 10"):
        leaks_of(past_mean, frames.rows(0, 10, first_seq=0))
    with pytest.raises(DataValidationError, match="values must have shape"):
        leaks_of(lambda given: past_mean(given)[1:], replace(frames))


@pytest.fixture(scope="module")
def taped(frames: FrameTensor) -> FrameTensor:
    """The frames with a quote around each close, and trades of which buyers began some."""
    rng = np.random.default_rng(8)
    shape = frames.present.shape
    quote = [frames.close * 0.999, frames.close * 1.001, *rng.integers(0, 900, (2, *shape))]
    flow = [rng.integers(0, 50, shape), np.floor(frames.volume * rng.random(shape))]
    tape = np.where(frames.present[..., np.newaxis], np.stack([*quote, *flow], axis=-1), np.nan)
    return replace(frames, tape=tape)


def test_the_other_future_of_a_tape_is_possible_and_leaves_the_past_alone(taped: FrameTensor) -> None:
    other = perturb(taped, 100, np.random.default_rng(3))
    assert taped.tape is not None
    assert other.tape is not None
    np.testing.assert_array_equal(other.tape[:100], taped.tape[:100])
    known = ~np.isnan(other.tape[100:])
    assert (other.tape[100:][known] >= 0.0).all()
    assert not (other.tape[..., 5] > other.volume).any()
    for place in range(6):
        before, after = taped.tape[100:, :, place], other.tape[100:, :, place]
        both = ~np.isnan(before) & ~np.isnan(after)
        assert (before[both] != after[both]).mean() > 0.9
        assert np.isnan(after).sum() > np.isnan(before).sum()
    assert perturb(replace(taped, tape=None), 100, np.random.default_rng(3)).tape is None


def test_frames_without_a_tape_get_the_other_future_they_got_with_one(taped: FrameTensor) -> None:
    plain = perturb(replace(taped, tape=None), 100, np.random.default_rng(3))
    np.testing.assert_array_equal(plain.close, perturb(taped, 100, np.random.default_rng(3)).close)


@pytest.mark.parametrize("place", range(6))
def test_a_column_that_reads_the_tape_of_the_next_frame_is_named(taped: FrameTensor, place: int) -> None:
    def known_now(given: FrameTensor) -> FloatArray:
        assert given.tape is not None
        return given.tape[..., place, np.newaxis]

    def known_too_early(given: FrameTensor) -> FloatArray:
        return np.concatenate([known_now(given)[1:], known_now(given)[-1:]])

    assert leaks_of(known_now, taped) == set()
    assert leaks_of(known_too_early, taped) == {"column"}
