from decimal import Decimal

from outcry.portfolio.position import Position


def test_the_entry_price_is_what_was_paid_a_share():
    assert Position(Decimal(-4), Decimal("-40.02")).entry_price == 10.005
    assert Position().entry_price == 0
