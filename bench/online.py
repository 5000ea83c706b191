"""Frozen against online on a market: log loss and rank correlation of both, and what became of each update.

``python -m bench.online --source bars.parquet --symbols 100 --set training.train_frac=0.5``; not a part of
``make bench``, for it has no goal.
"""

import tempfile
from pathlib import Path

import numpy as np
import typer

from cli.options import Assignments, Source, Symbols, read_settings
from outcry.backtest.analytics.forecast_skill import MeanInterval, forecast_skill
from outcry.labels.forward import forward_returns
from outcry.labels.horizon import UNDEFINED
from outcry.market.frame import stack_frames
from outcry.messages import Direction
from outcry.models.comparison import compare
from training.dataset import labels_of
from training.online.replay import replay_online
from training.prepare import prepare_run


def measure(source: Source = None, symbols: Symbols = None, assignments: Assignments = None) -> None:
    """Train on the first part of a market; then forecast the rest by that model, and by one that learns from it."""
    settings = read_settings(source=source, symbols=symbols, assignments=assignments)
    prepared = prepare_run(settings, bundle=None, on_progress=lambda step, done: None)
    model, label = prepared.model, prepared.model.manifest.label
    print(f"{model.version}: {[(each.family, each.weight_frac) for each in model.manifest.members]}")
    with tempfile.TemporaryDirectory() as folder:
        done = replay_online(prepared.plan, model, prepared.warmup, prepared.frames, Path(folder))
    for made in done.updates:
        print(f"frame {made.seq:5d}  {made.verdict.reason}")
    n_warmup = len(prepared.warmup)
    frames = stack_frames([*prepared.warmup, *prepared.frames]).continuous()
    labels = labels_of(frames, prepared.plan.settings.training)
    forward = forward_returns(frames.close, label.horizon_bars)[n_warmup:]
    past, labels = labels[: n_warmup - label.horizon_bars], labels[n_warmup:]
    forward[labels == UNDEFINED] = np.nan
    counts = np.bincount(past[past != UNDEFINED], minlength=len(Direction)) + 1.0
    base = np.tile(counts / counts.sum(), (len(labels), 1))
    for name, probability in (("frozen", done.frozen), ("online", done.online)):
        skill = forecast_skill(probability, base, labels, forward, label.horizon_bars)
        assert skill is not None
        print(
            f"{name}: log loss {skill.log_loss:.5f} (frequencies {skill.base_log_loss:.5f}), rank IC "
            f"{_told(skill.rank_ic)}, hit {_told(skill.hit)}, calibration error {skill.ece_frac:.4f}, "
            f"{skill.n_forecasts} forecasts of {skill.n_frames} frames"
        )
    is_graded = np.isfinite(done.frozen).all(axis=2) & (labels >= 0)
    test = compare(
        done.frozen[is_graded],
        done.online[is_graded],
        labels[is_graded],
        np.nonzero(is_graded)[0],
        horizon_bars=label.horizon_bars,
    ).test
    n_adopted = sum(made.verdict.is_adopted for made in done.updates)
    print(
        f"{len(done.updates)} updates, {n_adopted} adopted; online gains {test.gain_nats:+.5f} nats a row "
        f"(deviation {test.deviation_nats:.5f}, one-sided p {test.p_value:.3f})"
    )


def _told(value: MeanInterval | None) -> str:
    return "-" if value is None else f"{value.mean:+.4f} [{value.low:+.4f}, {value.high:+.4f}]"


if __name__ == "__main__":
    typer.run(measure)
