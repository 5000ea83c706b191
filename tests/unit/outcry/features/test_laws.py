"""Laws that every column obeys, whatever it computes: of scale, of gaps, of the order of symbols.

Columns come from the catalogue: a new one is held to them without being named. An exception is named, with its reason.
"""

from collections.abc import Callable
from dataclasses import replace
from fnmatch import fnmatchcase

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from outcry.features.column import SCALE_BOUND_UNITS
from outcry.features.config import FeatureSetConfig
from outcry.features.cross.proxies import MARKET, PROXY_SYMBOLS
from outcry.features.engine import FeatureEngine
from outcry.features.feature_set import CROSS, build_feature_set
from outcry.features.universe_features import UniverseFeatures
from outcry.market.frame import BAR_FIELDS, PRICE_FIELDS, FloatArray, FrameTensor, IntArray
from outcry.market.sessions import Sessions
from outcry.market.universe import UNKNOWN_SECTOR, Universe

MakeMarket = Callable[..., FrameTensor]
BARS_PER_YEAR = 2920.0
SYMBOLS = (MARKET, *PROXY_SYMBOLS.values(), "A", "B", "C")
SECTORS = (*(UNKNOWN_SECTOR for _ in range(5)), "Tech", "Tech", "Energy")
FEATURES = build_feature_set(FeatureSetConfig(), 60 * 60 * 10**9, SYMBOLS)
N_FRAMES = 640  # past every warm-up of bars, 618; of three hours they are 80 sessions, past every warm-up of those, 61

POWERS = {"price": (1, 0), "shares": (0, 1), "currency": (1, 1), "per_currency": (-1, -1)}
"""With which powers of the scales of price and volume the values of a unit grow; no others depend on them."""

OF_LOG_PRICES = {
    # They take differences of ln(close), of which the scale moves every digit.
    "stat_variance_*_ratio*": 1e-10,
    "stat_efficiency_*_ratio": 1e-10,
    # Regressions of ln(close), likewise; tests and speeds of reversion divide by what is left of it.
    "stat_adf_*_statistic": 1e-9,
    "stat_kpss_*_statistic": 1e-9,
    "stat_reversion_*": 1e-9,
    # The root of a product of such differences, each with an error of 1e-15, one of which may be nearly 0.
    "micro_abdi_ranaldo_*_spread": 1e-8,
}
"""Columns that the scale of prices changes by rounding, and by how much: relative to values above 1, absolute below."""

SUMMED = ("sector", "universe", "partial", "pca", "idiosyncratic", "centrality", "cluster", "contagion")
"""Parts of the names of columns of the second stage that are made of sums over symbols; the market is a symbol."""

seeds = st.integers(0, 2**32 - 1)
absences = st.sampled_from([0.0, 0.05, 0.5])
bar_minutes = st.sampled_from([5, 180])
scales = st.lists(st.integers(-20, 20), min_size=len(SYMBOLS), max_size=len(SYMBOLS)).map(lambda n: 2.0 ** np.array(n))


def bits(values: FloatArray) -> np.ndarray:
    return np.ascontiguousarray(values).view(np.int64)


def find_differing(values: FloatArray, expected: FloatArray) -> list[int]:
    """Return the columns that differ in a bit; NaN equals NaN."""
    differs = (bits(values) != bits(expected)) & ~(np.isnan(values) & np.isnan(expected))
    return np.flatnonzero(differs.any(axis=tuple(range(differs.ndim - 1)))).tolist()


def compute(frames: FrameTensor, sessions: Sessions, order: IntArray | None = None) -> FloatArray:
    """Return every column of the whole universe, in this order, after each frame."""
    order = np.arange(len(SYMBOLS)) if order is None else order
    universe = Universe(tuple(SYMBOLS[i] for i in order), tuple(SECTORS[i] for i in order))
    return UniverseFeatures(FEATURES, universe, sessions, BARS_PER_YEAR).replay(frames.select(order))


def with_tape(frames: FrameTensor, seed: int) -> FrameTensor:
    """Add quotes, some of them locked, and trades of which buyers began some."""
    rng = np.random.default_rng(seed)
    shape = frames.present.shape
    quotes = [frames.close - 0.05 * rng.integers(0, 2, shape), frames.close + 0.05 * rng.integers(0, 2, shape)]
    sizes, trades = rng.integers(0, 900, (2, *shape)), rng.integers(0, 50, shape)
    bought = np.floor(frames.volume * rng.random(shape))
    tape = np.stack([*quotes, *sizes, trades, bought], axis=-1)
    return replace(frames, tape=np.where(frames.present[..., np.newaxis], tape, np.nan))


def scaled(frames: FrameTensor, of_price: FloatArray, of_volume: FloatArray) -> FrameTensor:
    """Return the market with the prices and the volumes of each symbol in other units."""
    assert frames.tape is not None
    factors = {**dict.fromkeys((*PRICE_FIELDS, "vwap"), of_price), "volume": of_volume}
    of_tape = np.stack([of_price, of_price, of_volume, of_volume, np.ones_like(of_price), of_volume], axis=-1)
    return replace(frames, tape=frames.tape * of_tape, **{k: getattr(frames, k) * f for k, f in factors.items()})


