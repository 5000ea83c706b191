"""How a run does lately, from its journal: see `recent_performance`."""

from pathlib import Path

import numpy as np

from outcry.adapters.postgres.history import PredictionHistory, ShadowHistory
from outcry.adapters.postgres.reader import JournalReader
from outcry.backtest.analytics.recent_performance import RecentPerformance, recent_performance
from outcry.labels.horizon import UNDEFINED
from outcry.market.calendar import TradingCalendar
from outcry.market.frame import FloatArray
from outcry.messages import Direction
from outcry.models.bundle import MANIFEST_FILE
from outcry.models.manifest import parse_manifest
from training.unseen import labels_of

WINDOW_DAYS = 7
_WINDOW_NS = WINDOW_DAYS * 86_400 * 10**9


async def read_recent(reader: JournalReader) -> RecentPerformance | None:
    """Return how the run did in the `WINDOW_DAYS` before its last complete frame; None before the first.

    Raises
    ------
    BundleError
        Where the bundle of the run is gone, which says what its forecasts are of.
    """
    record, last_seq = await reader.run(), await reader.last_completed_seq()
    if last_seq < 0:
        return None
    path = Path(record.bundle_path) / MANIFEST_FILE
    label = parse_manifest(path.read_bytes(), str(path)).label
    closes_ns = await reader.closes_ns(last_seq)
    first_seq = int(np.searchsorted(closes_ns, closes_ns[-1] - _WINDOW_NS, side="right"))
    first_said = max(first_seq - label.horizon_bars, 0)
    n_before = 1 + (label.volatility_window_bars or 0)
    frames = await reader.frames(max(first_said - n_before, await reader.first_seq() or 0), last_seq)
    n_said = max(last_seq - label.horizon_bars - first_said + 1, 0)

    def settled(said: PredictionHistory | ShadowHistory) -> FloatArray:
        probability = np.full((n_said, frames.n_symbols, len(Direction)), np.nan)
        is_settled = said.seq < first_said + n_said
        probability[said.seq[is_settled] - first_said] = said.probability[is_settled]
        return probability

    labels = np.full((n_said, frames.n_symbols), UNDEFINED, dtype=np.int8)
    start = first_said - frames.first_seq
    labels[:] = labels_of(frames, label)[start : start + n_said]
    curve = await reader.equity_curve(max(first_seq - 1, 0))
    equity = np.array([float(value) for value in curve.equity])
    if first_seq == 0:
        equity = np.concatenate(([float(record.config["broker"]["initial_cash"])], equity))
    per_year = TradingCalendar(record.calendar).bars_per_year(record.bar_ns)
    return recent_performance(
        equity,
        settled(await reader.predictions(first_said)),
        labels,
        await reader.latency_ms(first_seq),
        per_year,
        shadows={said.model_version: settled(said) for said in await reader.shadow_predictions(first_said)},
    )
