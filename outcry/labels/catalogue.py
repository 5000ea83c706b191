"""Every target by name: what it is, what it reads, and the function that computes it."""

import math
import re
from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from outcry.errors import ConfigurationError
from outcry.labels.barrier import BarrierExits, TripleBarrier, triple_barrier
from outcry.labels.config import TargetConfig
from outcry.labels.direction import LabelArray, direction_labels, up_labels, volatility_band
from outcry.labels.forward import forward_returns, risk_adjusted_returns
from outcry.labels.horizon import UNDEFINED, last_rows
from outcry.labels.large_move import atr_band, event_labels
from outcry.labels.path import forward_kelly, forward_sharpe, forward_volatility
from outcry.labels.regime import regime_labels
from outcry.labels.target import Target, TargetColumn
from outcry.labels.trend import continuation_labels, reversal_labels
from outcry.market.frame import PRICE_FIELDS, FloatArray, FrameTensor, IntArray

TARGET_PREFIX = "target_"
"""How the name of every target starts, and of no feature, so that a target is recognised in a feature matrix."""

_FLAG = ("no", "yes")
_DIRECTION = ("up", "neutral", "down")
_AT_HORIZON = "the row h later"
_OVER_HORIZON = "all rows of the next h"
_BARRIER = "the rows up to the first touch, h at most"


def compute_targets(
    frames: FrameTensor, names: Iterable[str], config: TargetConfig | None = None
) -> dict[str, TargetColumn]:
    """Compute targets that join the features of the same frames by row and symbol.

    Parameters
    ----------
    frames : FrameTensor
        Where a symbol is not present its prices count as missing.
    names : iterable of str
        ``target_{kind}_{h}``, for example ``target_direction_12``: a kind of `TARGETS`, and a horizon in bars.
    config : TargetConfig, optional
        Absent: its defaults.

    Returns
    -------
    dict of str to TargetColumn
        In the order of `names`.

    Raises
    ------
    ConfigurationError
        Where a name has another form, its kind is not known or its horizon too short for the kind.
    """
    settings = config or TargetConfig()
    frames = frames.continuous()
    parsed = {name: parse_target(name) for name in names}
    seen = {field: np.where(frames.present, getattr(frames, field), np.nan) for field in PRICE_FIELDS}
    prices = replace(frames, open=seen["open"], high=seen["high"], low=seen["low"], close=seen["close"])
    columns = {}
    for name, (target, horizon_bars) in parsed.items():
        found = target.compute(prices, horizon_bars, settings)
        columns[name] = found if isinstance(found, TargetColumn) else _column(found, horizon_bars)
    return columns


def parse_target(name: str) -> tuple[Target, int]:
    """Return the kind and the horizon, in bars, of a name; errors are those of `compute_targets`."""
    match = re.fullmatch(rf"{TARGET_PREFIX}([a-z_]+)_([1-9]\d*)", name)
    if match is None or match[1] not in TARGETS:
        raise ConfigurationError(
            f"target must be {TARGET_PREFIX}KIND_BARS with a kind of {', '.join(TARGETS)}, was {name!r}"
        )
    return TARGETS[match[1]], int(match[2])


def _column(values: LabelArray | FloatArray, n_bars: int | IntArray) -> TargetColumn:
    is_known = values != UNDEFINED if values.dtype == np.int8 else ~np.isnan(values)
    return TargetColumn(values, last_rows(is_known, n_bars))


def _band(frames: FrameTensor, horizon_bars: int, multiple: float, config: TargetConfig) -> FloatArray:
    return volatility_band(frames.close, horizon_bars, multiple, config.volatility_window_bars)


def _direction(frames: FrameTensor, horizon_bars: int, config: TargetConfig) -> LabelArray:
    return direction_labels(frames.close, horizon_bars, _band(frames, horizon_bars, config.band_multiple, config))


def _risk_adjusted(frames: FrameTensor, horizon_bars: int, config: TargetConfig) -> FloatArray:
    return risk_adjusted_returns(frames.close, horizon_bars, _band(frames, horizon_bars, 1.0, config))


def _large_move(frames: FrameTensor, horizon_bars: int, config: TargetConfig) -> LabelArray:
    band_frac = atr_band(frames.high, frames.low, frames.close, config.move_multiple, config.atr_window_bars)
    return direction_labels(frames.close, horizon_bars, band_frac)


def _continuation(frames: FrameTensor, horizon_bars: int, config: TargetConfig) -> LabelArray:
    band_frac = _band(frames, config.trend_window_bars, config.trend_multiple, config)
    return continuation_labels(frames.close, horizon_bars, config.trend_window_bars, band_frac)


def _reversal(frames: FrameTensor, horizon_bars: int, config: TargetConfig) -> LabelArray:
    band_frac = _band(frames, config.trend_window_bars, config.trend_multiple, config)
    return reversal_labels(frames.close, horizon_bars, config.trend_window_bars, band_frac)


def _regime(frames: FrameTensor, horizon_bars: int, config: TargetConfig) -> LabelArray:
    band_frac = _band(frames, horizon_bars, config.band_multiple, config)
    min_efficiency_frac = min(config.efficiency_multiple / math.sqrt(horizon_bars), 1.0)
    return regime_labels(frames.close, horizon_bars, band_frac, min_efficiency_frac)


