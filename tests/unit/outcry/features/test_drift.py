"""After a million bars the running state is what a fresh computation of the last bars gives."""

import numpy as np

from outcry.features.config import FeatureSetConfig
from outcry.features.engine import FeatureEngine
from outcry.features.feature_set import build_feature_set
from outcry.market.frame import FrameTensor
from outcry.market.sessions import Sessions

MINUTE_NS = 60 * 10**9
DAY_NS = 1440 * MINUTE_NS
N_BARS = 1_000_000
N_FRESH = 3_000  # past every window; a multiple of the cadences, so that both compute at the same bars
FEATURES = build_feature_set(FeatureSetConfig(), MINUTE_NS)


def make_bars() -> FrameTensor:
    """Return minutes around the clock of a price that returns to 100, on a tick of a cent."""
    rng = np.random.default_rng(12)
    noise = rng.normal(0.0, 0.001, N_BARS)
    level = np.empty(N_BARS)
    value = 0.0
    for t, shock in enumerate(noise.tolist()):
        value = 0.9995 * value + shock
        level[t] = value
    close = np.round(100.0 * np.exp(level), 2)
    open_ = np.concatenate([close[:1], close[:-1]])
    spread = np.round(rng.exponential(0.03, (2, N_BARS)), 2)
    high, low = np.maximum(open_, close) + spread[0], np.minimum(open_, close) - spread[1]
    volume = rng.integers(0, 10_000, N_BARS).astype(np.float64)
    bars = {"open": open_, "high": high, "low": low, "close": close, "volume": volume, "vwap": (high + low + close) / 3}
    columns = {name: values[:, np.newaxis] for name, values in bars.items()}
    ts = 10_000 * DAY_NS + np.arange(1, N_BARS + 1, dtype=np.int64) * MINUTE_NS
    return FrameTensor(first_seq=0, ts_close_ns=ts, present=np.ones((N_BARS, 1), dtype=np.bool_), **columns)


def test_a_million_bars_leave_no_drift() -> None:
    bars = make_bars()
    midnight = np.arange(9_999, 10_000 + N_BARS // 1440 + 2, dtype=np.int64) * DAY_NS
    sessions = Sessions(midnight, midnight + DAY_NS, midnight, np.arange(len(midnight)) % 7)
    running, fresh = (FeatureEngine(FEATURES, 1, sessions, 525_600.0) for _ in range(2))
    for start in range(0, N_BARS, 20_000):
        values = running.replay(bars.rows(start, start + 20_000, first_seq=start))
    fresh.replay(bars.rows(N_BARS - N_FRESH, N_BARS, first_seq=0))
    bounded = [
        place
        for place, column in enumerate(FEATURES.columns[: FEATURES.n_symbol_columns])
        if column.window_bars and not column.needs
    ]
    assert len(bounded) > 300
    # A column that is nearly 0 now is compared on the scale it has had.
    scale = np.median(np.abs(values[:, 0, bounded]), axis=0)
    error = np.abs(running.values[0, bounded] - fresh.values[0, bounded])
    worst = int(np.argmax(error / np.maximum(scale, 1e-3)))
    assert error[worst] <= 1e-9 * max(scale[worst], 1e-3), FEATURES.names[bounded[worst]]
