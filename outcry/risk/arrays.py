"""The arrays that the risk kernels work on, from configuration, state and sizes."""

from typing import TYPE_CHECKING

import numpy as np

from outcry.market.frame import IntArray
from outcry.market.grid import Grid
from outcry.market.universe import Universe
from outcry.order_rows import N_COLUMNS
from outcry.risk.config import RiskConfig
from outcry.risk.kernels.layout import (
    EQUITY,
    IS_FLATTENING,
    IS_HALTED,
    IS_SESSION_BLOCKED,
    N_EVENT_NUMBERS,
    N_EVENT_VALUES,
    N_STATE,
    N_TOTALS,
    PEAK_EQUITY,
    RUNG,
    SESSION,
    SESSION_START_EQUITY,
    WAS_FLATTENING,
    WAS_HALTED,
    WAS_SESSION_BLOCKED,
)
from outcry.risk.state import RiskState

if TYPE_CHECKING:
    from outcry.risk.kernels.limits import Rules
    from outcry.risk.kernels.review import Results, Scratch

MOST_OWN_EVENTS = 3
"""In a frame, beside one for each wanted and each own order: a daily loss, a step of the ladder, a margin call."""


def build_rules(config: RiskConfig, universe: Universe) -> "Rules":
    """Return what the limits are, as `outcry.risk.kernels.limits.Rules`."""
    numbers = np.array(
        [
            config.max_position_frac,
            config.max_gross_frac,
            config.max_net_frac,
            config.max_positions,
            config.daily_loss_frac,
            config.ladder_recovery_frac,
            config.deleverage_band_frac,
            config.maintenance_margin_frac,
            config.initial_margin_frac,
            universe.grid.lot_shares,
            universe.grid.money_scale,
        ]
    )
    steps = [(step.drawdown_frac, step.exposure_frac) for step in config.drawdown_ladder]
    sector, names = universe.sector_index()
    sector_max = np.array([config.sector_fracs.get(name, config.max_sector_frac) for name in names])
    return numbers, np.array(steps, dtype=np.float64).reshape(-1, 2), sector, sector_max


def build_scratch(n_symbols: int, n_sectors: int, n_most_wanted: int) -> "Scratch":
    """Return what a review needs of memory, for up to so many wanted orders."""
    return (
        np.zeros(N_TOTALS),
        np.zeros(n_symbols, dtype=np.int64),
        np.zeros(n_symbols, dtype=np.int64),
        np.zeros(n_sectors),
        np.zeros(n_most_wanted, dtype=np.int64),
    )


def build_results(n_symbols: int, n_most_wanted: int) -> "Results":
    """Return where a review writes, for up to so many wanted orders."""
    n_orders = n_most_wanted + n_symbols
    n_events = n_orders + MOST_OWN_EVENTS
    return (
        np.zeros((n_orders, N_COLUMNS), dtype=np.int64),
        np.zeros((n_events, N_EVENT_NUMBERS), dtype=np.int64),
        np.zeros((n_events, N_EVENT_VALUES)),
    )


def to_array(state: RiskState, before: RiskState, grid: Grid) -> IntArray:
    """Return a state as an array (N_STATE,).

    Parameters
    ----------
    state, before : RiskState
        After the last frame, with and without what operators have commanded since.
    """
    array = np.empty(N_STATE, dtype=np.int64)
    array[EQUITY] = grid.money_units(state.equity)
    array[PEAK_EQUITY] = grid.money_units(state.peak_equity)
    array[SESSION_START_EQUITY] = grid.money_units(state.session_start_equity)
    array[SESSION], array[RUNG] = state.session, state.rung
    array[IS_SESSION_BLOCKED], array[WAS_SESSION_BLOCKED] = state.is_session_blocked, before.is_session_blocked
    array[IS_HALTED], array[WAS_HALTED] = state.is_halted, before.is_halted
    array[IS_FLATTENING], array[WAS_FLATTENING] = state.is_flattening, before.is_flattening
    return array


def to_state(array: IntArray, seq: int, halt_reason: str, grid: Grid) -> RiskState:
    """Return the state that an array holds after frame `seq`."""
    numbers = array.tolist()
    return RiskState(
        seq=seq,
        equity=grid.money(numbers[EQUITY]),
        peak_equity=grid.money(numbers[PEAK_EQUITY]),
        session=numbers[SESSION],
        session_start_equity=grid.money(numbers[SESSION_START_EQUITY]),
        is_session_blocked=bool(numbers[IS_SESSION_BLOCKED]),
        rung=numbers[RUNG],
        is_halted=bool(numbers[IS_HALTED]),
        is_flattening=bool(numbers[IS_FLATTENING]),
        halt_reason=halt_reason,
    )
