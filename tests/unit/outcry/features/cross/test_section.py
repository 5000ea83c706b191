"""Streaming equals batch, a restart is not seen, the past is final, and the laws of a cross-section hold."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from outcry.errors import ConfigurationError, DataValidationError, RecoveryError
from outcry.features.column import UNITS, Column
from outcry.features.cross.columns import PROXIES, cross_columns
from outcry.features.cross.config import CrossConfig
from outcry.features.cross.section import CrossSection
from outcry.market.frame import FloatArray

from .conftest import CONFIG, Bars, MakeBars

N_FRAMES, N_SYMBOLS = 70, 7  # past the longest warm-up, 28 frames, and twice around the longest ring, 25
PROXY_COLUMNS = {"dollar": 3, "vix": 0}
COLUMNS = cross_columns(CONFIG, ("vix", "dollar"))
NAMES = tuple(column.name for column in COLUMNS)

seeds = st.integers(0, 2**32 - 1)
cuts = st.integers(0, N_FRAMES - 1)
markets = st.sampled_from([None, 0, 4])
absences = st.sampled_from([0.0, 0.05, 0.5])


def bits(values: FloatArray) -> np.ndarray:
    return np.ascontiguousarray(values).view(np.int64)


def build(bars: Bars, market: int | None = 4, config: CrossConfig = CONFIG) -> CrossSection:
    return CrossSection(bars.sectors, market, PROXY_COLUMNS, config)


def replay(bars: Bars, market: int | None = 4) -> FloatArray:
    return build(bars, market).replay(bars.close, bars.volume, bars.present)


@settings(max_examples=25)
@given(seed=seeds, absent_frac=absences, market=markets)
def test_update_equals_replay_bit_for_bit_on_every_prefix(
    make_bars: MakeBars, seed: int, absent_frac: float, market: int | None
) -> None:
    bars = make_bars(seed, N_FRAMES, N_SYMBOLS, absent_frac)
    replayed = replay(bars, market)
    live = build(bars, market)
    for t in range(N_FRAMES):
        live.update(bars.close[t], bars.volume[t], bars.present[t])
        np.testing.assert_array_equal(bits(live.values), bits(replayed[t]))


@settings(max_examples=25)
@given(seed=seeds, cut=cuts, market=markets)
def test_a_restored_state_goes_on_bit_for_bit(make_bars: MakeBars, seed: int, cut: int, market: int | None) -> None:
    bars = make_bars(seed, N_FRAMES, N_SYMBOLS)
    whole = replay(bars, market)
    before, after = build(bars, market), build(bars, market)
    before.replay(*bars.rows(0, cut))
    state = before.snapshot()
    before.replay(*bars.rows(cut, N_FRAMES))  # what happens later must not reach the snapshot
    after.restore(state)
    np.testing.assert_array_equal(bits(after.replay(*bars.rows(cut, N_FRAMES))), bits(whole[cut:]))
    twin = build(bars, market)
    twin.restore(state)  # nor what a restored one does
    np.testing.assert_array_equal(bits(twin.replay(*bars.rows(cut, N_FRAMES))), bits(whole[cut:]))


@settings(max_examples=15)
@given(seed=seeds, other=seeds, cut=cuts)
def test_values_do_not_change_when_later_bars_do(make_bars: MakeBars, seed: int, other: int, cut: int) -> None:
    bars, others = make_bars(seed, N_FRAMES, N_SYMBOLS), make_bars(other, N_FRAMES, N_SYMBOLS)
    mixed = Bars(
        *(np.concatenate([a, b]) for a, b in zip(bars.rows(0, cut), others.rows(cut, N_FRAMES), strict=True)),
        bars.sectors,
    )
    np.testing.assert_array_equal(bits(replay(mixed)[:cut]), bits(replay(bars)[:cut]))


@settings(max_examples=15)
@given(seed=seeds, other=seeds)
def test_a_column_looks_no_further_back_than_its_window(make_bars: MakeBars, seed: int, other: int) -> None:
    start = 30
    bars, others = make_bars(seed, N_FRAMES, N_SYMBOLS, 0.0), make_bars(other, N_FRAMES, N_SYMBOLS, 0.0)
    mixed = Bars(
        *(np.concatenate([a, b]) for a, b in zip(others.rows(0, start), bars.rows(start, N_FRAMES), strict=True)),
        bars.sectors,
    )
    values, expected = replay(mixed), replay(bars)
    for c, column in enumerate(COLUMNS):
        if column.window_bars:
            first = start + column.window_bars - 1
            np.testing.assert_array_equal(bits(values[first:, :, c]), bits(expected[first:, :, c]), column.name)
    # A loading may point the other way, as its direction comes from the whole past.
    loading = [c for c, column in enumerate(COLUMNS) if "loading" in column.name]
    first = start + CONFIG.factor_frames + CONFIG.cadence_frames
    np.testing.assert_array_equal(np.abs(values[first:, :, loading]), np.abs(expected[first:, :, loading]))


@settings(max_examples=15)
@given(seed=seeds, order=st.permutations(range(N_SYMBOLS)), market=markets)
def test_symbols_in_another_order_have_the_same_rows(
    make_bars: MakeBars, seed: int, order: list[int], market: int | None
) -> None:
    bars = make_bars(seed, N_FRAMES, N_SYMBOLS)
    moved = CrossSection(
        bars.sectors[order],
        None if market is None else order.index(market),
        {name: order.index(column) for name, column in PROXY_COLUMNS.items()},
        CONFIG,
    )
    values = moved.replay(bars.close[:, order], bars.volume[:, order], bars.present[:, order])
    # Sums over the symbols are made in another order. Eigenvectors of near eigenvalues, and ties of correlations of
    # a coarse tick, magnify that; no other column does.
    stable = [
        c for c, name in enumerate(NAMES) if not any(part in name for part in ("pca", "idio", "cluster", "centrality"))
    ]
    expected = replay(bars, market)[:, order]
    np.testing.assert_allclose(values[..., stable], expected[..., stable], rtol=1e-7, atol=1e-9)


def test_factors_and_clusters_do_not_depend_on_the_order_of_symbols(make_bars: MakeBars) -> None:
    bars = make_bars(1, N_FRAMES, N_SYMBOLS, 0.0)
    order = [3, 1, 6, 0, 2, 5, 4]
    moved = CrossSection(bars.sectors[order], 6, {"dollar": 0, "vix": 3}, CONFIG)
    values = moved.replay(bars.close[:, order], bars.volume[:, order], bars.present[:, order])
    np.testing.assert_allclose(values, replay(bars)[:, order], rtol=1e-7, atol=1e-7)


def test_the_scale_of_a_symbol_changes_nothing(make_bars: MakeBars) -> None:
    bars = make_bars(2, N_FRAMES, N_SYMBOLS)
    of_price, of_volume = np.array([4.0, 1, 1, 0.5, 1, 16, 1]), np.array([1.0, 8, 1, 1, 0.25, 1, 1])
    scaled = Bars(bars.close * of_price, bars.volume * of_volume, bars.present, bars.sectors)
    np.testing.assert_array_equal(bits(replay(scaled)), bits(replay(bars)))  # powers of two leave every digit
    tenfold = Bars(bars.close * 10.0, bars.volume * 10.0, bars.present, bars.sectors)
    stable = [c for c, name in enumerate(NAMES) if not any(part in name for part in ("pca", "cluster", "rank"))]
    np.testing.assert_allclose(replay(tenfold)[..., stable], replay(bars)[..., stable], rtol=1e-6, atol=1e-9)


def test_a_symbol_without_a_bar_counts_as_one_that_did_not_trade(make_bars: MakeBars) -> None:
    bars = make_bars(3, N_FRAMES, N_SYMBOLS, 0.0)
    bars.volume[32, 1] = 777.0
    gone = bars.present.copy()
    gone[33:36, 1] = False
    close, volume = bars.close.copy(), bars.volume.copy()
    close[33:36, 1], volume[33:36, 1] = close[32, 1], 0.0
    absent = replay(Bars(bars.close, bars.volume, gone, bars.sectors))
    idle = replay(Bars(close, volume, bars.present, bars.sectors))
    np.testing.assert_array_equal(bits(absent[33:36, 1]), bits(np.repeat(absent[32:33, 1], 3, axis=0)))
    relative = NAMES.index("cross_volume_10_relative")  # the median is of those with a bar
    others = [c for c in range(len(NAMES)) if c != relative]
    rest = [i for i in range(N_SYMBOLS) if i != 1]
    np.testing.assert_array_equal(bits(absent[:, rest][..., others]), bits(idle[:, rest][..., others]))
    np.testing.assert_array_equal(bits(absent[36:]), bits(idle[36:]))


def test_a_symbol_that_never_had_a_bar_is_nan_and_part_of_nothing(make_bars: MakeBars) -> None:
    bars = make_bars(4, N_FRAMES, N_SYMBOLS, 0.0)
    extra = np.full((N_FRAMES, 1), np.nan)
    wider = Bars(
        np.hstack([bars.close, extra]),
        np.hstack([bars.volume, extra]),
        np.hstack([bars.present, extra == 0.0]),
        np.append(bars.sectors, 0),
    )
    for market in (4, None):
        values = replay(wider, market)
        assert np.isnan(values[:, N_SYMBOLS]).all()
        np.testing.assert_allclose(values[:, :N_SYMBOLS], replay(bars, market), rtol=1e-9, atol=1e-9)


def test_a_symbol_that_joins_late_waits_for_its_own_history(make_bars: MakeBars) -> None:
    bars = make_bars(5, N_FRAMES, N_SYMBOLS, 0.0)
    start, late = 21, 2
    bars.present[:start, late] = False
    values = replay(bars)
    for c, column in enumerate(COLUMNS):
        is_there = ~np.isnan(values[:, late, c])
        first = int(np.argmax(is_there))
        assert is_there[first:].all()
        assert not is_there[:first].any()
        n_bars = first - start + 1
        if column.cadence_bars == 1:
            assert n_bars == column.warmup_bars, column.name
        elif column.window_bars:
            assert column.window_bars - column.cadence_bars < n_bars <= column.window_bars, column.name
        else:
            assert CONFIG.factor_frames < n_bars <= column.warmup_bars + column.cadence_bars, column.name


@pytest.mark.parametrize("market", [None, 4])
def test_values_are_nan_up_to_the_warm_up_and_finite_from_there(make_bars: MakeBars, market: int | None) -> None:
    values = replay(make_bars(6, N_FRAMES, N_SYMBOLS, 0.0), market)
    for c, column in enumerate(COLUMNS):
        assert np.isnan(values[: column.warmup_bars - 1, :, c]).all(), column.name
        assert np.isfinite(values[column.warmup_bars - 1 :, :, c]).all(), column.name


@settings(max_examples=20)
@given(seed=seeds, absent_frac=absences, market=markets)
def test_values_stay_in_their_ranges(make_bars: MakeBars, seed: int, absent_frac: float, market: int | None) -> None:
    values = replay(make_bars(seed, N_FRAMES, N_SYMBOLS, absent_frac), market)
    for c, column in enumerate(COLUMNS):
        has = values[..., c][~np.isnan(values[..., c])]
        assert ((has >= column.low) & (has <= column.high)).all(), column.name


@pytest.mark.parametrize("market", [None, 4])
def test_a_still_market_and_one_that_moves_as_one_have_finite_values(make_bars: MakeBars, market: int | None) -> None:
    bars = make_bars(7, N_FRAMES, N_SYMBOLS, 0.0)
    longest = max(column.warmup_bars for column in COLUMNS)
    still = Bars(np.full_like(bars.close, 12.3), 0.0 * bars.volume, bars.present, bars.sectors)
    values = replay(still, market)
    assert np.isfinite(values[longest:]).all()
    has = {name: values[-1, 0, c] for c, name in enumerate(NAMES)}
    zero = {name for name, value in has.items() if value == 0.0}
    assert set(NAMES) - zero == {
        *(f"cross_rank_{w}_return" for w in CONFIG.standing_frames),
        "cross_volume_10_relative",
        "cross_cluster_16_share",
        "cross_cluster_16_rank",
    }
    assert (has["cross_rank_1_return"], has["cross_cluster_16_rank"]) == (4.0 / 7.0, 1.0)
    as_one = Bars(np.repeat(bars.close[:, :1], N_SYMBOLS, axis=1), bars.volume, bars.present, bars.sectors)
    values = replay(as_one, market)[longest:]
    assert np.isfinite(values).all()
    for name in ("cross_corr_12_market", "cross_corr_12_universe", "cross_cluster_16_corr", "cross_beta_24_sector"):
        np.testing.assert_allclose(values[..., NAMES.index(name)], 1.0, rtol=1e-9)


@pytest.mark.parametrize(("n_symbols", "market"), [(1, None), (1, 0), (2, None), (2, 1)])
def test_the_smallest_universes_have_finite_values(make_bars: MakeBars, n_symbols: int, market: int | None) -> None:
    bars = make_bars(8, N_FRAMES, n_symbols, 0.0)
    section = CrossSection(bars.sectors, market, config=CONFIG)
    values = section.replay(bars.close, bars.volume, bars.present)
    assert np.isfinite(values[max(column.warmup_bars for column in section.columns) :]).all()


def test_a_proxy_that_is_not_in_the_universe_has_no_column(make_bars: MakeBars) -> None:
    bars = make_bars(9, 3, N_SYMBOLS)
    names = {column.name for column in CrossSection(bars.sectors, 4, {"rates": 1}, CONFIG).columns}
    assert {name for name in PROXIES if f"cross_corr_12_{name}" in names} == {"rates"}
    assert build(bars).columns == COLUMNS
    assert build(bars).values.shape == (N_SYMBOLS, len(COLUMNS))


def test_the_codes_of_sectors_are_names_only(make_bars: MakeBars) -> None:
    bars = make_bars(10, N_FRAMES, N_SYMBOLS)
    renamed = Bars(bars.close, bars.volume, bars.present, np.where(bars.sectors < 0, -1, 10**12 - 5 * bars.sectors))
    np.testing.assert_array_equal(bits(replay(renamed)), bits(replay(bars)))


def test_values_are_a_copy(make_bars: MakeBars) -> None:
    bars = make_bars(11, 30, N_SYMBOLS)
    section = build(bars)
    section.replay(*bars.rows(0, 29))
    first = section.values
    kept = first.copy()
    section.update(bars.close[29], bars.volume[29], bars.present[29])
    np.testing.assert_array_equal(bits(first), bits(kept))


@pytest.mark.parametrize("columns", [cross_columns(CrossConfig(), tuple(PROXIES)), COLUMNS])
def test_columns_are_documented_and_named_once(columns: tuple[Column, ...]) -> None:
    assert len({column.name for column in columns}) == len(columns)
    for column in columns:
        assert column.name.startswith("cross_")
        assert column.formula
        assert column.source
        assert column.unit in UNITS
        assert column.is_scale_free
        assert column.low < column.high
        assert column.warmup_bars >= 1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c, v, p: (c[:-1], v, p), "close must have 7 symbols a frame, was"),
        (lambda c, v, p: (c, v, p[:-1]), "present must have 7 symbols a frame, was"),
        (lambda c, v, p: (np.where(np.arange(7) == 2, 0.0, c), v, p), "frame 0, symbol 2 had close 0, volume"),
        (lambda c, v, p: (np.full(7, np.inf), v, p), "finite positive close"),
        (lambda c, v, p: (c, np.full(7, -1.0), p), "volume of at least 0"),
    ],
)
def test_an_impossible_frame_is_refused_and_changes_nothing(
    make_bars: MakeBars, change: Callable[..., tuple[FloatArray, ...]], message: str
) -> None:
    bars = make_bars(12, 30, N_SYMBOLS, 0.0)
    section = build(bars)
    section.replay(*bars.rows(0, 29))
    before = section.snapshot()
    with pytest.raises(DataValidationError, match=message):
        section.update(*change(bars.close[29], bars.volume[29], bars.present[29]))
    for name, array in section.snapshot().items():
        np.testing.assert_array_equal(array, before[name])


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"sectors": np.array([], dtype=np.int64)}, "sectors must be codes"),
        ({"sectors": np.array([0, -2])}, "sectors must be codes"),
        ({"sectors": np.array([0, 0]), "market": 2}, r"column of market must be in 0\.\.1, was 2"),
        ({"sectors": np.array([0, 0]), "proxies": {"vix": -1}}, "column of vix must be in"),
        ({"sectors": np.array([0, 0]), "proxies": {"oil": 1}}, "proxies must be among vix, rates"),
    ],
)
def test_a_description_that_cannot_be_is_refused(given: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        CrossSection(**given)


@pytest.mark.parametrize(
    ("windows", "message"),
    [
        ({"beta_frames": (60, 60)}, "beta_frames must name at least one window, each once"),
        ({"excess_frames": ()}, "excess_frames must name at least one window"),
        ({"short_frames": 120}, "short_frames must be below long_frames = 120, was 120"),
        ({"factor_frames": 9}, "greater than or equal to 10"),
        ({"cadence_frames": 0}, "greater than or equal to 1"),
    ],
)
def test_windows_that_cannot_be_are_refused(windows: dict[str, object], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        CrossConfig(**windows)


def test_a_snapshot_of_another_description_is_refused(make_bars: MakeBars) -> None:
    bars = make_bars(13, 3, N_SYMBOLS)
    state = build(bars).snapshot()
    with pytest.raises(RecoveryError, match="arrays must hold rings"):
        build(bars).restore({name: array for name, array in state.items() if name != "rings"})
    with pytest.raises(RecoveryError, match="references must be float64"):
        CrossSection(bars.sectors, 4, config=CONFIG).restore(state)
