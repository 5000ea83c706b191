"""The first barrier wins, gaps included, and the worse one where a bar touches two."""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from outcry.errors import ConfigurationError
from outcry.labels.barrier import BarrierExits, TripleBarrier, meta_labels, triple_barrier
from outcry.labels.direction import volatility_band
from outcry.market.frame import FrameTensor
from outcry.messages import Direction, Side

NAN = np.nan
UP, NEUTRAL, DOWN = Direction.UP, Direction.NEUTRAL, Direction.DOWN
Bars = list[tuple[float, float, float, float]]
"""Open, high, low and close of each."""

QUIET = (100.0, 100.5, 99.5, 100.0)
MISSING = (NAN, NAN, NAN, NAN)


def follow(bars: Bars, barriers: TripleBarrier, side: float = 1.0) -> tuple[int, int, float]:
    """Return label, bars and exit price of a position opened at 100 before `bars`, with a width of 1 %."""
    prices = np.array([QUIET, *bars])[:, :, None]
    shape = prices.shape[::2]
    width_frac, sides = np.full(shape, 0.01), np.full(shape, side)
    exits = triple_barrier(*prices.transpose(1, 0, 2).copy(), width_frac, barriers, sides)
    return exits.label[0, 0], exits.n_bars[0, 0], 100.0 * (1.0 + exits.return_frac[0, 0])


@pytest.mark.parametrize(
    ("bars", "label", "n_bars", "exit_price"),
    [
        pytest.param([QUIET, (100, 103.5, 100, 101), QUIET], UP, 2, 103.0, id="high reaches the profit"),
        pytest.param([QUIET, (100, 100, 97.5, 99), QUIET], DOWN, 2, 98.0, id="low reaches the stop"),
        pytest.param([QUIET, QUIET, (100, 102, 99, 101.5)], NEUTRAL, 3, 101.5, id="neither is reached"),
        pytest.param([(100, 103, 100, 100), QUIET, QUIET], UP, 1, 103.0, id="a touch is enough"),
        pytest.param([(105, 106, 104, 104), QUIET, QUIET], UP, 1, 105.0, id="opens beyond the profit"),
        pytest.param([(95, 96, 94, 96), QUIET, QUIET], DOWN, 1, 95.0, id="opens beyond the stop"),
        pytest.param([(100, 104, 97, 103), QUIET, QUIET], DOWN, 1, 98.0, id="both in a bar: the stop"),
        pytest.param([(104, 104, 97, 97), QUIET, QUIET], UP, 1, 104.0, id="both, but it opens beyond the profit"),
        pytest.param([(97, 104, 96, 103), QUIET, QUIET], DOWN, 1, 97.0, id="both, but it opens beyond the stop"),
        pytest.param([MISSING, (106, 107, 105, 106), QUIET], UP, 2, 106.0, id="gap after a missing bar"),
        pytest.param([MISSING, MISSING, (100, 101, 99, 101)], NEUTRAL, 3, 101.0, id="missing bars touch nothing"),
        pytest.param([(100, 104, 100, 101), QUIET, MISSING], UP, 1, 103.0, id="touched before the last bar is missing"),
        pytest.param([QUIET, QUIET, MISSING], -1, -1, NAN, id="nothing touched and no close at the end"),
        pytest.param([(100, 104, 100, 101), QUIET], -1, -1, NAN, id="touched, but the horizon is cut off"),
    ],
)
def test_a_long_position_exits_at_the_first_barrier(bars: Bars, label: int, n_bars: int, exit_price: float) -> None:
    found = follow(bars, TripleBarrier(3, 3.0, 2.0))
    assert found[:2] == (label, n_bars)
    assert found[2] == pytest.approx(exit_price, nan_ok=True)


@pytest.mark.parametrize(
    ("bars", "label", "n_bars", "exit_price"),
    [
        pytest.param([QUIET, (100, 100, 96.5, 99), QUIET], DOWN, 2, 97.0, id="low reaches the profit"),
        pytest.param([QUIET, (100, 102.5, 100, 101), QUIET], UP, 2, 102.0, id="high reaches the stop"),
        pytest.param([(100, 104, 96, 99), QUIET, QUIET], UP, 1, 102.0, id="both in a bar: the stop"),
        pytest.param([(96, 104, 95, 99), QUIET, QUIET], DOWN, 1, 96.0, id="both, but it opens beyond the profit"),
    ],
)
def test_a_short_position_has_its_profit_below(bars: Bars, label: int, n_bars: int, exit_price: float) -> None:
    found = follow(bars, TripleBarrier(3, 3.0, 2.0), side=-0.4)
    assert found[:2] == (label, n_bars)
    assert found[2] == pytest.approx(exit_price)


