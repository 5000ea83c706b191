"""The one compiled entry point: a live frame and a replay of thousands run the same machine code.

The columns of a family stand together, in the order TREND, MOMENTUM, VOLATILITY, VOLUME, RETURNS, SHAPE, SESSION.
Symbols are independent: a row of any array depends on the bars of its own symbol only, so a shard computes what the
whole universe would.
"""

from collections.abc import Callable
from functools import cache

import numpy as np

from outcry.features.columns.momentum import MOMENTUM
from outcry.features.columns.returns import RETURNS
from outcry.features.columns.session import SESSION
from outcry.features.columns.shape import SHAPE
from outcry.features.columns.trend import TREND
from outcry.features.columns.volatility import VOLATILITY
from outcry.features.columns.volume import VOLUME
from outcry.features.kernels.bars import RING_ROWS, push_bar
from outcry.features.kernels.clock import CLOCK_SLOTS, read_clock
from outcry.features.kernels.compile import compile_entry_point, kernel
from outcry.features.kernels.momentum import MOMENTUM_SLOTS, step_momentum
from outcry.features.kernels.returns import step_returns
from outcry.features.kernels.session import SESSION_SLOTS, step_session
from outcry.features.kernels.shape import SHAPE_SLOTS, step_shape
from outcry.features.kernels.trend import TREND_SLOTS, step_trend
from outcry.features.kernels.volatility import VOLATILITY_SLOTS, step_volatility
from outcry.features.kernels.volume import VOLUME_SLOTS, step_volume
from outcry.features.kernels.window import RING_BARS
from outcry.market.frame import BoolArray, FloatArray, IntArray

COLUMN_BLOCKS = (TREND, MOMENTUM, VOLATILITY, VOLUME, RETURNS, SHAPE, SESSION)
STATE_SHAPES: dict[str, tuple[int, ...]] = {
    "ring": (RING_ROWS, 2 * RING_BARS),
    "trend": (TREND_SLOTS,),
    "momentum": (MOMENTUM_SLOTS,),
    "volatility": (VOLATILITY_SLOTS,),
    "volume": (VOLUME_SLOTS,),
    "shape": (SHAPE_SLOTS,),
    "session": (SESSION_SLOTS,),
}
"""The float64 arrays of the state, with the shape of one symbol; `counts` (int64) and `last` (values) stand beside."""

_ENDS = np.cumsum([len(block) for block in COLUMN_BLOCKS])
_TREND_END, _MOMENTUM_END, _VOLATILITY_END, _VOLUME_END, _RETURNS_END, _SHAPE_END, _SESSION_END = (
    int(e) for e in _ENDS
)

_SIGNATURE = (
    "void(i8[::1], f8[:,:,::1], f8[:,::1], f8[:,::1], f8[:,::1], f8[:,::1], f8[:,::1], f8[:,::1], f8[:,::1],"
    " i8[::1], f8[:,:,::1], b1[:,::1], i8[:,::1], f8, f8[:,:,::1])"
)


@cache
def compile_advance(version: str) -> Callable[..., None]:
    """Compile the entry point, or load it from Numba's cache.

    Parameters
    ----------
    version : str
        Names the text of all kernels. Numba looks only at the file of a cached function to see whether it is current;
        as a closure variable, the version makes an edit of any kernel part of the key.
    """

    def advance(  # noqa: PLR0917 - compiled code takes arrays, not objects
        counts: IntArray,
        ring: FloatArray,
        trend: FloatArray,
        momentum: FloatArray,
        volatility: FloatArray,
        volume: FloatArray,
        shape: FloatArray,
        session: FloatArray,
        last: FloatArray,
        ts_close_ns: IntArray,
        bars: FloatArray,
        present: BoolArray,
        sessions: IntArray,
        bars_per_year: float,
        out: FloatArray,
    ) -> None:
        """Advance all symbols over frames; bars (n_frames, n_symbols, 6), out the same with n_features or 0 frames."""
        len(version)
        n_frames, n_symbols = present.shape
        clock = np.empty((n_frames, CLOCK_SLOTS))
        for t in range(n_frames):
            read_clock(ts_close_ns[t], sessions, clock[t])
        for i in range(n_symbols):
            for t in range(n_frames):
                if present[t, i]:
                    counts[i] += 1
                    end = push_bar(ring[i], counts[i], bars[t, i])
                    step_symbol(
                        counts[i], end, ring[i], trend[i], momentum[i], volatility[i], volume[i], shape[i], session[i],
                        clock[t], bars_per_year, last[i],
                    )  # fmt: skip
                if out.shape[0]:
                    out[t, i] = last[i]

    return compile_entry_point(advance, _SIGNATURE)


@kernel
def step_symbol(  # noqa: PLR0917 - compiled code takes arrays, not objects
    k: int,
    end: int,
    ring: FloatArray,
    trend: FloatArray,
    momentum: FloatArray,
    volatility: FloatArray,
    volume: FloatArray,
    shape: FloatArray,
    session: FloatArray,
    clock: FloatArray,
    bars_per_year: float,
    out: FloatArray,
) -> None:
    """Advance every family by the k-th bar of one symbol, already in the ring; out is (n_features,)."""
    step_trend(k, end, ring, trend, out[:_TREND_END])
    step_momentum(k, end, ring, momentum, out[_TREND_END:_MOMENTUM_END])
    step_volatility(k, end, ring, volatility, bars_per_year, out[_MOMENTUM_END:_VOLATILITY_END])
    step_volume(k, end, ring, volume, out[_VOLATILITY_END:_VOLUME_END])
    step_returns(k, end, ring, out[_VOLUME_END:_RETURNS_END])
    step_shape(k, end, ring, shape, out[_RETURNS_END:_SHAPE_END])
    step_session(end, ring, clock, session, out[_SHAPE_END:_SESSION_END])
