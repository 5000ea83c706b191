"""Frames to stress: random walks with a common part, whole or with holes."""

from collections.abc import Callable, Sequence

import numpy as np
import pytest

from outcry.market.frame import TAPE_FIELDS, BoolArray, FloatArray, FrameTensor, IntArray

DAY_NS = 86_400_000_000_000
CLOSE_NS = 72_000_000_000_000
FIVE_MINUTES_NS = 300_000_000_000


def make_frames(
    n_frames: int = 60,
    n_symbols: int = 4,
    seed: int = 0,
    *,
    missing_frac: float = 0.0,
    full_rows: Sequence[int] = (0,),
    frames_per_session: int = 1,
    first_seq: int = 0,
    has_tape: bool = False,
) -> FrameTensor:
    """Return valid bars on no tick; `full_rows` have every symbol."""
    rng = np.random.default_rng(seed)
    shape = (n_frames, n_symbols)
    returns = 0.01 * rng.normal(size=(n_frames, 1)) + 0.015 * rng.normal(size=shape) + 0.0005
    close = 100.0 * np.exp(np.cumsum(returns, axis=0))
    open_ = close * np.exp(-0.7 * returns + 0.002 * rng.normal(size=shape))
    high = np.maximum(open_, close) * np.exp(np.abs(0.004 * rng.normal(size=shape)))
    low = np.minimum(open_, close) * np.exp(-np.abs(0.004 * rng.normal(size=shape)))
    present = rng.random(shape) >= missing_frac
    present[list(full_rows)] = True
    columns = {"open": open_, "high": high, "low": low, "close": close, "vwap": (high + low + close) / 3}
    columns["volume"] = np.floor(rng.lognormal(10, 1, shape))
    for values in columns.values():
        values[~present] = np.nan
    tape = _tape(close, present, rng) if has_tape else None
    return FrameTensor(first_seq, _times(n_frames, frames_per_session), present=present, tape=tape, **columns)


def _times(n_frames: int, frames_per_session: int) -> IntArray:
    day, place = np.divmod(np.arange(n_frames), frames_per_session)
    return np.asarray(19_000 * DAY_NS + day * DAY_NS + CLOSE_NS + (place - frames_per_session + 1) * FIVE_MINUTES_NS)


def _tape(close: FloatArray, present: BoolArray, rng: np.random.Generator) -> FloatArray:
    """Return quotes around the close, some of them crossed, some not known."""
    tape = rng.lognormal(5, 1, (*close.shape, len(TAPE_FIELDS)))
    tape[..., 0] = close * np.exp(-rng.normal(0.0005, 0.0005, close.shape))
    tape[..., 1] = close * np.exp(rng.normal(0.0005, 0.0005, close.shape))
    tape[rng.random(tape.shape) < 0.1] = np.nan
    tape[~present] = np.nan
    return tape


@pytest.fixture(scope="session")
def build_frames() -> Callable[..., FrameTensor]:
    """Return `make_frames`."""
    return make_frames
