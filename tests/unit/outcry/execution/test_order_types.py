"""Order types, times in force and links, bar by bar through the broker; sessions have three bars."""

from dataclasses import replace
from decimal import Decimal

import pytest

from outcry.messages import ALL_OPEN, ALL_WORKING, TimeInForce

DAY, GTC, IOC, FOK, OPG, CLS = (TimeInForce(name) for name in ("day", "gtc", "ioc", "fok", "opg", "cls"))
FOR_50 = 500.0
"""Volume of a bar in which all orders together may trade 50 shares."""


@pytest.fixture
async def desk(build_desk):
    """Return a desk after a first bar at 10; nothing costs anything, and 100,000 shares a bar may be traded."""
    desk = build_desk()
    await desk.bar(10)
    return desk


@pytest.fixture
async def holder(desk):
    """Return a desk that holds 100 AAA, after the second bar of a session."""
    await desk.submit(desk.order("held", 100))
    assert await desk.bar(10) == ["held +100 @ 10.00"]
    return desk


@pytest.fixture
async def short_seller(build_desk):
    desk = build_desk(allow_short=True)
    await desk.bar(10)
    return desk


def bracket(desk, entry=100, profit="11.00", loss="9.50", **fields):
    """Return an entry with the legs of its profit and its loss."""
    legs = {"parent_id": "entry", "oco_group": "legs"}
    return (
        desk.order("entry", entry, **fields),
        desk.order("profit", -entry, limit=profit, **legs),
        desk.order("loss", -entry, stop=loss, **legs),
    )


# Types that wait


async def test_a_stop_limit_order_that_is_reached_beyond_its_limit_rests_as_a_limit_order(desk):
    await desk.submit(desk.order("a", 100, stop="10.50", limit="10.60"))
    assert await desk.bar(10, 10.49, 9.9) == []
    assert await desk.bar(10.7, 10.8, 10.65) == []  # beyond the stop and the limit
    assert await desk.bar(10.7, 10.8, 10.60) == []  # a touch
    assert await desk.bar(10.7, 10.8, 10.59) == ["a +100 @ 10.60"]


async def test_a_stop_limit_order_that_was_reached_needs_its_stop_no_more(desk):
    await desk.submit(desk.order("a", 100, stop="10.50", limit="10.40"))
    assert await desk.bar(10.2, 10.50, 10.2) == []  # reached, but there the limit does not allow it
    assert await desk.bar(10.1, 10.2, 10.0) == ["a +100 @ 10.10"]


async def test_a_trailing_stop_follows_the_best_price_and_never_loosens(holder):
    await holder.submit(holder.order("a", -100, trail="0.50"))
    assert await holder.bar(10, 10.4, 9.51, 10.2) == []  # from the close of 10: 9.50; then 10.40 - 0.50
    assert await holder.bar(10.2, 10.3, 9.91, 10) == []  # a lower high leaves it where it is
    assert await holder.bar(10, 10.6, 9.91, 10.5) == []  # 10.60 - 0.50
    assert await holder.bar(10.5, 10.5, 10.10, 10.2) == ["a -100 @ 10.10"]


async def test_a_trailing_stop_by_a_fraction_stays_that_part_of_the_best_price_behind(holder):
    await holder.submit(holder.order("a", -100, trail_frac="0.05"))
    assert await holder.bar(10, 10.4, 9.51, 10.2) == []
    assert await holder.bar(10.2, 10.3, 9.88, 10) == ["a -100 @ 9.88"]  # 10.40 · 0.95


async def test_a_bar_never_moves_a_trailing_stop_and_then_reaches_it(holder):
    await holder.submit(holder.order("a", -100, trail="0.50"))
    assert await holder.bar(10, 12, 9.51, 11.9) == []
    assert await holder.bar(11.9, 11.9, 11.5, 11.6) == ["a -100 @ 11.50"]


async def test_a_trailing_stop_that_buys_follows_downwards_and_gaps_are_its_risk(short_seller):
    desk = short_seller
    await desk.submit(desk.order("a", 100, trail="0.50"))
    assert await desk.bar(10, 10.49, 9.6, 9.7) == []
    assert await desk.bar(10.3, 10.4, 10.2) == ["a +100 @ 10.30"]  # beyond 9.60 + 0.50


