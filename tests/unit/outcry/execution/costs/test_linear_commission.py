from decimal import Decimal

import pytest

from outcry.execution.costs.linear_commission import LinearCommission


@pytest.mark.parametrize(
    ("per_share", "bps", "minimum", "expected"),
    [
        (0.005, 0.0, 0.0, "1.00"),  # 200 · 0.005
        (0.0, 2.0, 0.0, "0.41"),  # 200 · 10.01 · 0.0002 = 0.4004, up to the cent
        (0.005, 2.0, 0.0, "1.41"),
        (0.005, 2.0, 3.0, "3.00"),
        (0.0, 0.0, 0.0, "0.00"),
    ],
)
def test_shares_and_notional_are_charged_up_to_the_cent_and_at_least_the_minimum(per_share, bps, minimum, expected):
    commission = LinearCommission(per_share, bps, minimum).charge(Decimal(200), Decimal("10.01"))
    assert str(commission) == expected
