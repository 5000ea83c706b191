"""The ledger in whole numbers, against the textbook in rational numbers."""

from fractions import Fraction
from itertools import permutations

import numba
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from outcry.market.grid import LARGEST_UNITS
from outcry.order_rows import (
    BORROW_FEE,
    DIVIDEND,
    E_CASH,
    E_KIND,
    E_LOTS,
    E_SEQ,
    E_SYMBOL,
    F_COMMISSION,
    F_LOTS,
    F_PRICE,
    F_SEQ,
    F_SIDE,
    F_SLIPPAGE,
    F_SYMBOL,
    INTEREST,
    N_EVENT_COLUMNS,
    N_FILL_COLUMNS,
    SPLIT,
)
from outcry.portfolio.kernels import positions
from outcry.portfolio.kernels.positions import (
    CARRY,
    CASH,
    COMMISSION,
    DIVIDENDS,
    EQUITY,
    FITS,
    N_ACCOUNT_SLOTS,
    REALIZED,
    SLIPPAGE,
)

CASH_UNITS = 10**11
SCALE = 1e6
NO_ROWS = np.empty(0, np.int64)
NO_EVENTS = np.zeros((0, N_EVENT_COLUMNS), np.int64)


@numba.njit
def settle_fill(account, lots, basis, fill):
    return positions.settle_fill(account, lots, basis, fill)


@numba.njit
def settle_frames(account, lots, basis, fills, order, events):
    return positions.settle_frames(account, lots, basis, fills, order, events)


@numba.njit
def mark(account, lots, close, price_scale):
    return positions.mark(account, lots, close, price_scale, 1.0)[0]


@numba.njit
def write_holdings(lots, basis, price_scale, lot, out):
    positions.write_holdings(lots, basis, price_scale, lot, out)


def ledger(n_symbols=1, lots=(), basis=()):
    account = np.zeros(N_ACCOUNT_SLOTS, np.int64)
    account[CASH] = CASH_UNITS
    held, paid = np.zeros((2, n_symbols), np.int64)
    held[: len(lots)], paid[: len(basis)] = lots, basis
    return account, held, paid


def event_row(kind, cash, symbol=0, lots=0, seq=0):
    row = np.zeros(N_EVENT_COLUMNS, np.int64)
    row[E_SEQ], row[E_KIND], row[E_SYMBOL], row[E_LOTS], row[E_CASH] = seq, kind, symbol, lots, cash
    return row


def fill_row(shares, price, symbol=0, seq=0, commission=0, slippage=0):
    row = np.zeros(N_FILL_COLUMNS, np.int64)
    row[F_SEQ], row[F_SYMBOL], row[F_SIDE], row[F_LOTS] = seq, symbol, (1 if shares > 0 else -1), abs(shares)
    row[F_PRICE], row[F_COMMISSION], row[F_SLIPPAGE] = price, commission, slippage
    return row


def reference(shares, basis, traded, price):
    """Return shares, basis and profit after a trade, by the rule in rational numbers: the basis in whole units."""
    if shares * traded >= 0:
        return shares + traded, basis + traded * price, 0
    closed = traded if abs(traded) <= abs(shares) else -shares
    taken = round(Fraction(basis * -closed, shares))  # half to even
    opened = traded - closed
    return shares + traded, basis - taken + opened * price, -closed * price - taken


def average_cost(trades):
    """Return shares, average price and realised profit by the textbook, in rational numbers."""
    shares, price, realized = Fraction(0), Fraction(0), Fraction(0)
    for traded, at in trades:
        if shares * traded >= 0:
            price = (abs(shares) * price + abs(traded) * at) / (abs(shares) + abs(traded))
            shares += traded
            continue
        closed = min(abs(traded), abs(shares))
        realized += closed * (at - price) * (1 if shares > 0 else -1)
        if abs(traded) > abs(shares):
            price = Fraction(at)
        shares += traded
    return shares, price, realized


TRADES = st.lists(
    st.tuples(st.integers(-300, 300).filter(bool), st.integers(1, 10**8)), min_size=1, max_size=12
)  # every product is below 2⁵³
LARGE_TRADES = st.lists(
    st.tuples(st.integers(-(10**8), 10**8).filter(bool), st.integers(1, 10**9)), min_size=1, max_size=12
)


