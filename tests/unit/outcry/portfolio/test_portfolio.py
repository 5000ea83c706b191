import random
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from outcry.errors import ConfigurationError, DataValidationError, RecoveryError
from outcry.market.frame import Frame
from outcry.market.universe import Universe
from outcry.messages import Executions, Fill, Side
from outcry.portfolio.portfolio import Portfolio

UNIVERSE = Universe(("AAA", "BBB", "CCC"), ("Tech", "Tech", "Energy"), lot=Decimal("0.00001"))
CASH = Decimal(100_000)
SEEDS = st.integers(0, 2**32 - 1)


def on_grid(price):
    """Return a close in whole price units, exact."""
    grid = UNIVERSE.grid
    return Fraction(grid.price(round(price * grid.price_scale))) if np.isfinite(price) else Fraction(0)


def build_portfolio():
    return Portfolio(UNIVERSE, CASH)


def build_run(seed, n_frames=12):
    """Return random frames with absences, closes of 17 digits, and random fills of each."""
    rng = np.random.default_rng(seed)
    pairs, seen = [], np.zeros(3, dtype=bool)
    for seq in range(n_frames):
        present = rng.random(3) < 0.8
        seen |= present
        close = np.where(present, rng.uniform(0.5, 900, 3), np.nan)
        frame = Frame(seq, seq + 1, close, close, close, close, np.where(present, 1e5, np.nan), close, present)
        fills = [
            Fill(
                fill_id=f"{rng.integers(2**60):x}",
                client_order_id="order",
                seq=seq,
                ts_ns=seq + 1,
                symbol=UNIVERSE.symbols[i],
                side=Side.BUY if rng.random() < 0.5 else Side.SELL,
                quantity=Decimal(int(rng.integers(1, 10**8))) * UNIVERSE.lot,
                price=Decimal(int(rng.integers(1, 90_000))) * UNIVERSE.tick,
                commission=Decimal(int(rng.integers(0, 500))) / 100,
                slippage=Decimal(int(rng.integers(0, 500))) / 100,
            )
            for i in rng.choice(np.flatnonzero(seen), rng.integers(0, 4) if seen.any() else 0)
        ]
        pairs.append((Executions(seq, tuple(fills), (), np.zeros(3)), frame))
    return pairs


def assert_same_book(a, b):
    for name in a.__slots__:
        if isinstance(value := getattr(a, name), np.ndarray):
            np.testing.assert_array_equal(value, getattr(b, name))
        else:
            assert value == getattr(b, name), name


@given(SEEDS)
def test_cash_and_positions_make_the_equity_and_the_profit_to_the_last_digit(seed):
    portfolio = build_portfolio()
    for executions, frame in build_run(seed):
        book = portfolio.settle(executions, frame)
        positions = portfolio.snapshot().positions
        marks = [on_grid(price) for price in book.price]
        value = sum(Fraction(p.shares) * mark for p, mark in zip(positions, marks, strict=True))
        unrealized = value - sum(Fraction(p.basis) for p in positions)
        assert Fraction(book.cash) + value == Fraction(book.equity)
        assert Fraction(book.realized_pnl) + unrealized - Fraction(book.commission) == Fraction(book.equity) - 100_000
        np.testing.assert_array_equal(book.quantity, [float(p.shares) for p in positions])


@given(SEEDS, st.integers(-1, 11))
def test_a_portfolio_restored_after_any_frame_goes_on_as_if_nothing_had_happened(seed, at):
    run = build_run(seed)
    undisturbed = build_portfolio()
    snapshot, books = undisturbed.snapshot(), []
    for executions, frame in run:
        books.append(undisturbed.settle(executions, frame))
        if frame.seq == at:
            snapshot = undisturbed.snapshot()
    fills = [fill for executions, _ in run for fill in executions.fills]
    random.Random(seed).shuffle(fills)
    last_close = books[at].price if at >= 0 else np.full(3, np.nan)
    from_snapshot, from_ledger = build_portfolio(), build_portfolio()
    from_snapshot.restore(snapshot)
    from_ledger.restore_from_ledger(at, fills, last_close, ())
    for (executions, frame), book in list(zip(run, books, strict=True))[at + 1 :]:
        assert_same_book(from_snapshot.settle(executions, frame), book)
        assert_same_book(from_ledger.settle(executions, frame), book)


def test_a_book_does_not_change_after_it_was_given_out():
    run = build_run(3)
    portfolio = build_portfolio()
    first = portfolio.settle(*run[0])
    before = {name: np.array(getattr(first, name)) for name in ("quantity", "price", "entry_price")}
    for executions, frame in run[1:]:
        portfolio.settle(executions, frame)
    for name, value in before.items():
        np.testing.assert_array_equal(getattr(first, name), value)


def buy(quantity, price=100):
    frame = build_run(1)[0][1]
    fill = Fill("f", "order", 0, 1, "AAA", Side.BUY, Decimal(quantity), Decimal(price), Decimal(1), Decimal(0))
    return Executions(0, (fill,), (), np.zeros(3)), frame


def test_what_does_not_fit_the_grid_is_refused_and_changes_nothing():
    portfolio = build_portfolio()
    before = portfolio.snapshot()
    with pytest.raises(DataValidationError, match=r"cash must be below 461\d+\.\d+, was more: .* of 5000000000"):
        portfolio.settle(*buy(50_000_000))
    with pytest.raises(DataValidationError, match=r"fill f must fit .*, was 1000000000000000 at 100"):
        portfolio.settle(*buy(10**15))
    for name in before.__slots__:
        np.testing.assert_array_equal(getattr(portfolio.snapshot(), name), getattr(before, name))
    portfolio.settle(*buy(10))
    with pytest.raises(ConfigurationError, match=r"initial_cash must be below 461\d+\.\d+, was 5000000000"):
        Portfolio(UNIVERSE, Decimal(5_000_000_000))


def test_an_equity_that_does_not_fit_the_grid_is_refused():
    portfolio = build_portfolio()
    executions, _ = buy(10_000_000, price="0.01")
    close = np.array([900.0, 1.0, 1.0])
    with pytest.raises(DataValidationError, match=r"all positions must be below 461\d+\.\d+, .* was 9000000000"):
        portfolio.settle(executions, Frame(0, 1, *[close] * 6, np.ones(3, bool)))
    assert portfolio.last_seq == -1
    assert portfolio.settle(*buy(10)).quantity[0] == 10


def test_a_repeated_frame_returns_the_same_book_and_a_gap_is_refused():
    run = build_run(1)
    portfolio = build_portfolio()
    assert portfolio.settle(*run[0]) is portfolio.settle(*run[0])
    with pytest.raises(RecoveryError, match=r"seq must be 1.*was 2"):
        portfolio.settle(*run[2])
    with pytest.raises(DataValidationError, match=r"executions\.seq must be 1"):
        portfolio.settle(run[0][0], run[1][1])