def test_an_infinite_multiple_takes_a_barrier_away() -> None:
    bars = [(100, 150, 50, 120), QUIET, QUIET]
    assert follow(bars, TripleBarrier(3, np.inf, 2.0))[:2] == (DOWN, 1)
    assert follow(bars, TripleBarrier(3, 3.0, np.inf))[:2] == (UP, 1)
    assert follow(bars, TripleBarrier(3, np.inf, np.inf)) == (NEUTRAL, 3, 100.0)


@pytest.mark.parametrize("width_frac", [NAN, 0.0, -0.01, np.inf])
def test_no_label_without_a_width(width_frac: float) -> None:
    close = np.full((4, 1), 100.0)
    exits = triple_barrier(close, close, close, close, np.full((4, 1), width_frac), TripleBarrier(2, 1.0, 1.0))
    assert (exits.label == -1).all()
    assert (exits.n_bars == -1).all()
    assert np.isnan(exits.return_frac).all()


@pytest.mark.parametrize("side", [0.0, NAN])
def test_no_label_without_a_side(side: float) -> None:
    assert follow([(100, 104, 100, 101), QUIET], TripleBarrier(2, 3.0, 2.0), side)[:2] == (-1, -1)


def exits_of(market: FrameTensor, barriers: TripleBarrier, side: np.ndarray | None = None) -> BarrierExits:
    width_frac = volatility_band(market.close, barriers.horizon_bars, 1.0, 8)
    return triple_barrier(market.open, market.high, market.low, market.close, width_frac, barriers, side)


@dataclass(frozen=True)
class PriceRange:
    open: Decimal
    high: Decimal
    low: Decimal


def stop_price(bar: PriceRange, price: float, side: Side) -> Decimal | None:
    """Return where a stop order trades: at its price, or where the bar opens beyond it, at the open."""
    level = Decimal(price)
    if side is Side.BUY:
        return max(bar.open, level) if bar.high >= level else None
    return min(bar.open, level) if bar.low <= level else None


def expected_exit(
    market: FrameTensor, t: int, symbol: int, barriers: TripleBarrier, width: float, side: float
) -> tuple[int, int, float]:
    """Return the exit that the simulated broker gives two stop orders at the barriers."""
    entry = market.close[t, symbol]
    undefined = (-1, -1, NAN)
    if t + barriers.horizon_bars >= len(market) or np.isnan(entry) or not width > 0 or side == 0:
        return undefined
    above, below = barriers.profit_multiple, barriers.stop_multiple
    if side < 0:
        above, below = below, above
    upper, lower = entry * (1.0 + above * width), entry * (1.0 - below * width)
    for row in range(t + 1, t + barriers.horizon_bars + 1):
        if not market.present[row, symbol]:
            continue
        bar = PriceRange(*(Decimal(x[row, symbol]) for x in (market.open, market.high, market.low)))
        up, down = stop_price(bar, upper, Side.BUY), stop_price(bar, lower, Side.SELL)
        if up is not None and down is not None:
            is_up = bar.open >= upper or (bar.open > lower and side < 0)
            up, down = (up, None) if is_up else (None, down)
        if up is not None:
            return UP, row - t, float(up) / entry - 1.0
        if down is not None:
            return DOWN, row - t, float(down) / entry - 1.0
    last = market.close[t + barriers.horizon_bars, symbol]
    return undefined if np.isnan(last) else (NEUTRAL, barriers.horizon_bars, last / entry - 1.0)


def check_against_broker(market: FrameTensor, barriers: TripleBarrier, side: np.ndarray) -> None:
    found = exits_of(market, barriers, side)
    width = volatility_band(market.close, barriers.horizon_bars, 1.0, 8)
    for at in np.ndindex(*market.close.shape):
        expected = expected_exit(market, *at, barriers, width[at], side[at])
        assert (found.label[at], found.n_bars[at]) == expected[:2], at
        np.testing.assert_array_equal(found.return_frac[at], expected[2])


@given(
    seed=st.integers(0, 10_000),
    horizon_bars=st.integers(1, 12),
    profit_multiple=st.sampled_from([0.3, 1.0, 2.0]),
    stop_multiple=st.sampled_from([0.3, 1.0, 2.0]),
)
def test_exits_on_walks_with_gaps_are_those_of_stop_orders_at_the_broker(
    make_market: Callable[..., FrameTensor],
    seed: int,
    horizon_bars: int,
    profit_multiple: float,
    stop_multiple: float,
) -> None:
    market = make_market(seed)
    side = np.random.default_rng(seed).choice([-1.0, 0.0, 1.0], market.close.shape)
    check_against_broker(market, TripleBarrier(horizon_bars, profit_multiple, stop_multiple), side)