async def test_bars_without_volume_neither_reach_a_stop_nor_move_it(holder):
    await holder.submit(holder.order("stop", -40, stop="9.00"), holder.order("trail", -60, trail="0.50"))
    assert await holder.bar(10, 12, 8, 10, volume=0) == []
    assert await holder.bar(10, present=[False, True, True]) == []
    assert await holder.bar(10, 10, 9.51) == []
    assert await holder.bar(9.8, 9.8, 9.5) == ["trail -60 @ 9.50"]


async def test_a_stop_reached_in_a_bar_without_free_volume_trades_as_a_market_order_then(holder):
    await holder.submit(holder.order("first", -50), holder.order("stop", -50, stop="9.50"))
    assert await holder.bar(10, 10, 9, 9.8, volume=FOR_50) == ["first -50 @ 10.00"]
    assert await holder.bar(9.9, 9.9, 9.8) == ["stop -50 @ 9.90"]


# Time in force


@pytest.mark.parametrize(("force", "status"), [(DAY, "expired"), (GTC, "accepted")])
async def test_an_order_works_for_its_session_or_until_it_is_cancelled(desk, force, status):
    await desk.submit(desk.order("a", 100, limit="9.00", time_in_force=force))
    assert await desk.bar(10) == []
    assert desk.statuses["a"] == "accepted"
    assert await desk.bar(10) == []
    assert desk.statuses["a"] == status
    assert await desk.bar(8.5) == ([] if status == "expired" else ["a +100 @ 8.50"])


async def test_an_order_for_the_opening_trades_at_the_open_of_the_next_session(desk):
    await desk.bar(10)
    await desk.bar(10)
    await desk.submit(desk.order("a", 100, time_in_force=OPG), desk.order("b", 100, limit="10.00", time_in_force=OPG))
    assert await desk.bar(10.2, 10.3, 9.8) == ["a +100 @ 10.20"]
    assert (desk.statuses["b"], desk.reasons["b"]) == ("expired", "the opening is over")


async def test_an_order_for_the_opening_made_after_it_expires_with_the_session(desk):
    await desk.submit(desk.order("a", 100, time_in_force=OPG))
    assert await desk.bar(10) == []
    assert desk.statuses["a"] == "accepted"
    assert await desk.bar(10) == []
    assert (desk.statuses["a"], desk.reasons["a"]) == ("expired", "session ended")
    assert await desk.bar(10) == []


async def test_an_order_for_the_opening_expires_where_its_symbol_has_no_opening(desk):
    await desk.bar(10)
    await desk.bar(10)
    await desk.submit(desk.order("a", 100, time_in_force=OPG))
    assert await desk.bar(10, present=[False, True, True]) == []
    assert (desk.statuses["a"], desk.reasons["a"]) == ("expired", "the opening is over")


async def test_an_order_for_the_close_trades_at_the_close_of_the_last_bar(desk):
    await desk.submit(
        desk.order("a", 100, time_in_force=CLS),
        desk.order("b", 100, limit="10.30", time_in_force=CLS),
        desk.order("c", 100, limit="10.29", time_in_force=CLS),
    )
    assert await desk.bar(10, 11, 9, 10) == []
    assert await desk.bar(10, 11, 9, 10.3) == ["a +100 @ 10.30", "b +100 @ 10.30"]
    assert (desk.statuses["c"], desk.reasons["c"]) == ("expired", "session ended")


async def test_an_order_for_the_close_expires_where_its_symbol_has_no_last_bar(desk):
    await desk.submit(desk.order("a", 100, time_in_force=CLS))
    assert await desk.bar(10) == []
    assert await desk.bar(10, present=[False, True, True]) == []
    assert desk.statuses["a"] == "expired"
    assert await desk.bar(10) == []


@pytest.mark.parametrize("force", [DAY, OPG, CLS])
async def test_an_order_for_one_session_expires_where_the_last_bars_of_it_are_missing(desk, force):
    await desk.submit(desk.order("a", 100, time_in_force=force))
    opening_ns = desk.frame(3, 10).ts_close_ns
    assert await desk.take(replace(desk.frame(1, 10), ts_close_ns=opening_ns)) == ()
    assert (desk.statuses["a"], desk.reasons["a"]) == ("expired", "session ended")