def check_scale(frames: FrameTensor, sessions: Sessions, of_price: FloatArray, of_volume: FloatArray) -> None:
    """Powers of two leave every digit: a column scales as its unit says, bit for bit."""
    powers = np.array([POWERS.get(column.unit, (0, 0)) for column in FEATURES.columns])
    grown = of_price[:, np.newaxis] ** powers[:, 0] * of_volume[:, np.newaxis] ** powers[:, 1]
    expected = compute(frames, sessions) * grown
    values = compute(scaled(frames, of_price, of_volume), sessions)
    for c in find_differing(values, expected):
        name = FEATURES.names[c]
        tolerance = next((t for pattern, t in OF_LOG_PRICES.items() if fnmatchcase(name, pattern)), 0.0)
        assert tolerance > 0.0, name
        assert (of_price != 1.0).any(), name
        np.testing.assert_allclose(values[..., c], expected[..., c], rtol=tolerance, atol=tolerance, err_msg=name)


def test_every_unit_that_is_bound_to_a_scale_has_its_law_and_every_exception_names_a_column() -> None:
    assert set(POWERS) == SCALE_BOUND_UNITS
    for pattern in OF_LOG_PRICES:
        assert any(fnmatchcase(name, pattern) for name in FEATURES.names), pattern


def test_the_market_of_these_tests_gives_every_column_a_value(
    make_market: MakeMarket, around_the_clock: Sessions
) -> None:
    frames = with_tape(make_market(1, N_FRAMES, len(SYMBOLS), absent_frac=0.0, minutes=180), 1)
    assert np.isfinite(compute(frames, around_the_clock)[-1]).all()


@settings(max_examples=5)
@given(seed=seeds, absent_frac=absences, minutes=bar_minutes, factors=scales)
def test_prices_in_another_unit_scale_columns_as_their_unit_says(
    make_market: MakeMarket,
    around_the_clock: Sessions,
    seed: int,
    absent_frac: float,
    minutes: int,
    factors: FloatArray,
) -> None:
    frames = with_tape(make_market(seed, N_FRAMES, len(SYMBOLS), absent_frac, minutes), seed)
    check_scale(frames, around_the_clock, factors, np.ones(len(SYMBOLS)))


@settings(max_examples=5)
@given(seed=seeds, absent_frac=absences, minutes=bar_minutes, factors=scales)
def test_volume_in_another_unit_scales_columns_as_their_unit_says(
    make_market: MakeMarket,
    around_the_clock: Sessions,
    seed: int,
    absent_frac: float,
    minutes: int,
    factors: FloatArray,
) -> None:
    frames = with_tape(make_market(seed, N_FRAMES, len(SYMBOLS), absent_frac, minutes), seed)
    check_scale(frames, around_the_clock, np.ones(len(SYMBOLS)), factors)


@settings(max_examples=5)
@given(seed=seeds, absent_frac=st.sampled_from([0.05, 0.5, 0.95]), minutes=bar_minutes)
def test_a_gap_leaves_the_row_and_is_otherwise_as_if_the_frame_had_not_been(
    make_market: MakeMarket, around_the_clock: Sessions, seed: int, absent_frac: float, minutes: int
) -> None:
    """A symbol among others that have other gaps is also the one it would be by itself."""
    frames = with_tape(make_market(seed, N_FRAMES, 3, absent_frac, minutes), seed)
    values = FeatureEngine(FEATURES, 3, around_the_clock, BARS_PER_YEAR).replay(frames)
    for i in range(3):
        rows = np.flatnonzero(frames.present[:, i])
        at_bars = FeatureEngine(FEATURES, 1, around_the_clock, BARS_PER_YEAR).replay(bars_of(frames, i, rows))[:, 0]
        latest = np.searchsorted(rows, np.arange(N_FRAMES), side="right") - 1
        expected = np.where((latest >= 0)[:, np.newaxis], at_bars[latest], np.nan)
        assert not [FEATURES.names[c] for c in find_differing(values[:, i], expected)]


def bars_of(frames: FrameTensor, symbol: int, rows: IntArray) -> FrameTensor:
    """Return these frames of one symbol alone."""
    one = frames.select(np.array([symbol]))
    assert one.tape is not None
    columns = {name: getattr(one, name)[rows] for name in (*BAR_FIELDS, "present", "tape")}
    return FrameTensor(first_seq=0, ts_close_ns=one.ts_close_ns[rows], **columns)


@settings(max_examples=5)
@given(seed=seeds, absent_frac=absences, order=st.permutations(range(len(SYMBOLS))))
def test_symbols_in_another_order_have_the_same_rows_bit_for_bit(
    make_market: MakeMarket, around_the_clock: Sessions, seed: int, absent_frac: float, order: list[int]
) -> None:
    """All columns of a symbol by itself, and all of the second stage that take order statistics or pairs only.

    Those that add over symbols add in another order; `test_section` says how far they may differ.
    """
    frames = with_tape(make_market(seed, N_FRAMES, len(SYMBOLS), absent_frac, 180), seed)
    values = compute(frames, around_the_clock, np.array(order))
    expected = compute(frames, around_the_clock)[:, order]
    differing = {FEATURES.columns[c] for c in find_differing(values, expected)}
    assert not [
        column.name
        for column in differing
        if column.category != CROSS or not any(part in column.name for part in SUMMED)
    ]
