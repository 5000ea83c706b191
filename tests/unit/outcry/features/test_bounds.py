"""Markets that are still, only rise, only fall, jump or do not trade: what every column is there, and stays within.

Columns come from the catalogue: a new one is held to these laws without being named.
"""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outcry.features.column import Column
from outcry.features.config import FeatureSetConfig
from outcry.features.cross.proxies import MARKET, PROXY_SYMBOLS
from outcry.features.engine import FeatureEngine
from outcry.features.feature_set import build_feature_set
from outcry.features.universe_features import UniverseFeatures
from outcry.market.frame import BAR_FIELDS, FloatArray, FrameTensor
from outcry.market.sessions import Sessions
from outcry.market.universe import UNKNOWN_SECTOR, Universe

MINUTE_NS = 60 * 10**9
DAY_NS = 1440 * MINUTE_NS
BARS_PER_YEAR = 8760.0
UNIVERSE = Universe(
    (MARKET, *PROXY_SYMBOLS.values(), "A", "B", "C"), (*(UNKNOWN_SECTOR,) * 5, "Tech", "Tech", "Energy")
)
FEATURES = build_feature_set(FeatureSetConfig(), 60 * MINUTE_NS, UNIVERSE.symbols)
OWN = FEATURES.columns[: FEATURES.n_symbol_columns]
N_FRAMES, N_SYMBOLS = 640, len(UNIVERSE)  # past every warm-up of bars, 618
DAYS = 19_723 + np.arange(130, dtype=np.int64)
SESSIONS = Sessions(DAYS * DAY_NS, (DAYS + 1) * DAY_NS, DAYS * DAY_NS, (DAYS + 3) % 7)

SHAPES = ("walk", "wild", "still", "rising", "falling", "line", "jump", "settled", "zigzag", "tick")
VOLUMES = ("some", "none", "one bar in two", "huge")

AT_REST_ZERO = {"percent", "deviations", "per_year_sqrt", "currency", "radians"}
"""Units of what is 0 where neither price nor volume changes."""

HISTOGRAMS = {"tech_macd_12_26_histogram", "tech_ppo_12_26_histogram"}
"""How momentum changes: it may fall while prices rise."""

prices = st.floats(-4.0, 6.0).map(lambda exponent: 10.0**exponent)


def mixed(choices: tuple[str, ...]) -> st.SearchStrategy[list[str]]:
    """Draw one for each symbol, or the same for all of them."""
    drawn = st.sampled_from(choices)
    return st.one_of(drawn.map(lambda one: [one] * N_SYMBOLS), st.lists(drawn, min_size=N_SYMBOLS, max_size=N_SYMBOLS))


def path_of(shape: str, first: float, rng: np.random.Generator) -> FloatArray:
    """Return closes, float64 (N_FRAMES,), that begin near a price."""
    t = np.arange(N_FRAMES)
    noise, steps = rng.normal(0.0, 0.02, N_FRAMES), rng.uniform(1e-4, 0.02, N_FRAMES)
    moves = {
        "walk": noise,
        "wild": 0.1 * rng.standard_t(2, N_FRAMES).clip(-20.0, 20.0),
        "still": 0.0 * noise,
        "rising": steps,
        "falling": -steps,
        "line": np.full(N_FRAMES, 0.01),
        "jump": np.where(t == 400, 0.4, 0.0),
        "settled": np.where(t < 300, noise, 0.0),
        "zigzag": np.where(t % 2 == 0, 0.01, -0.01),
        "tick": np.where(rng.random(N_FRAMES) < 0.5, 0.25 * noise, 0.0),
    }[shape]
    closes: FloatArray = first * np.exp(np.cumsum(moves))
    return np.maximum(np.round(closes / first, 2), 0.01) * first if shape == "tick" else closes


def volume_of(kind: str, rng: np.random.Generator) -> FloatArray:
    some: FloatArray = rng.integers(0, 1000, N_FRAMES).astype(np.float64)
    if kind == "one bar in two":
        return some * (rng.random(N_FRAMES) < 0.5)
    return some * {"some": 1.0, "none": 0.0, "huge": 1e9}[kind]