@given(TRADES)
def test_a_trade_is_settled_to_the_unit_as_in_rational_numbers(trades):
    account, lots, basis = ledger()
    shares, paid, realized = 0, 0, 0
    for traded, price in trades:
        assert settle_fill(account, lots, basis, fill_row(traded, price, commission=7, slippage=3)) == FITS
        shares, paid, gain = reference(shares, paid, traded, price)
        realized += gain
        assert (lots[0], basis[0], account[REALIZED]) == (shares, paid, realized)
    spent = sum(traded * price for traded, price in trades)
    assert account[CASH] == CASH_UNITS - spent - 7 * len(trades)
    assert (account[COMMISSION], account[SLIPPAGE]) == (7 * len(trades), 3 * len(trades))


@given(TRADES)
def test_shares_basis_and_profit_follow_the_average_cost_method(trades):
    account, lots, basis = ledger()
    for traded, price in trades:
        settle_fill(account, lots, basis, fill_row(traded, price))
    shares, price, realized = average_cost(trades)
    assert lots[0] == shares
    assert abs(basis[0] - shares * price) <= len(trades)  # a partial close rounds the basis once, to one unit
    assert abs(account[REALIZED] - realized) <= len(trades)


@given(LARGE_TRADES, st.integers(1, 10**9))
def test_what_is_realised_and_what_is_open_add_up_exactly_whatever_was_rounded(trades, price):
    account, lots, basis = ledger()
    for traded, at in trades:
        assert settle_fill(account, lots, basis, fill_row(traded, at, commission=11)) == FITS
    assert mark(account, lots, np.array([price / SCALE]), SCALE) == FITS
    value = int(lots[0]) * price
    assert account[EQUITY] == account[CASH] + value
    assert account[EQUITY] - CASH_UNITS == account[REALIZED] + value - basis[0] - account[COMMISSION]


def test_a_closed_position_keeps_nothing():
    account, lots, basis = ledger()
    settle_fill(account, lots, basis, fill_row(3, 10_010_000))
    settle_fill(account, lots, basis, fill_row(-1, 12_000_001))
    settle_fill(account, lots, basis, fill_row(-2, 11_000_000))
    assert (lots[0], basis[0], account[REALIZED]) == (0, 0, 1_990_001 + 2 * 990_000)


FILLS = st.lists(
    st.tuples(
        st.integers(-3, 3).filter(bool),
        st.integers(1, 10**8),
        st.integers(0, 1),
        st.integers(0, 2),
        st.integers(0, 5),
    ),
    min_size=1,
    max_size=6,
)


@given(FILLS, st.randoms(use_true_random=False))
def test_a_ledger_is_a_function_of_the_set_of_fills(fills, random):
    ledgers = []
    for _ in range(2):
        state = ledger(2)
        rows = np.array([fill_row(*fill) for fill in fills])
        assert settle_frames(*state, rows, np.empty(len(rows), np.int64), NO_EVENTS) == FITS
        ledgers.append(np.concatenate(state))
        random.shuffle(fills)
    np.testing.assert_array_equal(*ledgers)


@pytest.mark.parametrize("side", [1, -1])
def test_what_enlarges_is_settled_before_the_leg_that_closes_it(side):
    for fills in permutations([(side * 10, 100), (side * -10, 99)]):
        account, lots, basis = ledger(1, [side * 100], [side * 9000])
        settle_frames(
            account, lots, basis, np.array([fill_row(*fill) for fill in fills]), np.empty(2, np.int64), NO_EVENTS
        )
        assert lots[0] == side * 100
        assert account[REALIZED] == side * (990 - 909)  # at an average of 10,000 / 110


@pytest.mark.parametrize(
    ("lots", "basis", "fill", "slot"),
    [
        (2**61, 0, fill_row(2**61, 1), "quantity"),
        (0, 0, fill_row(2**31, 2**31), "cash"),
        (0, 0, fill_row(1, 1, commission=2**62), "commission"),
        (1, 2**61, fill_row(2**20, 2**41), "basis"),
        (-(2**20), 2**61, fill_row(2**20, 2**41), "realized_pnl"),
        (0, 0, fill_row(1, 1, slippage=2**62), "slippage"),
    ],
)
def test_an_amount_that_is_too_large_is_named_and_nothing_is_done(lots, basis, fill, slot):
    state = ledger(1, [lots], [basis])
    before = np.concatenate(state)
    assert positions.AMOUNT_NAMES[settle_fill(*state, fill)] == slot
    np.testing.assert_array_equal(np.concatenate(state), before)


