"""How long features take: live, replayed, from a cold process, into the store; and beside other libraries."""

import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median
from time import perf_counter

import numpy as np

from bench.feature_peers import run_peers
from bench.harness import Result, measure, result
from configs.loader import load_settings
from configs.plan import sessions_around
from configs.sectors import load_sectors
from outcry.adapters.sources.load import LoadedMarket, load_market
from outcry.features.catalogue import FAMILIES
from outcry.features.config import FeatureSetConfig
from outcry.features.engine import FeatureEngine
from outcry.features.feature_set import FeatureSet, build_feature_set
from outcry.features.universe_features import UniverseFeatures
from outcry.market.frame import BAR_FIELDS, FrameTensor
from outcry.market.sessions import Sessions
from outcry.market.universe import Universe
from training.prepare import build_features

DATA_DIR = Path(os.environ.get("OUTCRY_TEST_DATA", "../shared/data"))
INTRADAY = DATA_DIR / "us_equities_5min_2025_2026.parquet"
N_SYMBOLS = 500
N_FRAMES = 600
N_WARM_FRAMES = 300
MINUTE_NS = 60_000_000_000
BAR_NS = 5 * MINUTE_NS
BARS_PER_YEAR = 252.0 * 78.0
SLOW = "statistics"
TECHNICAL = (
    "trend",
    "momentum",
    "volatility",
    "volume",
    "shape",
    "candles",
    "price_action",
    "timeframes",
    "regime",
)


def run() -> list[Result]:
    """Measure and return the rows of the benchmark table."""
    sessions = build_sessions()
    frames = build_frames(sessions)
    groups = [family.name for family in FAMILIES]
    technical = _set_of([group for group in groups if group in TECHNICAL])
    few = build_feature_set(FeatureSetConfig(columns=("sma_20", "sma_50")), BAR_NS)
    rows = [
        *_measure_set("technical", technical, sessions, frames, update_ms=3.0, replay_us=5.0),
        *_measure_set(
            "without_slow", _set_of([g for g in groups if g != SLOW]), sessions, frames, update_ms=None, replay_us=15.0
        ),
        *_measure_set("every_group", _set_of(groups), sessions, frames, update_ms=None, replay_us=None),
        *_measure_set("two_averages", few, sessions, frames, update_ms=None, replay_us=0.06),
        _measure_cross(sessions, frames),
        *_measure_start(),
    ]
    if INTRADAY.is_file():
        settings = load_settings(options={"market": {"source": str(INTRADAY)}})
        market = load_market(settings.market, load_sectors())
        rows += [_measure_store(market), *_peers_of(market)]
    return rows


def _set_of(groups: list[str]) -> FeatureSet:
    return build_feature_set(FeatureSetConfig(groups=tuple(groups)), BAR_NS)


def _measure_set(
    name: str,
    features: FeatureSet,
    sessions: Sessions,
    frames: FrameTensor,
    *,
    update_ms: float | None,
    replay_us: float | None,
) -> list[Result]:
    engine = FeatureEngine(features, N_SYMBOLS, sessions, BARS_PER_YEAR)
    update_s = []
    for frame in frames:
        started = perf_counter()
        engine.update(frame)
        update_s.append(perf_counter() - started)
    warm_ms = median(update_s[N_WARM_FRAMES:]) * 1e3
    out = np.zeros((N_FRAMES, N_SYMBOLS, len(features.columns)))

    def replay() -> None:
        FeatureEngine(features, N_SYMBOLS, sessions, BARS_PER_YEAR).replay(frames, out)

    replay_s = min(measure(replay, n=5, warmup=1))
    what = f"{len(features.columns)} columns x {N_SYMBOLS} symbols, 5-minute bars, one core"
    return [
        result(
            f"features.{name}.update", warm_ms, "ms/frame", f"{what}, past most warm-ups, median", at_most=update_ms
        ),
        result(
            f"features.{name}.replay",
            replay_s / (N_SYMBOLS * N_FRAMES) * 1e6,
            "us/symbol-bar",
            f"{what}, best of 5 times {N_FRAMES} frames, into memory that is there",
            at_most=replay_us,
        ),
    ]


def _measure_cross(sessions: Sessions, frames: FrameTensor) -> Result:
    universe = Universe(tuple(f"S{i}" for i in range(N_SYMBOLS)), ("Other",) * N_SYMBOLS)
    features = build_feature_set(FeatureSetConfig(groups=("cross",)), BAR_NS)
    pipeline = UniverseFeatures(features, universe, sessions, BARS_PER_YEAR)
    seconds = []
    for frame in frames:
        started = perf_counter()
        pipeline.update(frame)
        seconds.append(perf_counter() - started)
    p50, p99 = np.percentile(seconds[N_WARM_FRAMES:], [50, 99]) * 1e3
    how = f"{len(features.columns)} columns x {N_SYMBOLS} symbols; p99 {p99:.1f} ms, where all pairs are computed anew"
    return result("features.cross.update", float(p50), "ms/frame", how)


