"""Streaming equals batch, a restart is not seen, a shard computes what the whole does, the past is final."""

import io
import pickle
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outcry.errors import DataValidationError, RecoveryError
from outcry.features.catalogue import FAMILIES
from outcry.features.config import FeatureSetConfig
from outcry.features.engine import FeatureEngine
from outcry.features.feature_set import build_feature_set
from outcry.features.indicator import Family, Kind
from outcry.features.state import FeatureState
from outcry.market.frame import NO_ACTION, PRICE_FIELDS, SPLIT_FACTOR, SPLIT_RATIO, FloatArray, FrameTensor
from outcry.market.sessions import Sessions

MakeMarket = Callable[..., FrameTensor]
BARS_PER_YEAR = 8760.0
FEATURES = build_feature_set(FeatureSetConfig(), 60 * 60 * 10**9, ("SPY",))
N_FRAMES, N_SYMBOLS = 660, 3  # past every warm-up of bars, 618

seeds = st.integers(0, 2**32 - 1)
cuts = st.integers(0, N_FRAMES - 1)
absences = st.sampled_from([0.0, 0.05, 0.5])


def bits(values: FloatArray) -> np.ndarray:
    return values.view(np.int64)


def build(sessions: Sessions, n_symbols: int = N_SYMBOLS) -> FeatureEngine:
    return FeatureEngine(FEATURES, n_symbols, sessions, BARS_PER_YEAR)


@settings(max_examples=8, deadline=None)
@given(seed=seeds, absent_frac=absences)
def test_update_equals_replay_bit_for_bit_on_every_prefix(
    make_market: MakeMarket, around_the_clock: Sessions, seed: int, absent_frac: float
) -> None:
    frames = make_market(seed, N_FRAMES, N_SYMBOLS, absent_frac)
    replayed = build(around_the_clock).replay(frames)
    live = build(around_the_clock)
    for row, frame in enumerate(frames):
        live.update(frame)
        np.testing.assert_array_equal(bits(live.values), bits(replayed[row]))
        np.testing.assert_array_equal(live.stale, ~frame.present)
    assert live.last_seq == frames.last_seq


@settings(max_examples=4, deadline=None)
@given(seed=seeds, cut=cuts, ratio=st.sampled_from([2.0, 0.125]))
def test_a_split_changes_no_feature(
    make_market: MakeMarket, around_the_clock: Sessions, seed: int, cut: int, ratio: float
) -> None:
    frames = make_market(seed, N_FRAMES, N_SYMBOLS)
    actions = np.tile(NO_ACTION, (*frames.present.shape, 1))
    actions[cut, 1, SPLIT_RATIO], actions[cut:, 1, SPLIT_FACTOR] = ratio, ratio
    factor = actions[..., SPLIT_FACTOR]  # a power of two: prices over it lose nothing
    columns = {name: getattr(frames, name) / factor for name in (*PRICE_FIELDS, "vwap")}
    split = replace(frames, volume=frames.volume * factor, actions=actions, **columns)
    whole = build(around_the_clock).replay(frames)
    np.testing.assert_array_equal(bits(build(around_the_clock).replay(split)), bits(whole))
    live = build(around_the_clock)
    live.replay(split.rows(0, cut, first_seq=0))
    live.update(split.frame(cut))
    np.testing.assert_array_equal(bits(live.values), bits(whole[cut]))


@settings(max_examples=8, deadline=None)
@given(seed=seeds, cut=cuts)
def test_a_restored_engine_goes_on_bit_for_bit(
    make_market: MakeMarket, around_the_clock: Sessions, seed: int, cut: int
) -> None:
    frames = make_market(seed, N_FRAMES, N_SYMBOLS)
    whole = build(around_the_clock).replay(frames)
    before = build(around_the_clock)
    before.replay(frames.rows(0, cut, first_seq=0)) if cut else None
    stored = io.BytesIO()
    state = before.snapshot()
    np.savez(stored, **state.arrays)
    before.replay(frames.rows(cut, N_FRAMES, first_seq=cut))  # what happens later must not reach the snapshot
    stored.seek(0)
    with np.load(stored, allow_pickle=False) as arrays:
        loaded = FeatureState(dict(arrays), state.features_hash, state.last_seq)
    after = build(around_the_clock)
    after.restore(loaded)
    assert after.last_seq == (cut - 1 if cut else None)
    np.testing.assert_array_equal(bits(after.snapshot().arrays["last"]), bits(state.arrays["last"]))
    rest = after.replay(frames.rows(cut, N_FRAMES, first_seq=cut))
    np.testing.assert_array_equal(bits(rest), bits(whole[cut:]))