async def test_an_order_for_the_close_shares_what_the_bar_has_left(desk):
    await desk.bar(10)
    await desk.submit(desk.order("a", 30), desk.order("b", 100, time_in_force=CLS))
    assert await desk.bar(10, volume=FOR_50) == ["a +30 @ 10.00", "b +20 @ 10.00"]
    assert (desk.statuses["b"], desk.filled["b"]) == ("expired", 20)


async def test_immediate_or_cancel_takes_what_the_open_gives_and_cancels_the_rest(desk):
    await desk.submit(desk.order("a", 100, time_in_force=IOC))
    assert await desk.bar(10, volume=FOR_50) == ["a +50 @ 10.00"]
    assert (desk.statuses["a"], desk.filled["a"]) == ("cancelled", 50)
    assert desk.reasons["a"] == "not filled at once"
    assert not desk.broker.working.any()
    assert await desk.bar(10) == []


async def test_immediate_or_cancel_does_not_wait_for_its_limit_nor_for_a_bar(desk):
    await desk.submit(
        desk.order("a", 100, limit="9.90", time_in_force=IOC), desk.order("b", 1, "BBB", time_in_force=IOC)
    )
    assert await desk.bar(10, 10, 9, present=[True, False, True]) == []
    assert [desk.statuses[name] for name in "ab"] == ["cancelled", "cancelled"]


@pytest.mark.parametrize(("volume", "fills"), [(999.0, []), (1000.0, ["a +100 @ 10.00"])])
async def test_fill_or_kill_trades_as_a_whole_or_not_at_all(desk, volume, fills):
    await desk.submit(desk.order("a", 100, time_in_force=FOK))
    assert await desk.bar(10, volume=volume) == fills
    assert desk.statuses["a"] == ("filled" if fills else "cancelled")
    assert await desk.bar(10) == []


async def test_fill_or_kill_counts_what_orders_before_it_have_taken(desk):
    await desk.submit(
        desk.order("a", 1), desk.order("b", 50, time_in_force=FOK), desk.order("c", 49, time_in_force=FOK)
    )
    assert await desk.bar(10, volume=FOR_50) == ["a +1 @ 10.00", "c +49 @ 10.00"]


async def test_fill_or_kill_is_refused_as_a_whole_where_cash_covers_a_part(build_desk):
    desk = build_desk(initial_cash=999)
    await desk.bar(10)
    await desk.submit(desk.order("a", 100, time_in_force=FOK))
    assert await desk.bar(10) == []
    assert (desk.statuses["a"], desk.reasons["a"]) == ("rejected", "buying power is used up")


# Orders that only close


async def test_a_reduce_only_order_closes_what_is_held_and_ends(build_desk):
    desk = build_desk(allow_short=True)
    await desk.bar(10)
    await desk.submit(desk.order("held", 60))
    await desk.bar(10)
    await desk.submit(desk.order("a", -100, is_reduce_only=True))
    assert await desk.bar(10) == ["a -60 @ 10.00"]
    assert (desk.statuses["a"], desk.reasons["a"]) == ("cancelled", "nothing is left to close")


async def test_a_reduce_only_order_never_opens(short_seller):
    desk = short_seller
    await desk.submit(desk.order("a", -100, is_reduce_only=True), desk.order("b", 100, is_reduce_only=True))
    assert await desk.bar(10) == []
    assert [desk.statuses[name] for name in "ab"] == ["cancelled", "cancelled"]


async def test_reduce_only_orders_of_one_symbol_close_it_once(build_desk):
    desk = build_desk(allow_short=True)
    await desk.bar(10)
    await desk.submit(desk.order("held", 100))
    await desk.bar(10)
    await desk.submit(*(desk.order(name, -70, is_reduce_only=True) for name in "ab"))
    assert await desk.bar(10) == ["a -70 @ 10.00", "b -30 @ 10.00"]
    assert desk.broker.holdings == {}