def _exits(frames: FrameTensor, horizon_bars: int, config: TargetConfig) -> BarrierExits:
    barriers = TripleBarrier(horizon_bars, config.profit_multiple, config.stop_multiple)
    width_frac = _band(frames, horizon_bars, 1.0, config)
    return triple_barrier(frames.open, frames.high, frames.low, frames.close, width_frac, barriers)


def _barrier(frames: FrameTensor, horizon_bars: int, config: TargetConfig) -> TargetColumn:
    exits = _exits(frames, horizon_bars, config)
    return _column(exits.label, exits.n_bars)


def _barrier_return(frames: FrameTensor, horizon_bars: int, config: TargetConfig) -> TargetColumn:
    exits = _exits(frames, horizon_bars, config)
    return _column(exits.return_frac, exits.n_bars)


_TABLE = (
    Target(
        kind="up",
        formula="f > 0",
        unit="class",
        classes=_FLAG,
        horizon=_AT_HORIZON,
        reads=("close",),
        windows=(),
        compute=lambda frames, h, _: up_labels(frames.close, h),
    ),
    Target(
        kind="direction",
        formula="up where f > band, down where f < -band; band = band_multiple s sqrt(h)",
        unit="class",
        classes=_DIRECTION,
        horizon=_AT_HORIZON,
        reads=("close",),
        windows=("volatility_window_bars",),
        compute=_direction,
    ),
    Target(
        kind="return",
        formula="f = close[t + h] / close[t] - 1",
        unit="fraction",
        classes=(),
        horizon=_AT_HORIZON,
        reads=("close",),
        windows=(),
        compute=lambda frames, h, _: forward_returns(frames.close, h),
    ),
    Target(
        kind="risk_adjusted",
        formula="f / (s sqrt(h)); none where s is 0",
        unit="deviations",
        classes=(),
        horizon=_AT_HORIZON,
        reads=("close",),
        windows=("volatility_window_bars",),
        compute=_risk_adjusted,
    ),
    Target(
        kind="sharpe",
        formula="mean(r_j) / std(r_j); none where all are equal; h of 2 at least",
        unit="ratio per sqrt(bar)",
        classes=(),
        horizon=_OVER_HORIZON,
        reads=("close",),
        windows=(),
        compute=lambda frames, h, _: forward_sharpe(frames.close, h),
    ),
    Target(
        kind="kelly",
        formula="mean(r_j) / var(r_j) within kelly_limit_frac; none where all are equal; h of 2 at least",
        unit="fraction of equity",
        classes=(),
        horizon=_OVER_HORIZON,
        reads=("close",),
        windows=(),
        compute=lambda frames, h, config: forward_kelly(frames.close, h, config.kelly_limit_frac),
    ),
    Target(
        kind="volatility",
        formula="sqrt(mean(r_j^2))",
        unit="fraction per sqrt(bar)",
        classes=(),
        horizon=_OVER_HORIZON,
        reads=("close",),
        windows=(),
        compute=lambda frames, h, _: forward_volatility(frames.close, h),
    ),
    Target(
        kind="large_move",
        formula="as direction; band = move_multiple mean(true range, atr_window_bars) / close[t]",
        unit="class",
        classes=_DIRECTION,
        horizon=_AT_HORIZON,
        reads=("high", "low", "close"),
        windows=("atr_window_bars",),
        compute=_large_move,
    ),
    Target(
        kind="event",
        formula="large_move is not neutral: the two are one event, here without its sign",
        unit="class",
        classes=_FLAG,
        horizon=_AT_HORIZON,
        reads=("high", "low", "close"),
        windows=("atr_window_bars",),
        compute=lambda frames, h, config: event_labels(_large_move(frames, h, config)),
    ),
    Target(
        kind="continuation",
        formula="sign(f) = sign(p), p = close[t] / close[t - w] - 1; none where |p| <= trend_multiple s sqrt(w); "
        "w = trend_window_bars",
        unit="class",
        classes=_FLAG,
        horizon=_AT_HORIZON,
        reads=("close",),
        windows=("volatility_window_bars", "trend_window_bars"),
        compute=_continuation,
    ),
    Target(
        kind="reversal",
        formula="sign(f) = -sign(p), otherwise as continuation",
        unit="class",
        classes=_FLAG,
        horizon=_AT_HORIZON,
        reads=("close",),
        windows=("volatility_window_bars", "trend_window_bars"),
        compute=_reversal,
    ),
    Target(
        kind="regime",
        formula="direction, but neutral where the efficiency |close[t + h] - close[t]| / sum |close[j] - close[j - 1]| "
        "is less than efficiency_multiple / sqrt(h)",
        unit="class",
        classes=("bull", "neutral", "bear"),
        horizon=_OVER_HORIZON,
        reads=("close",),
        windows=("volatility_window_bars",),
        compute=_regime,
    ),
    Target(
        kind="barrier",
        formula="up at profit_multiple s sqrt(h), down at stop_multiple s sqrt(h), whichever is touched first",
        unit="class",
        classes=_DIRECTION,
        horizon=_BARRIER,
        reads=PRICE_FIELDS,
        windows=("volatility_window_bars",),
        compute=_barrier,
    ),
    Target(
        kind="barrier_return",
        formula="price at the exit of barrier / close[t] - 1",
        unit="fraction",
        classes=(),
        horizon=_BARRIER,
        reads=PRICE_FIELDS,
        windows=("volatility_window_bars",),
        compute=_barrier_return,
    ),
)

TARGETS: dict[str, Target] = {target.kind: target for target in _TABLE}