@settings(max_examples=6, deadline=None)
@given(seed=seeds, owner=st.lists(st.integers(0, 2), min_size=7, max_size=7))
def test_shards_compute_what_the_whole_universe_does(
    make_market: MakeMarket, around_the_clock: Sessions, seed: int, owner: list[int]
) -> None:
    frames = make_market(seed, N_FRAMES, 7)
    whole = build(around_the_clock, 7).replay(frames)
    for shard in set(owner):
        mine = np.flatnonzero(np.array(owner) == shard)
        values = build(around_the_clock, len(mine)).replay(frames.select(mine))
        np.testing.assert_array_equal(bits(values), bits(np.ascontiguousarray(whole[:, mine])))


def test_threads_change_no_bit_and_refuse_the_first_impossible_bar(
    make_market: MakeMarket, around_the_clock: Sessions
) -> None:
    frames = make_market(11, N_FRAMES, N_SYMBOLS, absent_frac=0.0)
    last = frames.rows(N_FRAMES - 4, N_FRAMES, first_seq=N_FRAMES - 4)
    wrong = replace(last, low=last.low.copy(), open=last.open.copy())
    wrong.low[3, 2] = wrong.open[3, 1] = -1.0
    for features in (FEATURES, build_feature_set(FeatureSetConfig(columns=("sma_20",)), FEATURES.bar_ns)):
        one = FeatureEngine(features, N_SYMBOLS, around_the_clock, BARS_PER_YEAR)
        two = FeatureEngine(features, N_SYMBOLS, around_the_clock, BARS_PER_YEAR, n_threads=2)
        for half in (frames.rows(0, 300, first_seq=0), frames.rows(300, N_FRAMES - 4, first_seq=300)):
            np.testing.assert_array_equal(bits(two.replay(half)), bits(one.replay(half)))
        assert two.last_seq == one.last_seq
        np.testing.assert_array_equal(two.stale, one.stale)
        before = two.snapshot()
        with pytest.raises(DataValidationError, match=f"frame {N_FRAMES - 1}, symbol 1 had"):
            two.replay(wrong)
        for name, array in before.arrays.items():
            np.testing.assert_array_equal(two.snapshot().arrays[name], array)


@settings(max_examples=6, deadline=None)
@given(seed=seeds, other=seeds, cut=cuts)
def test_values_do_not_change_when_later_bars_do(
    make_market: MakeMarket, around_the_clock: Sessions, seed: int, other: int, cut: int
) -> None:
    frames, others = make_market(seed, N_FRAMES, N_SYMBOLS), make_market(other, N_FRAMES, N_SYMBOLS)
    fields = ("open", "high", "low", "close", "volume", "vwap", "present")
    mixed = replace(frames, **{f: np.concatenate([getattr(frames, f)[:cut], getattr(others, f)[cut:]]) for f in fields})
    expected = build(around_the_clock).replay(frames)[:cut]
    np.testing.assert_array_equal(bits(build(around_the_clock).replay(mixed)[:cut]), bits(expected))


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_an_indicator_alone_has_the_values_it_has_among_all_others(
    make_market: MakeMarket, around_the_clock: Sessions, family: Family
) -> None:
    frames = make_market(11, N_FRAMES, N_SYMBOLS)
    tape = np.random.default_rng(12).random((*frames.present.shape, 6))
    tape[:, :, 1] += tape[:, :, 0]  # no crossed quotes
    frames = replace(frames, tape=tape)
    among_all = build(around_the_clock).replay(frames)
    for indicator in (kind.make(params) for kind in family.kinds for params in windows_of(kind)):
        alone = build_feature_set(FeatureSetConfig(columns=indicator.names), FEATURES.bar_ns)
        values = FeatureEngine(alone, N_SYMBOLS, around_the_clock, BARS_PER_YEAR).replay(frames)
        expected = among_all[:, :, [FEATURES.place(name) for name in alone.names]]
        np.testing.assert_array_equal(bits(values), bits(np.ascontiguousarray(expected)), str(alone.names))


def windows_of(kind: Kind) -> tuple[tuple[int, ...], ...]:
    """Return the windows of a kind by default; those of a timeframe for a session."""
    return tuple((1440, *params) for params in kind.defaults) if kind.is_of_timeframe else kind.defaults


def test_every_value_is_finite_after_its_warm_up_even_where_denominators_are_zero(
    make_market: MakeMarket, around_the_clock: Sessions
) -> None:
    flat = make_market(3, 700, 2, absent_frac=0.0)
    price = np.full(flat.present.shape, 12.34)
    still = replace(flat, open=price, high=price, low=price, close=price, vwap=price, volume=0.0 * price)
    awake = make_market(4, 900, 2, absent_frac=0.0).rows(700, 900, first_seq=700)
    engine = build(around_the_clock, 2)
    warm = [
        place
        for place, column in enumerate(FEATURES.columns[: FEATURES.n_symbol_columns])
        if not column.needs and not column.timeframe_minutes and column.warmup_sessions == 1
    ]
    assert np.isfinite(engine.replay(still)[600:, :, warm]).all()
    assert np.isfinite(engine.replay(awake)[..., warm]).all()


