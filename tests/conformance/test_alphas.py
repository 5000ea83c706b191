"""Every alpha, found in the catalogue, is held to the same checks."""

from functools import cache

import numpy as np
import pytest
from bokeh_sampledata import stocks  # real daily bars, carried by a wheel

from outcry.alphas.alpha import Alpha, alpha_features, score_alphas
from outcry.alphas.catalogue import ALPHAS
from outcry.features.feature_set import FeatureSet, build_feature_set
from outcry.features.leakcheck import perturb
from outcry.features.universe_features import UniverseFeatures
from outcry.market.bar_size import DAY_NS
from outcry.market.frame import FloatArray, FrameTensor
from outcry.market.sessions import Sessions
from outcry.market.universe import Universe

NAMES = ("AAPL", "GOOG", "IBM", "MSFT")
N_FRAMES, CUT = 600, 450
FEATURES = build_feature_set(alpha_features(ALPHAS.values()), DAY_NS, NAMES)
every_alpha = pytest.mark.parametrize("alpha", ALPHAS.values(), ids=ALPHAS.keys())


@cache
def frames() -> FrameTensor:
    """The 600 latest daily bars of four stocks; the second joins 200 bars late and misses one bar in five."""
    columns = {
        field: np.array([getattr(stocks, name)[field][-N_FRAMES:] for name in NAMES], dtype=float).T
        for field in ("open", "high", "low", "close", "volume")
    }
    columns["vwap"] = columns["close"]
    present = np.ones((N_FRAMES, len(NAMES)), dtype=bool)
    present[:200, 1] = False
    present[200::5, 1] = False
    ts_close_ns = np.array(stocks.AAPL["date"][-N_FRAMES:], dtype="datetime64[ns]").astype(np.int64) + 21 * 3600 * 10**9
    return FrameTensor(first_seq=0, ts_close_ns=ts_close_ns, present=present, **columns)


def pipeline(features: FeatureSet = FEATURES) -> UniverseFeatures:
    close = frames().ts_close_ns
    midnight = close - 16 * 3600 * 10**9
    sessions = Sessions(close - 390 * 60 * 10**9, close, midnight, (midnight // DAY_NS + 3) % 7)
    return UniverseFeatures(features, Universe(NAMES, ("Tech",) * 4), sessions, 252.0)


@cache
def replayed() -> FloatArray:
    return pipeline().replay(frames())


@cache
def streamed() -> FloatArray:
    live, values = pipeline(), []
    for frame in frames():
        live.update(frame)
        values.append(live.values)
    return np.stack(values)


@cache
def replayed_with_another_future() -> FloatArray:
    return pipeline().replay(perturb(frames(), CUT, np.random.default_rng(4)))


def score(alpha: Alpha, values: FloatArray) -> FloatArray:
    return score_alphas([alpha], values, FEATURES.names)[0]


def test_an_alpha_is_found_under_its_name() -> None:
    assert all(name == alpha.name and name.startswith("alpha_") for name, alpha in ALPHAS.items())


@every_alpha
def test_its_columns_are_in_the_catalogue_with_its_windows(alpha: Alpha) -> None:
    assert set(build_feature_set(alpha_features([alpha]), DAY_NS, NAMES).names) == set(alpha.reads)


@every_alpha
def test_live_and_backtest_have_the_same_bits(alpha: Alpha) -> None:
    whole = score(alpha, replayed())
    alone = np.stack([score(alpha, values) for values in streamed()])
    assert whole.shape == (N_FRAMES, len(NAMES))
    assert whole.tobytes() == alone.tobytes()


@every_alpha
def test_it_is_known_once_its_columns_are_and_says_different_things(alpha: Alpha) -> None:
    whole = score(alpha, replayed())
    columns = replayed()[..., [FEATURES.names.index(name) for name in alpha.reads]]
    assert (np.isfinite(whole) == np.isfinite(columns).all(axis=-1)).all()
    assert np.isnan(whole[0]).all()
    assert np.isfinite(whole[-1]).all()
    assert len(np.unique(whole[-1])) == len(NAMES)


@every_alpha
def test_no_score_changes_with_its_future(alpha: Alpha) -> None:
    here, there = score(alpha, replayed()), score(alpha, replayed_with_another_future())
    assert here[:CUT].tobytes() == there[:CUT].tobytes()
    assert (here[CUT:] != there[CUT:]).any()
