"""Real bars, stressed: same symbols, same instants, other prices."""

from dataclasses import replace

import numpy as np

from outcry.backtest.analytics.benchmark import carry_forward
from outcry.backtest.stress.common_part import centre, raise_correlation
from outcry.backtest.stress.scenario import StressScenario
from outcry.backtest.stress.span import StressSpan, locate_span, market_path
from outcry.errors import DataValidationError
from outcry.market.frame import PRICE_FIELDS, TAPE_FIELDS, BoolArray, FloatArray, FrameTensor

_QUOTES = slice(TAPE_FIELDS.index("bid"), TAPE_FIELDS.index("ask") + 1)


def stress_frames(frames: FrameTensor, scenario: StressScenario, start_row: int | None = None) -> FrameTensor:
    """Return the frames as they would have been in a scenario.

    Parameters
    ----------
    frames : FrameTensor
        Bars of any size, adjusted for splits: a step in a price counts as a return.
    scenario : StressScenario
    start_row : int or None
        The last row before the shock; None is the first traded frame.

    Returns
    -------
    FrameTensor
        Same shape, times, presence and volume. Rows up to `start_row` are those of `frames`, and so are those after the
        recovery, bit for bit; the scenario that changes nothing returns `frames`. Prices are on no tick.

    Raises
    ------
    ConfigurationError
        As `locate_span`.
    DataValidationError
        Where a bar up to the last changed one contradicts itself, no symbol has closed by `start_row`, returns have no
        common part, or prices leave what a float can hold.

    Notes
    -----
    Log returns of symbol i from close to close, over the shock, ``m_i`` their mean, k the volatility multiplier:

        r_i(t) = m_i + d_i(t)            becomes            m_i + k d'_i(t) + drift(t)

    where d' is d with a larger common part (`raise_correlation`). Deviations from a mean sum to 0, so that at the end
    of the shock each symbol is where it was, but for the drift; with the same drift for all, the market reaches
    ``1 + market_shock_frac`` exactly. Meanwhile it may well be lower. The drift is spread evenly over the frames of the
    shock, and taken back evenly over those of the recovery, after which every price is the one it was. A symbol
    without a bar in the last row of the shock has had the drift of its last bar only.

    In a bar: deviations of the body, log(close / open), and of the gap before the open are scaled by k, too. What
    correlation changes is shared between the two as the return of the symbol is: ``Σ |body| / Σ (|body| + |gap|)``,
    so that bars that open at the last close still do. Of the drift of a frame, half comes before the open, half after.
    Wicks are scaled by k in logs. Vwap keeps its place between low and high. The first bar of a symbol that is listed
    in the shock only takes the drift.

    Volume stays, and with it trades and buy volume: a crisis trades more, but more volume would make stressed orders
    cheaper to fill. Bid and ask keep k times their log distance from the close, so spreads widen with volatility; a
    crossed quote stays crossed, and sizes stay.

    What this ignores: that volatility clusters and outlasts the shock; that some sectors fall further (every symbol
    has the drift of the market, whatever its beta); jumps, halts, and symbols that do not come back.
    """
    span = locate_span(frames, scenario, start_row)
    if scenario.is_identity:
        return frames
    rows = slice(span.start_row + 1, _last_changed_row(frames, scenario, span) + 1)
    _check_bars(frames, slice(0, rows.stop))
    drift = _drift(frames, scenario, span)
    steps = np.diff(drift)[rows.start - 1 : rows.stop - 1, np.newaxis]
    close_shift = np.repeat(drift[rows, np.newaxis], frames.n_symbols, axis=1)
    open_shift = close_shift - 0.5 * steps
    n_shock = span.trough_row - span.start_row
    spread = np.where(np.arange(len(close_shift)) < n_shock, scenario.volatility_multiplier, 1.0)[:, np.newaxis]
    if scenario.is_regime:
        at_close, at_open = _regime_shifts(frames, scenario, span)
        close_shift[:n_shock] += at_close
        open_shift[:n_shock] += at_open
    with np.errstate(all="ignore"):  # the check below refuses what comes of it
        stressed = _move_bars(frames, rows, open_shift, close_shift, spread)
    _check_bars(stressed, rows)
    return stressed


def _last_changed_row(frames: FrameTensor, scenario: StressScenario, span: StressSpan) -> int:
    if scenario.market_shock_frac == 0:
        return span.trough_row
    return span.recovered_row if scenario.recovery_sessions else len(frames) - 1