def test_a_symbol_without_a_bar_keeps_its_row_and_is_stale(make_market: MakeMarket, around_the_clock: Sessions) -> None:
    frames = make_market(5, 40, 2, absent_frac=0.0)
    engine = build(around_the_clock, 2)
    assert engine.stale.all()
    engine.replay(frames.rows(0, 39, first_seq=0))
    before = engine.values
    last = frames.frame(39)
    engine.update(replace(last, present=np.array([False, True])))
    np.testing.assert_array_equal(bits(engine.values[0]), bits(before[0]))
    assert not np.array_equal(engine.values[1], before[1])
    np.testing.assert_array_equal(engine.stale, [True, False])


def test_values_are_a_copy(make_market: MakeMarket, around_the_clock: Sessions) -> None:
    frames = make_market(6, 2, 2, absent_frac=0.0)
    engine = build(around_the_clock, 2)
    engine.update(frames.frame(0))
    first = engine.values
    kept = first.copy()
    engine.update(frames.frame(1))
    np.testing.assert_array_equal(bits(first), bits(kept))


def test_read_only_and_strided_frames_are_taken(make_market: MakeMarket, around_the_clock: Sessions) -> None:
    frames = make_market(7, 30, 4)
    strided = frames.select(np.arange(4))
    fields = ("open", "high", "low", "close", "volume", "vwap", "present")
    wide = replace(strided, **{f: np.repeat(getattr(strided, f), 2, axis=1)[:, ::2] for f in fields})
    for f in fields:
        getattr(wide, f).flags.writeable = False
    expected = build(around_the_clock, 4).replay(frames)
    np.testing.assert_array_equal(bits(build(around_the_clock, 4).replay(wide)), bits(expected))
    engine = build(around_the_clock, 4)
    for frame in wide:
        engine.update(frame)
    np.testing.assert_array_equal(bits(engine.values), bits(expected[-1]))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"seq": 7}, "seq must be 5, was 7"),
        ({"low": np.array([1e9, 1.0])}, "low <= high"),
        ({"close": np.array([np.nan, 1.0])}, "frame 5, symbol 0 had"),
        ({"open": np.array([-1.0, 1.0])}, "positive prices"),
        ({"volume": np.array([-1.0, 1.0])}, "volume >= 0"),
        ({"ts_close_ns": 2**62}, "ts_close_ns must not be after the last session"),
    ],
)
def test_an_impossible_frame_is_refused_and_changes_nothing(
    make_market: MakeMarket, around_the_clock: Sessions, change: dict[str, object], message: str
) -> None:
    frames = make_market(8, 6, 2, absent_frac=0.0)
    engine = build(around_the_clock, 2)
    engine.replay(frames.rows(0, 5, first_seq=0))
    before = engine.snapshot()
    with pytest.raises(DataValidationError, match=message):
        engine.update(replace(frames.frame(5), **change))
    after = engine.snapshot()
    assert after.last_seq == before.last_seq == 4
    for name, array in before.arrays.items():
        np.testing.assert_array_equal(after.arrays[name], array)


def test_a_frame_of_another_universe_is_refused(make_market: MakeMarket, around_the_clock: Sessions) -> None:
    engine = build(around_the_clock, 2)
    with pytest.raises(DataValidationError, match="n_symbols must be 2, was 3"):
        engine.update(make_market(9, 1, 3).frame(0))
    with pytest.raises(DataValidationError, match="n_symbols must be 2, was 3"):
        engine.replay(make_market(9, 5, 3))


def test_a_snapshot_of_other_kernels_or_another_universe_is_refused(around_the_clock: Sessions) -> None:
    state = build(around_the_clock, 2).snapshot()
    with pytest.raises(RecoveryError, match="features_hash must be"):
        build(around_the_clock, 2).restore(replace(state, features_hash="0" * 64))
    with pytest.raises(RecoveryError, match="counts must be int64"):
        build(around_the_clock, 3).restore(state)
    with pytest.raises(RecoveryError, match="arrays must hold trend"):
        build(around_the_clock, 2).restore(replace(state, arrays={"counts": state.arrays["counts"]}))


@pytest.mark.parametrize(("n_symbols", "bars_per_year"), [(0, 252.0), (1, 0.0), (1, float("nan"))])
def test_an_engine_of_nothing_is_refused(around_the_clock: Sessions, n_symbols: int, bars_per_year: float) -> None:
    with pytest.raises(DataValidationError, match="must be positive"):
        FeatureEngine(FEATURES, n_symbols, around_the_clock, bars_per_year)


def test_a_snapshot_survives_pickling(make_market: MakeMarket, around_the_clock: Sessions) -> None:
    engine = build(around_the_clock, 2)
    engine.replay(make_market(10, 50, 2))
    twin = build(around_the_clock, 2)
    twin.restore(pickle.loads(pickle.dumps(engine.snapshot())))  # noqa: S301 - made in the line itself
    np.testing.assert_array_equal(bits(twin.values), bits(engine.values))