def test_commission_is_counted_even_where_it_was_paid_back_in_cash():
    state = ledger()
    state[0][COMMISSION] = LARGEST_UNITS - 1
    assert positions.AMOUNT_NAMES[settle_fill(*state, fill_row(1, 1, commission=1000))] == "commission"


@pytest.mark.parametrize("close", [np.nan, np.inf, LARGEST_UNITS / SCALE])
def test_an_equity_that_is_not_known_or_too_large_is_not_written(close):
    account, lots, _ = ledger(2, [0, 1])
    assert mark(account, lots, np.array([np.nan, close]), SCALE) == EQUITY
    assert account[EQUITY] == 0
    assert mark(account, lots, np.array([np.nan, 1.0]), SCALE) == FITS
    assert account[EQUITY] == CASH_UNITS + 10**6


def test_a_lot_that_is_no_float_is_shown_rounded_once():
    shares, entry_price = np.empty((2, 2))
    write_holdings(np.array([3, 0]), np.array([30_015, 0]), 1e4, (1.0, 1000.0), (shares, entry_price))
    assert (list(shares), list(entry_price)) == ([0.003, 0.0], [1.0005, 0.0])


EVENTS = st.tuples(st.sampled_from([SPLIT, DIVIDEND, BORROW_FEE, INTEREST]), st.integers(-(10**6), 10**6))


@given(st.lists(st.tuples(TRADES, EVENTS, st.integers(-3, 3)), min_size=1, max_size=5))
def test_equity_is_the_profit_whatever_was_booked_between_the_trades(frames):
    account, lots, basis = ledger()
    fills, events, held = [], [], 0
    for seq, (trades, (kind, cash), factor) in enumerate(frames):
        change = held * factor if kind == SPLIT else 0  # to any multiple, to nothing, or to the other side of it
        events.append(event_row(kind, cash, 0 if kind != INTEREST else -1, change, seq))
        fills += [fill_row(traded, price, seq=seq, commission=7) for traded, price in trades]
        held += change + sum(traded for traded, _ in trades)
    rows, booked = np.array(fills), np.array(events)
    assert settle_frames(account, lots, basis, rows, np.empty(len(rows), np.int64), booked) == FITS
    assert lots[0] == held
    price = 12_345_678
    assert mark(account, lots, np.array([price / SCALE]), SCALE) == FITS
    profit = account[REALIZED] + lots[0] * price - basis[0] - account[COMMISSION] + account[DIVIDENDS] - account[CARRY]
    assert account[EQUITY] - CASH_UNITS == profit
    assert account[DIVIDENDS] == sum(cash for _, (kind, cash), _ in frames if kind == DIVIDEND)
    assert account[CARRY] == -sum(cash for _, (kind, cash), _ in frames if kind in (BORROW_FEE, INTEREST))


def test_a_split_leaves_what_was_paid_and_halves_the_entry_price():
    account, lots, basis = ledger(lots=[100], basis=[100 * 10**7])
    settle_frames(
        account, lots, basis, np.zeros((0, N_FILL_COLUMNS), np.int64), NO_ROWS, event_row(SPLIT, 0, lots=100)[None]
    )
    assert (lots[0], basis[0], account[REALIZED]) == (200, 100 * 10**7, 0)
    settle_frames(
        account, lots, basis, np.zeros((0, N_FILL_COLUMNS), np.int64), NO_ROWS, event_row(SPLIT, 9, lots=-200)[None]
    )
    assert (lots[0], basis[0], account[REALIZED]) == (0, 0, 9 - 100 * 10**7)


def test_events_of_a_frame_come_before_its_fills_and_after_earlier_ones():
    account, lots, basis = ledger()
    fills = np.array([fill_row(-10, 5 * 10**6, seq=2), fill_row(10, 10**7, seq=1)])
    events = np.array([event_row(SPLIT, 0, lots=10, seq=2)])
    assert settle_frames(account, lots, basis, fills, np.empty(2, np.int64), events) == FITS
    assert (lots[0], basis[0], account[REALIZED]) == (10, 5 * 10**7, 0)
