"""From settings to a run that is ready to trade: data, the span split in two, a bundle, a plan."""

import hashlib
import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from configs.plan import RunPlan, sessions_around
from configs.schema import Settings
from configs.sectors import load_sectors
from outcry.adapters.sources.load import LoadedMarket, load_market
from outcry.errors import BundleError, DataNotFoundError
from outcry.features.catalogue import CATALOGUE, FEATURE_NAMES, catalogue_hash
from outcry.features.engine import FeatureEngine
from outcry.market.bar_size import format_bar_size
from outcry.market.frame import FrameTensor
from outcry.market.sessions import Sessions
from outcry.models.bundle import ModelBundle, load_bundle
from training.fit import fit_ensemble

Progress = Callable[[str, float], None]


@dataclass(frozen=True, slots=True, eq=False)
class PreparedRun:
    """A plan with its verified model and its frames: `warmup` has negative `seq`, `frames` starts at 0."""

    plan: RunPlan
    model: ModelBundle
    warmup: FrameTensor
    frames: FrameTensor


def prepare_run(
    settings: Settings, *, bundle: Path | None, on_progress: Progress, run_id: str | None = None
) -> PreparedRun:
    """Load the market, split it into a training and a trading span, and make sure a bundle for it exists.

    Parameters
    ----------
    settings : Settings
    bundle : Path or None
        Trade this bundle; None trains one on the training span, or takes the one trained on the same before.
    on_progress : callable
        Called with the name of a step and its fraction done.
    run_id : str or None
        None makes a new one.

    Raises
    ------
    DataNotFoundError
        Where either span is empty.
    BundleError
        Where `bundle` was trained on a part of the trading span.
    """
    on_progress("load market data", 0.0)
    market = load_market(settings.market, load_sectors())
    on_progress("load market data", 1.0)
    first_row = _split(market.frames, settings)
    frames = market.frames.rows(first_row, len(market.frames), first_seq=0)
    n_warmup = min(settings.floor.warmup_frames, first_row)
    warmup = market.frames.rows(first_row - n_warmup, first_row, first_seq=-n_warmup)
    sessions = sessions_around(market.calendar, int(market.frames.ts_close_ns[0]), int(market.frames.ts_close_ns[-1]))
    training = market.frames.rows(0, first_row, first_seq=0)
    path = bundle or train_bundle(settings, market, training, sessions, on_progress)
    model = load_bundle(path, FEATURE_NAMES, catalogue_hash())
    facts = model.manifest
    if facts.bar_ns != market.bar_ns:
        raise BundleError(
            f"bundle {path} must be trained on bars of {format_bar_size(market.bar_ns)}, "
            f"was on bars of {format_bar_size(facts.bar_ns)}"
        )
    if facts.last_ts_ns >= int(frames.ts_close_ns[0]):
        raise BundleError(
            f"bundle {path} must be trained on frames before the first traded one at "
            f"{np.datetime64(int(frames.ts_close_ns[0]), 'ns')}, its data ends at "
            f"{np.datetime64(facts.last_ts_ns, 'ns')}; in-sample results are not reported"
        )
    plan = RunPlan(
        run_id=run_id or new_run_id(),
        settings=settings,
        universe=market.universe,
        sessions=sessions,
        calendar=market.calendar.name,
        bar_ns=market.bar_ns,
        bars_per_year=market.calendar.bars_per_year(market.bar_ns),
        first_row=first_row,
        last_seq=frames.last_seq,
        fingerprint=market.fingerprint,
        bundle_path=path,
        bundle_version=model.version,
    )
    return PreparedRun(plan, model, warmup, frames)


def new_run_id() -> str:
    """Return a name for a run: short and random."""
    return secrets.token_hex(5)


def train_bundle(
    settings: Settings, market: LoadedMarket, training: FrameTensor, sessions: Sessions, on_progress: Progress
) -> Path:
    """Fit an ensemble on these frames, or return the bundle that the same fit wrote before."""
    directory = settings.floor.state_dir / "bundles"
    key = _training_key(settings, market, training)
    pointer = directory / "by_training" / key
    version = pointer.read_text() if pointer.is_file() else ""
    if version and (directory / version).is_dir():
        return directory / version
    on_progress("compute features", 0.0)
    engine = FeatureEngine(len(market.universe), sessions, market.calendar.bars_per_year(market.bar_ns))
    features = engine.replay(training)
    on_progress("compute features", 1.0)
    path = fit_ensemble(
        training,
        features,
        FEATURE_NAMES,
        settings.training,
        units={column.name: column.unit for column in CATALOGUE},
        catalogue_hash=catalogue_hash(),
        symbols=market.universe.symbols,
        bar_ns=market.bar_ns,
        directory=directory,
        on_progress=on_progress,
    )
    pointer.parent.mkdir(parents=True, exist_ok=True)
    unfinished = pointer.with_suffix(".new")
    unfinished.write_text(path.name)
    unfinished.replace(pointer)
    return path


def _split(frames: FrameTensor, settings: Settings) -> int:
    """Return the row of the first traded frame: the training span is everything before it."""
    first_row = int(len(frames) * settings.training.train_frac)
    if first_row == 0 or first_row >= len(frames):
        raise DataNotFoundError(
            f"training.train_frac {settings.training.train_frac:g} of {len(frames)} frames must leave frames to train "
            f"on and frames to trade, leaves {first_row} and {len(frames) - first_row}"
        )
    return first_row


def _training_key(settings: Settings, market: LoadedMarket, training: FrameTensor) -> str:
    facts = {
        "market": market.fingerprint,
        "n_frames": len(training),
        "training": settings.training.model_dump(mode="json"),
        "catalogue": catalogue_hash(),
    }
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:32]
