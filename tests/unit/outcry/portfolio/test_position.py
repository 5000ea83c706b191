from decimal import Decimal
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from outcry.portfolio.position import BASIS_STEP, Position

TRADE = st.tuples(st.decimals(-500, 500, places=2).filter(bool), st.decimals("0.01", 1000, places=4))


def average_cost(trades):
    """Return shares, average price and realised profit by the textbook, in rational numbers."""
    shares, price, realized = Fraction(0), Fraction(0), Fraction(0)
    for traded, at in ((Fraction(q), Fraction(p)) for q, p in trades):
        if shares * traded >= 0:
            price = (abs(shares) * price + abs(traded) * at) / (abs(shares) + abs(traded))
            shares += traded
            continue
        closed = min(abs(traded), abs(shares))
        realized += closed * (at - price) * (1 if shares > 0 else -1)
        if abs(traded) > abs(shares):
            price = at
        shares += traded
    return shares, price, realized


@given(st.lists(TRADE, min_size=1, max_size=12))
def test_shares_basis_and_profit_follow_the_average_cost_method(trades):
    position, realized = Position(), Decimal(0)
    for traded, price in trades:
        position, gain = position.trade(traded, price)
        realized += gain
    shares, price, expected = average_cost(trades)
    tolerance = Fraction(BASIS_STEP) * len(trades)  # a partial close rounds the basis once, to one step
    assert position.shares == shares
    assert abs(Fraction(position.basis) - shares * price) <= tolerance * 2
    assert abs(Fraction(realized) - expected) <= tolerance * 2


@given(st.lists(TRADE, min_size=1, max_size=12), st.decimals("0.01", 1000, places=4))
def test_what_is_realised_and_what_is_open_add_up_exactly(trades, mark):
    position, realized, paid = Position(), Decimal(0), Decimal(0)
    for traded, price in trades:
        position, gain = position.trade(traded, price)
        realized += gain
        paid += traded * price
    assert realized + position.shares * mark - position.basis == position.shares * mark - paid


def test_a_closed_position_keeps_nothing():
    position, _ = Position().trade(Decimal(3), Decimal("10.01"))
    position, realized = position.trade(Decimal(-3), Decimal("11.00"))
    assert position == Position()
    assert position.entry_price == 0
    assert realized == Decimal("2.97")
