"""Where in a tape a scenario happens, and what the market does there."""

from dataclasses import dataclass

import numpy as np

from outcry.backtest.analytics.benchmark import carry_forward
from outcry.backtest.analytics.session_returns import session_rows
from outcry.backtest.stress.scenario import StressScenario
from outcry.errors import ConfigurationError, DataValidationError
from outcry.market.frame import FloatArray, FrameTensor


@dataclass(frozen=True, slots=True)
class StressSpan:
    """Hold the rows of a tensor between which a scenario happens.

    Attributes
    ----------
    start_row : int
        Its closes are the last ones before the shock; the first stressed bar is that of the next row.
    trough_row : int
        The last row of the shock.
    recovered_row : int
        The last row of the recovery; `trough_row` where the scenario has none.
    is_compressed : bool
        The data were too short, and shock and recovery share the rows there are.
    """

    start_row: int
    trough_row: int
    recovered_row: int
    is_compressed: bool


def first_traded_row(frames: FrameTensor) -> int:
    """Return the row of frame 0, or row 0 where the tensor begins later."""
    return max(0, -frames.first_seq)


def locate_span(frames: FrameTensor, scenario: StressScenario, start_row: int | None = None) -> StressSpan:
    """Return where a scenario happens that starts after `start_row`, by default after the first traded frame.

    Raises
    ------
    ConfigurationError
        Where `start_row` is not a row, or fewer rows follow than one for the shock and one for the recovery.

    Notes
    -----
    A session counts from the first stressed bar in it, and a span ends with the last frame of its last session. A
    scenario longer than the data is compressed: both spans are shortened, in frames, by one factor, to end with the
    last row. The shock is as deep as it was, so it is steeper.
    """
    start = first_traded_row(frames) if start_row is None else start_row
    n_after = len(frames) - 1 - start
    has_recovery = scenario.recovery_sessions > 0
    if start < 0 or n_after < 1 + has_recovery:
        last = len(frames) - 2 - has_recovery
        raise ConfigurationError(f"start_row of {scenario.name} must be in [0, {last}], was {start}")
    ends = start + 1 + session_rows(frames.ts_close_ns[start + 1 :])
    n_sessions = scenario.shock_sessions + scenario.recovery_sessions
    if n_sessions <= len(ends):
        return StressSpan(start, int(ends[scenario.shock_sessions - 1]), int(ends[n_sessions - 1]), False)
    n_shock = min(max(round(n_after * scenario.shock_sessions / n_sessions), 1), n_after - has_recovery)
    return StressSpan(start, start + n_shock, len(frames) - 1, True)


def market_path(frames: FrameTensor, start_row: int) -> FloatArray:
    """Return the equal-weighted market from `start_row` on, in multiples of its value there.

    Returns
    -------
    float64 (n_frames - start_row,)
        Mean over the symbols that have closed by `start_row` of the close over the close there: what an equal sum in
        each is worth, bought there and held. A symbol without a bar counts with its last close.

    Raises
    ------
    DataValidationError
        Where no symbol has closed by then.
    """
    marks = carry_forward(frames.close)[start_row:]
    members = np.isfinite(marks[0])
    if not members.any():
        raise DataValidationError(f"a symbol must have a close by row {start_row} to make a market, none has")
    return np.asarray((marks[:, members] / marks[0, members]).mean(axis=1))
