"""How long a frame of features takes: live, replayed, and from a cold process."""

import subprocess
import sys
import time
from statistics import median
from typing import Any

import numpy as np

from outcry.features.engine import FeatureEngine
from outcry.market.frame import FrameTensor
from outcry.market.sessions import Sessions

N_SYMBOLS = 500
N_FRAMES = 600
N_WARM_FRAMES = 300
MINUTE_NS = 60_000_000_000
BARS_PER_YEAR = 252.0 * 78.0


def run() -> list[dict[str, Any]]:
    """Measure and return the rows of the benchmark table."""
    sessions = _build_sessions()
    frames = _build_frames(sessions)
    engine = FeatureEngine(N_SYMBOLS, sessions, BARS_PER_YEAR)
    update_s = []
    for frame in frames:
        start_s = time.perf_counter()
        engine.update(frame)
        update_s.append(time.perf_counter() - start_s)
    warm_ms = median(update_s[N_WARM_FRAMES:]) * 1e3

    replays_s = []
    for _ in range(3):
        start_s = time.perf_counter()
        FeatureEngine(N_SYMBOLS, sessions, BARS_PER_YEAR).replay(frames)
        replays_s.append(time.perf_counter() - start_s)
    symbol_bars_per_s = N_SYMBOLS * N_FRAMES / median(replays_s)

    what = f"{len(engine.names)} columns x {N_SYMBOLS} symbols, 5-minute bars, past every warm-up"
    return [
        _row("features.update.frame", warm_ms, "ms", 2.0, f"{what}; median of {N_FRAMES - N_WARM_FRAMES} updates"),
        _row("features.update.symbol_bar", warm_ms * 1e3 / N_SYMBOLS, "us", 5.0, what),
        _row(
            "features.replay",
            symbol_bars_per_s,
            "symbol-bars/s",
            100_000.0,
            f"{len(engine.names)} columns x {N_SYMBOLS} symbols x {N_FRAMES} frames; median of 3",
        ),
        _row(
            "features.load", _measure_load_s(), "s", 1.0, "first engine in a fresh process, from the compiler's cache"
        ),
    ]


def _row(name: str, value: float, unit: str, goal: float, how: str) -> dict[str, Any]:
    is_rate = unit.endswith("/s")
    holds = value >= goal if is_rate else value <= goal
    return {"name": name, "value": round(value, 4), "unit": unit, "goal": goal, "holds": holds, "how": how}


def _measure_load_s() -> float:
    program = (
        "import time, numpy as np\n"
        "from outcry.features.engine import FeatureEngine\n"
        "from outcry.market.sessions import Sessions\n"
        "sessions = Sessions(*(np.array([x]) for x in (0, 1, 0, 0)))\n"
        "start_s = time.perf_counter()\n"
        "FeatureEngine(1, sessions, 252.0)\n"
        "print(time.perf_counter() - start_s)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    return float(done.stdout)


def _build_sessions() -> Sessions:
    midnight = np.arange(20_000, 20_020, dtype=np.int64) * 1440 * MINUTE_NS
    open_ns = midnight + 570 * MINUTE_NS
    return Sessions(open_ns, open_ns + 390 * MINUTE_NS, midnight, np.arange(20, dtype=np.int64) % 7)


def _build_frames(sessions: Sessions) -> FrameTensor:
    rng = np.random.default_rng(7)
    shape = (N_FRAMES, N_SYMBOLS)
    closes = sessions.open_ns[:, np.newaxis] + np.arange(1, 79) * 5 * MINUTE_NS
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