def bars_around(closes: FloatArray, volume: FloatArray, minutes: int, wick_frac: FloatArray) -> FrameTensor:
    """Return bars that open at the close before them; `wick_frac` (2, n_frames, n_symbols) widens their range."""
    opens = np.vstack([closes[:1], closes[:-1]])
    high, low = np.maximum(opens, closes) * (1.0 + wick_frac[0]), np.minimum(opens, closes) * (1.0 - wick_frac[1])
    bars = dict(zip(BAR_FIELDS, (opens, high, low, closes, volume, (high + low + closes) / 3.0), strict=True))
    ts_close_ns = SESSIONS.open_ns[0] + np.arange(1, len(closes) + 1) * minutes * MINUTE_NS
    return FrameTensor(first_seq=0, ts_close_ns=ts_close_ns, present=np.ones(closes.shape, dtype=np.bool_), **bars)


def with_tape(frames: FrameTensor, rng: np.random.Generator) -> FrameTensor:
    shape = frames.present.shape
    spread = 0.001 * rng.integers(0, 2, (2, *shape))
    quotes = [frames.close * (1.0 - spread[0]), frames.close * (1.0 + spread[1]), *rng.integers(0, 900, (2, *shape))]
    flow = [rng.integers(0, 50, shape), np.floor(frames.volume * rng.random(shape))]
    return replace(frames, tape=np.stack([*quotes, *flow], axis=-1))


