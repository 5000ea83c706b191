"""A universe whose symbols join late, leave for good and have gaps: what is theirs, and what reaches the others."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outcry.features.column import Column
from outcry.features.cross.columns import cross_columns
from outcry.features.cross.section import CrossSection
from outcry.market.frame import BoolArray, FloatArray

from .conftest import CONFIG, Bars, MakeBars

N_FRAMES, N_SYMBOLS, SPY = 90, 8, 4
PROXY_COLUMNS = {"vix": 0, "dollar": 3}
COLUMNS = cross_columns(CONFIG, tuple(PROXY_COLUMNS))

seeds = st.integers(0, 2**32 - 1)
markets = st.sampled_from([None, SPY])


def bits(values: FloatArray) -> np.ndarray:
    return np.ascontiguousarray(values).view(np.int64)


def build(bars: Bars, market: int | None) -> CrossSection:
    return CrossSection(bars.sectors, market, PROXY_COLUMNS, CONFIG)


def replay(bars: Bars, market: int | None) -> FloatArray:
    return build(bars, market).replay(bars.close, bars.volume, bars.present)


def come_and_go(seed: int) -> BoolArray:
    """Return who has a bar, bool (N_FRAMES, N_SYMBOLS): some join late, some leave, one may never come, all have gaps.

    The market and the proxies are no exception.
    """
    rng = np.random.default_rng(seed)
    t = np.arange(N_FRAMES)[:, np.newaxis]
    joins = np.where(rng.random(N_SYMBOLS) < 0.5, 0, rng.integers(0, N_FRAMES + 20, N_SYMBOLS))
    leaves = np.where(rng.random(N_SYMBOLS) < 0.6, N_FRAMES, rng.integers(10, N_FRAMES, N_SYMBOLS))
    gaps = rng.random((N_FRAMES, N_SYMBOLS)) < rng.choice([0.0, 0.1, 0.5], N_SYMBOLS)
    return (t >= joins) & (t < leaves) & ~gaps


def present_only(bars: Bars, present: BoolArray) -> Bars:
    """Return the market with these bars; what is not there is NaN."""
    close, volume = (np.where(present, field, np.nan) for field in (bars.close, bars.volume))
    return replace(bars, close=close, volume=volume, present=present)


@pytest.fixture(scope="session")
def make_changing(make_bars: MakeBars) -> Callable[[int], Bars]:
    """Return a maker of markets whose symbols come and go."""
    return lambda seed: present_only(make_bars(seed, N_FRAMES, N_SYMBOLS, 0.0), come_and_go(seed))


MakeChanging = Callable[[int], Bars]


@settings(max_examples=20)
@given(seed=seeds, market=markets)
def test_update_equals_replay_bit_for_bit(make_changing: MakeChanging, seed: int, market: int | None) -> None:
    bars = make_changing(seed)
    replayed, live = replay(bars, market), build(bars, market)
    for t in range(N_FRAMES):
        live.update(bars.close[t], bars.volume[t], bars.present[t])
        np.testing.assert_array_equal(bits(live.values), bits(replayed[t]))


@settings(max_examples=20)
@given(seed=seeds, cut=st.integers(0, N_FRAMES - 1), market=markets)
def test_a_state_stored_between_joining_and_leaving_goes_on_bit_for_bit(
    make_changing: MakeChanging, seed: int, cut: int, market: int | None
) -> None:
    bars = make_changing(seed)
    before, after = build(bars, market), build(bars, market)
    before.replay(*bars.rows(0, cut))
    after.restore(before.snapshot())
    rest = after.replay(*bars.rows(cut, N_FRAMES))
    np.testing.assert_array_equal(bits(rest), bits(replay(bars, market)[cut:]))


@settings(max_examples=20)
@given(seed=seeds, market=markets)
def test_what_stands_in_the_place_of_an_absent_bar_is_not_read(
    make_changing: MakeChanging, seed: int, market: int | None
) -> None:
    bars = make_changing(seed)
    other = replace(bars, close=bars.close.copy(), volume=bars.volume.copy())
    other.close[~bars.present], other.volume[~bars.present] = 7.0, 1e6
    np.testing.assert_array_equal(bits(replay(other, market)), bits(replay(bars, market)))


@settings(max_examples=20)
@given(seed=seeds, market=markets)
def test_a_row_is_nan_before_the_first_bar_then_held_through_gaps_and_for_good_after_the_last(
    make_changing: MakeChanging, seed: int, market: int | None
) -> None:
    bars = make_changing(seed)
    values = replay(bars, market)
    latest = np.maximum.accumulate(np.where(bars.present, np.arange(N_FRAMES)[:, np.newaxis], -1), axis=0)
    held = values[np.maximum(latest, 0), np.arange(N_SYMBOLS)]
    expected = np.where((latest >= 0)[..., np.newaxis], held, np.nan)
    np.testing.assert_array_equal(np.isnan(values), np.isnan(expected))
    known = ~np.isnan(values)
    np.testing.assert_array_equal(bits(values[known]), bits(expected[known]))
    assert (known[1:] | ~known[:-1]).all()  # what is known once is known from then on
    for c, column in enumerate(COLUMNS):
        seen = values[..., c][known[..., c]]
        assert ((seen >= column.low) & (seen <= column.high)).all(), column.name


@settings(max_examples=20)
@given(seed=seeds, market=markets)
def test_who_is_absent_after_a_first_bar_counts_for_the_others_as_one_that_did_not_trade(
    make_changing: MakeChanging, seed: int, market: int | None
) -> None:
    bars = make_changing(seed)
    t = np.arange(N_FRAMES)[:, np.newaxis]
    latest = np.maximum.accumulate(np.where(bars.present, t, -1), axis=0)
    close = np.where(latest >= 0, bars.close[np.maximum(latest, 0), np.arange(N_SYMBOLS)], np.nan)
    volume = np.where(bars.present, bars.volume, np.where(latest >= 0, 0.0, np.nan))
    idle = replay(replace(bars, close=close, volume=volume, present=latest >= 0), market)[bars.present]
    values = replay(bars, market)[bars.present]
    for c, column in enumerate(COLUMNS):
        if not column.name.startswith("cross_volume"):  # its median is of those with a bar
            np.testing.assert_array_equal(bits(values[:, c]), bits(idle[:, c]), column.name)


def least_age(column: Column) -> int:
    """Return how many frames after its first bar, itself the first, a symbol may have a value."""
    if column.cadence_bars == 1:
        return column.warmup_bars
    return (column.window_bars - column.cadence_bars if column.window_bars else CONFIG.factor_frames) + 1


def is_compared_with_a_mean(column: Column, market: int | None) -> bool:
    """Whether the column reads a mean return of symbols, of which one is part from its second bar on."""
    of_market = any(part in column.name for part in ("market", "change")) and "pca" not in column.name
    return "sector" in column.name or (market is None and of_market)


@settings(max_examples=20)
@given(seed=seeds, joins=st.integers(1, N_FRAMES - 1), market=markets)
def test_a_late_joiner_does_not_reach_the_others_before_it_has_the_history_itself(
    make_changing: MakeChanging, seed: int, joins: int, market: int | None
) -> None:
    late = 1
    bars = make_changing(seed)
    bars.present[:, late] = np.arange(N_FRAMES) >= joins
    bars.close[:, late], bars.volume[:, late] = np.linspace(20.0, 90.0, N_FRAMES), 500.0
    without = bars.present.copy()
    without[:, late] = False
    others = np.arange(N_SYMBOLS) != late
    values = replay(bars, market)
    expected = replay(replace(bars, present=without), market)
    assert np.isnan(values[:joins, late]).all()
    for c, column in enumerate(COLUMNS):
        first = joins + (1 if is_compared_with_a_mean(column, market) else least_age(column) - 1)
        np.testing.assert_array_equal(bits(values[:first, others, c]), bits(expected[:first, others, c]), column.name)


@settings(max_examples=20)
@given(seed=seeds, joins=st.integers(1, N_FRAMES - 1), reference=st.sampled_from(["market", *PROXY_COLUMNS]))
def test_what_is_compared_with_a_reference_that_joins_late_is_nan_until_that_has_the_history(
    make_changing: MakeChanging, seed: int, joins: int, reference: str
) -> None:
    place = SPY if reference == "market" else PROXY_COLUMNS[reference]
    bars = make_changing(seed)
    bars.present[:, place] = np.arange(N_FRAMES) >= joins
    bars.close[joins:, place], bars.volume[joins:, place] = 30.0 + np.arange(N_FRAMES - joins) % 5, 100.0
    values = replay(bars, SPY)
    compared = [c for c, column in enumerate(COLUMNS) if column.name.endswith(f"_{reference}")]
    assert compared
    for c in compared:
        first = joins + least_age(COLUMNS[c]) - 1
        assert np.isnan(values[:first, :, c]).all(), COLUMNS[c].name