def _measure_start() -> list[Result]:
    """Time the kernels in new processes: compiled from nothing, then from the cache."""
    program = (
        "from time import perf_counter\n"
        "from outcry.backtest.warm_up import warm_up\n"
        "from outcry.features.config import FeatureSetConfig\n"
        "from outcry.features.feature_set import build_feature_set\n"
        f"features = build_feature_set(FeatureSetConfig(), {BAR_NS})\n"
        "started = perf_counter()\n"
        "warm_up(features, others=())\n"
        "print(perf_counter() - started)\n"
    )
    with tempfile.TemporaryDirectory(prefix="oc-bench-") as folder:
        environment = {**os.environ, "NUMBA_CACHE_DIR": folder}
        compile_s, *load_s = (
            float(
                subprocess.run(
                    [sys.executable, "-c", program], check=True, stdout=subprocess.PIPE, env=environment
                ).stdout
            )
            for _ in range(4)
        )
    return [
        result("features.compile", compile_s, "s", "every kernel, with an empty cache, in a new process", at_most=60.0),
        result("features.load", median(load_s), "s", "every kernel from the cache, in a new process", at_most=1.0),
    ]


def _measure_store(market: LoadedMarket) -> Result:
    """Build the full set of the 80 symbols into a store, in a process of its own whose memory is measured."""
    program = "import sys\nfrom bench.features import build_whole_store\nprint(*build_whole_store(sys.argv[1]))\n"
    with tempfile.TemporaryDirectory(prefix="oc-bench-") as folder:
        done = subprocess.run([sys.executable, "-c", program, folder], check=True, stdout=subprocess.PIPE)
        seconds, gib, n_columns = map(float, done.stdout.split())
        size_gb = sum(file.stat().st_size for file in Path(folder).rglob("*.parquet")) / 1e9
    n_bars = int(market.frames.present.sum())
    how = (
        f"{n_bars:,} bars of {market.frames.n_symbols} symbols x {n_columns:.0f} columns, second stage included, to "
        f"{size_gb:.1f} GB of Parquet; at most {gib:.2f} GiB of memory (goal 4)"
    )
    return result("features.store", seconds, "s", how, at_most=90.0)


def build_whole_store(folder: str) -> tuple[float, float, int]:
    """Build it; return seconds, the most memory in GiB, and the number of columns."""
    settings = load_settings(options={"market": {"source": str(INTRADAY)}})
    market = load_market(settings.market, load_sectors())
    ts = market.frames.ts_close_ns
    sessions = sessions_around(market.calendar, int(ts[0]), int(ts[-1]))
    started = perf_counter()
    store = build_features(
        settings, market, market.frames, sessions, on_progress=lambda step, fraction: None, folder=Path(folder)
    )
    seconds = perf_counter() - started
    return seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20, len(store.meta.columns)


def _peers_of(market: LoadedMarket) -> list[Result]:
    symbol = market.universe.index("AAPL")
    here = np.flatnonzero(market.frames.present[:, symbol])
    frames = market.frames.select(np.array([symbol]))
    columns = {name: getattr(frames, name)[here] for name in (*BAR_FIELDS, "present")}
    alone = FrameTensor(first_seq=0, ts_close_ns=frames.ts_close_ns[here], **columns)
    sessions = sessions_around(market.calendar, int(alone.ts_close_ns[0]), int(alone.ts_close_ns[-1]))
    return run_peers(alone, sessions, BARS_PER_YEAR)


def build_sessions() -> Sessions:
    """Return 20 sessions of 390 minutes."""
    midnight = np.arange(20_000, 20_020, dtype=np.int64) * 1440 * MINUTE_NS
    open_ns = midnight + 570 * MINUTE_NS
    return Sessions(open_ns, open_ns + 390 * MINUTE_NS, midnight, np.arange(20, dtype=np.int64) % 7)


def build_frames(sessions: Sessions) -> FrameTensor:
    """Return random walks: what a kernel costs hardly depends on what the prices do."""
    rng = np.random.default_rng(7)
    shape = (N_FRAMES, N_SYMBOLS)
    closes = sessions.open_ns[:, np.newaxis] + np.arange(1, 79) * BAR_NS
    close = 100.0 * np.exp(np.cumsum(rng.normal(0.0, 0.001, shape), axis=0))
    open_ = close * np.exp(rng.normal(0.0, 0.0005, shape))
    high = np.maximum(open_, close) * 1.0005
    low = np.minimum(open_, close) * 0.9995
    return FrameTensor(
        first_seq=0,
        ts_close_ns=closes.ravel()[:N_FRAMES],
        open=open_,
        high=high,
        low=low,
        close=close,
        volume=rng.integers(100, 10_000, shape).astype(np.float64),
        vwap=(high + low + close) / 3.0,
        present=np.ones(shape, dtype=np.bool_),
    )
