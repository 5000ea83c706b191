"""Four stress scenarios on daily bars of ten years, with a strategy of the user, through the compiled loop."""

import tempfile
from pathlib import Path

import numpy as np
import polars as pl

from actors.stress import stress_run
from bench.harness import Result, measure, result
from configs.loader import load_settings
from outcry.adapters.sources.sample import read_sample
from outcry.backtest.strategy import load_strategy
from outcry.backtest.stress.scenario import SCENARIOS
from training.prepare import prepare_strategy

N_SYMBOLS = 50
N_FRAMES = 2_520
N_REPEATS = 3

STRATEGY = """
import numpy as np

from outcry.backtest.strategy import MarketView, Strategy


class Crossover(Strategy):
    columns = ("sma_20", "sma_50")

    def weights(self, view: MarketView) -> np.ndarray:
        fast, slow = view.features["sma_20"], view.features["sma_50"]
        return np.where(np.isnan(slow), np.nan, fast > slow) * 0.9 / len(view.symbols)
"""


def run() -> list[Result]:
    """Stress a crossover on random walks: four scenarios, and the run without stress to compare them with."""
    with tempfile.TemporaryDirectory(prefix="oc-bench-") as folder:
        source, file = Path(folder) / "bars.parquet", Path(folder) / "crossover.py"
        _bars().write_parquet(source)
        file.write_text(STRATEGY)
        settings = load_settings(
            assignments=[f"floor.state_dir={folder}/state"], options={"market": {"source": str(source)}}
        )
        strategy = load_strategy(file, {})
        plan, frames = prepare_strategy(settings, strategy, lambda step, fraction: None)
    no_warmup = frames.rows(0, 0, first_seq=0)
    seconds = measure(lambda: stress_run(plan, None, strategy, no_warmup, frames, SCENARIOS), N_REPEATS)
    how = f"{frames.n_symbols} symbols, {len(frames)} daily bars, {len(SCENARIOS)} scenarios; median of {N_REPEATS}"
    return [result("stress.four_scenarios_s", float(np.median(seconds)), "s", how, at_most=5.0)]


def _bars() -> pl.DataFrame:
    """Return daily bars of random walks, on the sessions of the sample."""
    sample = read_sample()
    times = sample["ts"].unique().sort().head(N_FRAMES)
    rng = np.random.default_rng(11)
    parts = []
    for number in range(N_SYMBOLS):
        close = 50.0 * np.exp(np.cumsum(rng.normal(0.0002, 0.015, len(times))))
        open_ = close * np.exp(rng.normal(0.0, 0.005, len(times)))
        columns = {
            "open": open_,
            "high": 1.004 * np.maximum(open_, close),
            "low": 0.996 * np.minimum(open_, close),
            "close": close,
            "volume": rng.uniform(1e6, 5e6, len(times)).round(),
        }
        parts.append(pl.DataFrame({"symbol": [f"S{number:02d}"] * len(times), "ts": times, **columns}))
    return pl.concat(parts)