@pytest.mark.realdata
def test_exits_on_real_prices_are_those_of_stop_orders_at_the_broker(real_market: FrameTensor) -> None:
    market = real_market.rows(len(real_market) - 400, len(real_market), first_seq=0).select(np.arange(4))
    side = np.where(np.arange(400)[:, None] % 3 == 0, -1.0, np.ones(market.close.shape))
    check_against_broker(market, TripleBarrier(12, 1.0, 0.7), side)


@pytest.mark.realdata
def test_on_closes_alone_exits_are_those_of_the_book(daily: FrameTensor) -> None:
    """Snippet 3.2 of López de Prado, `applyPtSlOnT1`, in pandas, for both sides."""
    close = daily.close[:500, :3].copy()
    width_frac = volatility_band(close, 10, 1.0, 20)
    side = np.where(np.arange(500)[:, None] % 2 == 0, 1.0, np.full(close.shape, -1.0))
    barriers = TripleBarrier(10, 0.8, 0.5)
    found = triple_barrier(close, close, close, close, width_frac, barriers, side)
    n_checked = 0
    for symbol in range(3):
        prices = pd.Series(close[:, symbol])
        for t in range(490):
            if np.isnan(width_frac[t, symbol]):
                continue
            path = (prices.loc[t : t + 10] / prices[t] - 1.0) * side[t, symbol]
            stop = path[path < -0.5 * width_frac[t, symbol]].index.min()
            profit = path[path > 0.8 * width_frac[t, symbol]].index.min()
            first = np.nanmin([stop, profit, t + 10])
            assert t + found.n_bars[t, symbol] == first
            touched = 0.0 if first not in {stop, profit} else side[t, symbol] * (1 if first == profit else -1)
            assert found.label[t, symbol] == NEUTRAL - touched
            # a path of closes passes a barrier between two bars, so it exits beyond it
            assert found.return_frac[t, symbol] == pytest.approx(prices[first] / prices[t] - 1.0, abs=1e-15)
            n_checked += 1
    assert n_checked > 1000
    assert (np.bincount(found.label[found.label >= 0]) > 100).all()


@given(seed=st.integers(0, 10_000), horizon_bars=st.integers(1, 12))
def test_a_short_position_ends_like_a_long_one_with_the_multiples_exchanged_but_for_ties(
    make_market: Callable[..., FrameTensor], seed: int, horizon_bars: int
) -> None:
    market = make_market(seed)
    long = exits_of(market, TripleBarrier(horizon_bars, 0.6, 0.9))
    short = exits_of(market, TripleBarrier(horizon_bars, 0.9, 0.6), np.full(market.close.shape, -1.0))
    np.testing.assert_array_equal(long.n_bars, short.n_bars)
    is_tie = long.label != short.label
    np.testing.assert_array_equal(long.return_frac[~is_tie], short.return_frac[~is_tie])
    assert (long.label[is_tie] == DOWN).all()
    assert (short.label[is_tie] == UP).all()


@pytest.mark.realdata
def test_a_meta_label_says_whether_the_side_earned_more_than_its_cost(real_market: FrameTensor) -> None:
    rng = np.random.default_rng(3)
    side = rng.choice([-1.0, 0.0, 1.0], real_market.close.shape)
    exits = exits_of(real_market, TripleBarrier(12, 1.0, 1.0), side)
    free, costly = meta_labels(exits), meta_labels(exits, 0.001)
    is_known = exits.label >= 0
    assert ((free >= 0) == is_known).all()
    assert ((costly >= 0) == is_known).all()
    assert (side[is_known] != 0).all()
    earned = pd.Series(side[is_known] * exits.return_frac[is_known])
    assert ((free[is_known] == 1) == earned.gt(0.0)).all()
    assert ((costly[is_known] == 1) == earned.gt(0.001)).all()
    assert 0.2 < costly[is_known].mean() < free[is_known].mean() < 0.8
    # a barrier on the side of the position is a profit, whichever way it points
    won = np.where(side > 0, exits.label == UP, exits.label == DOWN) & is_known
    assert (free[won] == 1).all()


def test_values_that_break_a_rule_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="horizon_bars must be positive, was 0"):
        TripleBarrier(0, 1.0, 1.0)
    with pytest.raises(ConfigurationError, match=r"profit_multiple must be positive, was 0\.0"):
        TripleBarrier(1, 0.0, 1.0)
    with pytest.raises(ConfigurationError, match="stop_multiple must be positive, was nan"):
        TripleBarrier(1, 1.0, NAN)
    close = np.full((4, 1), 100.0)
    exits = triple_barrier(close, close, close, close, close, TripleBarrier(2, 1.0, 1.0))
    with pytest.raises(ConfigurationError, match=r"cost_frac must not be negative, was -0\.1"):
        meta_labels(exits, -0.1)