def _drift(frames: FrameTensor, scenario: StressScenario, span: StressSpan) -> FloatArray:
    """Return what is added to the logs of all prices, float64 (n_frames,)."""
    if scenario.market_shock_frac == 0:
        return np.zeros(len(frames))
    market = market_path(frames, span.start_row)[span.trough_row - span.start_row]
    depth = np.log1p(scenario.market_shock_frac) - np.log(market)
    knots = [(span.start_row, 0.0), (span.trough_row, depth)]
    if scenario.recovery_sessions:
        knots.append((span.recovered_row, 0.0))
    at, level = zip(*knots, strict=True)
    return np.asarray(np.interp(np.arange(len(frames)), at, level))


def _regime_shifts(frames: FrameTensor, scenario: StressScenario, span: StressSpan) -> tuple[FloatArray, FloatArray]:
    """Return what volatility and correlation add to the logs of close and open, float64 (n_shock, n_symbols) each."""
    shock = slice(span.start_row + 1, span.trough_row + 1)
    marks = np.log(carry_forward(frames.close[: shock.stop])[span.start_row :])
    returns = np.diff(marks, axis=0)
    known: BoolArray = frames.present[shock] & np.isfinite(returns)
    bodies = np.where(known, marks[1:] - np.log(frames.open[shock]), 0.0)
    gaps = np.where(known, returns, 0.0) - bodies
    deviations, body_deviations = centre(returns, known), centre(bodies, known)
    mixed = raise_correlation(deviations, known, scenario.correlation_increase)
    k = scenario.volatility_multiplier
    close_shift = np.cumsum(k * mixed - deviations, axis=0)
    in_body, in_gap = np.abs(bodies).sum(axis=0), np.abs(gaps).sum(axis=0)
    share = np.divide(in_body, in_body + in_gap, out=np.ones(len(in_body)), where=in_body + in_gap > 0)
    body_shift = (k - 1.0) * body_deviations + k * share * (mixed - deviations)
    return close_shift, close_shift - body_shift


def _move_bars(
    frames: FrameTensor, rows: slice, open_shift: FloatArray, close_shift: FloatArray, spread: FloatArray
) -> FrameTensor:
    """Return the frames with the bars of `rows` moved: shifts in logs (n, n_symbols), `spread` on ranges (n, 1)."""
    open_, high, low, close = (getattr(frames, name)[rows] for name in PRICE_FIELDS)
    new_open, new_close = open_ * np.exp(open_shift), close * np.exp(close_shift)
    top, bottom = np.maximum(new_open, new_close), np.minimum(new_open, new_close)
    new_high = np.maximum(top, top * np.exp(spread * np.log(high / np.maximum(open_, close))))
    new_low = np.minimum(bottom, bottom * np.exp(spread * np.log(low / np.minimum(open_, close))))
    width = high - low
    place = np.divide(frames.vwap[rows] - low, width, out=np.full(width.shape, 0.5), where=width > 0)
    new_vwap = np.clip(new_low + place.clip(0.0, 1.0) * (new_high - new_low), new_low, new_high)
    moved = {"open": new_open, "high": new_high, "low": new_low, "close": new_close, "vwap": new_vwap}
    columns = {}
    for name, values in moved.items():
        columns[name] = getattr(frames, name).copy()
        columns[name][rows] = values
    tape = None if frames.tape is None else frames.tape.copy()
    if tape is not None:
        distance = spread[..., np.newaxis] * np.log(tape[rows, :, _QUOTES] / close[..., np.newaxis])
        tape[rows, :, _QUOTES] = new_close[..., np.newaxis] * np.exp(distance)
    return replace(frames, tape=tape, **columns)


def _check_bars(frames: FrameTensor, rows: slice) -> None:
    open_, high, low, close = (getattr(frames, name)[rows] for name in PRICE_FIELDS)
    is_valid = (low > 0) & (low <= np.minimum(open_, close)) & (high >= np.maximum(open_, close)) & np.isfinite(high)
    wrong = np.argwhere(frames.present[rows] & ~is_valid)
    if len(wrong):
        row, column = wrong[0].tolist()
        prices = ", ".join(f"{name} {getattr(frames, name)[rows][row, column]:g}" for name in PRICE_FIELDS)
        raise DataValidationError(
            f"prices must be positive and in the order low, open and close, high; "
            f"in row {rows.start + row}, column {column} they are {prices}"
        )