async def test_a_reduce_only_order_ends_when_the_position_turns(build_desk):
    desk = build_desk(allow_short=True)
    await desk.bar(10)
    await desk.submit(desk.order("held", 100))
    await desk.bar(10)
    await desk.submit(desk.order("stop", -100, stop="9.00", is_reduce_only=True), desk.order("turn", -150))
    assert await desk.bar(10) == ["turn -150 @ 10.00"]
    assert (desk.statuses["stop"], desk.reasons["stop"]) == ("cancelled", "nothing is left to close")


async def test_an_order_trades_once_a_bar(holder):
    await holder.submit(
        holder.order("dip", 50, limit="9.50"), holder.order("out", -200, limit="10.00", is_reduce_only=True)
    )
    assert await holder.bar(10.1, 10.3, 9.4) == ["out -100 @ 10.10", "dip +50 @ 9.50"]
    assert await holder.bar(10.2) == ["out -50 @ 10.20"]


# Brackets


async def test_legs_wait_for_their_parent(desk):
    await desk.submit(*bracket(desk, limit="9.60"))
    assert await desk.bar(10, 12, 9.60) == []
    assert set(desk.statuses.values()) == {"accepted"}
    assert desk.broker.working[0] == 100


async def test_the_stop_leg_may_trade_in_the_bar_of_the_entry_and_the_profit_leg_may_not(desk):
    await desk.submit(*bracket(desk))
    assert await desk.bar(10, 12, 9) == ["entry +100 @ 10.00", "loss -100 @ 9.50"]
    assert (desk.statuses["profit"], desk.reasons["profit"]) == ("cancelled", "one cancels the other")


async def test_the_profit_leg_trades_from_the_bar_after_the_entry_on(desk):
    await desk.submit(*bracket(desk))
    assert await desk.bar(10, 12, 9.6, 10.5) == ["entry +100 @ 10.00"]
    assert await desk.bar(10.5, 11.01, 10.4) == ["profit -100 @ 11.00"]
    assert (desk.statuses["loss"], desk.reasons["loss"]) == ("cancelled", "one cancels the other")
    assert await desk.bar(9, 9, 8) == []


async def test_a_stop_leg_beyond_which_the_parent_entered_trades_at_the_price_of_the_entry(desk):
    await desk.submit(*bracket(desk))
    assert await desk.bar(9.3, 9.4, 9.2) == ["entry +100 @ 9.30", "loss -100 @ 9.30"]


async def test_a_trailing_leg_starts_at_the_entry_and_moves_to_the_close_of_its_bar(desk):
    await desk.submit(desk.order("entry", 100), desk.order("loss", -100, trail="0.50", parent_id="entry"))
    assert await desk.bar(10, 12, 9.51, 11) == ["entry +100 @ 10.00"]  # whether 12 came before is not known
    assert await desk.bar(11, 11, 10.51) == []
    assert await desk.bar(11, 11, 10.50) == ["loss -100 @ 10.50"]


async def test_a_short_bracket_is_the_mirror_of_a_long_one(short_seller):
    desk = short_seller
    await desk.submit(*bracket(desk, -100, profit="9.00", loss="10.50"))
    assert await desk.bar(10, 10.4, 8) == ["entry -100 @ 10.00"]
    assert await desk.bar(10, 10.50, 8) == ["loss +100 @ 10.50"]
    assert desk.statuses["profit"] == "cancelled"
    assert desk.broker.holdings == {}


async def test_legs_work_for_what_their_parent_has_traded_and_end_the_rest_of_it(desk):
    await desk.submit(*bracket(desk, limit="10.00", loss="8.00"))
    assert await desk.bar(9.9, volume=FOR_50) == ["entry +50 @ 9.90"]
    assert await desk.bar(10.5, 11.5, 10.4) == ["profit -50 @ 11.00"]
    assert (desk.statuses["entry"], desk.reasons["entry"]) == ("cancelled", "a leg of it has traded")
    assert [desk.statuses[name] for name in ("profit", "loss")] == ["cancelled", "cancelled"]
    assert await desk.bar(9.8, 9.8, 7.7) == []
    assert desk.broker.holdings == {}


async def test_a_limit_that_the_open_was_within_does_not_trade_on_the_way(desk):
    await desk.submit(desk.order("reduce", -100, limit="9.00", is_reduce_only=True), desk.order("entry", 100))
    assert await desk.bar(10, 10.2, 9.9) == ["entry +100 @ 10.00"]