@st.composite
def markets(draw: st.DrawFn) -> FrameTensor:
    """A universe of eight shapes and levels; its first frame is a market of a single bar."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    shapes, volumes = draw(mixed(SHAPES)), draw(mixed(VOLUMES))
    closes = np.column_stack([path_of(shape, 10.0 ** rng.uniform(-4.0, 6.0), rng) for shape in shapes])
    volume = np.column_stack([volume_of(kind, rng) for kind in volumes])
    wick_frac = draw(st.sampled_from([0.0, 0.003])) * rng.random((2, *closes.shape))
    return with_tape(bars_around(closes, volume, draw(st.sampled_from([5, 60, 240])), wick_frac), rng)


def with_gaps(frames: FrameTensor, absent_frac: float) -> FrameTensor:
    present = np.random.default_rng(1).random(frames.present.shape) >= absent_frac
    return replace(frames, present=present)


def compute(frames: FrameTensor) -> FloatArray:
    return UniverseFeatures(FEATURES, UNIVERSE, SESSIONS, BARS_PER_YEAR).replay(frames)


def outside(values: FloatArray, columns: tuple[Column, ...]) -> set[str]:
    """Return the names of the columns with a value that is infinite or not in the closed range."""
    low, high = (np.array([getattr(column, end) for column in columns]) for end in ("low", "high"))
    with np.errstate(invalid="ignore"):
        wrong = np.isinf(values) | (values < low) | (values > high)
    return {columns[c].name for c in np.flatnonzero(wrong.any(axis=(0, 1)))}


@settings(max_examples=15)
@given(frames=markets(), absent_frac=st.sampled_from([0.0, 0.3]))
def test_values_stay_in_their_ranges_in_every_market(frames: FrameTensor, absent_frac: float) -> None:
    assert outside(compute(with_gaps(frames, absent_frac)), FEATURES.columns) == set()


@settings(max_examples=5)
@given(frames=markets(), seed=st.integers(0, 2**32 - 1))
def test_values_stay_in_their_ranges_where_prices_lie_outside_their_bars(frames: FrameTensor, seed: int) -> None:
    """The engine takes such bars: sources have them."""
    moved = np.exp(np.random.default_rng(seed).normal(0.0, 0.02, (3, *frames.present.shape)))
    bars = replace(frames, open=frames.open * moved[0], close=frames.close * moved[1], vwap=frames.vwap * moved[2])
    assert outside(compute(bars), FEATURES.columns) == set()


def test_every_exception_names_a_column() -> None:
    assert set(FEATURES.names) >= HISTOGRAMS


def first_bar(column: Column, minutes: int) -> int:
    """Return the first bar with a value, from 1, of a market without gaps whose sessions are whole days."""
    if column.timeframe_minutes:
        return column.warmup_bars * max(column.timeframe_minutes // minutes, 1)
    return max(column.warmup_bars, (column.warmup_sessions - 1) * 1440 // minutes + 1)


@pytest.mark.parametrize("minutes", [60, 240])
@settings(max_examples=4)
@given(frames=markets())
def test_values_are_known_from_the_declared_warm_up_on_and_not_before_in_every_market(
    minutes: int, frames: FrameTensor
) -> None:
    ts_close_ns = SESSIONS.open_ns[0] + np.arange(1, N_FRAMES + 1) * minutes * MINUTE_NS
    values = compute(replace(frames, ts_close_ns=ts_close_ns))
    first = np.array([first_bar(column, minutes) for column in FEATURES.columns])
    is_due = (np.arange(1, N_FRAMES + 1)[:, np.newaxis] >= first)[:, np.newaxis, :]
    wrong = (np.isfinite(values) != is_due) | (np.isnan(values) == is_due)
    assert [FEATURES.names[c] for c in np.flatnonzero(wrong.any(axis=(0, 1)))] == []


@settings(max_examples=5)
@given(
    levels=st.lists(prices, min_size=N_SYMBOLS, max_size=N_SYMBOLS),
    volume=st.floats(0.0, 1e9, allow_subnormal=False),  # of a subnormal volume the product with a price has no digits
)
def test_a_market_at_rest_has_values_that_rest_and_are_those_of_any_price(levels: list[float], volume: float) -> None:
    level = np.array(levels)
    closes = np.tile(level, (N_FRAMES, 1))
    still = bars_around(closes, np.full(closes.shape, volume), 240, np.zeros((2, *closes.shape)))
    values = compute(replace(still, vwap=closes))[-30:]
    for c, column in enumerate(FEATURES.columns):
        if column.needs or column.category == "session":  # the clock does not rest
            continue
        seen = values[..., c]
        if column.unit == "price":  # the price, or a difference of prices
            seen = seen / level
            np.testing.assert_allclose(seen, np.round(seen), atol=1e-12, err_msg=column.name)
            assert ((seen > -0.5) & (seen < 1.5)).all(), column.name
        if column.unit in AT_REST_ZERO:
            np.testing.assert_allclose(seen, 0.0, atol=1e-12, err_msg=column.name)
        if column.name == "tech_psar_direction":  # a price that touches the stop turns it, at every bar
            seen = np.abs(seen)
        if column.name.startswith("cross_partial"):  # the market's with itself is 1
            seen = seen[:, 1:]
        np.testing.assert_allclose(
            seen, np.broadcast_to(seen[0, 0], seen.shape), rtol=0, atol=1e-12, err_msg=column.name
        )


@settings(max_examples=5)
@given(seed=st.integers(0, 2**32 - 1), level=prices, is_steady=st.booleans())
def test_momentum_is_not_below_that_of_a_market_at_rest_in_a_rise_nor_above_it_in_a_fall(
    seed: int, level: float, is_steady: bool
) -> None:
    rng = np.random.default_rng(seed)
    steps = np.cumsum(np.full(400, 0.01) if is_steady else rng.uniform(1e-5, 0.02, 400))
    closes = level * np.exp(np.outer(steps, [1.0, 0.0, -1.0]))
    volume = np.repeat(rng.integers(0, 1000, (400, 1)).astype(np.float64), 3, axis=1)
    frames = bars_around(closes, volume, 60, np.zeros((2, *closes.shape)))
    rising, still, falling = np.moveaxis(FeatureEngine(FEATURES, 3, SESSIONS, BARS_PER_YEAR).replay(frames), 1, 0)
    for c, column in enumerate(OWN):
        if column.category == "momentum" and column.name not in HISTOGRAMS:
            known = ~np.isnan(still[:, c])
            rounding = 1e-9 * (level if column.unit == "price" else 1.0)
            assert known.any(), column.name
            assert (rising[known, c] >= still[known, c] - rounding).all(), column.name
            assert (falling[known, c] <= still[known, c] + rounding).all(), column.name
