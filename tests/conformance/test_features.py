"""Every column, found in the catalogue, is held to the same checks."""

from collections.abc import Callable, Iterator
from functools import cache

import numpy as np
import pytest
from bokeh_sampledata import stocks  # real daily bars, carried by a wheel

from outcry.features.catalogue import FAMILIES
from outcry.features.column import Column
from outcry.features.config import FeatureSetConfig
from outcry.features.engine import FeatureEngine
from outcry.features.feature_set import CROSS, build_feature_set
from outcry.features.indicator import Kind
from outcry.features.universe_features import UniverseFeatures
from outcry.market.bar_size import DAY_NS
from outcry.market.frame import FloatArray, FrameTensor
from outcry.market.sessions import Sessions
from outcry.market.universe import Universe

NAMES = ("AAPL", "GOOG", "IBM", "MSFT")
N_FRAMES = 2000
FEATURES = build_feature_set(FeatureSetConfig(), DAY_NS, NAMES)
FEATURE_NAMES = FEATURES.names
OWN = [column for column in FEATURES.columns if column.category != CROSS]
every_column = pytest.mark.parametrize("column", FEATURES.columns, ids=FEATURE_NAMES)
every_own_column = pytest.mark.parametrize("column", OWN, ids=[column.name for column in OWN])


@pytest.fixture(scope="module")
def frames() -> FrameTensor:
    """The 2,000 latest daily bars of four stocks; the second joins 700 bars late and misses one bar in five."""
    columns = {
        field: np.array([getattr(stocks, name)[field][-N_FRAMES:] for name in NAMES], dtype=float).T
        for field in ("open", "high", "low", "close", "volume")
    }
    high = np.maximum(columns["high"], np.maximum(columns["open"], columns["close"]))  # two bars are contradictory
    low = np.minimum(columns["low"], np.minimum(columns["open"], columns["close"]))
    columns |= {"high": high, "low": low, "vwap": (high + low + columns["close"]) / 3}
    present = np.ones((N_FRAMES, len(NAMES)), dtype=bool)
    present[:700, 1] = False
    present[700::5, 1] = False
    ts_close_ns = np.array(stocks.AAPL["date"][-N_FRAMES:], dtype="datetime64[ns]").astype(np.int64) + 21 * 3600 * 10**9
    return FrameTensor(first_seq=0, ts_close_ns=ts_close_ns, present=present, **columns)


@pytest.fixture(scope="module")
def sessions(frames: FrameTensor) -> Sessions:
    close = frames.ts_close_ns
    midnight = close - 16 * 3600 * 10**9
    return Sessions(close - 390 * 60 * 10**9, close, midnight, (midnight // DAY_NS + 3) % 7)


@pytest.fixture(scope="module")
def values(frames: FrameTensor, sessions: Sessions) -> FloatArray:
    """The values after each frame, float64 (n_frames, n_symbols, n_features)."""
    universe = Universe(NAMES, ("Tech", "Tech", "Tech", "Tech"))
    return UniverseFeatures(FEATURES, universe, sessions, 252.0).replay(frames)


def series_of(column: Column, values: FloatArray, frames: FrameTensor) -> Iterator[FloatArray]:
    """Yield the values of a column by symbol, at the bars that the symbol has; of a second stage, by frame."""
    place = FEATURE_NAMES.index(column.name)
    for i in range(len(NAMES)):
        if column.category != CROSS:
            yield values[frames.present[:, i], i, place]
        elif frames.present[:, i].all():
            yield values[:, i, place]


@every_column
def test_a_column_is_nan_up_to_its_warm_up_and_finite_from_there(
    column: Column, values: FloatArray, frames: FrameTensor
) -> None:
    for series in series_of(column, values, frames):
        if column.needs:  # these bars carry neither quotes nor trades
            assert np.isnan(series).all()
            continue
        first = max(column.warmup_bars, column.warmup_sessions) - 1  # a bar is a session
        if column.timeframe_minutes:  # how many bars close one of the timeframe depends on the calendar
            first = int(np.argmax(np.isfinite(series)))
            assert first >= column.warmup_bars - 1
        assert np.isnan(series[:first]).all()
        assert np.isfinite(series[first:]).all()


@every_column
def test_a_column_stays_in_its_range(column: Column, values: FloatArray, frames: FrameTensor) -> None:
    for series in series_of(column, values, frames):
        known = series[np.isfinite(series)]
        assert column.needs or len(known)
        assert (known >= column.low).all()
        assert (known <= column.high).all()


@pytest.fixture(scope="module")
def begun_late(frames: FrameTensor, sessions: Sessions) -> Callable[[int, int], FloatArray]:
    """Return what gives the columns of the first symbol after rows [start, stop) alone."""
    first = frames.select(np.array([0]))

    @cache
    def compute(start: int, stop: int) -> FloatArray:
        return FeatureEngine(FEATURES, 1, sessions, 252.0).replay(first.rows(start, stop, first_seq=0))[-1, 0]

    return compute


@every_own_column
def test_a_column_looks_no_further_back_than_its_window(
    column: Column, begun_late: Callable[[int, int], FloatArray], values: FloatArray
) -> None:
    if column.window_bars == 0:  # the whole past
        return
    place = FEATURE_NAMES.index(column.name)
    expected = values[:, 0, place]
    # A column with a cadence is compared at a bar where it was computed: where it changed.
    changes = np.flatnonzero(expected[1001:] != expected[1000:-1]) + 1001
    last = int(changes[0]) if column.cadence_bars > 1 and len(changes) else 1000 + column.window_bars
    late = begun_late(last - column.window_bars + 1, last + 1)
    # The long averages are running sums that were begun elsewhere.
    np.testing.assert_allclose(late[place], expected[last], rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize(
    "kind", [kind for family in FAMILIES for kind in family.kinds], ids=[k.name for f in FAMILIES for k in f.kinds]
)
def test_an_indicator_computes_the_same_alone_and_among_all(
    kind: Kind, frames: FrameTensor, sessions: Sessions, values: FloatArray
) -> None:
    wanted = [name for name in FEATURE_NAMES if name in _names_of(kind)]
    alone = build_feature_set(FeatureSetConfig(columns=tuple(wanted)), DAY_NS, NAMES)
    found = FeatureEngine(alone, len(NAMES), sessions, 252.0).replay(frames.rows(0, 600, first_seq=0))
    places = [FEATURE_NAMES.index(name) for name in alone.names]
    np.testing.assert_array_equal(found.view(np.int64), np.ascontiguousarray(values[:600, :, places]).view(np.int64))


def _names_of(kind: Kind) -> set[str]:
    others = {k.name: () for family in FAMILIES for k in family.kinds if k.name != kind.name}
    families = [family.name for family in FAMILIES if kind in family.kinds]
    config = FeatureSetConfig(groups=tuple(families), windows={k: () for k in others if _is_in(families[0], k)})
    return set(build_feature_set(config, DAY_NS, NAMES).names)


def _is_in(family: str, kind: str) -> bool:
    return any(kind == k.name for f in FAMILIES if f.name == family for k in f.kinds)