async def test_a_leg_of_an_entry_in_the_close_does_not_see_the_bar_before_it(desk):
    await desk.bar(10)
    entry = desk.order("entry", 100, time_in_force=TimeInForce.CLS)
    await desk.submit(entry, desk.order("loss", -100, stop="9.50", parent_id="entry"))
    while not (fills := await desk.bar(10, 10.2, 9.0, 10)):
        pass
    assert fills == ["entry +100 @ 10.00"]
    assert await desk.bar(10.3, 10.4, 10.2) == []
    assert desk.statuses["loss"] == "accepted"


async def test_orders_of_a_group_may_have_unequal_sizes(desk):
    await desk.submit(desk.order("a", 100, limit="10", oco_group="g"), desk.order("b", 50, limit="8", oco_group="g"))
    assert await desk.bar(9.9) == ["a +100 @ 9.90"]
    assert (desk.statuses["b"], desk.reasons["b"]) == ("cancelled", "one cancels the other")
    assert desk.broker.working[0] == 0


async def test_a_lone_leg_ends_with_what_it_may_trade(desk):
    await desk.submit(desk.order("held", 10))
    await desk.bar(10)
    await desk.submit(desk.order("entry", 100), desk.order("loss", -100, stop="9.50", parent_id="entry"))
    assert await desk.bar(10, volume=FOR_50) == ["entry +50 @ 10.00"]
    await desk.cancel("entry")
    assert await desk.bar(9) == ["loss -50 @ 9.00"]
    assert desk.statuses["loss"] == "cancelled"
    assert desk.broker.holdings == {"AAA": 10}


async def test_all_or_nothing_counts_what_only_reduces_too(desk):
    await desk.submit(desk.order("held", 50))
    await desk.bar(10)
    await desk.submit(desk.order("all", -100, time_in_force=TimeInForce.FOK, is_reduce_only=True))
    assert await desk.bar(10) == []
    assert desk.broker.holdings == {"AAA": 50}


async def test_an_order_far_beyond_the_account_trades_what_is_covered(build_desk):
    desk = build_desk(initial_cash=Decimal(100_000))
    await desk.submit(desk.order("entry", 2 * 10**12))
    assert await desk.bar(10, volume=3e13) == ["entry +10000 @ 10.00"]
    assert desk.reasons["entry"] == "buying power is used up"


async def test_legs_leave_alone_what_others_have_bought(holder):
    await holder.submit(*bracket(holder))
    assert await holder.bar(10, volume=FOR_50) == ["entry +50 @ 10.00"]
    await holder.cancel("entry")
    assert await holder.bar(9) == ["loss -50 @ 9.00"]
    assert holder.broker.holdings == {"AAA": 100}


async def test_a_leg_trades_no_more_than_its_own_quantity(desk):
    await desk.submit(desk.order("entry", 100), desk.order("loss", -40, stop="9.50", parent_id="entry"))
    assert await desk.bar(10) == ["entry +100 @ 10.00"]
    assert await desk.bar(9) == ["loss -40 @ 9.00"]
    assert desk.statuses["loss"] == "filled"


async def test_legs_work_for_the_part_that_cash_has_covered(build_desk):
    desk = build_desk(initial_cash=500)
    await desk.bar(10)
    await desk.submit(*bracket(desk))
    assert await desk.bar(10) == ["entry +50 @ 10.00"]
    assert (desk.statuses["entry"], desk.reasons["entry"]) == ("cancelled", "buying power is used up")
    assert await desk.bar(11.2) == ["profit -50 @ 11.20"]
    assert desk.statuses["loss"] == "cancelled"


async def test_a_leg_that_traded_in_part_leaves_the_rest_to_the_other(desk):
    await desk.submit(*bracket(desk))
    await desk.bar(10)
    assert await desk.bar(11.2, volume=FOR_50) == ["profit -50 @ 11.20"]
    assert desk.statuses["loss"] == "accepted"
    assert await desk.bar(9, 12, 9) == ["loss -50 @ 9.00"]
    assert [desk.filled[name] for name in ("profit", "loss")] == [50, 50]
    assert {desk.statuses[name] for name in ("profit", "loss")} == {"cancelled"}


