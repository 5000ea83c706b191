import numpy as np
import pytest

from outcry.market.bar_size import DAY_NS, SECOND_NS
from outcry.market.calendar import TradingCalendar
from outcry.market.placement import place_bars

MINUTE_NS = 60 * SECOND_NS
HOUR_NS = 60 * MINUTE_NS
XNYS = TradingCalendar("XNYS")


def ns(text: str) -> int:
    return int(np.datetime64(text, "ns").astype(np.int64))


@pytest.mark.parametrize(
    ("opens", "bar_ns", "is_inside", "closes"),
    [
        ("2025-05-12T13:30", 5 * MINUTE_NS, True, "2025-05-12T13:35"),
        ("2025-05-12T13:25", 5 * MINUTE_NS, False, "2025-05-12T13:30"),
        ("2025-05-12T19:55", 5 * MINUTE_NS, True, "2025-05-12T20:00"),
        ("2025-05-12T20:00", 5 * MINUTE_NS, False, "2025-05-12T20:05"),
        ("2025-05-10T15:00", 5 * MINUTE_NS, False, "2025-05-10T15:05"),
        ("2025-07-03T17:00", 5 * MINUTE_NS, False, "2025-07-03T17:05"),
        ("2018-02-16T14:29", MINUTE_NS, False, "2018-02-16T14:30"),
        ("2018-02-16T14:00", HOUR_NS, True, "2018-02-16T15:00"),
        ("2025-07-03T16:45", 30 * MINUTE_NS, True, "2025-07-03T17:00"),
        ("2025-07-03T13:30", DAY_NS, True, "2025-07-03T17:00"),
        ("2025-07-04T13:30", DAY_NS, False, "2025-07-05T13:30"),
        ("2025-07-03", DAY_NS, True, "2025-07-03T17:00"),
        ("2025-07-04", DAY_NS, False, "2025-07-05"),
        ("2025-12-24T05:00", DAY_NS, True, "2025-12-24T18:00"),
    ],
)
def test_a_bar_closes_with_its_length_or_its_session(opens: str, bar_ns: int, is_inside: bool, closes: str) -> None:
    placement = place_bars(np.array([ns(opens)]), bar_ns, XNYS)
    assert placement.is_inside.tolist() == [is_inside]
    assert placement.ts_close_ns.tolist() == [ns(closes)]
    if is_inside:
        row = placement.session[0]
        assert placement.sessions.open_ns[row] < placement.ts_close_ns[0] <= placement.sessions.close_ns[row]


def test_a_bar_that_is_kept_with_its_trades_after_the_close_ends_after_the_close() -> None:
    placement = place_bars(np.array([ns("2025-07-03T16:45")]), 30 * MINUTE_NS, XNYS, clips=False)
    assert placement.ts_close_ns.tolist() == [ns("2025-07-03T17:15")]


def test_daily_bars_around_the_clock_close_at_midnight() -> None:
    placement = place_bars(np.array([ns("2025-07-05"), ns("2025-07-06")]), DAY_NS, TradingCalendar("24/7"))
    assert placement.is_inside.all()
    assert placement.ts_close_ns.tolist() == [ns("2025-07-06"), ns("2025-07-07")]