@pytest.mark.parametrize("how", ["expired", "cancelled", "rejected"])
async def test_legs_end_with_a_parent_that_never_trades(build_desk, how):
    desk = build_desk(initial_cash=5)
    await desk.bar(10)
    await desk.submit(*bracket(desk, limit="10.00" if how == "rejected" else "9.00", time_in_force=DAY))
    if how == "cancelled":
        await desk.cancel("entry")
    await desk.bar(10)
    await desk.bar(10)
    assert desk.statuses == {"entry": how, "profit": "cancelled", "loss": "cancelled"}
    assert desk.reasons["profit"] == desk.reasons["loss"] == "the order it is a leg of ended"


async def test_legs_of_a_parent_that_traded_in_part_outlive_it(desk):
    await desk.submit(*bracket(desk, time_in_force=DAY))
    await desk.bar(10, volume=FOR_50)
    await desk.cancel("entry")
    await desk.bar(10)
    assert [desk.statuses[name] for name in ("entry", "profit", "loss")] == ["cancelled", "accepted", "accepted"]
    assert await desk.bar(9.4) == ["loss -50 @ 9.40"]
    assert {desk.statuses[name] for name in ("profit", "loss")} == {"cancelled"}


async def test_legs_end_when_the_position_is_closed_otherwise(desk):
    await desk.submit(*bracket(desk))
    await desk.bar(10)
    await desk.submit(desk.order("out", -100))
    assert await desk.bar(10) == ["out -100 @ 10.00"]
    assert desk.reasons["profit"] == desk.reasons["loss"] == "nothing is left to close"


async def test_legs_shrink_with_a_position_that_is_closed_in_part(desk):
    await desk.submit(*bracket(desk))
    await desk.bar(10)
    await desk.submit(desk.order("out", -70))
    await desk.bar(10)
    assert await desk.bar(9) == ["loss -30 @ 9.00"]
    assert desk.broker.holdings == {}


async def test_a_leg_alone_that_is_cancelled_leaves_the_other(desk):
    await desk.submit(*bracket(desk))
    await desk.bar(10)
    await desk.cancel("profit")
    assert await desk.bar(12, 12, 9.4) == ["loss -100 @ 9.50"]


# One cancels the other


@pytest.mark.parametrize(
    ("bar", "fill", "ended"),
    [((9.5, 9.6, 8.9), "low +100 @ 9.00", "high"), ((10.5, 11.5, 10.4), "high +100 @ 11.00", "low")],
)
async def test_of_two_orders_without_a_parent_one_cancels_the_other(desk, bar, fill, ended):
    pair = {"oco_group": "pair"}
    await desk.submit(desk.order("low", 100, limit="9.00", **pair), desk.order("high", 100, stop="11.00", **pair))
    assert await desk.bar(*bar) == [fill]
    assert (desk.statuses[ended], desk.reasons[ended]) == ("cancelled", "one cancels the other")


async def test_what_one_order_of_a_group_trades_the_others_no_longer_do(desk):
    pair = {"oco_group": "pair"}
    await desk.submit(desk.order("low", 100, limit="9.00", **pair), desk.order("high", 100, stop="11.00", **pair))
    assert await desk.bar(8.9, volume=300.0) == ["low +30 @ 8.90"]
    assert await desk.bar(11.2, volume=200.0) == ["high +20 @ 11.20"]
    assert await desk.bar(8.9) == ["low +50 @ 8.90"]
    assert [desk.statuses[name] for name in ("low", "high")] == ["cancelled", "cancelled"]


async def test_groups_do_not_touch_one_another(desk):
    await desk.submit(desk.order("a", 10, oco_group="one"), desk.order("b", 10, oco_group="two"))
    assert await desk.bar(10) == ["a +10 @ 10.00", "b +10 @ 10.00"]


@pytest.mark.parametrize(
    ("bar", "fill"),
    [
        ((9.3, 12, 9.2), "loss -100 @ 9.30"),
        ((11.4, 12, 9.2), "profit -100 @ 11.40"),
        ((10, 12, 9.2), "loss -100 @ 9.50"),
    ],
    ids=["opens beyond the stop", "opens beyond the limit", "opens between"],
)
async def test_a_bar_through_both_legs_trades_what_its_open_decides_and_else_the_stop(desk, bar, fill):
    await desk.submit(*bracket(desk))
    await desk.bar(10)
    assert await desk.bar(*bar) == [fill]
    assert sorted(desk.statuses[name] for name in ("profit", "loss")) == ["cancelled", "filled"]


# Several orders of one symbol


async def test_orders_share_the_volume_in_the_order_they_came_but_what_closes_goes_first(holder):
    await holder.submit(holder.order("a", 30), holder.order("b", 30), holder.order("out", -10))
    assert await holder.bar(10, volume=FOR_50) == ["out -10 @ 10.00", "a +30 @ 10.00", "b +10 @ 10.00"]
    assert holder.statuses["b"] == "partially_filled"
    assert await holder.bar(10) == ["b +20 @ 10.00"]


async def test_on_the_way_stops_take_the_volume_before_limits(holder):
    await holder.submit(holder.order("limit", -100, limit="10.50"), holder.order("stop", -100, stop="9.50"))
    assert await holder.bar(10, 11, 9, volume=FOR_50) == ["stop -50 @ 9.50"]


async def test_symbols_do_not_share_their_volume(desk):
    await desk.submit(*(desk.order(symbol, 50, symbol) for symbol in ("AAA", "BBB", "CCC")))
    assert len(await desk.bar(10, volume=FOR_50)) == 3


async def test_commission_and_slippage_leave_the_account_with_each_fill(build_desk):
    desk = build_desk(slippage_bps=50.0, commission_per_share=0.01, min_commission=1.0)
    await desk.bar(10)
    await desk.submit(*bracket(desk))
    assert await desk.bar(10) == ["entry +100 @ 10.05"]
    assert await desk.bar(12) == ["profit -100 @ 12.00"]  # a limit order does not slip
    assert desk.broker.cash == 100_000 - 1005 + 1200 - 2


# Cancels


async def test_a_cancelled_order_no_longer_trades_and_the_others_do(desk):
    await desk.submit(desk.order("a", 10), desk.order("b", 20))
    await desk.cancel("a", "unknown")
    assert (desk.statuses["a"], desk.reasons["a"]) == ("cancelled", "requested")
    assert await desk.bar(10) == ["b +20 @ 10.00"]


async def test_cancelling_an_order_that_ended_changes_nothing(holder):
    await holder.cancel("held")
    assert holder.statuses["held"] == "filled"


async def test_cancelling_all_open_orders_leaves_none(holder):
    await holder.submit(holder.order("stop", -100, stop="9.00"), holder.order("a", 10, "BBB"), *bracket(holder))
    await holder.cancel(*ALL_OPEN)
    assert {status for name, status in holder.statuses.items() if name != "held"} == {"cancelled"}
    assert await holder.bar(8) == []


async def test_cancelling_what_is_working_leaves_what_protects(holder):
    desk = holder
    await desk.submit(*bracket(desk))
    await desk.bar(10)
    legs = {"parent_id": "never", "oco_group": "of never"}
    await desk.submit(
        desk.order("stop", -100, stop="9.00"),
        desk.order("trail", -100, trail="2.00"),
        desk.order("opens", 100, stop="12.00"),
        desk.order("limit", -100, limit="12.00"),
        desk.order("other", 100, "BBB", stop="12.00"),
        desk.order("never", 100, limit="8.00"),
        desk.order("leg", -100, stop="7.00", **legs),
    )
    assert desk.broker.working.tolist() == [100, 100, 0]  # opens, limit, never; other
    await desk.cancel(*ALL_WORKING)
    kept = {name for name, status in desk.statuses.items() if status == "accepted"}
    assert kept == {"profit", "loss", "stop", "trail"}
    assert not desk.broker.working.any()


async def test_a_stop_that_was_reached_is_on_its_way(holder):
    await holder.submit(holder.order("stop", -100, stop="9.00"))
    assert await holder.bar(9.5, 9.5, 8.5, volume=FOR_50) == ["stop -50 @ 9.00"]
    assert holder.broker.working[0] == -50
    await holder.cancel(*ALL_WORKING)
    assert (holder.statuses["stop"], holder.filled["stop"]) == ("cancelled", 50)
